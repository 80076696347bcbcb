"""Senders go wrong under the real process: they stall, trickle, rave, are too many; and files run out."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import resource
import selectors
import signal
import socket
import ssl
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from receiver import limits
from receiver.store import Filter, Reader
from tests.kit.process import ReceiverProcess, free_ports, wait_for
from tests.kit.senders import RELP_OPEN, RelpSender, Sender, relp_syslog
from tests.kit.stores import read
from tests.kit.tls_files import TlsFiles
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_life import assert_conserved

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

MIB = 1024 * 1024
DEAF_LIMIT_MIB = 200
"""One sender that reads no answers must not cost more than the usual."""
RAVING_LIMIT_MIB = 350
"""Some 60 of Python, 64 of the inbox, 32 half read, 16 of SQLite, and two datagram doors that may hold 96 each."""
STATEMENTS_BYTES = limits.INSERT_STATEMENTS * 1_200_000
CONNECTION_BYTES = limits.STREAM_READ_FULL_BYTES + 8 * limits.KIB
"""What was read while the inbox was full, and the objects of a connection."""
CROWD = 2_000
RAVE_BYTES = int(1.5 * MIB * float(os.environ.get("AUDIT_RECEIVER_FAULT_SCALE", "1")))
"""Of garbage for each door, as fast as it goes; nightly ten times as much."""


class Doors:
    """A receiver with a door of every kind."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.files = TlsFiles.make(folder / "tls")
        relp, tls = free_ports(2)
        self.relp, self.tls = ("127.0.0.1", relp), ("127.0.0.1", tls)
        self.dgram, self.stream = str(folder / "dgram"), str(folder / "stream")
        keys = {"certificate": str(self.files.certificate), "key": str(self.files.key)}
        self.receiver = ReceiverProcess.with_syslog(
            folder / "receiver",
            {"name": "relp", "type": "relp", "listen": f"127.0.0.1:{relp}"},
            {"name": "tls", "type": "tls", "listen": f"127.0.0.1:{tls}", "tls": keys},
            {"name": "dgram", "type": "unix_dgram", "listen": self.dgram},
            {"name": "stream", "type": "unix_stream", "listen": self.stream},
            **sections,
        )
        self.tcp = ("127.0.0.1", self.receiver.port)

    def tls_socket(self) -> ssl.SSLSocket:
        context = ssl.create_default_context(cafile=self.files.authority)
        plain = socket.create_connection(self.tls, timeout=PATIENCE_SECONDS)
        return context.wrap_socket(plain, server_hostname="localhost")


@contextlib.contextmanager
def opened(folder: Path, **sections: Any) -> Iterator[Doors]:
    found = Doors(folder, **sections)
    with found.receiver as receiver:
        receiver.start()
        yield found
        assert_conserved(receiver.metrics())
        assert receiver.stop() == 0, receiver.log
        assert "Traceback" not in receiver.log


