"""Copies of a store: taken beside a running receiver, compared by digest rather than by name, and put back.

Knows the folder, its segments and `evidence.db`. A sealed file is copied once, and again when it was rewritten
(something was redacted in it); live segments are copied by SQLite's backup API; what the store no longer has goes from
the copy, too. `evidence.db` is copied before the live segments, so that no checkpoint in the copy is over events that
are not in it; when the store was sealed, redacted or pruned meanwhile, what changed is copied once more, until all of
it is of one moment. A digest is computed once for each file as it is, so looking again costs little.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver.errors import StoreBusy, StoreCorrupt, StoreRefused
from receiver.store.evidence_file import FILE_NAME, EvidenceFile
from receiver.store.sealing import file_digest
from receiver.store.segment import (
    FOLDER_MODE,
    LIVE_MODE,
    SEALED_MODE,
    catalog,
    close_live,
    open_read_only,
    side_files,
    store_error,
    sync_folder,
)

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.store.segment import Segment

_TRIES: Final = 5
_NEW: Final = ".new"


class Copied(NamedTuple):
    """What a backup did: files copied, files that were there already, and bytes written."""

    copied: int
    kept: int
    size_bytes: int


def back_up(folder: Path, target: Path) -> Copied:
    """Bring a copy up to date, or make it. Raises StoreRefused, StoreBusy, StoreCorrupt or OSError."""
    if target.resolve() == folder.resolve() or folder.resolve() in target.resolve().parents:
        raise StoreRefused(f"{target}: a backup belongs outside of the store")
    if target.exists() and any(target.iterdir()) and not (target / FILE_NAME).exists():
        raise StoreRefused(f"{target}: is neither empty nor a backup")
    target.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    if not (target / FILE_NAME).exists():
        _copy_database(folder / FILE_NAME, target)  # from now on it is a backup, if not a whole one
    digests: _Digests = {}
    written: dict[str, int] = {}
    for _ in range(_TRIES):
        segments = catalog(folder)
        try:
            # The long part first: what is sealed is as good as immutable.
            for segment in [found for found in segments if found.last is not None]:
                written[segment.path.name] = written.get(segment.path.name, 0) + _copy_sealed(segment, target, digests)
            written[FILE_NAME] = _copy_database(folder / FILE_NAME, target)
            for segment in [found for found in segments if found.last is None]:
                written[segment.path.name] = _copy_database(segment.path, target)
        except FileNotFoundError:
            continue  # sealed, rewritten or removed meanwhile: look again
        if catalog(folder) == segments and _said(folder) == _said(target):
            _drop_others(target, segments)
            sync_folder(target)
            fresh = [size for size in written.values() if size]
            return Copied(len(fresh), len(written) - len(fresh), sum(fresh))
    raise StoreBusy(f"{folder}: its files keep changing")


_Digests = dict[tuple[str, int, int, int], bytes]
"""SHA-256 of a file as it is: by path, inode, size and time of its last change."""


def _said(folder: Path) -> tuple[Any, ...]:
    """Read what `evidence.db` says of files and rows: in a copy of one moment it is what the store's says."""
    evidence = EvidenceFile(folder, read_only=True)
    try:
        return evidence.redactions(), evidence.absent(), evidence.sealed()
    finally:
        evidence.close()


def _digest(path: Path, digests: _Digests) -> bytes:
    facts = path.stat()
    key = (os.fspath(path), facts.st_ino, facts.st_size, facts.st_mtime_ns)
    if key not in digests:
        digests[key] = file_digest(path)
    return digests[key]


def _copy_sealed(segment: Segment, target: Path, digests: _Digests) -> int:
    """Copy one; gives the bytes written, 0 when the copy was up to date."""
    final = target / segment.path.name
    digest = _digest(segment.path, digests)
    if final.exists() and _digest(final, digests) == digest:
        return 0
    new = final.with_name(final.name + _NEW)
    new.unlink(missing_ok=True)
    shutil.copyfile(segment.path, new)
    _sync(new)
    if file_digest(new) != digest:
        new.unlink()
        if file_digest(segment.path) != digest:
            raise FileNotFoundError(segment.path)  # rewritten under our hands
        raise StoreCorrupt(f"{new}: is not what was copied: the disk of the backup cannot be trusted")
    new.chmod(SEALED_MODE)
    new.rename(final)
    return final.stat().st_size


def _copy_database(source: Path, target: Path) -> int:
    """Copy a database that is being written, as it is at one moment."""
    if not source.exists():
        raise FileNotFoundError(source)
    final = target / source.name
    new = final.with_name(final.name + _NEW)
    for path in (new, *side_files(new)):
        path.unlink(missing_ok=True)
    os.close(os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, LIVE_MODE))
    try:
        with closing(open_read_only(source)) as opened:
            copy = sqlite3.connect(new, isolation_level=None)
            try:
                opened.backup(copy)
            finally:
                close_live(copy)
    except sqlite3.Error as error:
        if not source.exists():
            raise FileNotFoundError(source) from error
        raise store_error(error, source) from error
    _sync(new)
    new.rename(final)
    for path in side_files(final):
        path.unlink(missing_ok=True)
    return final.stat().st_size


def _drop_others(target: Path, segments: list[Segment]) -> None:
    """Remove from the copy what the store no longer has: forms from before sealing, and what retention removed."""
    wanted = {segment.path.name for segment in segments}
    for segment in [*catalog(target)]:
        if segment.path.name not in wanted:
            segment.path.unlink()
    for path in target.iterdir():
        if path.name.endswith(_NEW) or (path.name.endswith("-.db") and path.name not in wanted):
            path.unlink()


def put_back(backup: Path, folder: Path) -> None:
    """Copy a backup into the place of a store, which must be empty. Raises StoreRefused or OSError."""
    if folder.exists() and any(folder.iterdir()):
        raise StoreRefused(f"{folder}: there is something here already: move it away first")
    folder.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
    for path in [backup / FILE_NAME, *(segment.path for segment in catalog(backup))]:
        shutil.copyfile(path, folder / path.name)
        sealed = path.name.endswith(".db") and not path.name.endswith("-.db") and path.name != FILE_NAME
        (folder / path.name).chmod(SEALED_MODE if sealed else LIVE_MODE)
        _sync(folder / path.name)
    sync_folder(folder)
    evidence = EvidenceFile(folder)
    try:
        evidence.forget_fact("running")
    finally:
        evidence.close()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
