"""The composition root in this process: what happens at a clock step, and when a part of it fails."""

from __future__ import annotations

import asyncio
import gc
import socket
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import yaml

from receiver.app import App
from receiver.config import load_config
from receiver.ingest import BatchWriter, Inbox
from tests.kit.events import make_events
from tests.kit.fake_sink import FakeSink
from tests.kit.process import free_ports
from tests.kit.stores import files, read
from tests.kit.waiting import until

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
        await until(lambda: task.done() or (hasattr(app, "_writer") and app.ready))
        assert not task.done(), task.exception()
        yield Running(app, task, ("127.0.0.1", port), folder / "store")
        if not task.done():
            app._stop.set()
        await asyncio.wait({task}, timeout=30)
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


async def test_the_watchdog_is_fed_while_the_writer_rests_and_not_while_it_hangs() -> None:
    # Idling and waiting for disk space is life, however short the watchdog's time; a write that never ends is not.
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
    await until(lambda: inbox.queued_events == 0 and not writer.turns(0))
    assert writer.turns(60)
    sink.gate.set()
    writer.stop(5)
    await task
