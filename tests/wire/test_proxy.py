"""The PROXY protocol: both versions however they are cut, what is none, and that nothing behind it is touched."""

from __future__ import annotations

import struct
from ipaddress import ip_address
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.errors import FramingReason
from receiver.wire.proxy import SIGNATURE, NoProxyHeader, ProxyHeader, Source, crc32c
from tests.kit.wire_cuts import cuttings

V4 = ip_address("192.0.2.7").packed + ip_address("198.51.100.1").packed + struct.pack("!HH", 51022, 6514)
V6 = ip_address("2001:db8::7").packed + ip_address("2001:db8::1").packed + struct.pack("!HH", 51022, 6514)
MAPPED = ip_address("::ffff:192.0.2.7").packed + ip_address("::1").packed + struct.pack("!HH", 9, 1)
UNIX = b"/run/a.sock".ljust(108, b"\0") + b"/run/b.sock".ljust(108, b"\0")
BAD, NONE = FramingReason.BAD_PROXY_HEADER, FramingReason.NO_PROXY_HEADER


def v2(kind: int, block: bytes = b"", *, command: int = 0x21, length: int | None = None) -> bytes:
    return SIGNATURE + struct.pack("!BBH", command, kind, len(block) if length is None else length) + block


def vector(kind: int, value: bytes) -> bytes:
    return struct.pack("!BH", kind, len(value)) + value


def with_checksum(kind: int, block: bytes, *, wrong: int = 0) -> bytes:
    """A header whose last vector is its CRC32c."""
    whole = v2(kind, block + vector(3, bytes(4)))
    return whole[:-4] + struct.pack("!I", crc32c(whole) ^ wrong)


class Case(NamedTuple):
    id: str
    header: bytes
    source: Source | None
    local: bool = False


