"""The real process tells of silence and of refused senders in its own log."""

from __future__ import annotations

import json
import socket
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.process import COMMAND, ROOT, ReceiverProcess, wait_for
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


def alerts(receiver: ReceiverProcess) -> dict[str, dict[str, Any]]:
    """The newest of each of its own alerts, by message."""
    command = [*COMMAND, "query", "--store", str(receiver.store), "--json", "--action", "detect.alert"]
    done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=PATIENCE_SECONDS, check=True)
    events = [json.loads(line) for line in done.stdout.splitlines()]
    return {event["message"]: event for event in reversed(events)}


def test_a_silent_host_and_a_refused_sender_are_events(tmp_path: Path) -> None:
    # One that was never heard falls silent, speaks, and is heard again; a stranger is refused.
    hosts = [{"host": "web-1", "silent_after": "1s"}, "quiet-for-an-hour"]
    with ReceiverProcess.with_syslog(tmp_path / "receiver", expected_hosts=hosts) as receiver:
        receiver.settings["listeners"][0]["allow"] = ["192.0.2.0/24"]
        receiver.start()
        metric = 'audit_receiver_host_silent{host="%s"}'
        wait_for(lambda: receiver.metrics()[metric % "web-1"] == 1, what="silent")
        assert receiver.metrics()[metric % "quiet-for-an-hour"] == 0
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            sock.sendall(b"<13>1 - web-1 app - - - here I am\n")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"<13>let me in", ("127.0.0.1", receiver.port))
        wanted = {"expected host is silent", "expected host is heard again", "senders refused"}
        found = wait_for(lambda: (seen := alerts(receiver)).keys() >= wanted and seen, what="three events")
        assert found["expected host is silent"]["outcome"] == "failure"
        assert found["expected host is heard again"]["data"]["host"] == "web-1"
        assert found["senders refused"]["data"]["count"] == 1
        assert receiver.stop() == 0, receiver.log
