r"""Ed25519 keys by name: key ids, verifier keys, signatures of both kinds (C2SP signed-note and tlog-cosignature).

    key id       = SHA-256(name || 0A || kind || public[32])[:4]
    verifier key = name + "+" + hex(key id) + "+" + base64(kind || public)
    kind 01      = Ed25519 over the note's text
    kind 04      = u64be seconds || Ed25519 over "cosignature/v1\ntime <seconds>\n" || text
    private key  = "PRIVATE+KEY+" + name + "+" + hex(key id) + "+" + base64(kind || seed[32])

Knows no file and no clock: where keys lie and what time it is are others' business. What cannot be read raises
EvidenceError, which never quotes a private key.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from enum import IntEnum
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from receiver.errors import EvidenceError

KEY_ID_BYTES: Final = 4
_KEY_BYTES: Final = 32
_TIME_BYTES: Final = 8
_MAX_SECONDS: Final = 2**63 - 1
_PRIVATE: Final = "PRIVATE+KEY+"
_VKEY: Final = re.compile(r"([^+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_CONTROL: Final = re.compile(r"[\x00-\x1f]")


class KeyKind(IntEnum):
    """What a signature says, as signed-note numbers it."""

    LOG = 1
    """The log: this is my tree."""
    COSIGNATURE = 4
    """A witness, or the log's own clock: at this second I knew this tree."""


class VerifierKey(NamedTuple):
    """Who may have signed; what an auditor is given."""

    name: str
    kind: KeyKind
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that name it beside its name."""
        identity = self.name.encode() + b"\n" + bytes([self.kind]) + self.public
        return sha256(identity).digest()[:KEY_ID_BYTES]

    def __str__(self) -> str:
        material = b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{material}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read a verifier key; raises EvidenceError."""
        name, key_id, kind, public = _parse_key(text, "a verifier key")
        key = cls(name, kind, public)
        if key.key_id.hex() != key_id:
            raise EvidenceError(f"the verifier key of {name} does not have the id it says")
        return key

    def verify(self, text: str, signature: bytes) -> int | None:
        """Check a signature of a note's text; give the time it names, if any. Raises EvidenceError."""
        seconds, message = None, text.encode()
        if self.kind == KeyKind.COSIGNATURE:
            seconds = int.from_bytes(signature[:_TIME_BYTES])
            message = _timed(seconds, text)
            signature = signature[_TIME_BYTES:]
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except InvalidSignature:
            raise EvidenceError(f"the signature by {self.name} is not by that key, or not over this text") from None
        if seconds is not None and seconds > _MAX_SECONDS:
            raise EvidenceError(f"the signature by {self.name} names no time")
        return seconds


class SigningKey:
    """A private key and the name it signs by."""

    def __init__(self, name: str, kind: KeyKind, seed: bytes) -> None:
        """Make it of 32 random bytes; raises EvidenceError for a name that no key may have."""
        if not is_key_name(name):
            raise EvidenceError(f"{name!r} cannot be a key's name: no spaces, no plus, not empty")
        if len(seed) != _KEY_BYTES:
            raise EvidenceError(f"a private key is made of {_KEY_BYTES} bytes, not {len(seed)}")
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.verifier: Final = VerifierKey(name, kind, self._private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier})"  # never the private part

    def private_text(self) -> str:
        """Write the private key as one line for its file."""
        key = self.verifier
        return f"{_PRIVATE}{key.name}+{key.key_id.hex()}+{b64encode(bytes([key.kind]) + self._seed).decode()}"

    @classmethod
    def parse(cls, text: str) -> SigningKey:
        """Read a private key's line; raises EvidenceError."""
        if not text.startswith(_PRIVATE):
            raise EvidenceError("this is not a private key")
        name, key_id, kind, seed = _parse_key(text.removeprefix(_PRIVATE), "a private key")
        key = cls(name, kind, seed)
        if key.verifier.key_id.hex() != key_id:
            raise EvidenceError(f"the private key of {name} does not have the id it says")
        return key

    def sign(self, text: str, seconds: int) -> bytes:
        """Sign a note's text. seconds: Unix time; it stands in a cosignature only."""
        if self.verifier.kind == KeyKind.LOG:
            return self._private.sign(text.encode())
        return seconds.to_bytes(_TIME_BYTES) + self._private.sign(_timed(seconds, text))


def is_key_name(name: str) -> bool:
    """Tell whether a key may have this name: not empty, no Unicode space, no plus, no control character."""
    return bool(name) and "+" not in name and not any(map(str.isspace, name)) and _CONTROL.search(name) is None


def parse_base64(text: str) -> bytes:
    """Read standard base64, padded, written in the one canonical way; raises EvidenceError."""
    try:
        data = b64decode(text, validate=True)
    except ValueError:
        raise EvidenceError("this is not base64") from None
    if b64encode(data).decode() != text:
        raise EvidenceError("this base64 is not the way its bytes are written")
    return data


def _timed(seconds: int, text: str) -> bytes:
    return f"cosignature/v1\ntime {seconds}\n{text}".encode()


def _parse_key(text: str, what: str) -> tuple[str, str, KeyKind, bytes]:
    match = _VKEY.fullmatch(text)
    if match is None or not is_key_name(match[1]):
        raise EvidenceError(f"this is not {what}: name+id+key is wanted")
    material = parse_base64(match[3])
    if len(material) != 1 + _KEY_BYTES or material[0] not in set(KeyKind):
        raise EvidenceError(f"{match[1]}: this is not {what} of a known kind (Ed25519 or its cosignature)")
    return match[1], match[2], KeyKind(material[0]), material[1:]
