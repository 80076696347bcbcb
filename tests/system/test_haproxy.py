"""haproxy in front, as teams have it: PROXY headers, TLS passed through, its health checks."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from tests.kit.certificates import Authority
from tests.kit.process import ReceiverProcess, free_ports, running, wait_for
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_life import own_acts

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.senders]

FEW = {"connections": 500}
"""Fewer than there may be open files anywhere, which the receiver would warn of."""

HAPROXY = """
global
    nbthread 1
defaults
    mode tcp
    timeout connect 10s
    timeout check 10s
    timeout client 60s
    timeout server 60s
listen l
    bind 127.0.0.1:{front}
    server receiver 127.0.0.1:{back} {options} check inter 200ms fall 1000
"""


def haproxy_command(haproxy: str, folder: Path, front: int, back: int, options: str) -> list[str]:
    folder.mkdir(exist_ok=True)
    file = folder / "haproxy.cfg"
    file.write_text(HAPROXY.format(front=front, back=back, options=options))
    return [haproxy, "-db", "-f", str(file)]


def probes(receiver: ReceiverProcess, name: str) -> float:
    return receiver.metrics()[f'audit_receiver_connections_probed_total{{listener="{name}"}}']


def connect_from(host: str, port: int) -> socket.socket:
    """Be another client: loopback has 16 million addresses. haproxy may still be starting."""

    def attempt() -> socket.socket | None:
        with contextlib.suppress(OSError):
            return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS, source_address=(host, 0))
        return None

    found: socket.socket = wait_for(attempt, what="haproxy")
    return found


@pytest.mark.parametrize("options", ["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])
def test_clients_behind_haproxy_keep_their_addresses(haproxy: str, tmp_path: Path, options: str) -> None:
    # The peer is the client's address and port, `allow` is about it, and haproxy's checks leave no trace but a count.
    front, back = free_ports(2)
    door = {
        "name": "behind", "type": "tcp", "listen": f"127.0.0.1:{back}", "proxy_protocol": ["127.0.0.1/32"],
        "allow": ["127.0.0.8/31"],
    }  # fmt: skip
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door, limits=FEW) as receiver:
        receiver.start()
        with running(haproxy_command(haproxy, tmp_path / "haproxy", front, back, options), tmp_path / "haproxy.log"):
            with connect_from("127.0.0.8", front) as one, connect_from("127.0.0.9", front) as other:
                for sock in (one, other):
                    sock.sendall(b"<13>1 - - app - - - from %d\n" % sock.getsockname()[1])
                ports = {one.getsockname()[1]: "127.0.0.8", other.getsockname()[1]: "127.0.0.9"}
                events = receiver.wait_events(2)
            assert {event["peer_port"]: event["peer"] for event in events} == ports
            assert {event["message"] for event in events} == {f"from {port}" for port in ports}
            assert receiver.log.count("WARNING") == 0
            with connect_from("127.0.0.10", front) as stranger:
                stranger.sendall(b"<13>1 - - app - - - not allowed\n")
                with contextlib.suppress(ConnectionError):
                    assert stranger.recv(1) == b""
            wait_for(lambda: probes(receiver, "behind") >= 2, what="health checks")
        metrics = receiver.metrics()
        assert metrics['audit_receiver_connections_rejected_total{listener="behind",reason="not_allowed"}'] == 1
        assert receiver.log.count("WARNING") == 1
        assert receiver.stored() == 2
        assert receiver.stop() == 0


@pytest.mark.parametrize("check", ["", "check-send-proxy", "check-send-proxy check-ssl verify none"])
def test_tls_passes_through_haproxy(haproxy: str, tmp_path: Path, check: str) -> None:
    # The PROXY header stands before the handshake; every kind of check, one that shows no certificate too, is quiet.
    authority = Authority(tmp_path)
    files, client = authority.issue("log.example.org"), authority.issue("web-1", "web-1.example.org")
    front, back = free_ports(2)
    tls = {"certificate": str(files.certificate), "key": str(files.key), "client_ca": str(authority.file)}
    door = {
        "name": "behind", "type": "tls", "listen": f"127.0.0.1:{back}", "tls": tls, "proxy_protocol": ["127.0.0.1/32"],
    }  # fmt: skip
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door, limits=FEW) as receiver:
        receiver.start()
        command = haproxy_command(haproxy, tmp_path / "haproxy", front, back, f"send-proxy-v2 {check}")
        with running(command, tmp_path / "haproxy.log"):
            wait_for(lambda: probes(receiver, "behind") >= 2, what="health checks")
            with (
                connect_from("127.0.0.8", front) as plain,
                authority.client_context(client).wrap_socket(plain) as sock,
            ):
                port = sock.getsockname()[1]
                sock.sendall(b"<13>1 - - app - - - through\n")
                (event,) = receiver.wait_events(1)
        assert (event["peer"], event["peer_port"]) == ("127.0.0.8", port)
        assert "web-1.example.org" in event["peer_identity"]
        assert "WARNING" not in receiver.log
        assert receiver.stop() == 0
    assert own_acts(receiver, "detect.alert") == []


def test_haproxy_in_front_of_a_door_that_does_not_know_it(
    haproxy: str, receiver: ReceiverProcess, tmp_path: Path
) -> None:
    # A load balancer whose headers nobody allowed is found by the journal, not by its address on every event.
    (front,) = free_ports(1)
    command = haproxy_command(haproxy, tmp_path / "haproxy", front, receiver.port, "send-proxy-v2")
    with running(command, tmp_path / "haproxy.log"), connect_from("127.0.0.8", front) as sock:
        sock.sendall(b"<13>1 - - app - - - hello\n")
        with contextlib.suppress(ConnectionError):
            assert sock.recv(1) == b""
        wait_for(lambda: "untrusted proxy header" in receiver.log, what="the warning")
    assert receiver.stored() == 0
