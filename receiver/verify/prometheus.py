"""Fetches the heads that a Prometheus server recorded: each scrape is a dated copy of the head in its database.

Knows Prometheus' HTTP API and the names of our gauges. `query_range` tells on which days there is anything; `query`
with a range selector then gives the samples of those days as they were scraped. Samples of one scrape bear the same
time stamp, so size and root belong together where the stamps are equal.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

from receiver.errors import StoreRefused
from receiver.evidence.head_gauges import LABELS
from receiver.verify.checks import RecordedHead

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZE: Final = "audit_receiver_tree_size"
ROOT: Final = "audit_receiver_tree_root"
_TIMEOUT_SECONDS: Final = 60
_ANSWER_BYTES: Final = 256 * 1024 * 1024
_STEP_SECONDS: Final = 6 * 3600
"""Samples are fetched in pieces: Prometheus answers at most 50 million at once by default."""
_DAY_SECONDS: Final = 86_400
_OLDEST_DAYS: Final = 10_000
"""How far back is looked: as many points as Prometheus gives for one question (11 000)."""


def recorded_heads(url: str, match: str = "", since: float | None = None) -> list[RecordedHead]:
    """Fetch every different head of one receiver. match: label matchers, as in `instance="audit:9514"`.

    since: Unix time; None is as far back as the server keeps. Raises StoreRefused: no answer, no head, or those of
    several receivers.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise StoreRefused(f"{url}: an address of http or https is expected")
    found: dict[tuple[int, float, float], RecordedHead] = {}
    for day in _days(url, match, since or 0.0):
        for end in range(day - _DAY_SECONDS + _STEP_SECONDS, day + 1, _STEP_SECONDS):
            for stamp, size, first, second in _samples(url, match, end):
                if not size:
                    continue  # nothing is signed yet, and the gauges of the root are no root
                where = f"Prometheus, at {datetime.fromtimestamp(stamp, UTC):%Y-%m-%d %H:%M:%S} UTC,"
                found.setdefault((int(size), first, second), RecordedHead(where, int(size), first, second))
    if not found:
        raise StoreRefused(f"{url}: no head is recorded there: does it scrape the receiver? Is --match right?")
    return sorted(found.values(), key=lambda head: head.size)


def _days(url: str, match: str, since: float) -> list[int]:
    """Give the ends of the days on which anything was recorded, oldest first."""
    end = int(time.time()) + 1
    days = min(_OLDEST_DAYS, int((end - since) // _DAY_SECONDS) + 1)
    span = {"start": str(end - (days - 1) * _DAY_SECONDS), "end": str(end), "step": str(_DAY_SECONDS)}
    answer = _ask(url, "query_range", query=f"count_over_time({SIZE}{{{match}}}[{_DAY_SECONDS}s])", **span)
    return sorted({int(stamp) for series in answer for stamp, _ in series["values"]})


def _samples(url: str, match: str, end: float) -> Iterator[tuple[float, float, float, float]]:
    span = f"[{_STEP_SECONDS}s]"
    sizes = _series(url, f"{SIZE}{{{match}}}{span}", end)
    comma = "," if match else ""
    halves = [_series(url, f'{ROOT}{{{match}{comma}bits="{bits}"}}{span}', end) for bits in LABELS]
    for stamp, size in sizes.items():
        if all(stamp in half for half in halves):
            yield stamp, size, halves[0][stamp], halves[1][stamp]


def _series(url: str, query: str, end: float) -> dict[float, float]:
    answer = _ask(url, "query", query=query, time=f"{end:.3f}")
    if len(answer) > 1:
        instances = ", ".join(sorted({str(series["metric"].get("instance", "?")) for series in answer}))
        raise StoreRefused(f"{url} knows several receivers ({instances}): choose one, as in instance=\"host:9514\"")
    return {float(stamp): float(value) for series in answer for stamp, value in series["values"]}


def _ask(url: str, what: str, **question: str) -> list[dict[str, Any]]:
    body = urlencode(question).encode()
    request = Request(f"{url.rstrip('/')}/api/v1/{what}", body)  # noqa: S310 - the scheme was looked at
    try:
        with urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310
            text = answer.read(_ANSWER_BYTES + 1)
        if len(text) > _ANSWER_BYTES:
            raise StoreRefused(f"{url}: the answer is longer than any that is read")
        data: list[dict[str, Any]] = json.loads(text)["data"]["result"]
    except (URLError, OSError) as error:
        raise StoreRefused(f"{url}: {getattr(error, 'reason', error)}") from None
    except (ValueError, KeyError, TypeError) as error:
        raise StoreRefused(f"{url}: this is no answer of Prometheus ({error})") from None
    return data
