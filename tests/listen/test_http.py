"""HTTP in: who may write, what is taken, what is answered and when; nothing is answered that is not durable."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import ssl
import zlib
from base64 import b64encode
from dataclasses import replace
from typing import NamedTuple

import pytest

from receiver import limits
from receiver.errors import ConfigError
from receiver.event import Transport
from receiver.listen import ListenerSettings, TlsSettings, http
from receiver.listen.http_bodies import delivery_id
from receiver.listen.tokens import Tokens
from receiver.wire.message import Cut
from tests.kit.certificates import Authority
from tests.kit.waiting import PATIENCE_SECONDS, until
from tests.listen.test_tls import refused

TOKEN = "0123456789abcdef-web"
BEARER = f"Bearer {TOKEN}"
HEAD = f"POST /ingest HTTP/1.1\r\nHost: it\r\nAuthorization: {BEARER}\r\n".encode()
NDJSON = b'{"a":1}\n{"a":2}\n'


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self):
        return json.loads(self.body)


class Client:
    """One connection; writes requests, reads answers."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, address) -> Client:
        return cls(*await asyncio.open_connection(*address))

    def send(self, method: str = "POST", path: str = "/ingest", body: bytes | None = NDJSON, **headers: str) -> None:
        lines = [f"{method} {path} HTTP/1.1", "Host: it"]
        given = {"Authorization": BEARER, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if body is not None and "Transfer-Encoding" not in given:
            given.setdefault("Content-Length", str(len(body)))
        lines += [f"{name}: {value}" for name, value in given.items() if value]
        self.writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))

    async def answer(self, *, head: bool = False) -> Answer:
        async with asyncio.timeout(PATIENCE_SECONDS):
            top = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in top[1:] if line)
            body = b"" if head else await self.reader.readexactly(int(headers.get("content-length", 0)))
        return Answer(int(top[0].split()[1]), headers, body)

    async def ask(self, *request, **headers) -> Answer:
        self.send(*request, **headers)
        return await self.answer()

    async def is_closed(self) -> bool:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.reader.read(1) == b""


@pytest.fixture(autouse=True)
def patient_partings(monkeypatch):
    """A peer sees the end as soon as it is told; what it still sends is read for as long as a busy machine needs."""
    monkeypatch.setitem(http._SECONDS, http._Phase.LINGER, 30)


@pytest.fixture
def quick_partings(patient_partings, monkeypatch):
    """For tests whose peers do not leave by themselves."""
    monkeypatch.setitem(http._SECONDS, http._Phase.LINGER, 0.5)


@pytest.fixture
def tokens(tmp_path):
    file = tmp_path / "tokens"
    file.write_text(f"# who writes\nweb: {TOKEN}\n")
    return (file,)


@pytest.fixture
async def door(bench, tokens):
    """Listeners with one of type http, and its address."""
    return await bench.one("http", tokens=tokens)


@pytest.fixture
async def connect():
    """Makes clients that are closed at the end."""
    clients = []

    async def connect(address) -> Client:
        clients.append(await Client.connect(address))
        return clients[-1]

    yield connect
    for client in clients:
        client.writer.close()


@pytest.fixture
async def client(door, connect):
    return await connect(door[1])


@pytest.fixture
def counters(door):
    return door[0].counters["it"]


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


# --- who ---


def basic(user: str, password: str) -> str:
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize(
    "authorization",
    [BEARER, f"bearer  {TOKEN} ", basic("any", TOKEN), basic("", TOKEN),
     "ApiKey " + b64encode(f"id:{TOKEN}".encode()).decode(), f"ApiKey {TOKEN}"],
)  # fmt: skip
async def test_a_token_in_every_form_that_senders_know(client, intake, authorization):
    # curl, Filebeat's username and api_key, the Python client; the token's name stands with the event.
    answer = await client.ask(Authorization=authorization)
    assert (answer.status, answer.json) == (200, {"received": 2, "stored": 2, "duplicates": 0})
    assert {origin.peer_identity for origin in intake.origins} == {"token=web"}
    assert intake.origins[0].transport == "http"


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", "Bearer web", f"Basic {TOKEN}", basic(TOKEN, ""),
     basic(TOKEN, "x"), "ApiKey !", f"Digest {TOKEN}", TOKEN, "Bearer ÿ"],
)  # fmt: skip
async def test_nobody_else_writes_anything(client, intake, counters, authorization):
    # Counted, and the connection ends.
    answer = await client.ask(Authorization=authorization)
    assert answer.status == 401
    assert "bearer" in answer.headers["www-authenticate"]
    assert answer.body == b"Unauthorized\n"
    assert intake.frames == []
    assert counters.http_refused["unauthorized"] == 1
    assert await client.is_closed()


