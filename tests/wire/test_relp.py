"""RELP's server side: transcripts however they are cut, answers in order, and what is no RELP."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from receiver import limits
from receiver.errors import FramingReason
from receiver.wire.message import Cut, Defect
from receiver.wire.relp import OFFERS, RelpSession
from tests.kit.wire_cuts import cuttings

_OFFERS = b"relp_version=0\nrelp_software=librelp,1.10.0,http://librelp.adiscon.com\ncommands=syslog"
OPEN = b"1 open %d %s\n" % (len(_OFFERS), _OFFERS)
OPENED = b"1 rsp %d 200 OK\n%s\n" % (7 + len(OFFERS), OFFERS)


def syslog(txnr: int, text: bytes) -> bytes:
    return b"%d syslog %d %s\n" % (txnr, len(text), text) if text else b"%d syslog 0\n" % txnr


def run(chunks: list[bytes], max_bytes: int = limits.MESSAGE_BYTES) -> tuple[list[bytes], bytes, RelpSession]:
    """Feed a session and acknowledge everything at once: messages, answers, the session."""
    session = RelpSession(max_bytes)
    messages: list[bytes] = []
    for chunk in chunks:
        messages += session.feed(chunk)
        assert session.buffered_bytes <= max_bytes + limits.KIB * 17
    session.acknowledge(session.pending)
    return messages, session.data_to_send(), session


class Case(NamedTuple):
    id: str
    stream: bytes
    messages: list[bytes]
    answers: bytes


CASES = [
    Case("open", OPEN, [], OPENED),
    Case("one", OPEN + syslog(2, b"<13>hello"), [b"<13>hello"], OPENED + b"2 rsp 6 200 OK\n"),
    Case("line feeds inside, one at the end", OPEN + syslog(2, b"<13>a\nb\n"), [b"<13>a\nb"],
         OPENED + b"2 rsp 6 200 OK\n"),
    Case("empty", OPEN + syslog(2, b"") + syslog(3, b"x"), [b"", b"x"],
         OPENED + b"2 rsp 6 200 OK\n3 rsp 6 200 OK\n"),
    Case("close", OPEN + syslog(2, b"x") + b"3 close 0\n", [b"x"],
         OPENED + b"2 rsp 6 200 OK\n3 rsp 0\n0 serverclose 0\n"),
    Case("close at once", OPEN + b"2 close 0\n" + syslog(3, b"too late"), [],
         OPENED + b"2 rsp 0\n0 serverclose 0\n"),
    Case("wrapped", OPEN + syslog(999_999_999, b"x") + syslog(1, b"y"), [b"x", b"y"],
         OPENED + b"999999999 rsp 6 200 OK\n1 rsp 6 200 OK\n"),
    Case("unknown command", OPEN + b"2 starttls 0\n" + syslog(3, b"x"), [b"x"],
         OPENED + b"2 rsp 19 500 unknown command\n3 rsp 6 200 OK\n"),
    Case("command in capitals", OPEN.replace(b"open", b"OPEN") + b"2 SYSLOG 1 x\n", [b"x"],
         OPENED + b"2 rsp 6 200 OK\n"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_transcript_however_it_is_cut(case: Case) -> None:
    # Whole, byte by byte, at random; and what is cut off at any byte gives a beginning of it.
    for chunks in cuttings(case.stream):
        messages, answers, session = run(chunks)
        assert (messages, answers, session.error) == (case.messages, case.answers, None)
    for end in range(len(case.stream)):
        messages, _, session = run([case.stream[:end]])
        assert messages == case.messages[: len(messages)]
        assert session.error is None
        assert session.close() == session.flush_line() == []


WRONG = {
    "syslog before open": syslog(1, b"x"),
    "close before open": b"1 close 0\n",
    "plain syslog": b"<13>Nov 23 08:00:00 web app: hello\n",
    "octet counting": b"25 <13>1 - - - - - - hello\n",
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "http": b"GET / HTTP/1.1\r\n\r\n",
    "long transaction": b"1234567890 open 0\n",
    "long command": b"1 " + b"o" * 33 + b" 0\n",
    "long length": b"1 open 1234567890 x",
    "no length": b"1 open \n",
    "length and no data": b"1 open 5\n",
    "data without length": b"1 open 0 x\n",
    "data of no length": OPEN + b"2 syslog 0 \n" + syslog(3, b"x"),
    "wrong end": OPEN + b"2 syslog 1 xy",
    "a long offer": b"1 open 16385 " + b"x" * 16385 + b"\n",
}


@pytest.mark.parametrize("stream", WRONG.values(), ids=WRONG.keys())
def test_what_is_no_relp_is_said_once(stream: bytes) -> None:
    # The connection is lost; nothing after it is looked at.
    for chunks in cuttings(stream):
        _, _, session = run(chunks)
        assert session.error is not None
        assert session.error.reason is FramingReason.NOT_RELP
        assert session.feed(OPEN) == []


@pytest.mark.parametrize("size", [99, 100, 101, 5000])
def test_a_message_that_is_too_long_is_cut_and_the_next_one_found(size: int) -> None:
    # The rest is skipped, not held.
    stream = OPEN + syslog(2, b"x" * size) + syslog(3, b"next")
    for chunks in cuttings(stream):
        messages, answers, session = run(chunks, 100)
        assert session.error is None
        assert messages[1] == b"next"
        if size <= 100:
            assert type(messages[0]) is bytes
            assert messages[0] == b"x" * size
        else:
            assert isinstance(messages[0], Cut)
            assert (messages[0], messages[0].defect, messages[0].original_bytes) == (b"x" * 100, Defect.TRUNCATED, size)
        assert answers.endswith(b"2 rsp 6 200 OK\n3 rsp 6 200 OK\n")


def test_nothing_is_answered_before_it_is_durable() -> None:
    # In order, as many as are said to be; a close waits for them.
    session = RelpSession()
    assert session.feed(OPEN + b"".join(syslog(n, b"x") for n in (2, 3, 4)) + b"5 close 0\n") == [b"x"] * 3
    assert session.data_to_send() == OPENED
    session.acknowledge(2)
    assert session.data_to_send() == b"2 rsp 6 200 OK\n3 rsp 6 200 OK\n"
    assert (session.pending, session.closing) == (1, True)
    session.acknowledge(1)
    assert session.data_to_send() == b"4 rsp 6 200 OK\n5 rsp 0\n0 serverclose 0\n"


def test_the_server_can_end_it() -> None:
    # What is not answered then comes again.
    session = RelpSession()
    session.feed(OPEN + syslog(2, b"x"))
    session.serverclose()
    assert session.data_to_send() == OPENED + b"0 serverclose 0\n"


@given(texts=st.lists(st.binary(max_size=200).filter(lambda text: not text.endswith(b"\n"))), data=st.data())
def test_whatever_is_sent_arrives(texts: list[bytes], data: st.DataObject) -> None:
    # Any bytes, any number, any cuts.
    stream = OPEN + b"".join(syslog(number + 2, text) for number, text in enumerate(texts))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=10)))
    chunks = [stream[low:high] for low, high in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    messages, answers, session = run(chunks)
    assert messages == texts
    assert session.error is None
    assert answers == OPENED + b"".join(b"%d rsp 6 200 OK\n" % (number + 2) for number in range(len(texts)))


PIECES = [
    syslog(2, b"<13>a"), syslog(3, b""), syslog(4, b"y" * 99), syslog(5, b"z" * 101), syslog(6, b"one\n\n"),
    b"7 SYSLOG 1 x\n", b"8 syslog 02 xy\n", b"9 syslog 0 \n", b"10 rsp 0\n", b"11 close 0\n", b"12 syslog 3 xyz",
    b"13 open 0\n", b"\n", b" ", b"syslog",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12), st.data())
def test_cuts_change_nothing(pieces: list[bytes], data: st.DataObject) -> None:
    # Whatever stands beside what: messages, answers and the error are the same in one read and in many.
    stream = OPEN + b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    chunks = [stream[low:high] for low, high in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    (one, said, session), (other, other_said, other_session) = run([stream], 100), run(chunks, 100)
    assert one == other
    assert [getattr(text, "defect", None) for text in one] == [getattr(text, "defect", None) for text in other]
    assert said == other_said
    assert str(session.error) == str(other_session.error)
    assert session.closing == other_session.closing


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_no_bytes_raise_or_fill_the_memory(chunks: list[bytes]) -> None:
    # An error is set, or more is waited for.
    run([OPEN, *chunks], 64)
    run(chunks, 64)


class Window(RuleBasedStateMachine):
    """A sender with a window, a disk that takes its time."""

    def __init__(self) -> None:
        super().__init__()
        self.session = RelpSession()
        self.session.feed(OPEN)
        self.session.data_to_send()
        self.sent = self.durable = self.answered = 1

    @rule(count=st.integers(0, 5))
    def send(self, count: int) -> None:
        for _ in range(count):
            self.sent += 1
            assert self.session.feed(syslog(self.sent, b"x")) == [b"x"]

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        count = data.draw(st.integers(0, self.session.pending))
        self.session.acknowledge(count)
        self.durable += count

    @rule()
    def read(self) -> None:
        for line in self.session.data_to_send().splitlines():
            self.answered += 1
            assert line == b"%d rsp 6 200 OK" % self.answered

    @invariant()
    def answered_means_durable(self) -> None:
        assert self.answered <= self.durable <= self.sent
        assert self.session.pending == self.sent - self.durable


TestWindow = Window.TestCase
