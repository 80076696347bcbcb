"""Every reader of bytes from outside, fuzzed: 20 seconds each; more by AUDIT_RECEIVER_FUZZ_SECONDS (nightly: 300).

A failing input stands in the message, with the command that tries it again; it then belongs into the tables of that
reader's own tests.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.fuzz import NAMES
from tests.fuzz.measure import is_steep

ROOT = Path(__file__).resolve().parents[2]
SECONDS = int(os.environ.get("AUDIT_RECEIVER_FUZZ_SECONDS", "20"))
SHARE_OF_MEASURING = 0.25
ABREAST = 2
"""Targets that are fuzzed at once: beside tests that wait for real processes a processor would idle."""
GROUPS = [tuple(NAMES)[start : start + ABREAST] for start in range(0, len(NAMES), ABREAST)]


def run(module: str, target: str, seconds: float, corpus: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"tests.fuzz.{module}", target, "--seconds", f"{seconds:.0f}"]
    return subprocess.run(
        [*command, "--corpus", str(corpus)], cwd=ROOT, capture_output=True, text=True, errors="replace", check=False,
        timeout=10 * seconds + 300, env={**os.environ, "PYTHONHASHSEED": "0"},
    )  # fmt: skip


def failure(done: subprocess.CompletedProcess[str], folder: Path) -> str:
    """What was raised, and by which input."""
    inputs = [f"{file.name}: {file.read_bytes()!r}" for file in folder.glob("*-*") if file.is_file()]
    said = done.stdout + done.stderr
    trace = re.search(r"=== Uncaught Python exception: ===\n.*?(?=\n\n|==\d+==)", said, re.DOTALL)
    return "\n".join([trace[0] if trace else said[-3000:], *inputs])


def fuzz(target: str, folder: Path) -> str | None:
    """Fuzz, then measure; what went wrong, None if nothing did."""
    folder.mkdir()
    corpus = folder / "corpus"
    fuzzed = run("run", target, SECONDS * (1 - SHARE_OF_MEASURING), corpus)
    if fuzzed.returncode or "stat::number_of_executed_units" not in fuzzed.stderr:
        return failure(fuzzed, folder)
    measured = run("measure", target, SECONDS * SHARE_OF_MEASURING, corpus)
    return failure(measured, folder) if measured.returncode else None


@pytest.mark.timeout(20 * SECONDS + 600)
@pytest.mark.parametrize("targets", GROUPS, ids="+".join)
def test_any_bytes(targets: tuple[str, ...], tmp_path: Path) -> None:
    # No exception but the documented ones; what was fed in pieces is as what was fed whole; then memory and time.
    with ThreadPoolExecutor(len(targets)) as lanes:
        failures = dict(zip(targets, lanes.map(lambda name: fuzz(name, tmp_path / name), targets), strict=True))
    assert not any(failures.values()), "\n\n".join(f"{name}: {said}" for name, said in failures.items() if said)


def test_no_target_is_forgotten() -> None:
    # A module of wire/ reads bytes from outside: it has a target, or is part of one that has.
    parts = {"__init__", "message", "pri", "sd_shape"}
    within = {"urgency": "detect", "bulk": "bodies", "json_body": "bodies", "journal_export": "bodies"}
    readers = {path.stem for path in (ROOT / "receiver" / "wire").glob("*.py")} - parts
    assert {within.get(reader, reader.removesuffix("_event")) for reader in readers} <= NAMES.keys()


def test_a_reader_that_is_quadratic_is_caught() -> None:
    # And one that is linear is not, however the machine is loaded.
    def quadratic(data: bytes) -> None:
        for _ in range(0, len(data), 16):
            data.count(b"x")

    def linear(data: bytes) -> None:
        for _ in range(20):
            sorted(data)

    def made(size: int) -> bytes:
        return b"a" * size

    # It asks for proof: where the machine pauses while the shorter ones are timed, it says no.
    assert any(is_steep(quadratic, made, 65_536) for _ in range(20))
    assert not is_steep(linear, made, 65_536)