@pytest.mark.parametrize("path", ["/", "/_bulk", "/upload", "/_license", "/nowhere"])
async def test_nobody_else_learns_what_is_here(client, path):
    # The same answer everywhere.
    assert (await client.ask("GET", path, None, Authorization="")).status == 401


def test_a_listener_that_asks_for_nothing_is_not_opened(bench, tmp_path):
    # The configuration refuses it; so does the room.
    settings = ListenerSettings("it", Transport.HTTP, "127.0.0.1:0")
    with pytest.raises(ConfigError, match="needs tokens, or tls"):
        asyncio.run(bench.open(settings))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", "no token in it"),
        ("# nothing\n\n", "no token in it"),
        ("web: short\n", ":1: the token is shorter than 16 characters"),
        ("\nweb: 0123456789 abcdef\n", ":2: must be a token"),
        ("a: 0123456789abcdef\nb: 0123456789abcdef\n", ":2: the token stands there twice, under two names"),
        ("a: 0123456789äbcdefg\n", ":1: must be a token"),
    ],
)
def test_a_bad_token_file_is_refused_in_one_line(tmp_path, text, error):
    # File, line, reason; and never the token.
    file = tmp_path / "tokens"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        Tokens("it", [file])
    assert error in str(caught.value)
    assert "0123456789" not in str(caught.value)
    with pytest.raises(ConfigError, match="No such file"):
        Tokens("it", [tmp_path / "none"])


def test_names_of_tokens(tmp_path):
    # With a name, and without: then it is that of the file and the line.
    file = tmp_path / "tokens"
    file.write_text("db 1: 0123456789:abcdef: \n\n  fedcba9876543210  \n")
    tokens = Tokens("it", [file])
    assert tokens.name_of("Bearer 0123456789:abcdef:") == "db 1"
    assert tokens.name_of("Bearer fedcba9876543210") == "tokens:3"
    assert tokens.name_of("Bearer db 1: 0123456789:abcdef") is None


async def test_a_reload_takes_a_token_away_from_open_connections(door, client, tokens, tmp_path):
    # Whose token is revoked writes nothing more, also on the connection it has.
    assert (await client.ask()).status == 200
    tokens[0].write_text("web: another-token-0123456789\n")
    listen = "{}:{}".format(*door[1])
    await door[0].reload([ListenerSettings("it", Transport.HTTP, listen.replace(listen, "127.0.0.1:0"), tokens=tokens)])
    assert (await client.ask()).status == 401


# --- TLS ---


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def tls(authority):
    files = authority.issue("log.example.org", "127.0.0.1")
    return TlsSettings(files.certificate, files.key)


async def open_tls(address, context) -> Client:
    return Client(*await asyncio.open_connection(*address, ssl=context))


async def leave(client: Client) -> None:
    client.writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await client.writer.wait_closed()


async def test_a_token_over_tls(bench, tokens, intake, authority, tls):
    # A large packed body and a small one on one connection.
    _, address = await bench.one("http", tokens=tokens, tls=tls)
    client = await open_tls(address, authority.client_context())
    body = b"".join(b"<13>line %d\n" % number for number in range(20_000))
    packed = await client.ask("POST", "/ingest", gzip.compress(body), Content_Encoding="gzip")
    assert packed.json["received"] == 20_000
    assert (await client.ask("POST", "/ingest", body)).json["received"] == 20_000
    assert intake.frames == body.split(b"\n")[:-1] * 2
    assert (await client.ask(Authorization="")).status == 401
    await leave(client)


