"""Limits on the real process: no more files, too many messages, connections that say nothing."""

from __future__ import annotations

import http.client
import resource
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.kit.process import ReceiverProcess, wait_for
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_life import assert_conserved

pytestmark = pytest.mark.system

MESSAGE = b"<13>1 - - app - - - hello\n"


def connected(receiver: ReceiverProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", receiver.port), timeout=PATIENCE_SECONDS)


def readiness(connection: http.client.HTTPConnection) -> str:
    """Ask on a connection that is open already: for another there is no file."""
    connection.request("GET", "/readyz")
    return connection.getresponse().read().decode()


def open_files(receiver: ReceiverProcess) -> int:
    return len(list(Path(f"/proc/{receiver.pid}/fd").iterdir()))


def test_out_of_files_accepting_rests_and_nothing_dies(receiver: ReceiverProcess) -> None:
    # Who is in goes on and storing too, who waits gets in when others leave; one warning, and readiness says why.
    soft, hard = resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE)
    with ExitStack() as stack:
        inside = stack.enter_context(connected(receiver))
        prometheus = http.client.HTTPConnection(receiver.settings["http"]["listen"], timeout=PATIENCE_SECONDS)
        stack.callback(prometheus.close)
        assert readiness(prometheus) == "ready\n"
        inside.sendall(MESSAGE)
        receiver.wait_stored(1)
        resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (open_files(receiver) + 8, hard))
        crowd = [connected(receiver) for _ in range(40)]
        for sock in crowd:
            sock.sendall(MESSAGE)
        wait_for(lambda: "accepting rests" in receiver.log, what="the warning")
        inside.sendall(MESSAGE * 100)
        wait_for(lambda: "out of files" in readiness(prometheus), what="not ready: out of files")
        for sock in crowd[:20]:
            sock.close()
        resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (soft, hard))
        receiver.wait_stored(141)
        for sock in crowd[20:]:
            sock.close()
    wait_for(lambda: receiver.get("/readyz")[0] == 200, what="ready by itself")
    assert receiver.log.count("accepting rests") <= 3
    assert "Traceback" not in receiver.log
    assert receiver.stored() == 141


def test_a_peer_that_sends_too_much_is_counted_to_the_datagram(tmp_path: Path) -> None:
    # UDP beyond the rate is dropped and counted, what is urgent never is; the same peer's TCP loses nothing.
    limits = {"rate_per_peer": 10, "idle": "1s"}
    with ReceiverProcess.with_syslog(tmp_path, limits=limits) as receiver:
        receiver.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(500):
                kind = b"<10>1 - - urgent" if number % 5 == 0 else b"<14>1 - - usual"
                sock.sendto(b"%s - - - %d" % (kind, number), ("127.0.0.1", receiver.port))
        wait_for(lambda: received(receiver) == 500, what="all datagrams counted")
        wait_for(lambda: receiver.metrics()["audit_receiver_events_in_flight"] == 0, what="all settled")
        metrics = receiver.metrics()
        assert_conserved(metrics)
        dropped = metrics['audit_receiver_events_dropped_total{reason="rate_limited"}']
        assert 0 < dropped <= 400
        assert receiver.stored() == 500 - dropped
        assert len(receiver.events("--app", "urgent")) == 100
        with connected(receiver) as silent:
            assert silent.recv(1) == b""
        wait_for(lambda: idle_closed(receiver) >= 1, what="an idle connection closed")
        assert receiver.stop() == 0
    assert "limits.rate_per_peer" in receiver.log


def received(receiver: ReceiverProcess) -> float:
    return receiver.metrics()["audit_receiver_received_messages_total"]


def idle_closed(receiver: ReceiverProcess) -> float:
    return receiver.metrics()["audit_receiver_connections_idle_closed_total"]
