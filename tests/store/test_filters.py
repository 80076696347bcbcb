"""A filter means the same in the live segment, in sealed ones, and in plain Python."""

from __future__ import annotations

import random
import tempfile
from collections import Counter
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from receiver.store import Filter, Reader
from receiver.store.filter import Phrase
from tests.kit.events import NOW_US, make_event
from tests.kit.stores import read, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from receiver.event import Event
    from receiver.store import StoredEvent

ACTORS = ["root", "alice", "bob", None]
ACTIONS = ["auth.login", "auth.logout", "file.read", None]
MESSAGES = [
    "Failed password for root from 203.0.113.9 port 22", "failed PASSWORD", "password failed", "Failed  password!",
    "sailed passwords", "", None, "Straße und ‘quotes’", "nul\0failed password", "пароль Failed", "ﬁle STRASSE",
    "a—failed—password—b", "--- ***", "foo_bar", "203.0.113.99", "failed\npassword", "\u212aelvin",
]  # fmt: skip
PHRASES = [
    "failed password", "FAILED", "203.0.113.9", "pass", "strasse", "quotes", "ПАРОЛЬ", "file", "***", "bar", "kelvin",
    "root from", "nothing like it",
]  # fmt: skip


def sample_events(count: int) -> list[Event]:
    """Every message, and every mixture of the rest, by a fixed seed."""
    dice = random.Random(7)
    return [
        make_event(
            number * 10, actor=dice.choice(ACTORS), actor_as=dice.choice(ACTORS), action=dice.choice(ACTIONS),
            outcome=dice.choice(["success", "failure", None]), host=f"h{dice.randrange(4)}",
            app=f"a{dice.randrange(3)}",
            source_ip=dice.choice(["10.0.0.1", "10.0.0.2", "2001:db8::7", None]),
            target=dice.choice(["t", "file:/x", None]),
            rule=dice.choice(["sshd/accepted", "sshd/failed", "su/ok", None]), listener=dice.choice(["udp", "tcp"]),
            peer=dice.choice(["192.0.2.1", "192.0.2.2"]),
            severity=dice.choice([0, 3, 6, None]), message=dice.choice(MESSAGES),
        )
        for number in range(count)
    ]  # fmt: skip


def naive(where: Filter, event: StoredEvent) -> bool:
    """The filter, written as one would say it."""
    times = (where.since is None or event.received_at >= where.since) and (
        where.until is None or event.received_at < where.until
    )
    equal = all(
        getattr(where, name) is None or getattr(event, name) == getattr(where, name)
        for name in ("outcome", "host", "app", "source_ip", "target", "listener", "peer")
    )
    action = begins(where.action, event.action) and begins(where.rule, event.rule)
    network = where.network is None or (
        event.source_ip is not None and ip_address(event.source_ip) in ip_network(where.network)
    )
    actor = where.actor is None or where.actor in {event.actor, event.actor_as}
    severity = where.severity is None or (event.severity is not None and event.severity <= where.severity)
    return (
        times and equal and action and network and actor and severity and contains(where.contains, event.message)
    )


def begins(wanted: str | None, value: str | None) -> bool:
    """Exact, or the beginning before a `*`."""
    if wanted is None:
        return True
    return value is not None and (value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted)


def contains(text: str | None, message: str | None) -> bool:
    """Whole words, one after the other, in any case; a text without words as it is."""
    if text is None:
        return True
    if message is None:
        return False
    words, looked_for = split(message), split(text)
    if not looked_for:
        return text.casefold() in message.casefold()
    return any(words[at : at + len(looked_for)] == looked_for for at in range(len(words)))


