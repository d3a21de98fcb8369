"""The plan of the rooms: small folders, shallow imports, one name for one thing.

The import rules themselves stand in `pyproject.toml`, and `make lint` holds them.
"""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
MOST_MODULES = 25
MOST_LINES = 350
DEEPEST = 14


def modules() -> dict[str, Path]:
    """Name every module of `bot/` and `adapters/`."""
    paths = [path for top in ("bot", "adapters") for path in (ROOT / top).rglob("*.py")]
    return {name_of(path): path for path in paths}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports() -> dict[str, frozenset[str]]:
    """List which modules each module imports, for types only as well."""
    names = modules()
    return {name: frozenset(_imports(path, names)) - {name} for name, path in names.items()}


def _imports(path: Path, names: dict[str, Path]) -> set[str]:
    targets: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            targets |= (inner & names.keys()) or ({node.module} & names.keys())
        elif isinstance(node, ast.Import):
            targets |= {alias.name for alias in node.names} & names.keys()
    return targets


def circle() -> list[str]:
    """Return modules that import each other in a circle; empty where there is none."""
    remaining = dict(imports())
    while leaves := [name for name, below in remaining.items() if not below & remaining.keys()]:
        for name in leaves:
            del remaining[name]
    return sorted(remaining)


@cache
def chain(name: str) -> tuple[str, ...]:
    """Return the longest chain of imports from a module down."""
    return (name, *max(map(chain, sorted(imports()[name])), key=len, default=()))


def test_no_folder_holds_more_modules_than_a_reader_can_scan() -> None:
    folders = Counter(path.parent for path in modules().values() if path.name != "__init__.py")
    crowded = {str(path.relative_to(ROOT)): n for path, n in folders.items() if n > MOST_MODULES}
    assert not crowded


def test_no_module_is_longer_than_one_noun_needs() -> None:
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules().items()}
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_imports_are_never_circular() -> None:
    assert circle() == []


def test_imports_are_shallow() -> None:
    deepest = max(map(chain, modules()), key=len)
    assert len(deepest) <= DEEPEST, " -> ".join(deepest)


def test_no_two_classes_share_a_name() -> None:
    names = Counter(
        node.name
        for path in modules().values()
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert not [name for name, count in names.items() if count > 1]
