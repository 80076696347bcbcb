"""The composition root in this process: what happens at a clock step, and when a part of it fails."""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import yaml

from receiver import limits
from receiver.app import App, listen_limits
from receiver.config import load_config
from receiver.ingest import BatchWriter, Inbox
from receiver.store import StorePolicy
from tests.kit.events import make_events
from tests.kit.fake_sink import FakeSink
from tests.kit.process import free_ports
from tests.kit.stores import files, opened, read
from tests.kit.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

HOUR_NS = 3_600 * 10**9


class Running:
    """An App and the task that runs it."""

    def __init__(self, app: App, task: asyncio.Task[int], address: tuple[str, int], store: Path) -> None:
        self.app = app
        self.task = task
        self.store = store
        self._address = address

    async def send(self, *messages: bytes) -> None:
        """Send over UDP and wait until the inbox had them."""
        wanted = self.app.ingest.received + len(messages)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for message in messages:
                sock.sendto(message, self._address)
        await until(lambda: self.app.ingest.received == wanted)

    async def stop(self) -> int:
        self.app._stop.set()
        return await self.task


@asynccontextmanager
async def running(folder: Path, **sections) -> AsyncIterator[Running]:
    (port,) = free_ports(1)
    path = folder / "config.yaml"
    door = {"name": "udp", "type": "udp", "listen": f"127.0.0.1:{port}"}
    settings = {"store": {"path": "store", "min_free_bytes": 0}, "listeners": [door], "http": {"listen": None}}
    path.write_text(yaml.safe_dump(settings | sections))
    app = App(load_config(path), path)
    task = asyncio.create_task(app.run())
    try:
        await until(lambda: task.done() or (hasattr(app, "_listeners") and app.ready))
        assert not task.done(), task.exception()
        yield Running(app, task, ("127.0.0.1", port), folder / "store")
        if not task.done():
            app._stop.set()
        await asyncio.wait({task}, timeout=PATIENCE_SECONDS)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("direction", [-1, 1], ids=["back", "forward"])
