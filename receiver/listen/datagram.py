"""A datagram listener, `udp` or `unix_dgram`: awaits one, then takes what is there, and hands it over as one list.

Knows sockets, addresses and GELF's chunks and compression; knows no other format. One datagram is one frame (RFC 5426
§3.1); an empty one carries nothing and is passed over.

`asyncio_dgram` wakes us; its receive queue has no bound and `recv()` after `close()` forgets what it holds. So the
reader awaits nothing but `recv()`, hands over without waiting (the inbox drops and counts what it has no room for),
and takes what the stream holds *before* it drains the same socket: the order of one sender is kept. Draining costs
3 µs a datagram with its hand-over, `await recv()` 22. Reading comes before parsing: a bounded backlog of frames takes
bursts that are faster than the parser and longer than the kernel's buffer.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from collections import deque
from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncio_dgram

from receiver import limits
from receiver.counters import NOT_ALLOWED, DropReason, ListenerCounters
from receiver.event import Origin
from receiver.listen.address import socket_path
from receiver.listen.peers import is_allowed, peer_text, zone_of
from receiver.listen.settings import UNIX, ListenerSettings
from receiver.wire import gelf
from receiver.wire.message import Cut, Defect
from receiver.wire.urgency import severity_of

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence
    from datetime import tzinfo

    from receiver.listen.rates import Rates
    from receiver.listen.room import Room

_log = logging.getLogger(__name__)

_SO_MEMINFO = 55  # sock_diag(7): u32s, [0] bytes queued for reading, [1] buffer, [8] datagrams dropped
_MEMINFO_BYTES = 36
_SKB_BYTES = 256  # the least a queued datagram costs the kernel beside its text
_LOOP_READ_BYTES = 256_000
"""uvloop reads a datagram into this much, asyncio into a little more: one that fills it has lost its end."""
_FRAME_BYTES = 56
"""What a frame in the backlog costs beside its bytes: its object, and a place in two lists."""
_UNPACKED_BYTES = 64 * 1024
"""What a packed frame counts for when lists are cut: 32 of them inflate to 8 MiB at the worst."""
_LOOK_SECONDS = 0.005
_GELF = frozenset({b"\x1e", b"\x1f", b"\x78"})
"""First byte of a chunk, of gzip, of zlib: worth a closer look."""

Datagram = tuple[bytes, Any]
"""What was sent, and the sender's address."""


class _Sender(NamedTuple):
    origin: Origin
    zone: tzinfo | None


class _Waiting(NamedTuple):
    """One list in the backlog."""

    frames: list[bytes]
    wire_bytes: int
    origins: list[Origin]
    zone: tzinfo | None
    received_at: int
    cost_bytes: int
    packed: bool
    """Some frames begin like a chunk or like what is compressed."""