async def test_a_certificate_is_enough_without_tokens_and_stands_beside_one(bench, tokens, intake, authority, tls):
    # The events bear who it was: by certificate, by certificate and token.
    files = authority.issue("web-1", "web-1.example.org")
    mutual = replace(tls, client_ca=authority.file)
    for settings, said, names in (
        ({}, "", ["CN=web-1"]),
        ({"tokens": tokens}, BEARER, ["token=web", "CN=web-1"]),
    ):
        listeners, address = await bench.one("http", tls=mutual, **settings)
        client = await open_tls(address, authority.client_context(files))
        assert (await client.ask(Authorization=said)).status == 200
        assert intake.origins[-1].peer_identity.split(", ")[: len(names)] == names
        if settings:
            assert (await client.ask(Authorization="")).status == 401  # both are asked for, so both are needed
        await leave(client)
        await refused(address, authority.client_context())
        counters = listeners.counters["it"]
        await until(lambda counters=counters: counters.connections_rejected["tls_handshake"] == 1)


async def test_silence_after_the_handshake_is_let_go(bench, tokens, authority, tls, monkeypatch):
    # The time for a request begins when the handshake is done.
    monkeypatch.setitem(http._SECONDS, http._Phase.REQUEST, 0.05)
    _, address = await bench.one("http", tokens=tokens, tls=tls)
    client = await open_tls(address, authority.client_context())
    assert await client.is_closed()
    await leave(client)


# --- what is taken ---


class Body(NamedTuple):
    id: str
    body: bytes
    headers: dict[str, str]
    expected: list[bytes]


BODIES = [
    Body("lines", NDJSON, {"Content-Type": "application/x-ndjson"}, [b'{"a":1}', b'{"a":2}']),
    Body("syslog", b"<13>one\r\n<13>two", {"Content-Type": "text/plain"}, [b"<13>one", b"<13>two"]),
    Body("array", b'[{"a":1}, {"a":2}]', {"Content-Type": "application/json"}, [b'{"a":1}', b'{"a":2}']),
    Body("object", b'{\n"a":1}', {"Content-Type": "application/json"}, [b'{\n"a":1}']),
    Body("chunked", chunked(b'{"a"', b':1}\n{"a":2}', b"\n"), {"Transfer-Encoding": "chunked"},
         [b'{"a":1}', b'{"a":2}']),
    Body("gzip", gzip.compress(NDJSON), {"Content-Encoding": "gzip"}, [b'{"a":1}', b'{"a":2}']),
    Body("deflate", zlib.compress(NDJSON), {"Content-Encoding": "Deflate"}, [b'{"a":1}', b'{"a":2}']),
    Body("chunked-gzip", chunked(*[bytes([byte]) for byte in gzip.compress(NDJSON)]),
         {"Content-Encoding": "gzip", "Transfer-Encoding": "chunked"}, [b'{"a":1}', b'{"a":2}']),
    Body("empty", b"", {}, []),
]  # fmt: skip


@pytest.mark.parametrize("case", BODIES, ids=lambda case: case.id)
async def test_bodies_in_every_form(client, intake, case):
    # Each of them twice on one connection: what one leaves behind would show in the other.
    for round_ in (1, 2):
        answer = await client.ask("POST", "/ingest", case.body, **case.headers)
        assert (answer.status, answer.json["received"]) == (200, len(case.expected))
        assert intake.frames == case.expected * round_


async def test_a_body_arrives_byte_by_byte(client, intake):
    # As from the slowest of networks.
    for byte in HEAD + b"Content-Length: 16\r\n\r\n" + NDJSON:
        client.writer.write(bytes([byte]))
        await asyncio.sleep(0)
    assert (await client.answer()).status == 200
    assert intake.frames == NDJSON.split()


async def test_a_large_body_is_taken_in_pieces(client, intake):
    # 5 MB unpacked out of 30 KB: the intake sees many lists, none of them large.
    lines = [b'{"number":%d,"text":"%s"}' % (number, b"x" * 80) for number in range(50_000)]
    client.send("POST", "/ingest", gzip.compress(b"\n".join(lines)), Content_Encoding="gzip")
    assert (await client.answer()).json["received"] == 50_000
    assert intake.frames == lines
    assert intake.lists > 50


