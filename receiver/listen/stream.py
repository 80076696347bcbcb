"""One stream connection: bytes → Framer → intake, held while the inbox is full, never lost.

Knows a transport, a framer and the room it belongs to; does not know how it was accepted or what a frame says.

- The loop reads into one buffer shared by all connections of the room: `get_buffer` → read → `buffer_updated` is
  synchronous on asyncio and uvloop, so 10 000 idle connections own no buffer at all.
- While the inbox is full one short read is kept, reading is paused, and the inbox calls back, first come, first
  served. A connection that ends meanwhile keeps its seat until its last frame is taken.
- Beyond the room's bound on half-read frames the largest are cut: of a line the rest comes as a frame of its own;
  a counted frame costs the connection, since the framer cannot skip what it has not announced as too long.
"""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
import termios
from typing import TYPE_CHECKING, Any, Protocol, cast

from receiver.counters import RejectReason
from receiver.listen.tls import TlsKeeper, TlsSession
from receiver.wire.framing import Framer
from receiver.wire.message import Cut, Defect
from receiver.wire.proxy import NoProxyHeader, ProxyHeader

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import tzinfo
    from enum import StrEnum

    from receiver.counters import ListenerCounters
    from receiver.event import Origin
    from receiver.listen.rates import Rates
    from receiver.listen.room import Room


class Owner(Protocol):
    """The listener, as its connections see it."""

    counters: ListenerCounters

    def opened(self, connection: StreamConnection) -> None:
        """Take note: it can be read now."""

    def left(self, connection: StreamConnection) -> None:
        """Take note: its last frame is taken."""

    def introduced(self, connection: StreamConnection, header: ProxyHeader) -> tuple[RejectReason, str] | None:
        """Let in the client that a trusted proxy names; or say why not."""