@pytest.fixture(scope="module")
def doors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One receiver for all tests that only look whether it minds; each uses an app of its own."""
    with opened(tmp_path_factory.mktemp("doors")) as found:
        yield found


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """One that waits for nobody; so nothing may be sent to it that a slow machine could send too slowly."""
    with opened(tmp_path_factory.mktemp("hasty"), limits={"line_idle": "1s", "tls_handshake": "1s"}) as found:
        yield found


def stored(receiver: ReceiverProcess, app: str) -> list[Any]:
    return list(Reader(receiver.store).select(Filter(app=app), after_seq=-1))


def wait_stored(receiver: ReceiverProcess, app: str, count: int = 1) -> list[Any]:
    return wait_for(lambda: len(found := stored(receiver, app)) >= count and found, what=f"{count} of {app}")


def assert_others_are_served(doors: Doors, app: str) -> None:
    """Whatever that one does: a line of somebody else is stored, and the receiver is ready."""
    with socket.create_connection(doors.tcp) as sock:
        sock.sendall(f"<13>1 - - {app} - - - somebody else\n".encode())
    wait_stored(doors.receiver, app)
    assert doors.receiver.get("/readyz") == (200, "ready\n")


# --- slow ones ---


def test_sender_that_stalls_mid_frame_holds_nobody_and_is_kept(hasty: Doors) -> None:
    # A line is taken after a silence; what announced its length is waited for, and is partial when it never comes.
    doors = hasty
    with ExitStack() as stack:
        line, counted, relp = (
            stack.enter_context(socket.create_connection(address)) for address in (doors.tcp, doors.tcp, doors.relp)
        )
        line.sendall(b"<13>1 - - stalled - - - a line without its e")
        counted.sendall(b"100 <13>1 - - stalled - - - a counted frame without its e")
        relp.sendall(RELP_OPEN + relp_syslog(2, b"<13>1 - - stalled - - - relp")[:-10])
        assert_others_are_served(doors, "beside-stalled")
        assert [event.message for event in wait_stored(doors.receiver, "stalled")] == ["a line without its e"]
    found = wait_stored(doors.receiver, "stalled", 2)
    assert [(event.message, event.parse_status) for event in found] == [
        ("a line without its e", "ok"),
        ("a counted frame without its e", "partial"),
    ]  # the RELP sender has no answer, so it still has its message


def test_sender_that_stalls_mid_handshake_is_closed_in_time(hasty: Doors) -> None:
    # Half a ClientHello, then nothing: the seat is free again, the reason counted and in the log.
    doors = hasty
    name = 'audit_receiver_tls_handshake_failures_total{listener="tls"}'
    before = doors.receiver.metrics()[name]
    hello = ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname="localhost")
    with contextlib.suppress(ssl.SSLWantReadError):
        client.do_handshake()
    with socket.create_connection(doors.tls, timeout=PATIENCE_SECONDS) as sock:
        sock.sendall(hello.read()[:40])
        assert_others_are_served(doors, "beside-handshake")
        assert sock.recv(1) == b""
    assert doors.receiver.metrics()[name] == before + 1
    assert "TLS handshake" in doors.receiver.log  # one line a kind each 30 s, so it may be that of another's


def test_sender_that_never_reads_its_relp_answers_holds_nobody(tmp_path: Path) -> None:
    # It is not read from any more, so its own window fills; what others send over RELP is answered. A receiver of its
    # own: what is measured is the most memory that a process ever had.
    with opened(tmp_path) as doors, socket.create_connection(doors.relp) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.sendall(RELP_OPEN)
        sock.settimeout(0.5)
        txnr = 2
        with contextlib.suppress(TimeoutError, ConnectionError):
            while True:
                frames = range(txnr, txnr + 1000)
                sock.sendall(b"".join(relp_syslog(number, b"<13>1 - - deaf - - - m") for number in frames))
                txnr += 1000
        with RelpSender(doors.relp[1], "beside-deaf", 300) as other:
            other.join()
        assert len(other.acknowledged) == 300
        assert doors.receiver.get("/readyz")[0] == 200
        assert peak_mib(doors.receiver) < DEAF_LIMIT_MIB


def test_sender_of_one_byte_at_a_time_is_understood(doors: Doors) -> None:
    # By lines, by counted frames, over TLS and RELP: each byte a packet, the message whole.
    text = b"<13>1 - - trickle - - - slow and whole"
    streams = [text + b"\n", b"%d %s" % (len(text), text), text + b"\n", RELP_OPEN + relp_syslog(2, text)]
    with ExitStack() as stack:
        socks = [stack.enter_context(socket.create_connection(doors.tcp)) for _ in range(2)]
        socks += [stack.enter_context(doors.tls_socket())]
        socks += [stack.enter_context(socket.create_connection(doors.relp))]
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for at in range(max(map(len, streams))):
            for sock, data in zip(socks, streams, strict=True):
                sock.sendall(data[at : at + 1])
        found = wait_stored(doors.receiver, "trickle", 4)
    assert {event.message for event in found} == {"slow and whole"}
    assert sorted(event.transport for event in found) == ["relp", "tcp", "tcp", "tls"]


# --- raving ones ---


class Raver(Sender):
    """Sends RAVE_BYTES of rubbish to one door, as fast as it goes; connects again when it is closed."""

    def __init__(self, seed: int, family: int, kind: int, address: Any, opening: bytes = b"") -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._place = (family, kind, address)
        self._opening = opening

    def work(self) -> None:
        left = RAVE_BYTES
        while left > 0 and not self.stopping.is_set():
            with contextlib.suppress(OSError), self._connected() as sock:
                while left > 0 and not self.stopping.is_set():
                    left -= len(rubbish := self._rubbish())
                    sock.send(rubbish)

    def _connected(self) -> socket.socket:
        family, kind, address = self._place
        sock = socket.socket(family, kind)
        sock.settimeout(1)
        sock.connect(address)
        if self._opening:
            sock.sendall(self._opening)
        return sock

    def _rubbish(self) -> bytes:
        chance = self._chance
        noise = chance.randbytes(chance.randrange(1, 4000))
        start = chance.choice((b"", b"<13>1 ", b"<191>", b"{", b"999999999 ", b"\x1e\x0f", b"\x1f\x8b", b"\x16\x03\x01",
                               b"GET / HTTP/1.1\r\n", b"CEF:0|", b"2 syslog 9 "))  # fmt: skip
        return start + noise


def datagram_is_taken(receiver: ReceiverProcess, message: bytes) -> bool:
    """Send it again: the kernel's buffer may still be full of what came before, and drops it then."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(message, ("127.0.0.1", receiver.port))
    return any(event.transport == "udp" for event in stored(receiver, "sane"))


