"""Whatever is changed is found and named: any byte of a sealed file, any value of a row or checkpoint, any drift.

Hypothesis chooses what; AUDIT_RECEIVER_CHANGES says how often (a nightly run: 2000).
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from receiver.event import COLUMNS, INTEGER_COLUMNS
from receiver.store.sealing import file_digest
from receiver.store.segment import catalog
from receiver.verify.report import Change
from receiver.verify.verification import Question, verify
from tests.kit.attacks import edit
from tests.kit.events import make_events
from tests.kit.logs import open_log
from tests.kit.stores import write

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from receiver.verify.report import Problem

CHANGES = int(os.environ.get("AUDIT_RECEIVER_CHANGES", "60"))
pytestmark = pytest.mark.timeout(600 + 3 * CHANGES)
TAIL = 40
"""Events that no checkpoint covers."""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of two sealed segments and a live one, the last events of which are not signed."""
    folder = tmp_path_factory.mktemp("original") / "store"

    async def make() -> None:
        async with open_log(folder, segment=300) as log:
            await log.write(400)
            await log.write(450, message="Zoë was here")
            await log.keeper.redact([(20, 21), (700, 700)], "request 1", "dpo")
            await log.settle()
            await log.keeper.sign()
            await log.store.append(make_events(TAIL, first=log.store.next_seq))
            shutil.copytree(folder, folder.with_name("copy"), ignore=shutil.ignore_patterns("lock"))

    asyncio.run(make())
    copy = folder.with_name("copy")
    report = verify(Question(copy, processes=1)).report
    assert (report.problems, report.tail, report.redacted) == ([], TAIL, 3)
    assert [segment.last is None for segment in catalog(copy)] == [False, False, True]
    return copy


@pytest.fixture(scope="module")
def store(original: Path) -> Path:
    """A copy to work on; each change is taken back."""
    return shutil.copytree(original, original.with_name("work"))


@contextmanager
def taken_back(original: Path, store: Path) -> Iterator[None]:
    """What is changed within is undone."""
    try:
        yield
    finally:
        for path in store.iterdir():
            path.unlink()
        for path in original.iterdir():
            shutil.copy2(path, store / path.name)


def problems(store: Path) -> list[Problem]:
    return verify(Question(store, processes=1)).report.problems


@settings(max_examples=CHANGES)
@given(which=st.integers(0, 1), where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_byte_of_a_sealed_file(original: Path, store: Path, which: int, where: float, flip: int) -> None:
    # Free pages, unused bytes, headers: the file is named.
    segment = catalog(store)[which]
    data = bytearray(segment.path.read_bytes())
    at = int(where * len(data))
    data[at] ^= flip
    segment.path.chmod(0o640)
    with taken_back(original, store):
        segment.path.write_bytes(data)
        found = problems(store)
    assert any(problem.where == segment.path.name for problem in found), found


def values(column: str) -> st.SearchStrategy[Any]:
    """What could stand in a column instead, of the right type, of another, or nothing."""
    proper = st.integers(-(2**60), 2**60) if column in INTEGER_COLUMNS else st.text(max_size=20)
    return st.none() | proper | st.binary(max_size=32) | st.floats(allow_nan=False)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, Any]:
    column = draw(st.sampled_from([name for name in COLUMNS if name != "seq"]))
    return column, draw(values(column))


def live_rows(store: Path) -> tuple[int, int]:
    """The first position of the live segment, and that after the last signed one."""
    live = catalog(store)[-1]
    with closing(sqlite3.connect(f"{live.path.as_uri()}?mode=ro", uri=True)) as connection:
        (end,) = connection.execute("SELECT max(seq) + 1 FROM events").fetchone()
    return live.first, end - TAIL


@settings(max_examples=CHANGES)
@given(place=st.floats(0, 1, exclude_max=True), change=edits())
def test_any_value_of_a_signed_row(original: Path, store: Path, place: float, change: tuple[str, Any]) -> None:
    # Of the live segment, by the sqlite3 tool: what `events` yields is what counts there.
    column, value = change
    live, (low, high) = catalog(store)[-1], live_rows(store)
    seq = low + int(place * (high - low))
    ask = f"SELECT {column}, typeof({column}) FROM events WHERE seq = ?"
    with taken_back(original, store):
        with closing(sqlite3.connect(live.path, isolation_level=None)) as connection:
            before = connection.execute(ask, (seq,)).fetchone()
            connection.execute(f"UPDATE events SET {column} = ? WHERE seq = ?", (value, seq))
            after = connection.execute(ask, (seq,)).fetchone()
        assume(before != after)
        found = problems(store)
    assert any(about(problem, seq) for problem in found), found


def about(problem: Problem, seq: int) -> bool:
    """Whether a problem names a range of positions, or one, that this is in."""
    named = re.match(r"events? (\d+)(?:–(\d+))?", problem.where)
    return named is not None and int(named[1]) <= seq <= int(named[2] or named[1])


