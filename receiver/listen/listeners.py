"""All listeners of the process: opened together or not at all, started, reloaded, stopped.

Knows settings, sockets and the kinds of listeners; does not know how a kind reads.
"""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from receiver import limits
from receiver.errors import ConfigError
from receiver.event import Transport
from receiver.listen.activation import Inherited, assign
from receiver.listen.address import open_sockets, remove_path
from receiver.listen.complaints import Complaints
from receiver.listen.datagram import DatagramListener
from receiver.listen.half_read import HalfRead
from receiver.listen.peers import Seats
from receiver.listen.rates import Rates
from receiver.listen.room import IntakeLike, Room
from receiver.listen.settings import BUILT, DATAGRAM, UNIX, ListenerSettings, ListenLimits
from receiver.listen.stream_listener import StreamListener
from receiver.listen.tls import TlsKeeper, stamp_of
from receiver.listen.tokens import Tokens

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from receiver.counters import ListenerCounters

Listener = StreamListener | DatagramListener


class ListenerStatus(NamedTuple):
    """For readiness."""

    up: bool
    trouble: str | None
    addresses: tuple[str, ...]
    """As bound: with the port the kernel chose, if it was asked to."""


class _Door(NamedTuple):
    """One listener, and which socket paths are ours to remove."""

    listener: Listener
    paths: tuple[tuple[str, int], ...]


class Listeners:
    """What `open_listeners` opened. Two of one name (a stream and a datagram one) are told apart as `name-type`."""

    def __init__(self, room: Room) -> None:
        self.counters: dict[str, ListenerCounters] = {}
        """By name; a listener that a reload took away stays, for counters never go back."""
        self.types: dict[str, Transport] = {}
        self._room = room
        self._doors: dict[str, _Door] = {}
        self._started = False

    @property
    def certificate_not_after(self) -> dict[str, float]:
        """Unix time at which the certificate in use ends, by name of the TLS listeners."""
        keepers = {name: door.listener.keeper for name, door in self._doors.items()}
        return {name: keeper.not_after for name, keeper in keepers.items() if keeper is not None}

    def status(self) -> dict[str, ListenerStatus]:
        """Say of each listener whether it takes what is sent to it."""
        found = {}
        for name, (listener, _) in self._doors.items():
            trouble = listener.trouble if self._started else "not started"
            found[name] = ListenerStatus(trouble is None, trouble, tuple(map(_address_text, listener.sockets)))
        return found

    def refresh(self) -> None:
        """Bring up to date what only the kernel knows; for a scrape."""
        for listener, _ in self._doors.values():
            listener.refresh()

    async def start(self) -> None:
        """Read from now on."""
        self._started = True
        for listener, _ in self._doors.values():
            await listener.start()

    async def stop(self, drain_seconds: float = limits.STOP_DRAIN_SECONDS) -> None:
        """Take in nothing new, read what the kernel holds at this moment, close. The intake must be open till then."""
        until = asyncio.get_running_loop().time() + drain_seconds
        await asyncio.gather(*(_stop(door, until) for door in self._doors.values()))
        self._room.half_read.close()
        self._doors.clear()
        self._started = False

    async def reload(self, settings: Sequence[ListenerSettings]) -> None:
        """Go over to new settings: open doors stay open, certificates are read again for new handshakes.

        Raises ConfigError with everything as it was. A door that keeps its name but changes its address is closed and
        opened. An address stays with its listener: open connections count and are named by it.
        """
        wanted = _by_name(settings)
        kept = {name for name, new in wanted.items() if name in self._doors and _same_door(self._doors[name], new)}
        keepers = {name: self._renewed(name, wanted[name]) for name in kept}
        new_doors = {name: new for name, new in wanted.items() if name not in kept}
        self._refuse_held_addresses(new_doors)
        added = _open(new_doors, {}, self._room)
        gone = {name: self._doors.pop(name) for name in set(self._doors) - kept}
        for name in kept:
            listener = self._doors[name].listener
            listener.settings = wanted[name]
            if isinstance(listener, StreamListener):
                listener.keeper, listener.tokens = keepers[name]
        for name, door in added.items():
            self._add(name, door)
            if self._started:
                await door.listener.start()
        until = asyncio.get_running_loop().time() + limits.STOP_DRAIN_SECONDS
        await asyncio.gather(*(_stop(door, until) for door in gone.values()))

    def _renewed(self, name: str, new: ListenerSettings) -> tuple[TlsKeeper | None, Tokens | None]:
        """Read certificate and tokens for a door that stays open. Raises ConfigError; a bad certificate is counted."""
        listener = self._doors[name].listener
        stamp = stamp_of(new.tls) if new.tls is not None else None
        try:
            keeper = _keeper(new)
        except ConfigError:
            if stamp is not None and isinstance(listener, StreamListener):
                listener.refuse_certificate(stamp)
            raise
        return keeper, _tokens(new)

    def _refuse_held_addresses(self, new_doors: Mapping[str, ListenerSettings]) -> None:
        """Raise ConfigError for an address that a door of ours has open under another name, or as another type."""
        for name, new in new_doors.items():
            for door in self._doors.values():
                old = door.listener.settings
                if old.listen == new.listen and not old.listen.endswith(":0") and _meet(old, new):
                    what = f"type {new.type}" if old.type is not new.type else f'name "{name}"'
                    raise ConfigError(
                        f"listener {old.name}: {old.listen} stays open as it is: its new {what} needs a restart"
                    )

    def _add(self, name: str, door: _Door) -> None:
        counters = self.counters.setdefault(name, door.listener.counters)
        door.listener.counters = counters
        self.types[name] = door.listener.settings.type
        self._doors[name] = door


