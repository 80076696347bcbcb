"""What a target is: any bytes in, and what must hold of it, as assertions. Nothing else may be raised.

A target knows the documented errors of its reader and catches those alone. Readers of streams are fed the same bytes
whole and in pieces: what comes out must not depend on the cut. The first byte of the input chooses the pieces.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from tests.kit.wire_cuts import random_cuts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NOW_US: Final = 1_764_000_000_000_000
ZONES: Final = (None, ZoneInfo("UTC"), ZoneInfo("Europe/Berlin"), ZoneInfo("America/St_Johns"))


@dataclass(frozen=True)
class Target:
    """What is fuzzed, from which seeds, with inputs of which length at most; up to which length time is measured."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterable[bytes]]
    longest: int = 4_096
    measured: int = 65_536
    chooses: bool = True
    """The first byte is none of the message's: it chooses pieces or a zone."""


def pieces(data: bytes) -> tuple[bytes, list[bytes]]:
    """Take the first byte as the way to cut the rest."""
    seed, rest = data[0], data[1:]
    return rest, random_cuts(rest, seed, mean_bytes=1 + seed % 40)