CLIENT = Source("192.0.2.7", 51022)
CASES = [
    Case("tcp4", b"PROXY TCP4 192.0.2.7 198.51.100.1 51022 6514\r\n", CLIENT),
    Case("longest tcp4", b"PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
         Source("255.255.255.255", 65535)),
    Case("tcp6", b"PROXY TCP6 2001:DB8::7 2001:db8::1 0 1\r\n", Source("2001:db8::7", 0)),
    Case("longest tcp6", b"PROXY TCP6 " + b":".join([b"ffff"] * 8) + b" " + b":".join([b"ffff"] * 8)
         + b" 65535 65535\r\n", Source("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535)),
    Case("tcp6 mapped", b"PROXY TCP6 ::ffff:c000:207 ::1 51022 1\r\n", CLIENT),
    Case("unknown", b"PROXY UNKNOWN\r\n", None),
    Case("unknown with whatever", b"PROXY UNKNOWN a\nb\rc \xff\r\n", None),
    Case("longest unknown", b"PROXY UNKNOWN " + b"f" * 91 + b"\r\n", None),
    Case("v2 tcp4", v2(0x11, V4), CLIENT),
    Case("v2 tcp6", v2(0x21, V6), Source("2001:db8::7", 51022)),
    Case("v2 mapped", v2(0x21, MAPPED), Source("192.0.2.7", 9)),
    Case("v2 udp", v2(0x12, V4), None),
    Case("v2 unix", v2(0x31, UNIX), None),
    Case("v2 unspec", v2(0x00, b"whatever this is"), None),
    Case("v2 stream of no family", v2(0x01), None),
    Case("v2 local", v2(0x00, command=0x20), None, local=True),
    Case("v2 local with a block", v2(0xFF, V4 + b"\0", command=0x20), None, local=True),
    Case("v2 vectors", v2(0x11, V4 + vector(1, b"h2") + vector(4, b"") + vector(0x20, b"\1\0\0\0\0\x21\0\0")), CLIENT),
    Case("v2 checksum", with_checksum(0x11, V4 + vector(5, b"id")), CLIENT),
    Case("v2 longest", v2(0x11, V4 + vector(4, bytes(limits.PROXY_HEADER_BYTES - 16 - 12 - 3))), CLIENT),
]  # fmt: skip

WRONG = {
    "text": (b"<13>hello\n", NONE),
    "tls": (b"\x16\x03\x01\x02\x00", NONE),
    "small letters": (b"proxy TCP4", NONE),
    "no space": (b"PROXY\r\n", NONE),
    "nearly version 2": (SIGNATURE[:-1] + b"\r", NONE),
    "lone LF": (b"PROXY TCP4 192.0.2.7 198.51.100.1 51022 6514\n".ljust(107), BAD),
    "LF inside": (b"PROXY TCP4 192.0.2.7 198.51.100.1 51022 6514\n\r\n", BAD),
    "too long": (b"PROXY UNKNOWN " + b"f" * 92 + b"\r\n", BAD),
    "no addresses": (b"PROXY TCP4\r\n", BAD),
    "two spaces": (b"PROXY TCP4  192.0.2.7 198.51.100.1 1 2\r\n", BAD),
    "trailing": (b"PROXY TCP4 192.0.2.7 198.51.100.1 1 2 \r\n", BAD),
    "other family": (b"PROXY TCP4 ::1 ::1 1 2\r\n", BAD),
    "mixed families": (b"PROXY TCP6 ::1 198.51.100.1 1 2\r\n", BAD),
    "leading zero": (b"PROXY TCP4 192.0.02.7 198.51.100.1 1 2\r\n", BAD),
    "no address": (b"PROXY TCP4 192.0.2 198.51.100.1 1 2\r\n", BAD),
    "port too large": (b"PROXY TCP4 192.0.2.7 198.51.100.1 1 65536\r\n", BAD),
    "port with zero": (b"PROXY TCP4 192.0.2.7 198.51.100.1 01 2\r\n", BAD),
    "negative port": (b"PROXY TCP4 192.0.2.7 198.51.100.1 -1 2\r\n", BAD),
    "udp in text": (b"PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n", BAD),
    "unknown with more": (b"PROXY UNKNOWNX\r\n", BAD),
    "version 1 in binary": (v2(0x11, V4, command=0x11), BAD),
    "version 3": (v2(0x11, V4, command=0x31), BAD),
    "command 2": (v2(0x11, V4, command=0x22), BAD),
    "family 4": (v2(0x41, V4), BAD),
    "transport 3": (v2(0x13, V4), BAD),
    "short block": (v2(0x11, V4[:11]), BAD),
    "short block of v6": (v2(0x21, V4), BAD),
    "too long a block": (v2(0x11, length=limits.PROXY_HEADER_BYTES - 15), BAD),
    "longest block": (v2(0x11, length=65_535), BAD),
    "half a vector's head": (v2(0x11, V4 + b"\4\0"), BAD),
    "half a vector": (v2(0x11, V4 + b"\4\0\5abcd"), BAD),
    "wrong checksum": (with_checksum(0x11, V4, wrong=1), BAD),
    "short checksum": (v2(0x11, V4 + vector(3, b"abc")), BAD),
    "two checksums": (v2(0x11, V4 + vector(3, bytes(4)) * 2), BAD),
}


def run(chunks: list[bytes]) -> tuple[ProxyHeader, bytes]:
    header = ProxyHeader()
    rest = b""
    for chunk in chunks:
        rest += header.feed(chunk)
        assert header.held_bytes <= limits.PROXY_HEADER_BYTES + len(chunk)
    return header, rest


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_header_however_it_is_cut(case: Case) -> None:
    # Whole, byte by byte, at random, with what follows in the same read; and truncated at every byte it is not done.
    for rest in (b"", b"<13>hello\n", SIGNATURE, b"PROXY TCP4 1.1.1.1 1.1.1.1 1 1\r\n"):
        for chunks in cuttings(case.header + rest):
            header, behind = run(chunks)
            assert (header.done, header.error, header.source, header.local, behind) == (
                True, None, case.source, case.local, rest,
            )  # fmt: skip
            assert header.held_bytes == 0
            assert header.close() == b""
            assert header.error is None
    for end in range(len(case.header)):
        header, behind = run([case.header[:end]])
        assert (header.done, header.error, behind) == (False, None, b"")
        assert header.close() == b""
        assert (header.error is not None) == (end > 0)


@pytest.mark.parametrize(("stream", "reason"), WRONG.values(), ids=WRONG.keys())
def test_what_is_no_header_loses_the_connection(stream: bytes, reason: FramingReason) -> None:
    # Said as soon as it is sure, once; nothing of it is given on, and nothing after it looked at.
    for chunks in cuttings(stream):
        header, behind = run(chunks)
        assert header.error is not None
        assert (header.error.reason, header.source, header.done, behind) == (reason, None, False, b"")
        assert header.feed(CASES[0].header) == b""
        assert header.held_bytes == 0


def test_the_checksum_is_castagnolis() -> None:
    # The check value of CRC-32C, and RFC 3720 B.4's of 32 zeros.
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_header_from_somebody_who_is_not_trusted_is_found(case: Case) -> None:
    # Never honoured: the connection is lost, whatever the header says.
    for chunks in cuttings(case.header + b"<13>hello\n"):
        guard = NoProxyHeader()
        assert b"".join(map(guard.feed, chunks)) == b""
        assert guard.error is not None
        assert guard.error.reason is FramingReason.UNTRUSTED_PROXY_HEADER
        assert guard.close() == b""


@given(st.lists(st.binary(max_size=20) | st.sampled_from([b"PRO", b"XY ", b"TCP", b"\r\n", b"\r\n\0\r\nQUIT"])))
def test_everything_else_passes_unchanged(chunks: list[bytes]) -> None:
    # A guard holds back a few bytes at most, and gives them at the end.
    guard = NoProxyHeader()
    passed = b""
    for chunk in chunks:
        passed += guard.feed(chunk)
        assert guard.held_bytes <= 14
    passed += guard.close()
    stream = b"".join(chunks)
    assert passed == stream if guard.error is None else stream.startswith((SIGNATURE, b"PROXY "))
    assert (guard.local, guard.source) == (False, None)


@given(stream=st.binary(max_size=200) | st.binary(max_size=60).map(lambda rest: v2(0x11, V4 + rest)), data=st.data())
def test_cuts_change_nothing(stream: bytes, data: st.DataObject) -> None:
    # Any bytes: the same source, error and rest as in one read; nothing raises.
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[low:high] for low, high in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    (one, rest), (other, other_rest) = run([stream]), run(chunks)
    assert (one.done, one.source, rest) == (other.done, other.source, other_rest)
    assert str(one.error) == str(other.error)


@given(
    source=st.ip_addresses(), port=st.integers(0, 65_535), vectors=st.lists(st.binary(max_size=40), max_size=4),
    checksum=st.booleans(),
)  # fmt: skip
def test_what_a_proxy_builds_is_read_back(source, port: int, vectors: list[bytes], checksum: bool) -> None:
    # Both versions say the same of any address.
    kind = 0x11 if source.version == 4 else 0x21
    block = source.packed * 2 + struct.pack("!HH", port, 1) + b"".join(vector(0xE0, value) for value in vectors)
    binary = with_checksum(kind, block) if checksum else v2(kind, block)
    text = f"PROXY TCP{source.version} {source} {source} {port} 1\r\n".encode()
    shown = str(getattr(source, "ipv4_mapped", None) or source)
    for stream in (binary, text):
        header, rest = run([stream + b"x"])
        assert (header.source, rest) == (Source(shown, port), b"x")
