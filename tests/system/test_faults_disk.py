"""The disk goes wrong under the real process: full, slow, read-only, failing, its files overwritten.

Each test says what the operator sees, and that nothing of what can be held back was lost.
"""

from __future__ import annotations

import errno
import os
import random
import re
import shutil
import signal
import socket
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

import pytest

from receiver import limits
from tests.kit.bad_machine import BadMachine
from tests.kit.events import make_events
from tests.kit.logs import make_log
from tests.kit.process import ReceiverProcess, free_ports, wait_for
from tests.kit.senders import DatagramSender, LineSender, RelpSender
from tests.kit.small_disk import SmallDisk
from tests.kit.stores import messages_by_app, write
from tests.system.test_life import assert_conserved, assert_one_line, own_acts, run_once, send_tcp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

MIB = 1024 * 1024
LINES = 5_000
RELPS = 6_000
SCALE = float(os.environ.get("AUDIT_RECEIVER_FAULT_SCALE", "1"))
"""Nightly: 10, so that an fsync takes seconds and a stall more than a minute."""
SLOW_SECONDS = 0.2 * SCALE
STALL_SECONDS = 6.5 * SCALE
STOP_SECONDS = 60
"""TimeoutStopSec of the service."""


def relp_door() -> dict[str, object]:
    return {"name": "relp", "type": "relp", "listen": f"127.0.0.1:{free_ports(1)[0]}"}


def relp_port(receiver: ReceiverProcess) -> int:
    (found,) = [one for one in receiver.settings["listeners"] if one["type"] == "relp"]
    return int(found["listen"].rpartition(":")[2])


class Load:
    """A stream, a RELP session and datagrams, all at once."""

    def __init__(self, receiver: ReceiverProcess, lines: int = LINES, relps: int = RELPS) -> None:
        self.receiver = receiver
        self.count = lines + relps
        self.lines = LineSender(receiver.port, "line", lines, pad=900)
        self.relp = RelpSender(relp_port(receiver), "relp", relps)
        self.datagrams = DatagramSender(receiver.port, "datagram", pad=900)
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        for sender in (self.lines, self.relp, self.datagrams):
            self._stack.enter_context(sender)
        return self

    def __exit__(self, *error) -> None:
        self._stack.__exit__(*error)

    def finish(self) -> int:
        """Wait until every message is accounted for, the lost datagrams to the last one; gives how many are stored."""
        self.datagrams.stopping.set()
        for sender in (self.datagrams, self.lines, self.relp):
            sender.join()

        def stored() -> int:
            metrics = self.receiver.metrics()
            assert_conserved(metrics)
            lost = metrics["audit_receiver_events_dropped_total"] + metrics["audit_receiver_udp_kernel_drops_total"]
            stored = metrics["audit_receiver_events_stored_total"]
            # A window that came again on a second connection would be stored twice: RELP has no identity.
            return stored if stored + lost == self.count + self.datagrams.sent else 0

        return int(wait_for(stored, what="every message accounted for"))

    def assert_all_stored(self, folder: Path, stored: int) -> None:
        """Of the streams each message once; of the datagrams those that are not counted as lost."""
        found = messages_by_app(folder)
        assert found["line"] == [f"line {number + 1}" for number in range(len(found["line"]))]
        assert sorted(found["relp"]) == sorted(self.relp.acknowledged)
        assert len(found["line"]) + len(found["relp"]) == self.count
        datagrams = found.get("datagram", [])
        assert len(set(datagrams)) == len(datagrams) == stored - self.count


def assert_verified(receiver: ReceiverProcess) -> None:
    done = receiver.ask("verify")
    assert done.returncode == 0, done.stdout + done.stderr


def assert_held(receiver: ReceiverProcess, reason: str) -> None:
    """What the operator sees while nothing can be stored: readiness with the reason, the log, metrics that add up."""
    wait_for(lambda: re.search(reason, receiver.get("/readyz")[1]), what=f"not ready: {reason}")
    wait_for(lambda: "intake is held" in receiver.log, what="it is in the log")
    assert re.search(f"intake is held.*{reason}", receiver.log), receiver.log
    wait_for(lambda: receiver.metrics()["audit_receiver_events_dropped_total"] > 0, what="datagrams dropped")
    metrics = receiver.metrics()
    assert_conserved(metrics)
    assert metrics["audit_receiver_ready"] == 0
    assert metrics["audit_receiver_write_errors_total"] > 0
    assert receiver.get("/healthz")[0] == 200


