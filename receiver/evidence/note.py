"""Signed notes (C2SP signed-note): a text, a blank line, signature lines. Reading, writing, verifying.

What is read is bytes; every note has exactly one way to be written, so `parse_note(data).format() == data` for all
that parses. Anything else raises EvidenceError. Signatures by unknown keys are ignored, as the standard wants: that
is how keys are rotated and how witnesses cosign. Knows nothing of what the text says.
"""

from __future__ import annotations

import re
from base64 import b64encode
from typing import TYPE_CHECKING, Final, NamedTuple

from receiver.errors import EvidenceError
from receiver.evidence.keys import KEY_ID_BYTES, SigningKey, VerifierKey, is_key_name, parse_base64

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NOTE_BYTES: Final = 256 * 1024
"""Longest note: 16 signatures of 5 KB, which every verifier must accept, take 107 KB."""
NOTE_SIGNATURES: Final = 64

_DASH: Final = "\N{EM DASH} "
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Signature(NamedTuple):
    """One signature line; `value` is what the key made, by its kind."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Write it, with its line end."""
        return f"{_DASH}{self.name} {b64encode(self.key_id + self.value).decode()}\n"


class Note(NamedTuple):
    """A text, which ends in a line end, and its signatures."""

    text: str
    signatures: tuple[Signature, ...]

    def format(self) -> bytes:
        """Write it."""
        return f"{self.text}\n{''.join(signature.line() for signature in self.signatures)}".encode()


class Verified(NamedTuple):
    """A signature that holds: by whom, and when if it says so."""

    key: VerifierKey
    seconds: int | None


def parse_note(data: bytes) -> Note:
    """Read a signed note."""
    text, blank, tail = _decode(data).rpartition("\n\n")
    if not blank:
        raise EvidenceError("this is not a signed note: there is no blank line before signatures")
    return Note(text + "\n", _parse_lines(tail))


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Read signature lines by themselves: a witness's answer."""
    return _parse_lines(_decode(data))


def _decode(data: bytes) -> str:
    if len(data) > NOTE_BYTES:
        raise EvidenceError(f"a signed note of {len(data)} bytes is not read: {NOTE_BYTES} at most")
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise EvidenceError("this is not a signed note: it is not UTF-8") from None
    if _CONTROL.search(text):
        raise EvidenceError("this is not a signed note: it has control characters")
    return text


def _parse_lines(tail: str) -> tuple[Signature, ...]:
    lines = tail.split("\n")
    if len(lines) < 2 or lines.pop():
        raise EvidenceError("this is not a signed note: it does not end with signature lines")
    if len(lines) > NOTE_SIGNATURES:
        raise EvidenceError(f"a note with {len(lines)} signatures is not read: {NOTE_SIGNATURES} at most")
    return tuple(_parse_line(line) for line in lines)


def _parse_line(line: str) -> Signature:
    name, _, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not is_key_name(name):
        raise EvidenceError("this is not a signature line")
    value = parse_base64(encoded)
    if len(value) <= KEY_ID_BYTES:
        raise EvidenceError(f"the signature by {name} is cut short")
    return Signature(name, value[:KEY_ID_BYTES], value[KEY_ID_BYTES:])


def sign_note(text: str, keys: Sequence[SigningKey], seconds: int) -> Note:
    """Sign a text by each key; seconds is what cosigning keys say of the time."""
    made = [(key.verifier, key.sign(text, seconds)) for key in keys]
    return Note(text, tuple(Signature(key.name, key.key_id, value) for key, value in made))


def verify_note(note: Note, known: Iterable[VerifierKey]) -> tuple[Verified, ...]:
    """Check the signatures by known keys, and give them; others are ignored.

    Raises EvidenceError when one of them does not hold, or when there is none.
    """
    keys = {(key.name, key.key_id): key for key in known}
    verified = []
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is not None:
            verified.append(Verified(key, key.verify(note.text, signature.value)))
    if not verified:
        raise EvidenceError("no signature is by a key that is known")
    return tuple(verified)
