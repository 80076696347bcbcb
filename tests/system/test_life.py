"""Start, stop, crash and reload of the real process."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import subprocess
from contextlib import ExitStack, closing
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.bench.load import Pool, blocks
from tests.kit.process import COMMAND, ROOT, ReceiverProcess, free_ports, wait_for
from tests.kit.tls_files import TlsFiles
from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.system


def send_tcp(port: int, count: int, connections: int = 1) -> None:
    """Send `count` messages over each connection, all open at once, then close them."""
    pool = blocks(Pool(count).messages, "lf")
    with ExitStack() as stack:
        socks = [
            stack.enter_context(closing(socket.create_connection(("127.0.0.1", port)))) for _ in range(connections)
        ]
        for block in pool:
            for sock in socks:
                sock.sendall(block.data)


def send_for_ever(sock: socket.socket, block: bytes) -> None:
    while True:
        sock.sendall(block)


def assert_conserved(metrics: dict[str, float]) -> None:
    kept = metrics["audit_receiver_events_stored_total"] + metrics["audit_receiver_events_in_flight"]
    dropped = metrics["audit_receiver_events_dropped_total"]
    assert metrics["audit_receiver_received_messages_total"] == kept + dropped


def accounted(receiver: ReceiverProcess) -> float:
    """What is stored, dropped, or was dropped by the kernel before anybody could read it."""
    metrics = receiver.metrics()
    assert_conserved(metrics)
    names = ("events_stored_total", "events_dropped_total", "udp_kernel_drops_total")
    return sum(metrics[f"audit_receiver_{name}"] for name in names)


def run_once(receiver: ReceiverProcess) -> subprocess.CompletedProcess[str]:
    """Run in the foreground something that is expected to end by itself."""
    return subprocess.run(
        receiver.command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
    )


def assert_one_line(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.returncode == 2
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert all(part in line for part in parts), line


def own_acts(receiver: ReceiverProcess, action: str) -> list[dict[str, object]]:
    command = [*COMMAND, "query", "--store", str(receiver.store), "--json", "--action", action]
    said = subprocess.check_output(command, cwd=ROOT, timeout=PATIENCE_SECONDS)
    return [json.loads(line) for line in said.splitlines()]


def test_sigterm_stores_everything_that_was_sent_before(tmp_path: Path) -> None:
    # Senders are done and gone, some not even accepted yet, more of it in their kernel than in ours: all of it is in
    # the store, and the exit code is 0. Not so much that a busy machine could not read it in the time of a stop.
    with ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        send_tcp(receiver.port, 1500, connections=8)
        assert receiver.stop() == 0, receiver.log
    assert len(receiver.events()) == 8 * 1500
    (stopped,) = own_acts(receiver, "log.stop")
    assert stopped["data"] == {"received": 12_000, "stored": 12_000, "dropped": 0}


def test_sigterm_is_not_held_by_a_sender_that_goes_on(tmp_path: Path) -> None:
    # The stop is bounded even while somebody sends and sends.
    block = blocks(Pool(2000).messages, "lf")[0].data
    with ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            sock.sendall(block)
            receiver.signal(signal.SIGTERM)
            with pytest.raises((ConnectionResetError, BrokenPipeError)):
                send_for_ever(sock, block)
        assert receiver.wait_exit() == 0, receiver.log


def test_datagrams_in_the_socket_at_sigterm_are_stored(tmp_path: Path) -> None:
    # What the kernel had queued at the signal is read before the socket closes.
    with ReceiverProcess.with_syslog(tmp_path) as receiver:
        receiver.start()
        receiver.signal(signal.SIGSTOP)  # it cannot read while we send
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(100):
                sock.sendto(b"<13>1 - - app - - - datagram %d" % number, ("127.0.0.1", receiver.port))
        receiver.signal(signal.SIGTERM)
        receiver.signal(signal.SIGCONT)
        assert receiver.wait_exit() == 0, receiver.log
    messages = [event["message"] for event in sorted(receiver.events(), key=lambda event: event["seq"])]
    assert messages == [f"datagram {number}" for number in range(100)]


def test_counts_are_conserved_under_mixed_load(receiver: ReceiverProcess) -> None:
    # received = stored + dropped + in flight, at every scrape.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for message in Pool(2000).messages:
            sock.sendto(message, ("127.0.0.1", receiver.port))
        assert_conserved(receiver.metrics())
        send_tcp(receiver.port, 5000, connections=2)
        assert_conserved(receiver.metrics())
    wait_for(lambda: accounted(receiver) == 12_000, what="all stored, but for what the kernel dropped")
    assert receiver.stored() >= 10_000


def test_datagrams_beyond_the_inbox_are_dropped_and_counted(tmp_path: Path) -> None:
    # UDP cannot be slowed: with a small inbox and large datagrams some are dropped, none silently.
    sent = 4000
    with ReceiverProcess.with_syslog(tmp_path, ingest={"max_bytes": "1MiB"}) as receiver:
        receiver.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            for number in range(sent):
                sock.sendto(b"<13>1 - - app - - - %08000d" % number, ("127.0.0.1", receiver.port))

        wait_for(lambda: accounted(receiver) == sent, what="every datagram accounted for")
        stored = receiver.stored()
        assert receiver.stop() == 0
    assert len(receiver.events()) == stored


def test_a_killed_receiver_leaves_a_store_that_opens_and_goes_on(tmp_path: Path) -> None:
    # kill -9 in the middle of the load: nothing that was committed is missing, and a new start takes more.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    block = blocks(Pool(2000).messages, "lf")[0]
    with receiver:
        receiver.start()
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            for _ in range(40):
                sock.sendall(block.data)
            stored = wait_for(receiver.stored, what="some events stored")
            receiver.signal(signal.SIGKILL)
        assert receiver.wait_exit() == -signal.SIGKILL
    before = len(receiver.events())
    assert before >= stored
    with receiver:
        receiver.start()
        send_tcp(receiver.port, 1000)
        assert receiver.stop() == 0
    events = receiver.events()
    assert len(events) == before + 1000
    assert len({event["seq"] for event in events}) == len(events)


def test_a_second_receiver_on_the_same_store_is_refused_in_one_line(receiver: ReceiverProcess, tmp_path: Path) -> None:
    # Two writers would make two logs of one; ports are free, so it is the lock that refuses.
    second = ReceiverProcess.with_syslog(tmp_path / "second", store={"path": str(receiver.store)})
    second.write_config()
    assert_one_line(run_once(second), str(receiver.store))
    send_tcp(receiver.port, 10)
    receiver.wait_stored(10)


def test_a_port_in_use_is_told_in_one_line(receiver: ReceiverProcess, tmp_path: Path) -> None:
    # The line names the listener and the address.
    second = ReceiverProcess.with_syslog(tmp_path / "second", listeners=receiver.settings["listeners"])
    second.write_config()
    assert_one_line(run_once(second), "syslog-", str(receiver.port))


def test_a_bad_configuration_is_told_in_one_line(tmp_path: Path) -> None:
    # File, line and key, with the key that was meant.
    receiver = ReceiverProcess.with_syslog(tmp_path, ingest={"batch_event": 5})
    receiver.write_config()
    assert_one_line(run_once(receiver), "config.yaml:", "ingest.batch_event", "batch_events")


def test_sighup_refuses_a_bad_configuration_and_keeps_the_old_one(receiver: ReceiverProcess) -> None:
    # The refusal is logged, is an event of the log, and nothing stops.
    good = receiver.config.read_text()
    receiver.config.write_text(good + "nonsense: true\n")
    receiver.signal(signal.SIGHUP)
    wait_for(lambda: "refused" in receiver.log, what="the refusal")
    send_tcp(receiver.port, 10)
    receiver.wait_stored(10)
    (refused,) = wait_for(lambda: own_acts(receiver, "config.change"), what="config.change")
    assert refused["outcome"] == "failure"
    assert "nonsense" in str(refused["reason"])


def test_zones_hold_at_the_start_and_after_a_reload(tmp_path: Path) -> None:
    # The log says what the configuration was: whatever is set has a part in that, at each of them.
    line = b"<13>Nov 22 12:00:00 h app: hello\n"
    with ReceiverProcess.with_syslog(tmp_path, zones={"127.0.0.0/8": "Asia/Tokyo"}) as receiver:
        receiver.start()
        for count, zone in enumerate(("Etc/UTC", "Asia/Tokyo"), start=1):
            with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
                sock.sendall(line)
            receiver.wait_stored(count)
            receiver.settings["zones"] = {"127.0.0.0/8": zone}
            receiver.write_config()
            receiver.signal(signal.SIGHUP)
            wait_for(lambda count=count: receiver.log.count("configuration re-read") == count, what="the reload")
        times = {str(event["time"])[11:16] for event in receiver.wait_events(2)}
        assert times == {"03:00", "12:00"}
        assert receiver.stop() == 0


def test_sighup_opens_and_closes_listeners_without_a_restart(receiver: ReceiverProcess) -> None:
    # A new door opens; connections of a door that stays are not cut.
    (port,) = free_ports(1)
    with socket.create_connection(("127.0.0.1", receiver.port)) as kept:
        kept.sendall(b"<13>1 - - app - - - before\n")
        receiver.wait_stored(1)
        receiver.settings["listeners"].append({"name": "more", "type": "tcp", "listen": f"127.0.0.1:{port}"})
        receiver.write_config()
        receiver.signal(signal.SIGHUP)
        wait_for(lambda: "configuration re-read" in receiver.log, what="the reload")
        kept.sendall(b"<13>1 - - app - - - after\n")
        receiver.wait_stored(2)
    send_tcp(port, 10)
    events = receiver.wait_events(12)
    assert {event["listener"] for event in events} == {"syslog-tcp", "more"}


PACK = """\
pack: mine
about: rules of the operator's own
apps: [sshd]
rules:
  - name: {name}
    match: 'Accepted password for {{actor}} from {{source_ip}} port {{source_port}} ssh2'
    set: {{action: auth.login, outcome: success}}
    samples:
      - message: 'Accepted password for alice from 203.0.113.7 port 5 ssh2'
        expect: {{actor: alice, action: auth.login, outcome: success, source_ip: 203.0.113.7, source_port: 5}}
