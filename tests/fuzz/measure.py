"""After the fuzzing: does memory stay, does time grow with the length and no faster? A process of its own.

    python -m tests.fuzz.measure TARGET --seconds 5 --corpus FOLDER

Every input of the folder is run (which also replays what once failed). Then some are run again and again: the memory
that Python allocated must be what it was. Then inputs are made longer, whole or by repeating a part of them: twice the
length may take twice as long. Where three doublings each take nearly four times as long, by the process's own clock
and the best of several tries, the reader is not linear. (One leap alone is none: it is where something becomes whole.)
"""

from __future__ import annotations

import argparse
import gc
import random
import sys
import time
import tracemalloc
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.fuzz import NAMES, target

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DOUBLINGS: Final = 3
STEEP: Final = 2.8
"""Twice the length: linear is 2, quadratic 4."""
TRIES: Final = 6
LEAST_SECONDS: Final = 0.02
"""Below this nobody is hurt, and a clock tells little."""
VERDICTS: Final = 3
"""Of one kind, given at different times, that decide."""
PAUSE_SECONDS: Final = 3
ROUNDS: Final = 15
GROWTH_BYTES: Final = 64 * 1024
LEAKS: Final = 3
"""Times in a row that memory must grow."""


def growing(corpus: list[bytes], chance: random.Random) -> Iterator[Callable[[int], bytes]]:
    """Give ways to make an input of any length: one of the corpus, or a part of it, again and again."""
    while True:
        data = chance.choice(corpus)
        start = chance.randrange(len(data))
        end = min(len(data), start + chance.choice((1, 2, 3, 8, 64, len(data))))
        if chance.random() < 0.2:
            start, end = 0, len(data)
        yield partial(_stretched, data, start, end)


def _stretched(data: bytes, start: int, end: int, size: int) -> bytes:
    part = data[start:end]
    return data[:start] + part * (size // len(part)) + data[end:]


def seconds_of(run: Callable[[bytes], None], data: bytes) -> float:
    started = time.process_time()
    run(data)
    return time.process_time() - started


def is_steep(run: Callable[[bytes], None], made: Callable[[int], bytes], longest: int) -> bool:
    """Whether each doubling up to the longest takes far more than twice as long, however often it is tried."""
    inputs = [made(longest >> step) for step in range(DOUBLINGS + 1)]
    best = [float("inf")] * len(inputs)
    for _ in range(TRIES):
        for step, data in enumerate(inputs):
            best[step] = min(best[step], seconds_of(run, data))
            if step == 0 and best[0] < LEAST_SECONDS:
                return False
            if step and best[step - 1] <= STEEP * best[step]:
                return False
    return True


def is_steep_for_sure(run: Callable[[bytes], None], made: Callable[[int], bytes], longest: int) -> bool:
    """Whether most say so of those that ask at different times: a machine may be out of step for some seconds."""
    verdicts = [is_steep(run, made, longest)]
    while verdicts[0] and verdicts.count(True) < VERDICTS and verdicts.count(False) < VERDICTS:
        time.sleep(PAUSE_SECONDS)
        verdicts.append(is_steep(run, made, longest))
    return verdicts.count(True) >= VERDICTS


def check_time(run: Callable[[bytes], None], corpus: list[bytes], longest: int, seconds: float) -> int:
    end = time.monotonic() + seconds
    tried = 0
    for made in growing(corpus, random.Random(7)):
        if is_steep_for_sure(run, made, longest):
            data = made(longest)
            sys.exit(f"slower than linear: {len(data)} bytes, {data[:200]!r} … {data[-200:]!r}")
        tried += 1
        if time.monotonic() > end:
            return tried
    return tried


def check_memory(run: Callable[[bytes], None], corpus: list[bytes]) -> int:
    """Caches fill at first; after that nothing may stay. What leaks does so each time, what fills a cache only once."""
    chosen = random.Random(7).sample(corpus, min(len(corpus), 25))
    for _ in range(LEAKS):
        grown = growth_of(run, chosen)
        if grown <= GROWTH_BYTES:
            return grown
    sys.exit(f"memory grows: {grown} bytes more after {len(chosen) * ROUNDS} inputs")


def growth_of(run: Callable[[bytes], None], chosen: list[bytes]) -> int:
    """How much more Python has allocated after the last rounds than after the first."""
    tracemalloc.start()
    sizes = []
    for round_ in range(ROUNDS):
        for data in chosen:
            run(data)
        if round_ in {ROUNDS // 3, ROUNDS - 1}:
            gc.collect()
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return sizes[-1] - sizes[0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--corpus", type=Path, required=True)
    args = parser.parse_args()
    wanted = target(args.target)
    run = wanted.run
    corpus = [data for file in sorted(args.corpus.iterdir()) if (data := file.read_bytes())]
    for data in corpus:
        run(data)
    grown = check_memory(run, corpus)
    tried = check_time(run, corpus, wanted.measured, args.seconds)
    print(f"{args.target}: {len(corpus)} inputs, {grown} bytes more, {tried} ways to grow")


if __name__ == "__main__":
    main()
