"""What a request asks for: a body to be taken, or a short answer. The one place that knows paths.

Beside `/ingest` and `/upload` it is so much of Elasticsearch as its senders need before and while they ship: who is
there, which licence, and that templates, policies and pipelines are as they want them (they mean nothing here, so each
is there and each may be set). Nothing of it reads an event.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, unquote

import orjson

from receiver.listen.http_bodies import (
    JSON,
    PRODUCT,
    BodyReader,
    Documents,
    Ingest,
    Journal,
    bad_request,
    elastic_error,
)
from receiver.wire.http import Response, plain

if TYPE_CHECKING:
    from receiver.wire.http import Request

VERSION: Final = "8.17.0"
"""What senders are told they speak to: Filebeat, Logstash and the official clients want their own major version or
newer, and features later than this one they ask for by name."""
JOURNAL_TYPE: Final = "application/vnd.fdo.journal"
_WRITES: Final = ("POST", "PUT")
_ID: Final = "audit-receiver"
_ID_FIELD: Final = "id_field"


def open_request(request: Request, identity: str, max_bytes: int) -> BodyReader | Response:
    """Find out what takes the body; or answer, whatever the body says.

    identity: who sends, by token or certificate: ids count by sender. max_bytes: of one message.
    """
    path = request.path.rstrip("/") or "/"
    if path == "/ingest":
        return _ingest(request, identity, max_bytes)
    if path == "/upload":
        return _upload(request, identity, max_bytes)
    if path.endswith("/_bulk"):
        if request.method not in _WRITES:
            return _not_allowed(*_WRITES)
        return Documents(identity, unquote(path[1 : -len("/_bulk")]), max_bytes)
    return _elastic(request.method, unquote(path))


def _ingest(request: Request, identity: str, max_bytes: int) -> BodyReader | Response:
    if request.method not in _WRITES:
        return _not_allowed(*_WRITES)
    asked = parse_qs(request.query, keep_blank_values=True)
    for name, values in asked.items():  # one that is not read would let resends be stored twice
        if name != _ID_FIELD:
            return bad_request(f"unknown parameter {name!a}: there is only {_ID_FIELD}")
        if len(values) > 1 or not values[0]:
            return bad_request(f"{_ID_FIELD} must name one field")
    headers, id_field = request.headers, asked.get(_ID_FIELD, [""])[0]
    key = headers.get("idempotency-key", "")
    return Ingest(identity, headers.get("content-type", ""), max_bytes, key, id_field)


def _upload(request: Request, identity: str, max_bytes: int) -> BodyReader | Response:
    if request.method != "POST":
        return _not_allowed("POST")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != JOURNAL_TYPE:
        return plain(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"Content-Type must be {JOURNAL_TYPE}")
    return Journal(identity, max_bytes)


def _not_allowed(*methods: str) -> Response:
    return plain(HTTPStatus.METHOD_NOT_ALLOWED)._replace(headers=(("Allow", ", ".join(methods)),))


# --- Elasticsearch, as far as senders look at it ---

_ROOT: Final = {
    "name": _ID,
    "cluster_name": _ID,
    "cluster_uuid": _ID,
    "version": {
        "number": VERSION,
        "build_flavor": "default",
        "build_type": "tar",
        "build_hash": "0",
        "build_date": "2025-01-01T00:00:00.000000000Z",
        "build_snapshot": False,
        "lucene_version": "9.12.0",
        "minimum_wire_compatibility_version": "7.17.0",
        "minimum_index_compatibility_version": "7.0.0",
    },
    "tagline": "You Know, for Search",
}
_LICENCE: Final = {"status": "active", "uid": _ID, "type": "basic", "issue_date_in_millis": 0, "max_nodes": 1000}
_XPACK: Final = {
    "license": {"uid": _ID, "type": "basic", "mode": "basic", "status": "active"},
    "features": {"ilm": {"available": True, "enabled": True}, "security": {"available": True, "enabled": True}},
}
_HEALTH: Final = {"cluster_name": _ID, "status": "green", "timed_out": False, "number_of_nodes": 1}
_DONE: Final = {"acknowledged": True, "shards_acknowledged": True}
_FIXED: Final[dict[str, Any]] = {
    "/": _ROOT,
    "/_license": {"license": _LICENCE},
    "/_xpack": _XPACK,
    "/_cluster/health": _HEALTH,
    "/_nodes/http": {"cluster_name": _ID, "nodes": {}},
    "/_cat/indices": [],
    "/_cat/templates": [],
}


def _shown(kind: str, name: str) -> Any:
    """Show a thing that a sender wants to find: it is there, so that nothing needs be set up."""
    return {
        "_index_template": {"index_templates": [{"name": name, "index_template": {"index_patterns": [f"{name}*"]}}]},
        "_component_template": {"component_templates": [{"name": name, "component_template": {"template": {}}}]},
        "_data_stream": {"data_streams": [{"name": name, "status": "GREEN", "generation": 1, "indices": []}]},
        "_template": {name: {"index_patterns": [f"{name}*"], "settings": {}, "mappings": {}}},
        "_ilm/policy": {name: {"version": 1, "policy": {"phases": {}}}},
        "_ingest/pipeline": {name: {"processors": []}},
        "_alias": {name: {"aliases": {name: {"is_write_index": True}}}},
    }[kind]


_KINDS: Final = (
    "_index_template", "_component_template", "_data_stream", "_template", "_ilm/policy", "_ingest/pipeline", "_alias",
)  # fmt: skip


def _elastic(method: str, path: str) -> Response:
    reads = method in {"GET", "HEAD"}
    if path in _FIXED:
        return _found(_FIXED[path]) if reads else _elastic_not_allowed(method)
    kind = next((kind for kind in _KINDS if path.startswith(f"/{kind}/")), None)
    name = path[len(kind) + 2 :] if kind else path[1:]
    if not name or "/" in name:
        return elastic_error(HTTPStatus.NOT_FOUND, f"nothing is here for {method} {path}")
    if kind:
        return _found(_shown(kind, name)) if reads else _set(method, path, name)
    if name.startswith("_") or method not in {"HEAD", "PUT"}:
        return _no_api(method, path)
    return _found({}) if method == "HEAD" else _set(method, path, name)  # an index, or an alias of some


def _set(method: str, path: str, name: str) -> Response:
    return _found({**_DONE, "index": name}) if method in _WRITES else _no_api(method, path)


def _found(value: Any) -> Response:
    return Response(HTTPStatus.OK, orjson.dumps(value), JSON, PRODUCT)


def _no_api(method: str, path: str) -> Response:
    return elastic_error(HTTPStatus.NOT_FOUND, f"nothing is here for {method} {path}: events are only written here")


def _elastic_not_allowed(method: str) -> Response:
    answer = elastic_error(HTTPStatus.METHOD_NOT_ALLOWED, f"{method} is not allowed here")
    return answer._replace(headers=(*answer.headers, ("Allow", "GET, HEAD")))