async def test_a_long_message_is_cut_not_refused(bench, tokens, intake, connect):
    # As on a stream: what is too long is kept as far as it goes, and flagged.
    _, address = await bench.one("http", tokens=tokens, bounds={"message_bytes": 2048})
    client = await connect(address)
    assert (await client.ask("POST", "/ingest", b"x" * 5000 + b"\nnext\n")).json["received"] == 2
    assert type(intake.frames[0]) is Cut
    assert intake.frames[0].original_bytes == 5000
    assert intake.frames[1] == b"next"


async def test_two_requests_in_one_write_are_answered_in_order(client, intake):
    # Nobody pipelines; whoever does gets two answers, and nothing is mixed.
    client.send("POST", "/ingest", b"<13>1\n")
    client.send("POST", "/ingest", b"<13>2\n<13>3\n")
    assert (await client.answer()).json["received"] == 1
    assert (await client.answer()).json["received"] == 2
    assert intake.frames == [b"<13>1", b"<13>2", b"<13>3"]


async def test_what_is_asked_with_expect_is_let_come(client, intake):
    # curl waits a second for it with every body above a megabyte.
    client.send("POST", "/ingest", None, Content_Length="6", Expect="100-continue")
    assert (await client.answer()).status == 100
    client.writer.write(b"<13>1\n")
    assert (await client.answer()).status == 200
    assert intake.frames == [b"<13>1"]


async def test_what_is_not_offered_is_refused_before_the_body(client, intake):
    # A large body for nobody is not read; without one the connection goes on.
    client.send("POST", "/nowhere", None, Content_Length="6000000", Expect="100-continue")
    assert (await client.answer()).status == 404
    assert await client.is_closed()


async def test_a_question_without_an_answer_costs_no_connection(client):
    # Clients ask for what is not here and then ship.
    assert (await client.ask("GET", "/nowhere", None)).status == 404
    assert (await client.ask()).status == 200


async def test_who_is_not_known_is_refused_before_the_body(client):
    # Expect: 100-continue spares both sides the body.
    client.send("POST", "/ingest", None, Content_Length="6000000", Expect="100-continue", Authorization="")
    assert (await client.answer()).status == 401


async def test_a_bulk_body_is_answered_item_by_item(client, intake):
    # Over several pieces; of what the log has, the right ones are told.
    items = [b'{"create":{"_index":"a","_id":"%d"}}\n{"text":"%s"}\n' % (number, b"x" * 900) for number in range(300)]
    first = await client.ask("POST", "/_bulk", b"".join(items[100:200]), Content_Type="application/x-ndjson")
    assert (first.status, first.json["errors"]) == (200, False)
    assert first.headers["x-elastic-product"] == "elasticsearch"
    second = await client.ask("POST", "/b/_bulk", b"".join(items) + b'{"delete":{"_id":"1"}}\n')
    statuses = [result["status"] for item in second.json["items"] for result in item.values()]
    assert statuses == [201] * 100 + [409] * 100 + [201] * 100 + [400]
    assert intake.lists > 4


async def test_a_journal_is_taken(client, intake):
    # systemd wants a 2xx and no more; the cursor names each entry.
    entry = b"__CURSOR=c1\n__REALTIME_TIMESTAMP=1764000000000000\nMESSAGE=hello\n"
    journal = {"Content_Type": "application/vnd.fdo.journal", "Transfer_Encoding": "chunked"}
    for round_ in (1, 2):
        client.send("POST", "/upload", None, **journal)
        client.writer.write(chunked(entry[:20], entry[20:] + b"\n"))
        answer = await client.answer()
        assert (answer.status, answer.body) == (202, b"OK.\n")
        assert intake.frames == [entry] * round_
    assert intake.messages[0].format == "journal"
    assert intake.known == [1]


# --- what is not ---


