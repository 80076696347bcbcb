"""Events over HTTP, on the real process: curl, systemd-journal-upload, the Elasticsearch client, and lost answers."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import socket
import subprocess
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from elasticsearch import ApiError, Elasticsearch, TransportError, helpers

from receiver.listen.http_routes import VERSION
from tests.kit.process import ReceiverProcess, free_ports
from tests.kit.tls_files import TlsFiles
from tests.kit.waiting import PATIENCE_SECONDS
from tests.system.conftest import program

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.system

TOKEN = "0123456789abcdef-web"
UPLOAD = Path("/lib/systemd/systemd-journal-upload")
REMOTE = Path("/lib/systemd/systemd-journal-remote")


KILLS = int(os.environ.get("INGRESS_KILLS", "2"))
"""How often the receiver is killed under a sender; nightly: 30."""


def door(folder: Path) -> dict[str, Any]:
    """A listener of type http that asks for a token."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokens").write_text(f"web: {TOKEN}\n")
    (port,) = free_ports(1)
    return {"name": "http", "type": "http", "listen": f"127.0.0.1:{port}", "tokens": [str(folder / "tokens")]}


def port_of(receiver: ReceiverProcess) -> int:
    """Of its listener of type http."""
    return int(receiver.settings["listeners"][-1]["listen"].rpartition(":")[2])


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReceiverProcess]:
    """A receiver for the tests that leave it alive; must leave with 0."""
    folder = tmp_path_factory.mktemp("ingress")
    with ReceiverProcess.with_syslog(folder / "receiver", door(folder)) as receiver:
        yield receiver.start()
        assert receiver.stop() == 0, receiver.log


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[ReceiverProcess]:
    """A receiver to be killed; must leave with 0."""
    segment = {"path": "store", "min_free_bytes": "16MiB", "segment": {"max_events": 700}}
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door(tmp_path), store=segment) as receiver:
        yield receiver.start()
        assert receiver.stop() == 0, receiver.log


class Since:
    """What was counted since it was made."""

    def __init__(self, receiver: ReceiverProcess) -> None:
        self._receiver = receiver
        self._before = receiver.metrics()

    def __call__(self, name: str) -> float:
        return self._receiver.metrics()[f"audit_receiver_{name}"] - self._before.get(f"audit_receiver_{name}", 0)

    @property
    def stored(self) -> float:
        return self("events_stored_total")

    @property
    def duplicates(self) -> float:
        return self('duplicate_events_total{listener="http"}')


@pytest.fixture
def curl() -> str:
    return program("curl")


