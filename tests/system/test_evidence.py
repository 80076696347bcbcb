"""Evidence on the real process: killed at random instants, asked by its commands, convicted by what left it."""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import threading
from typing import TYPE_CHECKING, Any

import pytest

from receiver.cli.verify import notes_in
from receiver.control import ask
from receiver.errors import ReceiverError
from receiver.evidence.checkpoint import Checkpoint
from receiver.evidence.note import parse_note
from receiver.verify.verification import Question, verify
from tests.kit.process import COMMAND, ROOT, ReceiverProcess, wait_for
from tests.kit.stores import content_of
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_promises import BLOCKS, connected, pouring

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system

CRASHES = int(os.environ.get("AUDIT_RECEIVER_CRASHES", "10"))
"""How often it is killed; 200 in a nightly run."""
SEED = int(os.environ.get("AUDIT_RECEIVER_SEED", "20261123"))
"""Which instants; another one in each nightly run."""


def command(*args: object) -> subprocess.CompletedProcess[bytes]:
    done = subprocess.run(
        [*COMMAND, *map(str, args)], capture_output=True, cwd=ROOT, timeout=PATIENCE_SECONDS, check=False,
        env={**os.environ, "AUDIT_RECEIVER_TRACEBACK": "1"},
    )  # fmt: skip
    assert b"Traceback" not in done.stderr, done.stderr
    return done


def published(path: Path) -> list[tuple[str, bytes]]:
    """Every checkpoint that left the machine."""
    if not path.exists():
        return []
    return [(str(path), note) for note in notes_in(path.read_bytes()) if note.endswith(b"\n")]


def assert_one_root_each(notes: list[tuple[str, bytes]]) -> None:
    """Of no size two roots were signed."""
    roots: dict[tuple[str, int], bytes] = {}
    for _, note in notes:
        found = Checkpoint.parse(parse_note(note).text)
        assert roots.setdefault((found.origin, found.size), found.root) == found.root


def prune_due(receiver: ReceiverProcess) -> bool:
    """Let what is due be removed now; tells whether anything ever was since the start."""
    ask(receiver.store, "prune")
    return receiver.metrics()["audit_receiver_segments_removed_total"] > 0


@contextlib.contextmanager
def redacting(receiver: ReceiverProcess, chance: random.Random) -> Iterator[threading.Event]:
    """Somebody who redacts and signs all the time, here and there in the log; gives what is set when it begins."""
    done, begun = threading.Event(), threading.Event()

    def work() -> None:
        while not done.wait(0.05):
            with contextlib.suppress(ReceiverError, LookupError, OSError, ValueError):
                size = ask(receiver.store, "checkpoint", seconds=5)["size"] or 0
                first = max(0, size - chance.randrange(4, 4000))
                begun.set()
                ask(receiver.store, "redact", seconds=5, seqs=[[first, first + 3]], reason="test")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield begun
    finally:
        done.set()
        thread.join(PATIENCE_SECONDS)
        assert not thread.is_alive()


@pytest.mark.timeout(3600)
def test_killed_at_random_instants_it_always_verifies(tmp_path: Path) -> None:
    # Under load, while segments are sealed, removed, redacted and signed.
    chance = random.Random(SEED)
    copies = tmp_path / "checkpoints"
    receiver = ReceiverProcess.with_syslog(
        tmp_path,
        store={"path": "store", "min_free_bytes": 0, "segment": {"max_events": 1500}},
        evidence={"checkpoint_interval": 1},
        retention={"max_bytes": "3MiB"},
        publish=[{"name": "copies", "type": "file", "to": str(copies)}],
    )
    with receiver:
        for crash in range(CRASHES):
            receiver.start()
            with pouring(receiver, BLOCKS[0], connections=1), redacting(receiver, chance) as begun:
                if crash % 2:
                    begun.wait(PATIENCE_SECONDS)  # else on a slow machine no redaction would ever come this far
                threading.Event().wait(chance.uniform(0.05, 1.2))
                receiver.signal(signal.SIGKILL)
                assert receiver.wait_exit() == -signal.SIGKILL
            notes = published(copies)
            assert_one_root_each(notes)
            report = verify(Question(receiver.store, copies=tuple(notes), processes=1)).report
            assert report.problems == [], (crash, report.problems)
        receiver.start()
        assert "altered or rolled back" not in receiver.log
        wait_for(lambda: receiver.metrics()["audit_receiver_redactions_pending"] == 0, what="what was begun, finished")
        with pouring(receiver, BLOCKS[0], connections=1):  # on a slow machine it may not have been enough so far
            wait_for(lambda: prune_due(receiver), what="something removed")
        with connected(receiver) as sock:
            sock.sendall(b"<13>1 - - app - - - in the live segment, which retention lets be\n" * 10)
        # Others' events and the receiver's own acts lie among them.
        live = wait_for(lambda: len(found := receiver.events("--contains", "which retention lets be")) == 10 and found)
        ask(receiver.store, "checkpoint")
        ask(receiver.store, "redact", seqs=[[event["seq"], event["seq"]] for event in live[-2:]], reason="test")
        assert receiver.stop() == 0
    report = verify(Question(receiver.store, copies=tuple(published(copies)), processes=1)).report
    assert report.problems == []
    assert report.tail == 0
    assert report.absent > 0
    assert report.redacted > 0


