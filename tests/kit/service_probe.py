"""Runs inside the container, as root under its systemd: uses the service as an operator would, writes down what it saw.

Knows the standard library only. One JSON file at the end; what goes wrong stands in it as `error`.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import traceback
import urllib.request
from pathlib import Path

SERVICE = "audit-receiver.service"
STORE = Path("/var/lib/audit-receiver/store")
CONFIG = ("--config", "/etc/audit-receiver/config.yaml")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def receiver(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run("/opt/audit-receiver/bin/audit-receiver", *arguments, *CONFIG)


def show(*names: str) -> dict[str, str]:
    lines = run("systemctl", "show", SERVICE, *(f"--property={name}" for name in names)).stdout.splitlines()
    return dict(line.partition("=")[::2] for line in lines)


def metric(name: str) -> float:
    """The sum over its labels; -1 while nobody answers."""
    try:
        with urllib.request.urlopen("http://127.0.0.1:9514/metrics", timeout=60) as answer:
            lines = answer.read().decode().splitlines()
    except OSError:
        return -1
    return sum(float(line.split()[-1]) for line in lines if line.partition("{")[0].partition(" ")[0] == name)


def wait(condition, what: str, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"never came true: {what}")
        time.sleep(0.1)


def send(*messages: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for message in messages:
            sock.sendto(message, ("127.0.0.1", 514))


def journal() -> str:
    return run("journalctl", "--no-pager", "--output=cat", f"--unit={SERVICE}").stdout


def use(seen: dict) -> None:
    """Receive, seal, hold, reload, stop, restore and rotate as root, start again by what comes in."""
    wait(lambda: metric("audit_receiver_ready") == 1, "ready")
    seen["started"] = show("ActiveState", "StatusText", "NRestarts")
    send(*(b"<86>sshd[%d]: Accepted publickey for alice from 192.0.2.7 port 5102 ssh2" % n for n in range(5)))
    wait(lambda: metric("audit_receiver_events_stored_total") == 5, "5 stored")  # the next batch opens a segment
    with socket.create_connection(("127.0.0.1", 514)) as sock:
        sock.sendall(b"<13>1 - web app - - - over tcp\n")
    wait(lambda: metric("audit_receiver_events_stored_total") == 6, "6 stored")
    wait(lambda: metric("audit_receiver_segment_seals_total") > 0, "a segment sealed")
    seen["seal_errors"] = metric("audit_receiver_segment_seal_errors_total")
    seen["hold"] = receiver("hold", "add", "--actor", "alice", "--reason", "a case").stdout
    seen["events"] = [json.loads(line) for line in receiver("query", "--json", "--limit", "all").stdout.splitlines()]
    seen["doctor"] = [json.loads(line) for line in receiver("doctor", "--json").stdout.splitlines()]
    pid = show("MainPID")["MainPID"]
    process = Path("/proc") / pid
    status, mounts = ((process / name).read_text().splitlines() for name in ("status", "mountinfo"))
    seen["status"] = dict(line.split(":\t", 1) for line in status if ":\t" in line)
    seen["mounts"] = [(fields[4], fields[5].split(",")[0]) for fields in map(str.split, mounts)]
    seen["reload"] = run("systemctl", "reload", SERVICE).returncode
    wait(lambda: "configuration re-read" in journal(), "reloaded")
    seen["watchdog"] = show("WatchdogUSec", "WatchdogTimestampMonotonic")
    run("systemctl", "stop", SERVICE)  # its sockets are held: the next datagram starts it again
    seen["stopped"] = show("Result", "ExecMainStatus", "ActiveState")
    seen["backup"] = receiver("backup", "/root/copy").returncode
    seen["hold_removed"] = receiver("hold", "remove", "1").returncode
    STORE.rename(STORE.with_name("broken"))
    seen["restored"] = receiver("restore", "/root/copy").returncode
    seen["rotated"] = receiver("keygen", "--rotate").returncode
    send(b"<13>1 - web app - - - nobody listened")
    wait(lambda: metric("audit_receiver_events_stored_total") == 1, "what came while it was stopped is stored")
    seen["verify"] = receiver("verify").returncode
    seen["exposure"] = run("systemd-analyze", "security", "--no-pager", SERVICE).stdout.splitlines()[-1]


def main(path: Path) -> None:
    seen: dict = {}
    try:
        use(seen)
    except Exception:  # noqa: BLE001 - whatever it is, the test outside says it
        seen["error"] = traceback.format_exc()
    seen["journal"] = journal()
    path.write_text(json.dumps(seen))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
