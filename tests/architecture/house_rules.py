"""Detectors of the house rules: each takes source text and gives what it found, a line each.

They look at the syntax tree, not at words, so a docstring may say "no pickle".
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterator
from functools import cache
from itertools import pairwise

LINES_AT_MOST = 400
LATE_IMPORTS_ALLOWED = (
    "cli", "demo", "sources", "evaluation/baselines", "functional/compiled",
)  # fmt: skip
PRINTING_ALLOWED = ("cli", "demo")

# Modules whose loaders run code that a file names.
CODE_LOADERS = {"pickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
FORBIDDEN = {
    "eval",
    "exec",
    "__import__",
    "torch.load",
    "torch.save",
    "yaml.load",
    "yaml.unsafe_load",
    "os.system",
    "torch.distributed.checkpoint",
}
# A bare number or word is a machine's own folder only where a path starts, not inside a URL.
_MACHINE_PATH = re.compile(r"(?<![\w.:/~}*\-])/(?:work|root|home|tmp|Users|opt|mnt)/[\w.]")
_UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")


_parsed = cache(ast.parse)
"""A file as a tree, which several rules walk and none changes."""


def _name(node: ast.expr) -> str:
    """`torch.load` for the expression torch.load, and nothing for what is no dotted name."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _modules_of(node: ast.AST) -> list[str]:
    """The modules that an import statement names, and no others."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
    return []


def forbidden(source: str, *, may_print: bool = False) -> list[str]:
    """Code run from text or from a file, silent excepts, unfinished pieces, stray printing.

    >>> forbidden("import pickle")
    ['line 1: imports pickle']
    """
    return [f"line {line}: {what}" for line, what in sorted(_forbidden(source, may_print))]


def _forbidden(source: str, may_print: bool) -> Iterator[tuple[int, str]]:
    for node in ast.walk(_parsed(source)):
        for module in _modules_of(node):
            if module.split(".")[0] in CODE_LOADERS or module in FORBIDDEN:
                yield node.lineno, f"imports {module}"
        if isinstance(node, ast.Call):
            called = _name(node.func)
            if called in FORBIDDEN or (called == "print" and not may_print):
                yield node.lineno, f"calls {called}("
            if any(keyword.arg == "allow_pickle" for keyword in node.keywords):
                yield node.lineno, "passes allow_pickle"
        elif isinstance(node, ast.ExceptHandler) and node.type is None:
            yield node.lineno, "bare except"
        elif isinstance(node, ast.Name) and node.id == "NotImplementedError":
            yield node.lineno, "NotImplementedError"
    if not _UNFINISHED.search(source):  # to take a file apart into tokens takes long
        return
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            for word in _UNFINISHED.findall(token.string):
                yield token.start[0], word


def late_imports(source: str) -> list[str]:
    """Imports inside functions, which hide what a module needs until it is too late.

    >>> late_imports("def f():\\n    import numpy")
    ['line 2: import numpy']
    """
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    return sorted(
        {
            f"line {inner.lineno}: {ast.unparse(inner)}"
            for outer in ast.walk(_parsed(source))
            if isinstance(outer, functions)
            for inner in ast.walk(outer)
            if isinstance(inner, ast.Import | ast.ImportFrom)
        }
    )


def imports_of_the_top(source: str, *, parts: Collection[str] = ()) -> list[str]:
    """Imports of names from the package itself, which would go up through every layer at once.

    Its parts may be imported by name: where they stand is for the layers to say.

    >>> imports_of_the_top("from jointrec import fit")
    ['line 1: from jointrec import fit']
    """
    found = []
    for node in ast.walk(_parsed(source)):
        plain = isinstance(node, ast.Import) and any(a.name == "jointrec" for a in node.names)
        named = (
            isinstance(node, ast.ImportFrom)
            and (node.module, node.level) == ("jointrec", 0)
            and not {alias.name for alias in node.names} <= set(parts)
        )
        if plain or named:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


def documented_values(source: str) -> set[str]:
    """Names given a value at module level with a string right below that says what they are.

    >>> documented_values("A = 1\\n'What A is.'\\nB = 2")
    {'A'}
    """
    body = _parsed(source).body
    names: set[str] = set()
    for statement, below in pairwise(body):
        is_text = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
        if not (is_text and isinstance(below.value.value, str)):
            continue
        if isinstance(statement, ast.Assign):
            names |= {target.id for target in statement.targets if isinstance(target, ast.Name)}
        elif isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            names.add(statement.target.id)
    return names


def machine_paths(text: str) -> list[str]:
    """Absolute paths of one person's machine, which mean nothing on another.

    >>> machine_paths("see ../data")
    []
    """
    return [
        f"line {number}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), 1)
        if _MACHINE_PATH.search(line)
    ]


def too_long(source: str, *, at_most: int = LINES_AT_MOST) -> list[str]:
    """More lines than a reader finishes in one go.

    >>> too_long("a = 1\\nb = 2", at_most=1)
    ['2 lines, at most 1']
    """
    number = len(source.splitlines())
    return [f"{number} lines, at most {at_most}"] if number > at_most else []
