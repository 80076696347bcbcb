"""util-linux logger, as scripts call it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from tests.kit.process import ReceiverProcess

pytestmark = [pytest.mark.system, pytest.mark.senders]

TEXT = "Accepted password for alice from 192.0.2.7 port 51022 ssh2"


class Case(NamedTuple):
    id: str
    options: tuple[str, ...]
    transport: str
    format: str


CASES = [
    Case("udp-5424", ("--udp",), "udp", "rfc5424"),
    Case("udp-3164", ("--udp", "--rfc3164"), "udp", "rfc3164"),
    Case("tcp-5424", ("--tcp",), "tcp", "rfc5424"),
    Case("tcp-3164", ("--tcp", "--rfc3164"), "tcp", "rfc3164"),
    Case("tcp-5424-counted", ("--tcp", "--octet-count"), "tcp", "rfc5424"),
    Case("tcp-3164-counted", ("--tcp", "--octet-count", "--rfc3164"), "tcp", "rfc3164"),
]


def log(logger: str, receiver: ReceiverProcess, *options: str, text: str = TEXT) -> None:
    server = ("--server", "127.0.0.1", "--port", str(receiver.port))
    subprocess.run([logger, *server, *options, text], check=True, timeout=PATIENCE_SECONDS)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_login_sent_by_logger_is_an_audit_event(logger: str, receiver: ReceiverProcess, case: Case) -> None:
    # Whatever transport, framing and format: the same who, what and whence.
    log(logger, receiver, *case.options, "--tag", "sshd", "--priority", "auth.info", "--id=4242")
    (event,) = receiver.wait_events(1)
    found = {name: event[name] for name in ("actor", "action", "outcome", "source_ip", "source_port")}
    assert found == {
        "actor": "alice", "action": "auth.login", "outcome": "success", "source_ip": "192.0.2.7", "source_port": 51022,
    }  # fmt: skip
    assert (event["app"], event["pid"], event["facility"], event["severity"]) == ("sshd", "4242", 4, 6)
    assert (event["transport"], event["format"], event["parse_status"]) == (case.transport, case.format, "ok")
    assert event["message"] == TEXT


def test_structured_data_sent_by_logger_is_kept_and_read(logger: str, receiver: ReceiverProcess) -> None:
    # --sd-id/--sd-param, with the escapes logger leaves to its user.
    options = ("--udp", "--rfc5424", "--msgid", "AUDIT", "--sd-id", "audit@32473")
    params = ("--sd-param", 'actor="bob"', "--sd-param", 'note="a \\"quoted\\" \\] bracket"')
    log(logger, receiver, *options, *params, text="role changed")
    (event,) = receiver.wait_events(1)
    assert (event["actor"], event["msgid"], event["message"]) == ("bob", "AUDIT", "role changed")
    assert event["data"]["structured_data"]["audit@32473"] == {"actor": "bob", "note": 'a "quoted" ] bracket'}


def test_every_line_of_a_file_arrives_in_order(
    logger: str, receiver: ReceiverProcess, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # `logger -f` over one TCP connection.
    lines = [f"line {number}" for number in range(300)]
    file = tmp_path_factory.mktemp("lines") / "lines"
    file.write_text("".join(f"{line}\n" for line in lines))
    subprocess.run(
        [logger, "--server", "127.0.0.1", "--port", str(receiver.port), "--tcp", "--octet-count", "--file", str(file)],
        check=True, timeout=PATIENCE_SECONDS,
    )  # fmt: skip
    events = receiver.wait_events(300)
    assert [event["message"] for event in sorted(events, key=lambda event: event["seq"])] == lines
