"""What needs no socket: networks, seats, warnings, half-read frames."""

from __future__ import annotations

import asyncio
import logging
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest

from receiver.counters import RejectReason
from receiver.event import Transport
from receiver.listen import ListenerSettings
from receiver.listen.complaints import Complaints
from receiver.listen.half_read import HalfRead
from receiver.listen.peers import Seats, is_allowed, peer_text, zone_of
from receiver.listen.tls import _name_matches
from tests.kit.waiting import until


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:0:1", "::ffff:0:1"),
    ],
)
def test_peers_are_shown_as_they_are_known(host, shown):
    # A dual-stack socket must not give every IPv4 sender a second name.
    assert peer_text(host) == shown


def test_networks():
    # Unset means everyone; a network of the other family never matches.
    networks = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))
    assert is_allowed("192.0.2.1", None)
    assert is_allowed("10.1.2.3", networks)
    assert is_allowed("2001:db8::7", networks)
    assert not is_allowed("192.0.2.1", networks)
    assert not is_allowed("::1", networks)
    assert not is_allowed("10.1.2.3", ())


def test_the_smallest_network_gives_the_zone():
    # In any order; else the listener's own.
    oslo, tokyo, utc = ZoneInfo("Europe/Oslo"), ZoneInfo("Asia/Tokyo"), ZoneInfo("UTC")
    zones = ((ip_network("10.0.0.0/8"), oslo), (ip_network("10.1.0.0/16"), tokyo))
    for ordered in (zones, zones[::-1]):
        settings = ListenerSettings("x", Transport.UDP, "*:0", zone=utc, zones=ordered)
        assert [zone_of(peer, settings) for peer in ("10.1.0.1", "10.2.0.1", "::1")] == [tokyo, oslo, utc]


def test_seats_come_back():
    # As many as were taken, by peer and in all.
    seats = Seats(total=3, per_peer=2)
    assert [seats.take("a"), seats.take("a"), seats.take("a")] == [None, None, RejectReason.TOO_MANY_PER_PEER]
    assert [seats.take("b"), seats.take("c")] == [None, RejectReason.TOO_MANY]
    seats.leave("a")
    assert seats.take("a") is None
    for peer in "aab":
        seats.leave(peer)
    assert seats.taken == 0
    assert seats._by_peer == {}


def test_warnings_are_limited_by_kind(caplog):
    # The first at once, then one a while with the number left out; kinds do not silence each other.
    now = 0.0
    complaints = Complaints(interval_seconds=10, now=lambda: now)
    with caplog.at_level(logging.WARNING):
        for number in range(5):
            complaints.warn("a", "a %d", number)
        complaints.warn("b", "b")
        now = 10.0
        complaints.warn("a", "a %d", 9)
        now = 20.0
        complaints.warn("a", "a %d", 10)
    assert caplog.messages == ["a 0", "b", "a 9 (and 4 more like it since the last warning)", "a 10"]


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("a.example.org", "a.example.org", True),
        ("*.example.org", "a.example.org", True),
        ("*.example.org", "a.b.example.org", False),
        ("*.example.org", "example.org", False),
        ("*.example.org", ".example.org", False),
        ("*", "example", False),
        ("a*.example.org", "ab.example.org", False),
    ],
)
def test_wildcards_stand_for_one_whole_label(pattern, name, matches):
    # RFC 5425 §5.2.
    assert _name_matches(pattern, name) is matches


class FakeHolder:
    def __init__(self, ledger: HalfRead, name: str, log: list[str]) -> None:
        self.half_read_bytes = 0
        self.ledger = ledger
        self.name = name
        self.log = log
        self.can_be_cut = True

    def take_silent_line(self) -> None:
        self.log.append(self.name)
        self.ledger.note(self, 0)

    def cut_half_read(self) -> bool:
        if self.can_be_cut:
            self.log.append(self.name)
            self.ledger.note(self, 0)
        return self.can_be_cut


async def test_silent_lines_are_swept_in_their_order():
    # One timer for all; who goes on sending is not silent; an empty ledger has no timer.
    log: list[str] = []
    ledger = HalfRead(asyncio.get_running_loop(), 1_000, 0.05)
    holders = [FakeHolder(ledger, name, log) for name in "abc"]
    for holder in holders:
        ledger.note(holder, 10)
    ledger.note(holders[0], 20)
    ledger.note(holders[1], 0)
    assert ledger.total_bytes == 30
    await until(lambda: len(log) == 2)
    assert log == ["c", "a"]
    assert ledger.total_bytes == 0
    await until(lambda: ledger._timer is None)


async def test_many_silent_lines_leave_the_loop_its_turns():
    # 1 000 lines fall silent at once and are all taken, in parts.
    log: list[str] = []
    ledger = HalfRead(asyncio.get_running_loop(), 100_000, 0.01)
    for number in range(1_000):
        ledger.note(FakeHolder(ledger, str(number), log), 10)
    await until(lambda: len(log) == 1_000)
    assert log == [str(number) for number in range(1_000)]


async def test_the_largest_make_room():
    # Beyond the bound a quarter is freed, largest first, so that looking for them is rare.
    log: list[str] = []
    ledger = HalfRead(asyncio.get_running_loop(), 1_000, 60)
    for name, size in (("small", 100), ("large", 500), ("larger", 600)):
        ledger.note(FakeHolder(ledger, name, log), size)
    assert log == ["larger"]
    assert ledger.total_bytes == 600
    full = FakeHolder(ledger, "full", log)
    full.can_be_cut = False
    ledger.note(full, 900)
    assert log == ["larger"]
    assert ledger.total_bytes == 1_500
    ledger.close()
