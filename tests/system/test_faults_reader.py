"""A reader keeps its view of the log for long: storing and sealing go on, and what it is in the way of is told."""

from __future__ import annotations

import socket
import sqlite3
import subprocess
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.kit.process import COMMAND, ROOT, ReceiverProcess, wait_for
from tests.kit.stores import content_of
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_life import assert_conserved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

MIB = 1024 * 1024
SECRET = b"a name to be forgotten"


@contextmanager
def looking(path: Path) -> Iterator[sqlite3.Connection]:
    """Somebody with the sqlite3 tool, in a transaction."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM events").fetchone()
        yield reader


def send(receiver: ReceiverProcess, *texts: bytes) -> None:
    before = receiver.stored()
    with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
        sock.sendall(b"".join(b"<13>1 - - app - - - %s\n" % text for text in texts))
    receiver.wait_stored(before + len(texts))


def holds(receiver: ReceiverProcess, data: bytes) -> bool:
    """Look into every byte of the store."""
    return any(data in content for content in content_of(receiver.store, "0*").values())


def test_reader_that_holds_a_transaction_makes_the_log_grow_and_that_shows(tmp_path: Path) -> None:
    # The write-ahead log cannot be written back past its view: a metric shows it, and a segment's end bounds it.
    store = {"path": "store", "min_free_bytes": 0, "segment": {"max_events": 10_000}}
    with ReceiverProcess.with_syslog(tmp_path, store=store, evidence={"checkpoint_interval": 1}) as receiver:
        receiver.start()
        send(receiver, b"before")
        (live,) = receiver.store.glob("*-.db")
        with looking(live) as reader:
            (before,) = reader.execute("SELECT max(seq) FROM events").fetchone()
            send(receiver, *[b"%d %s" % (number, b"x" * 900) for number in range(9_000)])
            wait_for(lambda: receiver.metrics()["audit_receiver_store_wal_bytes"] > 8 * MIB, what="the metric shows it")
            assert receiver.get("/readyz")[0] == 200
            send(receiver, *[b"more %d" % number for number in range(9_000)])
            wait_for(lambda: not live.exists(), what="sealed under the reader")
            assert reader.execute("SELECT max(seq) FROM events").fetchone() == (before,)
        send(receiver, b"after")
        wait_for(lambda: receiver.metrics()["audit_receiver_store_wal_bytes"] < 8 * MIB, what="the metric falls")
        assert_conserved(receiver.metrics())
        assert receiver.stop() == 0
    assert len(receiver.events()) == 18_002
    assert receiver.ask("verify").returncode == 0


def test_reader_that_holds_a_transaction_keeps_a_redaction_pending_until_it_ends(tmp_path: Path) -> None:
    # Its view still has what is to be erased: `redact` waits, the metric says so, and then the bytes are gone.
    with ReceiverProcess.with_syslog(tmp_path, store={"path": "store", "min_free_bytes": 0}) as receiver:
        receiver.start()
        send(receiver, b"one", SECRET, b"three")
        (event,) = [event for event in receiver.events() if event["message"] == SECRET.decode()]
        (live,) = receiver.store.glob("*-.db")
        command = [*COMMAND, "redact", "--seq", str(event["seq"]), "--reason", "asked", "--store", str(receiver.store)]
        with looking(live):
            redacting = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
            wait_for(lambda: receiver.metrics()["audit_receiver_redactions_pending"] == 1, what="the metric says so")
            send(receiver, b"meanwhile")
            assert redacting.poll() is None
            assert holds(receiver, SECRET)
        said, _ = redacting.communicate(timeout=2 * PATIENCE_SECONDS)
        assert redacting.returncode == 0
        assert b"redacted: 1 event" in said
        assert not holds(receiver, SECRET)
        assert receiver.metrics()["audit_receiver_redactions_pending"] == 0
        assert receiver.stop() == 0
    assert receiver.ask("verify").returncode == 0