@pytest.fixture
def small(tmp_path: Path) -> Iterator[SmallDisk]:
    with SmallDisk(tmp_path / "receiver" / "disk", 32 * MIB) as disk:
        assert disk.mounted, "mounting in a namespace of its own needs root, or user namespaces"
        yield disk


def on_disk(folder: Path, floor: object = 0) -> ReceiverProcess:
    """A receiver whose store is on the small disk."""
    store = {"path": "disk/store", "min_free_bytes": floor}
    return ReceiverProcess.with_syslog(folder / "receiver", relp_door(), store=store, ingest={"max_bytes": "2MiB"})


@pytest.mark.parametrize("floor", ["4MiB", 0], ids=["min-free", "enospc"])
def test_disk_full_holds_streams_counts_datagrams_and_heals(small: SmallDisk, tmp_path: Path, floor: object) -> None:
    # With a floor intake stops before the last byte is gone; without one SQLite meets ENOSPC. Neither needs a restart.
    receiver = on_disk(tmp_path, floor)
    receiver.prefix = small.enter
    ballast = small.seen(small.place / "ballast")
    with receiver:
        receiver.start()
        ballast.write_bytes(bytes(small.free_bytes() - 6 * MIB))
        with Load(receiver) as load:
            assert_held(receiver, "disk is full")
            assert receiver.metrics()["audit_receiver_disk_free_bytes"] < 6 * MIB
            assert not load.relp.done
            ballast.unlink()
            wait_for(lambda: receiver.get("/readyz")[0] == 200, what="ready by itself")
            stored = load.finish()
        assert receiver.stop() == 0
    assert "storing again" in receiver.log
    assert "Traceback" not in receiver.log
    load.assert_all_stored(shutil.copytree(small.seen(receiver.store), tmp_path / "copy"), stored)
    assert_verified(receiver)


@pytest.mark.parametrize("floor", ["4MiB", 0], ids=["min-free", "enospc"])
def test_disk_full_at_start_waits_or_is_refused_and_heals(small: SmallDisk, tmp_path: Path, floor: object) -> None:
    # Below the floor it starts, says why it is not ready, and what it needs to make room itself is still there. Without
    # a byte it cannot: one line, and the next start (systemd tries again) finds what was freed.
    receiver = on_disk(tmp_path, floor)
    receiver.prefix = small.enter
    ballast = small.seen(small.place / "ballast")
    with receiver:
        receiver.start()
        assert receiver.stop() == 0
        ballast.write_bytes(bytes(small.free_bytes() - (2 * MIB if floor else 0)))
        if floor:
            receiver.spawn(receiver.command)
            wait_for(lambda: "less free disk" in receiver.get("/readyz")[1], what="not ready: the disk")
            ballast.unlink()
            receiver.wait_ready()
        else:
            assert_one_line(run_once(receiver), str(receiver.store), "disk is full")
            ballast.unlink()
            receiver.start()
        send_tcp(receiver.port, 10)
        receiver.wait_stored(10)
        assert receiver.stop() == 0
    assert_verified(receiver)


@pytest.fixture
def bad(tmp_path: Path) -> Iterator[BadMachine]:
    (tmp_path / "receiver" / "disk").mkdir(parents=True)
    with BadMachine(tmp_path, tmp_path / "receiver" / "disk") as machine:
        yield machine


FAILURES = {
    "read-only": (errno.EROFS, "read-only"),
    "failing": (errno.EIO, "disk I/O error"),
}


@pytest.mark.parametrize("kind", FAILURES)
def test_disk_gone_bad_while_running_holds_streams_and_heals(bad: BadMachine, tmp_path: Path, kind: str) -> None:
    # Remounted read-only by the kernel, or failing: the same patience, and the reason by its name.
    number, reason = FAILURES[kind]
    receiver = on_disk(tmp_path)
    receiver.environ = bad.environ
    with receiver:
        receiver.start()
        bad.fail_disk(number)
        with Load(receiver) as load:
            assert_held(receiver, reason)
            bad.fail_disk(0)
            wait_for(lambda: receiver.get("/readyz")[0] == 200, what="ready by itself")
            stored = load.finish()
        assert receiver.stop() == 0
    assert "Traceback" not in receiver.log
    load.assert_all_stored(receiver.store, stored)
    assert_verified(receiver)


