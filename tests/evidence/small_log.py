"""A log in a list, for tests: its events, its tree, its keys and its signed heads."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from receiver.evidence.checkpoint import Checkpoint, sign_checkpoint
from receiver.evidence.keys import KeyKind, SigningKey
from receiver.evidence.leaf import commitment, entry, leaf_hashes, payload
from receiver.evidence.proof import ConsistencyProof, InclusionProof, extra_of
from receiver.evidence.tree import Tree, consistency_proof, inclusion_proof
from tests.kit.events import make_events

if TYPE_CHECKING:
    from receiver.event import Event
    from receiver.evidence.tree import NodeAt

ORIGIN = "audit.example.org/log1"
LOG = SigningKey(ORIGIN, KeyKind.LOG, bytes(range(32)))
TIME = SigningKey(f"{ORIGIN}/time", KeyKind.COSIGNATURE, bytes(range(32, 64)))
WITNESS = SigningKey("witness.example.net", KeyKind.COSIGNATURE, bytes(range(64, 96)))
OTHER = SigningKey(ORIGIN, KeyKind.LOG, bytes(range(96, 128)))
SECONDS = 1_764_000_000
BOTH = (LOG.verifier, TIME.verifier)


def naive(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 §2.1, on leaf hashes."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    return sha256(b"\x01" + naive(leaves[:split]) + naive(leaves[split:])).digest()


def leaves_of(count: int) -> list[bytes]:
    return [sha256(b"\x00" + str(number).encode()).digest() for number in range(count)]


def nodes_of(leaves: list[bytes]) -> NodeAt:
    return lambda level, number: naive(leaves[number << level : (number + 1) << level])


class SmallLog(NamedTuple):
    events: list[Event]
    salts: bytes

    @property
    def leaves(self) -> list[bytes]:
        return leaf_hashes(0, self.events, self.salts)

    def checkpoint(self, size: int | None = None, keys: tuple[SigningKey, ...] = (LOG, TIME)) -> bytes:
        leaves = self.leaves[:size]
        return sign_checkpoint(Checkpoint(ORIGIN, len(leaves), Tree().append(leaves)[0].root), keys, SECONDS)

    def prove(self, seq: int, *, redacted: bool = False) -> bytes:
        salt, text = self.salts[16 * seq : 16 * seq + 16], payload(self.events[seq])
        leaf_entry = entry(seq, self.events[seq].received_at, commitment(salt, text))
        extra = extra_of(None if redacted else text, salt, leaf_entry)
        path = inclusion_proof(seq, len(self.events), nodes_of(self.leaves))
        return InclusionProof(seq, tuple(path), self.checkpoint(), extra).format()

    def prove_consistency(self, old: int) -> bytes:
        path = consistency_proof(old, len(self.events), nodes_of(self.leaves)) if old else []
        return ConsistencyProof(old, tuple(path), self.checkpoint()).format()


def small_log(count: int) -> SmallLog:
    events = make_events(count)
    events[0] = events[0]._replace(raw=b"\xff\x00", message='"\u00e4\n\u2028\x7f', time=None)
    return SmallLog(events, bytes(number * 7 % 256 for number in range(16 * count)))
