"""The audit logs of products that a team runs itself: how they name who, what, on what, from where, with what outcome.

One vocabulary a product, recognised by the names at its top level, which no other has (those of services that others
run are in `clouds.py`). What their deeds are called is in `deeds.py`. A name with dots goes into inner
objects; from the third part on it is spelled as the product does. Knows no values.
"""

from __future__ import annotations

from typing import Final

from receiver.normalize.objects import mapped, otel, product_readers, readers
from receiver.normalize.vocabularies import deeds
from receiver.normalize.vocabularies.vocabulary import Vocabulary, either, make_own, make_vocabulary, shape

_TIME: Final = mapped.take_time
_NAME: Final = mapped.take_name
_IP: Final = mapped.take_address
_PORT: Final = mapped.take_port
_ACCOUNT: Final = mapped.takes_typed("account")


def _sudo(name: str) -> list[str]:
    """Name a field of sudo's records."""
    return [f"{around}{kind}.{name}" for around in ("sudo.", "") for kind in ("accept", "reject", "alert")]


# --- containers and infrastructure ---

_FORBIDDEN: Final = readers.takes_outcome("", "forbid")
KUBERNETES: Final = make_own(
    "kubernetes",  # audit.k8s.io/v1 Event; the first of sourceIPs is the original client
    either(
        shape("auditID verb user requestURI"),
        shape("auditID verb user objectRef"),
        shape("verb user requestURI objectRef sourceIPs"),
    ),
    ("time", _TIME, "requestReceivedTimestamp stageTimestamp"),
    ("actor", product_readers.take_openshift_login, "annotations"),
    ("actor", _NAME, "userLoginName user.username user.name"),
    ("actor_as", None, "impersonatedUser.username"),
    ("source_ip", readers.take_first_address, "sourceIPs"),
    ("type", mapped.takes_type("object"), "objectRef.resource"),
    ("target", mapped.takes_target("object"), "objectRef.name"),
    ("action", product_readers.take_rancher_login, "requestURI"),
    ("target", None, "requestURI"),
    ("action", readers.takes_deed(deeds.KUBERNETES_STREAMS), "objectRef.subresource"),
    ("action", readers.take_api_verb, "verb"),
    ("request", readers.take_method, "verb"),  # Rancher's before 2.6
    ("outcome", readers.take_code, "responseStatus.code responseStatus"),
    ("outcome", readers.takes_outcome("success", "failure"), "responseStatus.status"),
    ("outcome", readers.takes_claim(_FORBIDDEN, "authorization.k8s.io/decision"), "annotations"),
    ("type", readers.takes_within(_FORBIDDEN, "authorization.k8s.io/decision"), "annotations"),
    ("reason", mapped.take_reason, "responseStatus.reason responseStatus.message"),
    ("session", mapped.take_session, "auditID"),
)
RANCHER: Final = make_own(
    "rancher",
    shape("auditID requestURI user method"),
    ("time", _TIME, "requestTimestamp stageTimestamp"),
    ("action", product_readers.take_rancher_login, "requestURI"),
    ("type", product_readers.see_rancher_type, "requestURI"),
    ("actor", product_readers.take_only_name, "userLoginName user.extra.username"),
    ("actor", product_readers.take_rancher_name, "user.name user.username"),
    ("source_ip", readers.take_first_address, "sourceIPs"),
    ("source_ip", _IP, "remoteAddr"),
    ("source_ip", product_readers.take_forwarded_for, "requestHeader.X-Forwarded-For"),
    ("action", readers.takes_typed_deed(deeds.RANCHER), "method"),
    ("target", product_readers.take_rancher_account, "requestBody.username"),
    ("target", None, "requestURI"),
    ("action", readers.take_method, "method"),
    ("outcome", readers.take_code, "responseCode responseStatus"),
    ("session", mapped.take_session, "auditID"),
)
VAULT: Final = make_own(
    "vault",  # HashiCorp Vault and OpenBao: audit device entries of type request and response
    either(
        shape("type request auth time"),
        shape("type request time", only="error response forwarded_from auth namespace", any_of="error response auth"),
    ),
    ("time", _TIME, "time"),
    ("actor", _NAME, "auth.metadata.username response.auth.metadata.username"),  # display_name has the door before it
    ("actor", _NAME, "auth.display_name response.auth.display_name auth.entity_id"),
    ("source_ip", _IP, "request.remote_address"),
    ("source_port", _PORT, "request.remote_port"),
    ("target", readers.take_vault_path, "request.path"),
    ("actor", product_readers.take_vault_login, "request.path"),
    ("type", product_readers.take_vault_account, "request"),
    ("request", product_readers.take_vault_audit, "request"),
    ("action", readers.take_vault_operation, "request.operation"),
    ("outcome", readers.take_error, "error"),
    ("outcome", readers.success_if("response"), "type"),
    ("session", mapped.take_session, "request.id"),
)
CONSUL: Final = make_own(
    "consul",  # HashiCorp Consul's and Nomad's audit events (eventlogger)
    shape("created_at event_type payload"),
    ("time", _TIME, "created_at payload.timestamp"),
    ("actor", _NAME, "payload.auth.name payload.auth.user_info.id payload.auth.accessor_id payload.auth.description"),
    ("source_ip", _IP, """
        payload.request.remote_addr payload.request.client_ip payload.request.request_meta.remote_address
    """),
    ("target", None, "payload.request.endpoint"),
    ("action", readers.takes_deed({}, by_words=True, by_verb=True), "payload.request.operation"),
    ("outcome", readers.take_code, "payload.response.status payload.response.status_code"),
    ("session", mapped.take_session, "payload.id"),
)
TELEPORT: Final = make_own(
    "teleport",
    shape("event code uid time"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "user identity.user reviewer"),
    ("actor_as", None, "login"),
    ("source_ip", _IP, "addr.remote client_ip identity.client_ip"),
    ("outcome", mapped.take_answer, "success"),
    ("outcome", readers.take_result_number, "exitCode"),
    ("outcome", readers.take_code, "response_code"),
    ("action", readers.takes_deed(deeds.TELEPORT, by_words=True), "event"),
    ("action", readers.takes_deed(deeds.TELEPORT_COPIES), "action"),
    ("outcome", product_readers.take_teleport_code, "code"),
    ("reason", mapped.take_reason, "error"),
    ("reason", mapped.take_reason, "message"),
    ("session", mapped.take_session, "sid"),
    ("target", _ACCOUNT, "target.user"),
    ("target", _ACCOUNT, "name"),
    ("target", mapped.takes_typed("database"), "db_service"),
    ("target", mapped.takes_typed("host"), "server_hostname server_id"),
)
MINIO: Final = make_own(
    "minio",
    shape("api requestID", any_of="remotehost accessKey deploymentid"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "parentUser accessKey requestClaims.accessKey"),
    ("source_ip", _IP, "remotehost"),
    ("type", mapped.takes_type("api"), "api.bucket"),
    ("action", readers.takes_deed(deeds.MINIO, by_verb=True), "api.name"),
    ("outcome", readers.take_code, "api.statusCode"),
    ("reason", mapped.take_reason, "error.message error"),
    ("target", mapped.takes_typed("bucket"), "api.bucket"),
    ("session", mapped.take_session, "requestID"),
)
CADF: Final = make_own(
    "cadf",  # OpenStack, after DMTF DSP0262
    shape("initiator action outcome target", any_of="typeURI eventTime observer eventType"),
    ("time", _TIME, "eventTime"),
    ("actor", _NAME, "initiator.name initiator.username initiator.user_name initiator.user_id initiator.id"),
    ("source_ip", _IP, "initiator.host.address initiator.addresses"),
    ("source_ip", readers.takes_within(_IP, "address", "agent.address"), "initiator.host"),
    ("action", product_readers.take_cadf_action, "action"),
    ("action", readers.take_last_verb, "event_type"),
    ("outcome", readers.takes_outcome("success", "failure"), "outcome"),
    ("reason", mapped.take_reason, "reason.reasonType reason.reasonCode"),
    ("target", None, "target.name target.id"),
    ("session", mapped.take_session, "id"),
)

