"""Hashes asked for while segments are sealed: the old file goes under the question, and that is no damage."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from receiver.errors import EvidenceError
from receiver.store.evidence_file import EvidenceFile
from receiver.store.hashes import Hashes, ask_hashes
from tests.kit.events import make_event, make_events
from tests.kit.stores import seal_all, write

if TYPE_CHECKING:
    from pathlib import Path


def test_a_segment_sealed_under_the_question_is_asked_again(tmp_path: Path) -> None:
    # Else a restart after a crash could end with a file that is not there, or raise an alarm over nothing.
    write(tmp_path, make_events(300))
    asked = []

    def question(hashes: Hashes) -> list[bytes]:
        asked.append(hashes)
        if len(asked) == 1:
            seal_all(tmp_path, make_event(300))
        return hashes.leaves(0, 300)

    with closing(EvidenceFile(tmp_path, read_only=True)) as evidence:
        assert len(ask_hashes(tmp_path, evidence, question)) == 300
    assert len(asked) == 2


def test_damage_is_told_at_once(tmp_path: Path) -> None:
    # Nothing was sealed meanwhile: what is missing is missing.
    write(tmp_path, make_events(300))
    asked = []

    def question(hashes: Hashes) -> None:
        asked.append(hashes)
        raise EvidenceError("a leaf is missing")

    with (
        closing(EvidenceFile(tmp_path, read_only=True)) as evidence,
        pytest.raises(EvidenceError, match="a leaf is missing"),
    ):
        ask_hashes(tmp_path, evidence, question)
    assert len(asked) == 1
