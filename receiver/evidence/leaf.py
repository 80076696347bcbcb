r"""From an event to its leaf: payload, commitment, entry, leaf hash.

    payload    = RFC 8785 (JCS) JSON array of the columns from `received_at` to `raw`, raw as standard base64
    commitment = SHA-256( salt[16] || payload )
    entry      = "audit-receiver/v1\n" || u64be seq || u64be received_at || commitment      (66 bytes)
    leaf       = SHA-256( 00 || entry )

The salt blinds the commitment, so that an erased event cannot be guessed from it. Knows no store and no tree.
Of arrays of text, integers below 2^53 and null orjson writes exactly what RFC 8785 §3.2 wants (shortest escapes,
lower-case \u00xx, nothing else escaped); a test holds that. Costs 2.5 µs an event, 1.7 of them SHA-256.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from itertools import count
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Sequence

PREFIX: Final = b"audit-receiver/v1\n"
SALT_BYTES: Final = 16
ENTRY_BYTES: Final = len(PREFIX) + 8 + 8 + 32

_positions = Struct(">QQ").pack


def payload(columns: Sequence[Any]) -> bytes:
    """Write what is committed to. columns: from `received_at` to `raw`, in schema order."""
    raw = columns[-1]
    if raw is None:
        return orjson.dumps((*columns,))
    return orjson.dumps((*columns[:-1], b64encode(raw).decode()))


def commitment(salt: bytes, payload_bytes: bytes) -> bytes:
    """Commit to a payload."""
    return sha256(salt + payload_bytes).digest()


def entry(seq: int, received_at: int, committed: bytes) -> bytes:
    """Write the entry of the log: what the leaf is the hash of."""
    return PREFIX + _positions(seq, received_at) + committed


def leaf_of_entry(entry_bytes: bytes) -> bytes:
    """Hash an entry (RFC 6962 §2.1)."""
    return sha256(b"\x00" + entry_bytes).digest()


def leaf_hashes(first_seq: int, rows: Sequence[Sequence[Any]], salts: bytes) -> list[bytes]:
    """Give the leaves of events that follow one another. rows: their columns; salts: 16 bytes each."""
    dumps, start = orjson.dumps, b"\x00" + PREFIX
    leaves = []
    for seq, at, row in zip(count(first_seq), range(0, len(salts), SALT_BYTES), rows, strict=False):
        text = dumps((*row,)) if row[-1] is None else payload(row)
        committed = sha256(salts[at : at + SALT_BYTES] + text).digest()
        leaves.append(sha256(start + _positions(seq, row[0]) + committed).digest())
    return leaves


def stored_leaf(
    seq: int, received_at: int, row: Sequence[Any], salt: bytes | None, committed: bytes | None
) -> bytes | None:
    """Give the leaf of a stored event, redacted or not; None when it has neither payload nor commitment."""
    if committed is None:
        if salt is None:
            return None
        committed = commitment(salt, payload(row))
    return leaf_of_entry(entry(seq, received_at, committed))