# --- forges ---

GITLAB: Final = make_own(
    "gitlab",  # audit_json.log, and audit events as they are streamed
    either(shape("author_id entity_type", any_of="target_type details"), shape("author_id entity_id failed_login")),
    ("time", _TIME, "time created_at"),
    ("severity", mapped.take_severity, "severity"),
    ("actor", _NAME, "author_name details.author_name"),
    ("source_ip", _IP, "ip_address details.ip_address"),
    ("action", readers.takes_deed(deeds.GITLAB, by_words=True), "event_name details.event_name"),
    ("action", readers.takes_always("auth.login", "failure"), "failed_login details.failed_login"),
    ("action", readers.takes_always("auth.login", "success"), "with details.with"),
    ("action", readers.takes_deed(deeds.GITLAB_ADD), "add details.add"),
    ("action", readers.takes_deed(deeds.GITLAB_REMOVE), "remove details.remove"),
    ("action", readers.takes_deed(deeds.GITLAB_CHANGE), "change details.change"),
    ("action", readers.takes_deed(deeds.GITLAB_LOCKS), "event_type"),
    ("outcome", readers.success_of_deed, "event_name details.event_name"),
    ("type", mapped.takes_type("target"), "target_type details.target_type"),
    ("target", mapped.takes_target("target"), "target_details details.target_details target_id"),
    ("message", mapped.take_message, "custom_message details.custom_message"),
)
GITHUB: Final = make_own(
    "github",  # audit log events; `user` is whom it was done to
    either(
        shape("action actor", any_of="actor_ip document_id"),
        shape("action actor @timestamp", any_of="actor_id org_id operation_type business org repo"),
        shape("action actor created_at", any_of="org_id operation_type business"),
    ),
    ("time", _TIME, "@timestamp created_at"),
    ("actor", _NAME, "actor"),
    ("source_ip", _IP, "actor_ip ip ip_address source_ip client_ip"),
    ("action", readers.takes_deed(deeds.GITHUB, by_words=True), "action"),
    ("action", readers.takes_deed(deeds.GITHUB_OPERATIONS), "operation_type"),
    ("action", readers.take_last_verb, "event_type"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", _ACCOUNT, "user"),
    ("target", mapped.takes_typed("repository"), "repo repository"),
    ("session", mapped.take_session, "_document_id"),
)
GITHUB_WEBHOOK: Final = make_own(
    "github_webhook",  # what a webhook delivers; of what kind it is stands in a header, but some words say it
    shape("action sender", any_of="repository organization enterprise installation"),
    ("actor", _NAME, "sender.login"),
    ("action", readers.takes_deed({}, by_words=True), "action"),
    ("request", readers.take_last_verb, "action"),
    ("target", _ACCOUNT, "membership.user.login member.login"),
    ("target", mapped.takes_typed("repository"), "repository.full_name"),
)
GIT_PUSH: Final = make_own(
    "git_push",  # what a forge's webhook delivers of a push
    shape("ref before after pusher repository"),
    ("actor", _NAME, "sender.login sender.username pusher.login pusher.username pusher.name"),
    ("action", readers.takes_always("api.update", "success"), "after"),
    ("target", mapped.takes_typed("repository"), "repository.full_name"),
)
GITEA: Final = make_own(
    "gitea",  # audit events of Gitea and Forgejo
    either(
        shape("action actor scope target", any_of="ip_address time message"),
        shape("action doer scope target", any_of="ip_address time message"),
    ),
    ("time", _TIME, "time timestamp"),
    ("actor", _NAME, "doer.friendly_name doer.display_name doer.name"),
    ("actor", _NAME, "actor.friendly_name actor.display_name actor.name"),
    ("source_ip", _IP, "ip_address"),
    ("action", readers.takes_deed(deeds.GITEA, by_words=True), "action"),
    ("action", readers.take_last_verb, "operation"),
    ("type", mapped.takes_type("target"), "target.type"),
    ("target", mapped.takes_target("target"), "target.friendly_name target.display_name target.name target.id"),
    ("message", mapped.take_message, "message"),
)

# --- who may come in ---

KEYCLOAK: Final = make_own(
    "keycloak",
    shape("type realmId ipAddress"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "details.impersonator details.username username"),
    ("actor", _NAME, "userId"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_deed(deeds.KEYCLOAK), "type"),
    ("actor_as", product_readers.take_impersonated, "details.username userId"),
    ("outcome", product_readers.take_keycloak_end, "type"),
    ("reason", mapped.take_reason, "error"),
    ("session", mapped.take_session, "sessionId details.code_id"),
)
KEYCLOAK_ADMIN: Final = make_own(
    "keycloak_admin",
    shape("operationType resourceType authDetails"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "authDetails.username authDetails.userId"),
    ("source_ip", _IP, "authDetails.ipAddress"),
    ("type", mapped.takes_type("resource"), "resourceType"),
    ("type", product_readers.take_keycloak_path, "resourcePath"),
    ("action", readers.takes_typed_deed(deeds.KEYCLOAK_ADMIN, by_verb=True), "operationType"),
    ("outcome", readers.take_error, "error"),
    ("outcome", readers.otherwise_success, "operationType"),
    ("target", product_readers.take_keycloak_account, "representation"),
    ("target", None, "resourcePath"),
)
AUTHENTIK: Final = make_own(
    "authentik",
    either(shape("action client_ip app context user"), shape("action client_ip context user event logger")),
    ("time", _TIME, "created timestamp"),
    ("actor", _NAME, "user.username user.email"),
    ("actor", _NAME, "context.username context.authorized_application.name"),
    ("source_ip", _IP, "client_ip"),
    ("action", readers.takes_deed(deeds.AUTHENTIK, by_words=True), "action"),
    ("type", mapped.takes_type("context"), "context.model.model_name"),
    ("target", mapped.takes_target("context"), "context.model.name"),
    ("request", readers.takes_typed_deed(deeds.AUTHENTIK_MODELS, prefix="model_"), "action"),
    ("action", readers.takes_typed_deed({}, by_verb=True, prefix="model_"), "action_type"),
    ("session", mapped.take_session, "pk"),
)
NEXTCLOUD: Final = make_own(
    "nextcloud",  # audit.log and nextcloud.log; level 0 to 4 is its own; in the text others' words stand at the end
    shape("reqId remoteAddr app message"),
    ("time", _TIME, "time"),
    ("app", None, "app"),
    ("actor", _NAME, "user"),
    ("source_ip", _IP, "remoteAddr"),
    ("message", mapped.take_message, "message"),
    ("action", product_readers.take_nextcloud, "message"),
    ("action", readers.takes_deed(deeds.OWNCLOUD), "action"),  # ownCloud 10's
    ("target", _ACCOUNT, "targetUser"),
    ("actor", product_readers.take_nextcloud_name, "message"),
    ("session", mapped.take_session, "reqId"),
)
MATTERMOST: Final = make_own(
    "mattermost",
    shape("event_name status actor meta event"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "actor.username actor.user_id"),
    ("source_ip", _IP, "actor.ip_address"),
    ("action", readers.takes_deed(deeds.MATTERMOST, by_words=True), "event_name"),
    ("actor", product_readers.take_subject_of_login, "event.parameters.login_id"),
    ("outcome", readers.takes_outcome("success", "fail"), "status"),
    ("reason", mapped.take_reason, "error.description error.message error"),
    ("session", mapped.take_session, "actor.session_id"),
)
GRAFANA: Final = make_own(
    "grafana",
    either(
        shape("action user result requestUri", any_of="ipAddress grafanaVersion"),
        shape("action user result grafanaVersion"),
    ),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "user.name user.login user.userId"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_deed(deeds.GRAFANA, by_words=True), "action"),
    ("type", mapped.takes_type("resource"), "resources"),
    ("action", readers.take_last_verb, "action_name"),
    ("outcome", readers.takes_outcome("success", "failure"), "result.statusType"),
    ("outcome", readers.take_code, "result.statusCode"),
    ("reason", mapped.take_reason, "result.failureMessage"),
    ("target", None, "requestUri"),
)