def test_garbage_at_line_rate_on_every_listener_costs_nothing(doors: Doors) -> None:
    # Content closes what cannot go on, fills neither log nor memory, and the next good message is stored everywhere.
    receiver = doors.receiver
    http_port = int(receiver.settings["http"]["listen"].rpartition(":")[2])
    inet, unix, stream, dgram = socket.AF_INET, socket.AF_UNIX, socket.SOCK_STREAM, socket.SOCK_DGRAM
    places = [
        (inet, dgram, doors.tcp), (inet, stream, doors.tcp), (inet, stream, doors.relp, RELP_OPEN),
        (inet, stream, doors.relp), (inet, stream, doors.tls), (unix, dgram, doors.dgram), (unix, stream, doors.stream),
        (inet, stream, ("127.0.0.1", http_port)),
    ]  # fmt: skip
    lines_before = receiver.log.count("\n")
    with ExitStack() as stack:
        for raver in [stack.enter_context(Raver(seed, *place)) for seed, place in enumerate(places)]:
            raver.join()
            assert_conserved(receiver.metrics())
    wait_for(lambda: receiver.metrics()["audit_receiver_events_in_flight"] == 0, what="all of it stored")
    good = b"<13>1 - - sane - - - after all that"
    with socket.socket(unix, dgram) as sock:
        sock.sendto(good, doors.dgram)
    wait_for(lambda: datagram_is_taken(receiver, good), what="a datagram taken again")
    with ExitStack() as senders:
        for family, address in ((inet, doors.tcp), (unix, doors.stream)):
            sock = senders.enter_context(socket.socket(family, stream))
            sock.connect(address)
            sock.sendall(good + b"\n")
        senders.enter_context(doors.tls_socket()).sendall(good + b"\n")
        relp = senders.enter_context(socket.create_connection(doors.relp))
        relp.sendall(RELP_OPEN + relp_syslog(2, good))
        wait_for(lambda: len({event.transport for event in stored(receiver, "sane")}) == 6, what="all of them stored")
    found = stored(receiver, "sane")
    assert {event.transport for event in found} == {"udp", "tcp", "tls", "relp", "unix_dgram", "unix_stream"}
    assert receiver.get("/readyz")[0] == 200
    assert receiver.log.count("\n") - lines_before < 100
    assert peak_mib(receiver) < RAVING_LIMIT_MIB


# --- too many ---


def peak_mib(receiver: ReceiverProcess) -> float:
    """The most memory it has had so far."""
    status = Path(f"/proc/{receiver.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


class Crowd(Sender):
    """Many connections, each with a frame that never ends; one thread writes wherever there is room."""

    def __init__(self, places: list[tuple[tuple[str, int], bytes]]) -> None:
        super().__init__()
        self._places = places

    def work(self) -> None:
        endless = b"y" * 16_384
        with ExitStack() as stack, selectors.DefaultSelector() as selector:
            for address, beginning in self._places:
                sock = stack.enter_context(socket.create_connection(address, timeout=PATIENCE_SECONDS))
                sock.sendall(beginning)
                sock.setblocking(False)
                selector.register(sock, selectors.EVENT_WRITE)
            while not self.stopping.is_set():
                for key, _ in selector.select(0.1):
                    try:
                        key.fileobj.send(endless)
                    except BlockingIOError:
                        continue
                    except OSError:  # closed: it has had its say
                        selector.unregister(key.fileobj)


def test_memory_with_2000_connections_of_endless_frames_is_bounded(tmp_path: Path) -> None:
    # Lines without end, counted frames, RELP: half-read frames share their bound, the inbox has its own, and no more
    # is used than all that is configured together.
    doors = Doors(tmp_path)
    kinds = [
        (doors.tcp, b"<13>1 - - endless - - - "), (doors.tcp, b"262144 <13>1 - - endless - - - "),
        (doors.relp, RELP_OPEN + b"2 syslog 262144 "), (doors.tcp, b'{"user":"'),
    ]  # fmt: skip
    with doors.receiver as receiver:
        receiver.start()
        bound_bytes = (
            peak_mib(receiver) * MIB + limits.INBOX_BYTES + limits.BATCH_BYTES + limits.HALF_READ_BYTES
            + limits.STORE_CACHE_BYTES + STATEMENTS_BYTES + CROWD * CONNECTION_BYTES
        )  # fmt: skip

        def are_at_it() -> bool:
            metrics = receiver.metrics()
            assert_conserved(metrics)
            opened = metrics["audit_receiver_connections_opened_total"] >= CROWD
            filled = metrics["audit_receiver_inbox_bytes"] > 0.7 * limits.INBOX_BYTES
            return opened and filled and "half-read frames fill their memory" in receiver.log

        with Crowd([kinds[number % len(kinds)] for number in range(CROWD)]):
            wait_for(are_at_it, what="all of them at it")
            assert receiver.get("/healthz")[0] == 200
        assert peak_mib(receiver) * MIB < bound_bytes
        receiver.signal(signal.SIGKILL)  # its stop would give what came of all of them its time
        receiver.wait_exit()
    assert "Traceback" not in receiver.log


# --- out of file descriptors ---


class Prometheus:
    """Has its connection already, as a scraper has."""

    def __init__(self, receiver: ReceiverProcess) -> None:
        self._connection = http.client.HTTPConnection(receiver.settings["http"]["listen"], timeout=PATIENCE_SECONDS)

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> str:
        self._connection.request("GET", path)
        return self._connection.getresponse().read().decode()


def exhaust_files(receiver: ReceiverProcess) -> None:
    """Let it open nothing more: its limit is the lowest number that is free. Again, when it has closed something."""
    used = {int(path.name) for path in Path(f"/proc/{receiver.pid}/fd").iterdir()}
    free = next(number for number in range(len(used) + 1) if number not in used)
    _, hard = resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (free, hard))


