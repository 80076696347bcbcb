"""What a verification found: problems, each with what kind of change it shows and where; and notes that are none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class Change(StrEnum):
    """What was done to the log, as far as can be told."""

    ALTERED = "altered"
    INSERTED = "inserted"
    REMOVED = "removed"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    ROLLED_BACK = "rolled back"
    RESIGNED = "re-signed"
    UNREADABLE = "unreadable"
    UNNAMED = "redacted without an entry"
    INDEX = "index altered"


class Problem(NamedTuple):
    """One thing that is wrong. seq: the first position it is about, None when it is about none."""

    change: Change
    where: str
    text: str
    seq: int | None = None

    def __str__(self) -> str:
        return f"{self.change}: {self.where}: {self.text}"


@dataclass
class Report:
    """The answer. `problems` empty: nobody altered what was signed."""

    origin: str | None = None
    size: int = 0
    """Events the log has had."""
    verified: int = 0
    """Rows computed again."""
    trusted: int = 0
    """Rows taken from an earlier verification, or left out by `since`; their hashes still had to fit."""
    segments: int = 0
    checkpoints: int = 0
    signed_size: int = 0
    """Size of the largest checkpoint that holds; what is beyond it is the unsigned tail."""
    signed_seconds: int | None = None
    redacted: int = 0
    absent: int = 0
    heads: int = 0
    """Heads that Prometheus recorded."""
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    root: bytes = b""

    @property
    def tail(self) -> int:
        """Events no checkpoint covers yet."""
        return self.size - self.signed_size

    def add(self, change: Change, where: str, text: str, seq: int | None = None) -> None:
        """Add a problem."""
        self.problems.append(Problem(change, where, text, seq))
