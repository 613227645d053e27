"""HTML whose every piece of text is escaped, because there is no other way to put it in."""

from __future__ import annotations

from html import escape


class Markup(str):
    """Text that is HTML already. Only :func:`tag` and :func:`joined` make it."""

    __slots__ = ()


def tag(name: str, *inner: str, **attributes: str | float) -> Markup:
    """An element. Whatever is inside and is no element itself is text, and escaped.

    :param attributes: Its attributes; ``class_`` is ``class``, and ``_`` within a name is ``-``.

    >>> tag("p", "1 < 2", tag("b", "x"), class_="note")
    '<p class="note">1 &lt; 2<b>x</b></p>'
    >>> tag("td", "<script>alert(1)</script>", title='"')
    '<td title="&quot;">&lt;script&gt;alert(1)&lt;/script&gt;</td>'
    """
    said = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(_plain(value))}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{said}>{joined(*inner)}</{name}>")


def joined(*inner: str) -> Markup:
    """Elements and texts one after the other."""
    return Markup("".join(part if isinstance(part, Markup) else escape(part) for part in inner))


def quoted(text: str) -> Markup:
    """A sentence in which what stands between backticks is code.

    >>> quoted("no `<b>` here")
    'no <code>&lt;b&gt;</code> here'
    """
    parts = text.split("`")
    return joined(*[tag("code", part) if n % 2 else part for n, part in enumerate(parts)])


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
