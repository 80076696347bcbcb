"""What becomes of the body of a request: how it is cut, parsed, named, and what is answered when it is durable.

Knows the readers of `wire/` and how an event is told from its resend. Does not know sockets, auth or paths. An id is
taken only from where the sender says that it is one: a column named `id` may be anybody's.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import orjson

from receiver import limits
from receiver.wire.bulk import Bulk
from receiver.wire.detect import parse_frames
from receiver.wire.http import Response
from receiver.wire.journal_export import CURSOR, JournalExport, parse_entries
from receiver.wire.json_body import Body, Splitter

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from receiver.wire.message import Message

JSON: Final = "application/json"
PRODUCT: Final = (("X-Elastic-Product", "Elasticsearch"),)
"""Without this header the official clients speak to nobody."""


class Taken(NamedTuple):
    """What became of a body."""

    messages: int
    duplicates: int
    """How many of them the log had already."""
    places: list[int]
    """Positions of those among the messages, for a reader that wants them."""


class BodyReader(Protocol):
    """Takes one body, piece by piece."""

    splitter: Splitter
    is_endless: bool
    """The body has no bound of its own: it is as long as a sender's backlog."""
    wants_places: bool
    """Its answer names each duplicate; so its messages are bounded in number."""

    def parse(self, frames: Sequence[bytes], received_at: int, zone: tzinfo | None) -> list[Message]:
        """Make one message of each frame."""

    def name(self, messages: list[Message]) -> list[bytes | None]:
        """Give each message the id that tells its resend; None: it has none."""

    def fault(self) -> HTTPStatus:
        """Give the status of the splitter's error."""

    def answer(self, taken: Taken) -> Response:
        """Say that all of it is durable."""

    def refuse(self, status: HTTPStatus, sentence: str, received: int) -> Response:
        """Say that it cannot be taken any further. received: messages of it that were taken before, and are stored."""


def delivery_id(identity: str, *parts: bytes) -> bytes:
    """Make the 16 bytes that stand for one event of one sender: the first 4 for the sender, the same in all of its ids.

    2^48 resends of one sender would have to be remembered before two differ by accident; what another sender says is
    hashed with its name, so to make an id of somebody else's event on purpose takes 2^96 tries.
    """
    digest = blake2b(digest_size=limits.DELIVERY_ID_BYTES - limits.DELIVERY_SENDER_BYTES)
    for part in (identity.encode(), *parts):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return _sender_bytes(identity) + digest.digest()


@lru_cache(256)
def _sender_bytes(identity: str) -> bytes:
    return blake2b(identity.encode(), digest_size=limits.DELIVERY_SENDER_BYTES).digest()


class Ingest:
    """`POST /ingest`: JSON lines, an array, objects, or what else a stream could bring, one a line.

    key: the request's Idempotency-Key. A message is a resend if the same sender sends the same bytes at the same place
    under the same key: who uses a key twice by mistake loses nothing.
    id_field: the member that the sender says is an event's id, also inside objects ("event.id").
    """

    is_endless = False
    wants_places = False

    def __init__(self, identity: str, content_type: str, max_bytes: int, key: str = "", id_field: str = "") -> None:
        self.splitter: Splitter = Body(content_type, max_bytes)
        self._identity = identity
        self._key = key.encode()
        self._id_field = id_field
        self._named = 0

    def parse(self, frames: Sequence[bytes], received_at: int, zone: tzinfo | None) -> list[Message]:
        """Parse frames as a stream's."""
        return parse_frames(frames, received_at, zone)

    def name(self, messages: list[Message]) -> list[bytes | None]:
        """Name each by its own id, else by its place under the request's key."""
        first, self._named = self._named, self._named + len(messages)
        return [self._name_of(message, first + index) for index, message in enumerate(messages)]

    def _name_of(self, message: Message, place: int) -> bytes | None:
        if self._id_field and message.fields is not None:
            one = _member(message.fields, self._id_field)
            if one:
                return delivery_id(self._identity, b"id", one.encode())
        if self._key:
            return delivery_id(self._identity, b"key", self._key, place.to_bytes(8, "big"), bytes(message.raw))
        return None

    def fault(self) -> HTTPStatus:
        """Blame the sender."""
        return HTTPStatus.BAD_REQUEST

    def answer(self, taken: Taken) -> Response:
        """Count what was taken, and what of it was there."""
        counts = {"received": taken.messages, "stored": taken.messages - taken.duplicates}
        return Response(HTTPStatus.OK, _json({**counts, "duplicates": taken.duplicates}), JSON)

    def refuse(self, status: HTTPStatus, sentence: str, received: int) -> Response:
        """Say why, as JSON, and how much of it there is; of what is not ours to say (503) all is to be sent again."""
        known = {"received": received} if status < HTTPStatus.INTERNAL_SERVER_ERROR else {}
        return Response(status, _json({"error": sentence, **known}), JSON)


