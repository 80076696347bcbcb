"""How sources name their fields: one vocabulary each, recognised by the shape of the object.

A vocabulary is data: rows of (column, function of `mapped.py`, names). Rows are read from top to bottom and names from
left to right: the first that fills a column wins. A name is compared without case, `_` and `-` (`user_name`,
`userName`, `USER-NAME` and journald's `_USER_NAME` are one); a dot goes into an inner object, or is a dot of the key.

To add one: a recogniser over the canonical top-level names, its rows, a place in VOCABULARIES before GENERIC. Knows
no values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.normalize.objects import documents, mapped, readers, shippers
from receiver.normalize.vocabularies.audit import AUDIT_VOCABULARIES
from receiver.normalize.vocabularies.clouds import CLOUD_VOCABULARIES
from receiver.normalize.vocabularies.hosted import HOSTED_VOCABULARIES
from receiver.normalize.vocabularies.products import PRODUCT_VOCABULARIES
from receiver.normalize.vocabularies.services import SERVICE_VOCABULARIES
from receiver.normalize.vocabularies.vocabulary import (
    Reading,
    Row,
    Vocabulary,
    canonical,
    either,
    make_vocabulary,
    shape,
)

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

__all__ = ["STRUCTURED_DATA", "VOCABULARIES", "Reading", "Vocabulary", "canonical", "recognise"]

# --- rows ---

_CONTEXTS: Final = ("context", "meta", "metadata", "properties", "context_map", "mdc", "extra", "ctx", "state")
"""Where loggers put what they were given beside a text."""


_DETAILS: Final = ("details", "detail", "event_data", "additional_details")
"""Where an event has what is of its own kind: of a login who logs in, of other deeds whom it was done to."""


def _within(names: str, contexts: tuple[str, ...] = _CONTEXTS) -> str:
    return " ".join(f"{context}.{name}" for context in contexts for name in names.split())


_TIME: Final[tuple[Row, ...]] = (
    ("time", mapped.take_time, """
        @timestamp timestamp time ts datetime event_time event_timestamp time_iso8601 asctime date msec time_local
        created_at createdAt occurred_at event.created
    """),
)  # fmt: skip
_HEADER: Final[tuple[Row, ...]] = (
    ("host", None, "host hostname host.name host.hostname computer_name computer syslog.hostname"),
    ("app", None, """
        app application app_name application_name program program_name syslog_identifier ident service
        service_name service.name app.name application.name process process_name process.name container_name
        container.name source_name predecoder.program_name syslog.appname log.syslog.appname syslog.identifier
    """),
    ("app", mapped.take_logger, "logger logger_name logger.name log.logger domain"),
    ("app", mapped.take_tag, "syslogtag syslog_tag"),
    ("pid", mapped.take_pid, "pid process_id process.pid syslog_pid"),
    ("severity", mapped.take_level, "level"),
    ("severity", mapped.take_severity, """
        severity log_level log.level level_name lvl severity_text log.syslog.severity.code
    """),
    ("severity", mapped.take_python_level, "level_no"),
    ("severity", mapped.take_otel_severity, "severity_number"),
    ("facility", mapped.take_facility, "facility syslog_facility log.syslog.facility.code"),
)  # fmt: skip
_MESSAGE: Final[tuple[Row, ...]] = (
    ("message", mapped.take_message, """
        message msg short_message description full_log text_payload syslog_message log_message raw raw_message raw_log
        rawmsg event.original log.original @m rendered_message @mt message_template
    """),
)  # fmt: skip
_ACTOR: Final[tuple[Row, ...]] = (
    ("actor", mapped.take_name, """
        actor actor_name actor.name actor.username actor.user_name actor.login actor.user.name actor.user.username
        actor.user.login actor.email actor.user.email actor.person.email actor.display_name actor_email actor_username
        performed_by acting_user actor_user actor_upn actor_display actor_display_name
        admin_name admin_email admin_username admin_user
    """),
    ("actor", mapped.take_admin, "admin"),
    ("actor", mapped.take_name, """
        src_user source_user acting_user.name acting_user.username acting_user.email
        user user_name user.name user.username user.user_name user.login user.login_name user.email user.email_address
        user_login user_email user_principal_name login_name
        user.full_name user.display_name user.preferred_username user.upn
        principal principal.name principal.username principal.email principal_name principal_email initiator
        initiator.name initiator.username initiator.email initiator_name initiator_email
        performed_by.name performed_by.username
        performed_by.email remote_user auth_user auth.user auth.username auth.name auth.email auth.user.name
        auth.user.username auth.user.email identity.name identity.username identity.user identity.email enduser.id
        author_name author.name author.username author.login author.email operator operator_name operator.name oper_name
        operator.username created_by.login created_by.username created_by.email requester requester.name
        requester.username requester.email request_user request.user request.user.username request.user.name
        requested_by session.user session.username context.user context.username context.user.name context.user.username
        user_identity.email user_identity.user_name consumer.username cs_username usr logged_in_user current_user
        initiated_by initiated_by.name initiated_by.username initiated_by.email admin_id editor.login_name
        server_principal_name auth.description actor.alternate_id requestor requestor.name
        usr_name usr_login subject.name subject.username subject.user_name subject.email who.name who.username who.user
        request_context.identity.user attempted_username username_attempted login_username authenticated_user
        auth_username session_user caller.name caller.username caller.email caller.user performer performer.name
        invoker executor deleted_by updated_by modified_by changed_by user.mail user.account user.sub
        azure.auditlogs.properties.initiated_by.user.userPrincipalName
        azure.auditlogs.properties.initiated_by.app.displayName
        context.user.email meta.user meta.username usr.name usr.email client_username source.user.name
        client.user.name source.user.email client.user.email who
    """),
    ("actor", mapped.take_id, """
        actor_id actor.id actor.actor_id actor.user_id actor.user.id actor.uuid
        user_id user.id user.user_id user.uid user.uuid usr.id initiator.id
        principal.id principal_id acting_user_id author_id author.id subject.id
    """),
    ("actor", mapped.take_subject, "subject sub by"),
    ("actor_as", None, """
        actor_as effective_user effective_user_name run_as run_as_user as_user user.effective.name
        impersonated_user impersonated_user.username impersonated_user.name
    """),
)  # fmt: skip
_SOURCE: Final[tuple[Row, ...]] = (
    ("source_port", mapped.take_port, """
        source_port src_port source.port client_port client.port remote_port
        remote.port sport req.remotePort request.remote_port
    """),
    ("source_ip", mapped.take_address, """
        source_ip src_ip source.ip source.address source.ip_address client_ip client.ip client.address client.ip_address
        remote_ip remote.ip remote.address source_ip_address source_address src_addr client_address client_addr
        remote_address remote_addr ip ip_address user_ip user_ip_address user.ip user.ip_address actor_ip
        actor_ip_address actor.ip actor.ip_address actor.source_ip user.source_ip who.ip
        request.client_ip request.remote_ip
        request.remote_addr request.ip request.ip_address req.remoteAddress req.ip src rhost client remote
        src.ip src.address src_endpoint.ip src_host source_host client_host remote_host origin.address origin.ip
        origin_ip caller_ip caller_ip_address requester_ip login_ip ipaddr remote_addr_ip clientip
        origin.ip_address context.ip context.ip_address context.client_ip context.client_ip_address
        context.remote_ip meta.ip meta.remote_ip meta.client_ip tags.client
        session.ip session.ip_address identity.source_ip http.client_ip http.remote_addr network.client.ip
        location.ip actor.location.ip rip
        http_request.remote_ip http_request.client_ip
        peername srcaddr client_ip_address downstream_remote_address c_ip request_ip logon_ip who_ip admin_ip
        http_request.remote request.remote request.remote_address request.source_ip context.request_ip_address
        request_info.ip_address request_info.client_ip context.location client.addr attack_data.client_ip
        subject.ip subject.ip_address request_context.identity.sourceIp
        operator_ip oper_ip initiator_ip author_ip performer_ip from_ip user_addr sender_ip
        ip_addr ipv4 ipv4_address src_ip_addr src_ip_address source_ip_addr remote_ip_address remote_ip_addr
        client_ip_addr client_remote_addr
        saddr ip_src requester_ip_address request_ip_address login_ip_address actor_ip_addr
        network.client_ip network.source_ip connection.ip connection.remote_addr connection.remote_ip conn.remote
        session.client_ip session.remote_ip geoip.ip geo.ip location.ip_address x_client_ip http_client_ip
        actor.remote_ip actor.client_ip actor.remote_addr user.remote_ip user.client_ip user.remote_addr
        real_ip x_real_ip true_client_ip cf_connecting_ip x_forwarded_for http_x_forwarded_for forwarded_for
        where
    """),
    ("session", mapped.take_session, "session session_id session.id user.session_id"),
)  # fmt: skip
_OBJECT: Final[tuple[Row, ...]] = (
    ("type", mapped.takes_type("target"), "target_type target.type"),
    ("type", mapped.takes_type("object"), "object_type object.type object1"),
    ("type", mapped.takes_type("resource"), "resource_type resource.type"),
    ("type", mapped.takes_type("entity"), "entity_type entity.type entity"),
    ("type", mapped.takes_type("asset"), "asset.type"),
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
    ("target", mapped.takes_target("entity"), "entity_name entity.name entity_id entity.id"),
    ("target", mapped.takes_target("asset"), "asset.name asset.id"),
    ("target", mapped.takes_typed("user"), """
        target_user target_username target_user_name affected_user user.target.name target_user.name
        target_user.username target_user.email affected_user.name affected_user.username affected_user.email
        user.target.email dest_user duser target.user target.username target.user.name
        deleted_user created_user updated_user disabled_user enabled_user locked_user
    """ + _within("target_user affected_user deleted_user created_user updated_user disabled_user enabled_user")),
    ("target", mapped.takes_typed("group"), "user.target.group.name group.name"),
    ("target", mapped.takes_typed("file"), "file.path file_path"),
)  # fmt: skip
_HTTP: Final[tuple[Row, ...]] = (
    ("request", mapped.see_method, """
        method request_method http_method http.request.method req.method request.method http.method request_verb
        cs_method http_message.method request_context.http_method verb
        http_request.request_method
    """),
    ("request", mapped.see_request_line, "request request_line http_request"),
    ("request", mapped.see_request_uri, "request_uri"),
    ("request", mapped.see_path, """
        uri path url request_path url.path url.original req.url request.uri request.path request.url http.url
        http.target http_path http_request.request_url cs_uri_stem http_message.path request_context.path
    """),
)  # fmt: skip
_DEED: Final[tuple[Row, ...]] = (
    ("outcome", mapped.take_outcome, """
        outcome event.outcome event_outcome result event.result event_result event_status
        result.status result.outcome action_result
        operation_result login_result login_status auth_result auth_status authentication_result decision verdict
        disposition success_status auth.result auth.status auth.outcome info
        outcome.result outcome.status action.outcome action.status result_code result_type evt_outcome action.result
        access
        login_outcome auth_outcome authz.decision policy_decision response.result res
    """),
    ("outcome", mapped.take_answer, """
        success succeeded successful is_success ok allow allowed granted authenticated is_successful login_successful
        result.success response.success event.success
    """),
    ("outcome", mapped.take_contrary, "failed denied is_error is_failure"),
    *_OBJECT,
    *_HTTP,
    ("type", mapped.see_destination, """
        dst_ip dest_ip destination_ip dst.ip destination.ip dst_addr dest_addr destination_address dst dst_endpoint.ip
    """),
    ("type", mapped.see_dataset, "event.module event.dataset data_stream.dataset"),
    ("reason", mapped.take_alarm, "event.category"),
    ("action", documents.take_event_action, "event.action"),
    ("action", mapped.take_action, """
        action event.action event_action action.name action.type action.value
        operation operation_name operation_type event
        event_name event.name event_type event.type audit_event audit_action activity activity_type
        activity_name action_type action_name audit_log_event evt evt_name what what.action event_type_name audit_type
        action_identifier activity_code verb act type
    """),
    ("outcome", mapped.take_outcome, _within("outcome result")),
    ("outcome", mapped.take_answer, _within("success")),
    ("outcome", mapped.take_status, _within("status")),
    ("source_ip", mapped.take_address, _within("ip ip_address client_ip remote_ip remote_addr source_ip src_ip")),
    ("outcome", mapped.take_outcome, _within("outcome result", _DETAILS)),
    ("outcome", mapped.take_answer, _within("success", _DETAILS)),
    ("source_ip", mapped.take_login_address, _within("ip ip_address client_ip remote_ip source_ip src_ip", _DETAILS)),
    ("action", mapped.take_action, _within("action operation event_type")),
    ("actor", mapped.take_name, _within("actor actor.name actor.username actor.email performed_by")),
    ("actor", mapped.take_context_name, _within("""
        user username user_name user.name user.username user_email user.email user_id user.id
    """)),
    ("type", mapped.take_doer, """
        created_by deleted_by updated_by modified_by changed_by granted_by revoked_by assigned_by added_by removed_by
        enabled_by disabled_by locked_by unlocked_by reset_by by
    """ + _within("by created_by deleted_by admin admin_user")),
    ("actor", mapped.take_login_name, f"""
        email mail login uname db_user account account_name login_id {_within("email login")}
        {_within("username user user_name user.name login email", _DETAILS)}
    """),
    ("actor", mapped.take_login_uid, "uid auid"),
    ("type", mapped.see_categories, "event.category"),
    ("request", mapped.take_categories, "event.type"),
    ("reason", mapped.take_challenge, "event.type"),
    ("type", documents.take_audited_account, "auditd.log.acct"),
    ("target", mapped.takes_typed("command"), "system.auth.sudo.command"),
    ("action", readers.takes_always("command.exec"), "system.auth.sudo.command"),
    ("actor_as", None, "system.auth.sudo.user"),
    ("reason", mapped.take_reason, "system.auth.sudo.error"),
    ("target", documents.take_affected_user, "subject.name subject.username"),
    ("app", documents.take_dataset, "event.dataset data_stream.dataset"),
    ("request", mapped.take_kind, "event.kind"),
    ("outcome", mapped.take_http_status, """
        http_status http_status_code status_code response_code response_status response_status_code
        http.response.status_code http.status_code http.status res.statusCode response.status response.status_code
        result.status_code http_request.status downstream_status origin_status elb_status_code sc_status
        http_message.status response.code response http_code resp_status
    """),
    ("outcome", mapped.take_status, "status event.status status.code state"),
    ("request", mapped.take_request_name, "uname"),
    ("source_ip", mapped.take_login_address, "addr address from peer network.ip net.ip"),
    ("request", mapped.take_attempt, "category event_category"),
    ("reason", mapped.take_reason, "reason failure_reason denial_reason deny_reason event.reason fail_reason"),
    ("reason", mapped.take_error, """
        error_message error.message error err err.message errmsg error_msg error_description error.reason error_code
        error.code
    """),
)  # fmt: skip
_DOCUMENTS: Final[tuple[Row, ...]] = (
    ("type", mapped.see_nothing, "kubernetes.audit auditd.summary auditd.message_type"),
)
"""Objects by which a document of Elastic's agents is known (`services.py`)."""
_ALL: Final = (*_TIME, *_HEADER, *_MESSAGE, *_ACTOR, *_SOURCE, *_DEED, *_DOCUMENTS)

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
    ("app", mapped.take_command_name, "_command"),  # of a container: its name says less than the program that runs
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
        not names.isdisjoint({"request", "requestmethod", "method", "requesturi", "csmethod", "requestverb"})
        and not names.isdisjoint({"status", "statuscode", "httpstatus", "responsestatus", "downstreamstatus",
                                   "responsecode", "scstatus", "elbstatuscode"})
        and not names.isdisjoint({"remoteaddr", "remoteip", "clientip", "clientaddr", "remoteaddress", "clienthost",
                                   "downstreamremoteaddress", "cip"})
    ),
    *_ALL,
    without="host",
)

