"""HTTP connections: bodies are taken piece by piece, and answered when all of it is durable.

Knows the session of `wire/http.py` in the place of a framer, who may send (a token, a client certificate), the room's
intake and its settlements. Does not know paths (`http_routes.py`) or formats (`http_bodies.py`).

- Backpressure: while the inbox is full no further piece is unpacked, parsed or read; the peer waits for 100 Continue.
- Nothing is answered 200 that is not on the disk. What is answered otherwise, or not at all, the sender has still; what
  was taken of it before is in the log, and told from its resend where it has a name.
- Bounded: head, message, piece, body, ratio, and the time for each; an answer waits for a commit for so long only.
"""

from __future__ import annotations

import asyncio
from collections import deque
from email.utils import formatdate
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Protocol, cast

from receiver import limits
from receiver.counters import HttpRefusal
from receiver.listen.answering import AnsweringConnection
from receiver.listen.http_bodies import BodyReader, Taken
from receiver.listen.http_routes import open_request
from receiver.listen.stream import Owner, TlsStreamConnection
from receiver.wire.http import HttpSession, Request, Response, plain
from receiver.wire.inflate import CODINGS, InflateError, Inflater

if TYPE_CHECKING:
    from collections.abc import Callable

    from receiver.counters import ListenerCounters
    from receiver.event import Origin
    from receiver.ingest import Settled
    from receiver.listen.tokens import Tokens

_SETTLING_AT_ONCE = 64
"""Settlements looked at before the next is added: most are done by then, and a long body keeps few."""
_RETRY = (("Retry-After", str(limits.HTTP_RETRY_SECONDS)),)
_WHO = (("WWW-Authenticate", 'Bearer realm="audit-receiver", Basic realm="audit-receiver"'),)
_REASONS = {
    HTTPStatus.UNAUTHORIZED: HttpRefusal.UNAUTHORIZED,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: HttpRefusal.TOO_LARGE,
    HTTPStatus.REQUEST_TIMEOUT: HttpRefusal.TIMEOUT,
    HTTPStatus.SERVICE_UNAVAILABLE: HttpRefusal.UNAVAILABLE,
    HTTPStatus.NOT_FOUND: HttpRefusal.NOT_OFFERED,
    HTTPStatus.METHOD_NOT_ALLOWED: HttpRefusal.NOT_OFFERED,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: HttpRefusal.NOT_OFFERED,
}


class HttpOwner(Owner, Protocol):
    """The listener, as these connections see it."""

    tokens: Tokens | None


class _Phase(Enum):
    """What a connection waits for."""

    REQUEST = "request"
    HEAD = "head"
    BODY = "body"
    SETTLEMENT = "settlement"
    LINGER = "linger"


_SECONDS: Final = {
    _Phase.REQUEST: limits.HTTP_IN_IDLE_SECONDS,
    _Phase.HEAD: limits.HTTP_SECONDS,
    _Phase.BODY: limits.HTTP_BODY_SECONDS,
    _Phase.LINGER: limits.HTTP_LINGER_SECONDS,
}
"""How long it may; a settlement has its own clock."""


class _Pace:
    """How much longer a body may keep us waiting: what is slower than the least rate uses up the time of a silence."""

    def __init__(self) -> None:
        self.left_seconds = limits.HTTP_BODY_SECONDS
        self._since = asyncio.get_running_loop().time()

    def came(self, count_bytes: int) -> None:
        """Take note of bytes that came."""
        waited_seconds = self.restart()
        earned_seconds = count_bytes / limits.HTTP_BODY_RATE
        self.left_seconds = min(limits.HTTP_BODY_SECONDS, self.left_seconds - waited_seconds + earned_seconds)

    def restart(self) -> float:
        """Look at the clock again: what went by was not the peer's."""
        since, self._since = self._since, asyncio.get_running_loop().time()
        return self._since - since


