"""What a process asked of the kernel, as strace(1) wrote it down."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

STRACE = ("strace", "--follow-forks", "--quiet=all", "--signal=none", "--string-limit=300", "--trace=all")
_CALL = re.compile(r"^\d+ +(\w+)\((.*)")
_OPENED = re.compile(r'^(?:AT_FDCWD|-?\d+(?:<[^>]*>)?), "([^"]*)", ([A-Z_|]+)')


class Trace:
    """All calls of one run, by name with their arguments."""

    def __init__(self, file: Path) -> None:
        found = (_CALL.match(line) for line in file.read_text(errors="replace").splitlines())
        self.calls = [(match[1], match[2]) for match in found if match]

    @property
    def names(self) -> set[str]:
        return {name for name, _ in self.calls}

    @property
    def written(self) -> set[str]:
        """Paths opened to be written to, made, renamed or removed."""
        opened = (_OPENED.match(arguments) for name, arguments in self.calls if name in {"openat", "open"})
        paths = {match[1] for match in opened if match and re.search("O_WRONLY|O_RDWR|O_CREAT", match[2])}
        for name, arguments in self.calls:
            if name in {"unlink", "mkdir", "rename", "rmdir", "chmod", "unlinkat", "mkdirat", "renameat", "fchmodat"}:
                paths.update(re.findall(r'"([^"]*)"', arguments))
        return paths

    @property
    def families(self) -> set[str]:
        return {arguments.partition(",")[0] for name, arguments in self.calls if name in {"socket", "socketpair"}}

    @property
    def executable_memory(self) -> list[str]:
        """Memory that is asked to be written and executed, or becomes executable later."""
        return [
            arguments
            for name, arguments in self.calls
            if (name == "mmap" and "PROT_WRITE" in arguments and "PROT_EXEC" in arguments)
            or (name == "mprotect" and "PROT_EXEC" in arguments)
        ]
