"""What may be asked over the control socket: a request that is not well-formed is refused, and nothing is done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from receiver.care.requests import control_commands
from receiver.control import Request
from receiver.errors import StoreRefused
from tests.kit.logs import open_log
from tests.kit.stores import read

if TYPE_CHECKING:
    from pathlib import Path


class Case(NamedTuple):
    """A request that is refused, and a word of why."""

    id: str
    command: str
    arguments: dict[str, Any]
    words: str


SPAN = [[0, 1]]
REFUSED = [
    Case("redact without a reason", "redact", {"seqs": SPAN}, "reason"),
    Case("redact with a blank reason", "redact", {"seqs": SPAN, "reason": "  "}, "reason"),
    Case("redact nothing", "redact", {"reason": "x"}, "positions, or a filter"),
    Case("redact an empty list", "redact", {"seqs": [], "reason": "x"}, "positions, or a filter"),
    Case("redact a number", "redact", {"seqs": [7], "reason": "x"}, "pairs"),
    Case("redact texts", "redact", {"seqs": [["0", "1"]], "reason": "x"}, "pairs"),
    Case("redact true to true", "redact", {"seqs": [[True, True]], "reason": "x"}, "pairs"),
    Case("redact everything by an empty filter", "redact", {"filter": {}, "reason": "x"}, "at least one"),
    Case("redact by an unknown field", "redact", {"filter": {"actr": "x"}, "reason": "x"}, "at least one"),
    Case("redact by a null", "redact", {"filter": {"actor": None}, "reason": "x"}, "actor must be of type str"),
    Case("redact beyond the end", "redact", {"seqs": [[0, 10**9]], "reason": "x"}, "at once"),
    Case("redact what is not there yet", "redact", {"seqs": [[90, 91]], "reason": "x"}, "there is no event"),
    Case("hold without a filter", "hold-add", {"reason": "x"}, "at least one"),
    Case("hold without a reason", "hold-add", {"filter": {"actor": "x"}}, "reason"),
    Case("remove no hold", "hold-remove", {}, "which hold"),
    Case("remove a hold that is not there", "hold-remove", {"hold": 7}, "there is no hold 7"),
    Case("note an act that is the receiver's", "note", {"action": "log.redact", "data": {}}, "can be noted"),
    Case("note without data", "note", {"action": "log.query", "data": "x"}, "can be noted"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
async def test_a_bad_request_is_refused_in_one_sentence(tmp_path: Path, case: Case) -> None:
    # Who asks has to say what and why; nobody writes an act of the receiver's own.
    async with open_log(tmp_path / "store") as log:
        await log.write(20)
        before = log.store.next_seq
        command = control_commands(log.keeper, lambda: True)[case.command]
        with pytest.raises(StoreRefused, match=case.words) as refused:
            await command.run(Request(case.command, case.arguments, "root", 0))
        assert "\n" not in str(refused.value)
        assert log.store.next_seq == before
        assert log.store.evidence.redactions() == log.store.evidence.holds() == []


@pytest.mark.parametrize("wanted", [True, False])
async def test_who_reads_is_noted_when_the_configuration_wants_it(tmp_path: Path, wanted: bool) -> None:
    # By the name that the kernel gives, whatever the request says.
    async with open_log(tmp_path / "store") as log:
        command = control_commands(log.keeper, lambda: wanted)["note"]
        assert command.changes is False
        about = {"action": "log.query", "data": {"asked": {"actor": "alice"}}, "user": "somebody else"}
        await command.run(Request("note", about, "reviewer", 1000))
    noted = [(row.actor, row.data) for row in read(tmp_path / "store") if row.action == "log.query"]
    assert noted == ([("reviewer", '{"asked":{"actor":"alice"}}')] if wanted else [])
