"""Sends every new head to every target: each target in its own time, the newest head only, again until it is taken.

Knows tasks and patience; what a target is, `targets.py` knows. Bounded: a target that is slow or away skips the heads
in between, for the newest one vouches for them all. A failure is logged once, until it works again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import TYPE_CHECKING, Final

from receiver.errors import EvidenceError
from receiver.publish.targets import Head, PublishError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from receiver.counters import EvidenceCounters
    from receiver.publish.targets import Target

log = logging.getLogger(__name__)

FIRST_REST_SECONDS: Final = 1.0
LONGEST_REST_SECONDS: Final = 300.0


class Publisher:
    """One per receiver: `start`, then `publish` each head, then `stop`."""

    def __init__(
        self,
        targets: Sequence[Target],
        prove: Callable[[int, int], list[bytes]],
        cosigned: Callable[[int, bytes], Awaitable[None]],
        counters: EvidenceCounters,
    ) -> None:
        """prove: consistency between two sizes, blocks. cosigned: told of a note that a witness signed."""
        self._links = [_Link(target, prove, cosigned, counters) for target in targets]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; nothing is sent before the first head."""
        self._tasks = [asyncio.create_task(link.run(), name=f"publish {link.name}") for link in self._links]

    def publish(self, head: Head) -> None:
        """Offer a head; never waits."""
        for link in self._links:
            link.offer(head)

    async def stop(self, within_seconds: float) -> None:
        """Give every target that has something to take a last chance, then end."""
        waiting = [asyncio.create_task(link.until_idle()) for link in self._links]
        if waiting:
            await asyncio.wait(waiting, timeout=within_seconds)
        for task in (*waiting, *self._tasks):
            task.cancel()
        await asyncio.gather(*waiting, *self._tasks, return_exceptions=True)


class _Link:
    """One target and what it is still to have."""

    def __init__(
        self,
        target: Target,
        prove: Callable[[int, int], list[bytes]],
        cosigned: Callable[[int, bytes], Awaitable[None]],
        counters: EvidenceCounters,
    ) -> None:
        self.name = target.name
        self._target = target
        self._prove = prove
        self._cosigned = cosigned
        self._counters = counters
        self._head: Head | None = None
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failing = False
        counters.published[self.name] = counters.publish_failures[self.name] = 0
        counters.publish_time[self.name] = 0.0

    def offer(self, head: Head) -> None:
        """Put the newest head in the place of one that was not taken."""
        self._head = head
        self._idle.clear()
        self._news.set()

    async def until_idle(self) -> None:
        """Wait until the target has the newest head."""
        await self._idle.wait()

    async def run(self) -> None:
        """Send what is new, again and again until it is taken."""
        rest = FIRST_REST_SECONDS
        while True:
            await self._news.wait()
            self._news.clear()
            head = self._head
            if head is None:
                continue
            if await self._try(head):
                rest = FIRST_REST_SECONDS
                if self._head is head:
                    self._idle.set()
                continue
            self._news.set()
            await asyncio.sleep(rest * random.uniform(0.5, 1.0))  # noqa: S311 - so that targets are not asked in step
            rest = min(rest * 2, LONGEST_REST_SECONDS)

    async def _try(self, head: Head) -> bool:
        try:
            note = await asyncio.to_thread(self._target.send, head, self._prove)
            if note is not None:
                await self._cosigned(head.size, note)
        except (PublishError, EvidenceError) as error:
            self._counters.publish_failures[self.name] += 1
            if not self._failing:
                log.warning("checkpoints do not reach %s: %s", self.name, error)
            self._failing = True
            return False
        except Exception:
            self._counters.publish_failures[self.name] += 1
            log.exception("a bug of ours, publishing to %s", self.name)
            return False
        if self._failing:
            log.info("checkpoints reach %s again", self.name)
        self._failing = False
        self._counters.published[self.name] += 1
        self._counters.publish_time[self.name] = time.time()
        return True
