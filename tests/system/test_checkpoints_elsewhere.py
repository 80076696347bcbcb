"""Checkpoints that left the machine, on real programs: what Prometheus recorded, what targets got, what witnesses sign.

Only these convict an attacker who has root here and the key.
"""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import threading
import urllib.parse
import urllib.request
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from receiver.cli.verify import notes_in
from receiver.control import ask
from receiver.evidence.checkpoint import Checkpoint, open_checkpoint
from receiver.evidence.keys import VerifierKey
from receiver.evidence.note import parse_note
from receiver.store.evidence_file import EvidenceFile
from receiver.store.segment import catalog
from tests.kit.attacks import edit, rebuild, sign_again
from tests.kit.process import COMMAND, ROOT, ReceiverProcess, free_ports, wait_for
from tests.kit.tls_files import TlsFiles
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.test_evidence import command, key_of
from tests.system.test_promises import connected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.system


def grow(receiver: ReceiverProcess, count: int = 300) -> int:
    """Send some events and have them signed; gives the size of the tree that was."""
    before = receiver.stored()
    with connected(receiver) as sock:
        sock.sendall(b"".join(b"<13>1 - web app - - - event %d\n" % n for n in range(count)))
        wait_for(lambda: receiver.stored() >= before + count, what="all of them stored")
    ask(receiver.store, "checkpoint")
    return int(receiver.metrics()["audit_receiver_tree_size"])


