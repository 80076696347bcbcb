"""The units, by systemd's own tools: they load, and the sandbox is as tight as promised."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from receiver.config import load_config
from tests.kit.process import COMMAND, ReceiverProcess, wait_for
from tests.kit.traced import STRACE, Trace

FOLDER = Path(__file__).resolve().parent.parent / "systemd"
SERVICE = FOLDER / "audit-receiver.service"
UNITS = sorted(FOLDER.iterdir())
MOST_EXPOSED = 1.2

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


def test_a_refused_system_call_is_an_error_not_the_end() -> None:
    # The sealing thread asks for a lower priority and goes on without it.
    filters = " ".join(read(SERVICE)["Service"]["SystemCallFilter"])
    assert filters.startswith("@system-service")
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


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Trace:
    """What a receiver asked of the kernel from its start to its stop, with messages, sealing and a hold between."""
    folder = tmp_path_factory.mktemp("traced")
    with ReceiverProcess.with_syslog(folder, store={"path": "store", "segment": {"max_events": 2}}) as receiver:
        receiver.write_config()
        receiver.spawn([*STRACE, f"--output={folder / 'trace'}", *receiver.command])
        receiver.wait_ready()
        for count in (3, 6):
            with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
                sock.sendall(b"<13>1 - web app - - - hello\n" * 3)
            receiver.wait_stored(count)
        wait_for(lambda: receiver.metrics()["audit_receiver_segment_seals_total"] > 0, what="sealed")
        hold = ["hold", "add", "--app", "app", "--reason", "a case", "--store", str(receiver.store)]
        subprocess.run([*COMMAND, *hold], check=True, capture_output=True)
        assert receiver.process is not None
        children = Path(f"/proc/{receiver.pid}/task/{receiver.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)
        assert receiver.wait_exit() == 0, receiver.log
    return Trace(folder / "trace")


def allowed_calls() -> set[str]:
    """What is left of SystemCallFilter=, by systemd's own lists."""
    kept: set[str] = set()
    for line in read(SERVICE)["Service"]["SystemCallFilter"]:
        for word in line.removeprefix("~").split():
            calls = calls_of(word) if word.startswith("@") else {word}
            kept = kept - calls if line.startswith("~") else kept | calls
    return kept


def calls_of(group: str) -> set[str]:
    done = subprocess.run(["systemd-analyze", "syscall-filter", group], capture_output=True, text=True, check=True)
    words = {line.strip() for line in done.stdout.splitlines() if line.startswith("    ")}
    names = {word for word in words if not word.startswith(("#", "@"))}
    return names.union(*(calls_of(word) for word in words if word.startswith("@")))


@needs_systemd
@pytest.mark.system
def test_every_system_call_it_makes_is_allowed(trace: Trace) -> None:
    # The filter answers EPERM. What it does without: a lower priority for sealing, see the unit.
    allowed = allowed_calls()
    assert "setpriority" not in allowed
    as_root = {"fchown"} if os.geteuid() == 0 else set()  # SQLite's, which the service is not
    assert trace.names - allowed - {"execve"} - as_root == {"setpriority"}


@pytest.mark.system
def test_it_writes_into_its_own_folder_only(trace: Trace) -> None:
    # ProtectSystem=strict leaves it StateDirectory=; /dev/null is in the PrivateDevices= too.
    service = read(SERVICE)["Service"]
    assert (service["ProtectSystem"], service["StateDirectory"]) == (["strict"], ["audit-receiver"])
    assert not [name for name in service if name in {"ReadWritePaths", "BindPaths", "ConfigurationDirectory"}]
    own = next(path for path in trace.written if path.endswith("/store/lock")).removesuffix("/store/lock")
    outside = {path for path in trace.written if path.startswith("/") and not path.startswith((own, "/proc/self/"))}
    assert outside <= {"/dev/null", "/dev/urandom"}


@pytest.mark.system
def test_it_needs_none_of_what_the_sandbox_takes(trace: Trace) -> None:
    # RestrictAddressFamilies=, MemoryDenyWriteExecute=, and no call that wants a capability, a namespace or a device.
    service = read(SERVICE)["Service"]
    assert trace.families <= set(service["RestrictAddressFamilies"][0].split())
    assert trace.executable_memory == []
    privileged = {"mount", "unshare", "setns", "chroot", "setuid", "setgid", "capset", "sched_setscheduler", "mknodat"}
    assert not trace.names & privileged
    assert service["CapabilityBoundingSet"] == [""]
