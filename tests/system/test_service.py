"""The shipped units under a real systemd, in a container: the service does all its work inside its sandbox.

Where no container can be made (not root, or a machine that has no rights to give) each directive of the sandbox is
asked for by name instead: what systemd itself says that the unit leaves open is what it needs, and nothing else. What
the receiver does under them is traced in tests/test_systemd.py in any case. The test says which of the two it did.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from sysconfig import get_path
from typing import Any

import pytest
import yaml

from tests.kit.container import boot, can_contain

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).resolve().parents[2]
KIT = REPOSITORY / "tests" / "kit"
INSIDE = "/opt/audit-receiver"
UNITS = "/etc/systemd/system"

CONFIG = {
    "store": {"path": "/var/lib/audit-receiver/store", "segment": {"max_events": 4}, "min_free_bytes": "1MiB"},
    "listeners": [
        {"name": "syslog", "type": kind, "listen": "*:514", "allow": ["127.0.0.0/8"]} for kind in ("udp", "tcp")
    ],
    "http": {"listen": "127.0.0.1:9514"},
}
PROGRAM = f"""#!/usr/bin/python3
import sys
sys.path[:0] = ["{INSIDE}/source", "{INSIDE}/packages"]
from receiver.cli import main
sys.exit(main())
"""
PROBE_UNIT = f"""[Unit]
After={{service}}
Wants={{service}} {{sockets}}
[Service]
Type=oneshot
ExecStart=/usr/bin/python3 {INSIDE}/probe.py /out/seen.json
ExecStopPost=/bin/systemctl exit --force 7
"""


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o755)
    return path


def use_the_service(folder: Path) -> dict[str, Any]:
    """Boot, let the probe use the service, give what it saw."""
    service, sockets = "audit-receiver.service", "audit-receiver-syslog.socket"
    out = folder / "out"
    out.mkdir()
    probe = PROBE_UNIT.format(service=service, sockets=sockets)
    binds = {
        f"{INSIDE}/source/receiver": REPOSITORY / "receiver",
        f"{INSIDE}/packages": Path(get_path("purelib")),
        f"{INSIDE}/bin/audit-receiver": written(folder / "program", PROGRAM),
        f"{INSIDE}/probe.py": KIT / "service_probe.py",
        "/etc/audit-receiver/config.yaml": written(folder / "config.yaml", yaml.safe_dump(CONFIG)),
        f"{UNITS}/{service}": REPOSITORY / "systemd" / service,
        f"{UNITS}/{sockets}": REPOSITORY / "systemd" / sockets,
        f"{UNITS}/probe.service": written(folder / "probe.service", probe),
    }
    code, said = boot("probe.service", binds, {"/out": out}, seconds=480)
    assert code == 7, said
    seen: dict[str, Any] = json.loads((out / "seen.json").read_text())
    assert "error" not in seen, seen["error"] + seen["journal"]
    return seen


LEFT_OPEN = {
    "RootDirectoryOrRootImage", "RestrictAddressFamilies_AF_UNIX", "RestrictAddressFamilies_AF_INET_INET6",
    "PrivateNetwork", "PrivateUsers", "DeviceAllow", "IPAddressDeny", "UMask",
}  # fmt: skip
"""By systemd's names: it listens to networks and local sockets, names their peers, and reviewers are of its group."""


def assert_each_directive() -> None:
    command = ["systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager"]
    unit = REPOSITORY / "systemd" / "audit-receiver.service"
    done = subprocess.run([*command, str(unit)], capture_output=True, text=True, check=True)
    found = {each["json_field"]: each["set"] for each in json.loads(done.stdout)}
    assert len(found) > 60
    assert {name for name, is_set in found.items() if is_set is False} == LEFT_OPEN


def test_the_service_works_inside_its_sandbox(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # One boot for all of it: started, used, reloaded, stopped, restored by root and started by a datagram, and how it
    # was shut in.
    assert_each_directive()
    contained = can_contain()
    with capsys.disabled():
        way = "booted in a container" if contained else "NOT booted, no container here: directives by systemd-analyze"
        print(f"\nthe service under its sandbox: {way}", file=sys.stderr)  # the output of a worker goes nowhere
    if not contained:
        return
    seen = use_the_service(tmp_path)
    assert seen["started"]["ActiveState"] == "active"
    assert seen["started"]["StatusText"].startswith("listening: ")
    assert seen["started"]["NRestarts"] == "0"
    assert seen["seal_errors"] == 0
    assert seen["hold"] == "hold 1 added\n"
    (hold,) = [event for event in seen["events"] if event["message"] == "legal hold added"]
    assert hold["actor"] == "root", "the peer of the control socket is known by name"
    assert [event["actor"] for event in seen["events"] if event["action"] == "auth.login"] == ["alice"] * 5
    assert seen["reload"] == 0
    assert seen["watchdog"]["WatchdogUSec"] == "30s"
    assert int(seen["watchdog"]["WatchdogTimestampMonotonic"]) > 0
    assert (seen["stopped"]["Result"], seen["stopped"]["ExecMainStatus"]) == ("success", "0")
    by_root = {name: seen[name] for name in ("backup", "hold_removed", "restored", "rotated")}
    assert set(by_root.values()) == {0}, f"root changes what is the service's: {by_root}"
    assert seen["verify"] == 0
    to_mend = {finding["check"]: finding for finding in seen["doctor"] if finding["state"] == "mend"}
    # The machine's own, not the service's; a container may open no more files than whoever started it.
    assert to_mend.keys() <= {"clock", "disk", "descriptors"}, to_mend
    assert_shut_in(seen)


def assert_shut_in(seen: dict[str, Any]) -> None:
    status, mounts = seen["status"], dict(seen["mounts"])
    assert "0" not in status["Uid"].split()
    assert {int(status[name], 16) for name in ("CapPrm", "CapEff", "CapBnd", "CapAmb", "CapInh")} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert mounts["/"] == "ro"
    own = {place for place, mode in mounts.items() if mode == "rw" and "audit-receiver" in place}
    assert own == {"/var/lib/private/audit-receiver"}
    exposure = re.search(r": ([0-9.]+)", seen["exposure"])
    assert exposure
    assert float(exposure[1]) <= 1.2
