"""Senders that go on beside a test: RELP that keeps what was not answered, streams and datagrams that are numbered."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import select
import socket
import struct
import termios
import threading
from collections import deque
from typing import TYPE_CHECKING

from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_OFFERS = b"relp_version=0\nrelp_software=test\ncommands=syslog"
RELP_OPEN = b"1 open %d %s\n" % (len(_OFFERS), _OFFERS)
_LOOK_SECONDS = 0.1


def relp_syslog(txnr: int, text: bytes) -> bytes:
    """Frame one message."""
    return b"%d syslog %d %s\n" % (txnr, len(text), text)


class Sender:
    """Works beside the test until it is stopped; what it raises is raised where the `with` ends."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)

    def work(self) -> None:
        """Send until `stopping`."""
        raise NotImplementedError

    def _run(self) -> None:
        try:
            self.work()
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            self._error = error

    def join(self, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait for its own end."""
        self._thread.join(seconds)
        assert not self._thread.is_alive(), "the sender has not come to its end"
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        if kind is None:
            self.join()
        else:
            self._thread.join(PATIENCE_SECONDS)


class RelpSender(Sender):
    """Sends `<name> <number>` under app `relp`, and again what was not answered, on as many connections as it takes."""

    def __init__(self, port: int, name: str, count: int | None = None, window: int = 128) -> None:
        """count: how many in all; None: until it is stopped."""
        super().__init__()
        self.acknowledged: set[str] = set()
        self.ends: list[bytes] = []
        """What was said last on each connection that the receiver ended."""
        self._port = port
        self._name = name
        self._count = count
        self._window = window
        self._number = 0
        self._again: deque[str] = deque()
        self._unanswered: deque[str] = deque()

    @property
    def done(self) -> bool:
        """All there was to send is answered."""
        return self._count is not None and len(self.acknowledged) == self._count

    @property
    def sent(self) -> int:
        """How many different ones it has begun to send."""
        return self._number

    def work(self) -> None:
        while not (self.stopping.is_set() or self.done):
            address = ("127.0.0.1", self._port)
            with contextlib.suppress(OSError), socket.create_connection(address, timeout=PATIENCE_SECONDS) as sock:
                self._talk(sock)
            self.stopping.wait(0.02)

    def _talk(self, sock: socket.socket) -> None:
        self._again.extendleft(reversed(self._unanswered))
        self._unanswered.clear()
        sock.sendall(RELP_OPEN)
        txnr, rest, last, opened = 1, b"", b"", False
        while not (self.stopping.is_set() or self.done):
            frames = []
            while opened and len(self._unanswered) < self._window and (text := self._next()):
                txnr += 1
                frames.append(relp_syslog(txnr, f"<13>1 - - relp - - - {text}".encode()))
                self._unanswered.append(text)
            with contextlib.suppress(ConnectionError):  # closed: what was said before is still to be read
                sock.sendall(b"".join(frames))
            if not select.select([sock], [], [], _LOOK_SECONDS)[0]:
                continue
            try:
                data = sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                self.ends.append(last)
                return
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                opened = opened or line.startswith(b"commands=")
                if opened and line.endswith(b" rsp 6 200 OK"):
                    self.acknowledged.add(self._unanswered.popleft())
                last = line

    def _next(self) -> str | None:
        if self._again:
            return self._again.popleft()
        if self._number == self._count:
            return None
        self._number += 1
        return f"{self._name} {self._number}"


class LineSender(Sender):
    """Pours numbered lines, `<name> <number>` under app `line`, into one connection; knows what the peer has taken."""

    def __init__(self, port: int, name: str, count: int | None = None, pad: int = 0) -> None:
        """count: lines to send; None: until it is stopped or cut off. pad: bytes to each line beside the number."""
        super().__init__()
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
        self.name = name
        self._count = count
        self._pad = b" " + b"x" * pad if pad else b""
        self._ends: list[int] = []
        """Where each line ends in the stream."""

    def work(self) -> None:
        number = at = 0
        with contextlib.suppress(ConnectionError), self.sock:
            while not self.stopping.is_set() and number != self._count:
                lines = []
                while len(lines) < 100 and number != self._count:
                    number += 1
                    lines.append(b"<13>1 - - line - - - %s %d%s\n" % (self.name.encode(), number, self._pad))
                    at += len(lines[-1])
                    self._ends.append(at)
                self.sock.sendall(b"".join(lines))

    def acked_lines(self) -> int:
        """Tell how many whole lines the peer's kernel has: it acknowledged them to ours (TCP_INFO, tcp(7))."""
        info = self.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
        (acked,) = struct.unpack_from("=Q", info, 120)  # tcpi_bytes_acked
        return sum(end <= acked for end in list(self._ends))


class DatagramSender(Sender):
    """Sends numbered datagrams, `<name> <number>` under app `datagram`, with a breath now and then."""

    def __init__(
        self, port: int, name: str, gate: threading.Lock | None = None, pad: int = 0, breath_seconds: float = 0.002
    ) -> None:
        """gate: held for each datagram, so that somebody who holds it knows that `sent` stands still."""
        super().__init__()
        self.sent = 0
        self._port = port
        self.name = name
        self._gate = gate or threading.Lock()
        self._pad = b" " + b"x" * pad if pad else b""
        self._breath_seconds = breath_seconds

    def work(self) -> None:
        name = self.name.encode()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(("127.0.0.1", self._port))
            while not self.stopping.is_set():
                with self._gate, contextlib.suppress(ConnectionRefusedError):
                    sock.send(b"<13>1 - - datagram - - - %s %d%s" % (name, self.sent + 1, self._pad))
                    self.sent += 1
                if self.sent % 20 == 0:
                    self.stopping.wait(self._breath_seconds)


def queued_bytes(sock: socket.socket) -> int:
    """What our own kernel still holds of what was written (SIOCOUTQ, tcp(7))."""
    return struct.unpack("=i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0]


class HttpSender(Sender):
    """Posts JSON lines to `/ingest`, each with an id; what was not answered 200 is posted again, with the same ids."""

    def __init__(self, port: int, name: str, token: str, lines: int = 50) -> None:
        super().__init__()
        self.acknowledged: set[str] = set()
        self._port = port
        self._name = name
        self._token = token
        self._lines = lines

    def work(self) -> None:
        number = 0
        while not self.stopping.is_set():
            texts = [f"{self._name} {number + line}" for line in range(1, self._lines + 1)]
            number += self._lines
            body = "".join(f'{{"id": "{text}", "app": "http", "message": "{text}"}}\n' for text in texts).encode()
            while not self.stopping.is_set():
                if self._is_taken(body):
                    self.acknowledged.update(texts)
                    break
                self.stopping.wait(0.02)

    def _is_taken(self, body: bytes) -> bool:
        headers = {"Content-Type": "application/x-ndjson", "Authorization": f"Bearer {self._token}"}
        try:
            made = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_SECONDS)
            with contextlib.closing(made) as connection:
                connection.request("POST", "/ingest?id_field=id", body, headers)
                return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
