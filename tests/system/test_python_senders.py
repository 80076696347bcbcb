"""What Python programs send with: the standard library's SysLogHandler and a GELF client library."""

from __future__ import annotations

import logging
import logging.handlers
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pygelf
import pytest

from tests.kit.process import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.kit.process import ReceiverProcess

NOTE = "".join(f"{number * number} " for number in range(300))
"""Not so repetitive that compression makes one chunk of it."""

pytestmark = [pytest.mark.system, pytest.mark.senders]


@contextmanager
def logging_to(handler: logging.Handler) -> Iterator[logging.Logger]:
    """Give a logger of this handler alone; closed afterwards."""
    log = logging.Logger("payroll")  # noqa: LOG001 - not in the tree of loggers: nobody else hears it
    log.addHandler(handler)
    try:
        yield log
    finally:
        handler.close()


@pytest.mark.parametrize(("kind", "transport"), [(socket.SOCK_DGRAM, "udp"), (socket.SOCK_STREAM, "tcp")])
def test_sysloghandler(receiver: ReceiverProcess, kind: socket.SocketKind, transport: str) -> None:
    # It writes a priority and the text, no header, and ends messages with NUL.
    handler = logging.handlers.SysLogHandler(
        ("127.0.0.1", receiver.port), logging.handlers.SysLogHandler.LOG_AUTH, kind
    )
    with logging_to(handler) as log:
        log.warning('{"user": "erin", "action": "data.query", "ip": "192.0.2.44"}')
        log.error("naïve café")
        events = sorted(receiver.wait_events(2), key=lambda event: event["seq"])
    exported, text = events
    assert {event["transport"] for event in events} == {transport}
    assert (exported["actor"], exported["action"], exported["source_ip"]) == ("erin", "data.query", "192.0.2.44")
    assert (exported["facility"], exported["severity"]) == (4, 4)
    assert text["severity"] == 3
    assert text["message"] == "naïve café"


def counted_handler(port: int) -> logging.Handler:
    """Make the handler that the README shows."""
    text = (ROOT / "README.md").read_text().partition("<!-- counted -->\n```python\n")[2].partition("```")[0]
    names: dict[str, Any] = {}
    exec(text.partition("logging.getLogger()")[0], names)
    return names["CountedSyslog"]("127.0.0.1", port)


FORGED = "%d came\n<86>sshd[1]: Accepted password for root from 192.0.2.66 port 1 ssh2"


def test_text_of_several_lines_is_one_counted_message(receiver: ReceiverProcess) -> None:
    # A traceback stays whole, and who gets a line's end into a log writes no event of his own.
    with logging_to(counted_handler(receiver.port)) as log:
        for number in range(20):
            log.warning(FORGED, number)
        try:
            raise RuntimeError("no such account")
        except RuntimeError:
            log.exception("failed")
        events = sorted(receiver.wait_events(21), key=lambda event: event["seq"])
    assert [event["message"] for event in events[:20]] == [FORGED % number for number in range(20)]
    assert {event["action"] for event in events} == {None}
    assert "Traceback" in events[20]["message"]
    assert events[20]["message"].endswith("RuntimeError: no such account")
    assert {event["app"] for event in events} == {"payroll"}
    assert [event["severity"] for event in events] == [4] * 20 + [3]


@pytest.mark.parametrize("compress", [True, False], ids=["zlib", "plain"])
@pytest.mark.parametrize("size", ["small", "chunked"])
def test_gelf_over_udp(receiver: ReceiverProcess, size: str, *, compress: bool) -> None:
    # pygelf's datagrams: compressed or not, whole or in many chunks.
    handler = pygelf.GelfUdpHandler(
        "127.0.0.1", receiver.port, compress=compress, chunk_size=100 if size == "chunked" else 8000,
        include_extra_fields=True, static_fields={"_app": "payroll"},
    )  # fmt: skip
    with logging_to(handler) as log:
        log.error("salary changed", extra={"user": "frank", "action": "data.write", "ip": "192.0.2.45", "note": NOTE})
        (event,) = receiver.wait_events(1)
    assert (event["transport"], event["format"], event["parse_status"]) == ("udp", "gelf", "ok")
    assert (event["actor"], event["action"], event["source_ip"]) == ("frank", "data.write", "192.0.2.45")
    assert (event["message"], event["severity"], event["data"]["_note"]) == ("salary changed", 3, NOTE)


def test_gelf_over_tcp(receiver: ReceiverProcess) -> None:
    # NUL-ended objects on one connection.
    handler = pygelf.GelfTcpHandler("127.0.0.1", receiver.port, include_extra_fields=True)
    with logging_to(handler) as log:
        for number in range(50):
            log.info("request %d", number, extra={"user": f"user{number}", "note": NOTE})
        events = sorted(receiver.wait_events(50), key=lambda event: event["seq"])
    assert {event["format"] for event in events} == {"gelf"}
    assert [event["actor"] for event in events] == [f"user{number}" for number in range(50)]
    assert [event["message"] for event in events] == [f"request {number}" for number in range(50)]
    assert events[0]["parse_status"] == "ok"
