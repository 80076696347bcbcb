"""OpenTelemetry's log records as one object: OTLP/JSON, and the forms into which its exporters flatten it.

Knows the log data model (opentelemetry-proto, logs/v1 and common/v1): resource, scope, record, attributes as lists of
keys and typed values. Does not know what attributes mean: their names (`user.name`, `client.address`) are usual ones.

Invariant: NEVER GUESS - several records, or an attribute that stands twice with two values, say nothing.
"""

from __future__ import annotations

from typing import Any, Final

_MOST_ATTRIBUTES: Final = 512
_DEPTH: Final = 8
_RECORD_NAMES: Final = {
    # our spelling of a record's own fields, whatever the exporter's
    "timeunixnano": "@timestamp", "timestamp": "@timestamp", "observedtimeunixnano": "otel_observed",
    "observedtimestamp": "otel_observed", "severitytext": "severity_text", "severitynumber": "severity_number",
    "severity": "severity_text", "eventname": "event.name", "servicename": "service.name",
}  # fmt: skip
_ATTRIBUTES: Final = frozenset({"attributes", "logattributes"})
_RESOURCES: Final = frozenset({"resource", "resources", "resourceattributes"})
_HEADER: Final = ("service.name", "host.name", "process.pid")
"""What the resource says of where a record comes from is no attribute's to change."""


def flatten(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write a record with its attributes as its own fields; None when there is not exactly one."""
    record, resource = fields, None
    if "resourceLogs" in fields or "scopeLogs" in fields:
        found = _only_record(fields)
        if found is None:
            return None
        record, resource = found
    flat: dict[str, Any] = {}
    for key, value in record.items():
        name = key.lower().replace("_", "")
        if name in _ATTRIBUTES:
            flat.update(_read_attributes(value))
        elif name in _RESOURCES:
            resource = value
    body = _put_record(flat, record)
    _put_resource(flat, _read_attributes(resource))
    if type(body) is dict:
        flat["otel_body"] = body  # a record of its own: an envelope, unless the attributes say who did what
    elif body is not None:
        flat["message"] = body if type(body) is str else str(body)
    return flat


def _put_resource(flat: dict[str, Any], attributes: dict[str, Any]) -> None:
    """Put a resource's attributes beside a record's; where it comes from is the resource's word."""
    for name in _HEADER:
        value = attributes.get(name, _within(attributes, name))
        if value is not None:
            flat[name] = value
    for name, value in attributes.items():
        flat.setdefault(f"resource.{name}", value)


def _within(attributes: dict[str, Any], name: str) -> Any:
    """Find an attribute whose name came apart at its dot."""
    first, _, last = name.partition(".")
    inner = attributes.get(first)
    return inner.get(last) if type(inner) is dict else None


def _put_record(flat: dict[str, Any], record: dict[str, Any]) -> Any:
    """Put a record's own fields beside its attributes, and return its body."""
    body = None
    for key, value in record.items():
        name = key.lower().replace("_", "")
        if name == "body":
            body = _read_value(value, 0)
        elif name in _RECORD_NAMES and value not in (0, "0", "", None):
            flat[_RECORD_NAMES[name]] = value
    return body


def _only_record(fields: dict[str, Any]) -> tuple[dict[str, Any], Any] | None:
    """Return the only record of an export request, and its resource."""
    at = _only(fields.get("resourceLogs")) if "resourceLogs" in fields else fields
    if at is None:
        return None
    scope = _only(at.get("scopeLogs", at.get("instrumentationLibraryLogs")))
    record = _only(scope.get("logRecords", scope.get("logs"))) if scope is not None else None
    return (record, at.get("resource")) if record is not None else None


def _only(items: Any) -> dict[str, Any] | None:
    return items[0] if type(items) is list and len(items) == 1 and type(items[0]) is dict else None


def _read_attributes(value: Any) -> dict[str, Any]:
    """Read attributes: an object, one with `attributes` in it, or a list of keys and values."""
    if type(value) is dict and type(value.get("attributes")) in {dict, list}:
        value = value["attributes"]
    if type(value) is dict:
        return value if len(value) <= _MOST_ATTRIBUTES else {}
    if type(value) is not list or len(value) > _MOST_ATTRIBUTES:
        return {}
    return _read_pairs(value, 0)


def _read_pairs(pairs: list[Any], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    doubtful = set()
    for pair in pairs:
        key = pair.get("key") if type(pair) is dict else None
        if type(key) is not str:
            continue
        value = _read_value(pair.get("value"), depth)
        if key in found and found[key] != value:
            doubtful.add(key)
        found[key] = value
    return {key: value for key, value in found.items() if key not in doubtful}


def _read_value(value: Any, depth: int) -> Any:
    """Read an AnyValue: an object that has one of these names and nothing else."""
    if type(value) is not dict or len(value) != 1 or depth == _DEPTH:
        return value
    ((kind, inner),) = value.items()
    kind = kind.lower().replace("_", "")
    if kind == "intvalue":
        return int(inner) if type(inner) is str and inner.lstrip("-").isdecimal() and len(inner) < 20 else inner
    if kind in {"stringvalue", "boolvalue", "doublevalue", "bytesvalue"}:
        return inner
    values = inner.get("values") if type(inner) is dict else None
    if kind == "arrayvalue" and type(values) is list:
        return [_read_value(item, depth + 1) for item in values]
    if kind == "kvlistvalue" and type(values) is list:
        return _read_pairs(values, depth + 1)
    return value