@pytest.mark.parametrize(
    ("request_", "headers", "status"),
    [
        (("GET", "/ingest", None), {}, 405),
        (("POST", "/ingest?idfield=id", b"{}"), {}, 400),
        (("POST", "/ingest?id_field=a&id_field=b", b"{}"), {}, 400),
        (("POST", "/ingest?id_field=", b"{}"), {}, 400),
        (("POST", "/ingest?x", b"{}"), {}, 400),
        (("GET", "/_bulk", None), {}, 405),
        (("GET", "/upload", None), {}, 405),
        (("POST", "/upload", b"x"), {"Content_Type": "text/plain"}, 415),
        (("POST", "/ingest", b"x"), {"Content_Encoding": "zstd"}, 415),
        (("POST", "/ingest", b"x"), {"Content_Encoding": "gzip"}, 400),
        (("POST", "/ingest", gzip.compress(b"abc")[:-1]), {"Content_Encoding": "gzip"}, 400),
        (("POST", "/ingest", b'[{"a":1}'), {"Content_Type": "application/json"}, 400),
        (("POST", "/_bulk", b"nonsense\n"), {}, 400),
        (("POST", "/_bulk", b'{"index":{}}\n'), {}, 400),
        (("POST", "/upload", b"nonsense\n"), {"Content_Type": "application/vnd.fdo.journal"}, 400),
        (("POST", "/_search", b"{}"), {}, 404),
        (("POST", "/logs", b"{}"), {}, 404),
        (("GET", "/logs", None), {}, 404),
        (("DELETE", "/_index_template/logs", None), {}, 404),
        (("GET", "/logs/_search", None), {}, 404),
        (("DELETE", "/logs", None), {}, 404),
        (("DELETE", "/", None), {}, 405),
        (("POST", "/ingest", None), {"Content_Length": "999999999999"}, 413),
    ],
)
async def test_what_cannot_be_taken_is_said(client, intake, counters, request_, headers, status):
    # Each with its own answer, and counted; the receiver goes on.
    answer = await client.ask(*request_, **headers)
    assert answer.status == status
    assert sum(counters.http_refused.values()) == 1
    assert counters.http_requests == 1


async def test_what_stood_before_the_fault_is_taken(client, intake):
    # An array that breaks in the middle: its elements so far are events, and the sender is told.
    answer = await client.ask("POST", "/ingest", b'[{"a":1},{"a":2},,]', Content_Type="application/json")
    assert (answer.status, answer.json) == (400, {"error": "an element of the array is missing", "received": 2})
    assert intake.frames == [b'{"a":1}', b'{"a":2}']
    assert await client.is_closed()


@pytest.mark.parametrize("packed", [False, True])
async def test_a_body_is_bounded_and_its_ratio_too(bench, tokens, packed, connect):
    # Announced, in chunks, or packed: 413, and nothing of the rest is looked at.
    _, address = await bench.one("http", tokens=tokens, bounds={"http_body_bytes": 100_000, "http_ratio": 1000})
    body = b"x" * 99 + b"\n"
    large = [{"Content_Length": "200000"}, {"Transfer_Encoding": "chunked"}]
    if packed:
        large = [{"Content_Encoding": "gzip"}]
    for headers in large:
        client = await connect(address)
        raw = gzip.compress(body * 2000) if packed else chunked(body * 2000) if "Transfer_Encoding" in headers else body
        answer = await client.ask("POST", "/ingest", raw, **headers)
        assert answer.status == 413


async def test_a_bomb_is_refused_by_its_ratio(bench, tokens, intake, connect):
    # 50 MB of one letter in 50 KB; what memory it costs is a piece.
    _, address = await bench.one("http", tokens=tokens, bounds={"http_ratio": 100})
    client = await connect(address)
    answer = await client.ask("POST", "/ingest", gzip.compress(bytes(50_000_000)), Content_Encoding="gzip")
    assert (answer.status, answer.json["error"]) == (413, "the body unpacks to too many times its size")


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 nonsense\r\n\r\n", 400),
        (b"POST /ingest HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
        (b"POST /ingest HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
    ],
)
async def test_what_is_no_request(client, counters, raw, status):
    # Smuggling, noise and endless heads: one answer, then the end.
    client.writer.write(raw)
    assert (await client.answer()).status == status
    assert await client.is_closed()
    assert counters.http_refused["malformed"] == 1