class _Exchange:
    """One request whose body is being taken, and what became of it so far."""

    def __init__(self, reader: BodyReader | Response, inflater: Inflater, origin: Origin) -> None:
        self.reader = reader
        self.inflater = inflater
        self.origin = origin
        self.pace = _Pace()
        self.body_bytes = 0
        """Unpacked."""
        self._open: deque[tuple[int, asyncio.Future[Settled]]] = deque()
        """Lists that are not settled yet, each with the place of its first message in the body."""
        self.messages = 0
        """How many were handed over."""
        self._durable = True
        self._duplicates = 0
        self._places: list[int] = []

    def add(self, count: int, settlement: asyncio.Future[Settled]) -> None:
        """Take note of a list that was handed over."""
        if len(self._open) >= _SETTLING_AT_ONCE:
            self._fold()
        self._open.append((self.messages, settlement))
        self.messages += count

    def _fold(self) -> None:
        while self._open and self._open[0][1].done():
            first, settlement = self._open.popleft()
            durable, duplicates = settlement.result()
            self._durable &= durable
            self._duplicates += len(duplicates)
            if not isinstance(self.reader, Response) and self.reader.wants_places:
                self._places += [first + index for index in duplicates]

    async def settled(self, within_seconds: float) -> Taken | None:
        """Wait until all of it is durable; None when it is not in time, or never will be."""
        if self._open:
            await asyncio.wait([settlement for _, settlement in self._open], timeout=within_seconds)
            self._fold()
        if self._open or not self._durable:
            return None
        return Taken(self.messages, self._duplicates, self._places)


