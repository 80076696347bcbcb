"""Waiting for a condition instead of for time."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE_SECONDS = 180.0
"""How long anything is waited for: no bar of speed, only the end of waiting for what never comes. A machine that
others use may stand still for a minute."""


async def until(
    condition: Callable[[], object], seconds: float = PATIENCE_SECONDS, what: Callable[[], object] = str
) -> None:
    """Let the loop turn until the condition holds; fail when it never does, with what `what` gives then."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"never came true: {condition} {what()}"
        await asyncio.sleep(0.002)
