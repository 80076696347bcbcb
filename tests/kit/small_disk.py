"""A real, small filesystem: mounted in a mount namespace of its own, gone with the process that holds that.

Nothing is mounted on the machine itself, so nothing can be left behind, however a test ends. Where mounting is not
allowed at all (a container without CAP_SYS_ADMIN), `SmallDisk.is_possible()` says so.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.kit.process import ROOT

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_AS_ROOT = () if os.getuid() == 0 else ("--user", "--map-root-user")
_MOUNT = 'mount -t tmpfs -o "size=$1" none "$2" && echo mounted && exec cat'


class SmallDisk:
    """A tmpfs at `place`, for those who `enter`."""

    def __init__(self, place: Path, size_bytes: int) -> None:
        place.mkdir(parents=True, exist_ok=True)
        self.place = place
        self._holder = subprocess.Popen(
            ["unshare", *_AS_ROOT, "--mount", "sh", "-c", _MOUNT, "sh", str(size_bytes), str(place)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert self._holder.stdout is not None
        self.mounted = self._holder.stdout.readline() == b"mounted\n"

    @staticmethod
    @cache
    def is_possible() -> bool:
        """Tell whether this user may mount."""
        with SmallDisk(Path(os.environ.get("TMPDIR", "/tmp")), 1 << 20) as disk:
            return disk.mounted

    @property
    def enter(self) -> tuple[str, ...]:
        """Put before a command that is to see it; the command keeps its process."""
        user = ("--user", "--preserve-credentials") if _AS_ROOT else ()
        return ("nsenter", "--target", str(self._holder.pid), *user, "--mount", f"--wd={ROOT}", "--")

    def seen(self, path: Path) -> Path:
        """Where we find from outside what lies at `path` inside; not for SQLite, which resolves the link of /proc."""
        return Path(f"/proc/{self._holder.pid}/root") / path.relative_to("/")

    def free_bytes(self) -> int:
        """What is left on it."""
        disk = os.statvfs(self.seen(self.place))
        return disk.f_bavail * disk.f_frsize

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._holder.stdin is not None
        assert self._holder.stdout is not None
        self._holder.stdin.close()  # which ends it, and with it the namespace and the disk
        self._holder.stdout.close()
        self._holder.wait(60)