@settings(max_examples=CHANGES // 3)
@given(data=st.data(), how=st.sampled_from(["delete", "insert", "swap"]))
def test_any_row_that_goes_comes_or_moves(original: Path, store: Path, data: st.DataObject, how: str) -> None:
    # Deleted: named by its position. Swapped, or something in its place: its 256.
    live, (low, high) = catalog(store)[-1], live_rows(store)
    one, other = sorted(data.draw(st.lists(st.integers(low, high - 1), min_size=2, max_size=2, unique=True)))
    columns, moves = ", ".join(COLUMNS[1:]), ((one, -1), (other, one), (-1, other))
    statements = {
        "delete": [f"DELETE FROM events WHERE seq = {one}"],
        "insert": [f"REPLACE INTO events SELECT {one}, {columns} FROM events WHERE seq = {other}"],
        "swap": [f"UPDATE events SET seq = {new} WHERE seq = {old}" for old, new in moves],
    }
    with taken_back(original, store):
        edit(live.path, *statements[how])
        found = problems(store)
    wanted = {Change.REMOVED} if how == "delete" else {Change.ALTERED, Change.REORDERED}
    assert {problem.change for problem in found} & wanted
    assert any(about(problem, one) for problem in found), found


@settings(max_examples=CHANGES)
@given(
    row=st.integers(0, 100), column=st.sampled_from(["root", "hashes", "note", "size"]),
    where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 127),
)  # fmt: skip
def test_any_byte_of_a_stored_checkpoint(
    original: Path, store: Path, row: int, column: str, where: float, flip: int
) -> None:
    # The note, and what stands beside it: the checkpoint is named.
    with taken_back(original, store):
        with closing(sqlite3.connect(store / "evidence.db", isolation_level=None)) as connection:
            stored = connection.execute("SELECT size, root, hashes, note FROM checkpoint ORDER BY size").fetchall()
            size, root, hashes, note = stored[row % len(stored)]
            found = {"root": root, "hashes": hashes, "note": note.encode(), "size": size}[column]
            new: Any = flip if isinstance(found, int) else flipped(found, int(where * len(found)), flip)
            if column == "note":
                new = new.decode("utf-8", "replace")
            assume(new != found)
            connection.execute(f"UPDATE OR REPLACE checkpoint SET {column} = ? WHERE size = ?", (new, size))
        report = verify(Question(store, processes=1)).report
    if column == "note" and _is_time(note, where):
        return  # the cosignature of the clock: another time is said, or none; the log's own signature stands
    assert any("checkpoint" in problem.where for problem in report.problems), report.problems


def flipped(data: bytes, at: int, flip: int) -> bytes:
    return data[:at] + bytes([data[at] ^ flip]) + data[at + 1 :]


def _is_time(note: str, where: float) -> bool:
    """Whether a place in a note is in the line of the time key, or what separates the lines."""
    data = note.encode()
    return int(where * len(data)) >= data.rindex("\n— ".encode())


# --- drift: files whose digest nobody has named yet ---


def settle(path: Path) -> None:
    """Let evidence.db say that the file as it is was just sealed."""
    digest, first = file_digest(path).hex(), int(path.name[:12])
    sql = f"UPDATE sealed SET sha256 = x'{digest}', announced = NULL WHERE first = {first}"
    edit(path.with_name("evidence.db"), sql)


@pytest.fixture
def unnamed(tmp_path: Path) -> Iterator[Path]:
    """A sealed segment of a store that was killed before its digest was named in the log."""
    write(tmp_path / "store", make_events(350), segment=300, batch=50)
    sealed = catalog(tmp_path / "store")[0].path
    settle(sealed)
    assert problems(sealed.parent) == []
    yield sealed
    settle(sealed)
    assert Change.INDEX in {problem.change for problem in problems(sealed.parent)}


def schema(path: Path, name: str, sql: str) -> None:
    """Rewrite what SQLite believes of an index."""
    edit(path, "PRAGMA writable_schema = ON", f"UPDATE sqlite_schema SET sql = '{sql}' WHERE name = '{name}'")


def test_drift_of_an_index(unnamed: Path) -> None:
    # An empty one finds nothing, and nobody would know.
    schema(unnamed, "event_actor", "CREATE INDEX event_actor ON event (actor) WHERE 0")
    edit(unnamed, "REINDEX event_actor")
    schema(unnamed, "event_actor", "CREATE INDEX event_actor ON event (actor) WHERE actor IS NOT NULL")


def test_drift_of_an_index_s_definition(unnamed: Path) -> None:
    # It is what it says, and says less than ours.
    edit(unnamed, "DROP INDEX event_actor", "CREATE INDEX event_actor ON event (actor) WHERE actor = 'user7'")


def test_drift_of_full_text(unnamed: Path) -> None:
    # A word taken out of the index: FTS5's own check against the content (rank 1) tells.
    row = "SELECT 'delete', seq, message FROM event WHERE seq = 7"
    edit(unnamed, f"INSERT INTO word (word, rowid, message) {row}")


def test_drift_of_statistics(unnamed: Path) -> None:
    # `stats` answers from them.
    edit(unnamed, "UPDATE kind SET events = events - 1 WHERE id = 1")


def test_drift_of_the_view(unnamed: Path) -> None:
    # Everybody reads through it.
    view = "CREATE VIEW events AS SELECT e.*, k.* FROM event e LEFT JOIN kind k ON k.id = e.kind"
    edit(unnamed, "DROP VIEW events", view)