@pytest.fixture
def signed(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """A receiver with some events, signed."""
    evidence = {"checkpoint_interval": 1, "origin": "audit.example.org/log"}
    receiver = ReceiverProcess.with_syslog(tmp_path, evidence=evidence)
    with receiver:
        receiver.start()
        with connected(receiver) as sock:
            line = b"<86>1 - web sshd %d - - Failed password for user%d from 203.0.113.9 port 1 ssh2\n"
            sock.sendall(b"".join(line % (n, n % 7) for n in range(500)))
            receiver.wait_stored(500)
        ask(receiver.store, "checkpoint")
        yield receiver


def key_of(receiver: ReceiverProcess) -> str:
    done = command("version", "--config", receiver.config)
    return done.stdout.decode().splitlines()[1]


def test_the_commands_of_an_auditor(signed: ReceiverProcess, tmp_path: Path) -> None:
    # Beside the running receiver: verify, prove, check the proof with nothing but the key; and the README's verifier.
    key = key_of(signed)
    done = command("verify", "--config", signed.config, "--key", key)
    assert (done.returncode, done.stderr) == (0, b"")
    assert re.search(rb"verified: \d+ of \d+ events", done.stdout)
    (seq,) = [event["seq"] for event in signed.events("--actor", f"user{76 % 7}") if event["pid"] == "76"]
    proof = command("prove", seq, "--store", signed.store)
    assert proof.returncode == 0
    (tmp_path / "event.proof").write_bytes(proof.stdout)
    checked = command("check-proof", tmp_path / "event.proof", "--key", key)
    assert checked.returncode == 0, checked.stderr
    event = json.loads(checked.stdout.splitlines()[0])
    assert (event["seq"], event["actor"]) == (seq, f"user{76 % 7}")
    broken = proof.stdout.replace(b"index %d" % seq, b"index %d" % (seq + 1))
    assert broken != proof.stdout
    (tmp_path / "broken.proof").write_bytes(broken)
    assert command("check-proof", tmp_path / "broken.proof", "--key", key).returncode == 1
    verifier = tmp_path / "verify.py"
    verifier.write_text(readme_verifier())
    assert len(readme_verifier().splitlines()) <= 60
    for name, code in (("event", 0), ("broken", 1)):
        alone = [COMMAND[0], verifier, tmp_path / f"{name}.proof", key]
        done = subprocess.run(alone, capture_output=True, check=False, timeout=PATIENCE_SECONDS)
        assert done.returncode == code, done.stderr
    assert command("prove", "10000000", "--store", signed.store).returncode == 2


def readme_verifier() -> str:
    text = (ROOT / "README.md").read_text()
    return text.split("<!-- verifier -->\n```python\n")[1].split("```")[0]


def test_old_checkpoints_are_tied_to_new_ones(signed: ReceiverProcess, tmp_path: Path) -> None:
    # What an auditor kept from before is the beginning of what is there now.
    old = tmp_path / "old.checkpoint"
    old.write_bytes((tmp_path / "keys" / "store.checkpoint").read_bytes())
    with connected(signed) as sock:
        sock.sendall(b"<13>1 - - app - - - more\n" * 300)
        signed.wait_stored(800)
    ask(signed.store, "checkpoint")
    new = (tmp_path / "keys" / "store.checkpoint").read_bytes()
    sizes = [Checkpoint.parse(parse_note(note).text).size for note in (old.read_bytes(), new)]
    proof = command("prove", "--consistency", *sizes, "--store", signed.store)
    assert proof.returncode == 0, proof.stderr
    (tmp_path / "grown").write_bytes(proof.stdout)
    done = command("check-proof", tmp_path / "grown", "--old", old, "--key", key_of(signed))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("running", [True, False], ids=["running", "stopped"])
def test_redact_hold_and_prune_with_and_without_a_receiver(signed: ReceiverProcess, *, running: bool) -> None:
    # The same commands, the same words; who asked stands in the log.
    if not running:
        assert signed.stop() == 0
    where = ("--config", signed.config)
    done = command("redact", "--actor", "user3", "--reason", "request 7", *where)
    assert done.returncode == 0, done.stderr
    assert b"redacted: 71 events" in done.stdout
    assert not any(b"for user3 from" in data for data in content_of(signed.store).values())
    assert command("hold", "add", "--actor", "user4", "--reason", "case", *where).stdout == b"hold 1 added\n"
    assert b"--actor user4" in command("hold", "list", *where).stdout
    done = command("redact", "--actor", "user4", "--reason", "x", *where)
    assert done.returncode == 2
    assert b"kept by legal hold 1" in done.stderr
    assert command("hold", "remove", "1", *where).returncode == 0
    assert command("hold", "add", "--source-ip", "0.0.0.0/0", "--reason", "case", *where).returncode == 0
    assert b"--source-ip 0.0.0.0/0" in command("hold", "list", *where).stdout
    done = command("redact", "--actor", "user4", "--reason", "x", *where)
    assert b"kept by legal hold 2" in done.stderr
    assert command("hold", "remove", "2", *where).returncode == 0
    assert command("prune", *where).stdout == b"nothing is due\n"
    assert command("verify", *where).returncode == 0
    found = command("query", "--json", "--limit", "all", "--action", "log.redact", *where)
    (event,) = [json.loads(line) for line in found.stdout.splitlines()]
    assert (event["actor"], event["reason"]) == ("root" if os.getuid() == 0 else event["actor"], "request 7")


def test_who_reads_is_noted(signed: ReceiverProcess) -> None:
    # And can be switched off.
    command("query", "--actor", "user5", "--store", signed.store)
    command("query", "--actor", "user6", "--json", "--store", signed.store)
    done = command("query", "--json", "--action", "log.*", "--store", signed.store)
    events: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    readings = [event for event in events if event["action"] in {"log.query", "log.export"}]
    noted = {event["action"]: event["data"]["asked"] for event in readings}
    assert noted == {"log.query": {"actor": "user5"}, "log.export": {"actor": "user6"}}
    signed.settings["evidence"]["note_queries"] = False
    assert signed.stop() == 0
    signed.start()
    before = signed.get("/metrics")
    command("query", "--actor", "user5", "--store", signed.store)
    done = command("query", "--json", "--action", "log.query", "--store", signed.store)
    assert len(done.stdout.splitlines()) == 1
    assert before


def test_a_backup_can_be_put_back(signed: ReceiverProcess, tmp_path: Path) -> None:
    # Copied while it runs, refused when damaged; what was redacted since is redacted again, under a new name and key.
    where = ("--config", signed.config)
    key = key_of(signed)
    backup = tmp_path / "backup"
    for _ in range(2):
        done = command("backup", backup, *where)
        assert done.returncode == 0, done.stderr
    assert command("redact", "--seq", "5-7", "--reason", "request 8", *where).returncode == 0
    assert signed.stop() == 0
    signed.store.rename(tmp_path / "broken")
    damaged = next(backup.glob("0*.db"))
    whole = damaged.read_bytes()
    damaged.chmod(0o600)
    damaged.write_bytes(whole.replace(b"for user2 from", b"for user9 from", 1))
    assert command("restore", backup, *where).returncode == 1
    assert not signed.store.exists()
    damaged.write_bytes(whole)
    done = command("restore", backup, *where)
    assert done.returncode == 0, done.stderr
    assert b"/restored-1" in done.stdout
    assert b"1 ranges redacted again" in done.stdout
    signed.start()
    assert "altered or rolled back" not in signed.log
    assert signed.stop() == 0
    done = command("verify", *where)
    assert done.returncode == 0, done.stdout
    assert command("restore", backup, *where).returncode == 2  # there is something in its place
    # The restored log was signed by two keys, of two names: with both, or those beside the store, all of it verifies.
    assert command("verify", *where, "--key", key, "--key", key_of(signed)).returncode == 0
    done = command("backup", tmp_path / "second", *where)
    assert done.returncode == 0, done.stdout
    forged = command("keygen", "--store", tmp_path / "elsewhere" / "store").stdout.decode().splitlines()[0]
    signed.store.rename(tmp_path / "moved")
    assert command("restore", backup, *where, "--key", forged).returncode == 1
    assert not signed.store.exists()


def test_a_rolled_back_store_is_received_further_and_not_signed(signed: ReceiverProcess, tmp_path: Path) -> None:
    # Yesterday's copy in the place of today's: alarm, no signature, no event refused.
    assert signed.stop() == 0
    subprocess.run(["cp", "-a", signed.store, tmp_path / "yesterday"], check=True)
    signed.start()
    with connected(signed) as sock:
        sock.sendall(b"<13>1 - - app - - - today\n" * 50)
        signed.wait_stored(50)
    assert signed.stop() == 0
    signed.store.rename(tmp_path / "today")
    (tmp_path / "yesterday").rename(signed.store)
    checkpoint = (tmp_path / "keys" / "store.checkpoint").read_bytes()
    signed.start()
    with connected(signed) as sock:
        sock.sendall(b"<13>1 - - app - - - forged\n" * 500)
        signed.wait_stored(500)
    assert "audit_receiver_evidence_alarm 1.0" in signed.get("/metrics")[1]
    assert signed.stop() == 0
    assert "altered or rolled back" in signed.log
    assert (tmp_path / "keys" / "store.checkpoint").read_bytes() == checkpoint
    done = command("verify", "--config", signed.config)
    assert done.returncode == 1
    assert b"rolled back" in done.stdout or b"altered" in done.stdout
    # What happened was found out: a log begins anew, in an empty store, under a name of its own.
    signed.store.rename(tmp_path / "altered")
    done = command("keygen", "--anew", "--config", signed.config)
    assert done.stdout.startswith(b"audit.example.org/log/restored-1+")
    signed.start()
    assert signed.metrics()["audit_receiver_evidence_alarm"] == 0
    assert signed.stop() == 0
    done = command("verify", "--config", signed.config, "--key", done.stdout.decode().splitlines()[0])
    assert done.returncode == 0, done.stdout


def test_a_missing_evidence_db_is_no_new_log(signed: ReceiverProcess) -> None:
    # Checkpoints, holds and kept hashes stood in it: alarm, no signature, no event refused.
    assert signed.stop() == 0
    (signed.store / "evidence.db").unlink()
    done = command("verify", "--config", signed.config)
    assert (done.returncode, b"evidence.db: is missing" in done.stdout) == (1, True)
    signed.start()
    assert signed.metrics()["audit_receiver_evidence_alarm"] == 1
    assert "evidence.db was missing" in signed.log
    with connected(signed) as sock:
        sock.sendall(b"<13>1 - - app - - - still here\n")
        signed.wait_stored(1)


def test_keys_may_be_systemd_credentials(tmp_path: Path) -> None:
    # Made before and handed over: nothing private lies beside the store; a command that has them not signs nothing.
    elsewhere = ReceiverProcess.with_syslog(tmp_path / "elsewhere" / "x")
    elsewhere.write_config()
    assert command("keygen", "--config", elsewhere.config).returncode == 0
    made = elsewhere.folder / "keys"
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    for kind in ("key", "time.key"):
        (credentials / f"{'log.' if kind == 'key' else ''}{kind}").write_bytes((made / f"store.{kind}").read_bytes())
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver")
    receiver.environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    with receiver:
        receiver.start()
        assert receiver.stop() == 0
    assert [path.name for path in (receiver.folder / "keys").iterdir()] == ["store.checkpoint"]
    assert command("verify", "--config", receiver.config, "--key", key_of(elsewhere)).returncode == 0
    done = command("redact", "--seq", "0", "--reason", "x", "--config", receiver.config)
    assert (done.returncode, b"a systemd credential?" in done.stderr) == (2, True)
    assert command("verify", "--config", receiver.config, "--key", key_of(elsewhere)).returncode == 0


def test_a_changed_configuration_is_an_event_of_the_next_start(signed: ReceiverProcess) -> None:
    # Who edits it while the receiver is stopped is seen as well; starting again with the same one is no change.
    for setting in (True, False, False):
        signed.settings["evidence"]["note_queries"] = setting
        assert signed.stop() == 0
        signed.start()
    found = command("query", "--json", "--action", "config.change", "--store", signed.store).stdout.splitlines()
    (change,) = [json.loads(line)["data"] for line in found]
    found = command("query", "--json", "--action", "log.start", "--store", signed.store).stdout.splitlines()
    digests = [json.loads(line)["data"]["config"] for line in found]
    assert [change["config"], change["before"]] == [digests[0], digests[-1]] == [digests[1], digests[2]]


def test_a_rotated_key_is_trusted_by_the_old_one(signed: ReceiverProcess) -> None:
    # Both sign one checkpoint: who knows either can verify the whole log.
    old = key_of(signed)
    assert command("keygen", "--rotate", "--config", signed.config).returncode == 0
    assert signed.stop() == 0
    signed.start()
    assert signed.stop() == 0
    new = key_of(signed)
    assert new != old
    for key in (old, new):
        assert command("verify", "--config", signed.config, "--key", key).returncode == 0
    mistyped = new[:-6] + ("B" if new[-6] == "A" else "A") + new[-5:]
    assert command("verify", "--config", signed.config, "--key", mistyped).returncode == 2


def test_after_a_crash_the_log_says_so(signed: ReceiverProcess) -> None:
    # The next start names what came before it.
    signed.signal(signal.SIGKILL)
    signed.wait_exit()
    signed.start()
    done = command("query", "--json", "--action", "log.start", "--store", signed.store)
    starts = [json.loads(line)["data"]["after"] for line in done.stdout.splitlines()]
    assert starts == ["crash", "orderly stop"]
    wait_for(lambda: signed.get("/readyz")[0] == 200)
