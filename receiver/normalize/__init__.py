"""Message → Event: who did what, on what, from where, with what outcome. No I/O beyond reading its packs."""

from receiver.normalize.check import check_packs
from receiver.normalize.engine import Normalizer
from receiver.normalize.explain import Explanation, Nearest
from receiver.normalize.pack import Pack, Sample, load_packs

__all__ = ["Explanation", "Nearest", "Normalizer", "Pack", "Sample", "check_packs", "load_packs"]