class StreamConnection(asyncio.BufferedProtocol):
    """TCP and Unix streams."""

    __slots__ = (
        "_broken", "_cut_off", "_ended", "_finished", "_framer", "_held", "_hurried", "_owner", "_preface",
        "_silent_since", "_slowed", "_timeout", "_waiting", "half_read_bytes", "is_check", "origin", "read_bytes",
        "room", "seat", "transport", "zone",
    )  # fmt: skip

    def __init__(self, room: Room, owner: Owner, origin: Origin, zone: tzinfo | None, *, proxied: bool = False) -> None:
        """Make one; `proxied`: it comes from a trusted proxy, so a PROXY header opens it, else none may."""
        self.room = room
        self.origin = origin
        self.zone = zone
        self.seat: str | None = None
        """Under whose name it is counted among the connections; None before a proxy has said it."""
        self.transport: asyncio.Transport | None = None
        self.half_read_bytes = 0
        self.read_bytes = 0
        """From the socket, so far."""
        self._owner = owner
        self._framer: Framer | None = None
        self._held = b""
        self._waiting = False
        """The inbox will call `_resume`."""
        self._ended = False
        self._finished = False
        self._broken = False
        """The framer gave up, and that was said."""
        self._cut_off = False
        """We ended it, so what is half read is not all."""
        self._preface: ProxyHeader | NoProxyHeader | None = ProxyHeader() if proxied else NoProxyHeader()
        """Reads what may stand before everything else; None as soon as something else was said."""
        self.is_check = False
        """A proxy looks whether we live."""
        self._slowed: asyncio.TimerHandle | None = None
        """Not read until its peer's rate is what it should be."""
        self._hurried = False
        """A stop reads it whatever its rate."""
        self._silent_since: tuple[int, float] | None = None
        """At the last look at silence: `read_bytes`, and since when it has not changed."""
        self._timeout: asyncio.TimerHandle | None = None
        """For a PROXY header, then for a TLS handshake."""

    # --- called by the loop ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start: reading begins after this."""
        self.transport = cast("asyncio.Transport", transport)
        self._owner.opened(self)
        if isinstance(self._preface, ProxyHeader):
            seconds = self.room.bounds.proxy_header_seconds
            self._limit_time(seconds, lambda: self._refuse(RejectReason.PROXY_HEADER, "no PROXY header in time"))
        else:
            self._begin()

    def get_buffer(self, sizehint: int) -> Any:  # noqa: ARG002 - the loop's signature
        """Offer the shared buffer; little of it while what is read must be held."""
        room = self.room
        return room.short_buffer if room.intake.full else room.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what the loop has read."""
        self.read_bytes += nbytes
        data = bytes(self.room.buffer[:nbytes])
        if self._preface is not None:
            data = self._read_preface(self._preface, data)
        if data:
            self._receive(data)

    def pause_writing(self) -> None:
        """Give up on a peer that makes us write and does not read: we owe it nothing but TLS."""
        self.abort()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Take what is left, when there is room for it."""
        self._stop_timeout()
        self._end_slowness()
        self._ended = True
        if self._preface is not None:
            self._end_preface(self._preface)
        if self._waiting and not self.sends_again:
            return
        if self.room.intake.full and not self.sends_again:
            self._wait()
        else:
            self.finish()

    # --- called by the listener ---

    def queued_bytes(self) -> int:
        """Ask what the kernel holds for us on this connection."""
        return queued_bytes(self.transport.get_extra_info("socket")) if self.transport else 0

    sends_again = False
    """Its sender keeps what is not answered, so a stop needs not wait for what it still has."""

    def has_stalled(self) -> bool:
        """Say if it waits for the inbox."""
        return self._waiting

    def is_answering(self) -> bool:
        """Say if it waits for the disk, to answer; plain syslog has no answers."""
        return False

    def silent_seconds(self, now: float) -> float:
        """Say for how long nothing has come, as far as the looks at it tell; our own silence does not count."""
        busy = self._is_kept_from_reading() or self.is_answering()
        if self._silent_since is None or busy or self._silent_since[0] != self.read_bytes:
            self._silent_since = (self.read_bytes, now)
        return now - self._silent_since[1]

    def hurry(self) -> None:
        """Read it whatever its peer's rate: it is about to end."""
        self._hurried = True
        if self._slowed is not None:
            self._end_slowness()
            self.read_on()

    def stop_reading(self) -> None:
        """Read nothing more of it until `read_on`."""
        if self.transport is not None and not self._ended and not self.transport.is_closing():
            self.transport.pause_reading()

    def read_on(self) -> None:
        """Read again, if nothing else keeps us from it."""
        if self.transport is None or self._ended or self.transport.is_closing() or self._is_kept_from_reading():
            return
        self.transport.resume_reading()

    def close(self) -> None:
        """Read no more; what was read is taken."""
        if self.transport is not None:
            self.transport.close()

    def end_writing(self) -> None:
        """Say that nothing more will be said; what still comes is read."""
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write_eof()

    def abort(self) -> None:
        """Close without writing any more."""
        if self.transport is not None:
            self.transport.abort()

    def cut_off(self, *, abort: bool = False) -> None:
        """End it for our own reasons, wherever the sender is."""
        self._cut_off = True
        if abort:
            self.abort()
        else:
            self.close()

    def finish(self) -> None:
        """Take everything that is held, whole or not, and leave. The inbox counts it if it has no room."""
        if self._finished:
            return
        self._finished = True
        if (self._framer is not None or self._held) and not self._broken:
            held, self._held = self._held, b""
            framer = self._started_framer()
            whole, rest = framer.feed(held), framer.close()
            if self._cut_off:  # by its last line alone the framer cannot tell
                rest = [frame if type(frame) is Cut else Cut.of(frame, Defect.INCOMPLETE) for frame in rest]
            self._deliver(whole + rest, len(held))
            self._check(framer)
        self._framer = None
        self.room.half_read.note(self, 0)
        self._owner.left(self)

    # --- called by HalfRead ---

    def take_silent_line(self) -> None:
        """Take a line whose end has not come; not if we are the ones who did not read."""
        framer = self._started_framer()
        if not (self._is_kept_from_reading() or self.room.intake.full or self.queued_bytes()):
            frames = framer.flush_line()
            if frames:
                self._deliver(frames, 0)
            self._check(framer)
        self.room.half_read.note(self, framer.buffered_bytes)

    def cut_half_read(self) -> bool:
        """Take the half-read frame as truncated, for want of memory."""
        if self.room.intake.full:
            return False
        framer = self._started_framer()
        frames = framer.flush_line()
        if not frames:
            frames = framer.close()
            self.abort()
        self.room.half_read.note(self, 0)
        self.room.complaints.warn("half_read", "half-read frames fill their memory: cut that of %s", self.origin.peer)
        self._deliver([_truncated(frame) for frame in frames], 0)
        return True

    # --- before the first frame ---

    def _begin(self) -> None:
        """Say that the peer is known by its address, and nothing else stands before what it says."""

    def _read_preface(self, preface: ProxyHeader | NoProxyHeader, data: bytes) -> bytes:
        """Read a PROXY header, or see that there is none; return what is behind it."""
        was_done = preface.done
        data = preface.feed(data)
        if preface.error is not None:
            self._give_up(preface.error.reason)
            return b""
        if isinstance(preface, ProxyHeader) and preface.done and not was_done:
            self._stop_timeout()
            # Version 1 has no word for it: a check names the two ends of the connection itself (§2.1).
            self.is_check = preface.local or preface.source == (self.origin.peer, self.origin.peer_port)
            refusal = self._owner.introduced(self, preface)
            if refusal is not None:
                self._refuse(*refusal)
                return b""
            self._begin()
        if data:
            self._preface = None
        return data

    def _end_preface(self, preface: ProxyHeader | NoProxyHeader) -> None:
        """See how a connection ended that has said nothing of its own, or not enough to tell."""
        held = preface.held_bytes
        rest = preface.close()
        if preface.error is not None and not self._cut_off:
            self._give_up(preface.error.reason)
        elif rest:
            self._receive(rest)
        elif not held and not self._broken:
            self._owner.counters.connections_probed += 1

    def _refuse(self, reason: RejectReason, why: str) -> None:
        """Close before anything of it is taken. What TLS has to say (an alert) is still written."""
        self._stop_timeout()
        if self._broken:
            return
        self._broken = True
        if self.is_check:  # a proxy that shows no certificate, as a rule: it only wanted to know that we live
            self._owner.counters.connections_probed += 1
        else:
            self._owner.counters.connections_rejected[reason] += 1
            self._owner.counters.blame(reason, self.origin.peer)
            text = "listener %s: refused %s: %r"
            self.room.complaints.warn(reason, text, self.origin.listener, self.origin.peer, why)
        if self.transport is not None:
            self.transport.close()

    def _limit_time(self, seconds: float, too_late: Callable[[], None]) -> None:
        self._timeout = asyncio.get_running_loop().call_later(seconds, too_late)

    def _stop_timeout(self) -> None:
        if self._timeout is not None:
            self._timeout.cancel()
            self._timeout = None

    # --- inside ---

    def _receive(self, data: bytes) -> None:
        if self.room.intake.full:
            self._hold(data)
        else:
            self._consume(data)

    def _hold(self, data: bytes) -> None:
        self._held += data
        self._wait()

    def _wait(self) -> None:
        """Stop reading until the inbox calls back."""
        if self._waiting:
            return
        self._waiting = True
        self.stop_reading()
        self.room.intake.on_space(self._resume)

    def _resume(self) -> None:
        """Go on where reading was paused: what is held first, then what the kernel holds."""
        self._waiting = False
        if self._finished:
            return
        if self.room.intake.full:
            self._wait()
            return
        held, self._held = self._held, b""
        if held:
            self._consume(held)
        if self._waiting:
            return
        if self._ended:
            self.finish()
        elif self.transport is not None and not self.transport.is_closing():
            self.room.half_read.note(self, self.half_read_bytes)  # its silence was ours
            self.read_on()

    def _is_kept_from_reading(self) -> bool:
        return self._waiting or self._slowed is not None

    def _keep_to_rate(self, rates: Rates, count: int) -> None:
        """Read on when the peer's rate allows what has been read; nothing of it is dropped."""
        if self._hurried or self.origin.peer_port is None:  # programs of this machine share an address: the socket's
            return
        wait_seconds = rates.charge(self.origin.peer or "", count)
        if not wait_seconds:
            return
        self._end_slowness()
        self._slowed = asyncio.get_running_loop().call_later(wait_seconds, self._go_on)
        self.stop_reading()
        self._owner.counters.rate_pauses += 1
        text = "listener %s: slowed %s: it sends more than limits.rate_per_peer"
        self.room.complaints.warn("rate", text, self.origin.listener, self.origin.peer)

    def _go_on(self) -> None:
        self._slowed = None
        self.read_on()

    def _end_slowness(self) -> None:
        if self._slowed is not None:
            self._slowed.cancel()
            self._slowed = None

    def _consume(self, data: bytes) -> None:
        framer = self._framer or self._started_framer()
        frames = framer.feed(data)
        self._deliver(frames, len(data))
        if self.room.rates is not None and frames:
            self._keep_to_rate(self.room.rates, len(frames))
        if framer.error is not None:
            self._check(framer)
        elif self.room.intake.full:
            self._wait()
        self.room.half_read.note(self, framer.buffered_bytes)

    def _deliver(self, frames: list[bytes], wire_bytes: int) -> bool:
        """Hand frames over; False when they were dropped, and counted."""
        return self.room.intake.take(frames, wire_bytes, self.origin, self.zone, self._owner.counters)

    def _started_framer(self) -> Framer:
        if self._framer is None:
            self._framer = Framer(self.room.bounds.message_bytes)
        return self._framer

    def write(self, data: bytes) -> None:
        """Say something to the peer; syslog has nothing to say."""
        if data and self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def _check(self, framer: Framer) -> None:
        """Close a connection that speaks another protocol."""
        if framer.error is not None:
            self._give_up(framer.error.reason)

    def _give_up(self, reason: StrEnum) -> None:
        """Close a connection whose bytes are not what they should be; count it and name the peer, once."""
        if self._broken:
            return
        self._broken = True
        self._owner.counters.framing_errors[reason] += 1
        self._owner.counters.blame(reason, self.origin.peer)
        self.room.complaints.warn(
            f"framing_{reason}",
            "listener %s: closed the connection of %s: %s",
            self.origin.listener,
            self.origin.peer,
            reason.replace("_", " "),
        )
        self.abort()


