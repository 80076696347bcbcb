"""What `doctor` learns from the machine and from a receiver, the real ones of this test."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import yaml

from receiver.config import load_config
from receiver.control import ControlServer
from receiver.doctor import ask_running, look_at_host, parse_samples
from tests.kit.process import COMMAND, ROOT, ReceiverProcess, wait_for
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path


def doctor(*options: str) -> tuple[int, list[dict[str, str]], str]:
    command = [*COMMAND, "doctor", "--json", "--unit", "audit-receiver-of-no-machine", *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_SECONDS, check=False)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def test_the_machine_is_looked_at(tmp_path: Path) -> None:
    # Whatever machine this is: what can be read is plausible, what cannot is None.
    (tmp_path / "keys").mkdir(mode=0o755)
    (tmp_path / "keys" / "store.key").write_text("x")
    (tmp_path / "keys" / "store.key").chmod(0o644)
    (tmp_path / "store").mkdir()
    (tmp_path / "c.yaml").write_text(yaml.safe_dump({"store": {"path": "store"}}))
    host = look_at_host(load_config(tmp_path / "c.yaml"), os.getpid(), "audit-receiver-of-no-machine")
    assert host.disk_free is not None
    assert host.disk_free >= 0
    assert host.files is None or host.files > 0
    assert host.rmem_max is None or host.rmem_max > 0
    assert host.keys is not None
    assert (host.keys.mode, host.keys.open_files, host.keys.in_store) == (0o755, ("store.key",), False)
    assert host.unit is None
    if sys.platform == "linux" and host.clock is not None:
        assert host.clock.error_seconds >= 0


def test_samples_are_found_by_their_labels_values() -> None:
    # In the order of the labels' names, whatever order they are written in.
    text = '# TYPE a gauge\na{y="2",x="1"} 3\n# TYPE b counter\nb_total 4\n'
    assert parse_samples(text) == {"a": {("1", "2"): 3.0}, "b_total": {(): 4.0}}


def test_without_a_receiver_it_says_so(tmp_path: Path) -> None:
    # Exit code 1: there is something to mend. Without a configuration it cannot run.
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"store": {"path": "store"}}))
    code, found, _ = doctor("--config", str(tmp_path / "config.yaml"))
    assert code == 1
    assert any("No receiver runs" in finding["says"] for finding in found)
    assert doctor("--config", str(tmp_path / "missing.yaml"))[0] == 2
    assert doctor("--config", str(tmp_path / "missing.yaml"))[1] == []


async def test_a_receiver_that_does_not_answer_is_not_called_stopped(tmp_path: Path) -> None:
    # An older one, or one whose socket is not for us: why it could not be asked is said instead.
    config = load_config(None)
    config = config.model_copy(update={"http": config.http.model_copy(update={"listen": None})})
    assert ask_running(tmp_path, config) == (None, None)
    server = ControlServer(tmp_path, {})
    await server.start()
    running, why = await asyncio.to_thread(ask_running, tmp_path, config)
    await server.stop()
    assert running is None
    assert why is not None
    assert "unknown command" in why


@pytest.mark.system
def test_a_real_receiver_is_examined(tmp_path: Path) -> None:
    # Asked over its control socket; what is wrong with this one is what the test made wrong.
    with ReceiverProcess.with_syslog(tmp_path / "receiver", retention={"max_age": "30d"}) as receiver:
        receiver.settings["limits"] = {"udp_receive_buffer": "512MiB"}
        receiver.settings["expected_hosts"] = [{"host": "web-1", "silent_after": "1s"}]
        receiver.start()
        silent = 'audit_receiver_host_silent{host="web-1"}'
        wait_for(lambda: receiver.metrics()[silent] == 1, what="silent")
        (receiver.folder / "keys").chmod(0o755)
        code, found, err = doctor("--config", str(receiver.config))
        assert (code, err) == (1, "")
        checks = {finding["check"] for finding in found if finding["state"] == "mend"}
        assert {"silent-host", "keys"} <= checks
        assert not checks & {"running", "ready", "evidence", "dropped", "allow", "commits", "checkpoint", "sealing"}
        if os.geteuid() != 0:  # root may go beyond net.core.rmem_max
            assert "udp-buffer" in checks
        assert receiver.stop() == 0, receiver.log
