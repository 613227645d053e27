"""How names and texts are spelled in a ``shop.toml``."""

from __future__ import annotations

import json
import re


def text(value: str) -> str:
    """A text in quotes."""
    return json.dumps(value, ensure_ascii=False)


def name(value: str) -> str:
    """A key: bare where it can be, in quotes where it must."""
    return value if re.fullmatch(r"[A-Za-z0-9_-]+", value) else text(value)


def commented(lines: list[str]) -> list[str]:
    """Lines that are not read."""
    return [line if line.startswith("#") or not line else f"# {line}" for line in lines]
