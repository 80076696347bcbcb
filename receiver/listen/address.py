"""From `listen: "host:port"` or a path to bound sockets.

Knows the forms of an address and the socket options each transport wants. Does not know who reads the sockets.
A name is resolved here, once, before anything is received; never later.

- `host:port`, `[v6]:port`: that address; an IPv6 socket takes IPv6 only, so both families can be configured apart.
- `*:port`: both families on one socket, IPv4 alone where the machine has no IPv6.
- a path: mode 0666, as /dev/log has: whoever may log locally may log here. A path left behind by a dead process is
  replaced; one that somebody listens on is not.
"""

from __future__ import annotations

import errno
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from receiver import limits
from receiver.errors import ConfigError
from receiver.listen.settings import DATAGRAM, UNIX, ListenerSettings

_UNIX_MODE = 0o666
_SO_RCVBUFFORCE = 33  # socket(7); Python has no name for it


def parse_host_port(listen: str) -> tuple[str, int]:
    """`"[::1]:514"` → `("::1", 514)`; host is `"*"` for all addresses. Raises ConfigError."""
    host, colon, port = listen.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        raise ConfigError(f"{listen!r}: an IPv6 address is written in brackets, [{host}]:{port}")
    if not (host and colon and port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise ConfigError(f'{listen!r} is not an address: "host:port", "[v6]:port" or "*:port" is expected')
    return host, int(port)


def open_sockets(settings: ListenerSettings, receive_buffer_bytes: int) -> list[socket.socket]:
    """Bind (and listen on) what `settings.listen` names: several sockets when a name has several addresses.

    Raises ConfigError with one line; nothing stays open then.
    """
    kind = socket.SOCK_DGRAM if settings.type in DATAGRAM else socket.SOCK_STREAM
    try:
        if settings.type in UNIX:
            return [_bind_path(Path(settings.listen), kind)]
        return _bind_host_port(settings.listen, kind, receive_buffer_bytes)
    except ConfigError as error:
        raise ConfigError(f"listener {settings.name}: {error}") from None
    except OSError as error:
        reason = error.strerror or str(error)
        if isinstance(error, PermissionError) and settings.type not in UNIX:
            reason += " (is audit-receiver-syslog.socket started, by which systemd opens ports below 1024?)"
        raise ConfigError(f"listener {settings.name}: cannot listen on {settings.listen}: {reason}") from error


def prepare(sock: socket.socket) -> None:
    """Set what every listening socket needs, ours or inherited from systemd."""
    sock.setblocking(False)
    sock.set_inheritable(False)
    if sock.family != socket.AF_UNIX and sock.type == socket.SOCK_STREAM:
        # Accepted sockets inherit these.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, limits.KEEPALIVE_SECONDS)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, limits.KEEPALIVE_SECONDS // 4)


def socket_path(sock: socket.socket) -> str:
    """Give the whole path of a Unix socket: what it was relative to, an event of it cannot say."""
    name = sock.getsockname()
    return os.path.abspath(name) if isinstance(name, str) and name else str(name)  # noqa: PTH100 - links stay


def remove_path(sock_path: str, inode: int) -> None:
    """Remove our own socket path at the end; not one that somebody else has put there since."""
    path = Path(sock_path)
    with suppress(FileNotFoundError):
        if path.lstat().st_ino == inode:
            path.unlink()


def _bind_host_port(listen: str, kind: socket.SocketKind, receive_buffer_bytes: int) -> list[socket.socket]:
    host, port = parse_host_port(listen)
    if host == "*":
        return [_bind_everywhere(port, kind, receive_buffer_bytes)]
    found = socket.getaddrinfo(host, port, type=kind, flags=socket.AI_PASSIVE)
    bound: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            bound.append(_bind(family, kind, address, receive_buffer_bytes))
    except OSError:
        for sock in bound:
            sock.close()
        raise
    return bound


def _bind_everywhere(port: int, kind: socket.SocketKind, receive_buffer_bytes: int) -> socket.socket:
    try:
        return _bind(socket.AF_INET6, kind, ("::", port), receive_buffer_bytes, v6only=False)
    except OSError as error:
        if error.errno not in {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL}:
            raise
    return _bind(socket.AF_INET, kind, ("0.0.0.0", port), receive_buffer_bytes)  # noqa: S104 - the operator wrote "*"


def _bind(
    family: int,
    kind: socket.SocketKind,
    address: object,
    receive_buffer_bytes: int,
    *,
    v6only: bool = True,
) -> socket.socket:
    sock = socket.socket(family, kind)
    try:
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(v6only))
        if kind == socket.SOCK_STREAM:
            # A restart must not wait for the last run's connections in TIME_WAIT. Not for datagrams: there it would
            # let a second process take our address and our messages.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        else:
            _ask_for_buffer(sock, receive_buffer_bytes)
        sock.bind(address)  # type: ignore[arg-type]
        prepare(sock)
        if kind == socket.SOCK_STREAM:
            sock.listen(limits.LISTEN_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _ask_for_buffer(sock: socket.socket, size_bytes: int) -> None:
    """Above `rmem_max` with CAP_NET_ADMIN, else up to it."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, size_bytes)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size_bytes)


def _bind_path(path: Path, kind: socket.SocketKind) -> socket.socket:
    _remove_stale(path, kind)
    sock = socket.socket(socket.AF_UNIX, kind)
    try:
        sock.bind(str(path))
        path.chmod(_UNIX_MODE)
        prepare(sock)
        if kind == socket.SOCK_STREAM:
            sock.listen(limits.LISTEN_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _remove_stale(path: Path, kind: socket.SocketKind) -> None:
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(f"{path} exists and is no socket")
    with socket.socket(socket.AF_UNIX, kind) as probe:
        probe.setblocking(False)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
        except OSError as error:
            # EAGAIN: its backlog is full; EPROTOTYPE: a socket of the other type. Somebody is there.
            raise ConfigError(f"{path}: another process listens there ({error.strerror})") from error
    raise ConfigError(f"{path}: another process listens there")
