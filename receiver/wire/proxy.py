"""The PROXY protocol, versions 1 and 2: who is behind a load balancer, said before anything else on a connection.

Knows the header as haproxy's proxy-protocol.txt defines it (§2.1 text, §2.2 binary), and bytes only: not whom to trust
(the listener decides that by networks, before it reads), not what follows. Its rule "MUST NOT try to guess whether the
header is present" has two readers here: `ProxyHeader` wants one and takes nothing else, `NoProxyHeader` wants none, and
finds one that nobody allowed. Nothing is raised; `error` is set, and the connection is lost.

Invariants: the result does not depend on how the bytes were cut into reads; no byte behind the header is touched; at
most PROXY_HEADER_BYTES are held.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

from receiver import limits
from receiver.errors import FramingError, FramingReason

SIGNATURE: Final = b"\r\n\r\n\x00\r\nQUIT\n"
"""First 12 bytes of version 2."""
_TEXT: Final = b"PROXY "
_TEXT_BYTES: Final = 107
"""§2.1: the longest line of version 1, with its CRLF."""
_FIXED_BYTES: Final = 16
"""§2.2: signature, version and command, family and transport, length."""

# "PROXY" SP ("TCP4" / "TCP6") SP source SP destination SP source-port SP destination-port; no leading zeros.
_PORT: Final = rb"(0|[1-9][0-9]{0,4})"
_LINE: Final = re.compile(rb"PROXY TCP([46]) ([0-9A-Fa-f:.]{2,39}) ([0-9A-Fa-f:.]{2,39}) " + _PORT + rb" " + _PORT)
_UNKNOWN: Final = re.compile(rb"PROXY UNKNOWN(?: .*)?", re.DOTALL)

_LOCAL, _PROXY = 0x20, 0x21
"""Version 2 and the command."""
_ADDRESS_BYTES: Final = {0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216}
"""Family and transport → length of both addresses with their ports."""
_TCP4, _TCP6 = 0x11, 0x21
_FAMILIES, _TRANSPORTS = range(4), range(3)
_TLV_HEAD_BYTES: Final = 3
_CRC32C: Final = 0x03
_CRC32C_BYTES: Final = 4
_PORT_MAX: Final = 65_535

# What tells an opening from other text; no other protocol we take begins like this.
_OPENINGS: Final = (SIGNATURE, b"PROXY TCP4 ", b"PROXY TCP6 ", b"PROXY UNKNOWN ", b"PROXY UNKNOWN\r\n")


class Source(NamedTuple):
    """Where a connection came from before the proxy."""

    host: str
    port: int


class ProxyHeader:
    """Reads the header that must open a connection: `feed` it until `done`; it returns what stands behind."""

    __slots__ = ("_held", "done", "error", "local", "source")

    def __init__(self) -> None:
        self.done = False
        self.error: FramingError | None = None
        self.source: Source | None = None
        """None when the connection's own addresses hold: LOCAL, or what the proxy could not name."""
        self.local = False
        """The proxy speaks for itself (a health check), not for a client."""
        self._held = bytearray()

    @property
    def held_bytes(self) -> int:
        """Bytes of a header that is not complete."""
        return len(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take the next read; return what does not belong to the header."""
        if self.done:
            return data
        if self.error is not None:
            return b""
        self._held += data
        held = self._held
        if held.startswith(SIGNATURE):
            end = self._read_binary()
        elif held.startswith(_TEXT):
            end = self._read_text()
        elif SIGNATURE.startswith(held) or _TEXT.startswith(held):
            return b""
        else:
            return self._fail(FramingReason.NO_PROXY_HEADER)
        if not end or self.error is not None:
            return b""
        self.done = True
        rest = bytes(held[end:])
        held.clear()
        return rest

    def close(self) -> bytes:
        """Take note of the end of the connection: what is half a header is none. Nothing of it is a message."""
        if self._held:
            self._fail(FramingReason.BAD_PROXY_HEADER)
        return b""

    # --- version 1 ---

    def _read_text(self) -> int:
        """Read the line, once it is whole; return where it ends."""
        end = self._held.find(b"\r\n", 0, _TEXT_BYTES)
        if end < 0:
            if len(self._held) >= _TEXT_BYTES:
                self._fail(FramingReason.BAD_PROXY_HEADER)
            return 0
        line = bytes(self._held[:end])
        if not _UNKNOWN.fullmatch(line):
            self.source = _source_of(line)
            if self.source is None:
                self._fail(FramingReason.BAD_PROXY_HEADER)
        return end + 2

    # --- version 2 ---

    def _read_binary(self) -> int:
        """Read the block, once it is whole; return where it ends."""
        held = self._held
        if len(held) < _FIXED_BYTES:
            return 0
        command, kind = held[12], held[13]
        end = _FIXED_BYTES + int.from_bytes(held[14:16], "big")
        if command not in {_LOCAL, _PROXY} or end > limits.PROXY_HEADER_BYTES:
            self._fail(FramingReason.BAD_PROXY_HEADER)
            return 0
        if len(held) < end:
            return 0
        if command == _LOCAL:
            self.local = True  # the rest of the block is to be discarded, its family included
        elif kind >> 4 not in _FAMILIES or kind & 15 not in _TRANSPORTS or not self._take_block(kind, end):
            self._fail(FramingReason.BAD_PROXY_HEADER)
        return end

    def _take_block(self, kind: int, end: int) -> bool:
        """Take addresses and check what follows them; False when they are wrong."""
        size = _ADDRESS_BYTES.get(kind)
        if size is None:
            return True  # UNSPEC: what the block holds is not for us
        block = bytes(self._held[:end])
        if len(block) < _FIXED_BYTES + size or not _are_vectors_good(block, _FIXED_BYTES + size):
            return False
        # Datagrams and Unix sockets name nobody whom the networks of a listener could name.
        if kind == _TCP4:
            self.source = Source(str(IPv4Address(block[16:20])), int.from_bytes(block[24:26], "big"))
        elif kind == _TCP6:
            self.source = Source(_ipv6_text(IPv6Address(block[16:32])), int.from_bytes(block[48:50], "big"))
        return True

    def _fail(self, reason: FramingReason) -> bytes:
        self.error = FramingError(reason)
        self.source = None
        self._held.clear()
        return b""


class NoProxyHeader:
    """Looks at the first bytes of a connection that may not open with a header; passes on everything else."""

    __slots__ = ("_held", "done", "error")

    local = False
    source: Source | None = None

    def __init__(self) -> None:
        self.done = False
        self.error: FramingError | None = None
        self._held = b""

    @property
    def held_bytes(self) -> int:
        """Bytes of what may become a header: 14 at most."""
        return len(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take the next read; return it, as soon as it can be no header."""
        if self.done or self.error is not None:
            return data if self.done else b""
        data = self._held + data
        self._held = b""
        if data.startswith(_OPENINGS):
            self.error = FramingError(FramingReason.UNTRUSTED_PROXY_HEADER)
            return b""
        if any(opening.startswith(data) for opening in _OPENINGS):
            self._held = data
            return b""
        self.done = True
        return data

    def close(self) -> bytes:
        """Give what was waited with: it was no header."""
        held, self._held = self._held, b""
        return held


def _source_of(line: bytes) -> Source | None:
    """Read a line of version 1 that names addresses; None when it does not match the protocol exactly."""
    match = _LINE.fullmatch(line)
    if match is None or max(int(match[4]), int(match[5])) > _PORT_MAX:
        return None
    try:
        source, target = (ip_address(match[group].decode()) for group in (2, 3))
    except ValueError:
        return None
    if {source.version, target.version} != {int(match[1])}:
        return None
    host = _ipv6_text(source) if isinstance(source, IPv6Address) else str(source)
    return Source(host, int(match[4]))


def _ipv6_text(address: IPv6Address) -> str:
    """Write it as the log shows it: an IPv4-mapped one as IPv4."""
    return str(address.ipv4_mapped or address)


def _are_vectors_good(block: bytes, start: int) -> bool:
    """Walk over the type-length-values behind the addresses: each whole, the checksum right where there is one."""
    checksum_at: list[int] = []
    while start < len(block):
        value = start + _TLV_HEAD_BYTES
        end = value + int.from_bytes(block[start + 1 : value], "big")
        if value > len(block) or end > len(block):
            return False
        if block[start] == _CRC32C:
            checksum_at.append(value)
            if end - value != _CRC32C_BYTES or len(checksum_at) > 1:
                return False
        start = end
    if not checksum_at:
        return True
    (at,) = checksum_at
    blank = block[:at] + bytes(_CRC32C_BYTES) + block[at + _CRC32C_BYTES :]
    return crc32c(blank).to_bytes(4, "big") == block[at : at + _CRC32C_BYTES]


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return tuple(table)


_CRC_TABLE: Final = _crc_table()


def crc32c(data: bytes) -> int:
    """Compute CRC32c (RFC 4960 appendix B; the polynomial of Castagnoli, reflected)."""
    value = 0xFFFF_FFFF
    for byte in data:
        value = value >> 8 ^ _CRC_TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFF_FFFF
