r"""From an event to its leaf: payload, commitment, entry, leaf hash.

    payload    = RFC 8785 (JCS) JSON array of the columns from `received_at` to `raw`, raw as standard base64
    commitment = SHA-256( salt[16] || payload )
    entry      = "audit-receiver/v1\n" || u64be seq || u64be received_at || commitment      (66 bytes)
    leaf       = SHA-256( 00 || entry )

The salt blinds the commitment, so that an erased event cannot be guessed from it. Knows no store and no tree.
Of arrays of text, integers below 2^53 and null orjson writes exactly what RFC 8785 §3.2 wants (shortest escapes,
lower-case \u00xx, nothing else escaped); a test holds that. Costs 2.3 µs an event of 437 bytes: 1.1 SHA-256 in two
calls, 0.5 orjson, the rest is touching and joining.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from hashlib import sha256
from itertools import count
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import orjson

from receiver.errors import EvidenceError
from receiver.event import INTEGER_COLUMNS, MAX_TIME_US, Event

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PREFIX: Final = b"audit-receiver/v1\n"
SALT_BYTES: Final = 16
COMMITMENT_BYTES: Final = 32
ENTRY_BYTES: Final = len(PREFIX) + 8 + 8 + 32

_pack_entry = Struct(f">{len(PREFIX)}sQQ32s").pack
_pack_leaf = Struct(f">{1 + len(PREFIX)}sQQ32s").pack
_unpack_entry = Struct(f">{len(PREFIX)}sQQ32s").unpack
_each_salt = Struct(f"{SALT_BYTES}s").iter_unpack


def payload(columns: Sequence[Any]) -> bytes:
    """Write what is committed to. columns: from `received_at` to `raw`, in schema order."""
    raw = columns[-1]
    if raw is None:
        return orjson.dumps(tuple(columns))
    return orjson.dumps((*columns[:-1], b64encode(raw).decode()))


def commitment(salt: bytes, payload_bytes: bytes) -> bytes:
    """Commit to a payload."""
    return sha256(salt + payload_bytes).digest()


def entry(seq: int, received_at: int, committed: bytes) -> bytes:
    """Write the entry of the log: what the leaf is the hash of."""
    return _pack_entry(PREFIX, seq, received_at, committed)


def leaf_of_entry(entry_bytes: bytes) -> bytes:
    """Hash an entry (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry_bytes).digest()


def leaf_hashes(first_seq: int, rows: Sequence[Event], salts: bytes | bytearray) -> list[bytes]:
    """Give the leaves of events that follow one another. salts: 16 bytes each.

    One expression, since every name bound in between would cost: with a loop it is 2.8 µs, not 2.3.
    """
    dumps, start = orjson.dumps, b"\x00" + PREFIX
    return [
        # orjson refuses named tuples; a slice of one is a plain tuple, and the cheapest.
        sha256(
            _pack_leaf(start, seq, row[0], sha256(salt + (dumps(row[:]) if row[-1] is None else payload(row))).digest())
        ).digest()
        for seq, row, (salt,) in zip(count(first_seq), rows, _each_salt(salts), strict=False)
    ]


def fragment(columns: Sequence[Any]) -> orjson.Fragment:
    """Write columns that follow one another in a payload, to be put in one as they are."""
    return orjson.Fragment(orjson.dumps(columns)[1:-1])


def leaves_of_rows(
    rows: Sequence[Sequence[Any]], columns: Callable[[Any], tuple[Any, ...]], salt_at: int
) -> list[bytes]:
    """Give the leaves of stored events that are not redacted.

    rows: tuples that begin with `seq` and `received_at`; the salt stands at `salt_at`, `raw` before it. columns: gives
    the payload's of a row; neighbours may be one `fragment`. Raises TypeError or ValueError when a value is none that
    a payload can have.
    """
    dumps, start, raw_at = orjson.dumps, b"\x00" + PREFIX, salt_at - 1
    return [
        sha256(
            _pack_leaf(
                start, row[0], row[1],
                sha256(
                    row[salt_at] + (dumps(columns(row)) if row[raw_at] is None else payload(columns(row)))
                ).digest(),
            )
        ).digest()
        for row in rows
    ]  # fmt: skip


def stored_leaf(
    seq: int, received_at: int, row: Sequence[Any], salt: bytes | None, committed: bytes | None
) -> bytes | None:
    """Give the leaf of a stored event, redacted or not; None when it has neither payload nor commitment.

    Raises ValueError for a salt or commitment of another length: packing would fill it up or cut it.
    """
    if committed is None:
        if salt is None:
            return None
        if len(salt) != SALT_BYTES:
            raise ValueError(f"its salt has {len(salt)} bytes")
        committed = commitment(salt, payload(row))
    if len(committed) != COMMITMENT_BYTES:
        raise ValueError(f"its commitment has {len(committed)} bytes")
    return leaf_of_entry(entry(seq, received_at, committed))


def parse_entry(entry_bytes: bytes) -> tuple[int, int, bytes]:
    """Read an entry: (seq, received_at, commitment); raises EvidenceError."""
    if len(entry_bytes) != ENTRY_BYTES or not entry_bytes.startswith(PREFIX):
        raise EvidenceError("this is not an entry of an audit-receiver log")
    _, seq, received_at, committed = _unpack_entry(entry_bytes)
    return seq, received_at, committed


def parse_payload(payload_bytes: bytes) -> Event:
    """Read a payload; raises EvidenceError unless it is the one way to write an event."""
    try:
        columns = orjson.loads(payload_bytes)
    except orjson.JSONDecodeError as error:
        raise EvidenceError(f"the payload is not JSON: {error}") from None
    if not isinstance(columns, list) or len(columns) != len(Event._fields) or columns[0] is None:
        raise EvidenceError(f"the payload is not an array of {len(Event._fields)} columns")
    wrong = [name for name, value in zip(Event._fields, columns, strict=True) if not _fits(name, value)]
    if wrong:
        raise EvidenceError(f"the payload has a wrong {', '.join(wrong)}")
    if columns[-1] is not None:
        try:
            columns[-1] = b64decode(columns[-1], validate=True)
        except ValueError:
            raise EvidenceError("the payload's raw is not base64") from None
    if payload(columns) != payload_bytes:
        raise EvidenceError("the payload is not written as RFC 8785 wants")
    return Event._make(columns)


def _fits(name: str, value: object) -> bool:
    if value is None:
        return True
    if name in INTEGER_COLUMNS:
        least = 0 if name == "received_at" else -MAX_TIME_US  # the entry's received_at is unsigned
        return type(value) is int and least <= value <= MAX_TIME_US
    return isinstance(value, str)