RAILS: Final = make_vocabulary(
    "rails",  # lograge's form, GitLab's production_json and api_json: `action` is a method of the controller
    shape("controller action method path status"),
    *_ALL,
    without="host action",
)

LINE: Final = make_vocabulary(
    "line",  # a line as a shipper of container logs passes it on
    shape("log", any_of="kubernetes docker stream container_id container_name source", none_of="message msg"),
    ("message", mapped.take_log, "log"),
    *_ALL,
)

LOKI: Final = make_vocabulary(
    "loki",  # pushes, and the answers of its tools
    either(
        shape("streams", only="streams"), shape("stream values", only="stream values"),
        shape("labels line timestamp", only="labels line timestamp"),
    ),
    rewrite=shippers.open_loki,
)

SPLUNK: Final = make_vocabulary(
    "splunk",  # its HTTP collector's, with a line or an object
    shape("event", any_of="sourcetype index", only="event time timestamp host source sourcetype index fields"),
    *_ALL,
    rewrite=shippers.open_splunk,
)

FILESET: Final = make_vocabulary(
    "fileset",  # Filebeat before 7, whose modules had names of their own
    shape("fileset", any_of="nginx apache2 apache traefik iis haproxy system auditd", none_of="ecs event"),
    *_ALL,
    rewrite=shippers.read_fileset,
)

