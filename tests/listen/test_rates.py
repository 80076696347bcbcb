"""How much a peer may send: streams are slowed and lose nothing, datagrams are dropped, counted, and never urgent."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.event import Transport
from receiver.listen import ListenerSettings
from receiver.listen.rates import Rates
from tests.kit.waiting import until
from tests.listen.conftest import address_of
from tests.listen.test_relp import answers, opened, syslog
from tests.listen.test_stream import connect, send

SLOW = {"rate_per_peer": 0.001}
"""Ten messages in a burst would be 0.01: one."""


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_bucket_gives_a_burst_and_then_its_rate():
    # Ten seconds' worth at once, then as time goes by; idle time fills it no further.
    clock = Clock()
    rates = Rates(2, 2, clock)
    assert sum(rates.grant("a") for _ in range(100)) == 2 * limits.RATE_BURST_SECONDS
    clock.now += 1.5
    assert [rates.grant("a") for _ in range(4)] == [True, True, True, False]
    clock.now += 1_000
    assert sum(rates.grant("a") for _ in range(100)) == 2 * limits.RATE_BURST_SECONDS


def test_peers_have_their_own():
    # One that sends too much takes nothing of another's.
    rates = Rates(1, 2, Clock())
    assert sum(rates.grant("a") for _ in range(50)) == sum(rates.grant("b") for _ in range(50)) == 10


def test_a_debt_is_paid_by_waiting():
    # What was read is read; the next waits until it is within the rate.
    clock = Clock()
    rates = Rates(100, 2, clock)
    assert rates.charge("a", 1_000) == 0
    assert rates.charge("a", 50) == pytest.approx(0.5)
    assert not rates.grant("a")
    clock.now += 0.5
    assert rates.charge("a", 100) == pytest.approx(1.0)


def test_the_table_is_bounded():
    # Forged addresses push out who was silent longest, never who is being limited just now.
    rates = Rates(1, 2, Clock())
    while rates.grant("busy"):
        pass
    for number in range(limits.RATE_PEERS * 2):
        rates.grant(str(number))
        assert not rates.grant("busy")
    assert len(rates._buckets) == limits.RATE_PEERS


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 20)), max_size=30))
def test_never_more_than_burst_and_rate(steps):
    # Over any span from the start: burst + rate × time.
    clock = Clock()
    rates = Rates(3, 2, clock)
    granted = 0
    for seconds, count in steps:
        clock.now += seconds
        granted += sum(rates.grant("a") for _ in range(count))
        assert granted <= 3 * limits.RATE_BURST_SECONDS + 3 * (clock.now - 100) + 1e-6


async def test_datagrams_over_the_rate_are_dropped_and_counted_and_urgent_ones_are_not(bench, intake, caplog):
    # The floor is crit: alert and crit come through, err does not; every datagram is in exactly one count.
    listeners, address = await bench.one("udp", bounds=SLOW)
    frames = [b"<%d>%d" % (8 + number % 8, number) for number in range(80)]
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for frame in frames:
            sender.sendto(frame, address)
        await until(lambda: len(intake.frames) + intake.refused == 80)
    assert intake.frames == [frame for number, frame in enumerate(frames) if number % 8 <= 2]
    assert intake.reasons == {"rate_limited": 50}
    counters = listeners.counters["it"]
    assert sum(counters.received.values()) == 80
    assert counters.received_bytes == sum(map(len, frames))
    assert "127.0.0.1" in caplog.text
    assert len([record for record in caplog.records if "rate_per_peer" in record.message]) >= 1


async def test_the_floor_can_be_moved(bench, intake):
    # `rate_floor: err`.
    _, address = await bench.one("udp", bounds={**SLOW, "rate_floor": 3})
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for frame in (b"<13>first", b"<11>err", b"<12>warning"):
            sender.sendto(frame, address)
        await until(lambda: len(intake.frames) + intake.refused == 3)
    assert intake.frames == [b"<13>first", b"<11>err"]


async def test_packed_messages_count_when_they_are_whole(bench, intake):
    # A chunk is no message; what is inside decides how urgent it is.
    listeners, address = await bench.one("udp", bounds=SLOW)

    def gelf(level: int, text: str) -> bytes:
        return json.dumps({"version": "1.1", "host": "h", "short_message": text, "level": level}).encode()

    whole = gelf(6, "chunked" * 50)
    chunks = [b"\x1e\x0f" + b"id-of-it" + bytes([n, 2]) + part for n, part in enumerate((whole[:100], whole[100:]))]
    packed = [gzip.compress(gelf(level, "packed")) for level in (6, 1)]
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        for data in (*chunks, *packed):
            sender.sendto(data, address)
        await until(lambda: len(intake.frames) + intake.refused == 3)
    assert intake.frames == [whole, gelf(1, "packed")]
    assert intake.reasons == {"rate_limited": 1}
    assert listeners.counters["it"].received_bytes == sum(map(len, (*chunks, *packed)))


@pytest.mark.parametrize("kind", ["tcp", "relp"])
async def test_a_stream_over_the_rate_is_slowed_and_loses_nothing(bench, intake, kind):
    # Not read while it waits, then on; everything is taken in order, and answered.
    listeners, address = await bench.one(kind, bounds=SLOW)
    numbers = range(2, 10_002)
    reader, writer = await (opened(address) if kind == "relp" else connect(address))
    writer.write(syslog(*numbers) if kind == "relp" else b"".join(b"<13>%05d\n" % number for number in numbers))
    await until(lambda: listeners.counters["it"].connections_open)
    connection = next(iter(listeners._doors["it"].listener._connections))
    waits = 0
    while len(intake.frames) < len(numbers):
        await until(lambda: connection._slowed is not None)
        assert listeners.counters["it"].rate_pauses == waits + 1
        taken = len(intake.frames)
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(intake.frames) == taken
        connection._slowed.cancel()
        connection._go_on()  # its time is up
        waits += 1
    assert intake.frames == [b"<13>%05d" % number for number in numbers]
    if kind == "relp":
        expected = answers(*numbers)
        assert await reader.readexactly(len(expected)) == expected
    assert waits > 1
    assert intake.refused == 0
    writer.close()


async def test_who_has_waited_is_read_on(bench, intake):
    # By itself, when the debt is paid.
    listeners, address = await bench.one("tcp", bounds={"rate_per_peer": 20})
    _, writer = await connect(address)
    writer.write(b"<13>a\n" * 202)
    await until(lambda: listeners.counters["it"].rate_pauses)
    writer.write(b"<13>last\n")
    await until(lambda: b"<13>last" in intake.frames)
    writer.close()


async def test_a_peer_has_one_rate_and_another_peer_its_own(bench, intake):
    # Two connections share it; so do datagrams. Who is slowed slows nobody else.
    listeners = await bench.open(
        ListenerSettings("t", Transport.TCP, "127.0.0.1:0"), ListenerSettings("u", Transport.UDP, "127.0.0.1:0"), **SLOW
    )
    tcp, udp = address_of(listeners, "t"), address_of(listeners, "u")
    writers = [(await connect(tcp))[1] for _ in range(2)]
    for number, writer in enumerate(writers):
        writer.write(b"<13>a\n<13>b\n")
        await until(lambda number=number: listeners.counters["t"].rate_pauses == number + 1)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>c", udp)
        await until(lambda: intake.refused == 1)
        for writer in writers:
            writer.write(b"<13>held\n")
        other = socket.create_connection(tcp, source_address=("127.0.0.2", 0))
        other.sendall(b"<13>other\n")
        await until(lambda: b"<13>other" in intake.frames)
    assert b"<13>held" not in intake.frames
    other.close()
    for writer in writers:
        writer.close()


async def test_a_stop_reads_who_is_slowed(bench, intake):
    # What lay in the kernel at the signal is taken, whatever the rate.
    listeners, address = await bench.one("tcp", bounds=SLOW)
    lines = [b"<13>%05d" % number for number in range(20_000)]
    _, writer = await connect(address)
    writer.write(b"".join(line + b"\n" for line in lines))
    await writer.drain()
    await until(lambda: listeners.counters["it"].rate_pauses)
    await listeners.stop(10)
    assert intake.frames == lines
    writer.close()


async def test_programs_of_this_machine_are_not_limited(bench, intake, tmp_path):
    # They would share one bucket, the socket's.
    listeners = await bench.open(
        ListenerSettings("s", Transport.UNIX_STREAM, str(tmp_path / "s")),
        ListenerSettings("d", Transport.UNIX_DGRAM, str(tmp_path / "d")),
        **SLOW,
    )
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagrams, socket.socket(socket.AF_UNIX) as stream:
        stream.connect(str(tmp_path / "s"))
        stream.sendall(b"<13>x\n" * 20)
        for _ in range(5):
            datagrams.sendto(b"<13>y", str(tmp_path / "d"))
        await until(lambda: len(intake.frames) == 25)
    assert (intake.refused, listeners.counters["s"].rate_pauses) == (0, 0)


async def test_an_idle_connection_gives_its_seat_back(bench, intake, caplog):
    # Half a line is taken; one that sends goes on, and one that waits for us is not idle.
    listeners, address = await bench.one("tcp", bounds={"idle_seconds": 100, "line_idle_seconds": 60})
    counters, listener = listeners.counters["it"], listeners._doors["it"].listener
    reader, silent = await connect(address)
    silent.write(b"<13>half")
    _, busy = await connect(address)
    await until(lambda: listeners._room.half_read.total_bytes == 8 and counters.connections_open == 2)
    now = asyncio.get_running_loop().time()
    listener.close_idle(now)
    listener.close_idle(now + 99)
    busy.write(b"<13>busy\n")
    await until(lambda: intake.frames)
    assert counters.connections_idle == 0
    listener.close_idle(now + 101)
    assert await reader.read() == b""
    await until(lambda: counters.connections_open == 1)
    assert counters.connections_idle == 1
    assert intake.frames == [b"<13>busy", b"<13>half"]
    assert "idle" in caplog.text
    intake.full = True
    busy.write(b"<13>held\n")
    await until(lambda: intake._waiting)
    for later in (200, 400):
        listener.close_idle(now + later)
    assert counters.connections_idle == 1
    intake.make_space()
    await until(lambda: b"<13>held" in intake.frames)
    for writer in (silent, busy):
        writer.close()


async def test_idle_connections_are_looked_for(bench):
    # By itself, a few times within the time.
    listeners, address = await bench.one("tcp", bounds={"idle_seconds": 0.2})
    reader, writer = await connect(address)
    assert await reader.read() == b""
    assert listeners.counters["it"].connections_idle == 1
    writer.close()


async def test_zero_is_never_idle(bench):
    # Nobody looks.
    listeners, address = await bench.one("tcp", bounds={"idle_seconds": 0})
    assert listeners._doors["it"].listener._idle_look is None
    await send(address, b"")
