"""What a listener is told: values only, handed over by the composition root from the config file.

Knows no socket and no YAML. A reload makes new values; nothing here changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from receiver import limits
from receiver.event import Transport

if TYPE_CHECKING:
    from datetime import tzinfo
    from pathlib import Path

Network = IPv4Network | IPv6Network

DATAGRAM = frozenset({Transport.UDP, Transport.UNIX_DGRAM})
UNIX = frozenset({Transport.UNIX_DGRAM, Transport.UNIX_STREAM})
BUILT = frozenset(
    {
        Transport.UDP,
        Transport.TCP,
        Transport.TLS,
        Transport.RELP,
        Transport.HTTP,
        Transport.UNIX_DGRAM,
        Transport.UNIX_STREAM,
    }
)
"""Types this room can open."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Certificate files (PEM) and who may come in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    """Set: clients must show a certificate of this authority."""
    permitted: tuple[str, ...] = ()
    """As `tls.Permitted` reads them; empty: whoever the authority signed."""


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """One entry of `listeners`."""

    name: str
    type: Transport
    listen: str
    """`host:port`, `[v6]:port`, `*:port`, or a path."""
    allow: tuple[Network, ...] | None = None
    """None: everyone."""
    zone: tzinfo | None = None
    zones: tuple[tuple[Network, tzinfo], ...] = ()
    """Zones of networks; the longest prefix wins over the others and over `zone`."""
    tls: TlsSettings | None = None
    tokens: tuple[Path, ...] = ()
    """Files with bearer tokens, for `http`; without any its clients must show a certificate."""
    proxy_protocol: tuple[Network, ...] = ()
    """Whose connections open with a PROXY header, always; nobody else's may."""


@dataclass(frozen=True, slots=True)
class ListenLimits:
    """Bounds of all listeners together; the defaults and their reasons are in `limits.py`."""

    message_bytes: int = limits.MESSAGE_BYTES
    half_read_bytes: int = limits.HALF_READ_BYTES
    gelf_assembly_bytes: int = limits.GELF_ASSEMBLY_BYTES
    line_idle_seconds: float = limits.LINE_IDLE_SECONDS
    connections: int = limits.CONNECTIONS
    connections_per_peer: int = limits.CONNECTIONS_PER_PEER
    idle_seconds: float = limits.IDLE_SECONDS
    """0: never."""
    rate_per_peer: float = limits.RATE_PER_PEER
    """0: any."""
    rate_floor: int = limits.RATE_FLOOR
    tls_handshake_seconds: float = limits.TLS_HANDSHAKE_SECONDS
    certificate_look_seconds: float = limits.CERTIFICATE_LOOK_SECONDS
    relp_answer_seconds: float = limits.RELP_ANSWER_SECONDS
    proxy_header_seconds: float = limits.PROXY_HEADER_SECONDS
    http_body_bytes: int = limits.HTTP_BODY_BYTES
    http_ratio: int = limits.HTTP_RATIO
    udp_receive_buffer_bytes: int = limits.UDP_RECEIVE_BUFFER_BYTES
