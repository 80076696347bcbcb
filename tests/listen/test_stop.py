"""The orderly stop of streams: what the kernel held at the signal is read, and nobody can hold it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
import time

from receiver import limits
from receiver.event import Transport
from receiver.listen import ListenerSettings
from receiver.wire.message import Cut, Defect
from tests.kit.certificates import Authority
from tests.kit.waiting import PATIENCE_SECONDS, until
from tests.listen.conftest import address_of
from tests.listen.test_tls import settings_of


def connected(address) -> socket.socket:
    """A sender whose bytes are in our queue when `sendall` returns: Nagle would keep the last of them with it."""
    sock = socket.create_connection(address)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


async def test_queued_bytes_and_unaccepted_connections_are_read(bench, intake):
    # Sent before the signal, on connections accepted or not: all of it is taken, the frame cut by the stop as partial.
    listeners, address = await bench.one("tcp")
    accepted = connected(address)
    await until(lambda: listeners.counters["it"].connections_open == 1)
    # No turn of the loop from here to the stop.
    waiting = [connected(address) for _ in range(20)]
    expected = [b"<13>queued %d" % number for number in range(5_000)]
    accepted.sendall(b"".join(line + b"\n" for line in expected) + b"30 <13>cut")
    for number, sock in enumerate(waiting):
        sock.sendall(b"<13>waiting %d\n" % number)
    await listeners.stop(5)
    assert sorted(intake.frames) == sorted([*expected, *(b"<13>waiting %d" % n for n in range(20)), b"<13>cut"])
    cut = next(frame for frame in intake.frames if frame == b"<13>cut")
    assert type(cut) is Cut
    assert cut.defect is Defect.INCOMPLETE
    assert listeners.status() == {}
    for sock in (accepted, *waiting):
        assert sock.recv(10) == b""
        sock.close()


async def test_a_sender_that_goes_on_cannot_hold_the_stop(bench, intake):
    # Its queue of the moment is read, then it is closed, long before the time is over.
    listeners, address = await bench.one("tcp")
    stopping = threading.Event()

    def pour() -> None:
        with contextlib.suppress(OSError), socket.create_connection(address) as sock:
            while not stopping.is_set():
                sock.sendall(b"<13>more and more\n" * 100)

    thread = threading.Thread(target=pour)
    thread.start()
    await until(lambda: len(intake.frames) > 1_000)
    began = time.monotonic()
    await listeners.stop(PATIENCE_SECONDS)
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    stopping.set()
    await asyncio.to_thread(thread.join)


async def test_a_held_connection_at_the_stop(bench, intake):
    # Room in time: all is taken. No room: what is held is handed over and counted by the inbox, never forgotten.
    listeners, address = await bench.one("tcp")
    intake.full = True
    with socket.create_connection(address) as sock:
        sock.sendall(b"<13>one\n<13>two\n<13>th")
        await until(lambda: intake._waiting)
        stopping = asyncio.ensure_future(listeners.stop(5))
        await until(lambda: listeners._doors["it"].listener.sockets[0].fileno() < 0)
        assert not stopping.done()
        intake.make_space()
        await stopping
    assert intake.frames == [b"<13>one", b"<13>two", b"<13>th"]


async def test_a_held_connection_without_room_is_dropped_by_count(bench, intake, monkeypatch):
    # The time is over and the inbox still full: received = dropped.
    monkeypatch.setattr(limits, "STOP_BACKLOG_SECONDS", 0.05)
    listeners, address = await bench.one("tcp")
    intake.full = True
    with socket.create_connection(address) as sock:
        sock.sendall(b"<13>one\n<13>two\n")
        await until(lambda: intake._waiting)
        await listeners.stop(0.05)
    assert intake.dropped == [b"<13>one", b"<13>two"]
    assert listeners.counters["it"].connections_open == 0


async def test_what_had_come_is_given_more_time_than_what_goes_on(bench, intake):
    # The drain is over before the inbox has room: what was read and queued at the signal is taken all the same, what
    # its sender goes on to send is not waited for.
    listeners, address = await bench.one("tcp")
    intake.full = True
    with socket.create_connection(address) as sock:
        queued = b"".join(b"<13>queued %d\n" % number for number in range(1_000))
        sock.sendall(queued)
        await until(lambda: intake._waiting)
        stopping = asyncio.ensure_future(listeners.stop(0.02))
        await until(lambda: listeners._doors["it"].listener.sockets[0].fileno() < 0)
        await asyncio.sleep(0.05)
        assert not stopping.done()
        intake.make_space()
        await stopping
    assert intake.frames == queued.splitlines()
    assert intake.dropped == []


async def test_no_time_at_all_is_none_for_the_rest_either(bench, intake):
    # The receiver ends by a failure: nobody will take anything any more.
    listeners, address = await bench.one("tcp")
    intake.full = True
    with socket.create_connection(address) as sock:
        sock.sendall(b"<13>one\n")
        await until(lambda: intake._waiting)
        async with asyncio.timeout(limits.STOP_BACKLOG_SECONDS / 2):
            await listeners.stop(0)
    assert intake.dropped == [b"<13>one"]


async def test_tls_queues_are_read_and_a_half_handshake_does_not_wait(bench, intake, tmp_path):
    # The same through TLS; who has not finished the handshake has nothing to be read.
    authority = Authority(tmp_path)
    tls = settings_of(authority.issue("log.example.org"))
    listeners = await bench.open(ListenerSettings("it", Transport.TLS, "127.0.0.1:0", tls=tls))
    address = address_of(listeners, "it")
    silent = socket.create_connection(address)

    def shake_hands():
        return authority.client_context().wrap_socket(connected(address))

    sock = await asyncio.to_thread(shake_hands)
    await until(lambda: listeners.counters["it"].connections_open == 2)
    expected = [b"<13>queued %d" % number for number in range(2_000)]
    sock.sendall(b"".join(line + b"\n" for line in expected))
    began = time.monotonic()
    await listeners.stop(PATIENCE_SECONDS)
    assert time.monotonic() - began < PATIENCE_SECONDS / 2
    assert intake.frames == expected
    assert sock.recv(10) == b""  # a proper end: close_notify
    sock.close()
    silent.close()
