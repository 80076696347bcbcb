"""Sealed files are compared with their digests while the log goes on: one bit is enough, and what we do is no alarm."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
import threading
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from receiver import limits
from receiver.care import file_watch
from receiver.care.file_watch import FileWatch
from receiver.store.filter import Filter
from receiver.store.segment import catalog
from tests.kit.logs import Log, open_log
from tests.kit.stores import read
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every file have several pieces."""
    monkeypatch.setattr(limits, "FILE_PIECE_BYTES", 16 * limits.KIB)
    monkeypatch.setattr(limits, "FILE_REST", 0.0)


def sealed_files(folder: Path) -> list[Path]:
    return [segment.path for segment in catalog(folder) if segment.last is not None]


def watch(log: Log) -> FileWatch:
    return FileWatch(log.store.folder, log.store.evidence)


def flip(path: Path, at: int) -> None:
    """Change one bit of a file that is read-only."""
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


@pytest.mark.parametrize("place", [0, 1, 2])
async def test_one_bit_raises_the_alarm(tmp_path: Path, place: int, caplog: pytest.LogCaptureFixture) -> None:
    # In any sealed file, in its last byte: nothing is signed any more, events are taken, and the log says which file.
    async with open_log(tmp_path / "store", segment=100) as log:
        await log.write(350)
        files = sealed_files(log.store.folder)
        await log.keeper.compare_files()
        assert log.checkpointer.alarm is None
        flip(files[place], -1)
        await log.keeper.compare_files()
        await log.keeper.compare_files()
        assert log.keeper.counters.alarm
        await log.write(5)
        signed = len(log.signed)
        assert await log.keeper.sign() is None
        assert len(log.signed) == signed
    (alert,) = [row for row in read(tmp_path / "store") if row.action == "detect.alert"]
    assert (alert.outcome, alert.message) == ("failure", "a sealed file is not what was sealed")
    assert files[place].name in alert.reason
    assert files[place].name in caplog.text


async def test_a_file_that_is_gone_is_missed(tmp_path: Path) -> None:
    # Retention names what it removes before.
    async with open_log(tmp_path / "store", segment=100) as log:
        await log.write(250)
        file = sealed_files(log.store.folder)[0]
        file.rename(tmp_path / "elsewhere")
        assert "is gone" in ((await watch(log).look()).problem or "")
        (tmp_path / "elsewhere").rename(file)
        assert (await watch(log).look()).problem is None


async def test_a_digest_altered_with_its_file_does_not_fit_the_log(tmp_path: Path) -> None:
    # Who can write the store can write evidence.db.
    async with open_log(tmp_path / "store", segment=100) as log:
        await log.write(250)
        file = sealed_files(log.store.folder)[0]
        flip(file, -1)
        digest = hashlib.sha256(file.read_bytes()).digest()
        with closing(sqlite3.connect(log.store.folder / "evidence.db")) as connection, connection:
            connection.execute("UPDATE sealed SET sha256 = ? WHERE first = 0", (digest,))
        assert "of the log says" in ((await watch(log).look()).problem or "")


async def test_what_redaction_replaces_meanwhile_is_no_alarm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The file is another one in the middle of its reading: it is read again.
    async with open_log(tmp_path / "store", segment=100) as log:
        await log.write(350)
        read_piece, redacting, redacted = file_watch._read_piece, asyncio.Event(), threading.Event()
        loop = asyncio.get_running_loop()

        def slowly(path: Path, at: int, digest: hashlib._Hash) -> int:
            if at:
                loop.call_soon_threadsafe(redacting.set)
                redacted.wait(PATIENCE_SECONDS)
            return read_piece(path, at, digest)

        monkeypatch.setattr(file_watch, "_read_piece", slowly)
        looking = asyncio.create_task(watch(log).look())
        await redacting.wait()
        assert (await log.keeper.redact(Filter(actor="user250"), "request", "dpo"))["events"] == 1
        redacted.set()
        compared = await looking
    assert compared.problem is None
    assert compared.files == 3


async def test_a_stop_does_not_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Whatever is left to read: it rests most of the time, and begins anew at the next start.
    monkeypatch.setattr(limits, "FILE_REST", 1e9)
    async with open_log(tmp_path / "store", segment=100) as log:
        await log.write(150)
        running = asyncio.create_task(log.keeper.run())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait({running}, timeout=10)
        assert running.cancelled()
