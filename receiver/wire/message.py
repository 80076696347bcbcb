"""What a parser returns: one frame's fields as the sender wrote them, and what was wrong with it.

Knows no standard by itself, no socket, no clock. Every frame gives exactly one Message: nothing raises, nothing
is rejected.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any


class Defect(StrEnum):
    """Why a message is not `ok`; kept with the event under `data.wire.defects`."""

    TRUNCATED = "truncated"  # longer than the bound: cut, `original_bytes` says from what
    INCOMPLETE = "incomplete"  # the connection ended inside the frame
    INVALID_UTF8 = "invalid_utf8"
    LONE_SURROGATE = "lone_surrogate"
    NO_PRI = "no_pri"
    BAD_PRI = "bad_pri"
    BAD_VERSION = "bad_version"
    BAD_TIME = "bad_time"
    BAD_HEADER = "bad_header"
    LONG_FIELD = "long_field"
    NOT_ASCII_FIELD = "not_ascii_field"
    BAD_STRUCTURED_DATA = "bad_structured_data"
    DUPLICATE_SD_ID = "duplicate_sd_id"
    BAD_JSON = "bad_json"
    DUPLICATE_KEY = "duplicate_key"
    TOO_DEEP = "too_deep"
    BAD_COMPRESSION = "bad_compression"
    NOT_A_MESSAGE = "not_a_message"  # raw text: neither syslog nor JSON nor GELF
    NOT_READ = "not_read"  # reading it failed by a bug of ours: kept as it came


class Cut(bytes):
    """A frame that is not all that was sent. Whole frames are plain `bytes`, so `type(f) is bytes` is the test.

    original_bytes: the size the sender announced or we counted, None when the connection ended first.
    """

    original_bytes: int | None
    defect: Defect

    @classmethod
    def of(cls, data: bytes, defect: Defect, original_bytes: int | None = None) -> Cut:
        """Mark `data` as cut."""
        cut = cls(data)
        cut.defect = defect
        cut.original_bytes = original_bytes
        return cut


class Message:
    """One parsed frame. Texts are valid Unicode; `raw` is the frame as received, always.

    structured_data: {SD-ID: {PARAM-NAME: value, or a list when the name is repeated}}.
    fields: the JSON object, when the frame (or a syslog MSG) is one.
    extra: other facts of the header, for `data` ({"sequence": "17", "forwarded_from": "…"}).
    """

    __slots__ = (
        "app", "defects", "extra", "facility", "fields", "format", "host", "message", "msgid", "pid", "raw",
        "severity", "status", "structured_data", "time", "time_quality",
    )  # fmt: skip

    def __init__(
        self,
        raw: bytes,
        format: str,  # noqa: A002 - the schema's word
        status: str,
        facility: int | None,
        severity: int | None,
        time: int | None,
        time_quality: str,
        host: str | None,
        app: str | None,
        pid: str | None,
        msgid: str | None,
        structured_data: dict[str, dict[str, Any]] | None,
        message: str | None,
        fields: dict[str, Any] | None = None,
        defects: tuple[Defect, ...] = (),
        extra: dict[str, Any] | None = None,
    ) -> None:
        self.raw = raw
        self.format = format
        self.status = status
        self.facility = facility
        self.severity = severity
        self.time = time
        self.time_quality = time_quality
        self.host = host
        self.app = app
        self.pid = pid
        self.msgid = msgid
        self.structured_data = structured_data
        self.message = message
        self.fields = fields
        self.defects = defects
        self.extra = extra
