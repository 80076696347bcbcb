"""Who delivers: the text of an address, whether it may come in, which zone its clock is in, how many seats it has.

Knows addresses and networks; no socket, no name service.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from receiver.counters import RejectReason

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from receiver.listen.settings import ListenerSettings, Network

_MAPPED = "::ffff:"


def peer_text(host: str) -> str:
    """Write an address as the log shows it: IPv4-mapped IPv6 as IPv4, without scope."""
    if host.startswith(_MAPPED) and "." in host:
        return host[len(_MAPPED) :]
    return host.partition("%")[0]


def is_allowed(peer: str, networks: Iterable[Network] | None) -> bool:
    """Say if the address is in one of the networks. None: everyone."""
    if networks is None:
        return True
    address = ip_address(peer)
    return any(address in network for network in networks)


def zone_of(peer: str, settings: ListenerSettings) -> tzinfo | None:
    """Find the zone of the smallest network the peer is in, else the listener's."""
    if not settings.zones:
        return settings.zone
    address = ip_address(peer)
    matching = [(network.prefixlen, zone) for network, zone in settings.zones if address in network]
    return max(matching, key=lambda found: found[0])[1] if matching else settings.zone


class Seats:
    """How many connections are open, in all and by peer. One for the whole room: files are what is scarce."""

    def __init__(self, total: int, per_peer: int) -> None:
        self._total = total
        self._per_peer = per_peer
        self._by_peer: dict[str, int] = {}
        self.taken = 0

    def take(self, peer: str | None) -> RejectReason | None:
        """Take a seat; or say why there is none. None: whose it is will be said by `name`."""
        if self.taken >= self._total:
            return RejectReason.TOO_MANY
        reason = None if peer is None else self.name(peer)
        if reason is None:
            self.taken += 1
        return reason

    def name(self, peer: str) -> RejectReason | None:
        """Say whose a seat is that was taken without a name; or why that peer can have no more."""
        held = self._by_peer.get(peer, 0)
        if held >= self._per_peer:
            return RejectReason.TOO_MANY_PER_PEER
        self._by_peer[peer] = held + 1
        return None

    def leave(self, peer: str | None) -> None:
        """Give back a seat, named or not."""
        self.taken -= 1
        if peer is None:
            return
        self._by_peer[peer] -= 1
        if not self._by_peer[peer]:
            del self._by_peer[peer]
