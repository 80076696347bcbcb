"""Real processes: the receiver on ephemeral ports, and the senders people have."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.kit.process import ReceiverProcess
from tests.kit.syslog_ng import SyslogNg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """A running receiver with UDP and TCP on one port; must leave with 0."""
    with ReceiverProcess.with_syslog(tmp_path / "receiver") as process:
        process.start()
        yield process
        assert process.stop() == 0, process.log


def program(name: str) -> str:
    """Find a sender, or say how to get it; .ci/run lets nothing be skipped."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed: .ci/setup brings it")
    return found


@pytest.fixture
def logger() -> str:
    return program("logger")


@pytest.fixture
def rsyslogd() -> str:
    return program("rsyslogd")


@pytest.fixture
def haproxy() -> str:
    return program("haproxy")


@pytest.fixture
def nginx() -> str:
    return program("nginx")


@pytest.fixture
def socket_activate() -> str:
    return program("systemd-socket-activate")


@pytest.fixture
def syslog_ng() -> SyslogNg:
    found = SyslogNg.find()
    if found is None:
        pytest.skip("syslog-ng is neither unpacked nor installed: .ci/setup brings it")
    return found
