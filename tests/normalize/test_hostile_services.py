"""Names at every service's door: whatever a stranger calls himself, a refusal stays one, and its address the true one.

The attack is systematic: a name holds the end of any line the same program writes, from any of its characters on, with
an address of the stranger's choice, so that the whole line ends or goes on as another line of that program would.
`{}` is such a name; `{h}` a host's reverse name or HELO, which has no blanks or brackets but may read like an address.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from tests.normalize.test_hostile import FAKE, TRUE, normalized


def _read() -> tuple[list[tuple[str | None, str]], list[tuple[str | None, str]]]:
    text = Path(__file__).with_name("hostile_lines.txt").read_text(encoding="utf-8")
    parts = text.split("# refused\n")[1].split("# let in\n")
    refused, let_in = ([(app or None, line) for app, _, line in (row.partition("|") for row in part.splitlines())]
                       for part in parts)  # fmt: skip
    return refused, let_in


REFUSED, LET_IN = _read()
"""Lines of `hostile_lines.txt`: (program, line)."""
WRITES: dict[str | None, list[str]] = defaultdict(list)
for _app, _line in REFUSED + LET_IN:
    WRITES[_app].append(_line.replace("{ip}", FAKE).replace("{h}", "h").replace("{}", "root"))


def attacks(app: str | None) -> list[str]:
    """Names that end as a line of the program does, or hold one and go on."""
    names = ["", " ", "x", "a b", FAKE, f"x from {FAKE}", '"', "'", "]", ">", "\\", "x\ny"]
    for line in WRITES[app]:
        for at in range(0, len(line), 1 if len(line) < 120 else 2):
            names += [line[at:], f"x{line[at:]}", f"{line[at:]} x"]
    return names


@pytest.mark.parametrize(("app", "line"), REFUSED)
def test_a_refusal_stays_one_whatever_the_name(app: str | None, line: str) -> None:
    # Neither who came in nor whence is the stranger's to say.
    wrong = []
    for name in attacks(app):
        if '"GET /x' in line:  # servers escape quotes in their access logs
            name = name.replace('"', "\\x22")  # noqa: PLW2901
        text = line.replace("{ip}", TRUE).replace("{h}", FAKE).replace("{}", name)
        event = normalized(text, app)  # type: ignore[arg-type]
        if event.outcome == "success" or event.source_ip not in {TRUE, None} or event.source_port not in {4711, None}:
            wrong.append((name, event.rule, event.outcome, event.source_ip))
    assert wrong == []


@pytest.mark.parametrize(("app", "line"), REFUSED)
def test_a_refusal_is_understood(app: str | None, line: str) -> None:
    # Silence would pass the test above.
    event = normalized(line.replace("{ip}", TRUE).replace("{h}", FAKE).replace("{}", "bob"), app)  # type: ignore[arg-type]
    if "DETAIL" not in line:
        assert event.outcome == "failure"
        assert event.source_ip == (TRUE if "{ip}" in line else None)
