"""The shape of the code, held by a test: which room may know which, and how long a function may grow."""

from __future__ import annotations

import ast
import io
import tokenize
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent / "receiver"
FILES = sorted(ROOT.rglob("*.py"))

@cache
def parsed(path: Path) -> ast.Module:
    """Parse a module once for all tests."""
    return ast.parse(path.read_text())


GROUND = {"errors", "limits", "event", "counters", "event_json", "own_acts", "visible"}
MAY_IMPORT: dict[str, set[str]] = {
    **dict.fromkeys(GROUND, GROUND),
    "wire": GROUND,
    "normalize": GROUND | {"wire"},
    "evidence": {"errors", "limits", "event"},
    "store": GROUND | {"evidence"},
    "ingest": GROUND,
    "listen": GROUND | {"wire", "normalize", "ingest"},
    "metrics": GROUND,
    "config": GROUND,
    "web": GROUND | {"wire", "metrics", "config"},
    "notify": GROUND,
    "owner": GROUND,
    "control": GROUND,
    "doctor": GROUND | {"config", "control"},
    "export": GROUND,
    "journal": GROUND,
    "key_files": GROUND | {"evidence"},
    "care": GROUND | {"evidence", "store", "key_files", "control"},
    "app": GROUND | {"journal", "key_files", "care", "publish", "wire", "normalize", "evidence", "store", "ingest",
                     "listen", "metrics", "config", "web", "notify", "control"},
    "publish": GROUND | {"evidence"},
    "offline": GROUND | {"app", "care", "control", "store", "config", "owner"},
    "cli": GROUND | {"offline", "wire", "normalize", "evidence", "store", "listen", "config", "app", "control",
                     "doctor", "export", "journal", "key_files", "owner", "verify", "witness"},
    "witness": GROUND | {"evidence", "key_files", "web", "notify"},
    "verify": GROUND | {"evidence", "store", "key_files"},
}
"""Room → rooms it may import. Store, ingest and metrics do not know each other: `app` joins them."""

PURE = {"asyncio", "socket", "select", "ssl", "time", "os", "pathlib", "logging", "threading", "subprocess",
        "sqlite3", "aiosqlite", "prometheus_client", "pydantic", "uvloop"}  # fmt: skip
FORBIDDEN: dict[str, set[str]] = {
    "wire": PURE,
    "event": PURE,
    "errors": PURE,
    "limits": PURE,
    "counters": PURE,
    "event_json": PURE,
    "own_acts": PURE,
    "visible": PURE,
    "export": PURE,
    "evidence": PURE,
    "normalize": PURE - {"pydantic", "pathlib"},
    "store": {"socket", "prometheus_client", "pydantic"},
    "ingest": {"socket", "sqlite3", "aiosqlite", "prometheus_client", "pydantic"},
    "listen": {"sqlite3", "aiosqlite", "prometheus_client", "yaml"},
    "metrics": {"socket", "sqlite3", "aiosqlite", "asyncio"},
    "config": {"socket", "sqlite3", "aiosqlite", "asyncio", "prometheus_client"},
    "web": {"sqlite3", "aiosqlite"},
    "care": {"socket", "sqlite3", "aiosqlite", "prometheus_client", "pydantic", "yaml"},
    "app": {"sqlite3", "aiosqlite", "yaml"},
    "cli": {"aiosqlite", "prometheus_client"},
}
BAD_NAMES = {"utils", "helpers", "base", "common", "misc", "util", "helper"}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[0]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(tree: ast.AST, *, everywhere: bool) -> Iterator[str]:
    """Dotted names imported; `everywhere` includes those inside functions and under TYPE_CHECKING."""
    nodes = ast.walk(tree) if everywhere else iter(getattr(tree, "body", []))
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide which room is meant"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_knows_only_rooms_above_it(path: Path) -> None:
    # One direction, no way back: type-only imports count too.
    room = room_of(path)
    if room in {"__init__", "__main__"}:
        return
    for name in imports_of(parsed(path), everywhere=True):
        parts = name.split(".")
        if parts[0] == "receiver" and len(parts) > 1 and parts[1] not in {room, "__version__"}:
            assert parts[1] in MAY_IMPORT[room], f"{room} must not import {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_stays_away_from_what_is_not_its_business(path: Path) -> None:
    # A parser that logs or a listener that knows SQLite is a fault of place.
    room = room_of(path)
    for name in imports_of(parsed(path), everywhere=True):
        assert name.split(".")[0] not in FORBIDDEN.get(room, set()), f"{room} must not import {name}"


def test_no_import_cycle() -> None:
    # A cycle means that two files are one thing, or that one of them is in the wrong place.
    graph = {module_of(p): set(imports_of(parsed(p), everywhere=False)) for p in FILES}
    graph = {name: {n for n in names if n in graph and n != name} for name, names in graph.items()}
    done: set[str] = set()

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " → ".join((*above, name))
        if name not in done:
            for following in graph[name]:
                if not name.startswith(f"{following}."):
                    visit(following, (*above, name))
            done.add(name)

    for name in graph:
        visit(name, ())


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_only_the_command_line_prints_and_names_say_something(path: Path) -> None:
    # A library that prints writes into somebody's protocol.
    assert path.stem not in BAD_NAMES
    if room_of(path) != "cli":
        calls = [n for n in ast.walk(parsed(path)) if isinstance(n, ast.Call)]
        assert not [n for n in calls if isinstance(n.func, ast.Name) and n.func.id == "print"]


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Functions at module or class level; inner ones count as part of what is around them."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
        elif isinstance(node, ast.ClassDef | ast.If | ast.Try):
            yield from functions(node)


def code_lines(source: str, tree: ast.AST) -> set[int]:
    """Lines that carry a token, less docstrings, blanks and comments."""
    quiet = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in quiet:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def deepest(node: ast.AST, depth: int = 0) -> int:
    """How many blocks lie above the deepest statement; `elif` does not go deeper."""
    blocks = ast.If | ast.For | ast.AsyncFor | ast.While | ast.Try | ast.With | ast.AsyncWith | ast.Match
    worst = depth
    for child in ast.iter_child_nodes(node):
        is_elif = isinstance(node, ast.If) and node.orelse == [child] and isinstance(child, ast.If)
        worst = max(worst, deepest(child, depth + (isinstance(child, blocks) and not is_elif)))
    return worst


def measured() -> list[tuple[int, int, str]]:
    found = []
    for path in FILES:
        source = path.read_text()
        tree = ast.parse(source)
        lines = code_lines(source, tree)
        for function in functions(tree):
            first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
            length = len(lines & set(range(first, (function.end_lineno or first) + 1)))
            found.append((length, deepest(function), f"{path.relative_to(ROOT)}:{function.lineno} {function.name}"))
    return found


def test_functions_stay_short_and_flat() -> None:
    # What separates loved code from merely used code is function length and nesting.
    found = measured()
    assert [f for f in found if f[0] > 60] == []
    assert [f for f in found if f[1] > 4] == []
    lengths = sorted(f[0] for f in found)
    assert lengths[len(lengths) * 9 // 10] <= 25


def test_the_top_level_holds_nothing_else() -> None:
    # Fixed by the project: five names, and hidden files.
    allowed = {"pyproject.toml", "README.md", "config.example.yaml", "receiver", "tests", "systemd"}
    made = {"build", "dist", "audit-store", "keys", "audit_receiver.egg-info"}  # by pip and the README's first command
    names = {p.name for p in ROOT.parent.iterdir() if not p.name.startswith(".")}
    assert names - made <= allowed