# --- databases ---

MONGODB_AUDIT: Final = make_own(
    "mongodb_audit",
    shape("atype ts result"),
    ("time", _TIME, "ts.$date"),
    ("actor", readers.takes_only("user", "actor"), "users"),
    ("source_ip", _IP, "remote.ip"),
    ("source_port", _PORT, "remote.port"),
    ("action", readers.takes_deed(deeds.MONGODB), "atype"),
    ("action", readers.takes_deed(deeds.MONGODB_COMMANDS), "param.command"),
    ("outcome", readers.take_result_number, "result"),
    ("actor", product_readers.take_login_name, "param.user"),
    ("target", product_readers.take_changed_account, "param.user"),
    ("target", mapped.takes_typed("collection"), "param.ns"),
)
MONGODB_LOG: Final = make_own(
    "mongodb_log",  # structured logging since 4.4
    shape("t s c id ctx msg"),
    ("time", _TIME, "t.$date"),
    ("message", mapped.take_message, "msg"),
    ("actor", _NAME, "attr.principalName attr.user attr.user.user"),
    ("source_ip", _IP, "attr.remote attr.client"),
    ("action", readers.takes_deed(deeds.MONGODB_LOG), "msg attr.msg"),
    ("reason", mapped.take_reason, "attr.error attr.result"),
)
POSTGRESQL: Final = make_own(
    "postgresql",  # log_destination = jsonlog
    shape("error_severity message", any_of="backend_type session_id dbname"),
    ("time", _TIME, "timestamp"),
    ("pid", mapped.take_pid, "pid"),
    ("actor", _NAME, "user"),
    ("source_ip", _IP, "remote_host"),
    ("source_port", _PORT, "remote_port"),
    ("action", readers.takes_deed(deeds.POSTGRESQL_STATES), "state_code"),
    ("action", product_readers.take_postgresql, "message"),
    ("outcome", readers.takes_outcome("", "error fatal panic"), "error_severity"),
    ("reason", mapped.take_reason, "message"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "session_id"),
)
MYSQL: Final = make_own(
    "mysql",  # the audit plugin's JSON
    shape("class event connection_id", any_of="account login connection_data general_data table_access_data"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "account.user login.user"),
    ("source_ip", _IP, "login.ip"),
    ("type", mapped.takes_type("class"), "class"),
    ("action", readers.takes_typed_deed(deeds.MYSQL), "event"),
    ("action", readers.takes_deed(deeds.PERCONA_COMMANDS), "general_data.sql_command"),
    ("outcome", readers.take_result_number, "connection_data.status general_data.status"),
    ("target", mapped.takes_typed("table"), "table_access_data.table"),
    ("session", mapped.take_session, "connection_id"),
)
PERCONA: Final = make_own(
    "percona",  # audit_log of Percona Server and its kin
    shape("name record connection_id status"),
    ("time", _TIME, "timestamp"),
    ("actor", readers.take_user_at_host, "user"),
    ("source_ip", _IP, "ip"),
    ("action", readers.takes_deed(deeds.PERCONA), "name"),
    ("action", readers.takes_deed(deeds.PERCONA_COMMANDS), "command_class"),
    ("outcome", readers.take_result_number, "status"),
    ("session", mapped.take_session, "connection_id"),
)
MARIADB: Final = make_own(
    "mariadb",  # server_audit's entries as fields
    shape("operation retcode", any_of="queryid connectionid"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "username user"),
    ("source_ip", _IP, "host"),
    ("outcome", readers.take_result_number, "retcode"),
    ("action", product_readers.take_statement, "object"),
    ("action", readers.takes_deed(deeds.MARIADB), "operation"),
    ("session", mapped.take_session, "connectionid"),
)
SUDO: Final = make_own(
    "sudo",  # log_format=json (lib/eventlog/eventlog.c), in syslog and in its own file
    either(*(shape(kind, only=kind) for kind in ("sudo", "accept", "reject", "alert"))),
    ("actor", _NAME, " ".join(_sudo("submituser"))),
    ("actor_as", None, " ".join(_sudo("runuser"))),
    ("target", mapped.takes_typed("command"), " ".join(_sudo("command"))),
    ("action", readers.takes_always("command.exec", "success"), "sudo.accept.submituser accept.submituser"),
    ("action", readers.takes_always("command.exec", "failure"), """
        sudo.reject.submituser reject.submituser sudo.alert.submituser alert.submituser
    """),
    ("reason", mapped.take_reason, " ".join(_sudo("reason"))),
    ("session", mapped.take_session, " ".join(_sudo("uuid"))),
)
DOCKER_EVENTS: Final = make_own(
    "docker_events",  # of the engine's API; its Actor is what it happened to
    shape("Type Action Actor", any_of="scope timeNano from"),
    ("time", _TIME, "timeNano time"),
    ("type", mapped.takes_type("type"), "Type"),
    ("action", product_readers.take_docker_action, "Action"),
    ("target", mapped.takes_target("type"), "Actor.Attributes.name Actor.ID"),
)
ELASTICSEARCH: Final = make_own(
    "elasticsearch",  # its security audit trail, dotted names and all
    either(
        shape("type event.action event.type", any_of="origin.address node.id node.name origin.type layer"),
        shape("timestamp event.action event.type request.id", any_of="put delete change invalidate create"),
    ),
    ("time", _TIME, "timestamp @timestamp"),
    ("actor", _NAME, "user.name"),
    ("actor_as", None, "user.run_as.name"),
    ("source_ip", _IP, "origin.address"),
    ("action", readers.takes_deed(deeds.ELASTICSEARCH), "event.action"),
    ("outcome", readers.takes_outcome("access_granted", "access_denied run_as_denied tampered_request"), """
        event.action
    """),
    ("type", product_readers.take_elastic_privilege, "action"),
    ("target", _ACCOUNT, """
        put.user.name change.password.user.name delete.user.name change.enable.user.name change.disable.user.name
    """),
    ("target", None, "url.path"),
    ("session", mapped.take_session, "request.id"),
)
OPENSEARCH: Final = make_own(
    "opensearch",
    shape("audit_category", any_of="audit_request_origin audit_node_name audit_format_version"),
    ("time", _TIME, "@timestamp"),
    ("actor", _NAME, "audit_request_initiating_user audit_request_effective_user"),
    ("source_ip", _IP, "audit_request_remote_address"),
    ("action", readers.takes_deed(deeds.OPENSEARCH), "audit_category"),
    ("outcome", readers.takes_outcome("granted_privileges", """
        missing_privileges bad_headers ssl_exception opendistro_security_index_attempt
        opensearch_security_index_attempt
    """), "audit_category"),
    ("type", product_readers.take_elastic_privilege, "audit_request_privilege"),
    ("target", None, "audit_rest_request_path"),
)

