"""What to select: the filter, and what `contains` means. Knows the schema's columns, no SQLite and no file.

`contains` is a phrase: its words, whole, one after the other, in any case, whatever stands between them, in
`message`. A word is a run of letters and digits. A text without any is looked for as it is.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

_WORD: Final = r"[^\W_]"
_GAP: Final = r"[\W_]+"
NETWORK_FUNCTION: Final = "in_network"
_KNOWN_ADDRESSES: Final = 8_192
"""How many addresses' answers are remembered: a network is asked of each event."""


@dataclass(frozen=True)
class Filter:
    """Which events; all that is given must hold.

    since, until: µs, received_at ≥ and <. actor: who did it, or whom they became. action: exact, or `auth.*`; rule
    likewise. severity: that urgent or more. network: where `source_ip` lies, in CIDR notation; raises ValueError if it
    is none. Everything else is equal, exactly.
    """

    since: int | None = None
    until: int | None = None
    actor: str | None = None
    action: str | None = None
    outcome: str | None = None
    host: str | None = None
    app: str | None = None
    source_ip: str | None = None
    target: str | None = None
    facility: int | None = None
    severity: int | None = None
    contains: str | None = None
    unmatched: bool = False
    """Only what no rule took, of what others sent."""
    network: str | None = None
    rule: str | None = None
    listener: str | None = None
    peer: str | None = None

    def __post_init__(self) -> None:
        if self.network is not None:
            Network(self.network)


class Condition(NamedTuple):
    """One column's test as SQL, with `{0}` where the column's name goes."""

    column: str
    sql: str
    parameters: tuple[str | int, ...]


def conditions(where: Filter) -> list[Condition]:
    """Give the tests of one column each: all but the time range, `actor` and `contains`."""
    found = [
        Condition(column, "{0} = ?", (value,))
        for column in ("outcome", "host", "app", "source_ip", "target", "facility", "listener", "peer")
        if (value := getattr(where, column)) is not None
    ]
    for column, wanted in (("action", where.action), ("rule", where.rule)):
        if wanted is not None and wanted.endswith("*"):
            prefix = wanted[:-1]
            found.append(Condition(column, "substr({0}, 1, ?) = ?", (len(prefix), prefix)))
        elif wanted is not None:
            found.append(Condition(column, "{0} = ?", (wanted,)))
    if where.network is not None:
        found.append(Condition("source_ip", f"{NETWORK_FUNCTION}({{0}})", ()))
    if where.unmatched:
        found.append(Condition("rule", "{0} IS NULL", ()))
        found.append(Condition("format", "{0} IS NOT 'internal'", ()))
    if where.severity is not None:
        found.append(Condition("severity", "{0} <= ?", (where.severity,)))
    return found


class Network:
    """The meaning of `network`: IPv4 or IPv6, in CIDR notation; bits behind the prefix do not count."""

    def __init__(self, text: str) -> None:
        self._network = ipaddress.ip_network(text, strict=False)
        self.holds = lru_cache(_KNOWN_ADDRESSES)(self._holds)

    def __str__(self) -> str:
        return str(self._network)

    def _holds(self, address: str | None) -> bool:
        """Decide on one address as it is stored; what is none lies nowhere."""
        try:
            return address is not None and ipaddress.ip_address(address) in self._network
        except ValueError:
            return False


class Phrase:
    """The meaning of `contains`, the same for every form of segment."""

    def __init__(self, text: str) -> None:
        folded = text.casefold()
        self.words: Final = tuple(re.findall(f"{_WORD}+", folded))
        self.plain: Final = bool(self.words) and all(word.isascii() for word in self.words)
        """All words are ASCII: a pure ASCII message can match."""
        if self.words:
            # The look back stands after the first word, so that the search begins with a literal: 0.8 µs, not 2.6.
            begin = f"{self.words[0]}(?<!{_WORD}{self.words[0]})"
            self._pattern = re.compile(_GAP.join((begin, *self.words[1:])) + f"(?!{_WORD})")
        else:
            self._pattern = re.compile(re.escape(folded))

    def matches(self, message: str | None) -> bool:
        """Decide on one message."""
        return message is not None and self._pattern.search(message.casefold()) is not None
