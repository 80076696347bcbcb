"""From many messages to the few templates they were made of: what varies becomes <*>.

Knows texts and their programs; no rules and no store. After Drain (He et al., ICWS 2017): words that look like values
are hidden first; then messages of one program and one number of words are one template when enough words are equal.
Bounded: senders choose the texts. What finds no place any more is counted under the program alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from receiver import limits

if TYPE_CHECKING:
    from collections.abc import Iterable

HOLE: Final = "<*>"
_CHARS: Final = 400
"""A message's beginning tells its shape."""
_SAME: Final = 0.6
"""Share of words that must be equal; the rest become holes."""
_VALUE = re.compile(
    r"\"[^\"]*\"|'[^']*'"  # quoted
    r"|(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?::\d+)?(?![\w.])"  # IPv4
    r"|(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7}(?![\w:])"  # IPv6, MAC
    r"|(?<!\w)0x[0-9a-fA-F]+|(?<!\w)[0-9a-fA-F]{8,}(?!\w)"  # addresses, hashes
    r"|(?<![\w/])/[\w./@:+-]+"  # paths
    r"|\d+"
)


@dataclass
class Template:
    """One shape: its words, how many messages had it, and one of them."""

    app: str | None
    words: list[str]
    example: str
    example_seq: int
    count: int = 0

    @property
    def text(self) -> str:
        """The template as people read it."""
        return " ".join(self.words)


@dataclass
class Miner:
    """Takes messages one by one; `templates` gives what was found, most frequent first."""

    _groups: dict[tuple[str | None, int], list[Template]] = field(default_factory=dict)
    _known: dict[tuple[str | None, str], Template] = field(default_factory=dict)
    others: dict[str | None, int] = field(default_factory=dict)
    """Messages of a program that found no place, since there were too many shapes."""

    def add(self, app: str | None, message: str, seq: int) -> None:
        """Count one message."""
        masked = _VALUE.sub(HOLE, message[:_CHARS])
        template = self._known.get((app, masked))
        if template is None:
            template = self._place(app, masked.split(), message, seq)
            if template is None:
                self.others[app] = self.others.get(app, 0) + 1
                return
            if len(self._known) >= limits.TEMPLATES_KNOWN:
                self._known.clear()
            self._known[app, masked] = template
        template.count += 1

    def _place(self, app: str | None, words: list[str], message: str, seq: int) -> Template | None:
        group = self._groups.setdefault((app, len(words)), [])
        for template in group:
            same = sum(map(str.__eq__, template.words, words))
            if same >= _SAME * len(words) and template.words[:1] == words[:1]:
                template.words = [a if a == b else HOLE for a, b in zip(template.words, words, strict=True)]
                return template
        if sum(map(len, self._groups.values())) >= limits.TEMPLATES:
            return None
        template = Template(app, words, message[:_CHARS], seq)
        group.append(template)
        return template

    def templates(self) -> Iterable[Template]:
        """Give the templates, most frequent first."""
        return sorted((each for group in self._groups.values() for each in group), key=lambda each: -each.count)
