"""Every asynchronous test of this room runs on both loops; what it opens is closed."""

from __future__ import annotations

import asyncio

import pytest
import uvloop

from receiver.event import Transport
from receiver.listen import ListenerSettings, ListenLimits, open_listeners
from receiver.listen.complaints import Complaints
from tests.kit.fake_intake import FakeIntake


@pytest.hookimpl(optionalhook=True)  # pytest-asyncio 1.4 knows it
def pytest_asyncio_loop_factories(config, item):
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture
def intake():
    return FakeIntake()


class Bench:
    """Opens listeners, knows where they are."""

    def __init__(self, intake: FakeIntake) -> None:
        self.intake = intake
        self.opened = []

    async def open(self, *settings: ListenerSettings, inherited=(), complaints=None, **bounds):
        listeners = open_listeners(
            settings, self.intake, ListenLimits(**bounds), inherited, complaints or Complaints(interval_seconds=0)
        )
        self.opened.append(listeners)
        await listeners.start()
        return listeners

    async def one(self, kind: str, listen: str = "127.0.0.1:0", *, bounds=None, **settings):
        """One listener called `it`; returns listeners and its address."""
        listeners = await self.open(ListenerSettings("it", Transport(kind), listen, **settings), **bounds or {})
        return listeners, address_of(listeners, "it")


def address_of(listeners, name: str):
    """For `socket.connect`."""
    text = listeners.status()[name].addresses[0]
    if text.startswith("/"):
        return text
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


@pytest.fixture
async def bench(intake):
    bench = Bench(intake)
    yield bench
    for listeners in bench.opened:
        await listeners.stop(0.2)
