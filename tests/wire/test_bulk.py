"""Elasticsearch's `_bulk`: which documents are taken, and what each item is answered."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.wire.bulk import Bulk
from receiver.wire.detect import parse_frames
from receiver.wire.message import Cut


class Case(NamedTuple):
    id: str
    raw: bytes
    documents: list[bytes]
    statuses: list[tuple[str, int]]
    error: str | None = None


CASES = [
    Case("create-and-index", b'{"create":{"_index":"a","_id":"1"}}\n{"x":1}\n{"index":{}}\n{"x":2}\n',
         [b'{"x":1}', b'{"x":2}'], [("create", 201), ("index", 201)]),
    Case("no-last-end", b'{"index":{}}\r\n{"x":2}', [b'{"x":2}'], [("index", 201)]),
    Case("blank-between", b'\n{"index":{}}\n{"x":2}\n\n \n', [b'{"x":2}'], [("index", 201)]),
    Case("refused", b'{"delete":{"_id":"1"}}\n{"update":{"_id":"1"}}\n{"doc":{}}\n{"index":{}}\n{"x":1}\n',
         [b'{"x":1}'], [("delete", 400), ("update", 400), ("index", 201)]),
    Case("empty-document", b'{"index":{}}\n\n{"index":{}}\n{"x":1}\n', [b'{"x":1}'], [("index", 400), ("index", 201)]),
    Case("no-json-document", b'{"index":{}}\n<13>text\n', [b"<13>text"], [("index", 201)]),
    Case("empty", b"", [], []),
    Case("no-action", b'{"index":{}}\n{"x":1}\nnonsense\n', [b'{"x":1}'], [("index", 201)], "malformed action line 2"),
    Case("two-actions", b'{"index":{},"create":{}}\n', [], [], "malformed action line 1"),
    Case("strange-action", b'{"upsert":{}}\n{}\n', [], [], "malformed action line 1"),
    Case("no-facts", b'{"index":7}\n{}\n', [], [], "malformed action line 1"),
    Case("list", b'[1]\n{}\n', [], [], "malformed action line 1"),
    Case("no-document", b'{"index":{}}\n', [], [], "the last action has no document"),
]  # fmt: skip


def taken(raw: bytes, step: int, bulk: Bulk) -> list[bytes]:
    documents = [one for at in range(0, len(raw), step) for one in bulk.feed(raw[at : at + step])]
    return documents + bulk.close()


def statuses(answer: bytes) -> list[tuple[str, int]]:
    return [(action, result["status"]) for item in json.loads(answer)["items"] for action, result in item.items()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_whole_and_byte_by_byte(case: Case) -> None:
    # The same documents, the same answer.
    for step in (1 << 20, 1, 7):
        bulk = Bulk()
        assert taken(case.raw, step, bulk) == case.documents
        assert bulk.error == case.error
        assert statuses(bulk.answer(())) == case.statuses


def items(raw: bytes, index: str = "", duplicates: tuple[int, ...] = ()) -> list[dict[str, Any]]:
    bulk = Bulk(index)
    taken(raw, 1 << 20, bulk)
    found: list[dict[str, Any]] = json.loads(bulk.answer(duplicates))["items"]
    return found


def test_a_duplicate_is_a_conflict_for_create_and_nothing_for_index() -> None:
    # As Elasticsearch says it; the positions are those of documents, refused items between them do not count.
    raw = b'{"create":{"_id":"1"}}\n{}\n{"delete":{"_id":"9"}}\n{"index":{"_id":"2"}}\n{}\n{"create":{"_id":"3"}}\n{}\n'
    create, delete, index, last = items(raw, duplicates=(0, 1))
    assert create["create"]["status"] == 409
    assert create["create"]["error"]["type"] == "version_conflict_engine_exception"
    assert delete["delete"]["status"] == 400
    assert (index["index"]["status"], index["index"]["result"]) == (200, "noop")
    assert last["create"]["status"] == 201


def test_names_of_items() -> None:
    # Of the action, else of the address; a number is a name too, as for Elasticsearch.
    raw = b'{"index":{"_id":7,"_index":"b"}}\n{}\n{"index":{"_id":true}}\n{}\n'
    (first, second) = items(raw, "a")
    assert (first["index"]["_index"], first["index"]["_id"]) == ("b", "7")
    assert (second["index"]["_index"], second["index"]["_id"]) == ("a", "")


def test_what_senders_look_for_in_the_text_of_an_answer() -> None:
    # Fluent Bit and Vector search it for these very bytes when it is longer than their buffer, or before they parse it.
    bulk = Bulk()
    taken(b'{"index":{}}\n{}\n', 99, bulk)
    assert b'"errors":false,"items":[' in bulk.answer(())
    taken(b'{"delete":{}}\n', 99, bulk)
    assert b'"errors":true' in bulk.answer(())


def test_index_and_id_stay_with_the_event() -> None:
    # In the order of the documents, over several lists.
    bulk = Bulk("logs")
    for number in range(3):
        documents = bulk.feed(b'{"delete":{}}\n{"create":{"_id":"%d"}}\n{"x":1}\n' % number)
        messages = parse_frames(documents, 0)
        (item,) = bulk.items_of(messages)
        assert item.id == str(number)
        assert messages[0].extra == {"index": "logs", "id": str(number)}


def test_a_long_document_is_cut_and_a_long_action_refused() -> None:
    # As a line of a stream; an action of a megabyte is none.
    bulk = Bulk(max_bytes=100)
    (document,) = taken(b'{"index":{}}\n' + b"x" * 500 + b"\n", 64, bulk)
    assert type(document) is Cut
    assert document.original_bytes == 500
    bulk = Bulk(max_bytes=100)
    assert taken(b'{"index":{"_id":"' + b"x" * 500 + b'"}}\n{}\n', 64, bulk) == []
    assert bulk.error == "malformed action line 1"


def test_items_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    # The answer names each of them.
    monkeypatch.setattr(limits, "HTTP_ITEMS", 3)
    bulk = Bulk()
    assert len(taken(b'{"index":{}}\n{}\n' * 5, 99, bulk)) == 3
    assert bulk.error == "more than 3 actions in one request"
    assert bulk.has_too_many


@given(st.binary(max_size=120) | st.text('{}[]":,\nindexcreate_0', max_size=120).map(str.encode), st.integers(1, 30))
def test_any_bytes_are_cut_the_same_way(raw: bytes, step: int) -> None:
    # Nothing raises, and every document has its item.
    one, two = Bulk(), Bulk()
    documents = taken(raw, step, one)
    assert documents == taken(raw, 1 << 20, two)
    assert one.error == two.error
    assert one.answer(()) == two.answer(())
    assert len(one.items_of(parse_frames(documents, 0))) == len(documents)
