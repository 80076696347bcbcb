"""HTTP/1.1 without sockets: what is a request, what is answered to what is none."""

from __future__ import annotations

import time
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.web.conversation import Conversation, Request, Response

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
GET = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


def talk(chunks: list[bytes]) -> tuple[list[Request], bytes, Conversation]:
    """Feed the chunks, answer every request with "hi", and a problem with itself."""
    conversation = Conversation()
    requests: list[Request] = []
    sent = b""
    for chunk in chunks:
        conversation.receive_data(chunk)
        while (request := conversation.next_request()) is not None:
            requests.append(request)
            conversation.respond(Response(200, b"hi"), DATE)
        if conversation.problem is not None:
            conversation.respond(conversation.problem, DATE)
        sent += conversation.data_to_send()
        if conversation.over:
            break
    return requests, sent, conversation


def status(sent: bytes) -> int:
    return int(sent.split(b" ")[1])


def test_a_request_and_its_answer_to_the_byte() -> None:
    # The answer says how long it is, so that the connection can be used again.
    requests, sent, conversation = talk([b"GET /metrics?a=b&c HTTP/1.1\r\nHost: a\r\nAccept: x\r\naccept: y\r\n\r\n"])
    assert requests == [Request("GET", "/metrics", "a=b&c", {"host": "a", "accept": "x, y"}, b"")]
    assert sent == (
        b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
        b"Content-Length: 2\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\r\nhi"
    )
    assert not conversation.over
    assert conversation.between_requests


def test_head_has_the_length_and_no_body() -> None:
    # RFC 9110 §9.3.2.
    _, sent, conversation = talk([GET.replace(b"GET", b"HEAD")])
    assert b"Content-Length: 2\r\n" in sent
    assert sent.endswith(b"\r\n\r\n")
    assert not conversation.over


CHUNKED = b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("sent", "wanted"),
    [
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX:" + b" " * 16_000 + b"\0\r\n\r\n", 400, id="blanks"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX:" + b"\t" * 60_000 + b"\0\r\n\r\n", 431, id="more than a head"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: a\r\nX:" + b"\n " * 8_000 + b"\r\v\r\n\r\n", 400, id="folds"),
        pytest.param(CHUNKED + b"0\r\nX:" + b" " * 16_000 + b"\0\r\n\r\n", 400, id="after a body"),
        pytest.param(CHUNKED + b"1\r\n0\r\n0;a=b\r\nX:" + b" " * 16_000 + b"\0\r\n\r\n", 400, id="after a chunk"),
        pytest.param(CHUNKED + b"0\r\nX:" + b"\t" * 60_000 + b"\0\r\n\r\n", 431, id="more after a body"),
    ],
)
@pytest.mark.parametrize("piece", [1 << 20, 700])
def test_blanks_in_header_fields_cost_nothing(sent: bytes, wanted: int, piece: int) -> None:
    # h11 alone takes a second and more for each. The clock is this thread's, and what is linear takes a hundredth.
    began = time.thread_time()
    requests, answer, _ = talk([sent[at : at + piece] for at in range(0, len(sent), piece)])
    assert time.thread_time() - began < 0.15
    assert requests == []
    assert status(answer) == wanted


def test_blanks_in_a_body_are_its_own() -> None:
    # What stands in a chunk is no field, wherever the pieces that arrive end; fields after it may be.
    body = b"0\r\nX:" + b" " * 400 + b"\n " * 200
    sent = CHUNKED + b"%x\r\n%b\r\n0\r\nX-After: y\r\n\r\n" % (len(body), body) + GET
    for piece in (1, 7, 1 << 20):
        requests, _, conversation = talk([sent[at : at + piece] for at in range(0, len(sent), piece)])
        assert [request.body for request in requests] == [body, b""]
        assert conversation.between_requests


def test_pipelined_requests_are_answered_in_order() -> None:
    # RFC 9112 §9.3.2.
    requests, sent, _ = talk([GET + GET.replace(b"/metrics", b"/b") + GET[:10]])
    assert [request.path for request in requests] == ["/metrics", "/b"]
    assert sent.count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("extra", [b"HTTP/1.0\r\n\r\n", b"HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"])
def test_a_connection_that_is_to_end_ends(extra: bytes) -> None:
    # HTTP/1.0 and Connection: close.
    requests, sent, conversation = talk([b"GET / " + extra])
    assert len(requests) == 1
    assert b"\r\nConnection: close\r\n" in sent
    assert conversation.over


