"""Tell systemd how the service is: the sd_notify(3) protocol, datagrams to $NOTIFY_SOCKET.

Knows one socket address and nothing of what it reports. Without $NOTIFY_SOCKET every call does nothing.
"""

from __future__ import annotations

import os
import socket

_WAIT_SECONDS = 1.0  # for a manager whose queue is full (net.unix.max_dgram_qlen)


def notify(*states: str, wait: bool = True) -> bool:
    """Send states such as ``READY=1``; True when systemd was told.

    A manager that does not listen is no reason to fail, nor to stop: the watchdog is its own remedy.
    wait: a moment, if its queue is full; not for what will be said again.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(_WAIT_SECONDS if wait else 0)
            sock.connect(address)
            sock.sendall("\n".join(states).encode())
    except OSError:
        return False
    return True


def watchdog_seconds() -> float | None:
    """How often at least the watchdog wants to be fed; None when there is none for this process."""
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    process = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not microseconds.isdigit() or process != str(os.getpid()):
        return None
    return int(microseconds) / 1_000_000 or None