async def test_too_many_actions_are_too_large(client, intake, monkeypatch):
    # 413 makes a sender try with fewer; after 400 it would give them up.
    monkeypatch.setattr(limits, "HTTP_ITEMS", 1)
    answer = await client.ask("POST", "/_bulk", b'{"index":{}}\n{}\n' * 2)
    assert (answer.status, answer.json["status"]) == (413, 413)
    assert len(intake.frames) == 1


# --- when ---


async def test_nothing_is_answered_before_it_is_durable(client, intake):
    # The commit comes later; until then there is no answer, and the next request waits.
    intake.durable = 0
    client.send()
    client.send("POST", "/ingest", b"<13>next\n")
    await until(lambda: len(intake.frames) == 2)
    for _ in range(20):
        await asyncio.sleep(0)
    assert not client.reader._buffer  # nothing was said
    assert len(intake.frames) == 2
    intake.commit(2)
    assert (await client.answer()).status == 200
    await until(lambda: len(intake.frames) == 3)
    intake.commit(3)
    assert (await client.answer()).status == 200


async def test_what_will_never_be_durable_is_not_acknowledged(client, intake):
    # The store gave out: 503, and the sender keeps it.
    intake.durable = 0
    client.send()
    await until(lambda: len(intake.frames) == 2)
    intake.fail()
    answer = await client.answer()
    assert answer.status == 503
    assert answer.headers["retry-after"] == "10"


async def test_an_answer_waits_so_long_only(client, intake, monkeypatch):
    # A disk that hangs: the sender is told to come again.
    monkeypatch.setattr(limits, "HTTP_ANSWER_SECONDS", 0.05)
    intake.durable = 0
    answer = await client.ask()
    assert (answer.status, answer.json) == (503, {"error": "not durable in time: send it again"})


async def test_a_store_in_trouble_takes_no_request(client, intake):
    # Full disk, or stopping: said before the body is read.
    intake.trouble = "the store takes nothing at the moment"
    client.send("POST", "/_bulk", None, Content_Length="100000", Expect="100-continue")
    answer = await client.answer()
    assert answer.status == 503
    assert answer.json["error"]["reason"] == intake.trouble
    assert answer.headers["retry-after"] == "10"


async def test_a_full_inbox_is_not_read_for(client, intake, door):
    # The body stays where it is until there is room; then all of it is taken, in order, and answered.
    lines = [b'{"number":%d}' % number for number in range(60_000)]
    body = b"\n".join(lines)
    intake.full_after = 1000
    client.send("POST", "/ingest", None, Content_Length=str(len(body)))
    client.writer.write(body)
    await until(lambda: intake.full)
    taken = len(intake.frames)
    for _ in range(50):
        await asyncio.sleep(0)
    assert len(intake.frames) == taken < 20_000
    while len(intake.frames) < len(lines):
        intake.make_space(1000)
        await asyncio.sleep(0)
    assert (await client.answer()).json["received"] == len(lines)
    assert intake.frames == lines
    assert intake.dropped == []


async def test_a_full_inbox_for_too_long_is_503(bench, tokens, intake, monkeypatch, connect, quick_partings):
    # The peer need not guess why nothing goes on.
    monkeypatch.setitem(http._SECONDS, http._Phase.BODY, 0.05)
    _, address = await bench.one("http", tokens=tokens)
    client = await connect(address)
    intake.full_after = 1
    # In one write: the time for a body runs out soon, and must not do so before the inbox is full.
    client.writer.write(HEAD + b"Content-Length: 200000\r\n\r\n" + b"<13>1\n" * 20_000)
    assert (await client.answer()).status == 503
    assert intake.frames


@pytest.mark.parametrize(
    ("phase", "raw", "status"),
    [("HEAD", HEAD[:9], 408), ("BODY", HEAD + b"Content-Length: 9\r\n\r\n1", 408), ("REQUEST", b"", None)],
)
async def test_who_does_not_go_on_is_let_go(bench, tokens, monkeypatch, phase, raw, status, connect):
    # In a head, in a body, between requests.
    monkeypatch.setitem(http._SECONDS, http._Phase[phase], 0.05)
    _, address = await bench.one("http", tokens=tokens)
    client = await connect(address)
    client.writer.write(raw)
    if status is not None:
        assert (await client.answer()).status == status
    assert await client.is_closed()


