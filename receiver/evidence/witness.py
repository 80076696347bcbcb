"""The C2SP tlog-witness protocol without HTTP: what a witness answers to `add-checkpoint`, and what a log makes of it.

A witness keeps the latest head it cosigned, by origin. Its decision is pure, and in two steps so that the order which
the standard wants cannot be missed: `decide` gives Refused, or Accepted with the head to be kept; the caller makes that
durable, under one lock from reading the head to here; then `cosign` makes the answer. A crash in between is harmless:
the log asks again, from the kept size. Invariant: of one origin and size only one root is ever cosigned, and each head
is the beginning of the next. Knows no HTTP, storage or clock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.errors import EvidenceError
from receiver.evidence.checkpoint import Checkpoint, parse_decimal
from receiver.evidence.note import parse_note, sign_note, verify_note
from receiver.evidence.proof import parse_consistency
from receiver.evidence.tree import EMPTY_ROOT, verify_consistency

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from receiver.evidence.keys import SigningKey, VerifierKey
    from receiver.evidence.note import Note
    from receiver.evidence.proof import ConsistencyProof

SIZE_TYPE: Final = "text/x.tlog.size"
TEXT_TYPE: Final = "text/plain; charset=utf-8"
REQUEST_PATH: Final = "add-checkpoint"


class Head(NamedTuple):
    """The latest head of a log that a witness cosigned; of a log it never did, the empty tree's."""

    size: int = 0
    root: bytes = EMPTY_ROOT


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = TEXT_TYPE


class Refused(NamedTuple):
    """The request is not followed; nothing is to be kept. fork: the log showed two roots for one size."""

    answer: Answer
    fork: Checkpoint | None = None


class Accepted(NamedTuple):
    """The checkpoint may be cosigned as soon as `head` is durable under `origin`."""

    origin: str
    head: Head
    note: Note


def decide(
    request: bytes, logs: Mapping[str, Sequence[VerifierKey]], head_of: Callable[[str], Head]
) -> Accepted | Refused:
    """Decide on the body of an `add-checkpoint` request.

    logs: the keys of each log that is witnessed, by origin. head_of: the head kept for an origin, Head() if none.
    """
    try:
        proof = parse_consistency(request)
        note = parse_note(proof.checkpoint)
        checkpoint = Checkpoint.parse(note.text)
    except EvidenceError as error:
        return _refused(400, error)
    keys = logs.get(checkpoint.origin)
    if keys is None:
        return _refused(404, "this log is not witnessed here")
    try:
        verify_note(note, keys)
    except EvidenceError as error:
        return _refused(403, error)
    return _judge(proof, checkpoint, note, head_of(checkpoint.origin))


def _judge(proof: ConsistencyProof, checkpoint: Checkpoint, note: Note, head: Head) -> Accepted | Refused:
    """Decide on a checkpoint that the log signed."""
    if proof.old > checkpoint.size:
        return _refused(400, "the old size is beyond the checkpoint's")
    conflict = Answer(409, b"%d\n" % head.size, SIZE_TYPE)
    is_fork = checkpoint.size == head.size and checkpoint.root != head.root
    if proof.old != head.size or is_fork:
        return Refused(conflict, checkpoint if is_fork else None)
    try:
        verify_consistency(head.size, checkpoint.size, head.root, checkpoint.root, proof.path)
    except EvidenceError as error:
        return _refused(422, error)
    return Accepted(checkpoint.origin, Head(checkpoint.size, checkpoint.root), note)


def cosign(accepted: Accepted, keys: Sequence[SigningKey], seconds: int) -> Answer:
    """Give the answer to an accepted request, whose head is durable by now. keys: cosigning keys of the witness."""
    signed = sign_note(accepted.note.text, keys, seconds)
    return Answer(200, "".join(signature.line() for signature in signed.signatures).encode())


def conflict_size(answer: Answer) -> int:
    """Read the size that a witness has (409), for the log to prove consistency from; raises EvidenceError."""
    if not answer.body.isascii() or not answer.body.endswith(b"\n"):
        raise EvidenceError("the witness answered 409 without its size")
    return parse_decimal(answer.body[:-1].decode())


def _refused(status: int, why: EvidenceError | str) -> Refused:
    return Refused(Answer(status, f"{why}\n".encode()))
