"""Checkpoints (C2SP tlog-checkpoint): origin, size and root of a tree, as a signed note.

Signed by the log's key, whose name is the origin, and dated by a second key, `<origin>/time` (C2SP tlog-cosignature).
Witnesses add theirs. Knows no clock and no storage; what does not parse or hold raises EvidenceError.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.errors import EvidenceError
from receiver.evidence.keys import KeyKind, SigningKey, VerifierKey, parse_base64
from receiver.evidence.note import Note, Verified, parse_note, parse_signatures, sign_note, verify_note
from receiver.evidence.tree import EMPTY_ROOT, HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MAX_SIZE: Final = 2**63 - 1
TIME_KEY_SUFFIX: Final = "/time"
_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """The head of a log's tree. extensions: further lines, which other logs may have and ours has not."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The signed text."""
        return "\n".join((self.origin, str(self.size), b64encode(self.root).decode(), *self.extensions, ""))

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a checkpoint's text."""
        lines = text.split("\n")
        if len(lines) < 4 or lines.pop() or not all(lines):
            raise EvidenceError("this is not a checkpoint: origin, size and root are wanted, a line each")
        size, root = parse_decimal(lines[1]), parse_base64(lines[2])
        if len(root) != HASH_BYTES:
            raise EvidenceError(f"this is not a checkpoint: its root has {len(root)} bytes")
        if size == 0 and root != EMPTY_ROOT:
            raise EvidenceError("an empty tree has another root", expected=EMPTY_ROOT, found=root)
        return cls(lines[0], size, root, tuple(lines[3:]))


class SignedCheckpoint(NamedTuple):
    """A checkpoint that was verified, and the signatures that hold."""

    checkpoint: Checkpoint
    note: Note
    verified: tuple[Verified, ...]

    @property
    def seconds(self) -> int | None:
        """When it was signed, by the latest of the cosignatures that hold; None if none says."""
        return max((found.seconds for found in self.verified if found.seconds is not None), default=None)


def parse_decimal(text: str) -> int:
    """Read a size or an index: ASCII digits, no leading zero, below 2^63."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise EvidenceError(f"{text[:30]!r} is not a number of leaves")
    return int(text)


def sign_checkpoint(checkpoint: Checkpoint, keys: Sequence[SigningKey], seconds: int) -> bytes:
    """Sign by each key: the log's (at a rotation the old and the new) and the time keys. The tree must be durable."""
    text = checkpoint.text
    if Checkpoint.parse(text) != checkpoint:
        raise EvidenceError(f"a checkpoint of {checkpoint.origin!r} would not be read as it was meant")
    for key in keys:
        if key.verifier.kind == KeyKind.LOG and key.verifier.name != checkpoint.origin:
            raise EvidenceError(f"the key of {key.verifier.name} does not sign for {checkpoint.origin}")
    return sign_note(text, keys, seconds).format()


def open_checkpoint(
    data: bytes, known: Iterable[VerifierKey], required: Iterable[VerifierKey] = ()
) -> SignedCheckpoint:
    """Read a checkpoint and check its signatures.

    known: a key of the log, whose name is the origin, must have signed; every other of them that did must hold.
    required: keys that all must have signed (they are known too).
    """
    wanted = tuple(required)
    note = parse_note(data)
    checkpoint = Checkpoint.parse(note.text)
    verified = verify_note(note, (*known, *wanted))
    signers = {found.key for found in verified}
    if not any(key.kind == KeyKind.LOG and key.name == checkpoint.origin for key in signers):
        raise EvidenceError(f"the checkpoint is not signed by a known key of the log {checkpoint.origin}")
    for key in wanted:
        if key not in signers:
            raise EvidenceError(f"the checkpoint is not signed by {key.name}")
    return SignedCheckpoint(checkpoint, note, verified)


def add_cosignatures(data: bytes, lines: bytes, witnesses: Iterable[VerifierKey]) -> bytes:
    """Add a witness's answer to a checkpoint: what known witnesses signed, nothing else.

    Raises EvidenceError when one of their signatures does not hold, or when there is none.
    """
    note, keys = parse_note(data), {(key.name, key.key_id) for key in witnesses if key.kind == KeyKind.COSIGNATURE}
    new = [
        signature
        for signature in parse_signatures(lines)
        if (signature.name, signature.key_id) in keys and signature not in note.signatures
    ]
    verify_note(Note(note.text, tuple(new)), witnesses)
    return Note(note.text, (*note.signatures, *new)).format()
