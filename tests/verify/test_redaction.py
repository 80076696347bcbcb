"""Erasing for good: nothing is left in any byte of the store, and every proof holds."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.errors import StoreRefused
from receiver.evidence.proof import verify_proof
from receiver.key_files import KeyFolder
from receiver.store.filter import Filter
from receiver.store.segment import catalog, live_path
from receiver.verify.proving import prove_event
from receiver.verify.verification import Question, verify
from tests.kit.events import make_event
from tests.kit.logs import open_log
from tests.kit.stores import content_of, read

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "zorglub-the-unmentionable"


def secretive(number: int) -> dict[str, object]:
    """An event that has the name wherever a name can stand."""
    return {
        "actor": SECRET, "actor_as": SECRET, "host": SECRET, "app": SECRET, "target": f"user:{SECRET}",
        "reason": SECRET, "msgid": SECRET,
        "message": f"{number} {SECRET} " + "x" * (number % 3 * 5000) + f" {SECRET} Zoë", "session": SECRET,
        "data": f'{{"name":"{SECRET}"}}', "raw": SECRET.encode(), "peer_identity": SECRET, "pid": SECRET,
    }  # fmt: skip


def where_is(folder: Path, text: str) -> list[str]:
    """The files of the store in which a text can be found, byte by byte."""
    forms = [text.encode(), text.encode("utf-16-le"), text.split("-", maxsplit=1)[0].encode()]
    return [name for name, content in content_of(folder).items() if any(form in content for form in forms)]


def check(folder: Path) -> None:
    """It verifies, and an event beside the redacted ones is still provable."""
    report = verify(Question(folder, processes=1)).report
    assert report.problems == []


@settings(max_examples=12, deadline=None)
@given(places=st.sets(st.integers(0, 1500), min_size=1, max_size=8), batch=st.integers(1, 400))
def test_nothing_is_left_in_any_byte(
    tmp_path_factory: pytest.TempPathFactory, places: set[int], batch: int
) -> None:
    # Rows of a sealed segment, of the live one, long and short, in every column; by name, while others are written.
    folder = tmp_path_factory.mktemp("log") / "store"

    async def run() -> int:
        async with open_log(folder, segment=1000) as log:
            events = [make_event(n, **(secretive(n) if n in places else {})) for n in range(1501)]
            await log.append(events, batch)
            assert where_is(folder, SECRET)
            await log.keeper.note("log.query", {"asked": {"actor": SECRET}}, "reviewer")
            answer = await log.keeper.redact(Filter(actor=SECRET), "request 7", "dpo")
            assert answer["pending"] is False
            assert where_is(folder, SECRET) == []
            await log.write(50)
            return int(answer["events"])

    assert asyncio.run(run()) == len(places) + 1  # the query that named it went with them
    assert where_is(folder, SECRET) == []
    check(folder)
    gone = [row for row in read(folder) if row.commitment is not None]
    assert len(gone) == len(places) + 1
    assert all(value is None for row in gone for value in row[2:-1])


async def test_a_redacted_event_stays_provable(tmp_path: Path) -> None:
    # Its place and time are shown; its content is not.
    async with open_log(tmp_path / "store") as log:
        await log.write(1200)
        await log.keeper.redact([(5, 5), (1100, 1101)], "request 8", "dpo")
        keys = [log.checkpointer.keys.log.verifier]
        for seq in (5, 1100):
            proven = verify_proof(prove_event(tmp_path / "store", seq), keys)
            assert (proven.seq, proven.event) == (seq, None)
        proven = verify_proof(prove_event(tmp_path / "store", 6), keys)
        assert proven.event is not None
        assert proven.event.actor == "user6"


async def test_a_reader_delays_and_does_not_prevent_it(tmp_path: Path) -> None:
    # A snapshot keeps old pages in the write-ahead log: said to be pending, done when the reader is gone.
    folder = tmp_path / "store"
    async with open_log(folder) as log:
        await log.write(10)
        await log.append([make_event(10, actor=SECRET)])
        with closing(sqlite3.connect(live_path(folder, 0), isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM events").fetchone()
            named, done = await log.keeper._redact([(11, 11)], "request 9", "dpo", 0)
            assert not done
            assert where_is(folder, SECRET)
        assert log.keeper.counters.redactions_pending == 1
        await log.keeper.turn()
        assert log.keeper.counters.redactions_pending == 0
        assert where_is(folder, SECRET) == []
        assert named > 0
    check(folder)


@pytest.mark.parametrize("step", ["intended", "named"])
async def test_a_crash_in_between_is_finished_at_the_next_start(tmp_path: Path, step: str) -> None:
    # Intention, event, act: after each, the next start goes on.
    folder = tmp_path / "store"
    async with open_log(folder, segment=100) as log:
        await log.append([make_event(n, actor=SECRET if n in {7, 180} else "alice") for n in range(190)])
        log.store.evidence.intend_redaction([(8, 8), (181, 181)], "request 10", "dpo")
        if step == "named":
            await log.keeper._name_redactions()
    assert where_is(folder, SECRET)
    async with open_log(folder, segment=100) as log:
        await log.keeper.turn()
        assert where_is(folder, SECRET) == []
    check(folder)
    named = [row for row in read(folder) if row.action == "log.redact"]
    assert [row.reason for row in named] == ["request 10"]


async def test_a_segment_that_waits_to_be_sealed_forgets_by_being_sealed(tmp_path: Path) -> None:
    # What is intended is left out when the sealed form is written.
    folder = tmp_path / "store"
    async with open_log(folder) as log:
        await log.append([make_event(n, actor=SECRET if n == 50 else "alice") for n in range(100)])
        log.store.evidence.intend_redaction([(51, 51)], "request 11", "dpo")
        log.store.rotate_soon()
        await log.write(5)
        await log.keeper.turn()
        assert where_is(folder, SECRET) == []
        assert log.store.evidence.redactions(undone=True) == []
    check(folder)


async def test_what_cannot_be_redacted_is_refused_with_its_reason(tmp_path: Path) -> None:
    # And nothing is done then.
    folder = tmp_path / "store"
    async with open_log(folder, segment=100) as log:
        await log.write(250)
        rotation = next(row.seq for row in read(folder) if row.action == "log.rotate")
        end = log.store.next_seq
        for ranges, why in (
            ([(end, end)], "there is no event"),
            ([(-1, 3)], "there is no event"),
            ([(rotation, rotation)], "proofs need it"),
        ):
            with pytest.raises(StoreRefused, match=why):
                await log.keeper.redact(ranges, "x", "dpo")
        number = await log.keeper.add_hold(Filter(actor="user7"), "case 1", "counsel")
        with pytest.raises(StoreRefused, match=f"event 7 is kept by legal hold {number}"):
            await log.keeper.redact([(0, 20)], "x", "dpo")
        assert log.store.evidence.redactions() == []
        await log.keeper.remove_hold(number, "counsel")
        assert (await log.keeper.redact([(7, 7)], "x", "dpo"))["events"] == 1
        assert (await log.keeper.redact([(7, 7)], "x", "dpo"))["events"] == 0  # it is gone already
        with pytest.raises(StoreRefused, match="there is no hold"):
            await log.keeper.remove_hold(number, "counsel")
        removal = max(row.seq for row in read(folder) if row.message == "legal hold removed")
        with pytest.raises(StoreRefused, match="no longer held: proofs need it"):
            await log.keeper.redact([(removal, removal)], "x", "dpo")
    check(folder)


async def test_what_names_somebody_goes_in_any_case_and_holds_that_are_over_too(tmp_path: Path) -> None:
    # Whoever looked for ALICE named her; a hold in force needs its entry, one that is over does not.
    folder = tmp_path / "store"
    async with open_log(folder, segment=100) as log:
        await log.append([make_event(n, **(secretive(n) if n == 3 else {})) for n in range(150)])
        over = await log.keeper.add_hold(Filter(actor=SECRET, since=5), f"case of {SECRET}", "counsel")
        await log.keeper.note("log.query", {"asked": {"actor": SECRET.upper(), "command": "query"}}, "reviewer")
        await log.keeper.note("log.export", {"asked": {"contains": f'by "{SECRET}"'}}, "reviewer")
        await log.keeper.note("log.query", {"asked": {"actor": "somebody else"}}, "reviewer")
        await log.keeper.remove_hold(over, "counsel")
        kept = await log.keeper.add_hold(Filter(actor=f"not {SECRET}"), "case 18", "counsel")
        assert (await log.keeper.redact(Filter(actor=SECRET), "request 7", "dpo"))["events"] == 4
        left = [row for row in read(folder) if SECRET in f"{row.data}{row.reason}".lower()]
        assert [row.message for row in left] == ["legal hold added"]
        check(folder)
        await log.keeper.remove_hold(kept, "counsel")
        assert (await log.keeper.redact(Filter(actor=SECRET), "request 7", "dpo"))["events"] == 1
        assert where_is(folder, SECRET) == where_is(folder, SECRET.upper()) == []
    check(folder)
    assert [row.data for row in read(folder) if row.action == "log.query"] == ['{"asked":{"actor":"somebody else"}}']


async def test_what_was_redacted_is_remembered_outside_of_the_store(tmp_path: Path) -> None:
    # For a backup that is older.
    async with open_log(tmp_path / "store") as log:
        await log.write(20)
        await log.keeper.redact([(3, 4)], "request 12", "dpo")
    keys = KeyFolder(tmp_path / "keys", tmp_path / "store")
    assert keys.noted_redactions() == [([(3, 4)], "request 12")]


async def test_full_text_and_dictionary_forget_too(tmp_path: Path) -> None:
    # A search for the word finds nothing, and FTS5's own check against the rows is content.
    folder = tmp_path / "store"
    async with open_log(folder, segment=100) as log:
        await log.append([make_event(n, message=f"hello {SECRET}" if n == 5 else "hello") for n in range(150)])
        await log.keeper.redact([(6, 6)], "request 13", "dpo")
    sealed = catalog(folder)[0].path
    with closing(sqlite3.connect(f"{sealed.as_uri()}?mode=ro", uri=True)) as connection:
        assert connection.execute("SELECT count(*) FROM word WHERE word MATCH 'zorglub'").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM word WHERE word MATCH 'hello'").fetchone()[0] > 90
    check(folder)
