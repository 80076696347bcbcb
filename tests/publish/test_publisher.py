"""The publisher: the newest head to each target in its own time, again until it is taken, never in anybody's way."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from receiver.counters import EvidenceCounters
from receiver.errors import EvidenceError
from receiver.publish import HttpTarget, Publisher, publisher
from receiver.publish.targets import Head, PublishError
from tests.kit.waiting import PATIENCE_SECONDS, until

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "FIRST_REST_SECONDS", 0.005)
    monkeypatch.setattr(publisher, "LONGEST_REST_SECONDS", 0.01)


def head(size: int) -> Head:
    return Head(size, bytes(32), b"note %d" % size, 1_764_000_000)


class FakeTarget:
    """Takes heads, after failing as it is told; holds them while its gate is closed."""

    def __init__(self, name: str, *failures: Exception, cosigns: bool = False) -> None:
        self.name = name
        self.failures = list(failures)
        self.sizes: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self._cosigns = cosigns

    def send(self, head: Head, prove: Callable[[int, int], list[bytes]]) -> bytes | None:
        assert self.gate.wait(PATIENCE_SECONDS)
        if self.failures:
            raise self.failures.pop(0)
        self.sizes.append(head.size)
        return head.note + b" cosigned" if self._cosigns else None


class Running:
    """A publisher over targets, and what it told of."""

    def __init__(self, *targets: FakeTarget) -> None:
        self.counters = EvidenceCounters()
        self.cosigned: list[tuple[int, bytes]] = []
        self.publisher = Publisher(targets, lambda _old, _new: [], self._take, self.counters)

    async def _take(self, size: int, note: bytes) -> None:
        self.cosigned.append((size, note))


async def test_what_is_refused_is_sent_again_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    # Said once, whatever the failure is; the others have it long since.
    failures = PublishError("503"), EvidenceError("no proof"), RuntimeError("a bug"), PublishError("503")
    busy = FakeTarget("busy", *failures)
    good = FakeTarget("good", cosigns=True)
    running = Running(busy, good)
    running.publisher.start()
    running.publisher.publish(head(5))
    await until(lambda: running.counters.published == {"busy": 1, "good": 1})
    await running.publisher.stop(PATIENCE_SECONDS)
    assert (busy.sizes, good.sizes) == ([5], [5])
    assert running.counters.publish_failures == {"busy": 4, "good": 0}
    assert running.counters.publish_time["busy"] > 0
    assert running.cosigned == [(5, b"note 5 cosigned")]
    assert caplog.text.count("checkpoints do not reach busy") == 1


async def test_a_slow_target_gets_the_newest_head_and_holds_nobody() -> None:
    # Those in between are skipped: the newest vouches for them.
    slow, quick = FakeTarget("slow"), FakeTarget("quick")
    slow.gate.clear()
    running = Running(slow, quick)
    running.publisher.start()
    for size in (1, 2, 3, 4):
        running.publisher.publish(head(size))
        await until(lambda size=size: quick.sizes[-1:] == [size])
    slow.gate.set()
    await until(lambda: slow.sizes[-1:] == [4])
    assert len(slow.sizes) <= 2
    await running.publisher.stop(PATIENCE_SECONDS)


async def test_a_stop_waits_for_the_last_head_and_not_for_ever() -> None:
    # A target that is away cannot hold it.
    slow = FakeTarget("slow", PublishError("once"))
    running = Running(slow)
    running.publisher.start()
    running.publisher.publish(head(9))
    await running.publisher.stop(PATIENCE_SECONDS)
    assert slow.sizes == [9]
    away = FakeTarget("away", *[PublishError("away")] * 100_000)
    running = Running(away)
    running.publisher.start()
    running.publisher.publish(head(9))
    async with asyncio.timeout(PATIENCE_SECONDS):
        await running.publisher.stop(0.2)
    assert away.sizes == []


def test_authorities_that_are_gone_are_no_bug_of_ours(tmp_path: Path) -> None:
    # Renewed badly while we run: one sentence with the file, and tried again.
    (tmp_path / "not-pem").write_text("x")
    for name in ("gone", "not-pem"):
        with pytest.raises(PublishError, match=f"{name}: "):
            HttpTarget("a", "https://127.0.0.1:1", ca=tmp_path / name).send(head(1), lambda _old, _new: [])