def post(port: int, path: str, body: bytes, **headers: str) -> Any:
    """Send a request and read its answer, an object."""
    given = {"Authorization": f"Bearer {TOKEN}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", body, given, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
        return json.load(answer)


def conserved(receiver: ReceiverProcess) -> bool:
    m = receiver.metrics()
    names = ("received_messages_total", "events_stored_total", "events_dropped_total", "events_in_flight")
    received, stored, dropped, in_flight = (m[f"audit_receiver_{name}"] for name in names)
    return received == stored + dropped + in_flight


# --- curl ---


def test_curl_posts_packed_lines_and_is_answered_when_they_are_stored(
    shared: ReceiverProcess, curl: str, tmp_path: Path
) -> None:
    # The README's line: 3 000 events of one request are there when the answer comes, under the token's name.
    since = Since(shared)
    lines = [b'{"user":"u%d","action":"file.delete","target":"file:/x"}' % number for number in range(3_000)]
    (tmp_path / "body.gz").write_bytes(gzip.compress(b"\n".join(lines)))
    done = subprocess.run(
        [curl, "-sS", "--fail-with-body", "-H", f"Authorization: Bearer {TOKEN}", "-H", "Content-Encoding: gzip",
         "--data-binary", f"@{tmp_path / 'body.gz'}", f"http://127.0.0.1:{port_of(shared)}/ingest"],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert json.loads(done.stdout) == {"received": 3000, "stored": 3000, "duplicates": 0}
    assert since.stored == 3000
    (event,) = shared.events("--actor", "u7")
    assert (event["peer_identity"], event["transport"], event["format"]) == ("token=web", "http", "json")
    assert (event["action"], event["target"]) == ("file.delete", "file:/x")


def test_strangers_are_refused_counted_and_named_in_the_log(shared: ReceiverProcess) -> None:
    # A wrong token writes nothing; the operator reads of it in journal and metric. Prometheus scrapes as ever.
    since = Since(shared)
    for path, authorization, status in (
        ("/ingest", "", 401), ("/ingest", "Bearer wrong-token-0123456", 401), ("/metrics", f"Bearer {TOKEN}", 404),
    ):  # fmt: skip
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(port_of(shared), path, b"<13>no\n", Authorization=authorization)
        refused.value.close()
        assert refused.value.status == status
    assert since('http_requests_refused_total{listener="http",reason="unauthorized"}') == 2
    assert "listener http: refused a request of 127.0.0.1: Unauthorized" in shared.log
    assert "wrong-token" not in shared.log
    assert since.stored == 0
    assert shared.get("/ingest")[0] == 404


# --- a lost answer ---


def send_unread(port: int, body: bytes, key: str) -> socket.socket:
    """Send a request and read no answer."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS)
    head = f"POST /ingest HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nIdempotency-Key: {key}\r\n"
    sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
    return sock


def test_killed_between_commit_and_answer_a_resend_is_stored_once(receiver: ReceiverProcess) -> None:
    # The commit is on the disk, the answer never came: what is sent again under its key is known.
    port = port_of(receiver)
    body = b"".join(b"<13>1 - - app - - - event %d\n" % number for number in range(500))
    with send_unread(port, body, "batch-1"):
        receiver.wait_stored(500)
        receiver.signal(signal.SIGKILL)
        receiver.wait_exit()
    receiver.start()
    answer = post(port, "/ingest", body + b"<13>1 - - app - - - event 500\n", Idempotency_Key="batch-1")
    assert answer == {"received": 501, "stored": 1, "duplicates": 500}
    messages = [event["message"] for event in reversed(receiver.events("--app", "app"))]
    assert messages == [f"event {number}" for number in range(501)]
    assert receiver.metrics()['audit_receiver_duplicate_events_total{listener="http"}'] == 500
    assert receiver.metrics()['audit_receiver_events_dropped_total{reason="duplicate"}'] == 500
    assert conserved(receiver)


def test_killed_at_any_instant_each_event_is_stored_once(receiver: ReceiverProcess) -> None:
    # A sender that goes on until it is answered; the receiver is killed meanwhile, over rotations too.
    port, chance = port_of(receiver), random.Random(7)
    for batch in range(KILLS * 8):
        body = b"".join(b"<13>1 - - app - - - %d\n" % (batch * 100 + number) for number in range(100))
        if batch % 8 == 6:
            stored = receiver.stored()
            with send_unread(port, body, f"batch-{batch}"):
                if chance.random() < 0.5:
                    receiver.wait_stored(stored + 100)
                receiver.signal(signal.SIGKILL)
                receiver.wait_exit()
            receiver.start()
        assert post(port, "/ingest", body, Idempotency_Key=f"batch-{batch}")["received"] == 100
    messages = [int(event["message"]) for event in reversed(receiver.events("--app", "app"))]
    assert messages == list(range(KILLS * 800))
    verified = receiver.ask("verify")
    assert verified.returncode == 0, verified.stdout


# --- systemd-journal-upload ---

ENTRY = """\
__CURSOR=c{number}
__REALTIME_TIMESTAMP={time}
__MONOTONIC_TIMESTAMP={number}
_BOOT_ID=0123456789abcdef0123456789abcdef
_HOSTNAME=web-1
_UID=0
PRIORITY=6
SYSLOG_FACILITY=10
SYSLOG_IDENTIFIER=sshd
_PID={number}
MESSAGE=Accepted publickey for user{number} from 192.0.2.7 port 51022 ssh2: RSA SHA256:abc

"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal of 200 logins, and one message that is no UTF-8."""
    if not (UPLOAD.exists() and REMOTE.exists()):
        pytest.skip("systemd-journal-remote is not installed: .ci/setup brings it")
    entries = "".join(ENTRY.format(number=number, time=1764000000000000 + number) for number in range(1, 201)).encode()
    message = b"MESSAGE\n" + (9).to_bytes(8, "little") + b"caf\xe9\nbar\n\n"
    entries += ENTRY.format(number=201, time=1764000000000201).encode().split(b"MESSAGE=")[0] + message + b"\n"
    path = tmp_path / "old.journal"
    subprocess.run([REMOTE, "-o", path, "-"], input=entries, check=True, capture_output=True, timeout=PATIENCE_SECONDS)
    return path


def upload(journal: Path, url: str, *options: str) -> None:
    command = [UPLOAD, f"--url={url}", f"--file={journal}", "--follow=no", *options]
    done = subprocess.run(command, capture_output=True, timeout=PATIENCE_SECONDS, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_a_journal_is_uploaded_and_its_cursor_kept(shared: ReceiverProcess, journal: Path, tmp_path: Path) -> None:
    # By systemd's own program: each entry an event, read by the packs; sent again, each is known.
    since = Since(shared)
    url = f"http://web:{TOKEN}@127.0.0.1:{port_of(shared)}"
    upload(journal, url, f"--save-state={tmp_path / 'state'}")
    assert since.stored == 201
    assert "LAST_CURSOR=" in (tmp_path / "state").read_text()
    (event,) = shared.events("--actor", "user7")
    assert (event["format"], event["host"], event["app"], event["pid"]) == ("journal", "web-1", "sshd", "7")
    assert (event["action"], event["outcome"], event["source_ip"]) == ("auth.login", "success", "192.0.2.7")
    assert event["time"] == "2025-11-24T16:00:00.000007Z"
    assert (event["facility"], event["severity"], event["peer_identity"]) == (10, 6, "token=web")
    assert event["data"]["__CURSOR"].startswith("s=")
    assert event["data"]["_UID"] == "0"
    last = shared.events("--contains", "bar")[0]
    assert last["message"] == "caf\ufffd\nbar\n"
    upload(journal, url)  # without the state: from the beginning
    assert since.stored == 201
    assert since.duplicates == 201
    assert conserved(shared)


def test_a_journal_over_mutual_tls(tmp_path: Path, journal: Path) -> None:
    # As in the README: the certificate says who it is, no token is asked for; without one nobody comes in.
    (port,) = free_ports(1)
    files = TlsFiles.make(tmp_path / "tls")
    tls = {"certificate": str(files.certificate), "key": str(files.key), "client_ca": str(files.authority)}
    by_certificate = {"name": "http", "type": "http", "listen": f"127.0.0.1:{port}", "tls": tls}
    with ReceiverProcess.with_syslog(tmp_path / "receiver", by_certificate) as receiver:
        receiver.start()
        trust = f"--trust={files.authority}"
        certificate = (f"--key={files.client_key}", f"--cert={files.client_certificate}")
        upload(journal, f"https://localhost:{port}", trust, *certificate)
        assert receiver.stored() == 201
        (event,) = receiver.events("--actor", "user7")
        assert event["peer_identity"].startswith("CN=client.example.net, SAN=client.example.net, sha-256:")
        curl = [program("curl"), "-sS", "--cacert", files.authority, f"https://localhost:{port}/"]
        assert subprocess.run(curl, capture_output=True, timeout=PATIENCE_SECONDS, check=False).returncode != 0
        upload(journal, f"https://localhost:{port}", trust, *certificate)
        assert receiver.stored() == 201
        assert receiver.stop() == 0


# --- Elasticsearch ---


def documents(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [
        {
            "_op_type": "create", "_index": "logs-audit", "_id": f"doc-{number}", "@timestamp": "2026-01-02T03:04:05Z",
            "user": {"name": f"person{number}"}, "event": {"action": "file.delete", "outcome": "success"},
            "host": {"name": "web-1"}, "message": f"document {number}",
        }
        for number in range(first, first + count)
    ]  # fmt: skip


def client(port: int, **options: Any) -> Elasticsearch:
    patient = {"api_key": ("id", TOKEN), "request_timeout": PATIENCE_SECONDS}
    return Elasticsearch(f"http://127.0.0.1:{port}", **{**patient, **options})


def test_the_official_client_ships_documents(shared: ReceiverProcess) -> None:
    # Packed and not; sent again, `create` says for each that it is there, as Elasticsearch would.
    since, port = Since(shared), port_of(shared)
    with client(port, http_compress=True) as es, client(port, api_key=None, basic_auth=("any", TOKEN)) as other:
        assert es.info()["version"]["number"] == VERSION
        assert helpers.bulk(es, documents(1000)) == (1000, [])
        assert since.stored == 1000
        stored, errors = helpers.bulk(other, documents(1001), raise_on_error=False)
        assert stored == 1
        assert isinstance(errors, list)
        assert len(errors) == 1000
        assert {error["create"]["status"] for error in errors} == {409}
        changed = [{**one, "_op_type": "index", "message": "changed"} for one in documents(2)]
        assert helpers.bulk(es, changed) == (2, [])  # a log keeps both
        assert helpers.bulk(es, changed) == (2, [])  # the same again is one
        assert helpers.bulk(es, [{"_op_type": "delete", "_index": "a", "_id": "1"}], raise_on_error=False)[0] == 0
    assert since.stored == 1003
    (event,) = shared.events("--actor", "person7")
    assert (event["action"], event["host"], event["message"]) == ("file.delete", "web-1", "document 7")
    assert event["data"]["wire"] == {"index": "logs-audit", "id": "doc-7"}
    assert conserved(shared)


def test_what_senders_ask_before_they_ship(shared: ReceiverProcess) -> None:
    # Templates, policies, pipelines and data streams are as they want them; of what reads events there is nothing.
    port = port_of(shared)
    with client(port) as es:
        assert es.license.get()["license"]["status"] == "active"
        assert es.cluster.health()["status"] == "green"
        assert es.indices.exists_index_template(name="filebeat-8")
        es.indices.put_index_template(name="filebeat-8", index_patterns=["filebeat-*"])
        es.ilm.put_lifecycle(name="filebeat", policy={"phases": {}})
        es.ingest.put_pipeline(id="p", processors=[])
        assert es.indices.get_data_stream(name="filebeat-8")["data_streams"][0]["name"] == "filebeat-8"
        for ask in (lambda: es.search(index="logs"), lambda: es.get(index="logs", id="1"), es.count):
            with pytest.raises(ApiError):
                ask()


def test_a_bulk_sender_outlives_a_killed_receiver(receiver: ReceiverProcess) -> None:
    # As Filebeat does: a request that was not answered is sent again, whole; each document is stored once.
    port = port_of(receiver)
    with client(port, max_retries=0) as es:
        assert helpers.bulk(es, documents(300)) == (300, [])
        body = "".join(
            json.dumps({"create": {"_index": one.pop("_index"), "_id": one.pop("_id")}})
            + "\n"
            + json.dumps({key: value for key, value in one.items() if key != "_op_type"})
            + "\n"
            for one in documents(300, 300)
        )
        head = f"POST /_bulk?filter_path=errors HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\n"
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as sock:
            sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            receiver.wait_stored(600)
            receiver.signal(signal.SIGKILL)
            receiver.wait_exit()
        with pytest.raises(TransportError):
            helpers.bulk(es, documents(600))
        receiver.start()
        stored, errors = helpers.bulk(es, documents(700), raise_on_error=False)
        assert (stored, len(errors) if isinstance(errors, list) else errors) == (100, 600)
    messages = [event["message"] for event in reversed(receiver.events("--contains", "document"))]
    assert messages == [f"document {number}" for number in range(700)]
