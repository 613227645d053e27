"""Writes a first project from the tables of a folder, saying why for each choice."""

from .write import propose

__all__ = ["propose"]
