"""The system clock is set under the real process: back, ahead, a little, a lot, under load, while nobody ran."""

from __future__ import annotations

import re
import socket
import sqlite3
import time
from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from tests.kit.bad_machine import BadMachine
from tests.kit.process import ReceiverProcess, wait_for
from tests.kit.senders import DatagramSender, LineSender
from tests.kit.stores import read
from tests.system.test_life import accounted, assert_conserved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

HOUR = 3600.0
LINES = 20_000


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[BadMachine]:
    with BadMachine(tmp_path, tmp_path / "no-disk") as machine:
        yield machine


@pytest.fixture
def receiver(tmp_path: Path, bad: BadMachine) -> Iterator[ReceiverProcess]:
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver")
    receiver.environ = bad.environ
    with receiver:
        yield receiver.start()


def send(receiver: ReceiverProcess, text: str) -> None:
    """Send one line and wait until it is stored."""
    before = receiver.stored()
    with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
        sock.sendall(f"<13>1 - - app - - - {text}\n".encode())
    receiver.wait_stored(before + 1)


def steps_told(receiver: ReceiverProcess) -> list[float]:
    """By how much the log says that the clock was set, in seconds, oldest first."""
    acts = [event for event in read(receiver.store) if event.action == "system.time_change"]
    return [int(re.findall(r'"step_us":(-?\d+)', str(act.data))[0]) / 1_000_000 for act in acts]


def assert_time_never_goes_back_within_a_segment(receiver: ReceiverProcess) -> int:
    """Asked of a stopped receiver; gives the number of segments."""
    paths = sorted(receiver.store.glob("0*.db"))
    for path in paths:
        with closing(sqlite3.connect(path)) as segment:
            times = [row[0] for row in segment.execute("SELECT received_at FROM events ORDER BY seq")]
        assert all(before <= after for before, after in pairwise(times)), path
    events = read(receiver.store)
    assert [event.seq for event in events] == list(range(len(events)))
    return len(paths)


def test_clock_stepped_back_a_little_is_bridged(receiver: ReceiverProcess, bad: BadMachine) -> None:
    # Below 5 s `received_at` stands still until the clock has caught up; nobody is bothered.
    send(receiver, "before")
    bad.step_clock(-3)
    send(receiver, "after")
    assert receiver.metrics()["audit_receiver_clock_steps_total"] == 0
    assert receiver.stop() == 0
    assert assert_time_never_goes_back_within_a_segment(receiver) == 1
    assert steps_told(receiver) == []


@pytest.mark.parametrize("seconds", [-HOUR, HOUR], ids=["back", "forward"])
def test_clock_stepped_by_an_hour_begins_a_segment_and_alarms(
    receiver: ReceiverProcess, bad: BadMachine, seconds: float
) -> None:
    # Told within a second, also while nobody sends; what comes after has the new time, and `query` finds it by it.
    send(receiver, "before")
    bad.step_clock(seconds)
    wait_for(lambda: receiver.metrics()["audit_receiver_clock_steps_total"] == 1, what="the step seen")
    assert re.search(rf"WARNING the system clock stepped by {seconds:.0f}\.|stepped by {seconds:.0f}", receiver.log)
    send(receiver, "after")
    assert receiver.get("/readyz")[0] == 200
    assert receiver.stop() == 0
    (told,) = steps_told(receiver)
    assert abs(told - seconds) < 60
    assert assert_time_never_goes_back_within_a_segment(receiver) == 2
    events = {event.message: event for event in read(receiver.store)}
    moved = (events["after"].received_at - events["before"].received_at) / 1_000_000
    assert abs(moved - seconds) < 60
    now = time.time()
    since, until = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + seconds + part)) for part in (-600, 600))
    found = receiver.query("--app", "app", "--since", since, "--until", until)
    assert [event["message"] for event in found] == ["after"]
    assert receiver.ask("verify").returncode == 0


def test_clock_stepped_to_and_fro_under_load_loses_nothing(receiver: ReceiverProcess, bad: BadMachine) -> None:
    # Small steps and large ones while streams and datagrams come: order stays that of arrival, all is accounted for.
    with LineSender(receiver.port, "line", LINES) as lines, DatagramSender(receiver.port, "datagram") as datagrams:
        for number, seconds in enumerate((-2.0, 1.0, -HOUR, -HOUR - 3, 24 * HOUR, 0.0), 1):
            bad.step_clock(seconds)
            came = receiver.metrics()["audit_receiver_received_messages_total"]  # up to here perhaps before the step
            least = max(came, number * LINES // 8)
            wait_for(lambda least=least: receiver.stored() > least, what="some more stored")
            assert_conserved(receiver.metrics())
        datagrams.stopping.set()
        datagrams.join()
        lines.join()
    # Some may still lie in the kernel while nothing is in flight.
    wait_for(lambda: accounted(receiver) == LINES + datagrams.sent, what="every message accounted for")
    assert receiver.metrics()["audit_receiver_clock_steps_total"] == 3
    assert receiver.stop() == 0
    # One more for each large step; and one where what had come before it was still to be stored.
    assert 4 <= assert_time_never_goes_back_within_a_segment(receiver) <= 7
    stored = [str(event.message) for event in read(receiver.store) if event.app == "line"]
    assert stored == [f"line {number + 1}" for number in range(LINES)]
    assert len(steps_told(receiver)) == 3
    assert receiver.ask("verify").returncode == 0


def test_clock_set_back_while_nobody_ran_is_told_at_the_start(receiver: ReceiverProcess, bad: BadMachine) -> None:
    # The newest event is from the future: the log goes on in a new segment with the time there is, and says so.
    send(receiver, "before")
    assert receiver.stop() == 0
    bad.step_clock(-HOUR)
    receiver.start()
    assert receiver.metrics()["audit_receiver_clock_steps_total"] == 1
    send(receiver, "after")
    assert receiver.stop() == 0
    (told,) = steps_told(receiver)
    assert -HOUR - 60 < told < -HOUR + 60
    assert assert_time_never_goes_back_within_a_segment(receiver) == 2
    assert receiver.ask("verify").returncode == 0
