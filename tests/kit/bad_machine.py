"""A machine that goes wrong on command, for one process: its clock stepped, its disk slow, full, read-only or failing.

The process preloads `bad_machine.c`; what is to go wrong stands in a file that both sides have mapped, so it can change
at any moment, and nothing of the machine itself is touched.
"""

from __future__ import annotations

import hashlib
import mmap
import os
import struct
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_SOURCE = Path(__file__).with_name("bad_machine.c")
_CONTROL_BYTES = 4096
_NUMBER = struct.Struct("=q")
_CLOCK_AT, _SYNC_AT, _FAILURE_AT, _FOLDER_AT = 0, 8, 16, 24


@cache
def _library() -> Path:
    """Compile it once for this source; the name tells it from another."""
    source = _SOURCE.read_bytes()
    folder = Path(tempfile.gettempdir()) / f"audit-receiver-tests-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    library = folder / f"bad_machine-{hashlib.sha256(source).hexdigest()[:16]}.so"
    if not library.exists():
        fresh = library.with_suffix(f".{os.getpid()}")
        subprocess.run(
            ["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o", fresh, _SOURCE, "-ldl"],
            check=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        fresh.rename(library)
    return library


class BadMachine:
    """What one process is to meet. Give it `environ`; sound until told otherwise."""

    def __init__(self, folder: Path, disk: Path) -> None:
        """folder: for the file that steers. disk: the folder whose disk goes wrong."""
        path = folder / "bad-machine"
        path.write_bytes(bytes(_FOLDER_AT) + os.fsencode(disk).ljust(_CONTROL_BYTES - _FOLDER_AT, b"\0"))
        self.environ = {"LD_PRELOAD": str(_library()), "BAD_MACHINE": str(path)}
        with path.open("r+b") as file:
            self._control = mmap.mmap(file.fileno(), _CONTROL_BYTES)

    def step_clock(self, seconds: float) -> None:
        """Set the wall clock this much away from the true one."""
        self._set(_CLOCK_AT, int(seconds * 1_000_000))

    def slow_disk(self, seconds: float) -> None:
        """Let every fsync take so long, also one that is under way."""
        self._set(_SYNC_AT, int(seconds * 1_000_000))

    def fail_disk(self, error: int) -> None:
        """Let writing end with this errno; 0: it works again."""
        self._set(_FAILURE_AT, error)

    def _set(self, at: int, number: int) -> None:
        self._control[at : at + _NUMBER.size] = _NUMBER.pack(number)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._control.close()
