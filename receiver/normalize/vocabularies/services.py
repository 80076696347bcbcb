"""The audit logs of a few services beside those of `audit.py`: databases, a door, a honeypot.

Knows how they name who, what, from where, and what their words for deeds mean. Knows no values.
"""

from __future__ import annotations

from typing import Any, Final

from receiver.event import Outcome
from receiver.normalize.objects import mapped, product_readers, readers
from receiver.normalize.objects.envelopes import open_envelope
from receiver.normalize.vocabularies import deeds
from receiver.normalize.vocabularies.vocabulary import Vocabulary, either, make_own, make_vocabulary, shape

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)

COUCHBASE_DEEDS: Final = {
    "login success": ("auth.login", _SUCCESS),
    "login failure": ("auth.login", _FAILURE),
    "logout": ("auth.logout", _SUCCESS),
    "set user": ("account.update", None),
    "delete user": ("account.delete", None),
    "password change": ("account.password_change", None),
}
COUCHBASE: Final = make_own(
    "couchbase",
    shape("real_userid id name description"),
    ("time", mapped.take_time, "timestamp"),
    ("actor", mapped.take_name, "real_userid.user"),
    ("source_ip", mapped.take_address, "remote.ip"),
    ("source_port", mapped.take_port, "remote.port"),
    ("action", readers.takes_deed(COUCHBASE_DEEDS), "name"),
    ("target", mapped.takes_typed("account"), "identity.user"),
)
MYSQL_ACTIVITY_DEEDS: Final = {
    "connect": ("auth.login", _SUCCESS),
    "failed login": ("auth.login", _FAILURE),
    "quit": ("session.close", _SUCCESS),
    "select": ("data.query", None),
    "insert": ("data.write", None),
    "update": ("data.write", None),
    "delete": ("data.write", None),
    "create_user": ("account.create", None),
    "drop_user": ("account.delete", None),
    "grant": ("privilege.grant", None),
    "revoke": ("privilege.revoke", None),
}
MYSQL_ACTIVITY: Final = make_own(
    "mysql_activity",  # the audit plugin of McAfee, now Trellix
    shape("msg-type cmd query-id"),
    ("time", mapped.take_time, "date"),
    ("actor", mapped.take_name, "user"),
    ("source_ip", mapped.take_address, "ip"),
    ("action", readers.takes_deed(MYSQL_ACTIVITY_DEEDS), "cmd"),
    ("session", mapped.take_session, "thread-id"),
)
CLOUDFLARE_ACCESS_DEEDS: Final = {"login": ("auth.login", None), "logout": ("auth.logout", _SUCCESS)}
CLOUDFLARE_ACCESS: Final = make_own(
    "cloudflare_access",  # access requests, by the API and as Logpush writes them
    shape("action allowed ip_address", any_of="app_domain app_uid app_uuid ray_id"),
    ("time", mapped.take_time, "created_at"),
    ("actor", mapped.take_name, "user_email email"),
    ("source_ip", mapped.take_address, "ip_address"),
    ("action", readers.takes_deed(CLOUDFLARE_ACCESS_DEEDS), "action"),
    ("outcome", mapped.take_answer, "allowed"),
    ("session", mapped.take_session, "ray_id"),
)
COWRIE_DEEDS: Final = {
    "cowrie.login.success": ("auth.login", _SUCCESS),
    "cowrie.login.failed": ("auth.login", _FAILURE),
    "cowrie.session.connect": ("net.connect", _SUCCESS),
    "cowrie.session.closed": ("net.close", _SUCCESS),
    "cowrie.command.input": ("command.exec", None),
}
COWRIE: Final = make_own(
    "cowrie",
    shape("eventid src_ip session sensor"),
    ("time", mapped.take_time, "timestamp"),
    ("host", None, "sensor"),
    ("actor", mapped.take_name, "username"),
    ("source_ip", mapped.take_address, "src_ip"),
    ("source_port", mapped.take_port, "src_port"),
    ("action", readers.takes_deed(COWRIE_DEEDS), "eventid"),
    ("target", mapped.takes_typed("command"), "input"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "session"),
)



# --- CloudEvents, and who sends them ---


