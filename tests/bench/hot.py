"""What parsing and normalising cost, by kind of message: the least of many rounds, in this process, without sockets.

    python -m tests.bench.hot [KIND …]

Each round takes other messages of the kind; the least is what the code costs when nothing else has the machine.
Prints µs an event, and the mean by the weights of the mixed load.
"""

from __future__ import annotations

import gc
import sys
import time
from itertools import repeat

from receiver.event import Origin
from receiver.normalize.engine import Normalizer, load_packs
from receiver.wire.detect import parse_frames
from tests.bench.load import Pool

ORIGIN = Origin("192.0.2.1", 40_000, None, "tcp", "bench")
LIST = 150
"""Messages of one read of a stream."""
DISTINCT = 20 * LIST
ROUNDS = 60


def cost(normalizer: Normalizer, messages: list[bytes]) -> tuple[float, float]:
    """Least µs of parsing and of normalising one of these messages."""
    parsing, normalising = [], []
    for number in range(ROUNDS):
        first = number * LIST % len(messages)
        now = time.time_ns() // 1000
        begin = time.perf_counter()
        parsed = parse_frames(messages[first : first + LIST], now, None)
        between = time.perf_counter()
        normalizer.normalize(parsed, repeat(ORIGIN), now)
        end = time.perf_counter()
        parsing.append(between - begin)
        normalising.append(end - between)
    return min(parsing) / LIST * 1e6, min(normalising) / LIST * 1e6


def main() -> None:
    """Print the table."""
    wanted = sys.argv[1:]
    packs = load_packs()
    normalizer = Normalizer(packs)
    kinds = Pool(0).kinds
    gc.disable()
    print(f"{sum(len(pack.rules) for pack in packs)} patterns; µs an event\n{'kind':14} parse  normalise")
    total = 0.0
    for make, weight in kinds.items():
        if wanted and make.__name__ not in wanted:
            continue
        parsing, normalising = cost(normalizer, [make().encode() for _ in range(DISTINCT)])
        total += (parsing + normalising) * weight / sum(kinds.values())
        print(f"{make.__name__:14} {parsing:5.2f} {normalising:6.2f}")
    if not wanted:
        print(f"{'mixed load':14} {total:12.2f}")


if __name__ == "__main__":
    main()
