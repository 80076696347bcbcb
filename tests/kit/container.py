"""A Debian of its own under a real systemd: a root folder that `.ci/setup` makes, started by systemd-nspawn(1).

The folder is not written to (a tmpfs lies over it), has no network but its own loopback, and shares nothing with the
machine but what is bound into it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audit-receiver-ci"
ROOT = _CACHE / "debian"


def can_contain() -> bool:
    """Whether this machine lets us start a container: root, the folder, the tool, and the rights for it."""
    if os.geteuid() or shutil.which("systemd-nspawn") is None or not (ROOT / "usr/bin/python3").exists():
        return False
    done = subprocess.run(_command({}, ["/bin/true"]), capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    return done.returncode == 0


def boot(unit: str, binds: Mapping[str, Path], writable: Mapping[str, Path], seconds: float) -> tuple[int, str]:
    """Boot systemd up to `unit`, wait until it exits; its exit code and what was said.

    binds, writable: files and folders of ours by their place inside.
    """
    command = _command(binds, ["--boot", "--", f"--unit={unit}"], writable)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as going:
        try:
            said, _ = going.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            said = _end(going)
    return going.returncode, said.decode(errors="replace")


def _end(container: subprocess.Popen[bytes]) -> bytes:
    """Ask it to halt, then insist: killed itself, systemd-nspawn would leave what runs inside behind."""
    for _ in range(3):
        container.terminate()
        try:
            return container.communicate(timeout=30)[0]
        except subprocess.TimeoutExpired:
            continue
    container.kill()
    return container.communicate()[0]


def _command(binds: Mapping[str, Path], what: Sequence[str], writable: Mapping[str, Path] | None = None) -> list[str]:
    return [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "--private-network", "--volatile=overlay",
        f"--directory={ROOT}", f"--machine=audit-receiver-{os.getpid()}", "--console=pipe",
        *(f"--bind-ro={path}:{place}" for place, path in binds.items()),
        *(f"--bind={path}:{place}" for place, path in (writable or {}).items()),
        *what,
    ]  # fmt: skip
