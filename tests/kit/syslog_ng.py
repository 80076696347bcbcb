"""syslog-ng as unpacked beside rsyslog (their Debian packages conflict), or as installed."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "audit-receiver-ci" / "syslog-ng"
"""Where `.ci/setup` unpacks the packages."""


@dataclass(frozen=True)
class SyslogNg:
    """Where the program is and what it needs to find its parts."""

    program: str
    environ: dict[str, str]
    options: tuple[str, ...]

    @classmethod
    def find(cls) -> SyslogNg | None:
        """The unpacked one, else the installed one, else None."""
        root = next((path.parent.parent for path in CACHE.glob("usr/sbin/syslog-ng")), None)
        if root is None:
            installed = shutil.which("syslog-ng")
            return cls(installed, dict(os.environ), ()) if installed else None
        libraries = root / "lib"
        modules = next((libraries / "syslog-ng").glob("*/libafsocket.so")).parent
        folders = (libraries / "syslog-ng", *libraries.glob("*-linux-gnu"))
        environ = {**os.environ, "LD_LIBRARY_PATH": os.pathsep.join(map(str, folders))}
        return cls(str(root / "sbin" / "syslog-ng"), environ, ("--module-path", str(modules)))

    def command(self, folder: Path, config: str) -> list[str]:
        """Write the config and give the command that runs it in the foreground, all its files in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "syslog-ng.conf").write_text('@version: 3.38\noptions { stats-freq(0); };\n' + config)
        return [
            self.program, "--foreground", "--no-caps", "--cfgfile", str(folder / "syslog-ng.conf"),
            "--persist-file", str(folder / "persist"), "--pidfile", str(folder / "pid"),
            "--control", str(folder / "control"), *self.options,
        ]  # fmt: skip

    @property
    def writes_sqlite(self) -> bool:
        """Is libdbi's driver there? Its folder is compiled in, so it is installed, not unpacked."""
        return any(Path("/usr/lib").glob("*/dbd/libdbdsqlite3.so"))
