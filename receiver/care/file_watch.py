"""Compares sealed files with the digests that were taken of them, beside everything else, gently: the newest first.

Knows the store's folder and `evidence.db`; knows no timer and raises no alarm. In a sealed file every byte counts, so
one bit is enough. A file is read in pieces, each in a thread for a moment, with a rest after it that is several times
as long; what was read is dropped from the page cache. A file that redaction replaces or retention removes meanwhile is
looked at again, or not at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from receiver import limits
from receiver.store.filter import Filter
from receiver.store.reader import Reader
from receiver.store.segment import sealed_path

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.store.evidence_file import EvidenceFile, SealedDigest


class Compared(NamedTuple):
    """What a look at all sealed files gave."""

    files: int
    size_bytes: int
    problem: str | None
    """The first file that is not what was sealed, in words; no other was looked at after it."""


class FileWatch:
    """One per store open for writing."""

    def __init__(self, folder: Path, evidence: EvidenceFile) -> None:
        self._folder = folder
        self._evidence = evidence

    async def look(self) -> Compared:
        """Compare every sealed file there is now, the newest first. Raises OSError or StoreError: not all was read."""
        files = size_bytes = 0
        for first in sorted(await asyncio.to_thread(self._evidence.sealed), reverse=True):
            read_bytes, problem = await self._compare(first)
            files += 1
            size_bytes += read_bytes
            if problem is not None:
                return Compared(files, size_bytes, problem)
        return Compared(files, size_bytes, None)

    async def _compare(self, first: int) -> tuple[int, str | None]:
        """Compare one file, again where it was replaced meanwhile; gives what was read of it."""
        known = await self._known(first)
        while known is not None:
            path = sealed_path(self._folder, known.first, known.last)
            try:
                read_bytes, digest = await self._digest(path)
            except FileNotFoundError:
                read_bytes, digest = 0, None
            before, known = known, await self._known(first)
            if known is None or digest == known.sha256:
                return read_bytes, await self._unlike_its_entry(known) if known else None
            if known == before and known.pending is None:
                what = "is gone" if digest is None else "is not what was sealed"
                return read_bytes, f"{path.name} {what}: its SHA-256 was {(known.sha256 or b'').hex()}"
            await asyncio.sleep(limits.CARE_SECONDS)  # a new file is being put in its place
        return 0, None

    async def _known(self, first: int) -> SealedDigest | None:
        """Give what the file must be; None where there is nothing to compare with, or where it may go."""
        known = (await asyncio.to_thread(self._evidence.sealed)).get(first)
        if known is None or known.sha256 is None:
            return None
        absent = await asyncio.to_thread(self._evidence.absent)
        return None if any(gone.first == first for gone in absent) else known

    async def _unlike_its_entry(self, known: SealedDigest) -> str | None:
        """Compare with what the log says: who alters a file may alter `evidence.db`, too."""
        if known.announced is None:
            return None
        said = await asyncio.to_thread(self._entry, known.announced)
        digest = (known.sha256 or b"").hex()
        if said is None or said == digest:
            return None
        path = sealed_path(self._folder, known.first, known.last)
        return f"{path.name} is not what event {known.announced} of the log says: its SHA-256 is {digest}"

    def _entry(self, seq: int) -> str | None:
        """Read the digest in an event of the log; None where there is no such event any more."""
        for event in Reader(self._folder).select(Filter(), limit=1, after_seq=seq - 1):
            if event.seq == seq and event.action == "log.rotate" and event.data is not None:
                return str(json.loads(event.data).get("sha256"))
        return None

    async def _digest(self, path: Path) -> tuple[int, bytes]:
        """Read a file piece by piece; gives its size and its SHA-256."""
        digest, at = hashlib.sha256(), 0
        while True:
            began = time.monotonic()
            piece = await asyncio.to_thread(_read_piece, path, at, digest)
            at += piece
            if piece < limits.FILE_PIECE_BYTES:
                return at, digest.digest()
            await asyncio.sleep((time.monotonic() - began) * limits.FILE_REST)


def _read_piece(path: Path, at: int, digest: hashlib._Hash) -> int:
    """Add one piece of a file to the digest. It is opened anew: nothing stays open if nobody asks for the next."""
    with path.open("rb", buffering=0) as file:
        file.seek(at)
        piece = b""
        while len(piece) < limits.FILE_PIECE_BYTES and (more := file.read(limits.FILE_PIECE_BYTES - len(piece))):
            piece += more
        os.posix_fadvise(file.fileno(), at, len(piece), os.POSIX_FADV_DONTNEED)
    digest.update(piece)
    return len(piece)
