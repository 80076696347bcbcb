"""What all tests share: a busy machine is slow, and that is no failure; real processes take turns."""

from __future__ import annotations

import os
import resource
import signal

import pytest
from hypothesis import HealthCheck, settings

# Speed is measured in tests/bench; a deadline would fail a test case on a busy machine, for nobody's fault, and so
# would the complaint that examples are drawn slowly. Others each time, unless the answer is to be the same again.
settings.register_profile(
    "any-machine", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow],
    derandomize="AUDIT_RECEIVER_REPEATABLE" in os.environ,
)  # fmt: skip
settings.load_profile("any-machine")

# Started in the background by a shell that has no terminal, we ignore Ctrl-C, and so would the processes we start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Some tests hold thousands of connections; 1024 files are a shell's default that nobody chose for them.
_soft, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (max(_soft, min(_hard, 20_000)), _hard))

IN_TURN = tuple(f"tests/system/test_{name}" for name in ("promises", "faults", "life", "crashes"))
"""Tests that load a real process as much as they can, or measure what it takes."""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    # With `-n 2 --dist loadgroup` processes under load follow each other on one worker, beside all that computes or
    # waits. Not by the mark `xdist_group`: pytest-xdist 3.8 writes it into the name of a test, and pytest 9.2 forbids.
    if config.getvalue("dist") != "loadgroup":
        return None
    from xdist.scheduler import LoadGroupScheduling

    class InTurn(LoadGroupScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "in turn" if nodeid.startswith(IN_TURN) else super()._split_scope(nodeid)

    return InTurn(config, log)
