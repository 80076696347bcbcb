"""Sockets that systemd holds: by its own systemd-socket-activate, and as a socket unit passes them."""

from __future__ import annotations

import socket
import sys
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest

from tests.kit.process import ReceiverProcess, free_ports, wait_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

pytestmark = pytest.mark.system

PASS_SOCKETS = """\
import os, sys
fds, names, *command = sys.argv[1:]
for number, fd in enumerate(fds.split(",")):
    os.dup2(int(fd), 200 + number)
for number in range(len(fds.split(","))):
    os.dup2(200 + number, 3 + number)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(fds.split(","))), LISTEN_FDNAMES=names)
os.execvp(command[0], command)
"""
"""What PID 1 does between fork and exec (sd_listen_fds(3))."""


def doors(*listeners: tuple[str, str]) -> list[dict[str, str]]:
    """Listeners whose own address is not the socket's: only the inherited one can bring anything."""
    other = free_ports(len(listeners))
    return [
        {"name": name, "type": kind, "listen": f"127.0.0.1:{port}"}
        for (name, kind), port in zip(listeners, other, strict=True)
    ]


def held_sockets(stack: ExitStack) -> tuple[socket.socket, socket.socket]:
    """A stream and a datagram socket on one port: one that the kernel gives to nobody who asks for any."""
    address = ("127.0.0.1", free_ports(1)[0])
    stream = stack.enter_context(socket.create_server(address))
    datagram = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    datagram.bind(address)
    return stream, datagram


def start_with(receiver: ReceiverProcess, sockets: Sequence[socket.socket], names: Sequence[str]) -> None:
    receiver.write_config()
    for sock in sockets:
        sock.set_inheritable(True)
    fds = ",".join(str(sock.fileno()) for sock in sockets)
    receiver.spawn([sys.executable, "-c", PASS_SOCKETS, fds, ":".join(names), *receiver.command], close_fds=False)


@pytest.mark.senders
@pytest.mark.parametrize("kind", ["udp", "tcp"])
def test_started_by_systemd_socket_activate(socket_activate: str, tmp_path: Path, kind: str) -> None:
    # The first message starts it, and is not lost.
    (port,) = free_ports(1)
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver", listeners=doors(("syslog", kind)))
    receiver.write_config()
    datagram = ["--datagram"] if kind == "udp" else []
    with receiver:
        receiver.spawn(
            [socket_activate, *datagram, f"--listen=127.0.0.1:{port}", "--fdname=syslog", *receiver.command]
        )
        send_when_open(kind, port, tmp_path / "receiver")
        (event,) = receiver.wait_events(1)
        assert receiver.stop() == 0, receiver.log
    assert (event["message"], event["listener"], event["transport"]) == ("wake up", "syslog", kind)


def send_when_open(kind: str, port: int, folder: Path) -> None:
    """Send once systemd-socket-activate says that it listens."""
    wait_for(lambda: b"Listening on" in (folder / "receiver.log").read_bytes(), what="systemd-socket-activate")
    number = socket.SOCK_DGRAM if kind == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, number) as sock:
        sock.connect(("127.0.0.1", port))
        sock.sendall(b"<13>1 - - app - - - wake up\n" if kind == "tcp" else b"<13>1 - - app - - - wake up")


def test_one_unit_gives_one_name_to_a_stream_and_a_datagram_socket(tmp_path: Path) -> None:
    # As audit-receiver-syslog.socket does: the kind of the socket tells which listener it is for.
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver", listeners=doors(("syslog", "udp"), ("syslog", "tcp")))
    with ExitStack() as stack:
        stream, datagram = held_sockets(stack)
        stack.enter_context(receiver)
        start_with(receiver, (datagram, stream), ("syslog", "syslog"))
        with closing(socket.create_connection(stream.getsockname())) as sock:
            sock.sendall(b"<13>1 - - app - - - by stream\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"<13>1 - - app - - - by datagram", datagram.getsockname())
        receiver.wait_ready()
        events = receiver.wait_events(2)
        assert receiver.stop() == 0, receiver.log
    assert {(event["message"], event["transport"]) for event in events} == {
        ("by stream", "tcp"), ("by datagram", "udp"),
    }  # fmt: skip


def test_what_is_sent_during_a_restart_waits_in_the_held_sockets(tmp_path: Path) -> None:
    # Sockets outlive the process: nobody is refused while it is away, nothing is lost.
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver", listeners=doors(("syslog", "udp"), ("syslog", "tcp")))
    with ExitStack() as stack:
        stream, datagram = held_sockets(stack)
        stack.enter_context(receiver)
        start_with(receiver, (datagram, stream), ("syslog", "syslog"))
        receiver.wait_ready()
        assert receiver.stop() == 0, receiver.log
        with closing(socket.create_connection(stream.getsockname())) as sock:
            sock.sendall(b"<13>1 - - app - - - by stream\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"<13>1 - - app - - - by datagram", datagram.getsockname())
        start_with(receiver, (datagram, stream), ("syslog", "syslog"))
        receiver.wait_ready()
        events = receiver.wait_events(2)
        assert receiver.stop() == 0, receiver.log
    assert {event["message"] for event in events} == {"by stream", "by datagram"}


def test_a_dual_stack_socket_shows_ipv4_senders_as_ipv4(tmp_path: Path) -> None:
    # BindIPv6Only=both: the kernel says ::ffff:127.0.0.1, while `allow` and the log mean 127.0.0.1.
    listeners = [{**door, "allow": ["127.0.0.0/8"]} for door in doors(("syslog", "udp"), ("syslog", "tcp"))]
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver", listeners=listeners)
    with ExitStack() as stack:
        (port,) = free_ports(1)
        stream = stack.enter_context(
            socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
        )
        datagram = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
        datagram.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        datagram.bind(("::", port))
        stack.enter_context(receiver)
        start_with(receiver, (datagram, stream), ("syslog", "syslog"))
        receiver.wait_ready()
        with closing(socket.create_connection(("127.0.0.1", port))) as sock:
            sock.sendall(b"<13>1 - - app - - - by stream\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"<13>1 - - app - - - by datagram", ("127.0.0.1", port))
        events = receiver.wait_events(2)
        assert receiver.stop() == 0, receiver.log
    assert {(event["message"], event["peer"]) for event in events} == {
        ("by stream", "127.0.0.1"), ("by datagram", "127.0.0.1"),
    }  # fmt: skip


def test_a_socket_that_nobody_wants_is_an_error_that_names_it(tmp_path: Path) -> None:
    # Data would pile up there unread.
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver")
    with socket.create_server(("127.0.0.1", 0)) as stream, receiver:
        start_with(receiver, (stream,), ("sislog",))
        assert receiver.wait_exit() == 2
    assert "'sislog' (stream, 127.0.0.1:" in receiver.log