LAUREL: Final = make_vocabulary(
    "laurel",  # Linux audit events
    lambda names: "id" in names and not names.isdisjoint(shippers.LAUREL),
    *_ALL,
    rewrite=shippers.read_laurel,
)

GO_AUDIT: Final = make_vocabulary(
    "go_audit", shape("sequence timestamp messages"), *_ALL, rewrite=shippers.read_go_audit
)

WINDOWS_INSERTS: Final = make_vocabulary(
    "windows_inserts", shape("EventID StringInserts"), *_ALL, rewrite=shippers.read_inserts  # Fluent Bit's
)

NEXUS: Final = make_vocabulary(
    "nexus", shape("nodeId initiator domain type"), *_ALL, rewrite=shippers.read_nexus
)

JBOSS: Final = make_vocabulary(
    "jboss",  # the JSON of Quarkus and WildFly: some loggers tell whose log it is
    shape("loggerName message level", any_of="loggerClassName threadName mdc ndc"),
    *_ALL,
    ("app", mapped.take_logger, "loggerName"),
)

SONARQUBE: Final = make_vocabulary(
    "sonarqube",  # with sonar.log.jsonOutput
    shape("logger message", any_of="process nodename HTTP_REQUEST_ID ts timestamp", only="""
        logger message process nodename HTTP_REQUEST_ID ts timestamp level severity stacktrace exception entity
    """),
    ("app", mapped.take_logger, "logger"),
    *_ALL,
)

GENERIC: Final = make_vocabulary("generic", lambda _: True, *_ALL)

VOCABULARIES: Final = (
    JOURNALD, DOCKER, GELF, LOKI, SPLUNK, FILESET, GO_AUDIT, WINDOWS_INSERTS, NEXUS, *AUDIT_VOCABULARIES,
    *CLOUD_VOCABULARIES, *SERVICE_VOCABULARIES, *PRODUCT_VOCABULARIES, *HOSTED_VOCABULARIES, BUNYAN, STRUCTLOG, RAILS,
    HTTP_ACCESS, LINE, LAUREL, JBOSS, SONARQUBE, GENERIC,
)  # fmt: skip
"""In order: the first that recognises an object reads it."""

STRUCTURED_DATA: Final = make_vocabulary("structured_data", lambda _: True, *_ACTOR, *_SOURCE, *_DEED)
"""RFC 5424 params: the header and the text have their own place in the message."""


def recognise(names: AbstractSet[str]) -> Vocabulary:
    """Choose the vocabulary of an object by its canonical top-level names."""
    return next(vocabulary for vocabulary in VOCABULARIES if vocabulary.recognise(names))
