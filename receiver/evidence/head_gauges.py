"""The head of the tree as Prometheus keeps it: the first 104 bits of the root as two integers exact in a float64.

A scrape is a dated copy of the head in somebody else's database. To rewrite the log under a recorded head takes 2^104
tries; only who prepares two logs before the scrape needs 2^52. Checkpoints kept elsewhere have the whole root.
"""

from __future__ import annotations

from typing import Final

_BITS: Final = 52
_MASK: Final = (1 << _BITS) - 1
_BYTES: Final = 2 * _BITS // 8

LABELS: Final = ("0-51", "52-103")
"""Values of the label `bits`, in the order of `root_gauges`."""


def root_gauges(root: bytes) -> tuple[int, int]:
    """Give bits 0–51 and 52–103 of a root, the first bit being the highest of the first byte."""
    head = int.from_bytes(root[:_BYTES])
    return head >> _BITS, head & _MASK


def gauges_match(root: bytes, first: float, second: float) -> bool:
    """Tell whether two recorded values are this root's."""
    return (first, second) == root_gauges(root)
