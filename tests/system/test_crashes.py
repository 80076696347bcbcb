"""`kill -9`, again and again, under senders that are answered: what was acknowledged is stored, every time."""

from __future__ import annotations

import os
import random
import signal
from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from receiver.store import Filter, Reader
from tests.kit.process import ReceiverProcess, free_ports, wait_for
from tests.kit.senders import DatagramSender, HttpSender, RelpSender
from tests.kit.stores import messages_by_app

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system

KILLS = int(os.environ.get("AUDIT_RECEIVER_KILLS", "30"))
"""300 in a nightly run."""
WINDOW = 64
TOKEN = "a-token-for-this-test"


def doors(folder: Path) -> tuple[ReceiverProcess, int, int]:
    """A receiver with the two doors that answer; segments are so small that many kills meet a rotation or a sealing."""
    relp, http = free_ports(2)
    (folder / "tokens").write_text(f"sender: {TOKEN}\n")
    receiver = ReceiverProcess.with_syslog(
        folder / "receiver",
        {"name": "relp", "type": "relp", "listen": f"127.0.0.1:{relp}"},
        {"name": "http", "type": "http", "listen": f"127.0.0.1:{http}", "tokens": [str(folder / "tokens")]},
        store={"path": "store", "min_free_bytes": 0, "segment": {"max_events": 1_500}},
        evidence={"checkpoint_interval": 1},
    )
    return receiver, relp, http


@pytest.mark.timeout(3600)
def test_kill_9_loses_nothing_acknowledged_and_stores_no_named_event_twice(tmp_path: Path) -> None:
    # RELP and HTTP senders resend what had no answer. RELP has no identity: a window may repeat, once a kill; HTTP has.
    chance = random.Random(20261127)
    receiver, relp_port, http_port = doors(tmp_path)
    with receiver, ExitStack() as stack:
        receiver.start()
        relp = stack.enter_context(RelpSender(relp_port, "relp", window=WINDOW))
        http = stack.enter_context(HttpSender(http_port, "http", TOKEN))
        stack.enter_context(DatagramSender(receiver.port, "datagram", breath_seconds=0.05))
        for kill in range(KILLS):
            wanted = [len(sender.acknowledged) + chance.randrange(1, 200) for sender in (relp, http)]
            wait_for(
                lambda wanted=wanted: len(relp.acknowledged) >= wanted[0] and len(http.acknowledged) >= wanted[1],
                what="some more acknowledged",
            )  # fmt: skip
            receiver.signal(signal.SIGKILL)
            assert receiver.wait_exit() == -signal.SIGKILL
            receiver.start()
            if kill % 10 == 0:
                assert len(receiver.query("--limit", "1")) == 1
            assert len(list(Reader(receiver.store).select(Filter(), limit=1))) == 1
        relp.stopping.set()
        http.stopping.set()
        relp.join()
        http.join()
        assert receiver.stop() == 0, receiver.log
    found = messages_by_app(receiver.store)
    assert http.acknowledged <= set(found["http"])
    assert relp.acknowledged <= set(found["relp"])
    assert [text for text, times in Counter(found["http"]).items() if times > 1] == []
    assert len(found["relp"]) - len(set(found["relp"])) <= KILLS * WINDOW
    assert receiver.ask("verify").returncode == 0
    assert "Traceback" not in receiver.log
    assert "altered or rolled back" not in receiver.log
