"""Fuzz one target for some seconds, guided by coverage (libFuzzer by way of Atheris); a process of its own.

    python -m tests.fuzz.run TARGET --seconds 300 --corpus FOLDER

What it finds interesting is kept in the folder, what fails as `crash-…` beside it, and ends the process with a code
that is not 0. An input that takes two minutes (a machine may stand still for one), or memory beyond a gigabyte, fails
too.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
from pathlib import Path

import atheris

from tests.fuzz import NAMES, target

SECONDS_AN_INPUT = 120
MEMORY_MIB = 1_024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--corpus", type=Path, required=True)
    args = parser.parse_args()
    with atheris.instrument_imports(include=["receiver", "h11"]):
        wanted = target(args.target)
    seeds = list(wanted.seeds())
    args.corpus.mkdir(parents=True, exist_ok=True)
    for seed in seeds:
        data = b"\x05" + seed if wanted.chooses else seed
        (args.corpus / hashlib.sha256(data).hexdigest()[:16]).write_bytes(data)

    def one_input(data: bytes) -> None:
        if data:
            wanted.run(data)

    options = [
        f"-max_total_time={args.seconds}", f"-timeout={SECONDS_AN_INPUT}", f"-rss_limit_mb={MEMORY_MIB}",
        f"-max_len={wanted.longest}", f"-artifact_prefix={args.corpus.parent}/", "-detect_leaks=0",
        "-print_final_stats=1", "-verbosity=0",
        *(["-seed=6962"] if "AUDIT_RECEIVER_REPEATABLE" in os.environ else []),  # else another one each time
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *options, str(args.corpus)], one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
