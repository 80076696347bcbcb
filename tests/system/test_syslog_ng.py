"""syslog-ng: its network() driver (RFC 3164, lines) and its syslog() driver (RFC 5424, counted)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.kit.process import ReceiverProcess, free_ports, running, wait_for
from tests.kit.tls_files import TlsFiles

if TYPE_CHECKING:
    from pathlib import Path

    from tests.kit.syslog_ng import SyslogNg

pytestmark = [pytest.mark.system, pytest.mark.senders]

LINES = (
    "<86>Oct 11 22:14:15 sshd[811]: Accepted publickey for dora from 2001:db8::7 port 4711 ssh2: ED25519 SHA256:x",
    "<85>Oct 11 22:14:16 su[99]: (to root) dora on pts/1",
)

CONFIG = """\
source local {{ unix-dgram("{folder}/log"); }};
destination receiver {{ {destination} }};
log {{ source(local); destination(receiver); }};
"""


class Case(NamedTuple):
    id: str
    destination: str
    transport: str
    format: str


CASES = [
    Case("network-udp", 'network("127.0.0.1" port({port}) transport("udp"));', "udp", "rfc3164"),
    Case("network-tcp", 'network("127.0.0.1" port({port}) transport("tcp"));', "tcp", "rfc3164"),
    Case("network-tcp-5424", 'network("127.0.0.1" port({port}) flags(syslog-protocol));', "tcp", "rfc5424"),
    Case("syslog-udp", 'syslog("127.0.0.1" port({port}) transport("udp"));', "udp", "rfc5424"),
    Case("syslog-tcp", 'syslog("127.0.0.1" port({port}) transport("tcp"));', "tcp", "rfc5424"),
]


def send(folder: Path, *lines: str) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        wait_for(lambda: sock.connect_ex(str(folder / "log")) == 0, what="syslog-ng's socket")
        for line in lines:
            sock.send(line.encode())


def relay(syslog_ng: SyslogNg, folder: Path, destination: str, receiver: ReceiverProcess) -> list[dict[str, object]]:
    """Send LINES through a syslog-ng of its own and give what was stored."""
    command = syslog_ng.command(folder, CONFIG.format(folder=folder, destination=destination))
    with running(command, folder / "syslog-ng.log", env=syslog_ng.environ):
        send(folder, *LINES)
        events = receiver.wait_events(len(LINES))
    return sorted(events, key=lambda event: str(event["app"]))


def assert_events(events: list[dict[str, object]], transport: str, format_: str) -> None:
    sshd, su = events
    assert {(event["transport"], event["format"], event["parse_status"]) for event in events} == {
        (transport, format_, "ok")
    }
    assert (sshd["actor"], sshd["action"], sshd["outcome"], sshd["source_ip"]) == (
        "dora", "auth.login", "success", "2001:db8::7",
    )  # fmt: skip
    assert (su["actor"], su["actor_as"], su["outcome"]) == ("dora", "root", "success")
    assert (sshd["pid"], su["pid"]) == ("811", "99")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_programs_log_arrives_through_syslog_ng(
    syslog_ng: SyslogNg, receiver: ReceiverProcess, tmp_path: Path, case: Case
) -> None:
    # Both drivers of syslog-ng, over both transports.
    destination = case.destination.format(port=receiver.port)
    assert_events(relay(syslog_ng, tmp_path / "ng", destination, receiver), case.transport, case.format)


def test_syslog_ng_forwards_over_tls_with_a_client_certificate(syslog_ng: SyslogNg, tmp_path: Path) -> None:
    # RFC 5425 as syslog-ng's handbook sets it up; the event says whose certificate it was.
    files = TlsFiles.make(tmp_path / "tls")
    (port,) = free_ports(1)
    tls = {"certificate": str(files.certificate), "key": str(files.key), "client_ca": str(files.authority)}
    door = {"name": "syslog-tls", "type": "tls", "listen": f"127.0.0.1:{port}", "tls": tls}
    destination = (
        f'syslog("127.0.0.1" port({port}) transport("tls") tls(ca-file("{files.authority}") '
        f'cert-file("{files.client_certificate}") key-file("{files.client_key}")));'
    )
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door) as receiver:
        receiver.start()
        events = relay(syslog_ng, tmp_path / "ng", destination, receiver)
    assert_events(events, "tls", "rfc5424")
    assert "client.example.net" in str(events[0]["peer_identity"])
