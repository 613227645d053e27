"""What SECURITY.md promises is proved by the tests that it names, and the package is offline."""

from __future__ import annotations

import ast
import re
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
PAGE = (CHECKOUT / "SECURITY.md").read_text(encoding="utf-8")
SPEAKERS = {
    "aiohttp", "ftplib", "http", "httpx", "psycopg", "pymysql", "requests", "smtplib", "socket",
    "socketserver", "ssl", "urllib", "urllib3", "xmlrpc",
}  # fmt: skip
TO_DATABASES = {"postgresql.py": {"psycopg"}, "mysql.py": {"pymysql", "ssl"}}
"""What the sources of databases may import, which connect to the servers that a project names."""


def imports(source: str) -> set[str]:
    """The packages that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            # Taking a URL apart is no speaking.
            found |= {(node.module or "").split(".")[0]} if node.module != "urllib.parse" else set()
    return found


def test_the_package_imports_nothing_that_speaks_to_the_network():
    files = sorted((CHECKOUT / "src" / "jointrec").rglob("*.py"))
    assert files
    found = {
        file.name: (imports(file.read_text(encoding="utf-8")) & SPEAKERS)
        - (TO_DATABASES.get(file.name, set()) if file.parent.name == "sources" else set())
        for file in files
    }
    assert {file: names for file, names in found.items() if names} == {}


def test_an_import_inside_a_function_is_found():
    assert imports("def f():\n    from urllib.request import urlopen") & SPEAKERS == {"urllib"}
    assert imports("def f():\n    import psycopg.types") & SPEAKERS == {"psycopg"}
    assert imports("from urllib.parse import quote") & SPEAKERS == set()


def test_every_proof_that_is_named_is_there():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    assert len(named) == 10
    sources = "\n".join(
        file.read_text(encoding="utf-8") for file in (CHECKOUT / "tests").rglob("test_*.py")
    )
    assert {name for name in named if f"def {name}(" not in sources} == set()


def test_every_promise_names_a_proof():
    promises = PAGE[PAGE.index("## What is promised") : PAGE.index("## What is not promised")]
    told = re.split(r"^\d\. ", promises, flags=re.MULTILINE)[1:]
    assert len(told) == 7
    assert all("test_" in promise for promise in told)
