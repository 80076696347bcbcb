"""What mutation starts from: every message of the tests' tables, the recorded corpus, and a real log's evidence."""

from __future__ import annotations

import gzip
import json
import random
import tempfile
import zlib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from receiver.evidence.keys import VerifierKey

SEEDS = 250
"""Each is run once before anything new is tried, and counting branches makes that slow."""
CORPUS = Path(__file__).resolve().parent.parent / "corpus"
WIRE = (
    "bulk", "detect", "framing", "gelf", "journal_export", "json_body", "json_event", "proxy", "relp", "rfc3164",
    "rfc5424", "timestamp",
)  # fmt: skip


def bytes_in(value: Any, depth: int = 4) -> list[bytes]:
    """All bytes in nested lists, tuples and dictionaries, texts as bytes too."""
    if isinstance(value, bytes):
        return [value]
    if isinstance(value, str):
        return [value.encode(errors="replace")]
    if depth and isinstance(value, list | tuple):
        return [found for item in value for found in bytes_in(item, depth - 1)]
    if depth and isinstance(value, dict):
        return [found for item in value.values() for found in bytes_in(item, depth - 1)]
    return []


@cache
def tables(name: str) -> tuple[bytes, ...]:
    """The messages of one test module's tables."""
    module = import_module(f"tests.wire.test_{name}")
    found = [
        text
        for table, value in vars(module).items()
        if table.isupper() and isinstance(value, list | tuple)
        for text in bytes_in([getattr(case, "raw", None) or getattr(case, "header", None) or case for case in value])
    ]
    return tuple(sorted({text for text in found if 0 < len(text) < 4096}))


@cache
def messages() -> tuple[bytes, ...]:
    """Whole messages of all kinds, recorded ones included."""
    recorded: list[bytes] = []
    for file in sorted(CORPUS.glob("*.yaml")):
        recorded += bytes_in(yaml.safe_load(file.read_text())["lines"])[:8]
    found = sorted({*recorded, *(text for name in WIRE for text in tables(name))})
    return tuple(random.Random(7).sample(found, min(len(found), SEEDS)))


def packed() -> list[bytes]:
    """GELF as it comes over UDP: compressed, and in chunks; each datagram after its length in two bytes."""
    message = json.dumps({"version": "1.1", "host": "web", "short_message": "hello", "_user": "alice"}).encode()
    squeezed = [message, zlib.compress(message), gzip.compress(message), zlib.compress(b"{" + b"a" * 5_000)]
    chunks = [b"\x1e\x0f" + b"12345678" + bytes((number, 3)) + message[number::3] for number in range(3)]
    return [framed(each) for each in (squeezed, chunks, chunks[::-1], [*chunks, *chunks], *([one] for one in squeezed))]


def framed(datagrams: Any) -> bytes:
    return b"".join(len(each).to_bytes(2, "big") + each for each in datagrams)


HTTP = (
    b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://a/readyz?x=1 HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\n\r\nGET / HTTP/1.0\r\n\r\n",
    b"POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\nhelloGET",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HEAD / HTTP/2.0\r\n\r\n",
)

def packed_bodies() -> list[bytes]:
    """Bodies as senders pack them: whole, cut, several members, without a header, and one that grows too much."""
    body = b'{"message":"hello"}\n' * 20
    bare = zlib.compressobj(wbits=-15)
    raw = bare.compress(body) + bare.flush()
    packed = [gzip.compress(body), zlib.compress(body), gzip.compress(body) * 2, raw, gzip.compress(b" " * 3_000_000)]
    return [*packed, *(each[:-5] for each in packed), body]


CONTROL = tuple(
    json.dumps(request).encode() + b"\n"
    for request in (
        {"command": "redact", "seqs": [[1, 2]], "reason": "r"},
        {"command": "redact", "filter": {"actor": "alice", "since": 1, "unmatched": True}, "reason": "r"},
        {"command": "hold-add", "filter": {"app": "sshd"}, "reason": "r"},
        {"command": "hold-remove", "hold": 1},
        {"command": "note", "action": "log.query", "data": {"command": "query", "asked": {"actor": "x"}}},
        {"command": "prune"},
        {"command": "checkpoint"},
        {"command": "status"},
        {"command": "note", "action": "log.query", "data": {"x": "\ud800"}},
        {"command": "hold-add", "filter": {"since": 2**63}, "reason": "\udcff"},
        {"command": "hold-remove", "hold": 2**64},
    )
)


class Evidence:
    """A small signed log: its verifier key, and the files an auditor may be given."""

    def __init__(self) -> None:
        from receiver.key_files import KeyFolder
        from receiver.verify.proving import prove_consistency, prove_event
        from tests.kit.logs import make_log

        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store"
            signed = make_log(store, 40, segment=16)
            keys = KeyFolder(Path(folder) / "keys", store)
            self.key: VerifierKey = keys.load().log.verifier
            self.checkpoint = keys.checkpoint.read_bytes()
            private = keys.log_key.read_bytes()
            size = signed[-1].size
            self.growth = prove_consistency(store, size // 3, size)
            proofs = [prove_event(store, seq) for seq in (0, 5, 20)]
        self.files = [*proofs, self.growth, self.checkpoint, private, str(self.key).encode()]


@cache
def evidence() -> Evidence:
    """Make it once."""
    return Evidence()
