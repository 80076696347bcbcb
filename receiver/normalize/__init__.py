"""Message → Event: who did what, on what, from where, with what outcome. No I/O beyond reading its packs."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from receiver.normalize.check import check_packs
    from receiver.normalize.engine import Normalizer
    from receiver.normalize.explain import Explanation, Nearest
    from receiver.normalize.rules.pack import Pack, Sample, load_packs

__all__ = ["Explanation", "Nearest", "Normalizer", "Pack", "Sample", "check_packs", "load_packs"]

_PLACES = {
    "Explanation": "explain", "Nearest": "explain", "Normalizer": "engine", "Pack": "rules.pack",
    "Sample": "rules.pack", "check_packs": "check", "load_packs": "rules.pack",
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Load a part when it is asked for: a query needs `address` alone, and pydantic and re take 0.1 s to import."""
    if name in _PLACES:
        return getattr(import_module(f"receiver.normalize.{_PLACES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