async def trickle(client, path: str, counters) -> None:
    """Send a chunk of one byte each turn of the loop, until the connection is let go or 200 are sent."""
    client.send("POST", path, None, Transfer_Encoding="chunked", Content_Type="application/vnd.fdo.journal")
    client.writer.write(b"1\r\n\n\r\n" * 20)  # so that a machine that stands still for a moment is no slow sender
    for _ in range(200):
        if any(counters.http_refused.values()):
            return
        client.writer.write(b"1\r\n\n\r\n")
        await asyncio.sleep(0.001)


@pytest.mark.parametrize(("path", "least", "is_let_go"), [
    ("/ingest", 100_000, True), ("/ingest", 1, False), ("/upload", 100_000, False),
])  # fmt: skip
async def test_a_body_that_trickles_is_let_go(bench, tokens, monkeypatch, path, least, is_let_go, connect):
    # Never silent, never whole: a byte a second would keep a seat for years. A journal's has no end by design.
    monkeypatch.setattr(limits, "HTTP_BODY_SECONDS", 0.05)
    monkeypatch.setattr(limits, "HTTP_BODY_RATE", least)
    listeners, address = await bench.one("http", tokens=tokens)
    client = await connect(address)
    counters = listeners.counters["it"]
    await trickle(client, path, counters)
    assert counters.http_refused["timeout"] == is_let_go


async def test_a_wait_of_ours_is_not_the_bodys(bench, tokens, intake, monkeypatch, connect):
    # A full inbox is our fault: who was not read was not slow.
    monkeypatch.setattr(limits, "HTTP_BODY_SECONDS", 1.0)
    monkeypatch.setattr(limits, "HTTP_BODY_RATE", 1_000_000)
    listeners, address = await bench.one("http", tokens=tokens)
    client = await connect(address)
    client.send("POST", "/ingest", None, Content_Length="16")
    intake.full_after = 1
    client.writer.write(b"<13>one\n")
    await until(lambda: intake.full)
    client.writer.write(b"<13>")
    await asyncio.sleep(1.2)
    intake.make_space()
    client.writer.write(b"two\n")
    assert (await client.answer()).status == 200
    assert not any(listeners.counters["it"].http_refused.values())


async def test_a_peer_that_ends_its_side_still_gets_its_answer(client, intake):
    # `nc`, and some old clients: they close for writing as soon as they have written.
    intake.durable = 0
    client.send()
    await until(lambda: len(intake.frames) == 2)
    client.writer.write_eof()
    await asyncio.sleep(0)
    intake.commit(2)
    assert (await client.answer()).status == 200
    assert await client.is_closed()


async def test_a_peer_that_leaves_within_a_body_costs_nothing(door, client, intake, counters):
    # What was whole is an event; the rest was not acknowledged, so its sender has it.
    client.send("POST", "/ingest", None, Content_Length="1000")
    client.writer.write(b"<13>1\n<13>2")
    await until(lambda: intake.frames)
    client.writer.transport.abort()
    await until(lambda: counters.connections_open == 0)
    assert intake.frames == [b"<13>1"]


# --- names ---


async def test_a_key_names_a_request_line_by_line(client, intake):
    # The same key with the same lines is a resend; with another line at a place, that line is new.
    assert (await client.ask(Idempotency_Key="k")).json == {"received": 2, "stored": 2, "duplicates": 0}
    assert (await client.ask(Idempotency_Key="k")).json == {"received": 2, "stored": 0, "duplicates": 2}
    changed = await client.ask("POST", "/ingest", b'{"a":1}\n{"a":3}\n', Idempotency_Key="k")
    assert changed.json == {"received": 2, "stored": 1, "duplicates": 1}
    assert (await client.ask(Idempotency_Key="l")).json["duplicates"] == 0
    assert (await client.ask()).json["duplicates"] == 0


async def test_one_line_twice_in_a_request_is_two_events(client):
    # Its place tells them apart.
    assert (await client.ask("POST", "/ingest", b"x\nx\n", Idempotency_Key="k")).json["stored"] == 2


