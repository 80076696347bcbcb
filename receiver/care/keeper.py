"""Takes care of the log while it is written: announces sealed files, signs, removes and redacts what is due.

Compares sealed files with their digests meanwhile (`file_watch`).
Knows the store, the checkpointer and the clock; knows no socket and no config file. Whatever is removed is named by an
event of the log first, and that event signed: the order is intention (`evidence.db`), event, checkpoint, act, and each
step is finished after a crash. So nothing is ever missing that a checkpoint does not vouch for.
What fails (a full disk, as a rule) is logged once and tried again at the next turn.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from receiver import limits
from receiver.care.file_watch import FileWatch
from receiver.errors import ReceiverError, StoreError, StoreRefused
from receiver.event import Event, Outcome
from receiver.own_acts import ALTERED, HOLD_ADDED, HOLD_REMOVED, KEY_ROTATED
from receiver.store.redacted import overlap, spans
from receiver.store.retention import (
    RetentionPolicy,
    choose,
    due_positions,
    filter_text,
    is_held,
    sealed_facts,
)
from receiver.store.segment import catalog, sealed_path
from receiver.store.selection import held_positions, redactable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from receiver.care.checkpointer import Checkpointer, Signed
    from receiver.counters import EvidenceCounters
    from receiver.store.evidence_file import Hold
    from receiver.store.filter import Filter
    from receiver.store.redacted import Span
    from receiver.store.retention import Removal
    from receiver.store.writer import Store

log = logging.getLogger(__name__)

MakeAct = Callable[..., Event]
"""Builds an event of the receiver's own: (action, outcome, reason, data, actor=…, message=…)."""
_RETENTION: str = "retention"
_RUNNING: str = "running"


@dataclass(frozen=True)
class CarePolicy:
    """How often, and what may go."""

    checkpoint_seconds: float = 60.0
    retention: RetentionPolicy = field(default_factory=RetentionPolicy)


