"""Behind a load balancer: the client that a PROXY header names is the peer; headers of strangers are refused."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import replace
from ipaddress import ip_address, ip_network
from zoneinfo import ZoneInfo

import pytest

from receiver.listen import TlsSettings
from tests.kit.certificates import Authority
from tests.kit.waiting import until
from tests.listen.test_http import TOKEN, Client
from tests.listen.test_stream import ELSEWHERE, LOCAL, connect, end_of, send
from tests.wire.test_proxy import SIGNATURE, v2

V1 = b"PROXY TCP4 192.0.2.7 198.51.100.1 51022 6514\r\n"
V2 = v2(0x11, ip_address("192.0.2.7").packed * 2 + struct.pack("!HH", 51022, 6514))
CHECK = v2(0x00, command=0x20)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def tls(authority):
    files = authority.issue("log.example.org", "127.0.0.1")
    return TlsSettings(files.certificate, files.key, client_ca=authority.file)


@pytest.fixture
def settings(tls, tmp_path):
    """What a listener of a kind needs besides."""
    (tmp_path / "tokens").write_text(f"web: {TOKEN}\n")
    return {"tls": {"tls": tls}, "http": {"tokens": (tmp_path / "tokens",)}}


def relp(text: bytes) -> bytes:
    return b"1 open 0\n2 syslog %d %s\n" % (len(text), text)


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
@pytest.mark.parametrize("kind", ["tcp", "relp"])
async def test_the_client_is_the_peer(bench, intake, header, kind):
    # Its address, its port, its zone and its place in `allow`, not the proxy's; however the header arrives.
    zones = ((ip_network("192.0.2.0/24"), ZoneInfo("Asia/Tokyo")),)
    _, address = await bench.one(kind, allow=(ELSEWHERE,), proxy_protocol=(LOCAL,), zones=zones)
    message = b"<13>hello\n" if kind == "tcp" else relp(b"<13>hello")
    _, writer = await connect(address)
    for byte in header + message:
        writer.write(bytes([byte]))
        await asyncio.sleep(0)
    await until(lambda: intake.frames)
    writer.close()
    assert intake.frames == [b"<13>hello"]
    assert (intake.origins[0].peer, intake.origins[0].peer_port) == ("192.0.2.7", 51022)
    assert intake.zones == [ZoneInfo("Asia/Tokyo")]


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_the_client_of_a_request_is_the_peer(bench, intake, settings, header):
    # HTTP, where proxies more often add a header field, which anybody could write.
    _, address = await bench.one("http", allow=(ELSEWHERE,), proxy_protocol=(LOCAL,), **settings["http"])
    client = await Client.connect(address)
    client.writer.write(header)
    assert (await client.ask()).status == 200
    client.writer.close()
    assert {origin.peer for origin in intake.origins} == {"192.0.2.7"}


@pytest.mark.parametrize("header", [V1, V2], ids=["v1", "v2"])
async def test_it_comes_before_tls(bench, intake, authority, tls, header):
    # Passed through by the proxy: the certificate is the client's, and so is the address.
    _, address = await bench.one("tls", tls=tls, proxy_protocol=(LOCAL,))

    def deliver() -> None:
        context = authority.client_context(authority.issue("web-1"))
        with socket.create_connection(address) as plain:
            plain.sendall(header)
            with context.wrap_socket(plain) as sock:
                sock.sendall(b"<13>hello\n")

    await asyncio.to_thread(deliver)
    await until(lambda: intake.frames)
    assert intake.origins[0].peer == "192.0.2.7"
    assert "CN=web-1" in intake.origins[0].peer_identity


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"<13>hello\n", "no_proxy_header"),
        (b"\x16\x03\x01\x00\xa5\x01", "no_proxy_header"),
        (b"PROXY TCP4 here there\r\n<13>hello\n", "bad_proxy_header"),
        (SIGNATURE + b"\x21\x11\x00\x01\x00<13>hello\n", "bad_proxy_header"),
    ],
)
@pytest.mark.parametrize("kind", ["tcp", "relp"])
async def test_a_trusted_proxy_must_say_it(bench, intake, caplog, stream, reason, kind):
    # Guessing would let whoever comes through the proxy write a header of his own.
    listeners, address = await bench.one(kind, proxy_protocol=(LOCAL,))
    reader, writer = await connect(address)
    writer.write(stream)
    await end_of(reader)
    writer.close()
    counters = listeners.counters["it"]
    assert counters.framing_errors[reason] == 1
    assert intake.frames == []
    assert reason.replace("_", " ") in caplog.text
    await until(lambda: counters.connections_open == 0)
    assert sum(counters.framing_errors.values()) == 1
    assert counters.connections_probed == 0


@pytest.mark.parametrize("header", [V1, V2, CHECK, b"PROXY UNKNOWN\r\n"], ids=["v1", "v2", "local", "unknown"])
@pytest.mark.parametrize("kind", ["tcp", "tls", "relp", "http"])
@pytest.mark.parametrize("trusted", [(), (ELSEWHERE,)], ids=["nobody", "others"])
async def test_a_header_of_a_stranger_is_refused(bench, intake, settings, caplog, header, kind, trusted):
    # Honoured, it would let anybody name himself; kept as text, it would hide a load balancer set up wrongly.
    listeners, address = await bench.one(kind, proxy_protocol=trusted, **settings.get(kind, {}))
    reader, writer = await connect(address)
    writer.write(header + b"<13>hello\n")
    await end_of(reader)
    writer.close()
    await until(lambda: listeners.counters["it"].connections_open == 0)
    assert listeners.counters["it"].framing_errors["untrusted_proxy_header"] == 1
    assert sum(listeners.counters["it"].connections_rejected.values()) == 0
    assert "untrusted proxy header" in caplog.text
    assert intake.frames == []


async def test_what_only_begins_like_a_header_is_a_message(bench, intake):
    # Looking must lose nothing: what was waited with is taken, at the end too, and by a stop.
    listeners, address = await bench.one("tcp")
    for text in (b"PROXY TCP", b"\r\n\r\n\0\r\nQUIT", b"PROXY is down\n"):
        await send(address, text)
    await until(lambda: len(intake.frames) == 3)
    assert sorted(intake.frames) == [b"PROXY TCP", b"PROXY is down", b"QUIT"]
    reader, writer = await connect(address)
    writer.write(b"PROXY")
    await until(lambda: listeners.counters["it"].connections_open == 1)
    await listeners.stop(5)
    assert intake.frames[-1] == b"PROXY"
    writer.close()
    await end_of(reader)


async def test_the_client_must_be_allowed_and_has_its_own_seats(bench, intake):
    # The proxy's many connections are not one peer's; a client that may not send does not get in by it.
    other = V1.replace(b"192.0.2.7", b"192.0.2.8")
    bounds = {"connections_per_peer": 1}
    listeners, address = await bench.one("tcp", allow=(ELSEWHERE,), proxy_protocol=(LOCAL,), bounds=bounds)
    counters = listeners.counters["it"]
    writers = []
    for header in (V1, other):
        _, writer = await connect(address)
        writer.write(header + b"<13>in\n")
        writers.append(writer)
    await until(lambda: len(intake.frames) == 2)
    seats = listeners._room.seats
    assert seats._by_peer == {"192.0.2.7": 1, "192.0.2.8": 1}
    for header, reason in ((V1, "too_many_per_peer"), (V1.replace(b"192.0.2.7", b"203.0.113.1"), "not_allowed")):
        reader, writer = await connect(address)
        writer.write(header + b"<13>out\n")
        await end_of(reader)
        writer.close()
        assert counters.connections_rejected[reason] == 1
    for writer in writers:
        writer.close()
    await until(lambda: counters.connections_open == 0)
    assert (seats.taken, seats._by_peer, len(intake.frames)) == (0, {}, 2)


async def test_a_proxy_that_knows_no_client_must_be_allowed_itself(bench, intake):
    # `UNKNOWN` says nothing of the client, so it opens nothing that is closed to the proxy.
    listeners, address = await bench.one("tcp", allow=(ELSEWHERE,), proxy_protocol=(LOCAL,))
    await send(address, b"PROXY UNKNOWN\r\n<13>hello\n")
    await until(lambda: listeners.counters["it"].connections_rejected["not_allowed"] == 1)
    _, address = await bench.one("tcp", allow=(LOCAL,), proxy_protocol=(LOCAL,))
    await send(address, b"PROXY UNKNOWN\r\n<13>hello\n")
    await until(lambda: intake.frames)
    assert intake.origins[0].peer == "127.0.0.1"


async def quietly(listeners, count: int, caplog, intake) -> None:
    """Wait until so many looked whether we live; nobody is told and nothing is stored."""
    counters = listeners.counters["it"]
    await until(lambda: counters.connections_probed == count)
    await until(lambda: counters.connections_open == 0)
    assert sum(counters.framing_errors.values()) == sum(counters.connections_rejected.values()) == 0
    assert caplog.records == []
    assert intake.frames == []


@pytest.mark.parametrize("kind", ["tcp", "tls", "relp", "http"])
async def test_connecting_and_closing_at_once_is_quiet(bench, intake, settings, caplog, kind):
    # What a load balancer does every two seconds: by FIN, by RST.
    listeners, address = await bench.one(kind, **settings.get(kind, {}))
    for reset in (False, True):
        sock = socket.create_connection(address)
        if reset:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()
    await quietly(listeners, 2, caplog, intake)


@pytest.mark.parametrize("kind", ["tcp", "tls", "relp", "http"])
async def test_a_proxys_own_check_is_quiet(bench, intake, authority, settings, caplog, kind):
    # By LOCAL, by its own address, by closing at once, by a handshake without the certificate that clients must have.
    listeners, address = await bench.one(kind, allow=(ELSEWHERE,), proxy_protocol=(LOCAL,), **settings.get(kind, {}))
    await send(address, CHECK)
    await send(address, b"")
    with socket.create_connection(address) as sock:
        sock.sendall(b"PROXY TCP4 %s %s %d %d\r\n" % (b"127.0.0.1", b"127.0.0.1", sock.getsockname()[1], address[1]))
    expected = 3
    if kind == "tls":

        def handshake() -> None:
            with socket.create_connection(address) as plain:
                plain.sendall(CHECK)
                with contextlib.suppress(OSError), authority.client_context().wrap_socket(plain) as sock:
                    sock.recv(1)

        await asyncio.to_thread(handshake)
        expected = 4
    await quietly(listeners, expected, caplog, intake)


async def test_half_a_header_is_a_fault_of_the_proxy(bench, caplog):
    # The end of the connection does not make it one.
    listeners, address = await bench.one("tcp", proxy_protocol=(LOCAL,))
    await send(address, V2[:-1])
    await until(lambda: listeners.counters["it"].framing_errors["bad_proxy_header"] == 1)
    assert "bad proxy header" in caplog.text


@pytest.mark.parametrize("kind", ["tcp", "tls"])
async def test_a_header_has_its_time_and_no_more(bench, tls, caplog, kind):
    # A connection that nobody has introduced must not keep a seat.
    listeners, address = await bench.one(
        kind, proxy_protocol=(LOCAL,), tls=tls if kind == "tls" else None, bounds={"proxy_header_seconds": 0.05}
    )
    reader, writer = await connect(address)
    writer.write(V2[:5])
    await end_of(reader)
    writer.close()
    counters = listeners.counters["it"]
    await until(lambda: counters.connections_open == 0)
    assert counters.connections_rejected["proxy_header"] == 1
    assert sum(counters.connections_rejected.values()) == 1
    assert listeners._room.seats.taken == 0
    assert "no PROXY header in time" in caplog.text


async def test_a_reload_changes_whom_to_trust(bench, intake):
    # For the next connection, on the door that stays open.
    listeners, address = await bench.one("tcp")
    settings = listeners._doors["it"].listener.settings
    await listeners.reload([replace(settings, proxy_protocol=(LOCAL,))])
    await send(address, V2 + b"<13>hello\n")
    await until(lambda: intake.frames)
    assert intake.origins[0].peer == "192.0.2.7"
