"""How sources name their fields: one vocabulary each, recognised by the shape of the object.

A vocabulary is data: rows of (column, function of `mapped.py`, names). Rows are read from top to bottom and names from
left to right: the first that fills a column wins. A name is compared without case, `_` and `-` (`user_name`,
`userName`, `USER-NAME` and journald's `_USER_NAME` are one); a dot goes into an inner object, or is a dot of the key.

To add one: a recogniser over the canonical top-level names, its rows, a place in VOCABULARIES before GENERIC. Knows
no values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.normalize import mapped
from receiver.normalize.audit_vocabularies import AUDIT_VOCABULARIES
from receiver.normalize.vocabulary import Reading, Row, Vocabulary, canonical, make_vocabulary

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["STRUCTURED_DATA", "VOCABULARIES", "Reading", "Vocabulary", "canonical", "recognise"]

# --- rows ---

_TIME: Final[tuple[Row, ...]] = (
    ("time", mapped.take_time, """
        @timestamp timestamp time ts datetime event_time time_iso8601 asctime date msec time_local
    """),
)  # fmt: skip
_HEADER: Final[tuple[Row, ...]] = (
    ("host", None, "host hostname host.name host.hostname computer_name"),
    ("app", None, """
        app application app_name application_name program program_name syslog_identifier ident service
        service_name service.name app.name application.name process process_name process.name container_name
        container.name
    """),
    ("pid", mapped.take_pid, "pid process_id process.pid syslog_pid"),
    ("severity", mapped.take_level, "level"),
    ("severity", mapped.take_severity, "severity log_level log.level level_name lvl log.syslog.severity.code"),
    ("severity", mapped.take_python_level, "level_no"),
    ("facility", mapped.take_facility, "facility syslog_facility log.syslog.facility.code"),
)  # fmt: skip
_MESSAGE: Final[tuple[Row, ...]] = (("message", mapped.take_message, "message msg short_message"),)
_ACTOR: Final[tuple[Row, ...]] = (
    ("actor", None, """
        actor actor_name actor.name actor.username actor.user_name actor.login actor.user.name
        actor.email user user_name user.name user.username user.user_name user.login user.email user_login user_email
        principal principal.name initiator initiator.name performed_by remote_user auth_user who
    """),
    ("actor", mapped.take_id, "actor_id actor.id user_id user.id user.user_id user.uid initiator.id"),
    ("actor", mapped.take_subject, "subject"),
    ("actor_as", None, "actor_as effective_user effective_user_name run_as run_as_user as_user user.effective.name"),
)  # fmt: skip
_SOURCE: Final[tuple[Row, ...]] = (
    ("source_port", mapped.take_port, """
        source_port src_port source.port client_port client.port remote_port
        remote.port sport req.remotePort
    """),
    ("source_ip", mapped.take_address, """
        source_ip src_ip source.ip source.address client_ip client.ip client.address
        remote_ip remote.ip remote.address source_ip_address source_address src_addr client_address client_addr
        remote_address remote_addr ip ip_address user_ip actor.ip user.ip request.client_ip request.remote_ip
        request.remote_addr req.remoteAddress src rhost client remote
    """),
    ("session", mapped.take_session, "session session_id session.id user.session_id"),
)  # fmt: skip
_OBJECT: Final[tuple[Row, ...]] = (
    ("type", mapped.takes_type("target"), "target_type target.type"),
    ("type", mapped.takes_type("object"), "object_type object.type"),
    ("type", mapped.takes_type("resource"), "resource_type resource.type"),
    ("target", mapped.takes_target("target"), """
        target target_name target.name target.path target.key target_id target.id
    """),
    ("target", mapped.takes_target("object"), """
        object object_name object.name object.path object.key object_id object.id
    """),
    ("target", mapped.takes_target("resource"), """
        resource resource_name resource.name resource.path resource.key
        resource_id resource.id
    """),
    ("target", mapped.takes_typed("user"), "target_user target_username affected_user user.target.name"),
    ("target", mapped.takes_typed("file"), "file.path file_path"),
)  # fmt: skip
_HTTP: Final[tuple[Row, ...]] = (
    ("request", mapped.see_method, "method request_method http_method http.request.method req.method request.method"),
    ("request", mapped.see_request_line, "request request_line"),
    ("request", mapped.see_request_uri, "request_uri"),
    ("request", mapped.see_path, "uri path url request_path url.path url.original req.url request.uri request.path"),
)  # fmt: skip
_DEED: Final[tuple[Row, ...]] = (
    ("outcome", mapped.take_outcome, "outcome event.outcome event_outcome result event.result result.status decision"),
    ("outcome", mapped.take_answer, "success succeeded successful is_success ok allowed granted"),
    *_OBJECT,
    *_HTTP,
    ("action", mapped.take_action, """
        action event.action event_action action.name action.type operation event event_name
        event.name event_type event.type activity type
    """),
    ("outcome", mapped.take_status, """
        status status_code http_status response_status response_code
        http.response.status_code res.statusCode response.status response.status_code event.status
    """),
    ("reason", mapped.take_reason, """
        reason failure_reason denial_reason deny_reason event.reason error_message
        error.message error err err.message errmsg
    """),
)  # fmt: skip
_ALL: Final = (*_TIME, *_HEADER, *_MESSAGE, *_ACTOR, *_SOURCE, *_DEED)

# --- vocabularies ---

JOURNALD: Final = make_vocabulary(
    "journald",  # systemd.journal-fields(7); what programs add under free names is not theirs to name a user with
    lambda names: (
        "realtimetimestamp" in names
        or ("message" in names and not names.isdisjoint({"syslogidentifier", "systemdunit", "bootid"}))
    ),
    ("time", mapped.take_time, "__REALTIME_TIMESTAMP _SOURCE_REALTIME_TIMESTAMP"),
    ("host", None, "_HOSTNAME"),
    ("app", None, "SYSLOG_IDENTIFIER _COMM"),
    ("pid", mapped.take_pid, "SYSLOG_PID _PID"),
    ("severity", mapped.take_severity, "PRIORITY"),
    ("facility", mapped.take_facility, "SYSLOG_FACILITY"),
    ("session", mapped.take_audit_session, "_AUDIT_SESSION"),
    ("message", mapped.take_journal_message, "MESSAGE"),
)

DOCKER: Final = make_vocabulary(
    "docker",  # the json-file log driver
    lambda names: {"log", "stream", "time"} <= names,
    ("message", mapped.take_log, "log"),
    *_ALL,
)

GELF: Final = make_vocabulary(
    "gelf",
    lambda names: "shortmessage" in names,
    ("time", mapped.take_seconds, "timestamp"),
    ("message", mapped.take_message, "short_message"),
    ("severity", mapped.take_severity, "level"),
    *_ALL,
    without="facility",  # deprecated, and a free text there
)

BUNYAN: Final = make_vocabulary(
    "bunyan",  # and pino: the same fields
    lambda names: {"level", "time", "msg", "pid", "hostname"} <= names,
    ("app", None, "name"),
    *_ALL,
)

STRUCTLOG: Final = make_vocabulary(
    "structlog",  # its `event` is the text
    lambda names: {"event", "level", "timestamp"} <= names and names.isdisjoint({"message", "msg"}),
    *_ALL,
    ("message", mapped.take_message, "event"),
)

HTTP_ACCESS: Final = make_vocabulary(
    "http_access",  # nginx and its kin: `host` is the Host header there, no machine of ours
    lambda names: (
        not names.isdisjoint({"request", "requestmethod", "method", "requesturi"})
        and not names.isdisjoint({"status", "statuscode", "httpstatus", "responsestatus"})
        and not names.isdisjoint({"remoteaddr", "remoteip", "clientip", "clientaddr", "remoteaddress"})
    ),
    *_ALL,
    without="host",
)

GENERIC: Final = make_vocabulary("generic", lambda _: True, *_ALL)

VOCABULARIES: Final = (JOURNALD, DOCKER, GELF, *AUDIT_VOCABULARIES, BUNYAN, STRUCTLOG, HTTP_ACCESS, GENERIC)
"""In order: the first that recognises an object reads it."""

STRUCTURED_DATA: Final = make_vocabulary("structured_data", lambda _: True, *_ACTOR, *_SOURCE, *_DEED)
"""RFC 5424 params: the header and the text have their own place in the message."""


def recognise(names: AbstractSet[str]) -> Vocabulary:
    """Choose the vocabulary of an object by its canonical top-level names."""
    return next(vocabulary for vocabulary in VOCABULARIES if vocabulary.recognise(names))
