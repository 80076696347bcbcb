"""The units, by systemd's own tools: they load, and the sandbox is as tight as promised."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from receiver.config import load_config

FOLDER = Path(__file__).resolve().parent.parent / "systemd"
SERVICE = FOLDER / "audit-receiver.service"
UNITS = sorted(FOLDER.iterdir())
MOST_EXPOSED = 1.5

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed: .ci/setup brings it"
)


def read(unit: Path) -> dict[str, dict[str, list[str]]]:
    """Sections of a unit; a key may stand in it more than once."""
    found: dict[str, dict[str, list[str]]] = {}
    section: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[]"), {})
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            section.setdefault(key, []).append(value)
    return found


@needs_systemd
def test_systemd_finds_nothing_wrong_with_the_units() -> None:
    # All together, since they name each other. What it says of units that are installed here is not about ours.
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, UNITS)], capture_output=True, text=True, check=False
    )
    installed = ("/lib/systemd/", "/usr/lib/systemd/", "/etc/systemd/", "/run/systemd/")
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(installed)]
    assert (done.returncode, said) == (0, [])


@needs_systemd
def test_the_sandbox_is_as_tight_as_promised() -> None:
    # systemd's own measure: 0 is safe, 10 is not.
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(SERVICE)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    level = re.search(r"Overall exposure level for .*: ([0-9.]+)", done.stdout)
    assert level, done.stdout
    assert float(level[1]) <= MOST_EXPOSED, done.stdout


def test_the_system_calls_of_the_receiver_are_allowed() -> None:
    # seccomp answers EPERM: these are the calls without which it could not do its work.
    filters = " ".join(read(SERVICE)["Service"]["SystemCallFilter"])
    assert filters.startswith("@system-service")
    assert "@resources" not in filters, "the sealing thread lowers its priority"
    assert read(SERVICE)["Service"]["SystemCallErrorNumber"] == ["EPERM"]


def test_the_watchdog_and_readiness_are_what_the_receiver_speaks() -> None:
    # Only the main process may speak for it.
    service = read(SERVICE)["Service"]
    assert (service["Type"], service["NotifyAccess"], service["WatchdogSec"]) == (["notify"], ["main"], ["30"])
    assert int(service["TimeoutStopSec"][0]) > 30


def test_each_socket_unit_belongs_to_the_service_and_has_a_name() -> None:
    # Without FileDescriptorName= the sockets would have the unit's name, which is no listener's.
    sockets = [read(unit)["Socket"] for unit in UNITS if unit.suffix == ".socket"]
    assert {section["FileDescriptorName"][0] for section in sockets} == {"syslog", "syslog-tls"}
    assert {section["Service"][0] for section in sockets} == {SERVICE.name}


def test_descriptors_suffice_for_all_connections() -> None:
    # A limit of the config that the unit does not allow would be EMFILE in production.
    example = load_config(FOLDER.parent / "config.example.yaml")
    assert int(read(SERVICE)["Service"]["LimitNOFILE"][0]) > example.limits.connections + 1000
