"""A message as it would come through a listener's door, without the socket: what `explain` explains.

Knows which zone, pack and limit a message would meet, from the configuration where one is given: that of the first
listener of its transport. Without one, the built-in packs and the defaults hold.
"""

from __future__ import annotations

import time
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver import limits
from receiver.cli.when import now_us
from receiver.event import Origin, Transport
from receiver.normalize.address import parse_ip
from receiver.wire import gelf
from receiver.wire.detect import parse_frames
from receiver.wire.message import Cut, Defect

if TYPE_CHECKING:
    from datetime import tzinfo

    from receiver.config import Config, Listener
    from receiver.event import Event
    from receiver.normalize import Normalizer
    from receiver.wire.message import Message

LISTENER: Final = "explain"
_DATAGRAMS: Final = frozenset({Transport.UDP, Transport.UNIX_DGRAM})
_JSON: Final = "json"
"""Not a transport of its own: JSON over TCP, one object a frame."""


class Arrival(NamedTuple):
    """A parsed message, who brought it, and when."""

    message: Message
    origin: Origin
    received_at: int


class Doorway:
    """Takes messages as the listeners do."""

    def __init__(
        self,
        normalizer: Normalizer,
        config: Config | None = None,
        zone: tzinfo | None = None,
        received_at: int | None = None,
    ) -> None:
        self.normalizer = normalizer
        self.max_bytes = limits.MESSAGE_BYTES if config is None else config.limits.message_bytes
        self._config = config
        self._zone = zone
        self._received_at = received_at
        self._chunks = gelf.Reassembler()

    def event(self, raw: bytes, transport: str | None, peer: str | None) -> Event:
        """Make the event; raises ValueError where the line, not the message, makes no sense."""
        message, origin, received_at = self.arrival(raw, transport, peer)
        return self.normalizer.normalize([message], [origin], received_at)[0]

    def arrival(self, raw: bytes, transport: str | None, peer: str | None) -> Arrival:
        """Parse one message as it came; raises ValueError as above."""
        kind = Transport.TCP if transport in {None, _JSON} else _transport(transport)
        listener = self._listener(kind)
        address, port = split_peer(peer)
        origin = Origin(address, port, None, str(kind), LISTENER if listener is None else listener.name)
        received_at = now_us() if self._received_at is None else self._received_at
        frame = self._datagram(raw, origin) if kind in _DATAGRAMS else self._bounded(raw)
        message = parse_frames([frame], received_at, self._zone_for(listener, address))[0]
        return Arrival(message, origin, received_at)

    def _datagram(self, raw: bytes, origin: Origin) -> bytes:
        whole = self._chunks.feed(raw, (origin.peer, origin.peer_port), time.monotonic())
        if whole is None:
            raise ValueError("a GELF chunk: its message is not complete")
        return gelf.inflate(whole) if whole is not raw or gelf.is_compressed(raw) else self._bounded(raw)

    def _bounded(self, frame: bytes) -> bytes:
        if len(frame) <= self.max_bytes:
            return frame
        return Cut.of(frame[: self.max_bytes], Defect.TRUNCATED, len(frame))

    def _listener(self, kind: Transport) -> Listener | None:
        doors = () if self._config is None else self._config.listeners
        return next((door for door in doors if door.type.value == kind.value), None)

    def _zone_for(self, listener: Listener | None, peer: str | None) -> tzinfo | None:
        if self._zone is not None:
            return self._zone
        zone: tzinfo | None = None if listener is None else listener.zone
        networks: dict[Any, Any] = {} if self._config is None else self._config.zones
        try:
            address = ip_address(peer or "")
        except ValueError:
            return zone
        return next((there for network, there in networks.items() if address in network), zone)


def _transport(name: str | None) -> Transport:
    try:
        return Transport(name or "")
    except ValueError:
        known = ", ".join([*(str(kind) for kind in Transport if kind is not Transport.INTERNAL), _JSON])
        raise ValueError(f"unknown transport '{name}'; give one of {known}") from None


def split_peer(text: str | None) -> tuple[str | None, int | None]:
    """Split `ip`, `ip:port` or `[ip]:port`; anything else (a socket's path, a name) is taken whole."""
    if not text:
        return None, None
    host, colon, port = text.rpartition(":")
    is_pair = colon and port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= 65_535
    if is_pair and host and (":" not in host or (host.startswith("[") and host.endswith("]"))):
        return parse_ip(host) or host, int(port)
    return parse_ip(text) or text, None