# --- hosts ---

WINDOWS: Final = make_own(
    "windows",  # Security events of NXLog, Winlogbeat, Snare, Fluent Bit, Wazuh; the subject acts, but for logins
    either(
        shape("winlog"),
        shape("EventID", any_of="""
            Channel SourceName EventLog LogName Provider ProviderGuid EventRecordID SubjectUserName TargetUserName
        """),
        shape("System EventData"),
        shape("win", only="win"),
    ),
    ("time", _TIME, "@timestamp EventTime TimeCreated System.TimeCreated"),
    ("host", None, "winlog.computer_name Hostname Computer System.Computer win.system.computer"),
    ("type", product_readers.see_windows_channel, """
        winlog.channel winlog.provider_name Channel SourceName System.Channel System.Provider.Name win.system.channel
        LogName Provider
    """),
    ("outcome", product_readers.take_windows_keywords, """
        EventType Keywords winlog.keywords System.Keywords win.system.severityValue
    """),
    ("action", product_readers.take_windows_deed, """
        EventID winlog.event_id event.code System.EventID System.EventID.#text win.system.eventID
    """),
    ("type", product_readers.take_windows_actor, """
        winlog.event_data.User EventData.User win.eventdata.user User winlog.user_data.User winlog.user_data.Param1
        EventXML.User UserData.EventXML.User UserData.EventXML.Param1
    """),
    ("source_ip", product_readers.take_windows_address, """
        winlog.event_data.SourceIp EventData.SourceIp win.eventdata.sourceIp SourceIp winlog.user_data.Address Address
        winlog.user_data.Param3 UserData.EventXML.Address UserData.EventXML.Param3
    """),
    ("source_port", product_readers.take_windows_port, """
        winlog.event_data.SourcePort EventData.SourcePort win.eventdata.sourcePort SourcePort
    """),
    ("target", product_readers.takes_windows_object("file"), """
        winlog.event_data.TargetFilename EventData.TargetFilename win.eventdata.targetFilename TargetFilename
    """),
    ("target", product_readers.takes_windows_object("registry"), """
        winlog.event_data.TargetObject EventData.TargetObject win.eventdata.targetObject TargetObject
    """),
    ("target", product_readers.takes_windows_object("address"), """
        winlog.event_data.DestinationIp EventData.DestinationIp win.eventdata.destinationIp DestinationIp
    """),
    ("target", product_readers.takes_windows_object("command"), """
        winlog.event_data.CommandLine EventData.CommandLine win.eventdata.commandLine CommandLine
        winlog.event_data.Image EventData.Image win.eventdata.image Image
    """),
    ("outcome", readers.takes_within(readers.takes_outcome("0x0 0", "*"), "Status"), """
        EventData winlog.event_data
    """),
    ("outcome", readers.takes_outcome("0x0", "*"), "Status win.eventdata.status"),
    ("outcome", mapped.take_outcome, "event.outcome"),
    ("action", mapped.take_action, "event.action"),
    ("type", mapped.see_categories, "event.category"),
    ("request", mapped.take_categories, "event.type"),
    ("actor", product_readers.take_windows_subject, """
        SubjectUserName winlog.event_data.SubjectUserName EventData.SubjectUserName winlog.user_data.SubjectUserName
        win.eventdata.subjectUserName
    """),
    ("request", product_readers.take_windows_comer, "user.name"),
    ("actor", product_readers.take_windows_target, """
        TargetUserName winlog.event_data.TargetUserName EventData.TargetUserName
        win.eventdata.targetUserName
    """),
    ("type", product_readers.take_windows_data, "EventData"),
    ("actor", product_readers.take_windows_account, "winlog.event_data.AccountName EventData.AccountName"),
    ("actor", product_readers.take_windows_user, "user.name AccountName User winlog.user.name"),
    ("target", product_readers.take_windows_member, "MemberName winlog.event_data.MemberName win.eventdata.memberName"),
    ("source_ip", _IP, """
        IpAddress winlog.event_data.IpAddress source.ip EventData.IpAddress
        win.eventdata.ipAddress
        winlog.event_data.ClientAddress EventData.ClientAddress ClientAddress
        winlog.event_data.SourceAddress EventData.SourceAddress SourceAddress
    """),
    ("source_port", _PORT, """
        IpPort winlog.event_data.IpPort source.port EventData.IpPort win.eventdata.ipPort
    """),
    ("message", mapped.take_message, "Message message"),
)  # fmt: skip
OSQUERY: Final = make_own(
    "osquery",  # results, differential and event tables; a snapshot of one row; Fleet's and Kolide's too
    either(
        shape("name hostIdentifier", any_of="columns snapshot diffResults"),
        shape("name columns action", any_of="calendarTime unixTime"),
    ),
    ("time", _TIME, "unixTime"),
    ("host", None, "hostIdentifier decorations.hostname"),
    ("action", product_readers.see_osquery_change, "action"),
    ("action", product_readers.take_osquery, "columns"),
    ("action", product_readers.take_osquery_snapshot, "snapshot"),
    ("action", product_readers.take_osquery_difference, "diffResults"),
)
SAMBA: Final = make_own(
    "samba",
    either(
        shape("timestamp type Authentication"),
        shape("timestamp type Authorization"),
        shape("timestamp type passwordChange"),
        shape("timestamp type dsdbChange"),
        shape("timestamp type groupChange"),
    ),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "Authentication.mappedAccount Authentication.clientAccount Authorization.account"),
    ("source_ip", readers.take_named_address, """
        Authentication.remoteAddress Authorization.remoteAddress passwordChange.remoteAddress dsdbChange.remoteAddress
        groupChange.remoteAddress
    """),
    ("action", readers.takes_deed(deeds.SAMBA), "Authentication.status"),
    ("action", readers.takes_always("session.open", "success"), "Authorization.sessionId"),
    ("action", readers.takes_deed(deeds.SAMBA_PASSWORD), "passwordChange.action"),
    ("action", readers.takes_deed(deeds.SAMBA_GROUP), "groupChange.action"),
    ("action", readers.takes_deed(deeds.SAMBA_DSDB), "dsdbChange.operation"),
    ("outcome", readers.takes_outcome("success"), "passwordChange.status dsdbChange.status groupChange.status"),
    ("outcome", readers.take_result_number, """
        passwordChange.statusCode dsdbChange.statusCode groupChange.statusCode
    """),
    ("reason", mapped.take_reason, "Authentication.status"),
    ("target", None, "passwordChange.dn dsdbChange.dn groupChange.user"),
    ("session", mapped.take_session, "Authentication.sessionId Authorization.sessionId"),
)
OTEL: Final = make_vocabulary(
    "otel",  # OpenTelemetry's log records: OTLP/JSON, and as its exporters flatten them
    either(
        shape("resourceLogs"),
        shape("scopeLogs resource"),
        shape("attributes", any_of="body severityText severityNumber observedTimestamp timeUnixNano trace_id"),
        shape("resource body", any_of="severityText severityNumber"),
        shape("LogAttributes"),
    ),
    rewrite=otel.flatten,
)