async def test_a_clock_step_opens_a_segment_and_is_an_event(tmp_path: Path, direction: int) -> None:
    # Each event keeps the time its clock had; the log says where it was set and by how much.
    async with running(tmp_path) as receiver:
        await receiver.send(b"<13>1 - - app - - - before")
        await until(lambda: receiver.app.ingest.stored == 1)
        receiver.app._clock._wall_ns = lambda: time.time_ns() + direction * HOUR_NS
        await receiver.send(b"<13>1 - - app - - - after")
        await until(lambda: receiver.app.ingest.stored == 2)
        assert await receiver.stop() == 0
    events = {event.message: event for event in read(receiver.store)}
    moved = events["after"].received_at - events["before"].received_at
    assert abs(moved - direction * HOUR_NS // 1000) < 60_000_000
    step = events["system clock stepped"]
    assert step.action == "system.time_change"
    assert '"step_us":' in step.data
    assert len([name for name in files(receiver.store) if name.endswith(".db")]) >= 2


async def test_what_waits_for_a_full_disk_keeps_its_time(tmp_path: Path) -> None:
    # An act of the receiver's own, written meanwhile, stands in the log before what waits: no clock was set for that.
    async with running(tmp_path, ingest={"batch_events": 1}) as receiver:
        clock, store = receiver.app._clock, receiver.app._store
        policy = store._policy
        store._policy = StorePolicy(min_free_bytes=2**62)
        sent = time.time_ns() // 1000
        await receiver.send(*[b"<13>1 - - app - - - %d" % number for number in range(3)])
        await until(lambda: receiver.app._writer.problem is not None)
        clock._wall_ns = lambda: time.time_ns() + 60 * 10**9
        clock._steady_ns = lambda: time.monotonic_ns() + 60 * 10**9
        receiver.app._writer.note(receiver.app._act("config.change"))
        store._policy = policy
        await until(lambda: receiver.app.ingest.stored == 3)
        assert await receiver.stop() == 0
    assert [name for name in files(receiver.store) if name[0].isdigit()] == ["000000000000-.db"]
    events = read(receiver.store)
    (act,) = [event for event in events if event.action == "config.change"]
    assert all(event.received_at < sent + 30_000_000 for event in events if event.app == "app")
    assert act.received_at < sent + 30_000_000 < act.time


async def test_a_failing_task_costs_nothing_that_was_received(tmp_path: Path) -> None:
    # A bug of ours beside the writer ends the receiver with 1, in order: the inbox is stored first.
    async with running(tmp_path, ingest={"batch_delay": "200ms"}) as receiver:

        def fail() -> None:
            raise RuntimeError("a bug of ours")

        await receiver.send(*[b"<13>1 - - app - - - %d" % number for number in range(100)])
        receiver.app._listeners.refresh = fail  # the tick calls it
        assert await receiver.task == 1
    assert len([event for event in read(receiver.store) if event.app == "app"]) == 100


async def test_a_failing_listener_does_not_keep_the_inbox_from_being_stored(tmp_path: Path) -> None:
    # Whatever goes wrong while the doors close, what came in before is written.
    async with running(tmp_path, ingest={"batch_delay": "200ms"}) as receiver:
        stop = receiver.app._listeners.stop

        async def fail(seconds: float) -> None:
            receiver.app._listeners.stop = stop
            raise RuntimeError("a bug of ours")

        await receiver.send(*[b"<13>1 - - app - - - %d" % number for number in range(100)])
        receiver.app._listeners.stop = fail
        assert await receiver.stop() == 1
    assert len([event for event in read(receiver.store) if event.app == "app"]) == 100


async def test_the_watchdog_is_fed_while_the_writer_rests_and_not_while_it_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Idling, waiting for disk space and a slow commit are life, however short the watchdog's time; a write that never
    # ends is not.
    inbox, sink = Inbox(), FakeSink()
    writer = BatchWriter(inbox, sink)
    task = asyncio.create_task(writer.run())
    await until(lambda: writer.turns(0))
    sink.space = False
    inbox.offer(make_events(1), 1)
    await until(lambda: writer.problem is not None and writer.turns(0))
    sink.space = True
    await until(lambda: len(sink.events) == 1)
    sink.gate.clear()
    inbox.offer(make_events(1), 1)
    await until(lambda: writer.commit_seconds() > 0)
    assert writer.turns(0)
    monkeypatch.setattr(limits, "COMMIT_PATIENCE_SECONDS", 0.0)
    assert not writer.turns(0)
    assert writer.turns(60)
    sink.gate.set()
    await until(lambda: writer.commit_seconds() == 0)
    writer.stop(PATIENCE_SECONDS)
    await task


async def test_a_commit_that_takes_long_makes_it_unready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The operator reads that it is the disk, before the inbox is full.
    async with running(tmp_path) as receiver:
        gate = asyncio.Event()
        append = receiver.app._store.append

        async def slow(events: list) -> int:
            await gate.wait()
            return await append(events)

        monkeypatch.setattr(limits, "COMMIT_SLOW_SECONDS", 0.0)
        receiver.app._store.append = slow
        await receiver.send(b"<13>1 - - app - - - m")
        await until(lambda: any("the disk is slow" in problem for problem in receiver.app.problems()))
        gate.set()
        await until(lambda: receiver.app.ready)


async def test_a_clock_that_was_set_back_while_nobody_ran_is_told_at_the_start(tmp_path: Path) -> None:
    # The newest event is from an hour ahead: the log goes on in a new segment, and says so.
    ahead = (time.time_ns() + HOUR_NS) // 1000
    async with opened(tmp_path / "store") as store:
        await store.append(make_events(3, received_at=ahead))
    async with running(tmp_path) as receiver:
        assert receiver.app.ingest.clock_steps == 1
        assert await receiver.stop() == 0
    acts = {event.action: event for event in read(receiver.store)}
    step = json.loads(acts["system.time_change"].data)["step_us"]
    assert abs(step + HOUR_NS // 1000) < 60_000_000


async def test_a_clock_that_jumped_ahead_gives_retention_a_rest(tmp_path: Path) -> None:
    # Set wrong by years it would make every event look old; set back again it may go on at once.
    async with running(tmp_path, retention={"max_age": "1d"}) as receiver:
        keeper, clock = receiver.app._keeper, receiver.app._clock
        await until(lambda: keeper._retention_at > 0)
        before = keeper._retention_at
        clock._wall_ns = lambda: time.time_ns() - HOUR_NS
        await until(lambda: receiver.app.ingest.clock_steps == 1)
        assert keeper._retention_at == before
        clock._wall_ns = lambda: time.time_ns() + HOUR_NS
        await until(lambda: receiver.app.ingest.clock_steps == 2)
        assert keeper._retention_at > time.monotonic() + limits.RETENTION_REST_SECONDS - 60


async def test_what_cannot_be_looked_at_ends_nothing(tmp_path: Path) -> None:
    # The folder gone (or no descriptor left to look with): it is not ready, with the reason, and goes on when it can.
    async with running(tmp_path) as receiver:
        receiver.store.rename(tmp_path / "elsewhere")
        await receiver.send(b"<13>1 - - app - - - m")
        await until(lambda: any("No such file" in problem for problem in receiver.app.problems()))
        (tmp_path / "elsewhere").rename(receiver.store)
        app = receiver.app
        await until(lambda: app.ingest.stored == 1, what=lambda: (app.problems(), app.ingest))
        await until(lambda: app.ready)


def test_connections_leave_descriptors_for_the_store(tmp_path: Path) -> None:
    # As many connections as the process may have files would keep it from opening a new segment.
    path = tmp_path / "config.yaml"
    path.write_text("limits: {connections: 20000}\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (900, hard))
    try:
        bounds = listen_limits(load_config(path))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert bounds.connections == 900 - limits.FILES_KEPT
