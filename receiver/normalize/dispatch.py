"""From a program's name and a message's first characters to the few rules that can match it.

Knows rules by their apps and literal prefixes; no messages, no columns. Built once; the hot path does two dict
look-ups: 0.15 µs, however many packs are loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from receiver.normalize.pack import AnyRule

HEAD: Final = 5
"""Characters of a message that choose its rules. Longer heads separate better, but rules with a shorter prefix must
be tried for every message of their program."""

KNOWN_APPS: Final = 4_096
"""Names of programs remembered as sent; senders choose them, so they are bounded."""

REMEMBERED_CHARS: Final = 64
"""Longer names are looked up each time: 4096 tags of 256 KiB would be a gigabyte."""


class Table:
    """The rules of one program, those for any program among them, by the first characters of the message."""

    __slots__ = ("heads", "key", "others", "rules")

    def __init__(self, key: str, rules: Iterable[AnyRule]) -> None:
        self.key = key
        """The name the rules were found by; empty for a program no pack names."""
        self.rules = tuple(rules)
        for rule in self.rules:
            rule.prepare()
        heads = {prefix[:HEAD] for rule in self.rules for prefix in rule.prefixes if len(prefix) >= HEAD}
        self.heads = {head: tuple(rule for rule in self.rules if _may_begin(rule, head)) for head in heads}
        self.others = tuple(rule for rule in self.rules if min(map(len, rule.prefixes)) < HEAD)
        """For messages that begin as no rule's prefix does: only rules with a short or no prefix can match."""


def _may_begin(rule: AnyRule, head: str) -> bool:
    return any(head.startswith(prefix[:HEAD]) for prefix in rule.prefixes)


class Dispatch:
    """All tables; `by_app` maps a program's name as sent to its table."""

    def __init__(self, rules: Iterable[AnyRule]) -> None:
        self._rules = tuple(rules)
        self._names = frozenset(app for rule in self._rules for app in rule.apps or ())
        self._tables: dict[tuple[str, ...], Table] = {}
        self.by_app: dict[str | None, Table] = {}

    def _table(self, keys: tuple[str, ...]) -> Table:
        rules = (rule for rule in self._rules if rule.apps is None or any(key in rule.apps for key in keys))
        return Table(" ".join(keys), rules)

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

    def _keys(self, app: str) -> tuple[str, ...]:
        """`/usr/sbin/CRON` is cron; `su(pam_unix)` is itself and su, as far as packs name them."""
        name = app.lower().rpartition("/")[2]
        names = dict.fromkeys((name, name.partition("(")[0]))
        return tuple(name for name in names if name in self._names)
