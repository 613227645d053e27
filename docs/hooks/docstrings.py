"""Docstrings as they read in an editor, made into the Markdown of the site."""

import re
from typing import Any

from griffe import Extension, Object

# :class:`~jointrec.errors.JointRecError` is a role of another tool; the name alone is enough here.
_ROLE = re.compile(r":[a-z]+:`~?([^`]+)`")
# An example: from its first prompt to the next empty line or the end.
_EXAMPLE = re.compile(r"^>>> .*?(?=\n\s*\n(?!>>> )|\Z)", re.MULTILINE | re.DOTALL)


class ReadableDocstrings(Extension):
    """Examples become blocks of code, and roles become plain names."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Rewrite the docstring of one module, class, function or attribute."""
        if obj.docstring:
            obj.docstring.value = readable(obj.docstring.value)


def readable(text: str) -> str:
    """The text of a docstring as Markdown."""
    fenced = _EXAMPLE.sub(lambda example: f"```pycon\n{example.group().rstrip()}\n```", text)
    return _ROLE.sub(r"`\1`", fenced)
