"""What verifying costs: a store of N mixed events in segments of 100 000, written by the real receiver, then verified.

Run as ``python -m tests.bench.verify N``; prints events a second, CPU an event, and the parts in their best moments.
"""

from __future__ import annotations

import gc
import os
import resource
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from receiver.event import Event
from receiver.evidence.leaf import SALT_BYTES, leaf_hashes
from receiver.evidence.tree import Tree
from receiver.store.segment import catalog, open_read_only
from receiver.verify.segment_rows import rows_of
from tests.bench.load import Pool
from tests.kit.process import COMMAND, ReceiverProcess, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

SEGMENT = 100_000
SAMPLE = 4_096
ROUNDS = 20


def fill(folder: Path, count: int) -> ReceiverProcess:
    """Have a receiver store and seal the load; stopped."""
    messages = Pool().messages
    store = {"path": "store", "min_free_bytes": 0, "segment": {"max_events": SEGMENT}}
    receiver = ReceiverProcess.with_syslog(folder, store=store)
    with receiver:
        receiver.start()
        rounds = max(1, count // len(messages))
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            for _ in range(rounds):
                sock.sendall(b"\n".join(messages) + b"\n")
        wait_for(lambda: receiver.stored() >= rounds * len(messages), 600, "all stored")
        wait_for(lambda: len(list(receiver.store.glob("*-.db"))) == 1, 600, "all sealed")
        assert receiver.stop() == 0
    return receiver


def parts(store: Path) -> dict[str, float]:
    """Measure the parts by themselves, µs an event, the best of some rounds."""
    segment = catalog(store)[0]
    connection = open_read_only(segment.path)
    sealed = rows_of(segment, connection)
    rows = sealed.read(1000, 1000 + SAMPLE)
    events = [Event._make(sealed.whole(row)[1:-2]) for row in rows]
    best: dict[str, float] = {}

    def measure(name: str, work: Callable[[], Any]) -> Any:
        started = time.thread_time()
        result = work()
        best[name] = min(best.get(name, 99.0), (time.thread_time() - started) / len(rows) * 1e6)
        return result

    gc.disable()
    for _ in range(ROUNDS):
        salts = measure("salt", lambda: bytearray(os.urandom(SALT_BYTES * len(events))))
        leaves = measure("leaves, when stored", lambda salts=salts: leaf_hashes(0, events, salts))
        measure("tree", lambda leaves=leaves: Tree().append(leaves))
        measure("rows read, when verified", lambda: sealed.read(1000, 1000 + SAMPLE))
        measure("leaves, when verified", lambda: sealed.leaves(rows))
    gc.enable()
    connection.close()
    return best


def main() -> None:
    """Fill, verify, print."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 4 * SEGMENT
    with tempfile.TemporaryDirectory() as folder:
        receiver = fill(Path(folder), count)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        done = subprocess.run([*COMMAND, "verify", "--config", receiver.config], capture_output=True, check=True)
        seconds, after = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        print(done.stdout.decode(), end="")
        spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        print(f"{count / seconds:,.0f} events/s with the start, {spent / count * 1e6:.1f} µs CPU an event")
        for name, cost in parts(receiver.store).items():
            print(f"{name}: {cost:.2f} µs")


if __name__ == "__main__":
    main()