def _open_cloud_event(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write the data of a CloudEvent as an object of its own; its `subject` is what it is about, no actor."""
    data = fields.get("data")
    if type(data) is not dict:
        return None
    return {"@timestamp": fields.get("time"), "event_type": fields.get("type"), **data}


CLOUD_EVENTS: Final = make_vocabulary(
    "cloud_events", shape("specversion type source data"), rewrite=_open_cloud_event  # CloudEvents 1.0, in JSON
)
BOUNDARY_VERBS: Final = {
    "authenticate": ("auth.login", None),
    "change-password": ("account.password_change", None),
    "set-password": ("account.password_reset", None),
    "add-members": ("group.member_add", None),
    "remove-members": ("group.member_remove", None),
    "authorize-session": ("session.open", None),
    "cancel": ("session.close", None),
}
BOUNDARY: Final = make_own(
    "boundary",  # HashiCorp Boundary: audit, observation and error events
    shape("request_info", any_of="auth op start response request_info.path request_info.client_ip"),
    ("time", mapped.take_time, "@timestamp timestamp start"),
    ("actor", mapped.take_name, "auth.user_name auth.user_email auth.user_info.id"),
    ("source_ip", mapped.take_address, "request_info.client_ip"),
    ("action", product_readers.takes_custom_method(BOUNDARY_VERBS), "request_info.path"),
    ("action", readers.take_method, "request_info.method"),
    ("outcome", readers.take_code, "response.status_code status"),
    ("outcome", readers.take_error, "error"),
    ("target", None, "request_info.path"),
    ("session", mapped.take_session, "request_info.id"),
)
CONFLUENT_DEEDS: Final = {
    "kafka.authentication": ("auth.login", None),
    "mds.authenticate": ("auth.login", None),
    "signin": ("auth.login", None),
    "signout": ("auth.logout", None),
    "kafka.produce": ("data.write", None),
    "kafka.fetchconsumer": ("data.query", None),
    "kafka.fetch": ("data.query", None),
}
CONFLUENT: Final = make_own(
    "confluent",  # Confluent Server's and Cloud's audit log
    shape("methodName authenticationInfo", any_of="serviceName resourceName cloudResources requestMetadata"),
    ("time", mapped.take_time, "@timestamp"),
    ("actor", product_readers.take_principal, """
        authenticationInfo.principal.email authenticationInfo.principal.confluentUser.resourceId
        authenticationInfo.principal.confluentServiceAccount.resourceId authenticationInfo.principal
    """),
    ("source_ip", mapped.take_address, "requestMetadata.client_address requestMetadata.clientAddress"),
    ("source_ip", readers.takes_within(mapped.take_address, "ip"), "requestMetadata.clientAddress"),
    ("action", readers.takes_deed(CONFLUENT_DEEDS, by_words=True, by_verb=True), "methodName"),
    ("outcome", mapped.take_answer, "authorizationInfo.granted"),
    ("outcome", readers.takes_outcome("success", "failure unauthenticated unauthorized permission_denied"), """
        result.status authenticationInfo.result
    """),
    ("reason", mapped.take_reason, "result.message result.data.message"),
    ("target", None, "resourceName"),
)  # fmt: skip

# --- what teams put before or beside their services ---

SPRING_DEEDS: Final = {
    "authentication_success": ("auth.login", _SUCCESS),
    "authentication_failure": ("auth.login", _FAILURE),
    "authentication_switch": ("auth.switch", _SUCCESS),
    "logout_success": ("auth.logout", _SUCCESS),
    "session_expired": ("session.close", _SUCCESS),
}
SPRING: Final = make_own(
    "spring",  # Spring Boot's AuditEvent
    shape("principal type", only="principal type timestamp data"),
    ("time", mapped.take_time, "timestamp"),
    ("actor", mapped.take_name, "principal"),
    ("actor_as", None, "data.target"),
    ("source_ip", mapped.take_address, "data.remoteAddress data.details.remoteAddress data.ipAddress data.ip"),
    ("action", readers.takes_deed(SPRING_DEEDS, by_words=True), "type"),
    ("outcome", readers.takes_outcome("", "authorization_failure access_denied"), "type"),
    ("reason", mapped.take_reason, "data.message data.type"),
    ("session", mapped.take_session, "data.sessionId data.details.sessionId"),
)
AUTHELIA: Final = make_own(
    "authelia",
    shape("level method msg path remote_ip time", only="stack error"),
    ("time", mapped.take_time, "time"),
    ("severity", mapped.take_severity, "level"),
    ("source_ip", mapped.take_address, "remote_ip"),
    ("action", product_readers.take_authelia, "msg"),
    ("message", mapped.take_message, "msg"),
    ("reason", mapped.take_reason, "error"),
)
GRAFANA_LOG: Final = make_own(
    "grafana_log",  # its server log
    shape("logger t msg level"),
    ("time", mapped.take_time, "t"),
    ("severity", mapped.take_severity, "level"),
    ("actor", mapped.take_name, "uname User user username"),
    ("source_ip", mapped.take_address, "remote_addr"),
    ("action", readers.takes_deed(deeds.GRAFANA_TEXTS), "msg"),
    ("request", product_readers.see_grafana_login, "path"),
    ("request", mapped.see_method, "method"),
    ("request", mapped.see_path, "path"),
    ("outcome", mapped.take_status, "status"),
    ("reason", mapped.take_error, "error"),
    ("message", mapped.take_message, "msg"),
)
ARGOCD: Final = make_own(
    "argocd",
    shape("grpc.code grpc.method grpc.service"),
    ("time", mapped.take_time, "time"),
    ("severity", mapped.take_severity, "level"),
    ("actor", product_readers.take_argocd_claims, "grpc.request.claims"),
    ("source_ip", mapped.take_address, "peer.address"),
    ("type", mapped.takes_type("service"), "grpc.service"),
    ("action", readers.takes_typed_deed(deeds.ARGOCD, by_verb=True), "grpc.method"),
    ("outcome", readers.takes_outcome("ok", "*"), "grpc.code"),
    ("reason", mapped.take_reason, "error"),
    ("message", mapped.take_message, "msg"),
)
OPENCANARY_DEEDS: Final = {
    **dict.fromkeys(("2000", "3001", "4002", "6001", "8001", "9001", "9002", "14001"), ("auth.login", _FAILURE)),
    **dict.fromkeys(("4000", "5001"), ("net.connect", None)),
    "3000": ("http.request", None),
}
OPENCANARY: Final = make_own(
    "opencanary",  # nobody comes in where only the house of cards is
    shape("logtype node_id src_host logdata"),
    ("time", mapped.take_time, "utc_time"),
    ("host", None, "node_id"),
    ("actor", mapped.take_name, "logdata.USERNAME"),
    ("source_ip", mapped.take_address, "src_host"),
    ("source_port", mapped.take_port, "src_port"),
    ("action", readers.takes_deed(OPENCANARY_DEEDS), "logtype"),
    ("target", mapped.takes_typed("address"), "dst_host"),
)
SQL_SERVER: Final = make_own(
    "sql_server",  # Microsoft SQL Server's audit (sys.fn_get_audit_file)
    shape("action_id server_principal_name"),
    ("time", mapped.take_time, "event_time"),
    ("actor", mapped.take_name, "server_principal_name session_server_principal_name"),
    ("source_ip", mapped.take_address, "client_ip"),
    ("action", readers.takes_deed(deeds.SQL_SERVER), "action_id"),
    ("outcome", mapped.take_answer, "succeeded"),
    ("target", None, "object_name"),
    ("session", mapped.take_session, "session_id"),
)
CYBERARK_DEEDS: Final = {
    "retrieve password": ("secret.read", None),
    "retrieve file": ("secret.read", None),
    "store password": ("secret.write", None),
    "psm connect": ("session.open", None),
    "psm disconnect": ("session.close", None),
    "add user": ("account.create", None),
    "delete user": ("account.delete", None),
    "update user": ("account.update", None),
    "add group member": ("group.member_add", None),
    "remove group member": ("group.member_remove", None),
}
CYBERARK: Final = make_own(
    "cyberark",  # the vault's audit records, as its translator for Elastic writes them
    shape("syslog format", any_of="syslog.audit_record raw version"),
    ("time", mapped.take_time, "syslog.audit_record.IsoTimestamp syslog.audit_record.Timestamp"),
    ("host", None, "syslog.audit_record.Hostname"),
    ("actor", mapped.take_name, "syslog.audit_record.Issuer"),
    ("source_ip", mapped.take_address, "syslog.audit_record.Station"),
    ("action", readers.takes_deed(CYBERARK_DEEDS, by_words=True), "syslog.audit_record.Action"),
    ("outcome", readers.takes_outcome("info", "error"), "syslog.audit_record.Severity"),
    ("reason", mapped.take_reason, "syslog.audit_record.Reason"),
    ("target", mapped.takes_typed("account"), "syslog.audit_record.TargetUser"),
    ("message", mapped.take_message, "syslog.audit_record.Message"),
)
TERRAFORM: Final = make_own(
    "terraform",  # Terraform Cloud's and Enterprise's audit trail
    shape("auth request resource timestamp version"),
    ("time", mapped.take_time, "timestamp"),
    ("actor", mapped.take_name, "auth.description auth.accessor_id"),
    ("source_ip", mapped.take_address, "request.ip_address"),
    ("type", mapped.takes_type("resource"), "resource.type"),
    ("action", readers.takes_typed_deed({}, by_verb=True), "resource.action"),
    ("target", mapped.takes_target("resource"), "resource.id"),
    ("session", mapped.take_session, "request.id"),
)
OWASP_DEEDS: Final = {
    "authn_login_success": ("auth.login", _SUCCESS),
    "authn_login_successafterfail": ("auth.login", _SUCCESS),
    "authn_login_fail": ("auth.login", _FAILURE),
    "authn_login_fail_max": ("auth.login", _FAILURE),
    "authn_login_lock": ("account.lock", _SUCCESS),
    "authn_password_change": ("account.password_change", _SUCCESS),
    "authn_password_change_fail": ("account.password_change", _FAILURE),
    "privilege_permissions_changed": ("privilege.grant", _SUCCESS),
    "user_created": ("account.create", None),
    "user_updated": ("account.update", None),
    "user_archived": ("account.disable", None),
    "user_deleted": ("account.delete", None),
    "session_created": ("session.open", None),
    "session_expired": ("session.close", None),
    "sys_startup": ("service.start", None),
    "sys_shutdown": ("service.stop", None),
    "sys_restart": ("service.restart", None),
}
OWASP: Final = make_own(
    "owasp",  # OWASP's Application Logging Vocabulary
    shape("appid event datetime"),
    ("time", mapped.take_time, "datetime"),
    ("host", None, "hostname"),
    ("app", None, "appid"),
    ("severity", mapped.take_severity, "level"),
    ("source_ip", mapped.take_address, "source_ip"),
    ("action", product_readers.takes_owasp_event(OWASP_DEEDS), "event"),
    ("target", None, "request_uri"),
    ("message", mapped.take_message, "description"),
)
FORGEROCK_DEEDS: Final = {
    "am-login-completed": ("auth.login", None),
    "am-logout": ("auth.logout", _SUCCESS),
    "am-session-created": ("session.open", None),
    "am-session-destroyed": ("session.close", None),
    "am-session-logged_out": ("auth.logout", None),
}
FORGEROCK: Final = make_own(
    "forgerock",  # ForgeRock's and Ping's Access and Identity Management: topics authentication, access, activity
    shape("eventName transactionId", any_of="userId principal client"),
    ("time", mapped.take_time, "timestamp"),
    ("actor", product_readers.take_first_principal, "principal"),
    ("actor", product_readers.take_relative_name, "userId"),
    ("source_ip", mapped.take_address, "client.ip"),
    ("source_ip", readers.takes_within(mapped.take_address, "info.ipAddress"), "entries"),
    ("source_port", mapped.take_port, "client.port"),
    ("action", readers.takes_deed(FORGEROCK_DEEDS), "eventName"),
    ("outcome", mapped.take_outcome, "result response.status"),
    ("outcome", readers.take_code, "response.statusCode"),
    ("session", mapped.take_session, "transactionId"),
)
GATEWAY_DEEDS: Final = {
    **dict.fromkeys(("blocked", "block"), ("net.refuse", _FAILURE)),
    **dict.fromkeys(("allowed", "allow", "allowedonnorulematch"), ("net.connect", _SUCCESS)),
}
CLOUDFLARE_GATEWAY: Final = make_own(
    "cloudflare_gateway",  # Zero Trust's network sessions, as Logpush writes them
    shape("Action Email SourceIP", any_of="DeviceID DestinationIP UserID"),
    ("time", mapped.take_time, "Datetime"),
    ("actor", mapped.take_name, "Email UserID"),
    ("source_ip", mapped.take_address, "SourceIP"),
    ("source_port", mapped.take_port, "SourcePort"),
    ("action", readers.takes_deed(GATEWAY_DEEDS), "Action"),
    ("target", mapped.takes_typed("address"), "DestinationIP"),
    ("session", mapped.take_session, "SessionID"),
)
HUBBLE_DEEDS: Final = {"dropped": ("net.refuse", _FAILURE), "forwarded": ("net.connect", _SUCCESS)}
HUBBLE: Final = make_own(
    "hubble",  # Cilium's flows
    shape("flow", any_of="node_name time", only="node_name time"),
    ("time", mapped.take_time, "flow.time time"),
    ("source_ip", mapped.take_address, "flow.IP.source"),
    ("source_port", mapped.take_port, "flow.l4.TCP.source_port flow.l4.UDP.source_port"),
    ("action", readers.takes_deed(HUBBLE_DEEDS), "flow.verdict"),
    ("target", mapped.takes_typed("address"), "flow.IP.destination"),
)
TETRAGON: Final = make_own(
    "tetragon",  # Cilium Tetragon's processes
    either(shape("process_exec"), shape("process_exit")),
    ("time", mapped.take_time, "time"),
    ("host", None, "node_name"),
    ("action", readers.takes_always("process.start"), "process_exec"),
    ("action", readers.takes_always("process.stop"), "process_exit"),
    ("target", mapped.takes_typed("command"), "process_exec.process.binary process_exit.process.binary"),
)

# --- documents of Elastic's agents ---

KUBERNETES_DOCUMENT: Final = make_own(
    "kubernetes_document",  # a Kubernetes audit event, as Elastic's integration puts it into a document
    lambda names: "kubernetes.audit" in names,
    ("time", mapped.take_time, "@timestamp kubernetes.audit.requestReceivedTimestamp"),
    ("actor", mapped.take_name, "kubernetes.audit.user.username"),
    ("actor_as", None, "kubernetes.audit.impersonatedUser.username"),
    ("source_ip", readers.take_first_address, "kubernetes.audit.sourceIPs source.ip"),
    ("type", mapped.takes_type("object"), "kubernetes.audit.objectRef.resource"),
    ("target", mapped.takes_target("object"), "kubernetes.audit.objectRef.name"),
    ("target", None, "kubernetes.audit.requestURI"),
    ("action", readers.takes_deed(deeds.KUBERNETES_STREAMS), "kubernetes.audit.objectRef.subresource"),
    ("action", readers.take_api_verb, "kubernetes.audit.verb"),
    ("outcome", readers.take_code, "kubernetes.audit.responseStatus.code"),
    ("outcome", readers.takes_outcome("success", "failure"), "kubernetes.audit.responseStatus.status"),
    ("outcome", readers.takes_claim(readers.takes_outcome("", "forbid"), "authorization_k8s_io/decision"), """
        kubernetes.audit.annotations
    """),
    ("reason", mapped.take_reason, "kubernetes.audit.responseStatus.reason kubernetes.audit.responseStatus.message"),
    ("session", mapped.take_session, "kubernetes.audit.auditID"),
)
AUDITBEAT_DEEDS: Final = {
    **deeds.deeds(
        None,
        {
            "auth.login": "logged-in authenticated",
            "auth.logout": "logged-out",
            "session.open": "started-session",
            "session.close": "ended-session",
            "command.exec": "ran-command",
            "process.start": "executed",
            "process.stop": "killed-pid",
            "account.create": "added-user-account",
            "account.delete": "deleted-user-account",
            "account.update": "modified-user-account",
            "account.lock": "locked-account",
            "account.unlock": "unlocked-account",
            "account.password_change": "changed-password",
            "group.create": "added-group-account-to",
            "group.delete": "deleted-group-account-from",
            "role.assign": "assigned-user-role-to",
            "role.remove": "removed-user-role-from",
            "service.start": "started-service",
            "service.stop": "stopped-service",
            "file.read": "opened-file read-file",
            "file.create": "created-directory symlinked linked",
            "file.delete": "deleted",
            "file.rename": "renamed",
            "file.set_perm": "changed-file-permissions-of",
            "file.set_attr": "changed-file-ownership-of changed-timestamp-of changed-file-attributes-of",
            "fs.mount": "mounted",
            "fs.unmount": "unmounted",
            "net.connect": "connected-to",
            "config.change": "changed-audit-configuration changed-selinux-enforcement loaded-selinux-policy"
            " loaded-firewall-rule-to",
            "system.boot": "booted-system",
            "system.shutdown": "shutdown-system",
            "system.time_change": "changed-system-time",
            "log.start": "started-audit",
            "log.stop": "shutdown-audit",
        },
    ),
    **deeds.deeds(
        _FAILURE,
        {
            "auth.login": "failed-log-in-too-many-times-to attempted-log-in-from-unusual-place-to"
            " attempted-log-in-during-unusual-hour-to opened-too-many-sessions-to",
        },
    ),
}
AUDITBEAT: Final = make_own(
    "auditbeat",  # what Auditbeat, and Elastic's agent, make of Linux audit records
    lambda names: not names.isdisjoint({"auditd.summary", "auditd.messagetype"}),
    ("time", mapped.take_time, "@timestamp"),
    ("host", None, "host.hostname host.name"),
    ("pid", mapped.take_pid, "process.pid"),
    ("action", readers.takes_deed(AUDITBEAT_DEEDS), "event.action"),
    ("actor", product_readers.take_auditd_comer, "auditd"),
    ("actor", product_readers.take_auditd_summary, "auditd.summary"),
    ("actor", mapped.take_name, "user.audit.name user.name"),
    ("actor_as", product_readers.take_auditd_other, "user.effective.name"),
    ("source_ip", mapped.take_address, "source.ip auditd.data.addr auditd.data.hostname"),
    ("outcome", readers.takes_outcome("success", "failure fail"), "event.outcome auditd.result"),
    ("target", mapped.takes_typed("account"), "user.target.name"),
    ("target", mapped.takes_typed("file"), "file.path"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "auditd.session auditd.summary.session"),
)

# --- identity providers and a registry ---

PING_FEDERATE_DEEDS: Final = {
    **dict.fromkeys(("authn_attempt", "sso", "authn_session_used"), ("auth.login", None)),
    "slo": ("auth.logout", None),
    "authn_session_created": ("session.open", None),
    "authn_session_deleted": ("session.close", None),
    "pwd_change": ("account.password_change", None),
    "pwd_reset": ("account.password_reset", None),
}
PING_FEDERATE: Final = make_own(
    "ping_federate",  # audit.log, in its JSON form
    shape("event subject ip", any_of="connectionid partnerid adapterid trackingid"),
    ("time", mapped.take_time, "timestamp dtime date"),
    ("host", None, "host"),
    ("actor", mapped.take_name, "subject"),
    ("source_ip", mapped.take_address, "ip"),
    ("action", readers.takes_deed(PING_FEDERATE_DEEDS, by_words=True), "event"),
    ("outcome", mapped.take_outcome, "status"),
    ("reason", mapped.take_reason, "description"),
    ("session", mapped.take_session, "trackingid"),
)
ORY_DEEDS: Final = {
    "identity authenticated successfully and was issued an ": ("auth.login", _SUCCESS),
    "encountered self-service login error": ("auth.login", _FAILURE),
    "a new identity has registered using self-service registration": ("account.create", _SUCCESS),
    "encountered self-service registration error": ("account.create", _FAILURE),
}
ORY: Final = make_own(
    "ory",  # Kratos and Hydra
    shape("audience msg service_name", any_of="http_request service_version identity_id"),
    ("time", mapped.take_time, "time"),
    ("severity", mapped.take_severity, "level"),
    ("app", None, "service_name"),
    ("actor", mapped.take_name, "identity_id"),
    ("source_ip", mapped.take_address, "http_request.remote"),
    ("action", product_readers.takes_plain_beginning(ORY_DEEDS), "msg"),
    ("reason", mapped.take_reason, "error.reason error.message"),
    ("session", mapped.take_session, "session_id"),
    ("message", mapped.take_message, "msg"),
)
FUSION_AUTH_DEEDS: Final = {
    **deeds.deeds(
        _SUCCESS,
        {
            "auth.login": "user.login.success user.login.new-device",
            "account.create": "user.create.complete user.registration.create.complete user.bulk.create",
            "account.delete": "user.delete.complete",
            "account.update": "user.update.complete user.email.update user.email.verified user.loginid.update",
            "account.disable": "user.deactivate",
            "account.enable": "user.reactivate",
            "account.password_change": "user.password.update",
            "account.password_reset": "user.password.reset.success user.password.reset.send user.password.reset.start",
            "account.mfa_enable": "user.two-factor.method.add",
            "account.mfa_disable": "user.two-factor.method.remove",
            "group.create": "group.create.complete",
            "group.delete": "group.delete.complete",
            "group.member_add": "group.member.add.complete",
            "group.member_remove": "group.member.remove.complete",
        },
    ),
    **deeds.deeds(
        None,
        {
            "account.create": "user.create user.registration.create",
            "account.delete": "user.delete",
            "account.update": "user.update",
            "group.create": "group.create",
            "group.delete": "group.delete",
            "group.member_add": "group.member.add",
            "group.member_remove": "group.member.remove",
            "detect.alert": "user.login.suspicious user.password.breach",
        },
    ),
    **deeds.deeds(_FAILURE, {"auth.login": "user.login.failed"}),
}
FUSION_AUTH: Final = make_own(
    "fusion_auth",  # what a webhook is sent; a user that was made or changed did nothing themselves
    shape("createInstant type", any_of="tenantId user applicationId"),
    ("time", mapped.take_time, "createInstant"),
    ("action", readers.takes_deed(FUSION_AUTH_DEEDS), "type"),
    ("actor", product_readers.take_subject_of_deed, "user.username user.email user.id"),
    ("source_ip", mapped.take_address, "ipAddress info.ipAddress"),
    ("target", mapped.takes_typed("group"), "group.name"),
    ("session", mapped.take_session, "id"),
)
ZITADEL_DEEDS: Final = {
    **deeds.deeds(
        _SUCCESS,
        {
            "auth.login": "user.human.password.check.succeeded user.human.externallogin.check.succeeded"
            " user.human.mfa.otp.check.succeeded user.human.mfa.u2f.token.check.succeeded"
            " user.human.passwordless.token.check.succeeded",
            "auth.logout": "user.human.signed.out",
            "account.create": "user.human.added user.human.selfregistered user.machine.added",
            "account.delete": "user.removed",
            "account.update": "user.human.profile.changed user.human.email.changed user.human.phone.changed"
            " user.username.changed user.machine.changed",
            "account.disable": "user.deactivated",
            "account.enable": "user.reactivated",
            "account.lock": "user.locked",
            "account.unlock": "user.unlocked",
            "account.password_change": "user.human.password.changed",
            "account.password_reset": "user.human.password.code.added",
            "account.mfa_enable": "user.human.mfa.otp.verified user.human.mfa.u2f.token.verified",
            "account.mfa_disable": "user.human.mfa.otp.removed user.human.mfa.u2f.token.removed",
            "role.assign": "user.grant.added instance.member.added org.member.added project.member.added",
            "role.remove": "user.grant.removed instance.member.removed org.member.removed project.member.removed",
            "auth.switch": "user.impersonated",
        },
    ),
    **deeds.deeds(
        _FAILURE,
        {
            "auth.login": "user.human.password.check.failed user.human.mfa.otp.check.failed"
            " user.human.mfa.u2f.token.check.failed user.human.passwordless.token.check.failed",
        },
    ),
}
ZITADEL: Final = make_own(
    "zitadel",  # events of its API
    shape("editor aggregate type creationDate"),
    ("time", mapped.take_time, "creationDate"),
    ("action", readers.takes_deed(ZITADEL_DEEDS, by_words=True), "type.type type"),
    ("actor", product_readers.take_subject_of_login, "aggregate.id"),  # there the editor is the page to log in at
    ("actor", mapped.take_name, "editor.displayName editor.userId"),
    ("target", mapped.takes_typed("account"), "payload.userName"),
    ("target", product_readers.take_changed_account, "aggregate.id"),
    ("session", mapped.take_session, "sequence"),
)
HARBOR_DEEDS: Final = {
    "user create": ("account.create", None),
    "user delete": ("account.delete", None),
    "user update": ("account.update", None),
    "user login": ("auth.login", None),
    "user logout": ("auth.logout", None),
    "user_login login": ("auth.login", None),
    "user_logout logout": ("auth.logout", None),
    "member create": ("group.member_add", None),
    "member delete": ("group.member_remove", None),
    "configuration update": ("config.change", None),
    "artifact pull": ("api.read", None),
    "artifact push": ("api.create", None),
    "artifact create": ("api.create", None),
}
HARBOR: Final = make_own(
    "harbor",  # its audit log, before and after 2.13
    shape("operation resource resource_type op_time"),
    ("time", mapped.take_time, "op_time"),
    ("actor", mapped.take_name, "username operator"),
    ("source_ip", mapped.take_address, "client_ip"),
    ("type", mapped.takes_type("resource"), "resource_type"),
    ("action", readers.takes_typed_deed(HARBOR_DEEDS, by_verb=True), "operation"),
    ("outcome", mapped.take_answer, "operation_result"),
    ("target", mapped.takes_target("resource"), "resource"),
    ("session", mapped.take_session, "id"),
)
RACK_ATTACK: Final = make_own(
    "rack_attack",  # GitLab's auth_json.log: requests that were too many, or from nobody it wants
    shape("env remote_ip request_method path matched"),
    ("time", mapped.take_time, "time"),
    ("severity", mapped.take_severity, "severity"),
    ("actor", mapped.take_name, "meta.user username user_id"),
    ("source_ip", mapped.take_address, "remote_ip"),
    ("action", readers.takes_always("http.request"), "request_method"),
    ("outcome", readers.takes_outcome("safelist", "throttle blocklist"), "env"),
    ("reason", mapped.take_reason, "matched"),
    ("target", None, "path"),
    ("message", mapped.take_message, "message"),
)

# --- databases, and a mail gateway ---

ORACLE_DEEDS: Final = {
    **deeds.deeds(
        None,
        {
            "auth.login": "logon",
            "auth.logout": "logoff",
            "data.query": "select",
            "data.write": "insert update delete merge",
            "privilege.grant": "grant",
            "privilege.revoke": "revoke",
            "log.start": "audit",
            "log.stop": "noaudit",
        },
    ),
    "logoff by cleanup": ("session.close", None),
    "create user": ("account.create", None),
    "drop user": ("account.delete", None),
    "alter user": ("account.update", None),
    "change password": ("account.password_change", None),
    "create role": ("api.create", None),
    "alter system": ("config.change", None),
    "create table": ("data.write", None),
    "drop table": ("data.write", None),
    "alter table": ("data.write", None),
    "truncate table": ("data.write", None),
}
ORACLE: Final = make_own(
    "oracle",  # rows of UNIFIED_AUDIT_TRAIL
    shape("dbusername action_name", any_of="return_code event_timestamp unified_audit_policies"),
    ("time", mapped.take_time, "event_timestamp_utc event_timestamp"),
    ("actor", mapped.take_name, "dbusername"),
    ("source_ip", product_readers.take_oracle_client, "authentication_type"),
    ("action", readers.takes_deed(ORACLE_DEEDS), "action_name"),
    ("outcome", readers.take_result_number, "return_code"),
    ("target", mapped.takes_typed("account"), "target_user"),
    ("target", mapped.takes_typed("table"), "object_name"),
    ("session", mapped.take_session, "sessionid"),
)
COCKROACH_DEEDS: Final = {
    **deeds.deeds(
        None,
        {
            "account.create": "create_role",
            "account.delete": "drop_role",
            "account.update": "alter_role",
            "role.assign": "grant_role",
            "config.change": "set_cluster_setting set_zone_config",
            "session.close": "client_session_end",
            "net.connect": "client_connection_start",
            "net.close": "client_connection_end",
            "data.query": "query_execute sensitive_table_access admin_query role_based_audit_event",
        },
    ),
    "client_authentication_ok": ("auth.login", _SUCCESS),
    "client_authentication_failed": ("auth.login", _FAILURE),
}
COCKROACH: Final = make_own(
    "cockroach",  # CockroachDB's notable events
    either(
        shape("Timestamp EventType InstanceID RemoteAddress", any_of="Network Transport"),
        shape("Timestamp EventType Statement Tag User"),
    ),
    ("time", mapped.take_time, "Timestamp"),
    ("actor", mapped.take_name, "User"),
    ("source_ip", mapped.take_address, "RemoteAddress"),
    ("action", readers.takes_deed(COCKROACH_DEEDS, by_verb=True), "EventType"),
    ("target", mapped.takes_typed("account"), "RoleName"),
    ("reason", mapped.take_reason, "Detail"),
    ("session", mapped.take_session, "SessionID"),
)
MIMECAST_DEEDS: Final = {
    "user logged on": ("auth.login", _SUCCESS),
    "logon authentication failed": ("auth.login", _FAILURE),
    "logon requires challenge": ("auth.login", None),
    "user password changed": ("account.password_change", None),
    "mimecast support login": ("auth.login", None),
}
MIMECAST: Final = make_own(
    "mimecast",
    shape("auditType user eventInfo"),
    ("time", mapped.take_time, "eventTime"),
    ("actor", mapped.take_name, "user"),
    ("source_ip", product_readers.take_mimecast_client, "eventInfo"),
    ("action", readers.takes_deed(MIMECAST_DEEDS, by_words=True), "auditType"),
    ("message", mapped.take_message, "eventInfo"),
    ("session", mapped.take_session, "id"),
)

# --- other clouds, and services that keep accounts for others ---

OCI_DEEDS: Final = deeds.deeds(
    None,
    {
        "auth.login": "InteractiveLogin FederatedInteractiveLogin",
        "account.password_reset": "CreateOrResetUIPassword",
        "account.mfa_enable": "ActivateMfaTotpDevice CreateMfaTotpDevice",
        "account.mfa_disable": "DeleteMfaTotpDevice",
        "group.member_add": "AddUserToGroup",
        "group.member_remove": "RemoveUserFromGroup",
        "config.change": "UpdatePolicy CreatePolicy DeletePolicy",
    },
)
OCI: Final = make_own(
    "oci",  # Oracle Cloud Infrastructure's audit
    shape("eventType cloudEventsVersion data"),
    ("time", mapped.take_time, "eventTime"),
    ("actor", mapped.take_name, "data.identity.principalName data.identity.principalId"),
    ("source_ip", mapped.take_address, "data.identity.ipAddress"),
    ("action", readers.takes_deed(OCI_DEEDS, by_words=True, by_verb=True), "data.eventName"),
    ("outcome", readers.take_code, "data.response.status"),
    ("target", product_readers.take_changed_account, "data.resourceName"),
    ("target", None, "data.resourceName data.resourceId"),
    ("session", mapped.take_session, "eventID"),
)
WORK_OS_DEEDS: Final = {
    **{f"authentication.{kind}_{end}": ("auth.login", outcome)
       for kind in ("password", "sso", "oauth", "mfa", "magic_auth", "passkey", "email_verification")
       for end, outcome in (("succeeded", _SUCCESS), ("failed", _FAILURE))},
    "user.created": ("account.create", _SUCCESS),
    "user.updated": ("account.update", _SUCCESS),
    "user.deleted": ("account.delete", _SUCCESS),
    "password_reset.created": ("account.password_reset", None),
    "session.created": ("session.open", _SUCCESS),
    "session.revoked": ("session.close", _SUCCESS),
}  # fmt: skip
WORK_OS: Final = make_own(
    "work_os",
    shape("object event data created_at", only="id context"),
    ("time", mapped.take_time, "created_at"),
    ("action", readers.takes_deed(WORK_OS_DEEDS), "event"),
    ("actor", product_readers.take_subject_of_deed, "data.email data.user_id"),
    ("source_ip", mapped.take_address, "data.ip_address"),
    ("reason", mapped.take_reason, "data.error.message data.error.code"),
    ("session", mapped.take_session, "id"),
)
GO_TRUE_DEEDS: Final = {
    "login": "auth.login", "logout": "auth.logout", "user_signedup": "account.create",
    "user_invited": "account.create", "user_deleted": "account.delete", "user_modified": "account.update",
    "user_recovery_requested": "account.password_reset", "user_updated_password": "account.password_change",
    "mfa_code_login": "auth.login", "factor_deleted": "account.mfa_disable", "factor_unenrolled": "account.mfa_disable",
    "verification_attempted": None, "token_refreshed": None, "token_revoked": None,
}  # fmt: skip


def _open_go_true(fields: dict[str, Any]) -> dict[str, Any] | None:
    """Write an entry with its payload as one object: it notes what was done, and of a sign-up who that was."""
    payload = open_envelope(fields.get("payload"))
    if payload is None or type(payload.get("action")) is not str:
        return None
    return {
        "@timestamp": fields.get("created_at"), "ip": fields.get("ip_address"),
        "actor": payload.get("actor_username") or payload.get("actor_id"),
        "action": GO_TRUE_DEEDS.get(payload["action"]), "success": payload["action"] in GO_TRUE_DEEDS or None,
    }  # fmt: skip


GO_TRUE: Final = make_vocabulary(
    "go_true", shape("payload instance_id ip_address"), rewrite=_open_go_true  # Supabase's auth.audit_log_entries
)
TWINGATE_DEEDS: Final = {
    "established_connection": ("net.connect", _SUCCESS),
    "failed_to_connect": ("net.connect", _FAILURE),
    "closed_connection": ("net.close", _SUCCESS),
}
TWINGATE: Final = make_own(
    "twingate",  # what its connectors say of connections
    lambda names: {"eventtype", "event.connection", "event.user"} <= names,
    ("time", mapped.take_time, "event.time"),
    ("actor", mapped.take_name, "event.user.email event.user.id"),
    ("source_ip", mapped.take_address, "event.connection.client_ip"),
    ("action", readers.takes_deed(TWINGATE_DEEDS), "event_type"),
    ("target", mapped.takes_typed("address"), "event.connection.resource_ip"),
    ("session", mapped.take_session, "event.connection.id"),
)
TRUENAS_DEEDS: Final = {
    "authentication": ("auth.login", None),
    "logout": ("auth.logout", None),
    "connect": ("session.open", None),
    "disconnect": ("session.close", None),
    "unlink": ("file.delete", None),
    "rename": ("file.rename", None),
}
TRUENAS: Final = make_own(
    "truenas",  # what its audit log writes behind @cee: of middleware, SMB and sudo
    shape("tnaudit"),
    ("time", mapped.take_time, "tnaudit.time"),
    ("actor", mapped.take_name, "tnaudit.user"),
    ("source_ip", mapped.take_address, "tnaudit.addr"),
    ("action", readers.takes_deed(TRUENAS_DEEDS), "tnaudit.event"),
    ("outcome", mapped.take_outcome, "tnaudit.success"),
    ("session", mapped.take_session, "tnaudit.sess"),
)

SERVICE_VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    COUCHBASE, MYSQL_ACTIVITY, CLOUDFLARE_ACCESS, COWRIE, CLOUD_EVENTS, BOUNDARY, CONFLUENT, SPRING, AUTHELIA,
    GRAFANA_LOG, ARGOCD, OPENCANARY, SQL_SERVER, CYBERARK, TERRAFORM, OWASP, HUBBLE, TETRAGON,
    FORGEROCK, CLOUDFLARE_GATEWAY, KUBERNETES_DOCUMENT, AUDITBEAT, PING_FEDERATE, ORY, FUSION_AUTH, ZITADEL, HARBOR,
    RACK_ATTACK, ORACLE, COCKROACH, MIMECAST, OCI, WORK_OS, GO_TRUE, TWINGATE,
    TRUENAS,
)  # fmt: skip