# --- what sees attacks ---

FALCO: Final = make_own(
    "falco",
    shape("rule output priority"),
    ("time", _TIME, "time"),
    ("host", None, "hostname"),
    ("severity", mapped.take_severity, "priority"),
    ("message", mapped.take_message, "output"),
    ("action", readers.take_alert, "rule"),
    ("reason", None, "rule"),
    ("actor", readers.takes_claim(_NAME, "user.name", "ka.user.name", "ct.user", "okta.actor.name", "github.user",
                                  "user.loginname"), "output_fields"),
    ("actor", _NAME, "output_fields.user.name output_fields.ka.user.name output_fields.ct.user"),
    ("source_ip", readers.takes_claim(_IP, "ct.srcip", "okta.client.ip", "fd.cip"), "output_fields"),
    ("source_ip", _IP, "output_fields.ct.srcip output_fields.fd.cip"),
)  # fmt: skip
SURICATA: Final = make_own(
    "suricata",  # EVE
    either(shape("event_type src_ip flow_id"), shape("event_type src_ip dest_ip proto")),
    ("time", _TIME, "timestamp"),
    ("host", None, "host"),
    ("source_ip", _IP, "src_ip"),
    ("source_port", _PORT, "src_port"),
    ("action", readers.take_alert, "alert"),
    ("action", readers.takes_deed(deeds.SURICATA), "event_type"),
    ("target", mapped.takes_typed("address"), "dest_ip"),
    ("reason", None, "alert.signature"),
    ("actor", _NAME, "http.http_user smb.ntlmssp.user ftp.user"),
    ("outcome", readers.take_code, "http.status"),
)
ZEEK: Final = make_own(
    "zeek",  # its logs as JSON; the kind of log is said by `_path` or by the names
    either(
        shape("ts uid id.orig_h"),
        shape("ts uid id", any_of="_path proto conn_state auth_success trans_depth query client username note"),
        shape("ts note msg", any_of="actions src peer_descr suppress_for"),
    ),
    ("time", _TIME, "ts"),
    ("source_ip", _IP, "id.orig_h src"),
    ("source_port", _PORT, "id.orig_p"),
    ("outcome", readers.takes_outcome("sf s1 s2 s3 rsto rstr", "s0 rej rstos0 rstrh"), "conn_state"),
    ("outcome", mapped.take_answer, "auth_success success"),
    ("outcome", mapped.take_outcome, "result"),
    ("action", readers.takes_always("auth.login"), """
        auth_success request_type server_nb_computer_name server_dns_computer_name domainname
    """),
    ("actor", _NAME, "username user"),
    ("actor", product_readers.take_zeek_client, "client"),
    ("action", readers.takes_deed(deeds.ZEEK_FTP), "command"),
    ("outcome", readers.takes_outcome("226 230 250", "530 550 553"), "reply_code"),
    ("request", mapped.see_method, "method"),
    ("request", mapped.see_path, "uri"),
    ("outcome", mapped.take_status, "status_code"),
    ("action", readers.takes_deed(deeds.ZEEK), "_path"),
    ("action", readers.takes_always("detect.alert"), "note"),
    ("action", readers.takes_always("net.connect"), "conn_state"),
    ("reason", mapped.take_reason, "error_msg"),
    ("reason", None, "note"),
    ("target", mapped.takes_typed("address"), "id.resp_h dst"),
    ("session", mapped.take_session, "uid"),
)
WAZUH: Final = make_own(
    "wazuh",  # an alert, and what the agent decoded of the line it is about
    shape("rule agent", any_of="manager decoder full_log location"),
    ("time", _TIME, "timestamp @timestamp"),
    ("host", None, "predecoder.hostname agent.name"),
    ("app", None, "predecoder.program_name"),
    ("message", mapped.take_message, "full_log"),
    ("action", readers.takes_deed(deeds.WINDOWS), "data.win.system.eventID"),
    ("action", readers.takes_deed({}, by_words=True, by_verb=True), "data.aws.eventName"),
    ("action", product_readers.take_wazuh_groups, "rule.groups"),
    ("actor", product_readers.take_windows_subject, "data.win.eventdata.subjectUserName"),
    ("actor", product_readers.take_windows_target, "data.win.eventdata.targetUserName"),
    ("actor", _NAME, "data.aws.userIdentity.userName data.office365.UserId data.github.actor"),
    ("actor", product_readers.take_wazuh_user, "data.srcuser"),
    ("actor", product_readers.take_wazuh_user, "data.dstuser"),
    ("actor", _NAME, "data.audit.auid data.user"),
    ("source_ip", _IP, """
        data.srcip data.src_ip data.aws.sourceIPAddress data.win.eventdata.ipAddress data.office365.ClientIP
        data.github.actor_ip
    """),
    ("source_port", _PORT, "data.srcport data.src_port data.win.eventdata.ipPort"),
    ("outcome", mapped.take_outcome, """
        data.status data.audit.success data.aws.responseElements.ConsoleLogin data.aws.responseElements.SwitchRole
    """),
    ("outcome", readers.take_failure, "data.aws.errorCode"),
    ("outcome", product_readers.take_wazuh_description, "rule.description"),
    ("target", mapped.takes_typed("file"), "syscheck.path"),
    ("reason", mapped.take_reason, "rule.description"),
    ("action", readers.take_alert, "rule"),
)  # fmt: skip
OCSF: Final = make_own(
    "ocsf",
    either(shape("class_uid activity_id"), shape("class_uid type_uid"), shape("class_uid metadata time")),
    ("time", _TIME, "time time_dt"),
    ("host", None, "device.hostname device.name"),
    ("action", readers.takes_deed(deeds.OCSF), "type_uid"),
    ("type", product_readers.see_ocsf_class, "class_uid"),
    ("action", product_readers.take_ocsf_activity, "activity_id"),
    ("actor", product_readers.take_ocsf_actor, "actor"),
    ("actor", product_readers.take_ocsf_user, "user"),
    ("type", product_readers.take_ocsf_late_actor, "actor"),
    ("target", mapped.takes_typed("group"), "group.name"),
    ("source_ip", _IP, "src_endpoint.ip"),
    ("source_port", _PORT, "src_endpoint.port"),
    ("outcome", readers.takes_outcome("1", "2"), "status_id"),
    ("outcome", mapped.take_outcome, "status"),
    ("outcome", readers.take_code, "http_response.code"),
    ("reason", mapped.take_reason, "status_detail api.response.error"),
    ("target", mapped.takes_typed("file"), "file.path file.name"),
    ("target", None, "api.operation"),
    ("message", mapped.take_message, "message"),
    ("session", mapped.take_session, "session.uid actor.session.uid"),
)

AUDIT_VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    KUBERNETES, RANCHER, VAULT, TELEPORT, OCSF, GITLAB, KEYCLOAK, KEYCLOAK_ADMIN, NEXTCLOUD, MONGODB_AUDIT,
    MONGODB_LOG, POSTGRESQL, MYSQL, PERCONA, MARIADB, SUDO, DOCKER_EVENTS, ELASTICSEARCH, OPENSEARCH, WINDOWS,
    OSQUERY, SAMBA, WAZUH, FALCO, SURICATA, ZEEK, MINIO, CADF, GITEA, GITHUB, GITHUB_WEBHOOK, GIT_PUSH, AUTHENTIK,
    MATTERMOST, GRAFANA, CONSUL, OTEL,
)  # fmt: skip
