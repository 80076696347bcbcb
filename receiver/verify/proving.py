"""Makes proofs from a store: that an event is in the log, and that one tree is the beginning of another.

Knows the store's files, read-only. A proof is checked with the store's own verifier keys before it is given out: one
that does not hold would only be found out where it is needed.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

from receiver.errors import EvidenceError, StoreRefused
from receiver.event import COLUMNS
from receiver.evidence.keys import VerifierKey
from receiver.evidence.leaf import commitment, entry, payload
from receiver.evidence.proof import ConsistencyProof, InclusionProof, extra_of, verify_proof
from receiver.evidence.tree import consistency_proof, inclusion_proof, tree_of
from receiver.store.evidence_file import EvidenceFile
from receiver.store.hashes import ask_hashes
from receiver.store.segment import catalog, open_read_only, store_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from receiver.store.hashes import Hashes

_SALT: Final = COLUMNS.index("salt")


def prove_event(folder: Path, seq: int) -> bytes:
    """Write the proof of one event (C2SP tlog-proof), against the last checkpoint signed.

    Raises LookupError when no checkpoint covers it yet, StoreRefused when it is not there, EvidenceError when the store
    does not give a proof that holds.
    """
    with _evidence(folder) as evidence:
        last = evidence.last_checkpoint()
        if last is None or last.size <= seq:
            raise LookupError(f"no checkpoint covers event {seq} yet")
        row = _row(folder, seq)
        committed = row[-1] if row[-1] is not None else commitment(row[_SALT], payload(row[1:_SALT]))
        whole = None if row[-1] is not None else payload(row[1:_SALT])
        extra = extra_of(whole, row[_SALT], entry(seq, row[1], committed))
        size = last.size
        path = ask_hashes(folder, evidence, lambda hashes: inclusion_proof(seq, size, hashes.node_at()))
        proof = InclusionProof(seq, tuple(path), last.note.encode(), extra).format()
        verify_proof(proof, [VerifierKey.parse(text) for text in evidence.verifiers()])
        return proof


def prove_consistency(folder: Path, old: int, new: int) -> bytes:
    """Write the proof that the tree of `old` events is the beginning of that of `new`, which a checkpoint must have.

    Raises StoreRefused when there is no such checkpoint, EvidenceError when the store does not give the proof.
    """
    with _evidence(folder) as evidence:
        signed = evidence.checkpoint_from(new)
        if signed is None or signed.size != new:
            others = ", ".join(str(found.size) for found in evidence.checkpoints()[-5:])
            raise StoreRefused(f"no checkpoint was signed over {new} events (the last ones: {others or 'none'})")
        root = signed.root

        def prove(hashes: Hashes) -> list[bytes]:
            node_at = hashes.node_at()
            if tree_of(new, node_at).root != root:
                raise EvidenceError(f"the rows do not give the root of the checkpoint over {new} events")
            return consistency_proof(old, new, node_at)

        path = ask_hashes(folder, evidence, prove)
        return ConsistencyProof(old, tuple(path), signed.note.encode()).format()


def _evidence(folder: Path) -> AbstractContextManager[EvidenceFile]:
    return closing(EvidenceFile(folder, read_only=True))


def _row(folder: Path, seq: int) -> tuple[Any, ...]:
    """Read one row of `events`."""
    sql = f"SELECT {', '.join(COLUMNS)} FROM events WHERE seq = ?"  # noqa: S608 - our own names only
    for path in _paths(folder, seq):
        try:
            with closing(open_read_only(path)) as connection:
                row: tuple[Any, ...] | None = connection.execute(sql, (seq,)).fetchone()
        except sqlite3.Error as error:
            raise store_error(error, path) from error
        if row is not None:
            return row
    raise StoreRefused(f"event {seq} is not kept any more, or never was")


def _paths(folder: Path, seq: int) -> Iterator[Path]:
    for segment in catalog(folder):
        if segment.first <= seq and (segment.last is None or seq <= segment.last):
            yield segment.path