def test_a_body_is_read_whole_by_length_or_chunks() -> None:
    # Later pages take what is posted; neither form may leave bytes that would be read as the next request.
    by_length = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    by_chunks = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"
    requests, _, _ = talk([by_length + by_chunks + GET])
    assert [(request.method, request.body) for request in requests] == [("POST", b"abc")] * 2 + [("GET", b"")]


def test_who_waits_for_100_continue_gets_it() -> None:
    # RFC 9110 §10.1.1: curl waits a second else.
    conversation = Conversation()
    conversation.receive_data(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n")
    assert conversation.next_request() is None
    assert conversation.data_to_send() == b"HTTP/1.1 100 \r\n\r\n"
    conversation.receive_data(b"abc")
    request = conversation.next_request()
    assert request is not None
    assert request.body == b"abc"


@pytest.mark.parametrize("target", ["http://a/metrics", "https://a:9514/metrics", "/metrics"])
def test_the_absolute_form_is_the_same_page(target: str) -> None:
    # RFC 9112 §3.2.2: a server MUST accept it.
    requests, _, _ = talk([f"GET {target} HTTP/1.1\r\nHost: a\r\n\r\n".encode()])
    assert requests[0].path == "/metrics"


class Case(NamedTuple):
    id: str
    sent: bytes
    expected: int


BAD = [
    Case("garbage", b"hello\r\n\r\n", 400),
    Case("tls", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n", 400),
    Case("http2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Case("no-host", b"GET / HTTP/1.1\r\n\r\n", 400),
    Case("two-lengths", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\n", 400),
    Case("bad-length", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
    Case("unknown-coding", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: zip\r\n\r\n", 501),
    Case("cut-short", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", 400),
    Case("a-proxy's", b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\nhello", 501),
    Case("long-line", b"GET /" + b"a" * 20_000, 431),
    Case("long-header", b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000, 431),
    Case("many-headers", b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 5_000, 431),
    Case("long-body", b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n", 413),
    Case("long-chunks", b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
         + (b"1000\r\n" + b"a" * 4096 + b"\r\n") * 5, 413),
]  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=lambda case: case.id)
@pytest.mark.parametrize("cut", ["whole", "bytes"])
def test_what_cannot_be_read_is_answered_and_the_connection_ends(case: Case, cut: str) -> None:
    # However it arrives, and nothing after it is taken for a request.
    chunks = [case.sent] if cut == "whole" else [bytes([byte]) for byte in case.sent]
    requests, sent, conversation = talk([*chunks, b"", GET])
    assert requests == []
    assert status(sent) == case.expected
    assert b"\r\nConnection: close\r\n" in sent
    assert conversation.over


def test_a_peer_that_goes_without_a_word_is_no_problem() -> None:
    # Port scanners and TCP health checks.
    requests, sent, conversation = talk([b""])
    assert (requests, sent, conversation.problem) == ([], b"", None)
    assert conversation.ended


def test_a_peer_that_closes_its_side_still_gets_its_answers() -> None:
    # `printf … | nc` half-closes.
    requests, sent, _ = talk([GET, b""])
    assert len(requests) == 1
    assert status(sent) == 200


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 80), max_size=4))
def test_cuts_do_not_matter(cuts: list[int]) -> None:
    # A read may end anywhere.
    stream = GET + b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + GET
    edges = [0, *sorted(cuts), len(stream)]
    pieces = [stream[start:end] for start, end in pairwise(edges) if start != end]
    assert talk(pieces)[:2] == talk([stream])[:2]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.binary(max_size=20),
            st.sampled_from(
                [b"GET / HTTP/1.1\r\n", b"HEAD", b"Host: a\r\n", b"\r\n", b"Content-Length: 5\r\n", b" ", b"\x00", b":",
                 b"Transfer-Encoding: chunked\r\n", b"5\r\n", b"0\r\n\r\n", b"Expect: 100-continue\r\n", b"HTTP/1.0"]
            ),
        ),
        max_size=12,
    )
)  # fmt: skip
def test_no_bytes_raise(chunks: list[bytes]) -> None:
    # Whatever a peer sends, we answer or wait.
    talk([*[chunk for chunk in chunks if chunk], b""])
