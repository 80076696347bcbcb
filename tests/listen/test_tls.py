"""TLS: who gets in, who does not and what is said of it; nothing is lost under backpressure."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import shutil
import socket
import ssl
import time

import pytest

from receiver.errors import ConfigError
from receiver.event import Transport
from receiver.listen import ListenerSettings, TlsSettings, tls
from receiver.listen.tls import TlsKeeper
from tests.kit.certificates import Authority
from tests.kit.waiting import until
from tests.listen.conftest import address_of
from tests.listen.test_stream import end_of


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("stranger"), "a stranger")


@pytest.fixture(scope="module")
def server(authority):
    return authority.issue("log.example.org", "log.example.org", "127.0.0.1")


def settings_of(server, **more) -> TlsSettings:
    return TlsSettings(server.certificate, server.key, **more)


async def connect(address, context):
    return await asyncio.open_connection(*address, ssl=context)


async def close(writer) -> None:
    writer.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()


async def refused(address, context) -> None:
    """Try to come in and wait for the end; TLS 1.3 tells a client only after its own side is done."""
    try:
        reader, writer = await connect(address, context)
    except (ConnectionError, ssl.SSLError):
        return
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        writer.write(b"<13>no\n")
        while await reader.read(100):
            pass
    await close(writer)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_frames_come_through_tls(bench, intake, authority, server, version):
    # Both versions; without a client certificate the peer has no identity.
    listeners, address = await bench.one("tls", tls=settings_of(server))
    context = authority.client_context()
    context.minimum_version = context.maximum_version = version
    _, writer = await connect(address, context)
    writer.write(b"".join(b"<13>line %d\n" % number for number in range(20_000)) + b"<13>last")
    await close(writer)
    await until(lambda: len(intake.frames) == 20_001)
    assert intake.frames[-1] == b"<13>last"
    assert intake.origins[0].transport == "tls"
    assert intake.origins[0].peer_identity is None
    assert listeners.certificate_not_after["it"] == pytest.approx(time.time() + 30 * 86_400, abs=600)


async def test_a_client_certificate_names_the_peer(bench, intake, authority, server):
    # Subject, alternative names and fingerprint go into `peer_identity`.
    _, address = await bench.one("tls", tls=settings_of(server, client_ca=authority.file))
    files = authority.issue("web-1", "web-1.example.org")
    _, writer = await connect(address, authority.client_context(files))
    writer.write(b"<13>x\n")
    await until(lambda: intake.frames)
    await close(writer)
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(files.certificate.read_text())).hexdigest()
    assert intake.origins[0].peer_identity == f"CN=web-1, SAN=web-1.example.org, sha-256:{fingerprint}"


async def test_who_the_authority_did_not_sign_stays_out(bench, intake, authority, stranger, server):
    # None, a stranger's, an expired one: refused in the handshake, counted, nothing taken.
    listeners, address = await bench.one("tls", tls=settings_of(server, client_ca=authority.file))
    counters = listeners.counters["it"]
    expired = authority.issue("old", days=-1)
    contexts = [
        authority.client_context(),
        authority.client_context(stranger.issue("evil")),
        authority.client_context(expired),
    ]
    for number, context in enumerate(contexts):
        await refused(address, context)
        await until(lambda number=number: counters.connections_rejected["tls_handshake"] == number + 1)
    await until(lambda: counters.connections_open == 0)
    assert intake.frames == []


@pytest.mark.parametrize(
    ("permitted", "comes_in"),
    [
        ("web-1.example.org", True),
        ("WEB-1.example.org", True),
        ("*.example.org", True),
        ("*.example.com", False),
        ("*.org", False),
        ("web-1", False),  # the common name does not count beside alternative names
        ("print", True),
        ("sha-256:" + "00" * 32, False),
    ],
)
async def test_permitted_names_and_fingerprints(bench, intake, authority, server, permitted, comes_in):
    # A signature alone is not enough when a list says who may send.
    files = authority.issue("web-1", "web-1.example.org")
    if permitted == "print":
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(files.certificate.read_text())).hexdigest().upper()
        permitted = "SHA-256:" + ":".join(digest[i : i + 2] for i in range(0, 64, 2))
    settings = settings_of(server, client_ca=authority.file, permitted=("other.example.net", permitted))
    listeners, address = await bench.one("tls", tls=settings)
    if comes_in:
        _, writer = await connect(address, authority.client_context(files))
        writer.write(b"<13>x\n")
        await until(lambda: intake.frames)
        await close(writer)
    else:
        await refused(address, authority.client_context(files))
        await until(lambda: listeners.counters["it"].connections_rejected["not_allowed"] == 1)
        assert intake.frames == []


async def test_plain_text_on_a_tls_port_is_counted_and_named(bench, intake, server, caplog):
    # A sender that forgot TLS must be found by the log.
    listeners, address = await bench.one("tls", tls=settings_of(server))
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"<13>Oct 11 22:14:15 host app: in the clear\n")
    await end_of(reader)
    writer.close()
    assert listeners.counters["it"].connections_rejected["tls_handshake"] == 1
    assert "127.0.0.1" in caplog.text
    assert intake.frames == []


async def test_a_handshake_has_its_time_and_no_more(bench, server):
    # Somebody who connects and says nothing must not keep a seat.
    listeners, address = await bench.one("tls", tls=settings_of(server), bounds={"tls_handshake_seconds": 0.05})
    reader, writer = await asyncio.open_connection(*address)
    await end_of(reader)
    writer.close()
    await until(lambda: listeners.counters["it"].connections_open == 0)
    assert listeners.counters["it"].connections_rejected["tls_handshake"] == 1


async def test_backpressure_loses_nothing_when_the_peer_closes_meanwhile(bench, intake, authority, server):
    # What the loops' own TLS transports lose: text decrypted or queued when the peer has gone.
    _, address = await bench.one("tls", tls=settings_of(server))
    intake.full = True
    lines = [b"<13>%05d %s" % (number, b"y" * 100) for number in range(2_000)]

    def send() -> None:
        with socket.create_connection(address) as plain, authority.client_context().wrap_socket(plain) as sock:
            sock.sendall(b"".join(line + b"\n" for line in lines))

    await asyncio.to_thread(send)
    await until(lambda: intake._waiting)
    assert intake.frames == []
    intake.make_space(100)
    await until(lambda: intake.full)
    intake.make_space()
    await until(lambda: len(intake.frames) == len(lines))
    assert intake.frames == lines


async def test_a_reload_takes_the_new_certificate_and_keeps_the_old_one_if_it_is_bad(
    bench, authority, server, tmp_path
):
    # New handshakes get the new certificate, open connections go on, a broken file changes nothing.
    files = [shutil.copy(server.certificate, tmp_path / "cert"), shutil.copy(server.key, tmp_path / "key")]
    listener = ListenerSettings("it", Transport.TLS, "127.0.0.1:0", tls=TlsSettings(*files))
    listeners = await bench.open(listener)
    host, _, port = listeners.status()["it"].addresses[0].rpartition(":")
    address = (host, int(port))
    context = authority.client_context()

    async def shown() -> bytes:
        _, writer = await connect(address, context)
        certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        await close(writer)
        return certificate

    old = await shown()
    files[0].write_text("no certificate")
    with pytest.raises(ConfigError, match=r"listener it: cannot use .*cert with .*key"):
        await listeners.reload([listener])
    assert await shown() == old
    assert listeners.counters["it"].certificate_failures == 1
    new = authority.issue("log.example.org", days=5, file="renewed")
    shutil.copy(new.certificate, files[0])
    shutil.copy(new.key, files[1])
    await listeners.reload([listener])
    assert await shown() == ssl.PEM_cert_to_DER_cert(new.certificate.read_text())
    assert listeners.certificate_not_after["it"] == pytest.approx(time.time() + 5 * 86_400, abs=600)


@pytest.mark.parametrize(
    ("version", "ciphers"),
    [
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256"),
        (ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-CCM8"),
        (ssl.TLSVersion.TLSv1_2, "AES128-SHA:AES128-GCM-SHA256:DHE-RSA-AES128-SHA"),
        (ssl.TLSVersion.TLSv1_2, "aNULL:eNULL"),
    ],
)
async def test_weak_ciphers_are_refused(bench, intake, authority, server, version, ciphers):
    # No forward secrecy, no authenticated encryption, no authentication: no handshake, and it is counted.
    listeners, address = await bench.one("tls", tls=settings_of(server))
    context = authority.client_context()
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(f"{ciphers}:@SECLEVEL=0")
    await refused(address, context)
    await until(lambda: listeners.counters["it"].connections_rejected["tls_handshake"] == 1)
    assert intake.frames == []


async def test_what_is_offered_is_new_and_keeps_secrets(server):
    # TLS 1.2 and 1.3 only, forward secrecy and AEAD only, no tickets, no compression, no renegotiation.
    context = TlsKeeper("door", settings_of(server)).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    offered = context.get_ciphers()
    assert {cipher["protocol"] for cipher in offered} == {"TLSv1.2", "TLSv1.3"}
    assert all(cipher["aead"] for cipher in offered)
    assert {cipher["kea"] for cipher in offered} == {"kx-any", "kx-ecdhe"}
    assert all(cipher["strength_bits"] >= 128 for cipher in offered)
    for option in (ssl.OP_NO_TICKET, ssl.OP_NO_COMPRESSION, ssl.OP_NO_RENEGOTIATION):
        assert context.options & option


async def test_a_replaced_certificate_is_noticed(bench, authority, server, tmp_path, caplog):
    # Without a signal: taken over when it is good, refused once with a warning and a count when it is bad.
    files = [shutil.copy(server.certificate, tmp_path / "cert"), shutil.copy(server.key, tmp_path / "key")]
    listener = ListenerSettings("it", Transport.TLS, "127.0.0.1:0", tls=TlsSettings(*files))
    listeners = await bench.open(listener, certificate_look_seconds=0)
    counters = listeners.counters["it"]
    before = listeners.certificate_not_after["it"]

    def look(times: int) -> None:
        for _ in range(times):
            listeners.refresh()

    look(3)
    whole = files[0].read_bytes()
    files[0].write_bytes(whole[: len(whole) // 2])
    look(1)
    assert counters.certificate_failures == 0  # it may be half written
    look(3)
    assert counters.certificate_failures == 1
    files[0].unlink()
    look(3)
    assert counters.certificate_failures == 2
    assert "the old one stays" in caplog.text
    assert str(files[0]) in caplog.text
    assert listeners.certificate_not_after["it"] == before
    new = authority.issue("log.example.org", days=5, file="noticed")
    shutil.copy(new.key, files[1])
    look(1)
    shutil.copy(new.certificate, files[0])
    look(1)
    assert listeners.certificate_not_after["it"] == before
    look(1)
    assert listeners.certificate_not_after["it"] == pytest.approx(time.time() + 5 * 86_400, abs=600)
    assert counters.certificate_failures == 2
    files[0].write_bytes(b"bad again")
    with pytest.raises(ConfigError):
        await listeners.reload([listener])
    look(3)
    assert counters.certificate_failures == 3  # these files were counted when the reload refused them
    certificate = await asyncio.to_thread(shown_by, address_of(listeners, "it"), authority)
    assert certificate == ssl.PEM_cert_to_DER_cert(new.certificate.read_text())


def shown_by(address, authority) -> bytes:
    with socket.create_connection(address) as plain, authority.client_context().wrap_socket(plain) as sock:
        return sock.getpeercert(binary_form=True)


async def test_files_are_looked_at_now_and_then_only(bench, server, monkeypatch):
    # Not once a scrape.
    listener = ListenerSettings("it", Transport.TLS, "127.0.0.1:0", tls=settings_of(server))
    listeners = await bench.open(listener, certificate_look_seconds=3600)
    looks = []
    monkeypatch.setattr(tls, "stamp_of", looks.append)
    for _ in range(5):
        listeners.refresh()
    assert len(looks) == 1


def test_unusable_files_are_one_line_for_the_operator(authority, server, tmp_path):
    # Missing, mismatched, encrypted, permitted without an authority: each says which listener and which file.
    other = authority.issue("other")
    cases = {
        "No such file": TlsSettings(tmp_path / "none.pem", server.key),
        "mismatch": TlsSettings(server.certificate, other.key),
        "none.pem": settings_of(server, client_ca=tmp_path / "none.pem"),
        "needs tls.client_ca": settings_of(server, permitted=("x",)),
    }
    for expected, settings in cases.items():
        with pytest.raises(ConfigError) as caught:
            TlsKeeper("door", settings)
        assert expected in str(caught.value)
        assert "listener door" in str(caught.value)
        assert "\n" not in str(caught.value)
