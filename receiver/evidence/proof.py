"""Proof files: that an event is in the log (C2SP tlog-proof), and that one tree is the beginning of another.

An event's proof carries, as `extra`, what its leaf is made of: salt and payload, or the 66-byte entry when it was
redacted. The two cannot be taken for each other: a payload begins with `[` where an entry has a digit.
A consistency proof is written as the request a witness takes (C2SP tlog-witness, `add-checkpoint`): the old size, the
hashes, the new checkpoint. It convinces who kept the old checkpoint. Verified offline; failures are EvidenceErrors.
"""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.errors import EvidenceError
from receiver.evidence.checkpoint import SignedCheckpoint, open_checkpoint, parse_decimal
from receiver.evidence.keys import parse_base64
from receiver.evidence.leaf import (
    PREFIX,
    SALT_BYTES,
    commitment,
    entry,
    leaf_of_entry,
    parse_entry,
    parse_payload,
)
from receiver.evidence.note import NOTE_BYTES
from receiver.evidence.tree import HASH_BYTES, verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from receiver.event import Event
    from receiver.evidence.keys import VerifierKey

FIRST_LINE: Final = "c2sp.org/tlog-proof@v1"
PATH_HASHES: Final = 63
"""No tree below 2^63 leaves has a longer path."""
EXTRA_CHARS: Final = 16 * 1024 * 1024
"""Longest extra line: 256 KiB of control characters, six characters each, in message, data and raw, in base64."""


class InclusionProof(NamedTuple):
    """A parsed tlog-proof; `extra` is not to be trusted before `verify_proof`."""

    seq: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def format(self) -> bytes:
        """Write the file."""
        extra = "" if self.extra is None else f"extra {b64encode(self.extra).decode()}\n"
        head = f"{FIRST_LINE}\n{extra}index {self.seq}\n{_hash_lines(self.path)}\n"
        return head.encode() + self.checkpoint


class ProvenEvent(NamedTuple):
    """What an event's proof shows; `event` is None when it was redacted: then its position and time are shown."""

    seq: int
    received_at: int
    event: Event | None
    signed: SignedCheckpoint


class ConsistencyProof(NamedTuple):
    """The old size, the hashes, and the new signed checkpoint."""

    old: int
    path: tuple[bytes, ...]
    checkpoint: bytes

    def format(self) -> bytes:
        """Write the file, which is also a witness's request."""
        return f"old {self.old}\n{_hash_lines(self.path)}\n".encode() + self.checkpoint


def extra_of(payload_bytes: bytes | None, salt: bytes | None, entry_bytes: bytes) -> bytes:
    """Give what a proof carries of a stored event: salt and payload, or the entry when they are gone."""
    return entry_bytes if payload_bytes is None or salt is None else salt + payload_bytes


def parse_proof(data: bytes) -> InclusionProof:
    """Read a tlog-proof of any log."""
    lines, checkpoint = _head(data)
    if lines.pop(0) != FIRST_LINE:
        raise EvidenceError(f"this is not a proof: its first line is not {FIRST_LINE}")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = parse_base64(lines.pop(0).removeprefix("extra "))
    seq = _numbered("index ", lines)
    return InclusionProof(seq, _hashes(lines), checkpoint, extra)


def verify_proof(data: bytes, known: Iterable[VerifierKey], required: Iterable[VerifierKey] = ()) -> ProvenEvent:
    """Read a proof of this program's log and check all of it. known, required: as for `open_checkpoint`."""
    proof = parse_proof(data)
    signed = open_checkpoint(proof.checkpoint, known, required)
    if proof.extra is None:
        raise EvidenceError("the proof does not carry the event", index=proof.seq)
    event = None
    if proof.extra.startswith(PREFIX):
        entry_bytes = proof.extra
    else:
        salt, payload_bytes = proof.extra[:SALT_BYTES], proof.extra[SALT_BYTES:]
        event = parse_payload(payload_bytes)
        entry_bytes = entry(proof.seq, event.received_at, commitment(salt, payload_bytes))
    seq, received_at, _ = parse_entry(entry_bytes)
    if seq != proof.seq:
        message = f"the entry is of event {seq}, the proof of {proof.seq}"
        raise EvidenceError(message, index=proof.seq, expected=proof.seq, found=seq)
    head = signed.checkpoint
    verify_inclusion(proof.seq, head.size, leaf_of_entry(entry_bytes), proof.path, head.root)
    return ProvenEvent(seq, received_at, event, signed)


def parse_consistency(data: bytes) -> ConsistencyProof:
    """Read a consistency proof, or a request to a witness."""
    lines, checkpoint = _head(data)
    old = _numbered("old ", lines)
    return ConsistencyProof(old, _hashes(lines), checkpoint)


def verify_consistency_proof(
    data: bytes, old_checkpoint: bytes, known: Iterable[VerifierKey], required: Iterable[VerifierKey] = ()
) -> tuple[SignedCheckpoint, SignedCheckpoint]:
    """Check that the log of an old checkpoint, kept elsewhere, is the beginning of the new one's; give both."""
    keys, wanted = tuple(known), tuple(required)
    proof = parse_consistency(data)
    old = open_checkpoint(old_checkpoint, keys, wanted)
    new = open_checkpoint(proof.checkpoint, keys, wanted)
    before, after = old.checkpoint, new.checkpoint
    if before.origin != after.origin:
        raise EvidenceError(f"the checkpoints are of two logs: {before.origin} and {after.origin}")
    if before.size != proof.old:
        message = f"the proof begins at {proof.old} leaves, the old checkpoint has {before.size}"
        raise EvidenceError(message, expected=before.size, found=proof.old)
    verify_consistency(before.size, after.size, before.root, after.root, proof.path)
    return old, new


def _head(data: bytes) -> tuple[list[str], bytes]:
    """Cut a file at its first blank line: the lines before, the checkpoint after."""
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank or not head.isascii():
        raise EvidenceError("this is not a proof: there is no blank line before a checkpoint")
    if len(head) > EXTRA_CHARS or len(checkpoint) > NOTE_BYTES:
        raise EvidenceError("the proof is longer than any that is read")
    return head.decode().split("\n"), checkpoint


def _numbered(word: str, lines: list[str]) -> int:
    """Take the line `<word> <number>`, the first of those left."""
    if not lines or not lines[0].startswith(word):
        raise EvidenceError(f"this is not a proof: the line {word}<number> is missing")
    return parse_decimal(lines.pop(0).removeprefix(word))


def _hashes(lines: list[str]) -> tuple[bytes, ...]:
    if len(lines) > PATH_HASHES:
        raise EvidenceError(f"a path of {len(lines)} hashes is longer than any tree is high")
    hashes = tuple(parse_base64(line) for line in lines)
    if any(len(found) != HASH_BYTES for found in hashes):
        raise EvidenceError(f"a line of the path is not a hash of {HASH_BYTES} bytes")
    return hashes


def _hash_lines(path: Sequence[bytes]) -> str:
    return "".join(f"{b64encode(found).decode()}\n" for found in path)
