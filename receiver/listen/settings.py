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
BUILT = frozenset({Transport.UDP, Transport.TCP, Transport.TLS, Transport.UNIX_DGRAM, Transport.UNIX_STREAM})
"""Types this room can open."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Certificate files (PEM) and who may come in."""

    certificate: Path
    key: Path
    client_ca: Path | None = None
    """Set: clients must show a certificate of this authority."""
    permitted: tuple[str, ...] = ()
    """Names (`web.example.org`, `*.example.org`) or fingerprints (`sha-256:…`); empty: whoever the authority signed."""


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


@dataclass(frozen=True, slots=True)
class ListenLimits:
    """Bounds of all listeners together; the defaults and their reasons are in `limits.py`."""

    message_bytes: int = limits.MESSAGE_BYTES
    half_read_bytes: int = limits.HALF_READ_BYTES
    line_idle_seconds: float = limits.LINE_IDLE_SECONDS
    connections: int = limits.CONNECTIONS
    connections_per_peer: int = limits.CONNECTIONS_PER_PEER
    tls_handshake_seconds: float = limits.TLS_HANDSHAKE_SECONDS
    udp_receive_buffer_bytes: int = limits.UDP_RECEIVE_BUFFER_BYTES
