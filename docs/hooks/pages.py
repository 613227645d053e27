"""The pages that nobody writes by hand: the reference, one page per part of the package.

A new module, or a new name in a family's ``__all__``, is in the reference without a line here.
"""

import ast
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ORDER = (
    "index.md", "tour.md", "ideas", "how-to", "findings.md", "examples", "reference", "decisions",
    "log.md",
)  # fmt: skip


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add a page for every part of the package, then put all pages into the order of reading."""
    package = Path(config.config_file_path).parent / "src" / "jointrec"
    for page, text in reference(package).items():
        files.append(File.generated(config, page, content=text))
    return Files(sorted(files, key=_place))


def reference(package: Path) -> dict[str, str]:
    """The pages of the reference: those who use the package first meet what they declare with."""
    parts = {part.stem if part.is_file() else part.name: part for part in _parts(package)}
    lines = [f"- [`jointrec.{name}`]({name}.md): {_summary(part)}" for name, part in parts.items()]
    index = "# Reference\n\nMade from the docstrings in the code.\n\n" + "\n".join(lines) + "\n"
    pages = {
        f"reference/{name}.md": f"# jointrec.{name}\n\n::: jointrec.{name}\n" for name in parts
    }
    return {"reference/index.md": index, **pages}


def _parts(package: Path) -> list[Path]:
    """The modules and packages right below the package, without those that are only machinery."""
    modules = [path for path in package.glob("*.py") if not path.stem.startswith("_")]
    packages = [path.parent for path in package.glob("*/__init__.py")]
    return sorted([*modules, *packages], key=lambda path: path.stem)


def _summary(part: Path) -> str:
    """The first line of a part's docstring."""
    source = (part / "__init__.py" if part.is_dir() else part).read_text(encoding="utf-8")
    return (ast.get_docstring(ast.parse(source)) or "").split("\n")[0]


def _place(file: File) -> tuple[int, bool, str]:
    top = file.src_uri.split("/")[0]
    place = ORDER.index(top) if top in ORDER else len(ORDER)
    return place, not file.src_uri.endswith("index.md"), file.src_uri