class Keeper:
    """One per store open for writing: `start`, then `run` as a task, then `stop`."""

    def __init__(
        self,
        store: Store,
        checkpointer: Checkpointer,
        policy: CarePolicy,
        act: MakeAct,
        counters: EvidenceCounters,
        signed: Callable[[Signed], None],
    ) -> None:
        """signed: told of every new checkpoint."""
        self._store = store
        self._checkpointer = checkpointer
        self.policy = policy
        """Replaced as a whole by a reload."""
        self.counters = counters
        self._act = act
        self._signed = signed
        self._sign_at = time.monotonic() + policy.checkpoint_seconds
        self._retention_at = 0.0
        self._hurry_at = 0.0
        self._shorter_at = 0.0
        self._trouble: str | None = None
        self._erasing = asyncio.Lock()

    # --- life ---

    async def start(self) -> bool:
        """Compare the log with its checkpoints, finish what a crash interrupted; tells whether there was one."""
        await self._checkpointer.start()
        evidence = self._store.evidence
        crashed = await asyncio.to_thread(evidence.fact, _RUNNING) is not None
        await asyncio.to_thread(evidence.note_fact, _RUNNING, str(os.getpid()))
        if self._checkpointer.alarm is not None:
            await self._append("detect.alert", Outcome.FAILURE, self._checkpointer.alarm)
        if self._checkpointer.keys.previous is not None:
            key = str(self._checkpointer.keys.log.verifier)
            await self._append("config.change", data={"verifier": key}, message=KEY_ROTATED)
        await self._name_removals()
        await self._store.finish_removals()
        self._count_pending()
        return crashed

    async def run(self) -> None:
        """Sign at intervals, and beside it do what is due; until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._sign_at_intervals(), name="checkpoints")
            tasks.create_task(self._care(), name="care")
            tasks.create_task(self._watch_files(), name="files")

    async def _sign_at_intervals(self) -> None:
        while True:
            await asyncio.sleep(max(0.0, self._sign_at - time.monotonic()) or self.policy.checkpoint_seconds)
            if time.monotonic() >= self._sign_at:
                await self.sign()

    async def _care(self) -> None:
        while True:
            await self.turn()
            await asyncio.sleep(limits.CARE_SECONDS)

    async def _watch_files(self) -> None:
        """Compare sealed files with their digests, at the start and now and then."""
        while True:
            await self.compare_files()
            await asyncio.sleep(limits.FILES_SECONDS)

    async def compare_files(self) -> None:
        """Raise the alarm for a sealed file that is not what was sealed."""
        began = time.monotonic()
        try:
            found = await FileWatch(self._store.folder, self._store.evidence).look()
        except (ReceiverError, OSError, ValueError) as error:
            log.warning("sealed files were not all compared with their digests: %s", error)
            return
        if found.problem is None and found.files:
            text = "%d sealed files (%d MiB) are what was sealed; compared in %.0f s"
            log.info(text, found.files, found.size_bytes // limits.MIB, time.monotonic() - began)
        elif found.problem is not None and self._checkpointer.raise_alarm(found.problem):
            await self._insist_on("detect.alert", found.problem, ALTERED)

    async def _insist_on(self, action: str, reason: str, message: str) -> None:
        """Write a failure into the log, as soon as the disk takes it."""
        while True:
            try:
                await self._append(action, Outcome.FAILURE, reason, message=message)
            except StoreError as error:
                self._say(str(error))
                await asyncio.sleep(limits.CARE_SECONDS)
            else:
                return

    async def turn(self) -> None:
        """Do what is due. What fails is said once and tried again."""
        try:
            now = time.monotonic()
            if now >= self._retention_at or (not self._store.check_space() and now >= self._hurry_at):
                self._retention_at = now + limits.RETENTION_SECONDS
                self._hurry_at = now + limits.RETENTION_HURRY_SECONDS
                await self.prune()
                await self._shorten(now)
            await self._announce()
            self._count_pending()  # also where a segment was removed before it could be erased in
            if self.counters.redactions_pending and not self._erasing.locked():
                await self._erase(0)
        except (ReceiverError, OSError) as error:
            self._say(str(error))
        else:
            self._say(None)

    async def stop(self) -> None:
        """Announce what was sealed last, sign over all; the store is closed next."""
        try:
            await self._announce()
            await asyncio.to_thread(self._store.evidence.forget_fact, _RUNNING)
        except (ReceiverError, OSError) as error:
            log.warning("the stop is not complete: %s", error)
        await self.sign()

    def rest_retention(self) -> None:
        """Remove nothing by itself for a while: the clock jumped ahead, and may be wrong."""
        self._retention_at = time.monotonic() + limits.RETENTION_REST_SECONDS

    async def sign(self) -> Signed | None:
        """Sign the head, if it grew."""
        self._sign_at = time.monotonic() + self.policy.checkpoint_seconds
        signed = await self._checkpointer.try_to_sign()
        if signed is not None:
            self._signed(signed)
        return signed

    async def _is_signed(self, seq: int) -> bool:
        """Sign over an event; tells whether what it names may be done.

        A log that must not be signed any more still forgets what it has to: that it is not whole is said anyway.
        """
        await self.sign()
        last = self._checkpointer.last
        return self._checkpointer.alarm is not None or (last is not None and last.size > seq)

    def _say(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            log.warning("the care of the log is held up: %s", trouble)
        self._trouble = trouble

    async def _append(
        self,
        action: str,
        outcome: Outcome = Outcome.SUCCESS,
        reason: str | None = None,
        data: dict[str, Any] | None = None,
        **more: str | None,
    ) -> int:
        """Write an act into the log, durable when this returns; gives its position."""
        return await self._store.append_acts([self._act(action, outcome, reason, data, **more)]) - 1

    async def _announce(self) -> None:
        """Name the digest of each sealed file in the log, and sign over it."""
        fresh = [found for found in self._store.evidence.sealed().values() if found.sha256 and found.announced is None]
        for found in fresh:
            name = sealed_path(self._store.folder, found.first, found.last).name
            digest = found.sha256 or b""
            data = {"segment": name, "first": found.first, "last": found.last, "sha256": digest.hex()}
            seq = await self._append("log.rotate", data=data)
            await asyncio.to_thread(self._store.evidence.announced, found.first, digest, seq)
        if fresh:
            await self.sign()

    # --- retention ---

    async def prune(self) -> list[Removal]:
        """Remove the segments that are due; gives them."""
        chosen = await asyncio.to_thread(self.due)
        for removal in chosen:
            await self._store.prepare_removal(removal.segment, removal.reason)
        if chosen:
            await self._name_removals()
            self.counters.segments_removed += await self._store.finish_removals()
            await self._announce()
            await self.sign()
        return chosen

    def due(self) -> list[Removal]:
        """Choose the segments that are due. Blocks."""
        policy = self.policy.retention
        if policy.max_age_seconds is None and policy.max_bytes is None and policy.min_free_bytes is None:
            return []
        holds = self._store.evidence.holds()
        facts = [found for found in sealed_facts(self._store.folder) if not is_held(found.segment, holds)]
        self._store.check_space()
        sizes = self._store.counters
        return choose(facts, policy, time.time_ns() // 1000, sizes.store_bytes, sizes.disk_free_bytes)

    async def _name_removals(self) -> None:
        """Name in the log what goes, with all that went before, since the events that named it go too."""
        absent = await asyncio.to_thread(self._store.evidence.absent)
        fresh = [found for found in absent if not found.announced]
        if not fresh:
            return
        ranges = [(found.first, found.last) for found in absent]
        needed = [
            (found.first, found.last)
            for found in self._store.evidence.redactions()
            if found.named is not None and overlap(ranges, found.named, found.named)
            and not any(first <= found.first and found.last <= last for first, last in ranges)
        ]
        data = {
            "ranges": [[found.first, found.last, found.reason] for found in fresh],
            "absent": _joined(ranges),
            "redacted": _joined(needed),
        }
        seq = await self._append("log.prune", data=data)
        if await self._is_signed(seq):
            await asyncio.to_thread(self._store.evidence.absence_announced)

    async def _shorten(self, now: float) -> None:
        """Redact the events whose shorter life is over."""
        if now < self._shorter_at or not self.policy.retention.shorter:
            return
        self._shorter_at = now + limits.SHORTER_LIFE_SECONDS
        for life in self.policy.retention.shorter:
            seqs = await asyncio.to_thread(self._due_seqs, life)
            if seqs:
                await self._redact(spans(seqs), f"{_RETENTION}: {life.reason}", _RETENTION, 0)

    def _due_seqs(self, life: Any) -> list[int]:
        holds, now_us = self._store.evidence.holds(), time.time_ns() // 1000
        sealed = [segment for segment in catalog(self._store.folder) if segment.last is not None]
        return [seq for segment in sealed for seq in due_positions(segment, life, now_us, holds)]

    # --- redaction ---

    async def redact(self, wanted: Sequence[Span] | Filter, reason: str, user: str) -> dict[str, Any]:
        """Take the content of events out of every file; returns once it is gone, or says what it waits for.

        wanted: ranges of positions, or what to look for. Gives {"events": n, "seq": the naming event, "pending": bool}.
        Raises StoreRefused for what cannot be redacted, with nothing done.
        """
        holds = await asyncio.to_thread(self._store.evidence.holds)
        seqs = await asyncio.to_thread(redactable, self._store.folder, wanted, self._store.next_seq, holds)
        held = await asyncio.to_thread(held_positions, self._store.folder, holds, seqs)
        if held:
            number, seq = held[0]
            raise StoreRefused(f"event {seq} is kept by legal hold {number}: remove the hold first")
        if not seqs:
            return {"events": 0, "seq": None, "pending": False}
        named, done = await self._redact(spans(seqs), reason, user, limits.ERASE_SECONDS)
        await self.sign()
        return {"events": len(seqs), "seq": named, "pending": not done}

    async def _redact(self, ranges: Sequence[Span], reason: str, user: str, seconds: float) -> tuple[int, bool]:
        evidence = self._store.evidence
        await asyncio.to_thread(self._checkpointer.note_redactions, ranges, reason)
        await asyncio.to_thread(evidence.intend_redaction, ranges, reason, user)
        named = await self._name_redactions()
        self.counters.events_redacted += sum(last - first + 1 for first, last in ranges)
        return named, await self._erase(seconds)

    async def _name_redactions(self) -> int:
        """Name in the log what is intended and not named yet; gives the position of the last event that does."""
        unnamed = [found for found in self._store.evidence.redactions(undone=True) if found.named is None]
        seq = -1
        while unnamed:
            first = unnamed[0]
            same = [found for found in unnamed if (found.reason, found.user) == (first.reason, first.user)]
            part = same[: limits.NAMED_RANGES]
            data = {"seqs": [[found.first, found.last] for found in part], "by": first.user}
            actor = None if first.user == _RETENTION else first.user
            seq = await self._append("log.redact", reason=first.reason, data=data, actor=actor)
            ids = {found.id for found in part}
            await asyncio.to_thread(self._store.evidence.redaction_named, sorted(ids), seq)
            unnamed = [found for found in unnamed if found.id not in ids]
        return seq

    async def _release(self) -> None:
        """Let go what is named, once the events that name it are signed."""
        named = [found for found in self._store.evidence.redactions(undone=True) if not found.released]
        last = max((found.named for found in named if found.named is not None), default=None)
        if last is not None and await self._is_signed(last):
            ids = [found.id for found in named if found.named is not None]
            await asyncio.to_thread(self._store.evidence.redaction_released, ids)

    async def _erase(self, seconds: float) -> bool:
        """Erase what is intended; False: it is still pending after this time, and goes on at the next turns."""
        async with self._erasing:
            until = time.monotonic() + seconds
            await self._name_redactions()
            await self._release()
            while not (done := await self._store.erase()):
                self._count_pending()
                if time.monotonic() >= until:
                    break
                await asyncio.sleep(limits.ERASE_POLL_SECONDS)
            self._count_pending()
        await self._announce()
        return done

    def _count_pending(self) -> None:
        self.counters.redactions_pending = len(self._store.evidence.redactions(undone=True))

    # --- holds and notes ---

    async def add_hold(self, where: Filter, reason: str, user: str) -> int:
        """Keep events from retention and redaction; gives the hold's number."""
        text, now = filter_text(where), time.time_ns() // 1000
        number = await asyncio.to_thread(self._store.evidence.add_hold, text, reason, user, now)
        data = {"hold": number, "filter": text}
        await self._append("config.change", reason=reason, data=data, actor=user, message=HOLD_ADDED)
        return number

    async def remove_hold(self, number: int, user: str) -> None:
        """Let retention have them again. Raises StoreRefused when there is no such hold."""
        if all(hold.id != number for hold in await asyncio.to_thread(self._store.evidence.holds)):
            raise StoreRefused(f"there is no hold {number}")
        # The entry first: a hold that is gone without one is what `verify` looks for.
        await self._append("config.change", data={"hold": number}, actor=user, message=HOLD_REMOVED)
        await asyncio.to_thread(self._store.evidence.remove_hold, number)

    def holds(self) -> list[Hold]:
        """Give the holds in force."""
        return self._store.evidence.holds()

    async def note(self, action: str, data: dict[str, Any], user: str) -> None:
        """Write into the log what somebody did with it."""
        try:
            await self._append(action, data=data, actor=user)
        except StoreError as error:
            log.error("who read the log could not be noted: %s", error)


def _joined(ranges: Sequence[Span]) -> list[list[int]]:
    """Join ranges that touch."""
    found: list[list[int]] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + 1:
            found[-1][1] = max(found[-1][1], last)
        else:
            found.append([first, last])
    return found
