"""How a message became its event: what was read, which rule took it, or which rules came nearest.

Knows rules and tables by their published parts; slow, and only for people. The command line prints it.
"""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from receiver.normalize.rules.record_rule import RecordRule
from receiver.normalize.rules.rule import SLOTS, Rule

if TYPE_CHECKING:
    from receiver.event import Event
    from receiver.normalize.rules.dispatch import Table
    from receiver.normalize.rules.pack import AnyRule
    from receiver.wire.message import Message

NEAREST: Final = 3
"""Rules named for a message that none matches."""

_NEAR_CHARS: Final = 4
"""A message of which less is matched came near by chance."""

_CANDIDATES: Final = 6
"""Rules whose patterns are taken apart for it: that costs some hundred compilations each."""


@dataclass(frozen=True, slots=True)
class Nearest:
    """A rule that did not match, and how much of the message its pattern does."""

    rule: str
    file: str
    line: int
    matched: str
    """The beginning of the message that the beginning of the pattern matches."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What `explain` shows."""

    event: Event
    format: str
    status: str
    defects: tuple[str, ...]
    key: str
    """The name under which rules were looked up; empty: only rules for any program."""
    rules: int
    """How many rules that program has of its own."""
    rules_for_any: int
    rule: str | None
    file: str | None
    line: int | None
    groups: dict[str, str]
    """What each group of the pattern took, as `name` → text."""
    goes_to: dict[str, str]
    """Where each group went: a column, `data`, or the templates of `set`."""
    constants: dict[str, str]
    nearest: tuple[Nearest, ...]

    def lines(self) -> list[str]:
        """Say it in words, a line each."""
        said = [f"format      {self.format}, {self.status}" + "".join(f", {defect}" for defect in self.defects)]
        whose = f"{self.rules} rules of {self.key!r} and " if self.key else ""
        said.append(f"program     {self.event.app or '-'}: {whose}{self.rules_for_any} rules for any program")
        if self.file is not None:
            said.append(f"rule        {self.rule}  ({self.file}:{self.line})")
            said += [f"  set       {column} = {value}" for column, value in self.constants.items()]
            said += [f"  took      {self.goes_to[name]} = {text!r}" for name, text in self.groups.items()]
        elif self.rule is not None:
            said.append(f"rule        {self.rule}: fields with the usual names")
        else:
            said.append("rule        none")
        for near in self.nearest:
            said.append(f"  nearest   {near.rule} matches up to {near.matched!r}  ({near.file}:{near.line})")
        return said


def explain(message: Message, event: Event, table: Table, text: str, rule: AnyRule | None) -> Explanation:
    """Explain an event. text: what rules were tried on; rule: the one that matched."""
    taken = _taken(rule, text) if rule is not None else {}
    return Explanation(
        event=event,
        format=message.format,
        status=message.status,
        defects=tuple(str(defect) for defect in message.defects),
        key=table.key,
        rules=sum(rule.apps is not None for rule in table.rules),
        rules_for_any=sum(rule.apps is None for rule in table.rules),
        rule=event.rule,
        file=rule.file if rule else None,
        line=rule.line if rule else None,
        groups=taken,
        goes_to={name: _destination(name) for name in taken},
        constants=dict(rule.settings) if rule else {},
        nearest=() if event.rule or not text else nearest(table, text),
    )


def _taken(rule: AnyRule, text: str) -> dict[str, str]:
    """Give what each group, or each field that was asked for, took."""
    if isinstance(rule, RecordRule):
        columns, extras = rule.read(rule.fullmatch(text) or {})
        named = {**dict(zip(SLOTS, columns, strict=True)), **extras}
        return {name: str(named[name]) for name in rule.groups if named.get(name) is not None}
    match = rule.fullmatch(text)
    return {name: value for name, value in match.groupdict().items() if value is not None} if match else {}


def _destination(group: str) -> str:
    if group in SLOTS:
        return group
    return f"(for set) {group}" if group.startswith("_") else f"data.{group}"


def nearest(table: Table, text: str) -> tuple[Nearest, ...]:
    """Find the rules that match the longest beginning of the text."""
    patterns = [rule for rule in table.rules if isinstance(rule, Rule)]
    likely = sorted(patterns, key=lambda rule: (-_common(rule, text), rule.needle not in text))[:_CANDIDATES]
    tried = [(rule, _progress(rule.expression, text)) for rule in likely]
    found = [(len(progress), rule, progress) for rule, progress in tried if len(progress) >= _NEAR_CHARS]
    found.sort(key=lambda item: -item[0])
    best: dict[str, Nearest] = {}  # a rule with several patterns is named once, by the one that came nearest
    for _, rule, progress in found:
        best.setdefault(rule.name, Nearest(rule.name, rule.file, rule.line, progress))
    return tuple(best.values())[:NEAREST]


def _common(rule: Rule, text: str) -> int:
    """Characters of the rule's literal beginning that the text begins with."""
    best = 0
    for prefix in rule.prefixes:
        length = next((i for i, (a, b) in enumerate(zip(prefix, text, strict=False)) if a != b), len(prefix))
        best = max(best, min(length, len(text)))
    return best


def _progress(expression: str, text: str) -> str:
    """Match ever shorter beginnings of the expression; return what the first that matches takes."""
    for end in range(len(expression), 0, -1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # half a character class looks strange, and is none of ours
                match = re.match(expression[:end], text, re.ASCII | re.DOTALL)
        except re.error:
            continue
        if match and match[0]:
            return match[0]
    return ""
