"""RELP connections over real sockets: answered when durable, held while the inbox is full, ended in order."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from dataclasses import replace

import pytest

from receiver.ingest import Settled
from receiver.listen import TlsSettings
from receiver.listen.stream_listener import _Rest
from receiver.wire.relp import OFFERS
from tests.kit.certificates import Authority
from tests.kit.waiting import PATIENCE_SECONDS, until
from tests.listen.test_stream import connect, end_of

OPEN = b"1 open 0\n"
OPENED = b"1 rsp %d 200 OK\n%s\n" % (7 + len(OFFERS), OFFERS)


def syslog(*numbers: int) -> bytes:
    return b"".join(b"%d syslog 9 <13>%05d\n" % (number, number) for number in numbers)


def answers(*numbers: int) -> bytes:
    return b"".join(b"%d rsp 6 200 OK\n" % number for number in numbers)


async def opened(address):
    reader, writer = await connect(address)
    writer.write(OPEN)
    assert await reader.readexactly(len(OPENED)) == OPENED
    return reader, writer


async def test_an_answer_comes_when_the_message_is_durable(bench, intake):
    # Not before, in the order of the frames; what waits is a gauge.
    listeners, address = await bench.one("relp")
    intake.durable = 0
    reader, writer = await opened(address)
    writer.write(syslog(2, 3))
    await until(lambda: len(intake.frames) == 2)
    writer.write(syslog(4))
    await until(lambda: len(intake.frames) == 3)
    counters = listeners.counters["it"]
    assert counters.relp_unanswered == 3
    intake.commit(2)
    assert await reader.readexactly(len(answers(2, 3))) == answers(2, 3)
    assert counters.relp_unanswered == 1
    intake.commit(3)
    assert await reader.readexactly(len(answers(4))) == answers(4)
    assert counters.relp_unanswered == 0
    writer.close()


async def test_one_connection_does_not_wait_for_another(bench, intake):
    # Lists of two senders become durable in the order they came, whoever they are of.
    _, address = await bench.one("relp")
    intake.durable = 0
    (one, one_writer), (other, other_writer) = await opened(address), await opened(address)
    for number, (writer, txnr) in enumerate(((one_writer, 2), (other_writer, 2), (one_writer, 3), (other_writer, 3))):
        writer.write(syslog(txnr))
        await until(lambda number=number: len(intake.frames) == number + 1)
    intake.commit(3)
    assert await one.readexactly(len(answers(2, 3))) == answers(2, 3)
    assert await other.readexactly(len(answers(2))) == answers(2)
    one_writer.close()
    other_writer.close()


async def test_what_will_never_be_durable_is_not_answered(bench, intake):
    # The connection ends, so that its sender sends it again; nothing after it is answered either.
    listeners, address = await bench.one("relp")
    intake.durable = 0
    reader, writer = await opened(address)
    writer.write(syslog(2))
    await until(lambda: len(intake.frames) == 1)
    writer.write(syslog(3))
    await until(lambda: len(intake.frames) == 2)
    intake.fail()
    with contextlib.suppress(ConnectionError):
        assert await reader.read(100) == b""
    writer.close()
    await until(lambda: listeners.counters["it"].connections_open == 0)
    assert listeners.counters["it"].relp_unanswered == 0


async def test_nothing_is_answered_after_a_loss(bench, intake):
    # The answers are in the order of the frames: a later list that is durable must not answer for the lost one.
    listeners, address = await bench.one("relp")
    reader, writer = await opened(address)
    settlements = []

    def settlement(_count: int) -> asyncio.Future[Settled]:
        settlements.append(asyncio.get_running_loop().create_future())
        return settlements[-1]

    intake.settlement = settlement
    for number in (2, 3):
        writer.write(syslog(number))
        await until(lambda number=number: len(settlements) == number - 1)
    settlements[0].set_result(Settled(False, []))
    settlements[1].set_result(Settled(True, []))
    with contextlib.suppress(ConnectionError):
        assert await reader.read(100) == b""
    writer.close()
    await until(lambda: listeners.counters["it"].connections_open == 0)


@pytest.mark.parametrize("sends_again", [True, False])
def test_a_stop_reads_no_further_than_it_must(sends_again):
    # A sender that keeps what is not answered is read to the end of its queue, whatever else comes; plain syslog is
    # read on while something comes, since its sender may be done and gone.
    class Connection:
        read_bytes = 100

        def queued_bytes(self) -> int:
            return 50

        def has_stalled(self) -> bool:
            return False

    async def look() -> list[bool]:
        connection = Connection()
        connection.sends_again = sends_again
        rest = _Rest(connection)
        found = []
        for read_bytes in (149, 150, 160, 170):
            connection.read_bytes = read_bytes
            found.append(rest.is_coming(connection, asyncio.get_running_loop().time()))
        return found

    assert asyncio.run(look()) == [True, *[not sends_again] * 3]


async def test_what_the_inbox_does_not_take_is_not_answered(bench, intake):
    # A list that is dropped (it filled up within one read) comes again by the sender.
    listeners, address = await bench.one("relp")
    reader, writer = await opened(address)
    connection = next(iter(listeners._doors["it"].listener._connections))
    intake.full = True
    connection._deliver([b"<13>x"], 5)
    with contextlib.suppress(ConnectionError):
        assert await reader.read(100) == b""
    writer.close()
    await until(lambda: listeners.counters["it"].connections_open == 0)
    assert (intake.dropped, listeners.counters["it"].relp_unanswered) == ([b"<13>x"], 0)


async def test_a_full_inbox_holds_the_sender(bench, intake):
    # Nothing is dropped and everything answered in the end.
    _, address = await bench.one("relp")
    reader, writer = await opened(address)
    intake.full = True
    numbers = range(2, 3_000)
    writer.write(syslog(*numbers))
    await until(lambda: intake._waiting)
    assert intake.frames == []
    intake.make_space()
    assert await reader.readexactly(len(answers(*numbers))) == answers(*numbers)
    assert intake.dropped == []
    writer.close()


async def test_close_waits_for_the_answers(bench, intake):
    # Then its own answer, serverclose, and the end; also when there is nothing to wait for.
    _, address = await bench.one("relp")
    intake.durable = 0
    reader, writer = await opened(address)
    writer.write(syslog(2) + b"3 close 0\n")
    await until(lambda: intake.frames)
    intake.commit(1)
    assert await reader.read() == answers(2) + b"3 rsp 0\n0 serverclose 0\n"
    writer.close()
    reader, writer = await opened(address)
    writer.write(b"2 close 0\n")
    assert await reader.read() == b"2 rsp 0\n0 serverclose 0\n"
    writer.close()


async def test_a_stop_answers_and_says_goodbye(bench, intake):
    # What was read is answered once it is durable, however long that takes within the stop's time.
    listeners, address = await bench.one("relp")
    intake.durable = 0
    reader, writer = await opened(address)
    writer.write(syslog(2, 3) + b"4 syslog 9 <13>")
    await until(lambda: len(intake.frames) == 2)
    stopping = asyncio.create_task(listeners.stop(20))
    connection = next(iter(listeners._doors["it"].listener._connections))
    await until(lambda: connection._stopping)
    assert not stopping.done()
    writer.write(b"00004\n" + syslog(5))
    connection.read_on()  # as somebody may ask who has waited
    for _ in range(20):
        await asyncio.sleep(0)
    intake.commit(2)
    assert await reader.read() == answers(2, 3) + b"0 serverclose 0\n"
    writer.close()  # its unread bytes have not reset the connection
    await stopping
    assert len(intake.frames) == 2


async def test_a_stop_over_tls_ends_tls_too(bench, intake, tmp_path, caplog):
    # Answers, serverclose, close_notify, and only then the end of the connection.
    authority = Authority(tmp_path)
    files = authority.issue("log.example.org", "127.0.0.1")
    listeners, address = await bench.one("relp", tls=TlsSettings(files.certificate, files.key))
    intake.durable = 0
    reader, writer = await asyncio.open_connection(*address, ssl=authority.client_context())
    writer.write(OPEN + syslog(2))
    await until(lambda: intake.frames)
    stopping = asyncio.create_task(listeners.stop(PATIENCE_SECONDS))
    connection = next(iter(listeners._doors["it"].listener._connections))
    await until(lambda: connection._stopping)
    writer.write(syslog(3))
    intake.commit(1)
    assert await reader.read() == OPENED + answers(2) + b"0 serverclose 0\n"
    writer.close()
    await stopping
    assert [record for record in caplog.records if record.levelname != "WARNING"] == []
    assert len(intake.frames) == 1


async def test_a_reload_puts_tls_before_it(bench, intake, tmp_path):
    # On the door that stays open: the next connection is encrypted, the one that is open goes on as it is.
    listeners, address = await bench.one("relp")
    reader, writer = await opened(address)
    authority = Authority(tmp_path)
    files = authority.issue("log.example.org", "127.0.0.1")
    settings = listeners._doors["it"].listener.settings
    await listeners.reload([replace(settings, tls=TlsSettings(files.certificate, files.key))])
    other_reader, other = await asyncio.open_connection(*address, ssl=authority.client_context())
    other.write(OPEN + syslog(2))
    assert await other_reader.readexactly(len(OPENED + answers(2))) == OPENED + answers(2)
    writer.write(syslog(2))
    assert await reader.readexactly(len(answers(2))) == answers(2)
    assert len(intake.frames) == 2
    for each in (writer, other):
        each.close()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        await other.wait_closed()


async def test_who_does_not_part_cannot_hold_a_stop(bench, intake):
    # An idle rsyslog does not look at its connection.
    listeners, address = await bench.one("relp")
    intake.durable = 0
    reader, writer = await opened(address)
    writer.write(syslog(2))
    await until(lambda: intake.frames)
    stopping = asyncio.create_task(listeners.stop(PATIENCE_SECONDS))
    connection = next(iter(listeners._doors["it"].listener._connections))
    await until(lambda: connection._stopping)
    intake.commit(1)
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await stopping
    assert await reader.read() == answers(2) + b"0 serverclose 0\n"
    writer.close()


async def test_a_sender_that_goes_on_cannot_hold_a_stop(bench, intake):
    # It is read as far as its queue reached; the rest is not answered, so it has it still.
    listeners, address = await bench.one("relp")
    reader, writer = await opened(address)
    done = False

    async def pour() -> None:
        number = 2
        with contextlib.suppress(ConnectionError):
            while not done:
                writer.write(syslog(*range(number, number + 500)))
                number += 500
                await writer.drain()
                await asyncio.sleep(0)

    async def drink() -> bytes:
        said = b""
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                said += data
        return said

    pouring, drinking = asyncio.create_task(pour()), asyncio.create_task(drink())
    await until(lambda: len(intake.frames) > 1_000)
    async with asyncio.timeout(PATIENCE_SECONDS / 2):
        await listeners.stop(PATIENCE_SECONDS)
    done = True
    said = await drinking
    await pouring
    writer.close()
    # A reset may have eaten answers on their way; what came is a beginning, and nothing of it was not taken.
    whole = said[: said.rfind(b"\n") + 1].removesuffix(b"0 serverclose 0\n")
    assert answers(*range(2, len(intake.frames) + 2)).startswith(whole)


async def test_who_reads_no_answers_is_not_read_and_then_closed(bench, intake):
    # A full inbox that gets room again does not make it be read: its answers would fill our memory.
    listeners, address = await bench.one("relp", bounds={"relp_answer_seconds": 0.3})
    counters = listeners.counters["it"]
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect(address)
    sock.sendall(OPEN)
    await until(lambda: counters.connections_open == 1)
    connection = next(iter(listeners._doors["it"].listener._connections))
    sock.setblocking(False)
    number = 2
    while connection._patience is None:
        try:
            sock.send(syslog(number))
            number += 1
        except BlockingIOError:
            await asyncio.sleep(0)
        if number % 50 == 0:
            await asyncio.sleep(0)
    taken = len(intake.frames)
    connection._waiting = True
    connection._resume()
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(intake.frames) == taken
    await until(lambda: counters.connections_open == 0)
    assert (counters.relp_unread, counters.relp_unanswered) == (1, 0)
    sock.close()


async def test_who_reads_its_answers_again_is_read_again(bench, intake):
    # Patience ends well for most.
    listeners, address = await bench.one("relp")
    reader, writer = await opened(address)
    connection = next(iter(listeners._doors["it"].listener._connections))
    connection.pause_writing()
    writer.write(syslog(2))
    for _ in range(20):
        await asyncio.sleep(0)
    assert intake.frames == []
    connection.resume_writing()
    assert await reader.readexactly(len(answers(2))) == answers(2)
    assert connection._patience is None
    writer.close()


@pytest.mark.parametrize("ending", ["lost", "no relp"])
async def test_a_lost_connection_leaves_nothing_behind(bench, intake, ending):
    # What was taken of it is settled later, and nobody is told.
    listeners, address = await bench.one("relp")
    intake.durable = 0
    reader, writer = await opened(address)
    writer.write(syslog(2) + (b"what is this\n" if ending == "no relp" else b""))
    await until(lambda: intake.frames)
    if ending == "no relp":
        await end_of(reader)
    writer.close()
    counters = listeners.counters["it"]
    await until(lambda: counters.connections_open == 0)
    assert counters.relp_unanswered == 0
    intake.commit(1)
    await asyncio.sleep(0)
    assert counters.relp_unanswered == 0
    assert counters.framing_errors["not_relp"] == (ending == "no relp")
