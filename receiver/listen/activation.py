"""Sockets that systemd opened for us: sd_listen_fds(3).

Knows LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES and what a socket is; does not know what is read from it. A socket belongs
to the listener of the same name *and* kind (stream or datagram), for one socket unit gives one name to all of its
sockets. One that belongs to nobody is an error that names it: data would pile up there unread.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, NamedTuple

from receiver.errors import ConfigError
from receiver.listen.address import prepare
from receiver.listen.settings import DATAGRAM, UNIX, ListenerSettings

if TYPE_CHECKING:
    from collections.abc import Iterable, MutableMapping

_FIRST_FD = 3  # SD_LISTEN_FDS_START


class Inherited(NamedTuple):
    """One socket and the name its unit gave it."""

    name: str
    sock: socket.socket


def inherited_sockets(environ: MutableMapping[str, str] | None = None) -> list[Inherited]:
    """Take over what systemd passed to this very process, and clear the variables, so that no child believes them."""
    environ = os.environ if environ is None else environ
    pid, count, names = (environ.pop(f"LISTEN_{what}", "") for what in ("PID", "FDS", "FDNAMES"))
    if pid != str(os.getpid()) or not count.isdigit():
        return []
    named = names.split(":") if names else []
    found = []
    for index in range(int(count)):
        name = named[index] if index < len(named) else "unknown"
        try:
            sock = socket.socket(fileno=_FIRST_FD + index)
        except OSError as error:
            raise ConfigError(f"inherited file {name!r} (fd {_FIRST_FD + index}) is no socket: {error}") from error
        prepare(sock)
        found.append(Inherited(name, sock))
    return found


def assign(inherited: Iterable[Inherited], listeners: Iterable[ListenerSettings]) -> dict[int, list[socket.socket]]:
    """Position of the listener → its sockets. Raises ConfigError for a socket that nobody, or more than one, wants."""
    listeners = list(listeners)
    assigned: dict[int, list[socket.socket]] = {}
    for name, sock in inherited:
        wanting = [i for i, listener in enumerate(listeners) if listener.name == name and _fits(listener, sock)]
        if len(wanting) != 1:
            who = "no listener has" if not wanting else "more than one listener has"
            raise ConfigError(f"inherited socket {describe(name, sock)}: {who} this name and kind")
        assigned.setdefault(wanting[0], []).append(sock)
    return assigned


def describe(name: str, sock: socket.socket) -> str:
    """`'syslog' (stream, 0.0.0.0:514, fd 3)`, for an error line."""
    kind = "datagram" if sock.type == socket.SOCK_DGRAM else "stream"
    address = sock.getsockname()
    where = f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address)
    return f"{name!r} ({kind}, {where}, fd {sock.fileno()})"


def _fits(listener: ListenerSettings, sock: socket.socket) -> bool:
    wanted = socket.SOCK_DGRAM if listener.type in DATAGRAM else socket.SOCK_STREAM
    return sock.type == wanted and (sock.family == socket.AF_UNIX) == (listener.type in UNIX)
