"""Templates: what varies goes, what a program always writes stays, and memory is bounded."""

from __future__ import annotations

from receiver import limits
from receiver.normalize.templates import Miner


def test_messages_of_one_shape_are_one_template() -> None:
    # Numbers, addresses, quoted texts and paths are values; so is a word that differs.
    miner = Miner()
    for number in range(50):
        who = f"user{number} from 203.0.113.{number}:80"
        text = f'request {number} of {who} for "x {number}" took /srv/{number}'
        miner.add("app", text, 7)
        miner.add("app", "started", number)
    miner.add("other", "started", 1)
    found = [(each.app, each.count, each.text) for each in miner.templates()]
    assert found == [
        ("app", 50, "request <*> of user<*> from <*> for <*> took <*>"),
        ("app", 50, "started"),
        ("other", 1, "started"),
    ]  # fmt: skip


def test_words_that_differ_become_holes() -> None:
    # Names are not numbers: enough of the rest must be the same.
    miner = Miner()
    for name in ("alice", "bob", "carol"):
        miner.add("app", f"member {name} was seen at the door", 1)
    miner.add("app", "quite another text of seven words here", 2)
    assert [(each.count, each.text) for each in miner.templates()] == [
        (3, "member <*> was seen at the door"), (1, "quite another text of seven words here"),
    ]  # fmt: skip


def test_too_many_shapes_are_counted_and_not_kept(monkeypatch) -> None:
    # Anybody can send a million shapes.
    monkeypatch.setattr(limits, "TEMPLATES", 10)
    monkeypatch.setattr(limits, "TEMPLATES_KNOWN", 5)
    miner = Miner()
    for number in range(26):
        miner.add("app", f"{chr(97 + number) * 3} only", number)
    assert len(list(miner.templates())) == 10
    assert miner.others == {"app": 16}
