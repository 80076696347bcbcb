"""Opening, activating, reloading: which sockets there are, and whose they are."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import re
import socket
import subprocess
import sys
import time
from ipaddress import ip_network

import pytest

from receiver.errors import ConfigError
from receiver.event import Transport
from receiver.listen import ListenerSettings, open_listeners
from receiver.listen.accept import Acceptor
from receiver.listen.activation import Inherited, inherited_sockets
from receiver.listen.address import parse_host_port
from receiver.listen.complaints import Complaints
from tests.kit.fake_intake import FakeIntake
from tests.kit.process import free_ports
from tests.kit.waiting import PATIENCE_SECONDS, until
from tests.listen.conftest import address_of
from tests.listen.test_stream import send

ANYWHERE = "127.0.0.1:0"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1:514", ("127.0.0.1", 514)),
        ("[::1]:514", ("::1", 514)),
        ("*:6514", ("*", 6514)),
        ("localhost:1", ("localhost", 1)),
        *[(bad, None) for bad in ("514", ":514", "::1:514", "[::1]", "host:", "host:70000", "host:-1", "host:²", "")],
    ],
)
def test_addresses(text, expected):
    # What cannot be meant is refused in one line that shows it.
    if expected:
        assert parse_host_port(text) == expected
    else:
        with pytest.raises(ConfigError):
            parse_host_port(text)


async def test_any_number_of_listeners(bench, intake):
    # Two of one type, told apart by name everywhere.
    listeners = await bench.open(
        ListenerSettings("a", Transport.TCP, ANYWHERE), ListenerSettings("b", Transport.TCP, ANYWHERE)
    )
    await send(address_of(listeners, "b"), b"<13>to b\n")
    await until(lambda: intake.frames)
    assert intake.origins[0].listener == "b"
    assert listeners.counters["a"].received_bytes == 0
    assert listeners.types == {"a": Transport.TCP, "b": Transport.TCP}
    assert all(status.up for status in listeners.status().values())


async def test_one_bad_listener_closes_the_others(intake):
    # All or nothing: a half-open receiver would look alive.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        good = f"127.0.0.1:{free_ports(1)[0]}"
        settings = [
            ListenerSettings("good", Transport.TCP, good),
            ListenerSettings("bad", Transport.TCP, f"127.0.0.1:{port}"),
        ]
        with pytest.raises(ConfigError, match=r"listener bad: cannot listen on .*: Address already in use"):
            open_listeners(settings, intake)
        open_listeners(settings[:1], intake)._doors["good"].listener.sockets[0].close()


async def test_types_of_later_versions_are_refused(intake):
    # Better than a door that nobody opens.
    with pytest.raises(ConfigError, match="listener x: type"):
        open_listeners([ListenerSettings("x", Transport.HTTP, ANYWHERE)], intake)


async def test_a_stale_path_is_replaced_and_a_living_one_is_not(bench, intake, tmp_path):
    # After a crash the path is still there; but nobody's socket may be stolen, and no file removed.
    path = tmp_path / "log"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    settings = ListenerSettings("it", Transport.UNIX_STREAM, str(path))
    listeners = await bench.open(settings)
    for kind in (Transport.UNIX_STREAM, Transport.UNIX_DGRAM):
        with pytest.raises(ConfigError, match="another process listens there"):
            open_listeners([ListenerSettings("two", kind, str(path))], intake)
    await listeners.stop(1)
    assert not path.exists()
    path.write_text("precious")
    with pytest.raises(ConfigError, match="is no socket"):
        open_listeners([settings], intake)
    assert path.read_text() == "precious"


async def test_inherited_sockets_go_by_name_and_kind(bench, intake):
    # One unit gives one name to its stream and its datagram socket; the listeners share the name.
    stream = socket.create_server(("127.0.0.1", 0))
    datagram = socket.socket(type=socket.SOCK_DGRAM)
    datagram.bind(("127.0.0.1", 0))
    stream.setblocking(False)
    datagram.setblocking(False)
    tcp, udp = (ListenerSettings("syslog", kind, "127.0.0.1:1") for kind in (Transport.TCP, Transport.UDP))
    inherited = [Inherited("syslog", stream), Inherited("syslog", datagram)]
    listeners = await bench.open(udp, tcp, inherited=inherited)
    assert set(listeners.counters) == {"syslog-udp", "syslog-tcp"}
    await send(address_of(listeners, "syslog-tcp"), b"<13>stream\n")
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>datagram", address_of(listeners, "syslog-udp"))
        await until(lambda: len(intake.frames) == 2)
    assert {(o.transport, o.listener) for o in intake.origins} == {("tcp", "syslog"), ("udp", "syslog")}


@pytest.mark.parametrize("wanted", [("other", Transport.TCP), ("syslog", Transport.UDP)])
async def test_an_inherited_socket_that_nobody_wants_is_named(intake, wanted):
    # Data would pile up in it unread.
    with socket.create_server(("127.0.0.1", 0)) as sock:
        where = f"127.0.0.1:{sock.getsockname()[1]}"
        with pytest.raises(ConfigError, match=rf"'syslog' \(stream, {where}, fd \d+\): no listener has"):
            open_listeners([ListenerSettings(*wanted, ANYWHERE)], intake, inherited=[Inherited("syslog", sock)])


def test_descriptors_are_taken_over_by_the_protocol_of_systemd():
    # In a process of its own: the numbers from 3 on, names in their order, variables gone afterwards.
    program = (
        "import os, sys\n"
        "os.environ['LISTEN_PID'] = str(os.getpid())\n"
        "from receiver.listen import inherited_sockets\n"
        "for name, sock in inherited_sockets():\n"
        "    print(name, sock.type.name, sock.getsockname()[1], sock.getblocking(), sock.get_inheritable())\n"
        "print(sorted(k for k in os.environ if k.startswith('LISTEN_')), inherited_sockets())\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as one, socket.socket(type=socket.SOCK_DGRAM) as two:
        two.bind(("127.0.0.1", 0))
        # As systemd does it: 3 and 4, whatever they were here.
        spare = [os.dup(one.fileno()), os.dup(two.fileno())]
        shell = f"exec 3<&{spare[0]} 4<&{spare[1]}; exec \"$0\" -c \"$1\""
        environ = {**os.environ, "LISTEN_FDS": "2", "LISTEN_FDNAMES": "syslog:gelf"}
        result = subprocess.run(
            ["bash", "-c", shell, sys.executable, program],
            pass_fds=spare, env=environ, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        for fd in spare:
            os.close(fd)
        ports = one.getsockname()[1], two.getsockname()[1]
    assert result.stdout.splitlines() == [
        f"syslog SOCK_STREAM {ports[0]} False False",
        f"gelf SOCK_DGRAM {ports[1]} False False",
        "[] []",
    ]


def test_descriptors_of_another_process_are_not_ours():
    # LISTEN_PID says whom they are for; a parent's variables are removed and not believed.
    environ = {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "x", "HOME": "/"}
    assert inherited_sockets(environ) == []
    assert environ == {"HOME": "/"}


async def test_a_reload_opens_closes_and_keeps(bench, intake):
    # Kept doors go on with their connections; what is new opens, what is gone closes, counters stay.
    keep = ListenerSettings("keep", Transport.TCP, ANYWHERE)
    gone = ListenerSettings("gone", Transport.UDP, ANYWHERE)
    listeners = await bench.open(keep, gone)
    address = address_of(listeners, "keep")
    _, writer = await asyncio.open_connection(*address)
    await until(lambda: listeners.counters["keep"].connections_open == 1)
    closed = ListenerSettings("keep", Transport.TCP, ANYWHERE, allow=(ip_network("192.0.2.0/24"),))
    await listeners.reload([closed, ListenerSettings("new", Transport.UDP, ANYWHERE)])
    assert set(listeners.status()) == {"keep", "new"}
    assert set(listeners.counters) == {"keep", "gone", "new"}
    writer.write(b"<13>still here\n")
    await until(lambda: intake.frames)
    await send(address, b"<13>not any more\n")
    await until(lambda: listeners.counters["keep"].connections_rejected["not_allowed"] == 1)
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>new", address_of(listeners, "new"))
        await until(lambda: len(intake.frames) == 2)
    writer.close()


async def test_a_bad_reload_changes_nothing(bench):
    # The old settings stay in force, whole.
    keep = ListenerSettings("keep", Transport.TCP, ANYWHERE)
    listeners = await bench.open(keep)
    with pytest.raises(ConfigError):
        await listeners.reload([ListenerSettings("new", Transport.UDP, ANYWHERE), ListenerSettings("x", "tcp", "bad")])
    assert set(listeners.status()) == {"keep"}
    assert listeners.status()["keep"].up


@pytest.mark.parametrize(
    ("new", "said"),
    [
        (("b", Transport.TCP), 'listener a: {} stays open as it is: its new name "b" needs a restart'),
        (("a", Transport.RELP), "listener a: {} stays open as it is: its new type relp needs a restart"),
    ],
)
async def test_an_address_stays_with_its_listener(bench, new, said):
    # Whoever renames a listener is told what to do, not that an address is in use which only we have.
    (port,) = free_ports(1)
    listen = f"127.0.0.1:{port}"
    listeners = await bench.open(ListenerSettings("a", Transport.TCP, listen))
    with pytest.raises(ConfigError, match=f"^{re.escape(said.format(listen))}$"):
        await listeners.reload([ListenerSettings(*new, listen)])
    assert listeners.status()["a"].up
    both = [ListenerSettings("a", Transport.TCP, listen), ListenerSettings("b", Transport.UDP, listen)]
    await listeners.reload(both)
    assert set(listeners.status()) == {"a", "b"}


class Exhausted(socket.socket):
    """A listening socket whose accept finds no free file, as often as told."""

    refusals = 0
    error = errno.EMFILE

    def accept(self):
        if self.refusals:
            self.refusals -= 1
            raise OSError(self.error, os.strerror(self.error))
        return super().accept()


def listening() -> Exhausted:
    sock = Exhausted()
    sock.bind(("127.0.0.1", 0))
    sock.listen()
    sock.setblocking(False)
    return sock


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM])
async def test_out_of_files_accepting_rests_and_goes_on(error, caplog):
    # No spinning, one warning, and the waiting connection is accepted later.
    sock = listening()
    many = sock.refusals = 1_000_000
    sock.error = error
    accepted = []
    acceptor = Acceptor(sock, lambda conn, _: accepted.append(conn), Complaints(), pause_seconds=0.03)
    acceptor.start(asyncio.get_running_loop())
    began = time.monotonic()
    client = socket.create_connection(sock.getsockname())
    await until(lambda: many - sock.refusals >= 3)
    await until(lambda: acceptor.resting)
    assert accepted == []
    assert (many - sock.refusals - 2) * 0.03 <= time.monotonic() - began  # it does not spin
    sock.refusals = 0
    await until(lambda: accepted)
    assert not acceptor.resting
    assert len(caplog.records) == 1
    acceptor.stop()
    for each in (client, sock, *accepted):
        each.close()


async def test_a_connection_gone_before_accept_harms_nobody(caplog):
    # ECONNABORTED is that connection's business, not the listener's.
    sock = listening()
    sock.refusals, sock.error = 1, errno.ECONNABORTED
    accepted = []
    acceptor = Acceptor(sock, lambda conn, _: accepted.append(conn), Complaints())
    acceptor.start(asyncio.get_running_loop())
    client = socket.create_connection(sock.getsockname())
    await until(lambda: accepted)
    assert not acceptor.resting
    assert caplog.records == []
    acceptor.stop()
    for each in (client, sock, *accepted):
        each.close()


async def test_a_resting_listener_is_not_ready(bench):
    # Readiness says what the metrics cannot: nobody can come in now.
    listeners, address = await bench.one("tcp")
    acceptor = listeners._doors["it"].listener._acceptors[0]
    acceptor._rest(OSError(errno.EMFILE, "too many"))
    status = listeners.status()["it"]
    assert not status.up
    assert "out of files" in status.trouble
    with contextlib.suppress(OSError):
        socket.create_connection(address).close()


async def test_a_reader_that_dies_is_not_ready(bench, intake, caplog):
    # A fault of ours must not look like a quiet network.
    class Broken(FakeIntake):
        def take(self, *args, **kwargs):
            raise RuntimeError("a bug")

    bench.intake = Broken()
    listeners, address = await bench.one("udp")
    with socket.socket(type=socket.SOCK_DGRAM) as sender:
        sender.sendto(b"<13>x", address)
        await until(lambda: not listeners.status()["it"].up)
    assert "reading has stopped" in caplog.text
