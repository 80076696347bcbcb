"""Loss made visible in the log itself: what kernel, inbox or listeners dropped, refused or gave up since the last look.

Knows plain counters and a time; knows no socket. One event for each kind of loss and each reason, at most one a span
while it goes on, so that a flood of losses is not a flood of events; the counters lose nothing of it. What is lost for
certain (messages, datagrams, chunks) is told every minute; connections that were refused or given up, which a stranger
can cause as often as he likes, every ten. Of whoever sent it the first few addresses are named.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver import counters as counts
from receiver.counters import DropReason
from receiver.own_acts import BROKEN, LOST, REFUSED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from receiver.counters import IngestCounters, ListenerCounters

REPEAT_SECONDS: Final = 60.0
REPEAT_REFUSED_SECONDS: Final = 600.0

KERNEL: Final = "the kernel's buffer was full"
NOT_ALLOWED: Final = "the sender's network is not allowed"
UNREAD: Final = "the sender reads no answers"
INCOMPLETE: Final = "GELF chunks whose message never became complete"


class Loss(NamedTuple):
    """What was lost between two looks; `data` has the number, the place and the times."""

    message: str
    """One of the fixed ones of `own_acts`."""
    reason: str
    data: dict[str, Any]


class _Kind(NamedTuple):
    message: str
    reason: str
    listener: str | None
    blamed: str | None = None
    """Under what name listeners note whose it is."""


def counted(listeners: Mapping[str, ListenerCounters], ingest: IngestCounters) -> Iterator[tuple[_Kind, int]]:
    """List every kind of loss there is, with its count since the start."""
    for reason, count in ingest.dropped.items():
        if reason != DropReason.DUPLICATE:  # it is in the log: only its resend is not
            yield _Kind(LOST, _words(reason), None, reason), count
    for name, counters in listeners.items():
        yield _Kind(LOST, KERNEL, name), counters.kernel_drops
        yield _Kind(LOST, INCOMPLETE, name), counters.gelf_discarded
        yield _Kind(REFUSED, NOT_ALLOWED, name, counts.NOT_ALLOWED), counters.datagrams_refused
        for reason, count in counters.connections_rejected.items():
            yield _Kind(REFUSED, _words(reason), name, reason), count
        for reason, count in counters.http_refused.items():
            yield _Kind(REFUSED, f"{_words(reason)} request", name, reason), count
        for reason, count in counters.framing_errors.items():
            yield _Kind(BROKEN, _words(reason), name, reason), count
        yield _Kind(BROKEN, UNREAD, name, counts.UNREAD), counters.relp_unread


class _Seen(NamedTuple):
    """What was counted at a look, and when that was by both clocks."""

    number: int
    now: float
    steady: float


class LossWatch:
    """Remembers what was counted at the last report of each kind."""

    def __init__(self) -> None:
        self._seen: dict[_Kind, _Seen] = {}

    def look(
        self,
        listeners: Mapping[str, ListenerCounters],
        ingest: IngestCounters,
        now: float,
        steady: float,
        *,
        last: bool = False,
    ) -> list[Loss]:
        """Compare with the last report. last: there is no later look, so say all there is.

        now: Unix time, for people. steady: monotonic seconds, which decide: a clock set back must not silence us.
        """
        moment = _Seen(0, now, steady)
        kinds = counted(listeners, ingest)
        found: list[Loss] = []
        for kind, count in kinds:
            loss = self._compare(kind, moment._replace(number=count), last=last)
            if loss is not None:
                peers = _blamed(kind, listeners)
                found.append(loss._replace(data={**loss.data, "peers": peers}) if peers else loss)
        return found

    def _compare(self, kind: _Kind, found: _Seen, *, last: bool) -> Loss | None:
        before = self._seen.setdefault(kind, found._replace(number=0))
        repeat = REPEAT_SECONDS if kind.message == LOST else REPEAT_REFUSED_SECONDS
        is_due = found.steady - before.steady >= repeat
        if found.number <= before.number:
            if is_due:
                self._seen[kind] = found  # nothing was lost: the next span begins here
            return None
        if before.number and not (is_due or last):
            return None
        self._seen[kind] = found
        place = {} if kind.listener is None else {"listener": kind.listener}
        span = {"from": _moment(before.now), "to": _moment(found.now)}
        number = "lost" if kind.message == LOST else "count"
        return Loss(kind.message, kind.reason, {**place, number: found.number - before.number, **span})


def _blamed(kind: _Kind, listeners: Mapping[str, ListenerCounters]) -> list[str]:
    """Give the first few peers that a kind of loss was about, and forget them."""
    mine = [counters for name, counters in listeners.items() if kind.listener in {None, name}]
    named = [peer for counters in mine for peer in counters.blamed.pop(kind.blamed or "", ())]
    return list(dict.fromkeys(named))[: counts.BLAMED_PEERS]


def _words(reason: str) -> str:
    return reason.replace("_", " ")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