def commit_seconds(receiver: ReceiverProcess) -> int:
    """For how long a commit has been under way, as readiness says; 0 when it says nothing of it."""
    found = re.search(r"the disk is slow: a commit has been under way for (\d+) s", receiver.get("/readyz")[1])
    return int(found[1]) if found else 0


def test_disk_slow_delays_and_loses_nothing(bad: BadMachine, tmp_path: Path) -> None:
    # Every fsync takes long: senders wait for their answers, HTTP does not, a loss is counted, SIGTERM is orderly.
    receiver = on_disk(tmp_path)
    receiver.environ = bad.environ
    with receiver:
        receiver.start()
        bad.slow_disk(SLOW_SECONDS)
        with Load(receiver, lines=1_000, relps=200) as load:
            wait_for(lambda: receiver.metrics()["audit_receiver_commit_seconds_sum"] > 4 * SLOW_SECONDS, what="slow")
            assert_conserved(receiver.metrics())
            assert receiver.get("/healthz")[0] == 200
            stored = load.finish()
        bad.slow_disk(3600)
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            sock.sendall(b"<13>1 - - app - - - late\n")
            wait_for(lambda: commit_seconds(receiver) >= int(STALL_SECONDS), what="readiness says so")
        bad.slow_disk(SLOW_SECONDS)
        receiver.signal(signal.SIGTERM)
        assert receiver.wait_exit(STOP_SECONDS) == 0, receiver.log
    totals = own_acts(receiver, "log.stop")[0]["data"]
    assert totals["stored"] == stored + 1
    load.assert_all_stored(receiver.store, stored)
    assert_verified(receiver)


@pytest.mark.parametrize("new", [True, False], ids=["no-store-yet", "store"])
def test_store_read_only_at_start_is_refused_in_one_line(small: SmallDisk, tmp_path: Path, *, new: bool) -> None:
    # A receiver that cannot write is of no use: it does not open its doors.
    receiver = on_disk(tmp_path)
    receiver.prefix = small.enter
    receiver.write_config()
    if not new:
        write(tmp_path / "made", make_events(10))
        shutil.copytree(tmp_path / "made", small.seen(receiver.store))
    subprocess.run([*small.enter, "mount", "-o", "remount,ro", small.place], check=True)
    assert_one_line(run_once(receiver), str(receiver.store), "ead-only")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give up its right to write everywhere")
@pytest.mark.parametrize("new", [True, False], ids=["no-store-yet", "store"])
def test_store_folder_without_permission_is_refused_in_one_line(tmp_path: Path, *, new: bool) -> None:
    # As the service's own user it may not write there.
    (tmp_path / "disk").mkdir()
    receiver = ReceiverProcess.with_syslog(tmp_path, store={"path": "disk/store", "min_free_bytes": 0})
    receiver.write_config()
    if not new:
        write(receiver.store, make_events(10))
    for path in (*receiver.store.glob("*"), receiver.store, tmp_path / "disk"):
        if path.exists():
            path.chmod(0o500 if path.is_dir() else 0o400)
    receiver.prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
    assert_one_line(run_once(receiver), str(receiver.store), "ermission denied" if new else "")


# --- files that are not what we wrote ---


def garbage(path: Path) -> None:
    """Overwrite a file in place, as a disk gone mad does; its length stays."""
    path.chmod(0o600)
    with path.open("r+b") as file:
        file.write(random.Random(7).randbytes(path.stat().st_size))


def live_file(store: Path) -> Path:
    (path,) = store.glob("*-.db")
    return path


AT_START = {
    "live-segment": live_file,
    "evidence-db": lambda store: store / "evidence.db",
}


@pytest.mark.parametrize("what", AT_START)
def test_store_file_corrupt_at_start_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    # Writing on into what is not ours could destroy what can still be saved; the line says which file it is.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    receiver.write_config()
    make_log(receiver.store)
    path = AT_START[what](receiver.store)
    garbage(path)
    assert_one_line(run_once(receiver), str(path), "not a database")


def test_store_lock_file_unusable_at_start_is_refused_in_one_line(tmp_path: Path) -> None:
    # Without its lock two receivers could write one log. What is in the file does not matter.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    receiver.write_config()
    make_log(receiver.store)
    (receiver.store / "lock").unlink()
    (receiver.store / "lock").mkdir()
    assert_one_line(run_once(receiver), str(receiver.store), "Is a directory")
    (receiver.store / "lock").rmdir()
    (receiver.store / "lock").write_bytes(b"\0rubbish" * 1000)
    with receiver:
        receiver.start()
        assert receiver.stop() == 0


