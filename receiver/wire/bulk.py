"""Elasticsearch's `_bulk` body: lines in pairs → documents, and what to answer for each item.

    action    = {"create" / "index": {"_index": …, "_id": …}} LF, then a line with the document
              / {"update": …} LF, then a line;  / {"delete": …} LF

Knows the format as senders speak it (Filebeat, Fluent Bit, Logstash, Vector, the official clients). Does not know HTTP.
A log is only added to: `update` and `delete` are refused, item by item. A document is what a line of a stream is: any
bytes give one frame, one that is too long is cut and flagged. Nothing is raised: `error` says why the body cannot be
cut any further, as Elasticsearch would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import orjson

from receiver import limits
from receiver.wire.json_body import Lines
from receiver.wire.message import Cut

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from receiver.wire.message import Message

_ADDS: Final = frozenset({"create", "index"})
_WITH_DOCUMENT: Final = _ADDS | {"update"}
_WITHOUT: Final = frozenset({"delete"})
_DUPLICATE: Final = "version_conflict_engine_exception"
_REFUSED: Final = "illegal_argument_exception"
_NOT_OURS: Final = "a log is only added to: index and create are taken, update and delete are not"


class Item(NamedTuple):
    """One action of the body."""

    action: str
    into: str
    """The index; it means nothing to us and stays with the event."""
    id: str
    """As the sender gave it; empty: it gave none."""
    refused: str = ""
    """Why it is not taken; empty: it is."""


class Bulk:
    """One per body: `feed` it, take documents; `answer` when they are durable."""

    __slots__ = ("_documents", "_index", "_items", "_lines", "_open", "_parsed", "error", "has_too_many")

    def __init__(self, index: str = "", max_bytes: int = limits.MESSAGE_BYTES) -> None:
        """Make one; `index`: of the address, for actions that name none."""
        self.error: str | None = None
        self.has_too_many = False
        """That is the error: in several requests it would be taken."""
        self._index = index
        self._lines = Lines(max_bytes, blanks=True)
        self._open: Item | None = None
        """Its document is the next line."""
        self._items: list[Item] = []
        self._documents: list[Item] = []
        """Those whose document was given out, in order."""
        self._parsed = 0

    @property
    def buffered_bytes(self) -> int:
        """Bytes held for a line that is not complete."""
        return self._lines.buffered_bytes

    def feed(self, data: bytes) -> list[bytes]:
        """Take the next piece; give the documents it completes."""
        return self._documents_of(self._lines.feed(data))

    def close(self) -> list[bytes]:
        """Say that the body is complete; its last line needs no end."""
        documents = self._documents_of(self._lines.close())
        if self.error is None and self._open is not None:
            self.error = "the last action has no document"
        return documents

    def items_of(self, messages: Sequence[Message]) -> list[Item]:
        """Give the items of the next documents, parsed; index and id stand with the parser's facts (`data.wire`)."""
        items = self._documents[self._parsed : self._parsed + len(messages)]
        self._parsed += len(messages)
        for message, item in zip(messages, items, strict=True):
            facts = {name: value for name, value in (("index", item.into), ("id", item.id)) if value}
            if facts:
                message.extra = {**(message.extra or {}), **facts}
        return items

    def answer(self, duplicates: Container[int]) -> bytes:
        """Write the answer. duplicates: positions among the documents of what the log has already."""
        results = []
        failed = False
        document = 0
        for item in self._items:
            result: dict[str, Any] = {"_index": item.into, "_id": item.id}
            if item.refused:
                result |= {"status": 400, "error": {"type": _REFUSED, "reason": item.refused}}
            elif document in duplicates:
                result |= _duplicate(item)
            else:
                result |= {"_version": 1, "result": "created", "status": 201}
            document += not item.refused
            failed |= "error" in result
            results.append({item.action: result})
        return orjson.dumps({"took": 0, "errors": failed, "items": results})

    # --- inside ---

    def _documents_of(self, lines: list[bytes]) -> list[bytes]:
        documents = []
        for line in lines:
            if self.error is not None:
                break
            item, self._open = self._open, None
            if item is None:
                self._begin(line)
            elif not line and not item.refused:
                self._items.append(item._replace(refused="the document is empty"))
            else:
                self._items.append(item)
                if not item.refused:
                    self._documents.append(item)
                    documents.append(line)
        return documents

    def _begin(self, line: bytes) -> None:
        """Read an action."""
        if not line:
            return
        if len(self._items) >= limits.HTTP_ITEMS:
            self.has_too_many = True
            self.error = f"more than {limits.HTTP_ITEMS} actions in one request"
            return
        item = None if type(line) is Cut else self._item(line)
        if item is None:
            self.error = f"malformed action line {len(self._items) + 1}"
        elif item.action in _WITHOUT:
            self._items.append(item)
        else:
            self._open = item

    def _item(self, line: bytes) -> Item | None:
        try:
            ((action, facts),) = orjson.loads(line).items()
        except (ValueError, AttributeError):
            return None
        if action not in _WITH_DOCUMENT | _WITHOUT or not isinstance(facts, dict):
            return None
        index, one = facts.get("_index"), facts.get("_id")
        refused = "" if action in _ADDS else _NOT_OURS
        return Item(action, _text(index) or self._index, _text(one), refused)


def _text(value: object) -> str:
    """Take a name: text, or a number as Elasticsearch does."""
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""


def _duplicate(item: Item) -> dict[str, Any]:
    if item.action == "create":
        reason = f"[{item.id}]: version conflict, document already exists"
        return {"status": 409, "error": {"type": _DUPLICATE, "reason": reason}}
    return {"_version": 1, "result": "noop", "status": 200}
