"""From a program's name and a message's first characters to the few rules that can match it.

Knows rules by their apps and literal prefixes; no messages, no columns. A table is built when its program first comes;
the hot path does two dict look-ups: 0.15 µs, however many packs are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from receiver.normalize.rules.record_rule import RecordRule, RecordRules

if TYPE_CHECKING:
    from collections.abc import Iterable

    from receiver.normalize.rules.pack import AnyRule
    from receiver.normalize.rules.rule import Rule

HEAD: Final = 5
"""Characters of a message that choose its rules. Longer heads separate better, but rules with a shorter prefix must
be tried for every message of their program."""

KNOWN_APPS: Final = 4_096
"""Names of programs remembered as sent; senders choose them, so they are bounded."""

REMEMBERED_CHARS: Final = 64
"""Longer names are looked up each time: 4096 tags of 256 KiB would be a gigabyte."""


Tried: TypeAlias = "Rule | RecordRules"
"""What is tried on a message: a rule with a pattern, or rules of records that stand side by side."""


class Table:
    """The rules of one program, those for any program among them, by the first characters of the message."""

    __slots__ = ("heads", "key", "others", "rules")

    def __init__(self, key: str, rules: Iterable[AnyRule]) -> None:
        self.key = key
        """The name the rules were found by; empty for a program no pack names."""
        self.rules = tuple(rules)
        tried = _joined(self.rules)
        heads: dict[str, list[Tried]] = {prefix[:HEAD]: [] for rule in tried for prefix in _long_prefixes(rule)}
        others: list[Tried] = []
        for rule in tried:
            short = tuple(prefix for prefix in rule.prefixes if len(prefix) < HEAD)
            if short:
                others.append(rule)
            of_rule = {prefix[:HEAD] for prefix in _long_prefixes(rule)}
            for head in heads if short else of_rule:
                if head in of_rule or head.startswith(short):
                    heads[head].append(rule)
        self.heads = {head: tuple(some) for head, some in heads.items()}
        self.others = tuple(others)
        """For messages that begin as no rule's prefix does: only rules with a short or no prefix can match."""


def _joined(rules: Iterable[AnyRule]) -> list[Tried]:
    """Prepare rules, and make one of those for records that stand side by side."""
    tried: list[Tried] = []
    beside: list[RecordRule] = []
    for rule in rules:
        rule.prepare()
        if beside and not (isinstance(rule, RecordRule) and RecordRules.together(beside[0], rule)):
            tried.append(RecordRules(beside))
            beside = []
        if isinstance(rule, RecordRule):
            beside.append(rule)
        else:
            tried.append(rule)
    if beside:
        tried.append(RecordRules(beside))
    return tried


def _long_prefixes(rule: Tried) -> list[str]:
    return [prefix for prefix in rule.prefixes if len(prefix) >= HEAD]


def _begins_plainly(rule: AnyRule) -> bool:
    """Say if the first characters of a text tell that this rule may be its: all others would be tried on every text."""
    rule.prepare()
    return all(len(prefix) >= HEAD for prefix in rule.prefixes)


class Dispatch:
    """All tables; `by_app` maps a program's name as sent to its table."""

    def __init__(self, rules: Iterable[AnyRule]) -> None:
        self._rules = tuple(rules)
        names = {app for rule in self._rules for app in rule.apps or ()}
        self._names = frozenset(name for name in names if not name.endswith("*"))
        self._beginnings = tuple(sorted(names - self._names))
        self._tables: dict[tuple[str, ...], Table] = {}
        self._alone: Table | None = None
        self.by_app: dict[str | None, Table] = {}

    def _table(self, keys: tuple[str, ...]) -> Table:
        rules = (rule for rule in self._rules if rule.apps is None or any(key in rule.apps for key in keys))
        return Table(keys[0] if keys else "", rules)

    def find(self, app: str | None) -> Table:
        """Return the table of a program, by its name as sent, and remember it."""
        keys = self._keys(app or "")
        table = self._tables.get(keys)
        if table is None:
            table = self._tables[keys] = self._table(keys)
        if app is None or len(app) <= REMEMBERED_CHARS:
            if len(self.by_app) >= KNOWN_APPS:
                self.by_app.clear()
            self.by_app[app] = table
        return table

    def knows(self, app: str) -> bool:
        """Say if any pack has rules for a program by its name."""
        return bool(self._keys(app))

    def alone(self) -> Table:
        """Return the rules for texts that say by themselves whose they are, where no header does."""
        if self._alone is None:
            self._alone = Table("", (rule for rule in self._rules if rule.alone and _begins_plainly(rule)))
        return self._alone

    def _keys(self, app: str) -> tuple[str, ...]:
        """`/usr/sbin/CRON` and `cron:` are cron; `su(pam_unix)` is itself and su, as far as packs name them.

        `x-1` may be `x-*`.
        """
        name = app.lower().rpartition("/")[2].rstrip(":")
        names = dict.fromkeys((name, name.partition("(")[0]))
        beginnings = [begin for begin in self._beginnings if name.startswith(begin[:-1])]
        return (*(name for name in names if name in self._names), *beginnings)
