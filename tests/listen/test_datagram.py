"""Datagrams over real sockets: order, origin, bounds, and what the kernel dropped."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import resource
import socket
import time
import zlib
from dataclasses import replace
from ipaddress import ip_network
from zoneinfo import ZoneInfo

import pytest

from receiver import limits
from receiver.event import Transport
from receiver.listen import ListenerSettings
from receiver.wire.message import Cut, Defect
from tests.kit.waiting import PATIENCE_SECONDS, until
from tests.listen.conftest import address_of


def udp_sender(address, source: str | None = None) -> socket.socket:
    sock = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET, socket.SOCK_DGRAM)
    if source:
        sock.bind((source, 0))
    sock.connect(address)
    return sock


@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0", "*:0"])
async def test_one_datagram_is_one_frame(bench, intake, listen):
    # The peer is named as IPv4 where it is; an empty datagram carries nothing.
    listeners, address = await bench.one("udp", listen)
    host = {"*:0": "127.0.0.1"}.get(listen, address[0])
    with udp_sender((host, address[1])) as sender:
        for data in (b"<13>one\n", b"", b"<13>two"):
            sender.send(data)
        await until(lambda: len(intake.frames) == 2)
        assert intake.frames == [b"<13>one\n", b"<13>two"]
        origin = intake.origins[0]
        assert tuple(origin) == (host, sender.getsockname()[1], None, "udp", "it")
    assert listeners.counters["it"].received_bytes == 15


async def test_unix_datagrams(bench, intake, tmp_path):
    # As /dev/log: anybody local may write; the path is the peer; longer than UDP can be.
    path = str(tmp_path / "log")
    await bench.one("unix_dgram", path, bounds={"message_bytes": 100_000})
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o666
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(path)
        sender.send(b"<13>local")
        sender.send(b"<13>" + b"x" * 90_000)
        sender.send(b"<13>" + b"y" * 150_000)
        await until(lambda: len(intake.frames) == 3)
    assert intake.frames[:2] == [b"<13>local", b"<13>" + b"x" * 90_000]
    assert tuple(intake.origins[0]) == (path, None, None, "unix_dgram", "it")
    cut = intake.frames[2]
    assert (len(cut), cut.defect, cut.original_bytes) == (100_000, Defect.TRUNCATED, 150_004)


async def test_a_unix_socket_is_named_by_its_whole_path(bench, intake, tmp_path, monkeypatch):
    # Relative to what, an event cannot say.
    monkeypatch.chdir(tmp_path)
    for number, (kind, sock) in enumerate((("unix_dgram", socket.SOCK_DGRAM), ("unix_stream", socket.SOCK_STREAM))):
        await bench.open(ListenerSettings("it", Transport(kind), kind))
        with socket.socket(socket.AF_UNIX, sock) as sender:
            sender.connect(kind)
            sender.sendall(b"<13>hello\n")
        await until(lambda number=number: len(intake.frames) > number)
        assert intake.origins[-1].peer == str(tmp_path / kind)


async def test_a_unix_datagram_beyond_every_buffer_is_cut_and_flagged(bench, intake, tmp_path):
    # The first comes by the loop's own read, the second by ours; neither may pass as whole.
    path = str(tmp_path / "log")
    await bench.one("unix_dgram", path, bounds={"message_bytes": 1_000_000})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2_000_000)
        sender.connect(path)
        with contextlib.suppress(OSError):  # a kernel with a small wmem_max cannot send them
            sender.send(b"a" * 300_000)
            sender.send(b"b" * 300_000)
            await until(lambda: len(intake.frames) == 2)
    assert all(type(frame) is Cut and frame.defect is Defect.TRUNCATED for frame in intake.frames)


async def test_who_is_not_allowed_is_counted_and_not_taken(bench, intake):
    # Checked per datagram, remembered per sender.
    listeners, address = await bench.one("udp", allow=(ip_network("127.0.0.1/32"),))
    with udp_sender(address, "127.0.0.1") as friend, udp_sender(address, "127.0.0.2") as stranger:
        for number in range(10):
            stranger.send(b"<13>no")
            friend.send(b"<13>%d" % number)
        await until(lambda: len(intake.frames) == 10)
    assert listeners.counters["it"].datagrams_refused == 10
    assert {origin.peer for origin in intake.origins} == {"127.0.0.1"}


async def test_zones_by_network_keep_the_order(bench, intake):
    # One list a zone, each frame with the zone of its sender; the smallest network wins.
    far, near = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Oslo")
    zones = ((ip_network("127.0.0.0/24"), near), (ip_network("127.0.0.2/32"), far))
    _, address = await bench.one("udp", zones=zones)
    with udp_sender(address, "127.0.0.1") as one, udp_sender(address, "127.0.0.2") as two:
        for number in range(6):
            (two if number % 2 else one).send(b"<13>%d" % number)
        await until(lambda: len(intake.frames) == 6)
    assert intake.frames == [b"<13>%d" % number for number in range(6)]
    assert intake.zones == [near, far] * 3


async def test_order_of_one_sender_is_kept_under_load(bench, intake):
    # Draining beside the stream must not overtake what the stream holds; nothing is lost or doubled.
    _, address = await bench.one("udp")
    count = 30_000
    with udp_sender(address) as sender:
        for number in range(count):
            sender.send(b"<13>%d" % number)
            if number % 300 == 0:
                await until(lambda number=number: len(intake.frames) >= number - 3_000)
    await until(lambda: len(intake.frames) == count)
    assert intake.frames == [b"<13>%d" % number for number in range(count)]
    assert intake.lists < count / 10


async def test_a_full_inbox_drops_datagrams_and_goes_on(bench, intake):
    # UDP cannot be slowed: what has no room is handed over all the same, and the inbox counts it.
    _, address = await bench.one("udp")
    intake.full = True
    with udp_sender(address) as sender:
        sender.send(b"<13>lost")
        await until(lambda: intake.dropped == [b"<13>lost"])
        intake.make_space()
        sender.send(b"<13>kept")
        await until(lambda: intake.frames == [b"<13>kept"])


def gelf_chunks(payload: bytes, size: int, message_id: bytes = b"12345678") -> list[bytes]:
    parts = [payload[i : i + size] for i in range(0, len(payload), size)]
    return [
        b"\x1e\x0f" + message_id + bytes([number, len(parts)]) + part for number, part in enumerate(parts)
    ]


async def test_gelf_is_unpacked(bench, intake):
    # Chunks in any order, zlib, gzip, and text that only looks compressed.
    listeners, address = await bench.one("udp")
    message = json.dumps({"version": "1.1", "host": "h", "short_message": "x" * 3_000}).encode()
    with udp_sender(address) as sender:
        sender.send(zlib.compress(message))
        sender.send(gzip.compress(message))
        for chunk in reversed(gelf_chunks(zlib.compress(message * 1), 20)):
            sender.send(chunk)
        sender.send(b"xyzzy")
        await until(lambda: len(intake.frames) == 4)
        assert intake.frames == [message, message, message, b"xyzzy"]
        sender.send(gelf_chunks(message, 1_000, b"incomple")[0])
        sender.send(b"<13>after")
        await until(lambda: len(intake.frames) == 5)
    await listeners.stop(1)
    assert listeners.counters["it"].gelf_discarded == 1


async def test_chunks_that_wait_are_bounded_and_counted_over_a_reload(bench, intake):
    # The oldest message makes way; a counter never goes back, though the new socket begins with none.
    settings = ListenerSettings("it", Transport.UDP, "127.0.0.1:0")
    listeners = await bench.open(settings, gelf_assembly_bytes=6_000)
    counters = listeners.counters["it"]

    def send(*ids: bytes) -> None:
        with udp_sender(address_of(listeners, "it")) as sender:
            for message_id in ids:
                sender.send(gelf_chunks(b"x" * 3_000, 1_500, message_id)[0])

    def count(number: int) -> bool:
        listeners.refresh()
        return counters.gelf_discarded == number

    send(b"number01", b"number02", b"number03")
    await until(lambda: count(1))
    assert 3_000 < counters.gelf_waiting_bytes <= 6_000
    await listeners.reload([replace(settings, listen="127.0.0.2:0")])
    assert counters.gelf_discarded == 3
    send(b"number04", b"number05", b"number06")
    await until(lambda: count(4))
    assert intake.frames == []


async def test_what_the_kernel_dropped_is_counted(bench, intake):
    # A sender faster than the loop, and a small buffer: sent = taken + kernel drops.
    listeners, address = await bench.one("udp", bounds={"udp_receive_buffer_bytes": 8_192})
    with udp_sender(address) as sender:
        for _ in range(500):
            sender.send(b"z" * 500)
    counters = listeners.counters["it"]

    def all_accounted() -> bool:
        listeners.refresh()
        return len(intake.frames) + counters.kernel_drops == 500

    await until(all_accounted)
    assert counters.kernel_drops > 0


async def test_a_stop_reads_what_was_queued(bench, intake):
    # Everything sent before the signal is taken, though the loop had no turn in between.
    listeners, address = await bench.one("udp")
    with udp_sender(address) as sender:
        for number in range(3_000):
            sender.send(b"<13>%d" % number)
        await listeners.stop(5)
        assert intake.frames == [b"<13>%d" % number for number in range(3_000)]


async def test_a_stop_waits_for_room_within_its_time(bench, intake):
    # A full inbox at the stop: what fits within the time is taken, and the time is kept.
    listeners, address = await bench.one("udp")
    intake.full = True
    with udp_sender(address) as sender:
        for _ in range(limits.DATAGRAM_DRAIN):
            sender.send(b"<13>x")
        began = time.monotonic()
        await listeners._doors["it"].listener.stop(asyncio.get_running_loop().time() + 0.1)
        assert 0.05 < time.monotonic() - began < PATIENCE_SECONDS / 2


async def test_a_stop_empties_a_unix_queue(bench, intake, tmp_path):
    # The same for a socket path, which is gone afterwards.
    path = tmp_path / "log"
    listeners, _ = await bench.one("unix_dgram", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.connect(str(path))
        sent = 0
        with contextlib.suppress(BlockingIOError):
            while sent < 400:
                sender.send(b"<13>%d" % sent)
                sent += 1
        await listeners.stop(5)
    assert len(intake.frames) == sent > 0
    assert not path.exists()


async def test_a_stop_needs_no_file_descriptor(bench, intake):
    # A process that has none left ends in order all the same: what was queued is taken.
    listeners, address = await bench.one("udp")
    with udp_sender(address) as sender:
        for number in range(100):
            sender.send(b"<13>%d" % number)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
        try:
            await listeners.stop(5)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert intake.frames == [b"<13>%d" % number for number in range(100)]
