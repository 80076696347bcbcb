"""kill -9 at any instant: what was acknowledged is stored, once, and the store opens."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from tests.kit.events import make_events
from tests.kit.stores import opened, read
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

WRITER = """
import asyncio, sys
from pathlib import Path
from tests.kit.events import make_events
from tests.kit.stores import opened

async def main():
    async with opened(Path(sys.argv[1]), max_events=500) as store:
        print(store.next_seq, flush=True)
        while True:
            print(await store.append(make_events(37, first=store.next_seq)), flush=True)

asyncio.run(main())
"""


def write_until_killed(folder: Path, acknowledgements: int) -> int:
    """Let another process append, kill it after so many acknowledgements; give the last one."""
    process = subprocess.Popen([sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
    watchdog.start()
    assert process.stdout is not None
    with process, process.stdout as lines:
        last = 0
        for _, line in zip(range(acknowledgements), lines, strict=False):
            last = int(line)
        process.send_signal(signal.SIGKILL)
        last = max([last, *(int(line) for line in lines if line.endswith("\n"))])
    watchdog.cancel()
    return last


@pytest.mark.parametrize("rounds", [(1, 2, 30, 60, 100)])
async def test_what_was_acknowledged_is_there_after_kill_9(tmp_path: Path, rounds: tuple[int, ...]) -> None:
    # Killed while starting, writing, rotating and sealing; a batch is there whole or not at all.
    for acknowledgements in rounds:
        acknowledged = write_until_killed(tmp_path, acknowledgements)
        stored = read(tmp_path)  # a reader needs no recovery by the writer
        assert len(stored) >= acknowledged
        assert len(stored) % 37 == 0
        assert [row.seq for row in stored] == list(range(len(stored)))
    async with opened(tmp_path) as store:
        assert store.next_seq == len(stored)
        await store.append(make_events(1, first=store.next_seq))
    assert read(tmp_path)[:-1] == stored
