"""Letting go: what retention removes is named, what proofs need stays, a hold wins, and a crash changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from receiver.care.keeper import CarePolicy
from receiver.errors import StoreFull
from receiver.evidence.checkpoint import open_checkpoint
from receiver.evidence.proof import parse_consistency, verify_proof
from receiver.evidence.tree import verify_consistency
from receiver.store.filter import Filter
from receiver.store.retention import Removal, RetentionPolicy, SegmentFacts, ShorterLife, choose
from receiver.store.segment import Segment, catalog
from receiver.verify.proving import prove_consistency, prove_event
from receiver.verify.verification import Question, verify
from tests.kit.logs import Log, open_log
from tests.kit.stores import read

if TYPE_CHECKING:
    from pathlib import Path

ALL = CarePolicy(retention=RetentionPolicy(max_age_seconds=1))
"""The events of the tests are years old: every sealed segment is due."""


def facts(*newest: int) -> list[SegmentFacts]:
    from pathlib import Path

    return [SegmentFacts(Segment(n * 10, n * 10 + 9, Path(f"{n}")), 100, time) for n, time in enumerate(newest)]


def reasons(removals: list[Removal]) -> list[tuple[int, str]]:
    return [(removal.segment.first, removal.reason) for removal in removals]


def test_what_goes_is_chosen_oldest_first() -> None:
    # By age, then by size, then by free disk; nothing newer than what stays.
    five = facts(1_000_000, 2_000_000, 3_000_000, 4_000_000, 5_000_000)
    by_age = RetentionPolicy(max_age_seconds=3)
    assert reasons(choose(five, by_age, 6_000_001, 500, 1000)) == [
        (0, "retention.max_age"), (10, "retention.max_age"), (20, "retention.max_age")
    ]  # fmt: skip
    assert reasons(choose(five, RetentionPolicy(max_bytes=301), 0, 500, 1000)) == [
        (0, "retention.max_bytes"), (10, "retention.max_bytes")
    ]  # fmt: skip
    assert reasons(choose(five, RetentionPolicy(min_free_bytes=1101), 0, 500, 1000)) == [
        (0, "retention.min_free_bytes"), (10, "retention.min_free_bytes")
    ]  # fmt: skip
    assert choose(five, RetentionPolicy(), 10**18, 10**12, 0) == []


async def pruned(folder: Path, count: int = 3300, segment: int = 1000) -> Log:
    """A log whose sealed segments retention has removed."""
    async with open_log(folder, segment=segment) as log:
        await log.write(count)
        log.keeper.policy = ALL
        await log.keeper.prune()
        await log.write(10)
    return log


async def test_removed_segments_are_named_and_the_rest_verifies(tmp_path: Path) -> None:
    # Against all checkpoints that were signed before, too.
    folder = tmp_path / "store"
    log = await pruned(folder)
    first = catalog(folder)[0].first
    assert first > 3000
    copies = tuple(("kept", signed.note) for signed in log.signed)
    report = verify(Question(folder, copies=copies, processes=1)).report
    assert report.problems == []
    assert report.absent == first
    (event,) = [row for row in read(folder) if row.action == "log.prune"]
    assert event.data is not None
    assert f'"absent":[[0,{first - 1}]]' in event.data


async def test_proofs_outlive_what_they_stand_on(tmp_path: Path) -> None:
    # Inclusion of what is left, and consistency from every checkpoint whose rows are gone.
    folder = tmp_path / "store"
    log = await pruned(folder)
    keys = [log.checkpointer.keys.log.verifier]
    last = log.signed[-1].size
    for signed in log.signed[:-1]:
        if signed.size == last:
            continue
        proof = parse_consistency(prove_consistency(folder, signed.size, last))
        new = open_checkpoint(proof.checkpoint, keys).checkpoint
        verify_consistency(signed.size, new.size, signed.root, new.root, proof.path)
    for row in read(folder)[:3]:
        assert verify_proof(prove_event(folder, row.seq), keys).seq == row.seq


async def test_a_hold_keeps_its_segment(tmp_path: Path) -> None:
    # The others go: the log then has a hole, which is named.
    folder = tmp_path / "store"
    async with open_log(folder, segment=1000) as log:
        await log.write(4200)
        number = await log.keeper.add_hold(Filter(actor="user1500"), "case 17", "counsel")
        log.keeper.policy = ALL
        removed = await log.keeper.prune()
        assert len(removed) == 3
        assert catalog(folder)[0].first == 1001
        await log.write(5)
        assert verify(Question(folder, processes=1)).report.problems == []
        await log.keeper.remove_hold(number, "counsel")
        assert len(await log.keeper.prune()) >= 1
    assert verify(Question(folder, processes=1)).report.problems == []
    holds = [row for row in read(folder) if row.action == "config.change"]
    assert [(row.actor, row.reason) for row in holds] == [("counsel", "case 17"), ("counsel", None)]


@pytest.mark.parametrize("step", ["noted", "announced"])
async def test_a_crash_in_between_is_finished_at_the_next_start(tmp_path: Path, step: str) -> None:
    # evidence.db, event, unlink: after each, the next start goes on.
    folder = tmp_path / "store"
    async with open_log(folder, segment=500) as log:
        await log.write(1100)
        await log.store.prepare_removal(catalog(folder)[0], "retention.max_age")
        if step == "announced":
            await log.keeper._name_removals()
    assert catalog(folder)[0].first == 0
    assert verify(Question(folder, processes=1)).report.problems == []
    async with open_log(folder, segment=500):
        assert catalog(folder)[0].first == 501
    assert verify(Question(folder, processes=1)).report.problems == []


async def test_what_names_a_redaction_may_go_before_it(tmp_path: Path) -> None:
    # The entry that named it is removed; the removal names it once more.
    folder = tmp_path / "store"
    async with open_log(folder, segment=500) as log:
        await log.write(700)
        await log.keeper.redact([(5, 6)], "request 1", "dpo")  # named in the second segment
        await log.write(1000)
        number = await log.keeper.add_hold(Filter(actor="user7"), "case", "counsel")
        log.keeper.policy = ALL
        await log.keeper.prune()
        assert catalog(folder)[0].first == 0
        assert number == 1
        await log.write(5)
    report = verify(Question(folder, processes=1)).report
    assert report.problems == []
    assert report.redacted == 2


async def test_kinds_of_events_go_earlier(tmp_path: Path) -> None:
    # Those of one app are redacted in sealed segments; own acts and held events are not.
    folder = tmp_path / "store"
    life = ShorterLife(Filter(app="nginx"), 1.0, "app nginx")
    async with open_log(folder, segment=300) as log:
        await log.write(200, app="nginx")
        await log.write(200)
        await log.keeper.add_hold(Filter(actor="user50"), "case", "counsel")
        log.keeper.policy = CarePolicy(retention=RetentionPolicy(shorter=(life,)))
        log.keeper._retention_at = 0
        await log.keeper.turn()
    rows = read(folder)
    assert sum(row.commitment is not None for row in rows) == 199
    assert [row.actor for row in rows if row.app == "nginx"] == ["user50"]
    report = verify(Question(folder, processes=1)).report
    assert report.problems == []
    (named,) = [row for row in rows if row.action == "log.redact"]
    assert named.reason == "retention: app nginx"


def test_a_log_of_nothing_but_removals_starts_again(tmp_path: Path) -> None:
    # Everything sealed is gone; the live segment alone goes on from the right position.
    folder = tmp_path / "store"

    async def run() -> None:
        log = await pruned(folder, 2000, 500)
        async with open_log(folder) as again:
            assert again.checkpointer.alarm is None
            await again.write(300)
            assert again.store.next_seq > log.signed[-1].size

    asyncio.run(run())
    assert verify(Question(folder, processes=1)).report.problems == []


async def test_what_may_go_goes_while_intake_is_held_for_lack_of_disk(tmp_path: Path) -> None:
    # Below the floor no event is stored, but the entry that names what is removed is: else nothing would ever heal.
    folder = tmp_path / "store"
    async with open_log(folder, segment=500) as log:
        await log.write(1200)
        roomy = log.store._policy
        log.keeper.policy = ALL
        log.keeper._retention_at, log.keeper._hurry_at = float("inf"), 0.0
        log.store._policy = replace(roomy, min_free_bytes=2**62)
        with pytest.raises(StoreFull):
            await log.write(1)
        await log.keeper.turn()
        assert log.keeper._trouble is None, log.keeper._trouble
        assert [segment.last for segment in catalog(folder)] == [None]
        log.store._policy = roomy
        await log.write(5)
    assert verify(Question(folder, processes=1)).report.problems == []


async def test_what_is_removed_is_not_to_be_erased_any_more(tmp_path: Path) -> None:
    # A redaction whose rows went with their segment is done; nobody waits for it.
    folder = tmp_path / "store"
    async with open_log(folder, segment=500) as log:
        await log.write(1200)
        log.store.evidence.intend_redaction([(5, 6)], "request 1", "dpo")
        log.keeper._count_pending()
        log.keeper.policy, log.keeper._retention_at = ALL, 0.0
        await log.keeper.turn()
        assert log.keeper.counters.redactions_pending == 0
        assert log.store.evidence.redactions() == []
    assert verify(Question(folder, processes=1)).report.problems == []
