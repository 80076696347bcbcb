"""SIGTERM and SIGHUP under senders that do not stop: what was read or lay in the kernel's buffers is stored."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.kit.process import ROOT, ReceiverProcess, free_ports, wait_for
from tests.kit.senders import DatagramSender, LineSender, RelpSender
from tests.kit.stores import read
from tests.system.test_life import assert_conserved

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

STOP_SECONDS = int(
    re.findall(r"^TimeoutStopSec=(\d+)$", (ROOT / "systemd/audit-receiver.service").read_text(), re.MULTILINE)[0]
)


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    relp = {"name": "relp", "type": "relp", "listen": f"127.0.0.1:{free_ports(1)[0]}"}
    with ReceiverProcess.with_syslog(tmp_path, relp, limits={"udp_receive_buffer": "4MiB"}) as receiver:
        yield receiver.start()


def relp_port(receiver: ReceiverProcess) -> int:
    return int(receiver.settings["listeners"][2]["listen"].rpartition(":")[2])


def kernel_drops(receiver: ReceiverProcess) -> int:
    """Of its UDP socket, as the kernel counts them (proc(5), /proc/net/udp)."""
    rows = [line.split() for line in Path("/proc/net/udp").read_text().splitlines()[1:]]
    (drops,) = [int(row[-1]) for row in rows if row[1].endswith(f":{receiver.port:04X}")]
    return drops


def by_sender(receiver: ReceiverProcess) -> dict[str, list[int]]:
    """The numbers of what each sender of `kit.senders` has stored, in the log's order."""
    found: dict[str, list[int]] = {}
    for event in read(receiver.store):
        if event.app in {"line", "datagram", "relp"} and event.parse_status == "ok":  # whole
            name, number = str(event.message).split()[:2]
            found.setdefault(name, []).append(int(number))
    return found


def test_sigterm_under_full_load_loses_nothing_that_had_come(receiver: ReceiverProcess) -> None:
    # Four streams, four of datagrams and RELP go on and on. At the signal the receiver is held for a moment, so that we
    # know to the byte what its kernel has taken: all of that is stored, and a line cut by the stop is `partial`.
    gate = threading.Lock()
    with ExitStack() as stack:
        lines = [stack.enter_context(LineSender(receiver.port, f"line{number}", pad=900)) for number in range(4)]
        datagrams = [DatagramSender(receiver.port, f"datagram{number}", gate, 900, 0.01) for number in range(4)]
        for sender in datagrams:
            stack.enter_context(sender)
        relp = stack.enter_context(RelpSender(relp_port(receiver), "relp"))
        wait_for(lambda: len(relp.acknowledged) > 500 and receiver.stored() > 5_000, what="full load")
        receiver.signal(signal.SIGSTOP)
        with gate:
            sent = {sender.name: sender.sent for sender in datagrams}
            dropped_by_kernel = kernel_drops(receiver)
        taken = {sender.name: sender.acked_lines() for sender in lines}
        receiver.signal(signal.SIGTERM)
        started = time.monotonic()
        receiver.signal(signal.SIGCONT)
        assert receiver.wait_exit(STOP_SECONDS) == 0, receiver.log
        took = time.monotonic() - started
    assert took < STOP_SECONDS
    stored = by_sender(receiver)
    for name, count in taken.items():
        assert stored[name][:count] == list(range(1, count + 1)), name
        assert stored[name] == list(range(1, len(stored[name]) + 1)), name
    found = sum(sum(number <= count for number in stored[name]) for name, count in sent.items())
    dropped = receiver.totals()["dropped"]
    lost = sum(sent.values()) - found
    assert dropped_by_kernel <= lost <= dropped_by_kernel + dropped
    cut = [event for event in read(receiver.store) if event.parse_status != "ok"]
    assert len(cut) <= len(lines)
    assert all("incomplete" in json.loads(event.data)["wire"]["defects"] for event in cut)
    assert {int(text.split()[1]) for text in relp.acknowledged} <= set(stored["relp"])
    assert relp.ends[0] == b"0 serverclose 0"
    assert receiver.totals()["received"] == receiver.totals()["stored"] + dropped


def test_sigterm_keeps_every_datagram_that_lay_in_the_kernel(receiver: ReceiverProcess) -> None:
    # While it is held the kernel takes as many as it has room for; then the signal, and senders that go on meanwhile.
    count = 5_000
    with ExitStack() as stack:
        receiver.signal(signal.SIGSTOP)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(1, count + 1):
                sock.sendto(b"<13>1 - - datagram - - - known %d" % number, ("127.0.0.1", receiver.port))
        taken = count - kernel_drops(receiver)
        for number in range(4):
            stack.enter_context(DatagramSender(receiver.port, f"more{number}", breath_seconds=0.02))
        receiver.signal(signal.SIGTERM)
        receiver.signal(signal.SIGCONT)
        assert receiver.wait_exit(STOP_SECONDS) == 0, receiver.log
    assert taken > 100
    assert by_sender(receiver)["known"] == list(range(1, taken + 1))
    assert receiver.totals()["dropped"] == 0


def answers(receiver: ReceiverProcess) -> int:
    """How many reloads it has answered for."""
    return len(re.findall("configuration re-read|is refused", receiver.log))


def test_sighup_under_full_load_loses_nothing(receiver: ReceiverProcess) -> None:
    # Reloads, one of them refused, one that closes a door: streams and RELP lose nothing, datagrams not one uncounted.
    (port,) = free_ports(1)
    count = 30_000
    with ExitStack() as stack:
        lines = [stack.enter_context(LineSender(receiver.port, f"line{number}", count)) for number in range(2)]
        relp = stack.enter_context(RelpSender(relp_port(receiver), "relp"))
        datagrams = stack.enter_context(DatagramSender(receiver.port, "datagram"))
        good = receiver.settings["listeners"]
        changes: list[Any] = [
            [*good, {"name": "more", "type": "tcp", "listen": f"127.0.0.1:{port}"}],
            "rubbish",
            good,
            [{**good[0], "zone": "Asia/Tokyo"}, *good[1:]],
        ]
        for number, change in enumerate(changes, 1):
            receiver.settings["listeners"] = change
            receiver.write_config()
            receiver.signal(signal.SIGHUP)
            # Not any line: a loss may be told meanwhile, and a signal sent before the reload would be one with it.
            wait_for(lambda number=number: answers(receiver) == number, what="the reload, or its refusal")
            wait_for(lambda number=number: receiver.stored() > number * 5_000, what="load goes on")
            assert_conserved(receiver.metrics())
        receiver.settings["listeners"] = good
        for sender in lines:
            sender.join()
        for sender in (relp, datagrams):
            sender.stopping.set()
            sender.join()
        metrics = wait_for(lambda: (m := receiver.metrics())["audit_receiver_events_in_flight"] == 0 and m)
        lost = metrics["audit_receiver_events_dropped_total"] + metrics["audit_receiver_udp_kernel_drops_total"]
        assert receiver.stop() == 0
    stored = by_sender(receiver)
    assert {name: len(stored[name]) for name in ("line0", "line1")} == {"line0": count, "line1": count}
    assert all(stored[name] == list(range(1, count + 1)) for name in ("line0", "line1"))
    assert {int(text.split()[1]) for text in relp.acknowledged} <= set(stored["relp"])
    assert len(stored["datagram"]) + lost == datagrams.sent
    assert receiver.log.count("is refused") == 1
    assert receiver.log.count("configuration re-read") == 3
    assert "Traceback" not in receiver.log
