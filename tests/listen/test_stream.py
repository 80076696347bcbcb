"""Streams over real sockets: what is sent arrives, whoever is slow."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from ipaddress import ip_network
from pathlib import Path

import pytest

from receiver.wire.message import Cut, Defect
from tests.kit.waiting import PATIENCE_SECONDS, until

LOCAL = ip_network("127.0.0.0/8")
ELSEWHERE = ip_network("192.0.2.0/24")


async def connect(address):
    return await asyncio.open_connection(*address)


async def send(address, data: bytes) -> None:
    _, writer = await connect(address)
    writer.write(data)
    writer.close()
    await writer.wait_closed()


async def end_of(reader) -> None:
    """Wait until the other side has closed."""
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await reader.read(1000):
                pass


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "*:0"])
async def test_tcp_takes_frames_of_all_framings(bench, intake, listen):
    # LF, NUL, counted and unterminated on one connection; the peer is named as IPv4 where it is.
    listeners, address = await bench.one("tcp", listen)
    host = {"*:0": "127.0.0.1"}.get(listen, address[0])
    await send((host, address[1]), b"<13>one\n10 <13>t\nwo\0x<13>three\0<13>four")
    await until(lambda: len(intake.frames) == 4)
    assert intake.frames == [b"<13>one", b"<13>t\nwo\0x", b"<13>three", b"<13>four"]
    origin = intake.origins[0]
    assert origin.peer == host
    assert origin.peer_port
    assert (origin.transport, origin.listener, origin.peer_identity) == ("tcp", "it", None)
    counters = listeners.counters["it"]
    assert counters.received_bytes == 39
    await until(lambda: counters.connections_open == 0)
    assert counters.connections_opened == 1


async def test_unix_stream_names_path_and_process(bench, intake, tmp_path):
    # The kernel says who is at the other end; the path is the door.
    path = str(tmp_path / "log")
    await bench.one("unix_stream", path)
    _, writer = await asyncio.open_unix_connection(path)
    writer.write(b"<13>local\0")
    await until(lambda: intake.frames)
    writer.close()
    assert intake.origins[0].peer == path
    assert intake.origins[0].peer_port is None
    assert intake.origins[0].peer_identity.startswith("uid=")


async def test_who_is_not_allowed_is_closed_unread(bench, intake):
    # A plain listener honours its networks before anything is read.
    listeners, address = await bench.one("tcp", allow=(ELSEWHERE,))
    reader, writer = await connect(address)
    writer.write(b"<13>in\n")
    await end_of(reader)
    writer.close()
    assert intake.frames == []
    assert listeners.counters["it"].connections_rejected["not_allowed"] == 1
    assert listeners.counters["it"].connections_opened == 0


async def test_limits_per_peer_and_in_all(bench):
    # One address cannot take every seat; a seat comes back when its connection ends.
    listeners, address = await bench.one("tcp", bounds={"connections": 3, "connections_per_peer": 2})
    rejected = listeners.counters["it"].connections_rejected
    first, second = await connect(address), await connect(address)
    await until(lambda: listeners.counters["it"].connections_open == 2)
    third, third_writer = await connect(address)
    await end_of(third)
    assert rejected["too_many_per_peer"] == 1
    other = socket.socket()
    other.bind(("127.0.0.2", 0))
    other.connect(address)
    await until(lambda: listeners.counters["it"].connections_open == 3)
    fourth, fourth_writer = await connect(address)
    await end_of(fourth)
    assert rejected["too_many"] == 1
    first[1].close()
    await until(lambda: listeners.counters["it"].connections_open == 2)
    for writer in (second[1], third_writer, fourth_writer):
        writer.close()
    other.close()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + b"\xaa" * 60, "tls_on_plain_port"),
        (b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n", "http_on_plain_port"),
    ],
    ids=["tls", "http"],
)
async def test_another_protocol_on_a_plain_port_is_closed_counted_and_named(bench, intake, caplog, data, reason):
    # A sender configured wrongly must be found by the log, not by missing events.
    listeners, address = await bench.one("tcp")
    reader, writer = await connect(address)
    writer.write(data)
    await end_of(reader)
    writer.close()
    assert intake.frames == []
    assert listeners.counters["it"].framing_errors[reason] == 1
    assert "127.0.0.1" in caplog.text


async def test_backpressure_stalls_the_sender_and_loses_nothing(bench, intake):
    # While the inbox is full nothing is read beyond one short read; later everything comes, in order.
    _, address = await bench.one("tcp")
    intake.full = True
    lines = [b"<13>%06d %s" % (number, b"x" * 200) for number in range(60_000)]
    _, writer = await connect(address)
    writer.write(b"".join(line + b"\n" for line in lines))
    writer.close()
    await until(lambda: intake._waiting)
    assert intake.frames == []
    assert writer.transport.get_write_buffer_size() > 1_000_000
    intake.make_space(5_000)
    await until(lambda: intake.full)
    assert 5_000 <= len(intake.frames) < 7_000
    intake.make_space()
    await until(lambda: len(intake.frames) == len(lines))
    assert intake.frames == lines
    await writer.wait_closed()


async def test_what_is_held_of_an_ended_connection_is_taken_later(bench, intake):
    # The sender has gone; its line and its unterminated rest have not. Its seat is free only then.
    listeners, address = await bench.one("tcp")
    intake.full = True
    await send(address, b"<13>held\n<13>rest")
    await until(lambda: intake._waiting)
    intake.make_space()
    await until(lambda: len(intake.frames) == 2)
    assert intake.frames == [b"<13>held", b"<13>rest"]
    await until(lambda: listeners.counters["it"].connections_open == 0)
    assert intake.dropped == []


async def test_an_end_that_comes_while_the_inbox_is_full_waits(bench, intake):
    # Nothing is held yet but a half line: it must not run into a full inbox, where it would be dropped.
    listeners, address = await bench.one("tcp")
    _, writer = await connect(address)
    writer.write(b"<13>rest")
    await until(lambda: listeners._room.half_read.total_bytes == 8)
    intake.full = True
    writer.close()
    await until(lambda: intake._waiting)
    assert listeners.counters["it"].connections_open == 1
    intake.make_space()
    await until(lambda: intake.frames == [b"<13>rest"])
    assert intake.dropped == []


async def test_held_connections_go_on_in_the_order_they_stopped(bench, intake):
    # Nobody starves: first come, first served.
    _, address = await bench.one("tcp")
    intake.full = True
    writers = []
    for number in range(5):
        _, writer = await connect(address)
        writer.write(b"<13>%d\n" % number)
        await until(lambda expected=number + 1: len(intake._waiting) == expected)
        writers.append(writer)
    while len(intake.frames) < 5:
        intake.make_space(1)
    assert intake.frames == [b"<13>%d" % number for number in range(5)]
    intake.make_space()  # a stop would wait for it
    for writer in writers:
        writer.close()


async def test_a_silent_line_is_taken(bench, intake):
    # Devices that never send the last LF; a counted frame waits on.
    _, address = await bench.one("tcp", bounds={"line_idle_seconds": 0.05})
    _, line = await connect(address)
    line.write(b"<13>no end")
    _, counted = await connect(address)
    counted.write(b"20 <13>counted")
    await until(lambda: intake.frames == [b"<13>no end"])
    line.write(b"\n<13>next\n")
    await until(lambda: len(intake.frames) == 2)
    counted.write(b" and whole")
    await until(lambda: len(intake.frames) == 3)
    assert intake.frames[1:] == [b"<13>next", b"<13>counted and whol"]
    line.close()
    counted.close()


async def test_our_own_silence_is_not_the_senders(bench, intake):
    # A half line of a paused connection is no silent line: its rest may wait in the kernel.
    listeners, address = await bench.one("tcp", bounds={"line_idle_seconds": 0.05})
    since = listeners._room.half_read._since
    _, writer = await connect(address)
    intake.full_after = 1
    writer.write(b"<13>one\n<13>tw")
    await until(lambda: intake.full)
    writer.write(b"o\n")
    noted = list(since.values())
    await until(lambda: list(since.values()) != noted)  # the sweep has been there
    intake.make_space()
    await until(lambda: len(intake.frames) == 2)
    assert intake.frames[1] == b"<13>two"
    writer.close()


async def test_half_read_frames_are_bounded_and_the_largest_is_cut(bench, intake):
    # Endless frames cannot fill the memory: the largest are taken as truncated, the small ones go on.
    listeners, address = await bench.one("tcp", bounds={"half_read_bytes": 100_000, "message_bytes": 60_000})
    half_read = listeners._room.half_read
    _, small = await connect(address)
    small.write(b"<13>small")
    await until(lambda: half_read.total_bytes == 9)
    _, line = await connect(address)
    line.write(b"<13>" + b"l" * 50_000)
    await until(lambda: half_read.total_bytes >= 50_000)
    counted_reader, counted = await connect(address)
    counted.write(b"60000 <13>" + b"c" * 55_000)
    await until(lambda: intake.frames)
    assert half_read.total_bytes <= 75_000
    cut = intake.frames[0]
    assert type(cut) is Cut
    assert cut.defect is Defect.TRUNCATED
    small.write(b"er\n")
    await until(lambda: b"<13>smaller" in intake.frames)
    for writer in (small, line, counted):
        writer.close()
    await end_of(counted_reader)


async def test_two_thousand_idle_connections_cost_little(bench, intake):
    # 10 000 of them must cost less than 300 MiB: here less than 25 KB each, both ends of them in this process.
    listeners, address = await bench.one("tcp")
    count = 2_000
    before = resident_bytes()
    senders = []
    for _ in range(count):
        sock = socket.socket()
        sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            sock.connect(address)
        senders.append(sock)
        if len(senders) % 200 == 0:
            await until(lambda: listeners.counters["it"].connections_open == len(senders))
    for sock in senders:
        sock.send(b"<13>half")
    await until(lambda: listeners._room.half_read.total_bytes == 8 * count)
    assert (resident_bytes() - before) / count < 25_000
    for sock in senders:
        sock.send(b"\n")
        sock.close()
    await until(lambda: listeners.counters["it"].connections_open == 0)
    assert len(intake.frames) == count


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
