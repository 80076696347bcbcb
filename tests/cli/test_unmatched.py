"""`unmatched`: the shapes no rule took, most frequent first; nothing of ours, nothing that matched."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from receiver.cli import main
from tests.kit.events import make_event
from tests.kit.stores import seal_all, write

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("sealed", [False, True])
def test_shapes_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str], sealed: bool) -> None:
    # In a live segment and in a sealed one alike.
    lost = [make_event(number, rule=None, message=f"job {number} done", app="job") for number in range(20)]
    ours = make_event(30, rule=None, format="internal", message="receiver started")
    write(tmp_path, [*lost, make_event(29), ours, make_event(31, rule=None, message=None)])
    if sealed:
        seal_all(tmp_path, make_event(32))
    assert main(["unmatched", "--store", str(tmp_path), "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    shape = {"app": "job", "count": 20, "template": "job <*> done"}
    assert json.loads(line) == {**shape, "example": "job 19 done", "seq": 19}
