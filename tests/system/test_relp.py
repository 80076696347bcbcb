"""RELP with rsyslog's omrelp: what it was told is stored, is stored; and each message exactly once over restarts."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import time
from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.kit.process import ReceiverProcess, free_ports, running, wait_for
from tests.kit.tls_files import TlsFiles
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

COUNT = 100_000
KILLED_COUNT = int(os.environ.get("AUDIT_RECEIVER_RELP_KILLED", "20000"))
"""Nightly: as many as COUNT."""
WINDOW = 128
"""rsyslog's default, as in the README."""
_OFFERS = b"relp_version=0\nrelp_software=test\ncommands=syslog"
OPEN = b"1 open %d %s\n" % (len(_OFFERS), _OFFERS)

OMRELP = """
global(workDirectory="{folder}" maxMessageSize="8k")
module(load="imfile")
module(load="omrelp"{tls_library})
input(type="imfile" file="{file}" tag="app:" severity="info" escapeLF="off")
*.* action(type="omrelp" target="127.0.0.1" port="{port}" template="RSYSLOG_SyslogProtocol23Format"
           action.resumeRetryCount="-1" action.resumeInterval="1" queue.type="LinkedList" queue.size="200000"
           queue.dequeueBatchSize="500" queue.timeoutEnqueue="60000" queue.timeoutShutdown="1000"{tls})
"""


@pytest.fixture
def door(tmp_path: Path) -> dict[str, object]:
    (port,) = free_ports(1)
    return {"name": "relp", "type": "relp", "listen": f"127.0.0.1:{port}"}


@pytest.fixture
def receiver(tmp_path: Path, door: dict[str, object]) -> Iterator[ReceiverProcess]:
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door) as receiver:
        yield receiver.start()


def port_of(door: dict[str, object]) -> int:
    return int(str(door["listen"]).rpartition(":")[2])


def rsyslog(rsyslogd: str, folder: Path, port: int, count: int, tls: str = "", library: str = "") -> list[str]:
    """Configure an rsyslogd that reads a file of numbered lines and forwards them."""
    folder.mkdir()
    file = folder / "app.log"
    file.write_text("".join(f"entry {number}\n" for number in range(count)))
    config = folder / "rsyslog.conf"
    config.write_text(OMRELP.format(folder=folder, file=file, port=port, tls=tls, tls_library=library))
    return [rsyslogd, "-n", "-f", str(config), "-i", str(folder / "pid")]


def count_of(receiver: ReceiverProcess, what: str) -> int:
    """Count in the one segment there is."""
    (path,) = receiver.store.glob("0*.db")
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute(f"SELECT count({what}) FROM events WHERE app = 'app'").fetchone()[0])


def entries(receiver: ReceiverProcess) -> Counter[str]:
    events = receiver.events("--app", "app")
    assert {event["transport"] for event in events} == {"relp"}
    return Counter(str(event["message"]) for event in events)


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("ending", "count"), [(signal.SIGTERM, COUNT), (signal.SIGKILL, KILLED_COUNT)], ids=["stopped", "killed"]
)
def test_a_restart_in_the_middle_loses_nothing(
    rsyslogd: str,
    receiver: ReceiverProcess,
    door: dict[str, object],
    tmp_path: Path,
    ending: signal.Signals,
    count: int,
) -> None:
    # Stopped in order each message is stored once; killed, one window of those not answered may come again.
    command = rsyslog(rsyslogd, tmp_path / "rsyslog", port_of(door), count)
    with running(command, tmp_path / "rsyslogd.log"):
        wait_for(lambda: receiver.stored() > count // 20, what="some of them stored", every_seconds=0.1)
        receiver.signal(ending)
        receiver.wait_exit()
        before = count_of(receiver, "*")
        assert before < count
        receiver.start()
        wait_for(lambda: receiver.stored() >= count - before, 400, "as many stored as there are", 0.2)
        wait_for(lambda: count_of(receiver, "DISTINCT message") == count, what="each of them", every_seconds=0.2)
    assert receiver.stop() == 0
    again = count_of(receiver, "*") - count
    assert again == 0 if ending is signal.SIGTERM else again <= WINDOW


def test_over_tls_with_a_client_certificate(rsyslogd: str, tmp_path: Path, door: dict[str, object]) -> None:
    # The event says whose it was.
    files = TlsFiles.make(tmp_path / "tls")
    door["tls"] = {"certificate": str(files.certificate), "key": str(files.key), "client_ca": str(files.authority)}
    tls = (
        f' tls="on" tls.caCert="{files.authority}" tls.myCert="{files.client_certificate}"'
        f' tls.myPrivKey="{files.client_key}" tls.authMode="name" tls.permittedPeer=["localhost"]'
    )
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door) as receiver:
        receiver.start()
        command = rsyslog(rsyslogd, tmp_path / "rsyslog", port_of(door), 500, tls, ' tls.tlslib="openssl"')
        with running(command, tmp_path / "rsyslogd.log"):
            receiver.wait_stored(500)
        events = receiver.events("--app", "app")
    assert {str(event["message"]) for event in events} == {f"entry {number}" for number in range(500)}
    assert all("client.example.net" in str(event["peer_identity"]) for event in events)


