"""The audit logs of known products: how they name who, what, on what, from where and with what outcome.

One vocabulary a product, recognised by the names at its top level, which no other has. What their deeds are called is
in `deeds.py`. A name with dots goes into inner objects. Knows no values.
"""

from __future__ import annotations

from typing import Final

from receiver.normalize import deeds, mapped
from receiver.normalize.vocabulary import Vocabulary, make_vocabulary

_RFC3339: Final = mapped.take_time

KUBERNETES: Final = make_vocabulary(
    "kubernetes",  # audit.k8s.io/v1 Event; the first of sourceIPs is the original client
    lambda names: {"auditid", "verb", "user", "requesturi"} <= names,
    ("time", _RFC3339, "requestReceivedTimestamp stageTimestamp"),
    ("actor", None, "user.username"),
    ("actor_as", None, "impersonatedUser.username"),
    ("source_ip", deeds.take_first_address, "sourceIPs"),
    ("type", mapped.takes_type("object"), "objectRef.resource"),
    ("target", mapped.takes_target("object"), "objectRef.name"),
    ("target", None, "requestURI"),
    ("action", deeds.take_api_verb, "verb"),
    ("outcome", deeds.take_code, "responseStatus.code"),
    ("reason", mapped.take_reason, "responseStatus.reason responseStatus.message"),
    ("session", mapped.take_session, "auditID"),
)
VAULT: Final = make_vocabulary(
    "vault",  # HashiCorp Vault and OpenBao: audit device entries of type request and response
    lambda names: {"type", "request", "auth", "time"} <= names,
    ("time", _RFC3339, "time"),
    ("actor", None, "auth.display_name auth.entity_id"),
    ("source_ip", mapped.take_address, "request.remote_address"),
    ("source_port", mapped.take_port, "request.remote_port"),
    ("target", deeds.take_vault_path, "request.path"),
    ("action", deeds.take_vault_operation, "request.operation"),
    ("outcome", deeds.take_error, "error"),
    ("outcome", deeds.otherwise_success, "response"),
    ("session", mapped.take_session, "request.id"),
)
CLOUDTRAIL: Final = make_vocabulary(
    "cloudtrail",  # AWS CloudTrail record contents
    lambda names: {"eventname", "eventsource", "useridentity"} <= names,
    ("time", _RFC3339, "eventTime"),
    ("actor", None, "userIdentity.userName userIdentity.sessionContext.sessionIssuer.userName userIdentity.arn"),
    ("actor", None, "userIdentity.principalId userIdentity.invokedBy"),
    ("actor_as", None, "requestParameters.roleArn"),
    ("source_ip", mapped.take_address, "sourceIPAddress"),
    ("action", deeds.takes_deed(deeds.CLOUDTRAIL), "eventName"),
    ("outcome", mapped.take_outcome, "responseElements.ConsoleLogin"),
    ("outcome", deeds.take_error, "errorCode"),
    ("reason", mapped.take_reason, "errorMessage errorCode"),
    ("outcome", deeds.otherwise_success, "eventName"),
    ("target", mapped.takes_typed("account"), "requestParameters.userName"),
    ("target", mapped.takes_typed("group"), "requestParameters.groupName"),
    ("target", mapped.takes_typed("bucket"), "requestParameters.bucketName"),
    ("session", mapped.take_session, "eventID"),
)
OCSF: Final = make_vocabulary(
    "ocsf",
    lambda names: {"classuid", "activityid"} <= names,
    ("time", mapped.take_time, "time"),
    ("host", None, "device.hostname"),
    ("actor", None, "actor.user.name actor.user.uid actor.user.email_addr"),
    ("actor", None, "user.name user.uid"),
    ("source_ip", mapped.take_address, "src_endpoint.ip"),
    ("source_port", mapped.take_port, "src_endpoint.port"),
    ("action", deeds.takes_deed(deeds.OCSF), "type_uid"),
    ("outcome", deeds.take_status_id, "status_id"),
    ("outcome", mapped.take_outcome, "status"),
    ("reason", mapped.take_reason, "status_detail"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "session.uid actor.session.uid"),
)
GITLAB: Final = make_vocabulary(
    "gitlab",  # audit_json.log
    lambda names: {"authorid", "entitytype", "targettype"} <= names,
    ("time", _RFC3339, "time created_at"),
    ("severity", mapped.take_severity, "severity"),
    ("actor", None, "author_name"),
    ("source_ip", mapped.take_address, "ip_address"),
    ("type", mapped.takes_type("target"), "target_type"),
    ("target", mapped.takes_target("target"), "target_details target_id"),
    ("message", mapped.take_message, "custom_message"),
)
GITHUB: Final = make_vocabulary(
    "github",  # audit log events; `user` is whom it was done to
    lambda names: {"action", "actor"} <= names and not names.isdisjoint({"actorip", "documentid", "orgid", "actorid"}),
    ("time", mapped.take_time, "@timestamp created_at"),
    ("actor", None, "actor"),
    ("source_ip", mapped.take_address, "actor_ip"),
    ("action", deeds.takes_deed(deeds.GITHUB), "action"),
    ("target", mapped.takes_typed("account"), "user"),
    ("target", mapped.takes_typed("repository"), "repo repository"),
    ("session", mapped.take_session, "_document_id"),
)
TELEPORT: Final = make_vocabulary(
    "teleport",
    lambda names: {"event", "code", "uid", "time"} <= names,
    ("time", _RFC3339, "time"),
    ("actor", None, "user"),
    ("actor_as", None, "login"),
    ("source_ip", mapped.take_address, "addr.remote"),
    ("action", deeds.takes_deed(deeds.TELEPORT), "event"),
    ("outcome", mapped.take_answer, "success"),
    ("reason", mapped.take_reason, "error"),
    ("session", mapped.take_session, "sid"),
    ("target", mapped.takes_typed("host"), "server_hostname server_id"),
)
KEYCLOAK: Final = make_vocabulary(
    "keycloak",
    lambda names: {"type", "realmid", "ipaddress"} <= names,
    ("time", mapped.take_time, "time"),
    ("actor", None, "details.username username"),
    ("actor", mapped.take_id, "userId"),
    ("source_ip", mapped.take_address, "ipAddress"),
    ("action", deeds.takes_deed(deeds.KEYCLOAK), "type"),
    ("reason", mapped.take_reason, "error"),
    ("session", mapped.take_session, "sessionId details.code_id"),
)
NEXTCLOUD: Final = make_vocabulary(
    "nextcloud",  # audit.log and nextcloud.log; level 0 to 4 is its own
    lambda names: {"reqid", "remoteaddr", "app", "message"} <= names,
    ("time", _RFC3339, "time"),
    ("app", None, "app"),
    ("actor", None, "user"),
    ("source_ip", mapped.take_address, "remoteAddr"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "reqId"),
)
MONGODB_AUDIT: Final = make_vocabulary(
    "mongodb_audit",
    lambda names: {"atype", "ts", "result"} <= names,
    ("time", _RFC3339, "ts.$date"),
    ("actor", deeds.takes_only("user", "actor"), "users"),
    ("source_ip", mapped.take_address, "remote.ip"),
    ("source_port", mapped.take_port, "remote.port"),
    ("action", deeds.takes_deed(deeds.MONGODB), "atype"),
    ("outcome", deeds.take_result_number, "result"),
    ("actor", None, "param.user"),
)
MONGODB_LOG: Final = make_vocabulary(
    "mongodb_log",  # structured logging since 4.4
    lambda names: {"t", "s", "c", "id", "ctx", "msg"} <= names,
    ("time", _RFC3339, "t.$date"),
    ("message", mapped.take_message, "msg"),
    ("actor", None, "attr.principalName attr.user"),
    ("source_ip", mapped.take_address, "attr.remote attr.client"),
    ("action", deeds.takes_deed({
        "authentication succeeded": ("auth.login", "success"),
        "successfully authenticated": ("auth.login", "success"),
        "authentication failed": ("auth.login", "failure"),
        "connection accepted": ("net.connect", "success"),
        "connection ended": ("net.close", "success"),
    }), "msg"),
    ("reason", mapped.take_reason, "attr.error"),
)  # fmt: skip
POSTGRESQL: Final = make_vocabulary(
    "postgresql",  # log_destination = jsonlog
    lambda names: {"errorseverity", "message", "backendtype"} <= names,
    ("time", _RFC3339, "timestamp"),
    ("pid", mapped.take_pid, "pid"),
    ("actor", None, "user"),
    ("source_ip", mapped.take_address, "remote_host"),
    ("source_port", mapped.take_port, "remote_port"),
    ("action", deeds.takes_deed(deeds.deeds("failure", {"auth.login": "28P01 28000"})), "state_code"),
    ("reason", mapped.take_reason, "message"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "session_id"),
)
WINDOWS: Final = make_vocabulary(
    "windows",  # Security events of NXLog, Winlogbeat, Fluent Bit; the subject acts on the target, but for logins
    lambda names: "winlog" in names or ("eventid" in names and not names.isdisjoint({"channel", "sourcename"})),
    ("time", _RFC3339, "@timestamp EventTime"),
    ("host", None, "winlog.computer_name Hostname Computer"),
    ("action", deeds.takes_deed(deeds.WINDOWS), "EventID winlog.event_id event.code"),
    ("actor", deeds.take_windows_target, "TargetUserName winlog.event_data.TargetUserName"),
    ("actor", deeds.take_windows_subject, "SubjectUserName winlog.event_data.SubjectUserName"),
    ("source_ip", mapped.take_address, "IpAddress winlog.event_data.IpAddress source.ip"),
    ("source_port", mapped.take_port, "IpPort winlog.event_data.IpPort source.port"),
    ("message", mapped.take_message, "Message message"),
)
FALCO: Final = make_vocabulary(
    "falco",
    lambda names: {"rule", "output", "priority"} <= names,
    ("time", _RFC3339, "time"),
    ("host", None, "hostname"),
    ("severity", mapped.take_severity, "priority"),
    ("message", mapped.take_message, "output"),
    ("action", deeds.take_alert, "rule"),
    ("reason", None, "rule"),
)
SURICATA: Final = make_vocabulary(
    "suricata",  # EVE
    lambda names: {"eventtype", "srcip", "flowid"} <= names,
    ("time", _RFC3339, "timestamp"),
    ("source_ip", mapped.take_address, "src_ip"),
    ("source_port", mapped.take_port, "src_port"),
    ("target", mapped.takes_typed("address"), "dest_ip"),
    ("action", deeds.take_alert, "alert"),
    ("reason", None, "alert.signature"),
)
SAMBA: Final = make_vocabulary(
    "samba",
    lambda names: {"timestamp", "type", "authentication"} <= names,
    ("time", _RFC3339, "timestamp"),
    ("actor", None, "Authentication.mappedAccount Authentication.clientAccount"),
    ("source_ip", deeds.take_named_address, "Authentication.remoteAddress"),
    ("action", deeds.takes_deed(deeds.SAMBA), "Authentication.status"),
    ("reason", mapped.take_reason, "Authentication.status"),
)

AUDIT_VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    KUBERNETES, VAULT, CLOUDTRAIL, OCSF, GITLAB, GITHUB, TELEPORT, KEYCLOAK, NEXTCLOUD, MONGODB_AUDIT, MONGODB_LOG,
    POSTGRESQL, WINDOWS, FALCO, SURICATA, SAMBA,
)  # fmt: skip