class _Socket:
    """One socket, its stream, and the task that reads them."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.rest: socket.socket | None = None
        """The same once more, for what is left after the stream is closed; made at the start, since a stop must not
        fail for want of a descriptor."""
        self.stream: asyncio_dgram.DatagramStream | None = None
        self.task: asyncio.Task[None] | None = None
        self.drops = 0
        """As last read from the kernel."""


class DatagramListener:
    """Reads one socket or several."""

    keeper = None
    """Datagrams have no TLS here."""

    def __init__(self, settings: ListenerSettings, sockets: Sequence[socket.socket], room: Room) -> None:
        self.counters = ListenerCounters()
        self.sockets = tuple(sockets)
        self._room = room
        self._rates = None if settings.type in UNIX else room.rates
        self._sockets = [_Socket(sock) for sock in sockets]
        self._backlog: deque[_Waiting] = deque()
        """Read and not parsed yet, in order."""
        self._backlog_bytes = 0
        self._reassembler = gelf.Reassembler(room.bounds.gelf_assembly_bytes)
        self._discarded = 0
        """Of those the reassembler has discarded, how many are counted."""
        self._buffer = bytearray(max(limits.DATAGRAM_BYTES, _LOOP_READ_BYTES if settings.type in UNIX else 0))
        self._view = memoryview(self._buffer)
        self._max_bytes = room.bounds.message_bytes
        self.settings = settings

    @property
    def settings(self) -> ListenerSettings:
        """What it is told; setting it forgets who was allowed before."""
        return self._settings

    @settings.setter
    def settings(self, settings: ListenerSettings) -> None:
        self._settings = settings
        self._sender = lru_cache(limits.ORIGINS)(self._look_up)

    @property
    def trouble(self) -> str | None:
        """Why it does not read; None while it does."""
        ended = [s for s in self._sockets if s.task is not None and s.task.done()]
        return "reading has stopped" if ended else None

    async def start(self) -> None:
        """Read from now on."""
        for item in self._sockets:
            item.rest = item.sock.dup()
            item.stream = await asyncio_dgram.from_socket(item.sock)
            item.task = asyncio.get_running_loop().create_task(self._read(item.sock, item.stream))
            item.task.add_done_callback(self._ended)

    def refresh(self) -> None:
        """Ask the kernel what it has dropped, and give up chunks that have waited too long."""
        buffers = []
        for item in self._sockets:
            with suppress(OSError):  # closed
                meminfo = _meminfo(item.sock)
                drops = meminfo[8]
                buffers.append(meminfo[1] // 2)  # doubled by the kernel, for its own needs (socket(7))
                self.counters.kernel_drops += (drops - item.drops) & 0xFFFF_FFFF
                item.drops = drops
        if buffers:
            self.counters.receive_buffer_bytes = min(buffers)
        self._expire(asyncio.get_running_loop().time())

    async def stop(self, until: float) -> None:
        """Read what the queues hold at this moment, then close. `until`: loop time at which that ends in any case."""
        for item in self._sockets:
            if item.task is not None and item.rest is not None and item.stream is not None:
                if item.sock.fileno() >= 0:
                    item.task.cancel()
                    await asyncio.wait([item.task])
                    self.refresh()
                    await self._stop_one(item.rest, item.stream, until)
                item.rest.close()
            item.sock.close()
        self._expire(float("inf"))

    def _expire(self, now: float) -> None:
        """Give up chunks that have waited too long; the counters may be those of a listener before this one."""
        self._reassembler.expire(now)
        self.counters.gelf_discarded += self._reassembler.discarded - self._discarded
        self._discarded = self._reassembler.discarded
        self.counters.gelf_waiting_bytes = self._reassembler.cost_bytes

    async def _stop_one(self, rest: socket.socket, stream: asyncio_dgram.DatagramStream, until: float) -> None:
        """Take what the stream holds, then close it, which closes its socket; read the rest beside it."""
        self._queue(_held(stream))
        stream.close()
        self._drain_rest(rest)
        await self._finish_backlog(until)
        self._drop_backlog()

    def _drop_backlog(self) -> None:
        """Count what there was no time for (it takes much packed in little): nothing of it is in any other count."""
        for waiting in self._backlog:
            self._room.intake.refuse(len(waiting.frames), waiting.wire_bytes, self.counters, DropReason.STOPPING)
        self._backlog.clear()
        self._backlog_bytes = 0

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Say so when reading ends by a fault of ours; `trouble` makes the service unready."""
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("listener %s: reading has stopped", self._settings.name, exc_info=error)

    # --- reading ---

    async def _read(self, sock: socket.socket, stream: asyncio_dgram.DatagramStream) -> None:
        while True:
            try:
                first = await stream.recv()
            except asyncio_dgram.TransportClosed:
                return
            except OSError as error:
                self._room.complaints.warn("datagram", "listener %s: %s", self._settings.name, error)
                continue
            self._take_in(sock, [_marked(first), *_held(stream)])
            while self._backlog:
                self._hand_over_oldest()
                await asyncio.sleep(0)
                self._take_in(sock, _held(stream))

    def _take_in(self, sock: socket.socket, datagrams: list[Datagram]) -> None:
        """Put what the stream held, then what the socket holds, at the end of the backlog.

        The kernel's buffer lasts a third of a second at 50 000 datagrams/s, and parsing may be slower than that for as
        long as a burst goes on. So reading comes before parsing, up to a bound; beyond it the kernel drops and counts.
        """
        room_bytes = limits.DATAGRAM_BACKLOG_BYTES - self._backlog_bytes
        if room_bytes > 0:
            self._drain(sock, datagrams, room_bytes)
        self._queue(datagrams)

    def _drain(self, sock: socket.socket, datagrams: list[Datagram], room_bytes: int) -> int:
        """Add what the socket holds, to a bound; return how much room it took in the kernel, from below."""
        receive, buffer, view = sock.recvfrom_into, self._buffer, self._view
        size_bytes = len(buffer)
        queue_bytes = 0
        try:
            for _ in range(limits.DATAGRAM_DRAIN):
                # MSG_TRUNC: the true length comes back, also of what did not fit.
                length, address = receive(buffer, 0, socket.MSG_TRUNC)
                data = bytes(view[:length])
                if length > size_bytes:
                    data = Cut.of(data, Defect.TRUNCATED, length)
                datagrams.append((data, address))
                queue_bytes += length + _SKB_BYTES
                if queue_bytes > room_bytes:
                    break
        except BlockingIOError:
            return queue_bytes
        except OSError as error:
            self._room.complaints.warn("datagram", "listener %s: %s", self._settings.name, error)
        return queue_bytes

    def _drain_rest(self, sock: socket.socket) -> None:
        """Read what was queued when the stop began; a sender that goes on cannot make it more."""
        # A Unix queue tells no size; it is short (net.unix.max_dgram_qlen, 512 under systemd).
        quota_bytes = _meminfo(sock)[0] if sock.family != socket.AF_UNIX else 1
        while quota_bytes > 0:
            datagrams: list[Datagram] = []
            quota_bytes -= self._drain(sock, datagrams, limits.DATAGRAM_LIST_BYTES)
            if not datagrams:
                return
            self._queue(datagrams)

    async def _finish_backlog(self, until: float) -> None:
        """Hand over what was read; a long backlog is given its share of STOP_BACKLOG_SECONDS beyond `until`."""
        loop = asyncio.get_running_loop()
        until += limits.STOP_BACKLOG_SECONDS * self._backlog_bytes / limits.DATAGRAM_BACKLOG_BYTES
        while self._backlog and loop.time() < until:
            if self._room.intake.full:
                await asyncio.sleep(_LOOK_SECONDS)
                continue
            self._hand_over_oldest()
            await asyncio.sleep(0)

    # --- handing over ---

    def _queue(self, datagrams: list[Datagram]) -> None:
        """Add them to the backlog as lists of frames, each with its origin; several, of one zone and bounded.

        What is packed stays so: in the backlog it would be a thousand times as large.
        """
        if self._rates is not None:
            datagrams = self._within_rate(self._rates, datagrams)
        sender_of, max_bytes = self._sender, self._max_bytes
        frames: list[bytes] = []
        origins: list[Origin] = []
        zone = self._settings.zone
        wire_bytes = frames_bytes = 0
        packed = False
        for data, address in datagrams:
            sender = sender_of(address)
            if sender is None:
                self.counters.datagrams_refused += 1
                self.counters.blame(NOT_ALLOWED, peer_text(address[0]))
                continue
            full = frames_bytes > limits.DATAGRAM_LIST_BYTES or len(frames) >= limits.DATAGRAM_LIST
            if sender.zone is not zone or full:
                self._queue_list(frames, wire_bytes, origins, zone, packed)
                frames, origins, zone, wire_bytes, frames_bytes, packed = [], [], sender.zone, 0, 0, False
            wire_bytes += len(data)
            frame = data
            if data[:1] in _GELF:
                packed = True
                frames_bytes += _UNPACKED_BYTES
            elif len(data) > max_bytes:
                frame = Cut.of(data[:max_bytes], Defect.TRUNCATED, _original_bytes(data))
            if frame:
                frames.append(frame)
                frames_bytes += len(frame)
                origins.append(sender.origin)
        self._queue_list(frames, wire_bytes, origins, zone, packed)

    def _within_rate(self, rates: Rates, datagrams: list[Datagram]) -> list[Datagram]:
        """Leave out, and count, what is over its peer's rate and not urgent; what is packed is looked at later."""
        kept: list[Datagram] = []
        for datagram in datagrams:
            data, address = datagram
            sender = self._sender(address)
            if not data or sender is None or data[:1] in _GELF or self._may_pass(rates, data, sender.origin, len(data)):
                kept.append(datagram)
        return kept

    def _may_pass(self, rates: Rates, frame: bytes, origin: Origin, wire_bytes: int) -> bool:
        """Say if it is within its peer's rate, or urgent; else count it. wire_bytes: those not counted elsewhere."""
        if rates.grant(origin.peer or ""):
            return True
        severity = severity_of(frame)
        if severity is not None and severity <= rates.severity_floor:
            return True
        self._room.intake.refuse(1, wire_bytes, self.counters, DropReason.RATE_LIMITED)
        self.counters.blame(DropReason.RATE_LIMITED, origin.peer)
        text = "listener %s: datagrams of %s dropped: it sends more than limits.rate_per_peer"
        self._room.complaints.warn("rate_limited", text, origin.listener, origin.peer)
        return False

    def _queue_list(
        self, frames: list[bytes], wire_bytes: int, origins: list[Origin], zone: tzinfo | None, packed: bool
    ) -> None:
        if wire_bytes:
            cost_bytes = sum(map(len, frames)) + _FRAME_BYTES * len(frames)
            self._backlog_bytes += cost_bytes
            now = self._room.intake.now_us()
            self._backlog.append(_Waiting(frames, wire_bytes, origins, zone, now, cost_bytes, packed))

    def _hand_over_oldest(self) -> None:
        """Give the intake the list that has waited longest."""
        if not self._backlog:
            return
        waiting = self._backlog.popleft()
        self._backlog_bytes -= waiting.cost_bytes
        if waiting.packed:
            self._take_packed(waiting)
        else:
            self._take(waiting.frames, waiting.wire_bytes, waiting.origins, waiting)

    def _take_packed(self, waiting: _Waiting) -> None:
        """Join chunks and decompress; in several lists when that makes much of it."""
        now = asyncio.get_running_loop().time()
        frames: list[bytes] = []
        origins: list[Origin] = []
        wire_bytes, frames_bytes = waiting.wire_bytes, 0
        for data, origin in zip(waiting.frames, waiting.origins, strict=True):
            packed = data[:1] in _GELF
            frame = self._unpacked(data, origin, now) if packed else data
            if not frame:
                continue
            if packed and self._rates is not None and not self._may_pass(self._rates, frame, origin, 0):
                continue
            frames.append(frame)
            origins.append(origin)
            frames_bytes += len(frame)
            if frames_bytes > limits.DATAGRAM_LIST_BYTES:
                self._take(frames, wire_bytes, origins, waiting)
                frames, origins, wire_bytes, frames_bytes = [], [], 0, 0
        self._take(frames, wire_bytes, origins, waiting)

    def _unpacked(self, data: bytes, origin: Origin, now: float) -> bytes | None:
        """Join chunks, decompress; None while chunks are missing."""
        whole = self._reassembler.feed(data, origin, now)
        return None if whole is None else gelf.inflate(whole)

    def _take(self, frames: list[bytes], wire_bytes: int, origins: list[Origin], waiting: _Waiting) -> None:
        self._room.intake.take(frames, wire_bytes, origins, waiting.zone, self.counters, waiting.received_at)

    def _look_up(self, address: Any) -> _Sender | None:
        """Find who sends from this address; None when it must not. Cached: see `settings`."""
        settings = self._settings
        if settings.type in UNIX:
            path = socket_path(self.sockets[0])
            return _Sender(Origin(path, None, None, settings.type, settings.name), settings.zone)
        peer = peer_text(address[0])
        if not is_allowed(peer, settings.allow):
            text = "listener %s: datagrams from %s refused: not allowed"
            self._room.complaints.warn("datagrams_refused", text, settings.name, peer)
            return None
        return _Sender(Origin(peer, address[1], None, settings.type, settings.name), zone_of(peer, settings))


def _held(stream: asyncio_dgram.DatagramStream) -> list[Datagram]:
    """Take what the stream holds already, without waiting.

    `recv()` waits only when its queue is empty; so it is run by hand and given up where it would wait.
    """
    held: list[Datagram] = []
    while True:
        receiving: Coroutine[Any, Any, Datagram] = stream.recv()
        try:
            receiving.send(None)
        except StopIteration as result:
            held.append(_marked(result.value))
        except (asyncio_dgram.TransportClosed, OSError):
            return held
        else:
            receiving.close()
            return held


def _marked(datagram: Datagram) -> Datagram:
    """Mark one that the loop's own read may have cut."""
    data, address = datagram
    if len(data) < _LOOP_READ_BYTES:
        return datagram
    return Cut.of(data, Defect.TRUNCATED), address


def _original_bytes(data: bytes) -> int | None:
    return data.original_bytes if isinstance(data, Cut) else len(data)


def _meminfo(sock: socket.socket) -> tuple[int, ...]:
    return struct.unpack("9I", sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO_BYTES))
