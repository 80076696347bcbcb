"""Root works as the owner of what it changes: no file is left that the service, which is another user, cannot use.

Knows users and the owners of files; knows no log. For everybody but root nothing happens here.
"""

from __future__ import annotations

import ctypes
import os
import pwd
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

_PR_SET_KEEPCAPS: Final = 8
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAP_DAC_READ_SEARCH: Final = 1 << 2


class Owner(NamedTuple):
    """Whose a file is."""

    uid: int
    gid: int


def owner_of(path: Path) -> Owner:
    """Say whose this is, or would be: of what is not there yet, the folder that will hold it says so."""
    path = path.absolute()
    while not path.exists():
        path = path.parent
    status = path.stat()
    return Owner(status.st_uid, status.st_gid)


def give(folder: Path, owner: Owner) -> None:
    """Make a folder and its files the owner's."""
    if os.geteuid() == 0:
        for path in (*folder.iterdir(), folder):
            os.chown(path, *owner, follow_symlinks=False)


def work_as(owner: Owner) -> None:
    """Become the owner, for the rest of this process; before it has other threads.

    All that stays of root is the right to look: systemd keeps the folder of a DynamicUser= behind /var/lib/private,
    which nobody but root may pass.
    """
    if os.geteuid() != 0 or owner.uid == 0:
        return
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    try:
        os.initgroups(pwd.getpwuid(owner.uid).pw_name, owner.gid)
    except KeyError:
        os.setgroups([])
    os.setgid(owner.gid)
    os.setuid(owner.uid)
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    looking = (ctypes.c_uint32 * 6)(_CAP_DAC_READ_SEARCH, _CAP_DAC_READ_SEARCH)  # effective, permitted
    if libc.capset(header, looking):  # a root without that right: then it is the owner and no more
        libc.capset(header, (ctypes.c_uint32 * 6)())
