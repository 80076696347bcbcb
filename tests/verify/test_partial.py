"""Verifying a part: what was verified before, or is older than asked for, is not read again and must fit anyway."""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from receiver.errors import StoreRefused
from receiver.store.segment import catalog
from receiver.verify.checks import RecordedHead
from receiver.verify.memory import Memory
from receiver.verify.report import Change
from receiver.verify.verification import Question, Verified, verify
from tests.kit.attacks import edit, rebuild, sign_again
from tests.kit.events import NOW_US
from tests.kit.logs import make_log, open_log

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A log of two sealed segments and a live one."""
    make_log(tmp_path / "store", 2500)
    return tmp_path / "store"


def grow(folder: Path, count: int = 1200) -> None:
    async def run() -> None:
        async with open_log(folder) as log:
            await log.write(count)

    asyncio.run(run())


def again(folder: Path, first: Verified) -> Verified:
    """Verify with the memory of an earlier verification."""
    report = first.report
    memory = Question(
        folder, known=first.digests, known_size=report.size, known_root=report.root, processes=1,
    )  # fmt: skip
    return verify(memory)


def test_what_was_verified_is_not_read_again(folder: Path) -> None:
    # Only new segments and the live one; the head is tied to the one remembered.
    first = verify(Question(folder, processes=1))
    sealed = catalog(folder)[-2].last or 0
    second = again(folder, first)
    assert second.report.problems == []
    assert second.report.trusted == sealed + 1
    assert second.report.verified < first.report.verified
    grow(folder)
    third = again(folder, second)
    assert third.report.problems == []
    assert third.report.size > second.report.size
    assert third.report.trusted == sealed + 1
    assert again(folder, third).report.trusted > sealed + 1


def test_a_file_changed_since_is_read_again_and_found(folder: Path) -> None:
    # Its SHA-256 is not the one remembered: all of it is looked at.
    first = verify(Question(folder, processes=1))
    segment = catalog(folder)[0]
    edit(segment.path, "UPDATE event SET actor = 'mallory' WHERE seq = 700")
    report = again(folder, first).report
    assert {problem.where for problem in report.problems} >= {segment.path.name}
    assert any(problem.seq == 512 for problem in report.problems)


def test_a_log_that_does_not_go_on_from_what_was_seen_is_found(folder: Path, tmp_path: Path) -> None:
    # Rolled back; or rewritten with the key, every checkpoint in reach signed anew.
    shutil.copytree(folder, tmp_path / "yesterday")
    grow(folder, 300)
    first = verify(Question(folder, processes=1))
    report = again(tmp_path / "yesterday", first).report
    assert {problem.change for problem in report.problems} == {Change.ROLLED_BACK}
    edit(catalog(folder)[-1].path, "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT max(seq) - 5 FROM events)")
    sign_again(folder, rebuild(folder))
    assert verify(Question(folder, processes=1)).report.problems == []
    report = again(folder, first).report
    assert {problem.change for problem in report.problems} == {Change.RESIGNED}


def test_since_reads_only_what_is_newer(folder: Path) -> None:
    # Older segments are known by their digests and hashes; an altered one is found by them.
    second = catalog(folder)[1]
    since = NOW_US + second.first + 10
    report = verify(Question(folder, since=since, processes=1)).report
    assert report.problems == []
    assert report.trusted == second.first
    edit(catalog(folder)[0].path, "UPDATE event SET actor = 'mallory' WHERE seq = 700")
    report = verify(Question(folder, since=since, processes=1)).report
    assert {problem.where for problem in report.problems} == {catalog(folder)[0].path.name}


def test_recorded_heads_over_rows_that_are_not_read_are_said_to_be_passed_over(folder: Path) -> None:
    # A head in the middle of 256 cannot be computed then: a note, not silence; one that can be computed counts.
    second = catalog(folder)[1]
    inside = RecordedHead("Prometheus", 700, 1.0, 2.0)
    known = RecordedHead("Prometheus", 512, 1.0, 2.0)
    since = NOW_US + second.first + 10
    report = verify(Question(folder, recorded=(inside,), since=since, processes=1)).report
    assert report.problems == []
    assert (report.heads, any("1 of the heads" in note for note in report.notes)) == (0, True)
    for question in (Question(folder, recorded=(inside,)), Question(folder, recorded=(known,), since=since)):
        report = verify(question).report
        assert [(problem.change, report.heads) for problem in report.problems] == [(Change.RESIGNED, 1)]


def test_the_memory_is_of_one_set_of_keys(tmp_path: Path) -> None:
    # What was verified by other keys does not count; a damaged file is said to be, not believed.
    path = tmp_path / "state" / "verified.json"
    assert Memory.read(path, ["a"]) == Memory(["a"])
    Memory(["a"], 7, "00ff", {"0": "aa"}).write(path)
    assert Memory.read(path, ["a"]).digests == {0: b"\xaa"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert Memory.read(path, ["a", "b"]) == Memory(["a", "b"])
    for damage in ("", "[]", '{"keys": 1, "root": "x"}', '{"sealed": {"0": "zz"}}', '{"other": 1}'):
        path.write_text(damage)
        with pytest.raises(StoreRefused, match="remove it to begin anew"):
            Memory.read(path, ["a"])