def test_out_of_file_descriptors_accepting_rests_and_nothing_dies(tmp_path: Path) -> None:
    # Who is connected is served until a new segment is due, then held; who is not waits; all of it heals by itself.
    store = {"path": "store", "min_free_bytes": 0, "segment": {"max_events": 1_000}}
    receiver = ReceiverProcess.with_syslog(tmp_path, store=store, evidence={"checkpoint_interval": 1})
    with receiver, ExitStack() as stack:
        receiver.start()
        prometheus = stack.enter_context(closing(Prometheus(receiver)))
        assert prometheus.get("/readyz") == "ready\n"
        old = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port)))
        old.sendall(b"<13>1 - - old - - - 0\n")
        receiver.wait_stored(1)
        exhaust_files(receiver)
        for number in range(20):
            new = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port), timeout=PATIENCE_SECONDS))
            new.sendall(b"<13>1 - - new - - - %d\n" % number)
        wait_for(lambda: exhaust_files(receiver) or "accepting rests" in receiver.log, what="accepting rests")
        wait_for(lambda: "out of files" in prometheus.get("/readyz"), what="readiness says why")
        old.sendall(b"".join(b"<13>1 - - old - - - %d\n" % number for number in range(1, 2001)))
        wait_for(lambda: "events_stored_total 2001.0" in prometheus.get("/metrics"), what="old ones stored")
        old.sendall(b"".join(b"<13>1 - - old - - - %d\n" % number for number in range(2001, 5001)))
        wait_for(lambda: "Too many open files" in prometheus.get("/readyz"), what="no new segment")
        _, hard = resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(receiver.pid, resource.RLIMIT_NOFILE, (hard, hard))
        receiver.wait_stored(5021)
        wait_for(lambda: receiver.get("/readyz")[0] == 200, what="ready by itself")
        assert_conserved(receiver.metrics())
        assert receiver.stop() == 0
    events = read(receiver.store)
    assert [event.message for event in events if event.app == "old"] == [str(number) for number in range(5001)]
    assert {event.message for event in events if event.app == "new"} == {str(number) for number in range(20)}
    assert "Traceback" not in receiver.log
    assert receiver.ask("verify").returncode == 0


def test_out_of_file_descriptors_sigterm_is_orderly(tmp_path: Path) -> None:
    # Streams and datagrams that the kernel holds are read and stored with what is open.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    with receiver, ExitStack() as stack:
        receiver.start()
        old = stack.enter_context(socket.create_connection(("127.0.0.1", receiver.port)))
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        old.sendall(b"<13>1 - - app - - - first\n")
        receiver.wait_stored(1)
        exhaust_files(receiver)
        receiver.signal(signal.SIGSTOP)
        old.sendall(b"<13>1 - - app - - - last\n")
        for number in range(100):
            datagrams.sendto(b"<13>1 - - app - - - %d" % number, ("127.0.0.1", receiver.port))
        receiver.signal(signal.SIGTERM)
        receiver.signal(signal.SIGCONT)
        assert receiver.wait_exit() == 0, receiver.log
    assert {event.message for event in stored(receiver, "app")} == {"first", "last", *map(str, range(100))}
    assert "Traceback" not in receiver.log
