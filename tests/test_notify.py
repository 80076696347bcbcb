"""systemd is told over its datagram socket, and nothing happens without one."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from receiver.notify import notify, watchdog_seconds

if TYPE_CHECKING:
    from pathlib import Path


def test_states_arrive_as_one_datagram(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # sd_notify(3): newline-separated assignments in a datagram.
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        monkeypatch.setenv("NOTIFY_SOCKET", str(path))
        assert notify("READY=1", "STATUS=listening")
        assert manager.recv(200) == b"READY=1\nSTATUS=listening"


def test_an_abstract_socket_is_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    # A leading @ stands for a NUL.
    name = f"audit-receiver-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + name)
        assert notify("WATCHDOG=1")
        assert manager.recv(200) == b"WATCHDOG=1"


@pytest.mark.parametrize("address", ["", "/nonexistent/socket"])
def test_nobody_listening_is_no_failure(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Started by hand there is no manager; that must change nothing.
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    assert not notify("READY=1")


@pytest.mark.parametrize(
    ("microseconds", "process", "expected"),
    [("30000000", str(os.getpid()), 30.0), ("30000000", "1", None), ("", "", None), ("x", str(os.getpid()), None)],
    ids=["ours", "another's", "unset", "no number"],
)
def test_the_watchdog_is_fed_only_when_it_is_ours(
    microseconds: str, process: str, expected: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    # WATCHDOG_PID names the process that must feed it.
    monkeypatch.setenv("WATCHDOG_USEC", microseconds)
    monkeypatch.setenv("WATCHDOG_PID", process)
    assert watchdog_seconds() == expected


def test_a_manager_that_takes_nothing_stops_nobody(tmp_path, monkeypatch):
    # Its queue is short: a write that waits for it would stop the receiver's loop.
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        told = 0
        while notify("WATCHDOG=1", wait=False):
            told += 1
        assert told > 0
        assert not notify("READY=1")
