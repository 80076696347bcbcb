"""What Python programs send with: the standard library's SysLogHandler and a GELF client library."""

from __future__ import annotations

import logging
import logging.handlers
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pygelf
import pytest

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
