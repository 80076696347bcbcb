"""Asks the machine: /proc, the kernel's clock, the disk, the folder of the keys, systemd. Changes nothing.

What cannot be read is None: a container may hide it, and not knowing is no fault.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from receiver.doctor.facts import Clock, Host, KeyFolderFacts, Unit

if TYPE_CHECKING:
    from receiver.config import Config

_UNSYNCHRONISED: Final = 0x40
"""STA_UNSYNC of adjtimex(2)."""
_TIME_ERROR: Final = 5
_TIMEX_BYTES: Final = 256
"""struct timex is 208 bytes on 64-bit Linux; the kernel writes no more than it knows."""
_SECONDS: Final = 10.0
_SYSTEMD: Final = Path("/run/systemd/system")
_PROPERTIES: Final = ("LoadState", "ActiveState", "Result", "NRestarts", "LimitNOFILE")


def look_at_host(config: Config, pid: int | None, unit_name: str) -> Host:
    """Find out what there is to know. pid: of the receiver that runs."""
    return Host(
        now=time.time(),
        rmem_max=_number(Path("/proc/sys/net/core/rmem_max")),
        clock=_clock(),
        disk_free=_disk_free(config.store.path),
        files=_file_limit(pid) if pid else None,
        keys=_keys(config),
        unit=_unit(unit_name),
        has_systemd=_SYSTEMD.is_dir(),
        udp_drops=_udp_drops(),
    )


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _disk_free(folder: Path) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


def _file_limit(pid: int) -> int | None:
    """Read the soft limit of open files of a process (proc(5))."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
        line = next(line for line in lines if line.startswith("Max open files"))
        return int(line.split()[3])
    except (OSError, ValueError, StopIteration, IndexError):
        return None


def _udp_drops() -> dict[int, int] | None:
    """Read what the kernel dropped of each UDP port's sockets: the last column of /proc/net/udp (proc(5))."""
    found: dict[int, int] = {}
    try:
        for name in ("udp", "udp6"):
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]:
                columns = line.split()
                port = int(columns[1].rpartition(":")[2], 16)
                found[port] = found.get(port, 0) + int(columns[-1])
    except (OSError, ValueError, IndexError):
        return None
    return found


class _Timex(ctypes.Structure):
    """The beginning of struct timex (adjtimex(2)); `modes` 0 asks only."""

    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * _TIMEX_BYTES),
    ]


def _clock() -> Clock | None:
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):  # another C library
        return None
    timex = _Timex()
    state = adjtimex(ctypes.byref(timex))
    if state < 0:
        return None
    return Clock(state != _TIME_ERROR and not timex.status & _UNSYNCHRONISED, timex.maxerror / 1_000_000)


def _keys(config: Config) -> KeyFolderFacts | None:
    store = config.store.path.absolute()
    folder = config.evidence.key_dir or store.parent / "keys"
    try:
        mode = folder.stat().st_mode & 0o777
        readable = [path.name for path in sorted(folder.glob("*.key")) if path.stat().st_mode & 0o077]
        inside = folder.resolve().is_relative_to(store.resolve())
    except OSError:
        return None
    return KeyFolderFacts(folder, mode, tuple(readable), inside)


def _unit(name: str) -> Unit | None:
    """Ask systemd; None where it is not what runs here, or does not know the service."""
    systemctl = shutil.which("systemctl")
    if systemctl is None or not _SYSTEMD.is_dir():
        return None
    command = [systemctl, "show", f"{name}.service", *(f"--property={each}" for each in _PROPERTIES)]
    try:
        # systemd's own program, and a name that the operator gave.
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return None
    found = dict(line.partition("=")[::2] for line in done.stdout.splitlines())
    if found.get("LoadState") != "loaded":
        return None
    numbers = [int(text) if (text := found.get(key, "")).isdecimal() else 0 for key in ("NRestarts", "LimitNOFILE")]
    return Unit(found.get("ActiveState", ""), found.get("Result", ""), *numbers)