def open_listeners(
    settings: Sequence[ListenerSettings],
    intake: IntakeLike,
    bounds: ListenLimits | None = None,
    inherited: Sequence[Inherited] = (),
    complaints: Complaints | None = None,
) -> Listeners:
    """Bind all sockets and read all certificates; to be called on the event loop, which reads after `start`.

    inherited: from `activation.inherited_sockets()`; a listener that has some binds none of its own.
    Raises ConfigError, and leaves nothing open of what it opened itself.
    """
    bounds = bounds or ListenLimits()
    loop = asyncio.get_running_loop()
    half_read = HalfRead(loop, bounds.half_read_bytes, bounds.line_idle_seconds)
    seats = Seats(bounds.connections, bounds.connections_per_peer)
    rates = Rates(bounds.rate_per_peer, bounds.rate_floor, loop.time) if bounds.rate_per_peer else None
    room = Room(intake, half_read, seats, complaints or Complaints(), bounds, rates)
    listeners = Listeners(room)
    wanted = _by_name(settings)
    names = list(wanted)
    given = {names[index]: socks for index, socks in assign(inherited, wanted.values()).items()}
    for name, door in _open(wanted, given, room).items():
        listeners._add(name, door)  # noqa: SLF001 - this function is its constructor
    return listeners


def _by_name(settings: Sequence[ListenerSettings]) -> dict[str, ListenerSettings]:
    """Give each a name of its own."""
    count: dict[str, int] = {}
    for one in settings:
        count[one.name] = count.get(one.name, 0) + 1
    named: dict[str, ListenerSettings] = {}
    for one in settings:
        name = one.name if count[one.name] == 1 else f"{one.name}-{one.type}"
        if name in named:
            raise ConfigError(f"listener {one.name}: two of type {one.type} have this name")
        named[name] = one
    return named


def _open(
    wanted: Mapping[str, ListenerSettings],
    given: Mapping[str, Sequence[socket.socket]],
    room: Room,
) -> dict[str, _Door]:
    doors: dict[str, _Door] = {}
    try:
        for name, settings in wanted.items():
            doors[name] = _open_one(settings, given.get(name, ()), room)
    except ConfigError:
        for door in doors.values():
            _close(door)
        raise
    return doors


def _open_one(settings: ListenerSettings, given: Sequence[socket.socket], room: Room) -> _Door:
    if settings.type not in BUILT:
        raise ConfigError(f"listener {settings.name}: type {settings.type} is not known to this version")
    keeper, tokens = _keeper(settings), _tokens(settings)  # before the sockets: they may refuse
    sockets = given or open_sockets(settings, room.bounds.udp_receive_buffer_bytes)
    own_paths = [] if given else [s.getsockname() for s in sockets if s.family == socket.AF_UNIX]
    paths = tuple((path, Path(path).lstat().st_ino) for path in own_paths)
    if settings.type in DATAGRAM:
        return _Door(DatagramListener(settings, sockets, room), paths)
    return _Door(StreamListener(settings, sockets, room, keeper, tokens), paths)


def read_secrets(settings: ListenerSettings) -> None:
    """Read certificates and tokens as a listener does at its start, and forget them. Raises ConfigError."""
    _keeper(settings)
    _tokens(settings)


def _keeper(settings: ListenerSettings) -> TlsKeeper | None:
    if settings.type not in {Transport.TLS, Transport.RELP, Transport.HTTP}:
        return None
    if settings.tls is None and settings.type is not Transport.TLS:
        return None
    if settings.tls is None:
        raise ConfigError(f"listener {settings.name}: type tls needs tls.certificate and tls.key")
    return TlsKeeper(settings.name, settings.tls)


def _tokens(settings: ListenerSettings) -> Tokens | None:
    if settings.type is not Transport.HTTP:
        return None
    if settings.tokens:
        return Tokens(settings.name, settings.tokens)
    if settings.tls is None or settings.tls.client_ca is None:
        raise ConfigError(f"listener {settings.name}: type http needs tokens, or tls.client_ca")
    return None


def _same_door(door: _Door, new: ListenerSettings) -> bool:
    old = door.listener.settings
    return (old.type, old.listen) == (new.type, new.listen)


def _meet(old: ListenerSettings, new: ListenerSettings) -> bool:
    """Say if the kernel has one place for both: streams and datagrams have ports of their own, but paths in common."""
    return new.type in UNIX or (old.type in DATAGRAM) == (new.type in DATAGRAM)


async def _stop(door: _Door, until: float) -> None:
    await door.listener.stop(until)
    _close(door)


def _close(door: _Door) -> None:
    for sock in door.listener.sockets:
        sock.close()
    for path, inode in door.paths:
        with suppress(OSError):
            remove_path(path, inode)


def _address_text(sock: socket.socket) -> str:
    if sock.fileno() < 0:
        return "closed"
    address = sock.getsockname()
    if not isinstance(address, tuple):
        return str(address)
    host, port = address[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
