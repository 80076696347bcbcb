"""Copies of a store: what is copied when, what is refused, and that a copy is of one moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from receiver.errors import StoreBusy, StoreCorrupt, StoreRefused
from receiver.store import backup
from receiver.store.backup import back_up, put_back
from receiver.store.segment import catalog
from receiver.verify.verification import Question, verify
from tests.kit.logs import make_log, open_log
from tests.kit.stores import files, read

if TYPE_CHECKING:
    from pathlib import Path


def databases(folder: Path) -> dict[str, int]:
    """The inode of each database: it tells which were written anew."""
    return {path.name: path.stat().st_ino for path in folder.glob("*.db")}


def with_last_byte_changed(path: Path) -> bytes:
    """Whatever it is: a byte of its own choice would be there already once in 256 times."""
    content = path.read_bytes()
    return content[:-1] + bytes([content[-1] ^ 1])


async def test_sealed_segments_are_copied_once_and_again_when_rewritten(tmp_path: Path) -> None:
    # Beside the open store; by digest, so a name alone means nothing; what the store has no more goes from the copy.
    folder, copy = tmp_path / "store", tmp_path / "copy"
    async with open_log(folder, segment=300) as log:
        await log.write(700)
        back_up(folder, copy)
        first = databases(copy)
        assert set(first) == set(databases(folder))
        assert verify(Question(copy, processes=1)).report.problems == []
        await log.write(300)
        done = back_up(folder, copy)
        second = databases(copy)
        sealed = [segment.path.name for segment in catalog(folder) if segment.last is not None]
        assert {name for name in first if first[name] == second.get(name)} == set(sealed[:2])
        assert (done.copied, done.kept) == (len(second) - 2, 2)
        await log.keeper.redact([(5, 5)], "request 1", "dpo")
        await log.settle()
        back_up(folder, copy)
        third = databases(copy)
        assert (third[sealed[0]] == second[sealed[0]], third[sealed[1]] == second[sealed[1]]) == (False, True)
        damaged = copy / sealed[1]
        damaged.chmod(0o640)
        damaged.write_bytes(with_last_byte_changed(damaged))
        back_up(folder, copy)
        assert damaged.read_bytes() == (folder / sealed[1]).read_bytes()
    assert verify(Question(copy, processes=1)).report.problems == []
    assert [row.seq for row in read(copy)] == [row.seq for row in read(folder)][: len(read(copy))]
    assert not [name for name in files(copy) if not name.endswith(".db")]


async def test_a_copy_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Redacted while it was being copied: a row that is erased in the copy is named and signed there, too.
    folder, copy = tmp_path / "store", tmp_path / "copy"
    async with open_log(folder) as log:
        await log.write(300)
        moments = [(5, 5), (7, 7)]
        copy_database = backup._copy_database

        def copy_while_redacting(source: Path, target: Path) -> int:
            done = copy_database(source, target)
            if source.name == "evidence.db" and moments:
                ranges = [moments.pop()]
                log.store.evidence.intend_redaction(ranges, "meanwhile", "dpo")
            return done

        monkeypatch.setattr(backup, "_copy_database", copy_while_redacting)
        back_up(folder, copy)
        assert moments == []
        assert backup._said(copy) == backup._said(folder)
        moments += [(9, 9)] * 50
        with pytest.raises(StoreBusy, match="keep changing"):
            back_up(folder, copy)


def test_what_is_no_place_for_a_backup_is_refused(tmp_path: Path) -> None:
    # Inside the store, or where something else is.
    make_log(tmp_path / "store", 10)
    for target in (tmp_path / "store", tmp_path / "store" / "copy"):
        with pytest.raises(StoreRefused, match="outside of the store"):
            back_up(tmp_path / "store", target)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").write_text("dear")
    with pytest.raises(StoreRefused, match="neither empty nor a backup"):
        back_up(tmp_path / "store", tmp_path / "other")
    with pytest.raises(StoreRefused, match="there is something here"):
        put_back(tmp_path / "store", tmp_path / "other")
    assert files(tmp_path / "other") == ["letter"]


def test_a_disk_that_does_not_keep_what_is_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The copy is read back before it takes its name.
    make_log(tmp_path / "store", 700, 300)

    def lose(source: Path, target: Path) -> None:
        target.write_bytes(with_last_byte_changed(source))

    monkeypatch.setattr(backup.shutil, "copyfile", lose)
    with pytest.raises(StoreCorrupt, match="cannot be trusted"):
        back_up(tmp_path / "store", tmp_path / "copy")
    assert not [name for name in files(tmp_path / "copy") if name[0].isdigit()]
