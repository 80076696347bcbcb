"""Client certificates by the programs people have: `openssl s_client` and rsyslog, good ones and every kind of bad."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.kit.certificates import Authority, Files
from tests.kit.process import ReceiverProcess, free_ports, running, wait_for
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_rsyslog import SYSLOG_PROTOCOL, command, configure, send

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.system, pytest.mark.senders]

KINDS = {
    "expired": "tls_handshake",
    "wrong-authority": "tls_handshake",
    "none": "tls_handshake",
    "not-permitted": "not_allowed",
}
"""What is shown beside a good one, and why it is refused."""
LINE = "<13>Oct 11 22:14:17 app: by {}"


class Door:
    """A receiver whose TLS listener permits `*.example.org`, and whom it meets."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder)
        (folder / "stranger").mkdir()
        stranger = Authority(folder / "stranger", "a stranger")
        server = self.authority.issue("localhost", "localhost", "127.0.0.1")
        (self.port,) = free_ports(1)
        tls = {
            "certificate": str(server.certificate), "key": str(server.key), "client_ca": str(self.authority.file),
            "permitted": ["*.example.org"],
        }  # fmt: skip
        door = {"name": "door", "type": "tls", "listen": f"127.0.0.1:{self.port}", "tls": tls}
        self.receiver = ReceiverProcess.with_syslog(folder / "receiver", door)
        self.clients: dict[str, Files | None] = {
            "good": self.authority.issue("web-1", "web-1.example.org"),
            "expired": self.authority.issue("web-2", "web-2.example.org", days=-1),
            "wrong-authority": stranger.issue("web-3", "web-3.example.org"),
            "none": None,
            "not-permitted": self.authority.issue("web-4", "web-4.example.net"),
        }

    def rejected(self, reason: str) -> float:
        name = f'audit_receiver_connections_rejected_total{{listener="door",reason="{reason}"}}'
        return self.receiver.metrics()[name]

    @contextmanager
    def refusing(self, kind: str) -> Iterator[None]:
        """What happens meanwhile is refused for the kind's reason, counted and logged; nothing of it is stored."""
        reason = KINDS[kind]
        before = self.rejected(reason)
        yield
        wait_for(lambda: self.rejected(reason) > before, what=f"{kind} refused: {reason}")
        assert self.receiver.stored() == 0
        assert "listener door: refused 127.0.0.1" in self.receiver.log

    def assert_good_is_stored(self) -> None:
        """With the identity that the certificate gives."""
        (event,) = self.receiver.wait_events(1)
        assert str(event["message"]).strip() == "by good"
        assert str(event["peer_identity"]).startswith("CN=web-1, SAN=web-1.example.org, sha-256:")


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    made = Door(tmp_path)
    with made.receiver:
        made.receiver.start()
        yield made
        assert made.receiver.stop() == 0


def s_client(door: Door, files: Files | None, line: str, *options: str) -> subprocess.CompletedProcess[bytes]:
    """Send one line with OpenSSL's own client."""
    shown = ("-cert", str(files.certificate), "-key", str(files.key)) if files else ()
    arguments = [
        "openssl", "s_client", "-connect", f"127.0.0.1:{door.port}", "-CAfile", str(door.authority.file),
        "-verify_return_error", "-verify_ip", "127.0.0.1", *shown, *options,
    ]  # fmt: skip
    data = f"{line}\n".encode()
    return subprocess.run(arguments, input=data, capture_output=True, timeout=PATIENCE_SECONDS, check=False)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client(door: Door, version: str) -> None:
    # Both versions: 1.3 lets a client send before it is told that it may not.
    for kind in KINDS:
        with door.refusing(kind):
            s_client(door, door.clients[kind], LINE.format(kind), version)
    s_client(door, door.clients["good"], LINE.format("good"), version)
    door.assert_good_is_stored()


def test_old_versions_and_weak_ciphers_are_refused(door: Door) -> None:
    # By a client that would take them.
    weak = "ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0"
    for version, ciphers in (("-tls1", "ALL:@SECLEVEL=0"), ("-tls1_1", "ALL:@SECLEVEL=0"), ("-tls1_2", weak)):
        with door.refusing("none"):
            done = s_client(door, door.clients["good"], LINE.format("good"), version, "-cipher", ciphers)
            assert done.returncode != 0


@pytest.mark.parametrize("driver", ["gtls", "ossl"])
def test_rsyslog(rsyslogd: str, door: Door, tmp_path: Path, driver: str) -> None:
    # Both of its TLS drivers.
    for kind in KINDS:
        with door.refusing(kind), forwarding(rsyslogd, door, tmp_path / kind, driver, kind):
            pass
    with forwarding(rsyslogd, door, tmp_path / "good", driver, "good"):
        door.assert_good_is_stored()


@contextmanager
def forwarding(rsyslogd: str, door: Door, folder: Path, driver: str, kind: str) -> Iterator[None]:
    """Run an rsyslogd with that certificate, and let it forward one line."""
    folder.mkdir()
    files = door.clients[kind]
    global_tls = f'defaultNetstreamDriverCAFile="{door.authority.file}"'
    if files is not None:
        global_tls += (
            f' defaultNetstreamDriverCertFile="{files.certificate}" defaultNetstreamDriverKeyFile="{files.key}"'
        )
    options = (
        f'protocol="tcp" TCP_Framing="octet-counted" StreamDriver="{driver}" StreamDriverMode="1" '
        'StreamDriverAuthMode="x509/name" StreamDriverPermittedPeers="localhost"'
    )
    config = configure(folder, door.port, options, SYSLOG_PROTOCOL, global_tls)
    before = sum(door.rejected(reason) for reason in set(KINDS.values()))
    with running(command(rsyslogd, folder, config), folder / "rsyslogd.log"):
        wait_for((folder / "log").exists, what="rsyslogd")
        send(folder, LINE.format(kind))
        if kind != "good":
            wait_for(lambda: sum(door.rejected(r) for r in set(KINDS.values())) > before, what="an attempt")
        yield