def test_sealed_segment_corrupt_at_start_raises_the_alarm_and_takes_events(tmp_path: Path) -> None:
    # An old file is damaged: what comes now must not be lost for it. Nothing is signed, `verify` names the file.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    make_log(receiver.store)
    path = min(receiver.store.glob("*-????????????.db"))
    garbage(path)
    with receiver:
        receiver.start()
        send_tcp(receiver.port, 100)
        receiver.wait_stored(100)
        assert receiver.metrics()["audit_receiver_evidence_alarm"] == 1
        assert receiver.stop() == 0
    assert path.name in receiver.log
    done = receiver.ask("verify")
    assert done.returncode == 1
    assert path.name in done.stdout


def test_one_bit_of_a_sealed_segment_raises_the_alarm(tmp_path: Path) -> None:
    # It can be read, and its rows are sound: only its digest tells. Events are taken, nothing is signed.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    make_log(receiver.store)
    path = min(receiver.store.glob("*-????????????.db"))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)
    path.chmod(0o400)
    with receiver:
        receiver.start()
        wait_for(lambda: receiver.metrics()["audit_receiver_evidence_alarm"] == 1, what="the alarm")
        send_tcp(receiver.port, 100)
        receiver.wait_stored(100)
        assert receiver.stop() == 0
    assert path.name in receiver.log
    done = receiver.ask("verify")
    assert done.returncode == 1
    assert path.name in done.stdout


def test_live_segment_corrupt_while_running_ends_it_and_says_where(tmp_path: Path) -> None:
    # Its file, log and index overwritten under it: exit code 1 with the path, and what was lost counted.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    with receiver:
        receiver.start()
        send_tcp(receiver.port, 1000)
        receiver.wait_stored(1000)
        path = live_file(receiver.store)
        for suffix in ("", "-wal", "-shm"):
            garbage(path.with_name(path.name + suffix))
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            sock.sendall(b"<13>1 - - app - - - last words\n")
            assert receiver.wait_exit() == 1
    (line,) = [line for line in receiver.log.splitlines() if "stopped by a failure" in line]
    assert str(path) in line
    assert "received 1001, stored 1000, dropped 1" in line
    assert "Traceback" not in receiver.log


def test_segment_corrupt_before_it_is_sealed_is_kept_and_told(tmp_path: Path) -> None:
    # The log goes on in the next one, and the damaged file stays as it is for whoever can save it.
    store = {"path": "store", "min_free_bytes": 0, "segment": {"max_events": 1_000}}
    receiver = ReceiverProcess.with_syslog(tmp_path, store=store)
    with receiver:
        receiver.start()
        send_tcp(receiver.port, 990)
        receiver.wait_stored(990)
        path = live_file(receiver.store)
        assert receiver.stop() == 0
        with path.open("r+b") as file:
            file.seek(path.stat().st_size // 2)
            file.write(b"\xa5" * 5 * limits.STORE_PAGE_BYTES)
        receiver.start()
        send_tcp(receiver.port, 990)
        receiver.wait_stored(990)
        send_tcp(receiver.port, 10)  # all may have come as one batch: a full segment ends before the next
        wait_for(lambda: receiver.metrics()["audit_receiver_segment_seal_errors_total"] >= 1, what="sealing refused")
        assert receiver.get("/readyz")[0] == 200
        assert receiver.stop() == 0
    assert f"{path.name} stays unsealed" in receiver.log
    assert path.exists()
    assert receiver.ask("verify").returncode == 1


def test_evidence_file_corrupt_while_running_is_told_and_events_are_stored(tmp_path: Path) -> None:
    # The rows do not need it; signing does. The metric has an alert, the log names the file.
    receiver = ReceiverProcess.with_syslog(tmp_path, evidence={"checkpoint_interval": 1})
    with receiver:
        receiver.start()
        garbage(receiver.store / "evidence.db")
        send_tcp(receiver.port, 1000)
        receiver.wait_stored(1000)
        wait_for(lambda: receiver.metrics()["audit_receiver_checkpoint_failures_total"] > 0, what="no signature")
        assert receiver.get("/healthz")[0] == 200
        assert receiver.stop() == 0, receiver.log
    assert "evidence.db" in receiver.log
    assert "Traceback" not in receiver.log