async def test_a_member_names_an_event_only_if_the_sender_says_so(client):
    # `id` may be a user's: nothing is taken for a name by itself.
    body = b'{"id":7,"x":1}\n{"id":7,"x":2}\n{"event":{"id":"7"}}\n{"x":1}\n'
    assert (await client.ask("POST", "/ingest", body)).json["duplicates"] == 0
    assert (await client.ask("POST", "/ingest?id_field=id", body)).json["duplicates"] == 1
    assert (await client.ask("POST", "/ingest?id_field=event.id", body)).json["duplicates"] == 1  # 7 is "7"
    assert (await client.ask("POST", "/ingest?id_field=event.id", body)).json["duplicates"] == 1


async def test_senders_do_not_meet(bench, tmp_path, connect):
    # Whoever guesses another's ids cannot keep its events out.
    file = tmp_path / "two"
    file.write_text("a: aaaaaaaaaaaaaaaa\nb: bbbbbbbbbbbbbbbb\n")
    _, address = await bench.one("http", tokens=(file,))
    for name in "ab":
        client = await connect(address)
        answer = await client.ask(Authorization=f"Bearer {name * 16}", Idempotency_Key="k")
        assert answer.json["duplicates"] == 0


async def test_duplicates_are_counted_by_listener(client, counters):
    # As the metric shows.
    for _ in range(3):
        await client.ask(Idempotency_Key="k")
    assert counters.duplicates == 4


# --- the end ---


async def test_a_stop_answers_what_is_durable_and_refuses_the_rest(door, client, intake, connect, quick_partings):
    # One waits for its commit, one is in the middle of its body.
    listeners, address = door
    intake.durable = 0
    client.send()
    await until(lambda: len(intake.frames) == 2)
    half = await connect(address)
    half.send("POST", "/ingest", None, Content_Length="1000")
    half.writer.write(b"<13>1\n<13>2")
    await until(lambda: len(intake.frames) == 3)
    stop = asyncio.ensure_future(listeners.stop(5))
    answer = await half.answer()
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert not stop.done()
    intake.commit(3)
    assert (await client.answer()).status == 200
    await asyncio.wait_for(stop, PATIENCE_SECONDS)
    assert await client.is_closed()


async def test_bytes_behind_the_last_request_do_not_cost_its_answer(door, client, intake, quick_partings):
    # Closed with bytes unread, TCP would reset the connection, and the peer would never see what was said.
    intake.durable = 0
    client.send()
    client.send("POST", "/ingest", b"<13>more\n" * 100_000)
    await until(lambda: len(intake.frames) == 2)
    stop = asyncio.ensure_future(door[0].stop(5))
    await asyncio.sleep(0)
    intake.commit(2)
    assert (await client.answer()).status == 200
    intake.durable = None
    async with asyncio.timeout(PATIENCE_SECONDS):
        await client.reader.read()  # what is said of the rest, and the end; no reset
    await asyncio.wait_for(stop, PATIENCE_SECONDS)


def test_names_tell_their_sender_by_their_beginning():
    # The store shares its memory of names among senders by it.
    begin = limits.DELIVERY_SENDER_BYTES
    names = [delivery_id(who, b"id", what) for who in ("token=a", "token=b") for what in (b"1", b"2")]
    assert len(set(names)) == 4
    assert {len(name) for name in names} == {limits.DELIVERY_ID_BYTES}
    assert names[0][:begin] == names[1][:begin] != names[2][:begin] == names[3][:begin]
    assert names[0][begin:] != names[2][begin:]


async def test_half_a_head_counts_as_memory(door, client, monkeypatch):
    # Thousands of them, endless, are bounded like half-read lines.
    half_read = door[0]._room.half_read
    client.writer.write(HEAD + b"X: " + b"x" * 5_000)
    await until(lambda: half_read.total_bytes > 5_000)
    client.writer.write(b"\r\nContent-Length: 2\r\n\r\n")
    await until(lambda: half_read.total_bytes == 0)
    client.writer.write(b"1\n")
    assert (await client.answer()).status == 200