"""


def test_sighup_takes_new_packs_and_refuses_broken_ones(tmp_path: Path) -> None:
    # The operator's rules go before ours; a broken pack is told with file and line, and the old ones stay.
    packs = tmp_path / "packs"
    packs.mkdir()
    line = b"<86>Nov 22 10:00:00 h sshd[1]: Accepted password for alice from 203.0.113.7 port 5 ssh2\n"

    def sent(receiver: ReceiverProcess, count: int) -> str:
        with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
            sock.sendall(line)
        receiver.wait_stored(count)
        return str(receiver.wait_events(count, "--app", "sshd")[0]["rule"])

    with ReceiverProcess.with_syslog(tmp_path / "receiver", packs=[str(packs)]) as receiver:
        receiver.start()
        assert sent(receiver, 1) == "sshd/accepted"
        (packs / "mine.yaml").write_text(PACK.format(name="first"))
        receiver.signal(signal.SIGHUP)
        wait_for(lambda: receiver.log.count("configuration re-read") == 1, what="the reload")
        assert sent(receiver, 2) == "mine/first"
        (packs / "mine.yaml").write_text(PACK.format(name="second").replace("auth.login", "auth.logn"))
        receiver.signal(signal.SIGHUP)
        wait_for(lambda: "mine.yaml:7: rules.0.set.action: unknown action" in receiver.log, what="the refusal")
        assert sent(receiver, 3) == "mine/first"
        (packs / "mine.yaml").write_text(PACK.format(name="second").replace("actor: alice", "actor: bob"))
        receiver.signal(signal.SIGHUP)
        wait_for(lambda: "actor is 'alice', expected 'bob'" in receiver.log, what="the refusal")
        (packs / "mine.yaml").write_text(PACK.format(name="second"))
        receiver.signal(signal.SIGHUP)
        wait_for(lambda: receiver.log.count("configuration re-read") == 2, what="the reload")
        assert sent(receiver, 4) == "mine/second"
        assert receiver.stop() == 0


def certificate_of(port: int, authority: Path) -> bytes:
    context = ssl.create_default_context(cafile=authority)
    with (
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as tls,
    ):
        found = tls.getpeercert(binary_form=True)
        assert found
        return found


def test_sighup_takes_renewed_certificates_for_new_handshakes(tmp_path: Path) -> None:
    # Renewing a certificate needs no restart and cuts no connection.
    files = TlsFiles.make(tmp_path / "tls")
    (port,) = free_ports(1)
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    door = {"name": "syslog-tls", "type": "tls", "listen": f"127.0.0.1:{port}", "tls": tls}
    with ReceiverProcess.with_syslog(tmp_path / "receiver", door) as receiver:
        receiver.start()
        old = certificate_of(port, files.authority)
        files = TlsFiles.make(tmp_path / "tls")
        receiver.signal(signal.SIGHUP)
        wait_for(lambda: "configuration re-read" in receiver.log, what="the reload")
        assert certificate_of(port, files.authority) != old
        assert receiver.stop() == 0


def test_systemd_is_told_of_start_life_and_stop(tmp_path: Path) -> None:
    # READY=1 when it takes messages, WATCHDOG=1 while the writer turns, STOPPING=1 at the end.
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(PATIENCE_SECONDS)
        environ = {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "400000"}
        receiver = ReceiverProcess.with_syslog(tmp_path / "receiver")
        receiver.environ = environ
        with receiver:
            receiver.start()
            assert b"READY=1" in manager.recv(4096).splitlines()
            assert manager.recv(4096) == b"WATCHDOG=1"
            assert manager.recv(4096) == b"WATCHDOG=1"
            receiver.signal(signal.SIGTERM)
            wait_for(lambda: b"STOPPING=1" in manager.recv(4096).splitlines(), what="STOPPING=1")
            assert receiver.wait_exit() == 0


def test_hostile_bytes_close_nothing_and_lose_nothing(receiver: ReceiverProcess) -> None:
    # Content never ends a connection: rubbish between good messages is stored with its bytes.
    rubbish = bytes(byte for byte in range(256) if byte not in b"\n\0")
    with socket.create_connection(("127.0.0.1", receiver.port)) as sock:
        for number in range(20):
            sock.sendall(b"<13>1 - - app - - - good %d\n" % number + rubbish[number:] + b"\n")
    events = receiver.wait_events(40)
    assert [event["message"] for event in events if event["app"] == "app"][::-1] == [f"good {n}" for n in range(20)]
    assert sum(event["parse_status"] == "failed" and event["raw"] is not None for event in events) == 20


def test_the_example_configuration_runs_and_takes_all_networks_it_names(tmp_path: Path) -> None:
    # What the README starts, on other ports: IPv4 and IPv6, UDP and TCP.
    receiver = ReceiverProcess.with_syslog(tmp_path)
    (port,) = free_ports(1)
    example = (ROOT / "config.example.yaml").read_text()
    example = example.replace('"*:5514"', f'"*:{port}"').replace("path: ./audit-store", "path: ./store")
    receiver.settings = yaml.safe_load(example)
    receiver.settings["http"] = {"listen": f"127.0.0.1:{free_ports(1)[0]}"}
    families = [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")]
    with receiver:
        receiver.start()
        for family, address in families:
            with socket.socket(family, socket.SOCK_DGRAM) as sock:
                sock.sendto(b"<13>1 - - app - - - hello", (address, port))
            with socket.socket(family, socket.SOCK_STREAM) as sock:
                sock.connect((address, port))
                sock.sendall(b"<13>1 - - app - - - hello\n")
        events = receiver.wait_events(4)
        assert receiver.stop() == 0
    assert {(event["transport"], event["peer"]) for event in events} == {
        (transport, address) for transport in ("udp", "tcp") for _, address in families
    }


def test_unix_sockets_take_what_local_programs_log(tmp_path: Path) -> None:
    # A datagram socket like /dev/log and a stream socket; gone after the stop.
    paths = {"unix_dgram": tmp_path / "dgram", "unix_stream": tmp_path / "stream"}
    doors = [{"name": kind, "type": kind, "listen": str(path)} for kind, path in paths.items()]
    with ReceiverProcess.with_syslog(tmp_path / "receiver", *doors) as receiver:
        receiver.start()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"<38>Oct 11 22:14:15 sshd[8]: Accepted password for gil from 192.0.2.1 port 9 ssh2",
                        str(paths["unix_dgram"]))  # fmt: skip
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.connect(str(paths["unix_stream"]))
            sock.sendall(b'{"user": "gil", "action": "auth.login", "ip": "192.0.2.1"}\n')
        events = receiver.wait_events(2)
        assert receiver.stop() == 0
    assert {(event["actor"], event["action"], event["source_ip"]) for event in events} == {
        ("gil", "auth.login", "192.0.2.1")
    }
    assert {event["transport"] for event in events} == set(paths)
    assert not any(path.exists() for path in paths.values())
