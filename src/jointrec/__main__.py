"""``python -m jointrec`` is the command line, where no ``jointrec`` is on the path."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
