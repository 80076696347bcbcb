"""What SQLite's errors mean for the caller, and what the operator reads."""

from __future__ import annotations

import os
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

import pytest

from receiver.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from receiver.store.segment import store_error

if TYPE_CHECKING:
    from pathlib import Path


class Case(NamedTuple):
    id: str
    name: str
    expected: type[StoreError]
    told: str


CASES = [
    Case("full", "SQLITE_FULL", StoreFull, "m"),
    Case("write-failed", "SQLITE_IOERR_WRITE", StoreFull, "m (SQLITE_IOERR_WRITE)"),
    Case("fsync-failed", "SQLITE_IOERR_FSYNC", StoreFull, "m (SQLITE_IOERR_FSYNC)"),
    Case("no-descriptor", "SQLITE_CANTOPEN", StoreFull, "m"),
    Case("locked", "SQLITE_BUSY", StoreBusy, "m"),
    Case("malformed", "SQLITE_CORRUPT", StoreCorrupt, "m"),
    Case("no-database", "SQLITE_NOTADB", StoreCorrupt, "m"),
]


def failure(name: str) -> sqlite3.Error:
    error = sqlite3.OperationalError("m")
    error.sqlite_errorcode = getattr(sqlite3, name)
    error.sqlite_errorname = name
    return error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_an_error_says_what_to_do_and_which_call_it_was(case: Case, tmp_path: Path) -> None:
    # A disk that refuses is waited for, whatever it says; a file that is not ours is not.
    path = tmp_path / "a.db"
    found = store_error(failure(case.name), path)
    assert type(found) is case.expected
    assert str(found) == f"{path}: {case.told}"


def test_a_read_only_filesystem_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The kernel makes it so after an error of the disk; SQLite says "disk I/O error" only.
    class Disk:
        f_flag = os.ST_RDONLY

    monkeypatch.setattr(os, "statvfs", lambda path: Disk)
    text = str(store_error(failure("SQLITE_IOERR_WRITE"), tmp_path / "a.db"))
    assert text.endswith("(SQLITE_IOERR_WRITE; the filesystem is read-only)")
    monkeypatch.undo()
    text = str(store_error(failure("SQLITE_CANTOPEN"), tmp_path / "gone" / "a.db"))
    assert text.endswith("(No such file or directory)")
