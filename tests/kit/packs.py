"""The built-in packs, read once for all tests of a process: each rule is compiled once, at its first use."""

from __future__ import annotations

from receiver.normalize import load_packs

PACKS = load_packs()