class _Http(AnsweringConnection):
    """What both kinds share; the other base says what is between it and the socket."""

    _http: HttpSession
    _exchange: _Exchange | None = None
    _phase = _Phase.REQUEST
    _settling: asyncio.Task[None] | None = None
    _is_last = False
    """After the answer that is due the connection ends."""

    @property
    def _http_owner(self) -> HttpOwner:
        return cast("HttpOwner", self._owner)

    def _await_request(self) -> None:
        """Begin: the peer is known as far as its address, or its certificate, tells."""
        self._http = HttpSession()
        self._set_phase(_Phase.REQUEST)

    # --- in ---

    def _consume(self, data: bytes) -> None:
        """Take what was read."""
        self._owner.counters.received_bytes += len(data)
        if self._phase is _Phase.LINGER:
            return  # read so that the peer can see why
        self._http.receive_data(data)
        self._advance()

    def _resume(self) -> None:
        """Go on after a wait: for room in the inbox, or for the loop's other work."""
        self._waiting = False
        if self._finished:
            return
        self._forgive()
        held, self._held = self._held, b""
        if held:
            self._consume(held)
        else:
            self._advance()
        self.read_on()

    def _advance(self) -> None:
        """Take what has come, as far as the inbox, other connections and answers that are due allow."""
        pieces = 0
        while self._phase not in {_Phase.SETTLEMENT, _Phase.LINGER} and not (self._waiting or self._slowed):
            if self.room.intake.full:
                self._wait()
                self._set_phase(self._phase)  # room comes in time, or it is 503
                break
            if pieces == limits.HTTP_PIECE_TURN:
                self._give_way()
                break
            piece = self._exchange.inflater.next_piece() if self._exchange is not None else b""
            if piece:
                pieces += 1
                self._take(piece)
            elif not self._step():
                break
        self._flush()
        self.room.half_read.note(self, self._held_bytes())

    def _held_bytes(self) -> int:
        """Count what is held of a request that is not complete."""
        exchange = self._exchange
        if exchange is None:
            return self._http.buffered_bytes
        held_bytes = exchange.inflater.pending_bytes
        if not isinstance(exchange.reader, Response):
            held_bytes += exchange.reader.splitter.buffered_bytes
        return held_bytes + (self._http.buffered_bytes if self._waiting else 0)

    def _go_on(self) -> None:
        """Go on after a pause for the peer's rate."""
        self._slowed = None
        self._forgive()
        self._advance()
        self.read_on()

    def hurry(self) -> None:
        """Take what was read whatever the peer's rate: it is about to end."""
        is_slowed = self._slowed is not None
        super().hurry()
        if is_slowed:
            self._advance()

    def _step(self) -> bool:
        """Take the next event of the session; False when there is none."""
        exchange = self._exchange
        if exchange is not None and exchange.inflater.error is not None:
            self._refuse_packed(exchange.inflater.error)
            return False
        event = self._http.next_event()
        if isinstance(event, Request):
            self._begin_request(event)
        elif isinstance(event, bytes):
            if exchange is not None:
                exchange.inflater.feed(event)
                exchange.pace.came(len(event))
            self._set_phase(_Phase.BODY)
        elif event is not None:
            self._end_body()
        elif self._http.problem is not None:
            self._turn_away(self._http.problem)
        elif self._http.ended:
            self.close()
        elif self._exchange is None:
            self._set_phase(_Phase.REQUEST if self._http.between_requests else _Phase.HEAD)
        return event is not None

    def _give_way(self) -> None:
        """Let other connections have their turn, and go on in the next."""
        self._waiting = True
        self.stop_reading()
        asyncio.get_running_loop().call_soon(self._resume)

    # --- a request ---

    def _begin_request(self, request: Request) -> None:
        """Look at who it is, what is asked for, and whether it can be taken now; then ask for the body."""
        origin = self._identified(request)
        if origin is None:
            self._turn_away(plain(HTTPStatus.UNAUTHORIZED)._replace(headers=_WHO))
            return
        coding = request.headers.get("content-encoding", "").strip().lower()
        bounds = self.room.bounds
        reader = open_request(request, origin.peer_identity or origin.peer or "", bounds.message_bytes)
        takes = not isinstance(reader, Response)
        if isinstance(reader, Response) and reader.status >= HTTPStatus.BAD_REQUEST and self._http.has_body:
            self._turn_away(reader)  # nobody wants the body
        elif coding not in CODINGS:
            sentence = f"Content-Encoding is gzip, deflate or none, not {coding!a}"
            self._turn_away(plain(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, sentence)._replace(
                headers=(("Accept-Encoding", "gzip, deflate"),)))  # fmt: skip
        elif takes and self.room.intake.trouble is not None:
            self._exchange = _Exchange(reader, Inflater(""), origin)
            self._turn_away(self._unavailable(self.room.intake.trouble))
        elif self._http.announced_bytes > bounds.http_body_bytes and not _is_endless(reader):
            self._exchange = _Exchange(reader, Inflater(""), origin)
            self._turn_away(self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large))
        else:
            self._exchange = _Exchange(reader, Inflater(coding, bounds.http_ratio), origin)
            self._http.invite()
            self._set_phase(_Phase.BODY)

    def _identified(self, request: Request) -> Origin | None:
        """Say who sends; None: nobody we know."""
        tokens = self._http_owner.tokens
        if tokens is None:  # then the listener asks for certificates, and this peer has shown one
            return self.origin if self.origin.peer_identity is not None else None
        name = tokens.name_of(request.headers.get("authorization", ""))
        if name is None:
            return None
        known = self.origin.peer_identity
        return self.origin._replace(peer_identity=f"token={name}" if known is None else f"token={name}, {known}")

    def _take(self, piece: bytes) -> None:
        exchange = self._exchange
        assert exchange is not None  # noqa: S101 - pieces come out of an exchange
        exchange.body_bytes += len(piece)
        reader = exchange.reader
        if exchange.body_bytes > self.room.bounds.http_body_bytes and not _is_endless(reader):
            self._turn_away(self._say(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, self._too_large))
        elif not isinstance(reader, Response):
            self._hand_over(exchange, reader, reader.splitter.feed(piece))

    def _hand_over(self, exchange: _Exchange, reader: BodyReader, frames: list[bytes]) -> None:
        """Give frames to the intake; what cannot be cut any further is refused, what stood before is taken."""
        if frames:
            intake, counters = self.room.intake, self._owner.counters
            parse, name = reader.parse, reader.name
            if not intake.take(frames, 0, exchange.origin, self.zone, counters, parse=parse, name=name):
                self._turn_away(self._unavailable(intake.trouble or "no room"))
                return
            settlement = intake.settlement(len(frames))
            settlement.add_done_callback(_duplicates_counter(counters))
            exchange.add(len(frames), settlement)
            if self.room.rates is not None:
                self._keep_to_rate(self.room.rates, len(frames))
        if reader.splitter.error is not None:
            self._turn_away(self._say(reader.fault(), reader.splitter.error))

    def _end_body(self) -> None:
        """Take what is left of the body, then wait until it is durable."""
        exchange = self._exchange
        assert exchange is not None  # noqa: S101 - a body has a head
        exchange.inflater.close()
        if exchange.inflater.error is not None:
            self._refuse_packed(exchange.inflater.error)
            return
        reader = exchange.reader
        if not isinstance(reader, Response):
            self._hand_over(exchange, reader, reader.splitter.close())
        if self._phase is not _Phase.LINGER:
            self._stop_timeout()
            self._phase = _Phase.SETTLEMENT
            self.stop_reading()
            self._settling = asyncio.get_running_loop().create_task(self._settle(exchange))

    async def _settle(self, exchange: _Exchange) -> None:
        """Answer when all of it is durable, and go on with the next request."""
        taken = await exchange.settled(limits.HTTP_ANSWER_SECONDS)
        self._settling = None
        if taken is None:
            self._turn_away(self._unavailable(self.room.intake.trouble or "not durable in time: send it again"))
            return
        reader = exchange.reader
        answer = reader if isinstance(reader, Response) else reader.answer(taken)
        self._count(answer)
        self._respond(answer)
        self._exchange = None
        if self._http.over and not self.queued_bytes():
            self.close()
            return
        if self._http.over or self._is_last:
            self._linger()
            return
        self._set_phase(_Phase.REQUEST)
        self._advance()
        self.read_on()

    # --- out ---

    def _respond(self, answer: Response, *, last: bool = False) -> None:
        if self._http.can_answer:
            self._http.respond(answer, formatdate(usegmt=True), close=last or self._is_last)
            self._flush()

    def _flush(self) -> None:
        self.write(self._http.data_to_send())

    def _turn_away(self, answer: Response) -> None:
        """Answer before all is read, or in the place of a good answer: the connection ends with it."""
        self._count(answer)
        self._respond(answer, last=True)
        self._exchange = None
        self._linger()

    def _linger(self) -> None:
        """Say no more, and read on until the peer has seen the answer: unread bytes would reset the connection."""
        self._http.forget()
        self._set_phase(_Phase.LINGER)
        self.end_writing()
        self.read_on()

    def _count(self, answer: Response) -> None:
        counters = self._owner.counters
        counters.http_requests += 1
        if answer.status < HTTPStatus.BAD_REQUEST:
            return
        reason = _REASONS.get(HTTPStatus(answer.status), HttpRefusal.MALFORMED)
        counters.http_refused[reason] += 1
        counters.blame(reason, self.origin.peer)
        self.room.complaints.warn(
            f"http_{reason}",
            "listener %s: refused a request of %s: %s",
            self.origin.listener,
            self.origin.peer,
            HTTPStatus(answer.status).phrase,
        )

    def _say(self, status: HTTPStatus, sentence: str) -> Response:
        """Say what is wrong, in the words of whoever asked."""
        exchange = self._exchange
        if exchange is None or isinstance(exchange.reader, Response):
            return plain(status, sentence)
        return exchange.reader.refuse(status, sentence, exchange.messages)

    def _unavailable(self, why: str) -> Response:
        answer = self._say(HTTPStatus.SERVICE_UNAVAILABLE, why)
        return answer._replace(headers=(*answer.headers, *_RETRY))

    def _refuse_packed(self, error: InflateError) -> None:
        is_bomb = error is InflateError.RATIO
        status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_bomb else HTTPStatus.BAD_REQUEST
        self._turn_away(self._say(status, error))

    @property
    def _too_large(self) -> str:
        return f"a body has {self.room.bounds.http_body_bytes} bytes at most, unpacked"

    # --- time ---

    def _set_phase(self, phase: _Phase) -> None:
        """Wait for something, for as long as may be: a head must come whole in its time, a body must go on coming."""
        if phase is self._phase and phase is _Phase.HEAD and self._timeout is not None:
            return
        self._phase = phase
        self._stop_timeout()
        self._limit_time(self._seconds_left(), self._too_late)

    def _seconds_left(self) -> float:
        """Say how long what is waited for may take; a body that is too slow has less. No wait of ours counts."""
        seconds, exchange = _SECONDS[self._phase], self._exchange
        if self._phase is not _Phase.BODY or exchange is None or self._is_kept_from_reading():
            return seconds
        return seconds if _is_endless(exchange.reader) else min(seconds, exchange.pace.left_seconds)

    def _forgive(self) -> None:
        """Hold no wait of ours against a body."""
        if self._exchange is not None:
            self._exchange.pace.restart()

    def _too_late(self) -> None:
        self._timeout = None
        if self._phase in {_Phase.REQUEST, _Phase.LINGER}:
            self.close()
        elif self._slowed is not None:
            self._set_phase(self._phase)  # we did not read
        elif self.room.intake.full:
            self._turn_away(self._unavailable(self.room.intake.trouble or "the inbox is full"))
        else:
            self._turn_away(self._say(HTTPStatus.REQUEST_TIMEOUT, "the request did not go on"))

    # --- a peer that takes no answers ---

    def _patience_seconds(self) -> float:
        return limits.HTTP_TAKE_SECONDS

    def _count_unread(self) -> None:
        self._owner.counters.http_refused[HttpRefusal.TIMEOUT] += 1
        self._owner.counters.blame(HttpRefusal.TIMEOUT, self.origin.peer)

    def _is_kept_from_reading(self) -> bool:
        return self._phase is _Phase.SETTLEMENT or super()._is_kept_from_reading()

    # --- the end ---

    def eof_received(self) -> bool:
        """Keep the way back open for an answer that is due."""
        self._is_last = True
        return self._phase is _Phase.SETTLEMENT

    def is_answering(self) -> bool:
        """Say if it waits for the disk: its answer is to go out before the end, and to be read."""
        return self._phase in {_Phase.SETTLEMENT, _Phase.LINGER}

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the request: nobody is left to be answered."""
        if self._settling is not None:
            self._settling.cancel()  # nobody is left to tell; what becomes of it is counted all the same
            self._settling = None
        self._exchange = None
        super().connection_lost(exc)

    def cut_off(self, *, abort: bool = False) -> None:
        """End it for our own reasons: answer what is durable, and say of the rest that it is to be sent again."""
        if abort:
            super().cut_off(abort=True)
        elif self._phase is _Phase.SETTLEMENT:
            self._is_last = True
        elif self._exchange is not None:
            self._turn_away(self._unavailable("the receiver is being stopped"))
        elif self._phase is not _Phase.LINGER:
            super().cut_off()


class HttpConnection(_Http):
    """HTTP over TCP."""

    def _begin(self) -> None:
        """Wait for the first request."""
        self._await_request()


class HttpTlsConnection(_Http, TlsStreamConnection):
    """HTTP over TLS."""

    def _admit(self) -> bool:
        """Wait for the first request as soon as the handshake is good."""
        admitted = super()._admit()
        if admitted:
            self._await_request()
        return admitted


def _is_endless(reader: BodyReader | Response) -> bool:
    return not isinstance(reader, Response) and reader.is_endless


def _duplicates_counter(counters: ListenerCounters) -> Callable[[asyncio.Future[Settled]], None]:
    def count(settlement: asyncio.Future[Settled]) -> None:
        if not settlement.cancelled():
            counters.duplicates += len(settlement.result().duplicates)

    return count
