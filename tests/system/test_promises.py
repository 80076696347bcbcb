"""The promises of the design, on the real process under hostile conditions."""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import socket
import sqlite3
import ssl
import subprocess
import threading
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.bench.load import Pool, blocks
from tests.kit.certificates import Authority
from tests.kit.process import COMMAND, ROOT, ReceiverProcess, free_ports, wait_for
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_life import assert_conserved, assert_one_line, own_acts, run_once

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

MIB = 1024 * 1024
RSS_LIMIT_MIB = 200
BLOCKS = [block.data for block in blocks(Pool(2000).messages, "lf")]


def connected(receiver: ReceiverProcess) -> socket.socket:
    return socket.create_connection(("127.0.0.1", receiver.port), timeout=PATIENCE_SECONDS)


@contextmanager
def pouring(receiver: ReceiverProcess, *data: bytes, connections: int = 4) -> Iterator[None]:
    """Senders that write for ever, each on its connection, until the block ends or they are cut off."""
    done = threading.Event()

    def pour(sock: socket.socket) -> None:
        with contextlib.suppress(OSError), closing(sock):
            while not done.is_set():
                for piece in data:
                    sock.sendall(piece)

    threads = [threading.Thread(target=pour, args=(connected(receiver),), daemon=True) for _ in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        done.set()
        for thread in threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def peak_mib(receiver: ReceiverProcess) -> float:
    """The most memory it has had so far."""
    status = Path(f"/proc/{receiver.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def rows(receiver: ReceiverProcess, sql: str) -> list[tuple]:
    """Ask each segment of a stopped receiver's store, in order; what is counted is counted by segment."""
    found = []
    for path in sorted(receiver.store.glob("[0-9]*.db")):
        with closing(sqlite3.connect(path)) as segment:
            found += segment.execute(sql).fetchall()
    return found


def assert_gapless(receiver: ReceiverProcess) -> int:
    """By `query`, as a person would look; returns how many there are beside the receiver's own."""
    command = [*COMMAND, "query", "--store", str(receiver.store), "--json", "--limit", "10000000"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [event["seq"] for event in events] == list(reversed(range(len(events))))
    return sum(event["transport"] != "internal" for event in events)


def test_sigterm_under_load_keeps_what_senders_wrote_before_they_left(tmp_path: Path) -> None:
    # Four senders do not stop, and datagrams come; two others wrote and closed, most of it still in their own kernel.
    lines = b"".join(b"<13>1 - - closed - - - message %d of one that left\n" % number for number in range(5_000))
    with ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        with pouring(receiver, *BLOCKS):
            receiver.wait_stored(10_000)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
                for number in range(500):
                    sock.sendto(b"<13>1 - - datagram - - - %d" % number, ("127.0.0.1", receiver.port))
            with connected(receiver) as one, connected(receiver) as other:
                one.sendall(lines)
                other.sendall(lines)
            receiver.signal(signal.SIGTERM)
            assert receiver.wait_exit() == 0, receiver.log
    totals = receiver.totals()
    assert totals["received"] == totals["stored"] + totals["dropped"]
    stored = rows(receiver, "SELECT app, count(*), count(DISTINCT message) FROM events GROUP BY app")
    assert [row for row in stored if row[0] == "closed"] == [("closed", 10_000, 5_000)]
    if not totals["dropped"]:
        assert ("datagram", 500, 500) in stored


def test_a_line_cut_by_the_stop_is_partial(tmp_path: Path) -> None:
    # Its sender had not ended it: half a line must not read like a whole one.
    with ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        with connected(receiver) as sock:
            sock.sendall(b"<13>1 - - app - - - whole\n<13>1 - - app - - - user root was den")
            receiver.wait_stored(1)
            assert receiver.stop() == 0
    cut, whole = sorted(receiver.events(), key=lambda event: event["message"])
    assert (whole["message"], whole["parse_status"]) == ("whole", "ok")
    assert cut["parse_status"] == "partial"
    assert cut["data"]["wire"]["defects"] == ["incomplete"]


def test_killed_again_and_again_while_it_stores_and_seals(tmp_path: Path) -> None:
    # Whatever the instant: the store opens at once, `query` works, no position is missing, nothing committed is gone.
    store = {"path": "store", "min_free_bytes": 0, "segment": {"max_events": 2_000}}
    receiver = ReceiverProcess.with_syslog(tmp_path, store=store)
    before = 0
    with receiver:
        for more in (1, 3_000, 9_000, 4_001):
            receiver.start()
            with pouring(receiver, *BLOCKS, connections=2):
                stored = wait_for(lambda more=more: (n := receiver.stored()) >= more and n, what=f"{more} stored")
                receiver.signal(signal.SIGKILL)
                assert receiver.wait_exit() == -signal.SIGKILL
            found = assert_gapless(receiver)
            assert found >= before + stored
            before = found
        receiver.start()
        wait_for(lambda: len(list(receiver.store.glob("*-.db"))) == 1, what="the backlog sealed")
        assert receiver.stop() == 0
    assert not list(receiver.store.glob("*.tmp"))


def test_a_full_disk_holds_streams_and_heals(tmp_path: Path) -> None:
    # As with ENOSPC, writes fail beyond a size (EFBIG): not ready with the reason, datagrams counted, the watchdog fed,
    # every line of a stream there in the end, and no restart.
    lines = [b"<13>1 - - stream - - - %d %s\n" % (number, b"x" * 900) for number in range(12_000)]
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(PATIENCE_SECONDS)
        receiver = ReceiverProcess.with_syslog(tmp_path / "receiver", ingest={"max_bytes": "4MiB"})
        receiver.environ = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        with receiver:
            receiver.start()
            resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (MIB, resource.RLIM_INFINITY))
            sender = threading.Thread(target=send_all, args=(receiver, lines))
            sender.start()
            wait_for(lambda: is_full(*receiver.get("/readyz")), what="not ready: the disk is full")
            assert receiver.get("/healthz")[0] == 200
            wait_for(lambda: datagram_is_dropped(receiver), what="a datagram dropped and counted")
            assert_conserved(receiver.metrics())
            empty(manager)  # it is full of those from before, which must not have stopped anybody
            assert manager.recv(4096) == b"WATCHDOG=1"
            resource.prlimit(receiver.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            sender.join(PATIENCE_SECONDS)
            assert not sender.is_alive()
            receiver.wait_stored(len(lines))
            wait_for(lambda: receiver.get("/readyz")[0] == 200, what="ready by itself")
            assert receiver.stop() == 0
    stored = rows(receiver, "SELECT message FROM events WHERE app = 'stream' ORDER BY seq")
    assert [message for (message,) in stored] == [line.split(b" ", 7)[7][:-1].decode() for line in lines]
    assert len(list(receiver.store.glob("[0-9]*.db"))) == 1  # the clock was not set: no segment begins for that


def is_full(status: int, body: str) -> bool:
    return status == 503 and ("disk is full" in body or "disk I/O" in body)


def datagram_is_dropped(receiver: ReceiverProcess) -> bool:
    """Send one; the inbox is full after some at the latest."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"<13>" + b"d" * 60_000, ("127.0.0.1", receiver.port))
    return receiver.metrics()["audit_receiver_events_dropped_total"] > 0


def empty(sock: socket.socket) -> None:
    """Take what waits in its queue."""
    seconds = sock.gettimeout()
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while sock.recv(4096):
            pass
    sock.settimeout(seconds)


def send_all(receiver: ReceiverProcess, lines: list[bytes]) -> None:
    with connected(receiver) as sock:
        sock.sendall(b"".join(lines))


WIDE = "".join(chr(0x0430 + number % 32) for number in range(2_000))
HEAVY = {
    "usual": BLOCKS,
    "beyond Latin-1": [f"<13>1 - h a - - - {WIDE}\n".encode() * 20],
    "large with one wide character": [("<13>1 - h a - - - " + "a" * 200_000 + "😀\n").encode()],
    "escapes": [b'<13>1 - h a - - [x@1 a="' + b"\1" * 200_000 + b'"] m\n'],
    "endless": [b"y" * 65_536],
}


@pytest.mark.parametrize("kind", HEAVY)
def test_memory_is_bounded_while_senders_are_faster(tmp_path: Path, kind: str) -> None:
    # The inbox fills to its default of 64 MiB and senders wait; what is measured is what the kernel calls resident.
    connections = 300 if kind == "endless" else 4
    with ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        with pouring(receiver, *HEAVY[kind], connections=connections):
            wait_for(lambda: receiver.metrics()["audit_receiver_inbox_bytes"] > 48 * MIB, what="a full inbox")
        assert peak_mib(receiver) < RSS_LIMIT_MIB
        assert receiver.stop() == 0, receiver.log
        assert "Traceback" not in receiver.log


def test_idle_and_slow_connections_slow_nobody(tmp_path: Path) -> None:
    # 2000 that say nothing and 200 that say one byte at a time; a busy one is served, and memory stays.
    with ExitStack() as stack, ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        crowd = [stack.enter_context(connected(receiver)) for _ in range(2_200)]
        busy = stack.enter_context(connected(receiver))
        for number in range(10):
            for slow in crowd[:200]:
                slow.sendall(b"<13>slow line"[number : number + 1])
            busy.sendall(b"<13>1 - - app - - - busy\n" * 1_000)
            receiver.wait_stored((number + 1) * 1_000)
        assert receiver.metrics()["audit_receiver_connections_open"] == 2_201
        assert peak_mib(receiver) < RSS_LIMIT_MIB
        assert receiver.stop() == 0


def test_a_reader_that_looks_for_long_stops_neither_storing_nor_sealing(tmp_path: Path) -> None:
    # It keeps its view of a segment that is filled, sealed and removed meanwhile.
    store = {"path": "store", "min_free_bytes": 0, "segment": {"max_events": 3_000}}
    with ReceiverProcess.with_syslog(tmp_path, store=store) as receiver:
        receiver.start()
        with connected(receiver) as sock:
            sock.sendall(b"<13>1 - - app - - - before\n" * 100)
            receiver.wait_stored(100)
            (live,) = receiver.store.glob("*-.db")
            with closing(sqlite3.connect(f"file:{live}?mode=ro", uri=True, isolation_level=None)) as reader:
                reader.execute("BEGIN")
                (seen,) = reader.execute("SELECT count(*) FROM events").fetchone()
                sock.sendall(b"<13>1 - - app - - - meanwhile\n" * 20_000)
                receiver.wait_stored(20_100)
                wait_for(lambda: not live.exists(), what="the segment sealed under the reader")
                assert reader.execute("SELECT count(*) FROM events").fetchone() == (seen,)
        assert receiver.stop() == 0
    assert assert_gapless(receiver) == 20_100


def reload(receiver: ReceiverProcess, answer: str = "configuration re-read") -> str:
    """Write the settings, send SIGHUP, give what it logged."""
    at = len(receiver.log)
    receiver.write_config()
    receiver.signal(signal.SIGHUP)
    wait_for(lambda: answer in receiver.log[at:], what=answer)
    return receiver.log[at:]


def test_sighup_changes_who_may_send_zone_and_expected_hosts(receiver: ReceiverProcess) -> None:
    # On doors that stay open, for the next datagram and the next connection.
    udp, tcp = receiver.settings["listeners"]
    udp["zone"] = "Asia/Tokyo"
    tcp["allow"] = ["192.0.2.0/24"]
    receiver.settings["expected_hosts"] = ["web-1"]
    reload(receiver)
    with connected(receiver) as refused:
        assert refused.recv(1) == b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"<13>2026-06-11T12:00:00 web-1 app: zoned", ("127.0.0.1", receiver.port))
    (event,) = receiver.wait_events(1)
    assert event["time"] == "2026-06-11T03:00:00.000000Z"
    metrics = receiver.metrics()
    assert metrics['audit_receiver_host_last_seen_timestamp_seconds{host="web-1"}'] > 0
    assert metrics['audit_receiver_connections_rejected_total{listener="syslog-tcp",reason="not_allowed"}'] == 1


def test_sighup_takes_packs_and_refuses_broken_ones(receiver: ReceiverProcess, tmp_path: Path) -> None:
    # The rule file is read with the config: wrong in either, all of the old stays.
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "own.yaml").write_text("rules: [")
    receiver.settings["packs"] = [str(tmp_path / "packs")]
    assert "own.yaml" in reload(receiver, "is refused")
    receiver.config.unlink()
    receiver.signal(signal.SIGHUP)
    wait_for(lambda: "cannot be read" in receiver.log, what="a missing file refused")
    refused = wait_for(lambda: len(found := own_acts(receiver, "config.change")) == 2 and found, what="both noted")
    assert {(event["outcome"], event["message"]) for event in refused} == {("failure", "configuration not re-read")}
    assert receiver.get("/readyz")[0] == 200


def test_sighup_keeps_the_certificate_when_the_new_one_is_broken(tmp_path: Path) -> None:
    # Half-written files are what a renewal leaves for a moment.
    authority = Authority(tmp_path)
    files = authority.issue("log.example.org")
    (port,) = free_ports(1)
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    door = {"name": "syslog-tls", "type": "tls", "listen": f"127.0.0.1:{port}", "tls": tls}
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door) as receiver:
        receiver.start()
        whole = files.certificate.read_bytes()
        files.certificate.write_bytes(whole[:100])
        assert str(files.certificate) in reload(receiver, "is refused")
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
            authority.client_context().wrap_socket(plain) as sock,
        ):
            assert sock.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert(whole.decode())
            sock.sendall(b"<13>1 - - app - - - still there\n")
            receiver.wait_stored(1)
        assert receiver.stop() == 0


def test_what_cannot_start_says_why_in_one_line(tmp_path: Path) -> None:
    # HTTP's port taken; a certificate that is not there; a store that is none of ours.
    numbers = count()

    def refused(**sections) -> None:
        parts = sections.pop("parts")
        receiver = ReceiverProcess.with_syslog(tmp_path / str(next(numbers)), **sections)
        receiver.write_config()
        assert_one_line(run_once(receiver), *parts)

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused(http={"listen": f"127.0.0.1:{port}"}, parts=["http.listen", str(port), "in use"])
    tls = {"certificate": "/nowhere/a.crt", "key": "/nowhere/a.key"}
    door = {"name": "syslog-tls", "type": "tls", "listen": "127.0.0.1:0", "tls": tls}
    refused(listeners=[door], parts=["syslog-tls", "/nowhere/a.crt", "No such file"])
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "000000000000-.db").write_bytes(b"not a database" * 1_000)
    refused(store={"path": str(tmp_path / "store")}, parts=["000000000000-.db", "not a database"])