def split(text: str) -> list[str]:
    return "".join(c if c.isalnum() else " " for c in text.casefold()).split()


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Three sealed segments and a live one."""
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), sample_events(2200), segment=600, batch=200)
        assert len(list(Path(name).glob("*-?*.db"))) == 3
        yield Path(name)


def optional(*values: Any) -> st.SearchStrategy[Any]:
    return st.none() | st.none() | st.sampled_from(values)


TIMES = st.none() | st.none() | st.integers(NOW_US - 5, NOW_US + 22_005)
FILTERS = st.builds(
    Filter, since=TIMES, until=TIMES, actor=optional("root", "alice", "nobody"),
    action=optional("auth.login", "auth.*", "*", "file.delete"), outcome=optional("success", "unknown"),
    host=optional("h0", "h9"), app=optional("a1"), source_ip=optional("10.0.0.1", "10.9.9.9"),
    network=optional("10.0.0.0/31", "0.0.0.0/0", "2001:db8::/32"), rule=optional("sshd/*", "su/ok", "*", "nothing"),
    listener=optional("tcp"), peer=optional("192.0.2.2"),
    target=optional("file:/x", "gone"), severity=optional(0, 3, 7), contains=optional(*PHRASES),
)  # fmt: skip

UNMINDED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
SHARED = settings(max_examples=150, deadline=None, suppress_health_check=UNMINDED)


@SHARED
@given(where=FILTERS)
def test_a_filter_selects_what_plain_python_selects(folder: Path, where: Filter) -> None:
    # Indexes, full text, kinds and scans are only ways to be quick.
    expected = [event for event in read(folder) if naive(where, event)]
    reader = Reader(folder)
    assert list(reader.select(where, after_seq=-1)) == expected
    assert list(reader.select(where)) == expected[::-1]


@SHARED
@given(
    where=FILTERS,
    column=st.sampled_from(["host", "severity", "actor", "action", "pid", "time_quality"]),
    bucket=st.sampled_from([None, 1000, 7000]),
)
def test_counts_are_those_of_what_is_selected(folder: Path, where: Filter, column: str, bucket: int | None) -> None:
    # Counting takes other ways than selecting; both must agree.
    reader = Reader(folder)
    expected = Counter(
        (None if bucket is None else event.received_at // bucket * bucket, getattr(event, column))
        for event in reader.select(where)
    )
    counted = list(reader.count_by(column, where, bucket))
    assert {(start, value): events for start, value, events in counted} == expected
    assert [start or 0 for start, _, _ in counted] == sorted(start or 0 for start, _, _ in counted)


@SHARED
@given(where=FILTERS)
def test_hosts_are_those_of_what_is_selected(folder: Path, where: Filter) -> None:
    # First seen, last seen and how much, for the events asked for.
    reader = Reader(folder)
    events = list(reader.select(where))
    found = {summary.host: summary for summary in reader.hosts(where)}
    assert {host: summary.events for host, summary in found.items()} == Counter(event.host for event in events)
    for host, summary in found.items():
        times = [event.received_at for event in events if event.host == host]
        assert (summary.first_seen, summary.last_seen) == (min(times), max(times))
        assert summary.apps == tuple(sorted({event.app for event in events if event.host == host and event.app}))


@SHARED
@given(where=FILTERS, page=st.integers(1, 70), ascending=st.booleans())
def test_pages_put_together_are_the_whole(folder: Path, where: Filter, page: int, ascending: bool) -> None:
    # Paging by position neither skips nor repeats, across segments.
    reader = Reader(folder)
    whole = list(reader.select(where, after_seq=-1 if ascending else None))[:300]
    pages: list[StoredEvent] = []
    while len(pages) < len(whole):
        at = pages[-1].seq if pages else None
        if ascending:
            pages += reader.select(where, limit=page, after_seq=-1 if at is None else at)
        else:
            pages += reader.select(where, limit=page, before_seq=at)
    assert pages[: len(whole)] == whole


@pytest.mark.parametrize("text", PHRASES)
@pytest.mark.parametrize("message", MESSAGES)
def test_contains_means_whole_words_in_order_in_any_case(text: str, message: str | None) -> None:
    # The one function that decides, against the sentence that describes it.
    assert Phrase(text).matches(message) == contains(text, message)


def test_both_bounds_select_between_them(folder: Path) -> None:
    # after_seq and before_seq are both exclusive; a limit of nothing gives nothing.
    reader = Reader(folder)
    assert [event.seq for event in reader.select(Filter(), after_seq=598, before_seq=603)] == [599, 600, 601, 602]
    assert [event.seq for event in reader.select(Filter(), limit=2, before_seq=600)] == [599, 598]
    assert list(reader.select(Filter(), limit=0)) == []


def test_a_column_that_is_no_column_is_refused(folder: Path) -> None:
    # A name from outside never reaches SQL.
    with pytest.raises(ValueError, match="cannot count by"):
        list(Reader(folder).count_by("seq; DROP TABLE events", Filter()))


@pytest.mark.parametrize("column", ["actor", "actor_as", "source_ip", "target", "host", "severity", "message"])
@pytest.mark.parametrize("where", [Filter(), Filter(since=NOW_US + 3000, until=NOW_US + 15_000), Filter(host="h1")])
def test_counting_everything_takes_the_short_way_to_the_same_counts(folder: Path, column: str, where: Filter) -> None:
    # Indexes leave nulls out, kinds are counted at sealing: the sums are those of the rows.
    expected = Counter(getattr(event, column) for event in read(folder) if naive(where, event))
    counted = list(Reader(folder).count_by(column, where))
    assert {value: events for _, value, events in counted} == expected
    assert [events for _, _, events in counted] == sorted(expected.values(), reverse=True)