class TlsStreamConnection(StreamConnection):
    """TLS between the socket and the framer; nothing of it is read before the handshake is good."""

    __slots__ = ("_admitted", "_keeper", "_said_end", "_session")

    def __init__(
        self,
        room: Room,
        owner: Owner,
        origin: Origin,
        zone: tzinfo | None,
        keeper: TlsKeeper,
        *,
        proxied: bool = False,
    ) -> None:
        super().__init__(room, owner, origin, zone, proxied=proxied)
        self._keeper = keeper
        self._session = TlsSession(keeper.context)
        self._admitted = False
        """The handshake is done, and the peer may send."""
        self._said_end = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a handshake that never was; who said nothing at all only looked whether we live."""
        has_spoken = self._preface is None or (isinstance(self._preface, NoProxyHeader) and self._preface.held_bytes)
        if has_spoken and not self._admitted and not self._cut_off:
            self._refuse(RejectReason.TLS_HANDSHAKE, "the connection ended within the TLS handshake")
        super().connection_lost(exc)

    def close(self) -> None:
        """Read no more, and say so."""
        self._stop_timeout()
        self._end_session()
        super().close()

    def end_writing(self) -> None:
        """Say so in TLS too."""
        self._end_session()
        super().end_writing()

    def _end_session(self) -> None:
        """Say close_notify, once."""
        if not self._said_end:
            self._said_end = True
            self._session.close()
            self._send()

    def _begin(self) -> None:
        """Give the handshake its time."""
        seconds = self.room.bounds.tls_handshake_seconds
        self._limit_time(seconds, lambda: self._refuse(RejectReason.TLS_HANDSHAKE, "no TLS handshake in time"))

    def _receive(self, data: bytes) -> None:
        session = self._session
        if self.transport is None or self.transport.is_closing():
            return
        plain = session.feed(data)
        self._send()
        if not self._admitted and not self._admit():
            return
        if plain:
            super()._receive(plain)
        if session.error is not None:
            self.room.complaints.warn("tls", "%s: broken TLS: %s", self.origin.peer, session.error.reason)
            self.abort()
        elif session.closed:
            self.close()

    def write(self, data: bytes) -> None:
        """Say something to the peer, encrypted."""
        if data:
            self._session.write(data)
            self._send()

    def _send(self) -> None:
        data = self._session.data_to_send()
        if data and self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)

    def _admit(self) -> bool:
        """Look at the peer as soon as the handshake is done; False while it is not, or when it may not send."""
        session = self._session
        if not session.established:
            if session.error is not None:
                why = (session.error.reason or "failed").replace("_", " ").lower()
                self._refuse(RejectReason.TLS_HANDSHAKE, f"TLS handshake: {why}")
            return False
        try:
            certificate = session.peer_certificate()
        except ValueError as error:
            # OpenSSL took it, cryptography cannot read it: then we cannot say who this is.
            self._refuse(RejectReason.TLS_HANDSHAKE, f"unreadable certificate: {error}")
            return False
        if not self._keeper.permits(certificate):
            shown = certificate.identity if certificate else "no certificate"
            self._refuse(RejectReason.NOT_ALLOWED, f"{shown} is not permitted")
            return False
        if certificate is not None:
            self.origin = self.origin._replace(peer_identity=certificate.identity)
        self._stop_timeout()
        self._admitted = True
        return True


def queued_bytes(sock: Any) -> int:
    """Ask what a stream socket holds for us to read (FIONREAD, tcp(7), unix(7)); 0 for a closed one."""
    if sock is None:  # uvloop gives no socket once its transport is closed
        return 0
    try:
        answer = fcntl.ioctl(sock.fileno(), termios.FIONREAD, b"\0\0\0\0")
    except (OSError, ValueError):
        return 0
    return int(struct.unpack("i", answer)[0])


def peer_credentials(sock: socket.socket) -> str:
    """Write `uid=…,pid=…` of the process at the other end of a Unix stream (SO_PEERCRED, unix(7))."""
    pid, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return f"uid={uid},pid={pid}"


def _truncated(frame: bytes) -> bytes:
    """Mark what was cut for want of memory; how long it would have been nobody knows."""
    if type(frame) is Cut and frame.defect is Defect.TRUNCATED:
        return frame
    return Cut.of(frame, Defect.TRUNCATED)