def _member(fields: dict[str, Any], name: str) -> str | None:
    """Find a text or a number by its name, or by the way to it."""
    value: Any = fields.get(name)
    if value is None and "." in name:
        value = fields
        for step in name.split("."):
            value = value.get(step) if isinstance(value, dict) else None
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None


class Journal:
    """`POST /upload`, as systemd-journal-upload uses it: entries in the export format, named by their cursor."""

    is_endless = True
    wants_places = False

    def __init__(self, identity: str, max_bytes: int) -> None:
        self.splitter: Splitter = JournalExport(max_bytes)
        self._identity = identity

    def parse(self, frames: Sequence[bytes], received_at: int, zone: tzinfo | None) -> list[Message]:
        """Parse entries."""
        return parse_entries(frames, received_at, zone)

    def name(self, messages: list[Message]) -> list[bytes | None]:
        """Name each by its cursor."""
        return [self._name_of(message) for message in messages]

    def _name_of(self, message: Message) -> bytes | None:
        cursor = (message.fields or {}).get(CURSOR)
        if not isinstance(cursor, str):
            return None
        return delivery_id(self._identity, b"journal", cursor.encode())

    def fault(self) -> HTTPStatus:
        """Blame the sender."""
        return HTTPStatus.BAD_REQUEST

    def answer(self, taken: Taken) -> Response:  # noqa: ARG002 - a journal wants no counts
        """Say what systemd-journal-remote says."""
        return Response(HTTPStatus.ACCEPTED, b"OK.\n")

    def refuse(self, status: HTTPStatus, sentence: str, received: int) -> Response:  # noqa: ARG002 - it has its cursor
        """Say why, as text: systemd-journal-upload writes it into its log."""
        return Response(status, f"{sentence}\n".encode())


class Documents:
    """`POST /_bulk`: a document is named by index and `_id`, where the sender gives one.

    `create` says that an id is written once, so another document under it is refused as Elasticsearch does (409).
    `index` may replace a document, which a log cannot: a resend is one only if it is the same, a changed one is added.
    """

    is_endless = False
    wants_places = True

    def __init__(self, identity: str, index: str, max_bytes: int) -> None:
        self._bulk = Bulk(index, max_bytes)
        self.splitter: Splitter = self._bulk
        self._identity = identity

    def parse(self, frames: Sequence[bytes], received_at: int, zone: tzinfo | None) -> list[Message]:
        """Parse documents as a stream's frames."""
        return parse_frames(frames, received_at, zone)

    def name(self, messages: list[Message]) -> list[bytes | None]:
        """Name those that the sender named."""
        names: list[bytes | None] = []
        for message, item in zip(messages, self._bulk.items_of(messages), strict=True):
            parts = [item.into.encode(), item.id.encode()]
            if item.action == "index":
                parts.append(bytes(message.raw))
            names.append(delivery_id(self._identity, b"bulk", *parts) if item.id else None)
        return names

    def fault(self) -> HTTPStatus:
        """Blame the sender; one that sends too many at once sends fewer after a 413."""
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE if self._bulk.has_too_many else HTTPStatus.BAD_REQUEST

    def answer(self, taken: Taken) -> Response:
        """Answer item by item."""
        return Response(HTTPStatus.OK, self._bulk.answer(frozenset(taken.places)), JSON, PRODUCT)

    def refuse(self, status: HTTPStatus, sentence: str, received: int) -> Response:  # noqa: ARG002 - no member for it
        """Say why, in Elasticsearch's form."""
        return elastic_error(status, sentence)


def bad_request(sentence: str) -> Response:
    """Say what is wrong with a request to `/ingest`."""
    return Response(HTTPStatus.BAD_REQUEST, _json({"error": sentence}), JSON)


def elastic_error(status: HTTPStatus, sentence: str) -> Response:
    """Say what is wrong as Elasticsearch does."""
    cause = {"type": "illegal_argument_exception", "reason": sentence}
    return Response(status, _json({"error": {"root_cause": [cause], **cause}, "status": int(status)}), JSON, PRODUCT)


def _json(value: dict[str, Any]) -> bytes:
    return orjson.dumps(value) + b"\n"