def syslog(txnr: int) -> bytes:
    text = b"<13>1 - - app - - - number %d" % txnr
    return b"%d syslog %d %s\n" % (txnr, len(text), text)


def test_answers_go_out_before_the_end(receiver: ReceiverProcess, door: dict[str, object]) -> None:
    # SIGTERM: what was read is stored, answered, and only then comes serverclose.
    with socket.create_connection(("127.0.0.1", port_of(door)), timeout=PATIENCE_SECONDS) as sock:
        sock.sendall(OPEN + b"".join(syslog(txnr) for txnr in range(2, 1002)) + b"1002 syslog 50 cut")
        receiver.signal(signal.SIGTERM)
        said = b""
        while data := sock.recv(65536):
            said += data
    assert receiver.wait_exit() == 0
    lines = said.split(b"\n")
    assert lines[-2:] == [b"0 serverclose 0", b""]
    answered = [line for line in lines if line.endswith(b"rsp 6 200 OK")]
    assert answered == [b"%d rsp 6 200 OK" % txnr for txnr in range(2, len(answered) + 2)]
    assert len(receiver.events("--app", "app")) == len(answered) == 1000


def test_an_answer_waits_for_no_timer(tmp_path: Path, door: dict[str, object]) -> None:
    # A window of one: each message is on the disk before the next is sent, and the fastest did not wait for others.
    delay_seconds = 0.2
    ingest = {"batch_delay": f"{delay_seconds:g}s"}
    took: list[float] = []
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door, ingest=ingest) as receiver:
        receiver.start()
        with connected(door) as sock, sock.makefile("rb") as answers:
            sock.sendall(OPEN)
            for _ in range(4):
                answers.readline()
            for txnr in range(2, 52):
                started = time.monotonic()
                sock.sendall(syslog(txnr))
                assert answers.readline() == b"%d rsp 6 200 OK\n" % txnr
                took.append(time.monotonic() - started)
        assert receiver.stored() == 50
        assert receiver.stop() == 0
    assert min(took) < delay_seconds


def pour(sock: socket.socket) -> None:
    """Send for ever, as far as a test knows."""
    for sent in range(2, 3_000_000, 1000):
        sock.sendall(b"".join(syslog(txnr) for txnr in range(sent, sent + 1000)))


def connected(door: dict[str, object]) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(door)), timeout=PATIENCE_SECONDS)


def test_who_reads_no_answers_is_closed_in_time(tmp_path: Path, door: dict[str, object]) -> None:
    # It is not read from meanwhile, so what it can make us hold is bounded; others go on.
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door, limits={"relp_answer": "1s"}) as receiver:
        receiver.start()
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            sock.settimeout(PATIENCE_SECONDS)
            sock.connect(("127.0.0.1", port_of(door)))
            sock.sendall(OPEN)
            with pytest.raises(ConnectionError):
                pour(sock)
        assert 'relp_answers_unread_total{listener="relp"} 1.0' in receiver.get("/metrics")[1]
        assert "reads no answers" in receiver.log
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=PATIENCE_SECONDS) as sock:
            sock.sendall(b"<13>1 - - other - - - still here\n")
            wait_for(lambda: receiver.events("--app", "other"), what="others go on")
        wait_for(lambda: receiver.metrics()["audit_receiver_relp_unanswered"] == 0, what="nothing left to answer")
        assert receiver.stop() == 0


def test_what_is_no_relp_is_closed_and_counted(receiver: ReceiverProcess, door: dict[str, object]) -> None:
    # Syslog on the wrong port: the operator reads why in the journal.
    with socket.create_connection(("127.0.0.1", port_of(door)), timeout=PATIENCE_SECONDS) as sock:
        sock.sendall(b"<13>hello\n")
        assert sock.recv(100) == b""
    assert 'framing_errors_total{listener="relp",reason="not_relp"} 1.0' in receiver.get("/metrics")[1]
    assert "not relp" in receiver.log
