"""Tell systemd how the service is: the sd_notify(3) protocol, datagrams to $NOTIFY_SOCKET.

Knows one socket address and nothing of what it reports. Without $NOTIFY_SOCKET every call does nothing.
"""

from __future__ import annotations

import os
import socket


def notify(*states: str) -> bool:
    """Send states such as ``READY=1``; True when systemd was told.

    A manager that does not listen is no reason to fail: the watchdog is its own remedy.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
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
