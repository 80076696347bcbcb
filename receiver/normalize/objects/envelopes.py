"""An object around an event: what a shipper, a queue or an API puts around somebody else's record.

Knows the shapes of the usual envelopes and under which name the event stands in them: as an object, as JSON in a text,
or as the only item of a list. Knows nothing of what the event says.

Invariant: NEVER GUESS - several records give none; a text that repeats a name is not read, since it says two things.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver.normalize.vocabularies.vocabulary import canonical, shape
from receiver.wire.json_event import load_carried

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from receiver.normalize.vocabularies.vocabulary import Recognise

_ENVELOPES: Final[tuple[tuple[Recognise, str], ...]] = (
    (shape("Records", only="Records"), "Records"),  # CloudTrail's files, SQS
    (shape("records", only="records"), "records"),  # Azure's Event Hubs
    (shape("logs", only="logs version tailnetId"), "logs"),  # Tailscale
    (shape("items kind"), "items"),  # Kubernetes' lists, Google's
    (shape("items apiVersion"), "items"),
    (shape("value", only="value @odata.context @odata.nextLink @odata.count"), "value"),  # Microsoft Graph
    (shape("detail detail-type source"), "detail"),  # EventBridge
    (shape("event", only="event time host source sourcetype index fields"), "event"),  # Splunk's HTTP collector
    (shape("log_id data", only="log_id data"), "data"),  # Auth0's streams
    (shape("message_id publisher_id event_type payload"), "payload"),  # OpenStack's notifications
    (shape("oslo.message"), "oslo.message"),
    (shape("AuditData", any_of="RecordType Operations UserIds Operation"), "AuditData"),  # Search-UnifiedAuditLog
    (shape("jsonPayload", any_of="logName insertId"), "jsonPayload"),  # Google Cloud's LogEntry
    (shape("id type attributes", only="id type attributes links relationships message"), "attributes"),  # JSON:API
    (shape("attributes type created_at", only="id type attributes created_at message tags"), "attributes"),
    (shape("attributes tags", only="attributes tags service timestamp message status host"), "attributes"),  # Datadog
    (shape("log_processed"), "log_processed"),  # Fluent Bit's, beside the line it read
    (shape("logEvents logGroup"), "logEvents"),  # CloudWatch's subscriptions
    (shape("eventId eventTime eventType data contentType"), "data"),  # Okta's event hooks
    (shape("event channel", any_of="channel_numeric severity_numeric goroutine"), "event"),  # CockroachDB
    (shape("_source _index"), "_source"),  # Elasticsearch's hits
    (shape("_raw", any_of="_time sourcetype"), "_raw"),  # Splunk
    (shape("json", any_of="@timestamp agent input"), "json"),  # Filebeat's ndjson
    (shape("payload", any_of="kafka topic partition offset"), "payload"),
    (shape("audit", any_of="@timestamp kubernetes agent timestamp"), "audit"),
    (shape("otel_body"), "otel_body"),  # as `otel.py` calls the body of a record
    (shape("text record", only="text record"), "record"),  # loguru
    (shape("fields target level", any_of="timestamp span spans threadId filename"), "fields"),  # Rust's tracing
)
_ALONE: Final = frozenset(
    map(
        canonical,
        (
            "event", "audit", "audit_event", "audit_record", "record", "data", "payload", "log", "message", "json",
            "detail", "details", "events", "logs", "entries", "entry",
        ),
    )
)
"""Names that say nothing: an object that has nothing else, or nothing but what stands around, is an envelope."""
_AROUND: Final = frozenset(
    map(
        canonical,
        (
            "@timestamp", "timestamp", "time", "ts", "datetime", "date", "level", "severity", "log_level", "logger",
            "logger_name", "host", "hostname", "type", "kind", "id", "uuid", "version", "source", "app", "application",
            "service", "environment", "env", "log_type", "@version", "tags", "schema", "msg", "message",
            "created_at", "instance_id", "org_id", "organization_id", "tenant_id", "ip_address", "ip", "client_ip",
            "remote_ip", "source_ip", "remote_addr", "user_agent", "request_id",
        ),
    )
)
"""Names of what stands around an event: when, where, of what kind, from where."""
_TEXTS: Final = frozenset(
    map(canonical, ("message", "msg", "log", "short_message", "original", "text_payload", "@message"))
)
"""Where a shipper puts the line it read."""


_OF_A_LINE: Final = frozenset({"file", "offset", "level", "logger", "flags", "origin", "syslog", "source"})
"""ECS: what `log` says of a line, as which file it was read from."""


def tells_of_a_line(envelope: str, names: Iterable[str]) -> bool:
    """Say if an object by these names is no event, but tells of the line beside it."""
    return canonical(envelope) == "log" and _OF_A_LINE.issuperset(names)


def find_envelope(shape_of: tuple[str, ...], names: AbstractSet[str]) -> tuple[str | None, bool]:
    """Return the key under which an event stands in an object of this shape; and if it stands there with dots."""
    wanted = next((canonical(key) for recognise, key in _ENVELOPES if recognise(names)), None)
    tops = {name for name in names if "." not in name}
    if wanted is None:
        told = tops if len(tops) == 1 else tops - _AROUND
        wanted = next(iter(told)) if len(told) == 1 and told <= _ALONE else None
    key = next((key for key in shape_of if canonical(key) == wanted), None)
    return key, wanted is not None and key is None


def find_line(shape_of: tuple[str, ...]) -> str | None:
    """Return the key under which a shipper's line stands."""
    return next((key for key in shape_of if canonical(key) in _TEXTS), None)


def open_envelope(value: Any, *, is_line: bool = False) -> dict[str, Any] | None:
    """Return the event in it; None when there is none, or more than one. is_line: as a shipper read it."""
    if is_line and type(value) is list:
        return None
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is str:
        loaded = load_carried(value.lstrip(" \t").rstrip())
        return loaded.fields if loaded is not None and not loaded.defects else None
    return value if type(value) is dict and value else None
