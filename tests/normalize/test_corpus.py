"""Lines that real programs wrote, each with everything it must become: `tests/corpus/<source>.yaml`.

A file says which program in which version wrote its lines, and with which commands that can be done again. A line is
`raw`, as it came by syslog, or `app` and `message`; `expect` names every column from `actor` to `session` that is not
null, `rule`, and `data` less `wire`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from receiver.event import Event, Origin
from receiver.normalize import Normalizer
from receiver.normalize.rules.rule import COLUMNS
from receiver.wire.detect import parse_frame
from receiver.wire.message import Message
from tests.kit.packs import PACKS

FILES = sorted((Path(__file__).parents[1] / "corpus").glob("*.yaml"))
NOW = 1_795_000_000_000_000  # November 2026
ORIGIN = Origin(None, None, None, "unix_dgram", "devlog")
NORMALIZER = Normalizer(PACKS)


def message_of(line: dict[str, Any]) -> Message:
    if "raw" in line:
        return parse_frame(line["raw"].encode(), NOW, None)
    text = line["message"]
    header = (None, None, None, "missing", None, line["app"], None, None)
    return Message(text.encode(), "rfc3164", "ok", *header, None, text)


def facts(event: Event) -> dict[str, Any]:
    """Give what a corpus line states."""
    found = {name: getattr(event, name) for name in (*COLUMNS, "rule") if getattr(event, name) is not None}
    data = json.loads(event.data) if event.data else {}
    data.pop("wire", None)
    return {**found, "data": data} if data else found


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_real_lines_become_what_they_say(file: Path) -> None:
    # The programs' own words, not our reading of their source.
    source = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert source.keys() == {"source", "version", "produced_by", "lines"}
    wrong = []
    for line in source["lines"]:
        assert line.keys() in ({"raw", "expect"}, {"app", "message", "expect"}), line
        found = facts(NORMALIZER.event(message_of(line), ORIGIN, NOW))
        if found != line["expect"]:
            wrong.append((line.get("raw") or line["message"], found, line["expect"]))
    assert wrong == []


def test_fifteen_sources_were_run() -> None:
    # Rules that only their author's samples have met are guesses.
    assert len({yaml.safe_load(file.read_text(encoding="utf-8"))["source"] for file in FILES}) >= 15