@contextmanager
def running(arguments: list[str], log: Path, *, stop: signal.Signals = signal.SIGTERM) -> Iterator[subprocess.Popen]:
    with log.open("ab") as output:
        process = subprocess.Popen(arguments, stdout=output, stderr=output, cwd=ROOT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(stop)
        process.wait(PATIENCE_SECONDS)


# --- Prometheus ---


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[str]:
    """The real server, from Debian, scraping once a second; gives its address."""
    (port,) = free_ports(1)
    folder.mkdir()
    job = {"job_name": "audit", "scrape_interval": "1s", "static_configs": [{"targets": [target]}]}
    (folder / "prometheus.yml").write_text(yaml.safe_dump({"scrape_configs": [job]}))
    arguments = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with running(arguments, folder / "log"):
        yield f"http://127.0.0.1:{port}"


def recorded(url: str, query: str) -> set[float]:
    """Every value that was scraped of something."""
    asked = urllib.parse.urlencode({"query": f"{query}[1h]"})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{asked}", timeout=PATIENCE_SECONDS) as answer:
            found: list[dict[str, Any]] = json.loads(answer.read())["data"]["result"]
    except OSError:
        return set()  # not up yet
    return {float(value) for series in found for _, value in series["values"]}


def test_what_prometheus_recorded_convicts_an_attacker_who_has_the_key(tmp_path: Path) -> None:
    # The log is rewritten and every checkpoint in reach signed anew: here nobody can tell, there it is on record.
    receiver = ReceiverProcess.with_syslog(tmp_path / "receiver", evidence={"checkpoint_interval": 3600})
    target = receiver.settings["http"]["listen"]
    with receiver, prometheus(tmp_path / "prometheus", target) as url:
        receiver.start()
        where = ("--config", receiver.config)
        sizes = [grow(receiver)]
        wait_for(lambda: sizes[0] in recorded(url, "audit_receiver_tree_size"), what="the first head recorded")
        sizes.append(grow(receiver))
        wait_for(lambda: sizes[1] in recorded(url, "audit_receiver_tree_size"), what="the second head recorded")
        assert receiver.stop() == 0
        done = command("verify", *where, "--prometheus", url)
        assert done.returncode == 0, done.stdout
        assert re.search(rb"; ([2-9]|\d\d) heads recorded by Prometheus", done.stdout)
        for match, code in ((f'instance="{target}"', 0), ('instance="elsewhere:1"', 2)):
            assert command("verify", *where, "--prometheus", url, "--match", match).returncode == code
        live = catalog(receiver.store)[-1].path
        edit(live, "UPDATE events SET message = 'nothing happened' WHERE seq = 20")
        sign_again(receiver.store, rebuild(receiver.store))
        assert command("verify", *where).returncode == 0
        done = command("verify", *where, "--prometheus", url)
        assert done.returncode == 1
        assert b"re-signed: " in done.stdout
        assert re.search(rb"Prometheus, at [\d-]+ [\d:]+ UTC, recorded another root of \d+ events", done.stdout)
        assert command("verify", *where, "--prometheus", "http://127.0.0.1:9").returncode == 2


# --- publish ---


class Sink(ThreadingHTTPServer):
    """An address that takes a POST, after refusing some."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.tokens: set[str | None] = set()
        self.refuse = 1
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: Sink

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.refuse -= 1
        if self.server.refuse >= 0:
            self.send_error(503, "later")
            return
        self.server.bodies.append(body)
        self.server.tokens.add(self.headers["Authorization"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def test_every_kind_of_target_gets_what_convicts(tmp_path: Path, sink: Sink) -> None:
    # A file, another receiver by UDP, TCP and TLS, an HTTP server that is busy at first: each has the last checkpoint.
    tls = TlsFiles.make(tmp_path / "tls")
    (port,) = free_ports(1)
    secured = {"name": "tls", "type": "tls", "listen": f"127.0.0.1:{port}"}
    secured["tls"] = {"certificate": str(tls.certificate), "key": str(tls.key)}
    other = ReceiverProcess.with_syslog(tmp_path / "other", secured)
    (tmp_path / "token").write_text("s3cret\n")
    copies = tmp_path / "copies"
    targets = [
        {"name": "file", "type": "file", "to": str(copies)},
        {"name": "udp", "type": "syslog", "to": f"udp://127.0.0.1:{other.port}"},
        {"name": "tcp", "type": "syslog", "to": f"tcp://127.0.0.1:{other.port}"},
        {"name": "tls", "type": "syslog", "to": f"tls://localhost:{port}", "ca": str(tls.authority)},
        {
            "name": "http", "type": "http", "to": f"http://127.0.0.1:{sink.server_port}/checkpoints?log=1",
            "token_file": str(tmp_path / "token"),
        },
        {"name": "away", "type": "http", "to": "http://127.0.0.1:9/"},
    ]  # fmt: skip
    receiver = ReceiverProcess.with_syslog(
        tmp_path / "receiver", evidence={"checkpoint_interval": 3600}, publish=targets
    )
    with other, receiver:
        other.start()
        receiver.start()
        for _ in range(2):
            wait_for_all(grow(receiver), other, sink, copies)
        for kind in ("file", "udp", "tcp", "tls", "http"):  # counted when the target has said that it took it
            wait_for(lambda kind=kind: published(receiver, "timestamp_seconds", kind) > 1e9, what=f"counted: {kind}")
        wait_for(lambda: published(receiver, "failures_total", "away") > 0, what="counted: away")
        assert published(receiver, "timestamp_seconds", "away") == 0
        assert published(receiver, "failures_total", "http") == 1
        assert sink.tokens == {"Bearer s3cret"}
        assert receiver.stop() == 0
        assert receiver.log.count("checkpoints do not reach away") == 1
        key = key_of(receiver)
        exported = tmp_path / "exported.jsonl"
        exported.write_bytes(command("query", "--json", "--app", "audit-receiver", "--store", other.store).stdout)
    (tmp_path / "http").write_bytes(b"\n".join(sink.bodies))
    kept = ("--checkpoint", copies, tmp_path / "http", exported)
    done = command("verify", "--config", receiver.config, "--key", key, *kept)
    assert done.returncode == 0, done.stdout
    edit(catalog(receiver.store)[-1].path, "UPDATE events SET message = 'nothing happened' WHERE seq = 20")
    sign_again(receiver.store, rebuild(receiver.store))
    assert command("verify", "--config", receiver.config, "--key", key).returncode == 0
    for file in kept[1:]:
        done = command("verify", "--config", receiver.config, "--key", key, "--checkpoint", file)
        assert done.returncode == 1
        assert str(file).encode() in done.stdout


def published(receiver: ReceiverProcess, name: str, target: str) -> float:
    """What is counted for one target."""
    return receiver.metrics()[f'audit_receiver_checkpoint_publish_{name}{{target="{target}"}}']


def wait_for_all(size: int, other: ReceiverProcess, sink: Sink, copies: Path) -> None:
    """Wait until each target has the checkpoint over `size` events."""
    wait_for(lambda: all(f"over {size} events" in text for text in texts(other, 3)), what="at the other receiver")
    wait_for(lambda: sizes_in(*sink.bodies)[-1:] == [size], what="at the HTTP server")
    wait_for(lambda: sizes_in(*notes_in(copies.read_bytes()))[-1:] == [size], what="in the file")


def texts(receiver: ReceiverProcess, last: int) -> list[str]:
    """The messages of the last checkpoints it was sent, once there are as many."""
    found = [event["message"] for event in receiver.events() if event["msgid"] == "checkpoint"]
    return found[:last] if len(found) >= last else [""]


def sizes_in(*notes: bytes) -> list[int]:
    return [Checkpoint.parse(parse_note(note).text).size for note in notes]


# --- witnesses ---


@contextmanager
def witness(folder: Path, name: str, port: int, *keys: str) -> Iterator[subprocess.Popen]:
    logs = [part for key in keys for part in ("--log", key)]
    listen = f"127.0.0.1:{port}"
    arguments = [*COMMAND, "witness", "--dir", str(folder), "--name", name, "--listen", listen, *logs]
    with running(arguments, folder.with_suffix(".log")) as process:
        log = folder.with_suffix(".log")
        wait_for(lambda: process.poll() is not None or b" on 127.0.0.1:" in log.read_bytes(), what="the witness up")
        yield process


def witness_key(folder: Path) -> str:
    found = re.findall(r"witness (\S+\+[0-9a-f]{8}\+\S+) on", folder.with_suffix(".log").read_text())
    return str(found[-1])


def cosigned_size(receiver: ReceiverProcess, key: str) -> int:
    """The size of the last checkpoint that bears the witness's signature."""
    evidence = EvidenceFile(receiver.store, read_only=True)
    try:
        stored = evidence.checkpoints()
    finally:
        evidence.close()
    name = VerifierKey.parse(key).name
    return max([found.size for found in stored if f"— {name} " in found.note], default=0)


def test_two_teams_witness_each_other(tmp_path: Path) -> None:
    # Each runs a receiver and a witness; a killed witness goes on where it was, and it never cosigns a fork.
    ports = free_ports(2)
    folders = [tmp_path / "witness-a", tmp_path / "witness-b"]
    receivers = [ReceiverProcess.with_syslog(tmp_path / name, evidence={"checkpoint_interval": 3600}) for name in "ab"]
    for receiver, name in zip(receivers, "ab", strict=True):
        receiver.settings["evidence"]["origin"] = f"{name}.example.org/log"
        receiver.write_config()
        assert command("keygen", "--config", receiver.config).returncode == 0
    keys = [key_of(receiver) for receiver in receivers]
    names = ["wa.example.org", "wb.example.org"]
    with witness(folders[0], names[0], ports[0], keys[1]) as first, witness(folders[1], names[1], ports[1], keys[0]):
        witnesses = [witness_key(folder) for folder in folders]
        for receiver, by in zip(receivers, (1, 0), strict=True):
            address = f"http://127.0.0.1:{ports[by]}"
            place = {"name": "friends", "type": "witness", "to": address, "key": [witnesses[by]]}
            receiver.settings["publish"] = [place]
        with receivers[0], receivers[1]:
            for receiver in receivers:
                receiver.start()
            for receiver, by in zip(receivers, (1, 0), strict=True):
                size = grow(receiver)
                wait_for(lambda r=receiver, by=by, size=size: cosigned_size(r, witnesses[by]) == size, what="cosigned")
            first.send_signal(signal.SIGKILL)
            first.wait(PATIENCE_SECONDS)
            grow(receivers[1])
            with witness(folders[0], names[0], ports[0], keys[1]):
                size = grow(receivers[1])
                wait_for(lambda: cosigned_size(receivers[1], witnesses[0]) == size, what="cosigned after the crash")
                proof = command("prove", "30", "--store", receivers[1].store)
                (tmp_path / "proof").write_bytes(proof.stdout)
                note = proof.stdout.partition(b"\n\n")[2]
                signed = open_checkpoint(note, [VerifierKey.parse(keys[1])], [VerifierKey.parse(witnesses[0])])
                assert signed.checkpoint.size == size
                assert command("check-proof", tmp_path / "proof", "--key", keys[1]).returncode == 0
                assert receivers[1].stop() == 0
                wait_for(lambda: sizes_of(folders[0])[-1] > size, what="the last checkpoint, at the stop")
                fork(receivers[1])
                receivers[1].start()
                grow(receivers[1])
                wait_for(lambda: "refused with 422" in receivers[1].log, what="the fork is refused")
                assert published(receivers[1], "failures_total", "friends") > 0
                assert cosigned_size(receivers[1], witnesses[0]) == 0


def sizes_of(folder: Path) -> list[int]:
    """The sizes a witness keeps; 0 while it is writing, for it locks others out and this looks all the same."""
    with closing(sqlite3.connect(f"file:{folder / 'witness.db'}?mode=ro&immutable=1", uri=True)) as state:
        try:
            return [row[0] for row in state.execute("SELECT size FROM head")] or [0]
        except sqlite3.DatabaseError:
            return [0]


def fork(receiver: ReceiverProcess) -> None:
    """With root and the key: rewrite an event, and every signature in reach."""
    edit(catalog(receiver.store)[-1].path, "UPDATE events SET message = 'nothing happened' WHERE seq = 20")
    sign_again(receiver.store, rebuild(receiver.store))
