"""rsyslogd as on the servers that report here: every way its omfwd can forward."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.kit.process import ReceiverProcess, free_ports, running, wait_for
from tests.kit.tls_files import TlsFiles

pytestmark = [pytest.mark.system, pytest.mark.senders]

LINES = (
    "<38>Oct 11 22:14:15 sshd[811]: Failed password for invalid user oracle from 198.51.100.9 port 4711 ssh2",
    "<85>Oct 11 22:14:16 sudo:    carol : TTY=pts/1 ; PWD=/root ; USER=root ; COMMAND=/usr/bin/id",
    "<13>Oct 11 22:14:17 app: {not json} <but> §€ 'quotes' \\ backslash",
)

RSYSLOG = """\
global(workDirectory="{folder}" maxMessageSize="64k" {global_tls})
module(load="imuxsock" sysSock.use="off")
input(type="imuxsock" socket="{folder}/log" useSysTimeStamp="off" ratelimit.interval="0")
template(name="forward" type="string" string="{template}")
action(type="omfwd" target="127.0.0.1" port="{port}" {options})
"""
TRADITIONAL = "<%PRI%>%TIMESTAMP% %HOSTNAME% %syslogtag:1:32%%msg:::sp-if-no-1st-sp%%msg%"
SYSLOG_PROTOCOL = "<%PRI%>1 %TIMESTAMP:::date-rfc3339% %HOSTNAME% %APP-NAME% %PROCID% %MSGID% %STRUCTURED-DATA% %msg%"


class Case(NamedTuple):
    id: str
    options: str
    template: str
    transport: str
    format: str


CASES = [
    Case("udp", 'protocol="udp"', TRADITIONAL, "udp", "rfc3164"),
    Case("udp-5424", 'protocol="udp"', SYSLOG_PROTOCOL, "udp", "rfc5424"),
    Case("tcp", 'protocol="tcp"', TRADITIONAL, "tcp", "rfc3164"),
    Case("tcp-counted", 'protocol="tcp" TCP_Framing="octet-counted"', TRADITIONAL, "tcp", "rfc3164"),
    Case("tcp-counted-5424", 'protocol="tcp" TCP_Framing="octet-counted"', SYSLOG_PROTOCOL, "tcp", "rfc5424"),
    Case(
        "as-the-readme-says",
        'protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format" '
        'queue.type="LinkedList" queue.size="100000" queue.filename="audit" queue.saveOnShutdown="on" '
        'action.resumeRetryCount="-1"',
        "", "tcp", "rfc5424",
    ),
]


def configure(folder: Path, port: int, options: str, template: str = TRADITIONAL, global_tls: str = "") -> Path:
    if "template=" not in options:
        options += ' template="forward"'
    file = folder / "rsyslog.conf"
    file.write_text(
        RSYSLOG.format(folder=folder, port=port, options=options, template=template, global_tls=global_tls)
    )
    return file


def command(rsyslogd: str, folder: Path, config: Path) -> list[str]:
    return [rsyslogd, "-n", "-f", str(config), "-i", str(folder / "pid")]


def send(folder: Path, *lines: str) -> None:
    """Write to rsyslog's socket what programs write to /dev/log."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.connect(str(folder / "log"))
        for line in lines:
            sock.send(line.encode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "rsyslog"
    made.mkdir()
    return made


def assert_events(events: list[dict[str, object]], transport: str, format_: str) -> None:
    events.sort(key=lambda event: str(event["app"]))
    app, sshd, sudo = events
    assert {event["transport"] for event in events} == {transport}
    assert {event["format"] for event in events} == {format_}
    assert {event["parse_status"] for event in events} == {"ok"}
    assert (sshd["actor"], sshd["action"], sshd["outcome"]) == ("oracle", "auth.login", "failure")
    assert (sshd["source_ip"], sshd["source_port"], sshd["pid"]) == ("198.51.100.9", 4711, "811")
    assert (sudo["actor"], sudo["actor_as"], sudo["outcome"]) == ("carol", "root", "success")
    assert str(app["message"]).strip() == "{not json} <but> §€ 'quotes' \\ backslash"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_what_programs_log_arrives_through_rsyslog(
    rsyslogd: str, receiver: ReceiverProcess, folder: Path, case: Case
) -> None:
    # From a program's syslog(3) to the audit event, by every protocol, framing and format of omfwd.
    config = configure(folder, receiver.port, case.options, case.template)
    with running(command(rsyslogd, folder, config), folder / "rsyslogd.log"):
        wait_for((folder / "log").exists, what="rsyslogd")
        send(folder, *LINES)
        receiver.wait_stored(3)
    assert_events(receiver.events(), case.transport, case.format)


@pytest.mark.parametrize("driver", ["gtls", "ossl"])
@pytest.mark.parametrize("with_client_certificate", [False, True], ids=["anonymous", "client-certificate"])
def test_rsyslog_forwards_over_tls(
    rsyslogd: str, tmp_path: Path, folder: Path, driver: str, *, with_client_certificate: bool
) -> None:
    # Both of rsyslog's TLS drivers; with a client certificate the event says whose it was.
    if not any(Path("/usr/lib").glob(f"**/rsyslog/lmnsd_{driver}.so")):
        pytest.skip(f"rsyslog's driver {driver} is not installed: .ci/setup brings it")
    files = TlsFiles.make(tmp_path / "tls")
    (port,) = free_ports(1)
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    if with_client_certificate:
        tls["client_ca"] = str(files.authority)
    door = {"name": "syslog-tls", "type": "tls", "listen": f"127.0.0.1:{port}", "tls": tls}
    global_tls = f'defaultNetstreamDriverCAFile="{files.authority}"'
    if with_client_certificate:
        global_tls += (
            f' defaultNetstreamDriverCertFile="{files.client_certificate}"'
            f' defaultNetstreamDriverKeyFile="{files.client_key}"'
        )
    options = (
        f'protocol="tcp" TCP_Framing="octet-counted" StreamDriver="{driver}" StreamDriverMode="1" '
        'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"'
    )
    config = configure(folder, port, options, SYSLOG_PROTOCOL, global_tls)
    with (
        ReceiverProcess.with_syslog(tmp_path / "receiver", door) as receiver,
        running(command(rsyslogd, folder, config), folder / "rsyslogd.log"),
    ):
        receiver.start()
        wait_for((folder / "log").exists, what="rsyslogd")
        send(folder, *LINES)
        events = receiver.wait_events(3)
    assert_events(events, "tls", "rfc5424")
    identities = {str(event["peer_identity"]) for event in events}
    (identity,) = identities
    assert ("client.example.net" in identity) if with_client_certificate else identity == "None"


def test_rsyslog_reads_a_file_and_nothing_of_it_is_lost(
    rsyslogd: str, receiver: ReceiverProcess, folder: Path
) -> None:
    # imfile to TCP: 5000 lines, each once, in order.
    log = folder / "app.log"
    log.write_text("".join(f"entry {number}\n" for number in range(5000)))
    config = configure(folder, receiver.port, 'protocol="tcp"')
    with config.open("a") as more:
        more.write(f'module(load="imfile")\ninput(type="imfile" file="{log}" tag="app:" severity="info")\n')
    with running(command(rsyslogd, folder, config), folder / "rsyslogd.log"):
        receiver.wait_stored(5000)
    events = sorted(receiver.events("--app", "app"), key=lambda event: event["seq"])
    assert [event["message"] for event in events] == [f"entry {number}" for number in range(5000)]
