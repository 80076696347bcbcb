"""The audit logs of products that need few rows: services for teams, clouds, doors to networks, query engines.

One vocabulary a product, recognised by the names at its top level, with its own words for deeds beside it. Knows no
values.
"""

from __future__ import annotations

from typing import Final

from receiver.event import Outcome
from receiver.normalize.objects import mapped, product_readers, readers
from receiver.normalize.vocabularies.vocabulary import Vocabulary, either, make_own, shape

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)
_TIME: Final = mapped.take_time
_NAME: Final = mapped.take_name
_IP: Final = mapped.take_address

# --- services for teams ---

ASANA_DEEDS: Final = {
    "user_login_succeeded": ("auth.login", _SUCCESS),
    "user_login_failed": ("auth.login", _FAILURE),
    "user_logged_out": ("auth.logout", _SUCCESS),
    "user_invited": ("account.create", _SUCCESS),
    "user_reprovisioned": ("account.enable", _SUCCESS),
    "user_deprovisioned": ("account.disable", _SUCCESS),
    "user_removed_from_organization": ("account.delete", _SUCCESS),
    "user_email_updated": ("account.update", _SUCCESS),
    "user_password_changed": ("account.password_change", _SUCCESS),
    "user_password_reset": ("account.password_reset", _SUCCESS),
    "user_two_factor_auth_enabled": ("account.mfa_enable", _SUCCESS),
    "user_two_factor_auth_disabled": ("account.mfa_disable", _SUCCESS),
    "user_workspace_admin_role_changed": ("role.assign", _SUCCESS),
    "user_division_admin_role_changed": ("role.assign", _SUCCESS),
    "team_member_added": ("group.member_add", _SUCCESS),
    "team_member_removed": ("group.member_remove", _SUCCESS),
}
ASANA: Final = make_own(
    "asana",
    shape("gid event_type event_category actor"),
    ("time", _TIME, "created_at"),
    ("actor", _NAME, "actor.name actor.email actor.gid"),
    ("source_ip", _IP, "context.client_ip_address"),
    ("action", readers.takes_deed(ASANA_DEEDS, by_words=True), "event_type"),
    ("type", mapped.takes_type("resource"), "resource.resource_type"),
    ("target", mapped.takes_target("resource"), "resource.email resource.name resource.gid"),
    ("session", mapped.take_session, "gid"),
)
AZURE_DEVOPS_DEEDS: Final = {
    "group.creategroups": ("group.create", None),
    "group.updategroupmembership.add": ("group.member_add", None),
    "group.updategroupmembership.remove": ("group.member_remove", None),
    "security.modifypermission": ("privilege.grant", None),
    "security.modifyaccesscontrollists": ("privilege.grant", None),
    "security.removepermission": ("privilege.revoke", None),
    "security.removeaccesscontrollists": ("privilege.revoke", None),
    "auditlog.accesslog": ("log.query", None),
    "auditlog.downloadlog": ("log.export", None),
    "token.patrevokeevent": ("api.delete", None),
    "token.patcreateevent": ("api.create", None),
    "token.patupdateevent": ("api.update", None),
    "pipelines.runretained": ("api.update", None),
}
AZURE_DEVOPS: Final = make_own(
    "azure_devops",
    shape("actionId actorUPN", any_of="area category details scopeType"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "actorUPN actorDisplayName actorUserId"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_deed(AZURE_DEVOPS_DEEDS), "actionId"),
    ("request", readers.take_last_verb, "actionId"),
    ("action", readers.take_last_verb, "category"),
    ("message", mapped.take_message, "details"),
    ("session", mapped.take_session, "id"),
)
NEW_RELIC: Final = make_own(
    "new_relic",  # NrAuditEvent
    shape("actionIdentifier actorType", any_of="actorEmail actorId scopeType"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "actorEmail actorId"),
    ("source_ip", _IP, "actorIpAddress"),
    ("action", readers.takes_deed({}, by_words=True), "actionIdentifier"),
    ("request", readers.take_last_verb, "actionIdentifier"),
    ("type", mapped.takes_type("target"), "targetType"),
    ("target", mapped.takes_target("target"), "targetId"),
    ("message", mapped.take_message, "description"),
    ("session", mapped.take_session, "id"),
)
SUMO_LOGIC: Final = make_own(
    "sumo_logic",
    shape("operator eventName subsystem"),
    ("time", _TIME, "eventTime"),
    ("actor", _NAME, "operator.email operator.id"),
    ("source_ip", _IP, "operator.sourceIp"),
    ("action", readers.takes_deed({}, by_words=True), "eventName"),
    ("request", readers.take_last_verb, "eventName"),
    ("outcome", readers.takes_outcome("success", "failure"), "status"),
    ("reason", mapped.take_reason, "errorMessage"),
    ("type", mapped.takes_type("resource"), "resourceIdentity.type"),
    ("target", mapped.takes_target("resource"), "resourceIdentity.name resourceIdentity.id"),
    ("session", mapped.take_session, "eventId"),
)
TENABLE_DEEDS: Final = {
    "user.authenticate.password": ("auth.login", None),
    "user.authenticate.api": ("auth.login", None),
    "user.authenticate.mfa": ("auth.login", None),
    "user.authenticate.saml": ("auth.login", None),
    "user.login": ("auth.login", None),
    "user.logout": ("auth.logout", None),
    "user.impersonation.start": ("auth.switch", None),
    "session.create": ("session.open", None),
    "session.delete": ("session.close", None),
}
TENABLE: Final = make_own(
    "tenable",
    shape("action crud is_failure actor"),
    ("time", _TIME, "received"),
    ("actor", _NAME, "actor.name actor.id"),
    ("source_ip", readers.takes_pair(_IP, "X-Forwarded-For", key="key"), "fields"),
    ("action", readers.takes_deed(TENABLE_DEEDS, by_words=True), "action"),
    ("action", readers.takes_deed({word: (f"api.{verb}", None) for word, verb in (
        ("c", "create"), ("r", "read"), ("u", "update"), ("d", "delete"))}), "crud"),
    ("outcome", readers.takes_truth(_FAILURE, _SUCCESS), "is_failure"),
    ("type", mapped.takes_type("target"), "target.type"),
    ("target", mapped.takes_target("target"), "target.name target.id"),
    ("session", mapped.take_session, "id"),
)  # fmt: skip
TREND_MICRO: Final = make_own(
    "trend_micro",  # Vision One's audit logs
    shape("loggedDateTime loggedUser"),
    ("time", _TIME, "loggedDateTime"),
    ("actor", _NAME, "loggedUser"),
    ("action", readers.takes_deed({}, by_words=True), "activity"),
    ("outcome", mapped.take_outcome, "result"),
)
HUBSPOT: Final = make_own(
    "hubspot",  # login activity
    shape("loginAt email ipAddress"),
    ("time", _TIME, "loginAt"),
    ("actor", _NAME, "email userId"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_always("auth.login"), "loginAt"),
    ("outcome", mapped.take_answer, "loginSucceeded"),
    ("session", mapped.take_session, "id"),
)
LAUNCH_DARKLY: Final = make_own(
    "launch_darkly",
    shape("accesses member titleVerb"),
    ("time", _TIME, "date"),
    ("actor", _NAME, "member.email member._id"),
    ("action", readers.takes_within(readers.take_last_verb, "action"), "accesses"),
    ("type", mapped.takes_type("target"), "kind"),
    ("target", mapped.takes_target("target"), "name"),
    ("message", mapped.take_message, "title"),
    ("session", mapped.take_session, "_id"),
)
DYNATRACE_DEEDS: Final = {
    "new user created": ("account.create", None),
    "user added to group": ("group.member_add", None),
    "user removed from group": ("group.member_remove", None),
}
DYNATRACE: Final = make_own(
    "dynatrace",  # audit records in its logs, and its own audit events
    either(shape("audit.action audit.identity"), shape("event.kind event.provider origin.address", none_of="ecs")),
    ("time", _TIME, "audit.time timestamp"),
    ("actor", _NAME, "audit.identity user.name user.id"),
    ("source_ip", _IP, "origin.address"),
    ("action", readers.takes_deed(DYNATRACE_DEEDS, by_words=True), "audit.action event.type"),
    ("outcome", mapped.take_outcome, "audit.result event.outcome"),
)

# --- clouds ---

HUAWEI: Final = make_own(
    "huawei",  # Cloud Trace Service
    shape("trace_name trace_rating"),
    ("time", _TIME, "time record_time"),
    ("actor", _NAME, "user.name user.user_name user.id"),
    ("actor", readers.takes_json(_NAME, "name", "user_name", "id"), "user"),
    ("source_ip", _IP, "source_ip"),
    ("action", readers.takes_deed({}, by_words=True, by_verb=True), "trace_name"),
    ("outcome", readers.takes_outcome("normal", "warning incident"), "trace_rating"),
    ("type", mapped.takes_type("resource"), "resource_type"),
    ("target", mapped.takes_target("resource"), "resource_name resource_id"),
    ("session", mapped.take_session, "trace_id"),
)
_YANDEX_IAM: Final = "yandex.cloud.audit.iam."
_YANDEX_ORGANIZATION: Final = "yandex.cloud.audit.organizationmanager."
YANDEX_DEEDS: Final = {
    f"{service}{name}".lower(): (action, None)
    for service, name, action in (
        (_YANDEX_IAM, "CreateServiceAccount", "account.create"),
        (_YANDEX_IAM, "UpdateServiceAccount", "account.update"),
        (_YANDEX_IAM, "DeleteServiceAccount", "account.delete"),
        (_YANDEX_ORGANIZATION, "CreateMembership", "account.create"),
        (_YANDEX_ORGANIZATION, "DeleteMembership", "account.delete"),
        (_YANDEX_ORGANIZATION, "CreateGroup", "group.create"),
        (_YANDEX_ORGANIZATION, "DeleteGroup", "group.delete"),
        (f"{_YANDEX_ORGANIZATION}saml.", "AddFederatedUserAccounts", "account.create"),
        (f"{_YANDEX_ORGANIZATION}saml.", "DeleteFederatedUserAccounts", "account.delete"),
        ("yandex.cloud.audit.oslogin.", "CheckSshPolicy", "auth.login"),
    )
}
_ENDED: Final = readers.takes_outcome("done success", "error failed cancelled")
YANDEX: Final = make_own(
    "yandex",  # Audit Trails
    shape("event_type event_source authentication request_metadata"),
    ("time", _TIME, "event_time"),
    ("actor", _NAME, "authentication.subject_name authentication.subject_id"),
    ("source_ip", _IP, "request_metadata.remote_address"),
    ("action", readers.takes_deed(YANDEX_DEEDS, by_verb=True), "event_type"),
    ("outcome", _ENDED, "event_status"),
    ("reason", mapped.take_reason, "error.message"),
    ("session", mapped.take_session, "event_id"),
)
NEBIUS: Final = make_own(
    "nebius",
    shape("authentication authorization service action event_version"),
    ("time", _TIME, "time"),
    ("actor", _NAME, """
        authentication.subject.name authentication.subject.tenant_user_id authentication.subject.service_account_id
    """),
    ("source_ip", _IP, "request.remote_address request.remote_ip request.ip request.source_ip"),
    ("action", readers.take_last_verb, "action"),
    ("outcome", _ENDED, "status"),
    ("type", mapped.takes_type("resource"), "resource.metadata.type"),
    ("target", mapped.takes_target("resource"), "resource.metadata.name resource.metadata.id"),
    ("session", mapped.take_session, "id"),
)  # fmt: skip

# --- doors and guards ---

ZPA_DEEDS: Final = {
    "sign in": ("auth.login", _SUCCESS),
    "sign in failure": ("auth.login", _FAILURE),
    "sign out": ("auth.logout", _SUCCESS),
    "client session revoked": ("session.close", _SUCCESS),
}
ZPA: Final = make_own(
    "zpa",  # Zscaler Private Access: who administers it
    shape("AuditOperationType ObjectType User"),
    ("time", _TIME, "ModifiedTime CreationTime"),
    ("actor", _NAME, "User"),
    ("type", mapped.takes_type("object"), "ObjectType"),
    ("action", readers.takes_deed(ZPA_DEEDS, by_words=True), "AuditOperationType"),
    ("request", readers.take_last_verb, "AuditOperationType"),
    ("target", mapped.takes_target("object"), "ObjectName ObjectID"),
    ("session", mapped.take_session, "SessionID"),
)
ZPA_USER_DEEDS: Final = {
    "zpn_status_authenticated": ("auth.login", _SUCCESS),
    "zpn_status_auth_failed": ("auth.login", _FAILURE),
    "zpn_status_disconnected": ("session.close", _SUCCESS),
}
ZPA_USER: Final = make_own(
    "zpa_user",  # and who comes in by it
    shape("SessionStatus Username PublicIP"),
    ("time", _TIME, "LogTimestamp TimestampAuthentication"),
    ("host", None, "Hostname"),
    ("actor", _NAME, "Username"),
    ("source_ip", _IP, "PublicIP"),
    ("action", readers.takes_deed(ZPA_USER_DEEDS), "SessionStatus"),
    ("session", mapped.take_session, "SessionID"),
)
CORTEX: Final = make_own(
    "cortex",  # Palo Alto's Cortex: who works with it
    either(shape("AUDIT_OWNER_EMAIL AUDIT_ENTITY"), shape("sub_type actor_primary_username")),
    ("time", _TIME, "AUDIT_INSERT_TIME timestamp"),
    ("actor", _NAME, "AUDIT_OWNER_EMAIL AUDIT_OWNER_NAME actor_email actor_primary_username"),
    ("source_ip", _IP, "ip ip_address"),
    ("action", readers.takes_deed({}, by_words=True), "AUDIT_ENTITY_SUBTYPE sub_type"),
    ("outcome", readers.takes_outcome("success", "fail partial"), "AUDIT_RESULT result"),
    ("reason", mapped.take_reason, "AUDIT_REASON reason"),
    ("message", mapped.take_message, "AUDIT_DESCRIPTION description"),
)
STACKROX: Final = make_own(
    "stackrox",  # Red Hat Advanced Cluster Security
    shape("interaction status user request"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "user.username user.friendlyName"),
    ("source_ip", _IP, "request.sourceIp"),
    ("action", readers.take_last_verb, "interaction"),
    ("outcome", readers.takes_outcome("request_succeeded", "request_failed auth_failed"), "status"),
    ("target", None, "request.endpoint"),
)
STORAGE_MANAGER: Final = make_own(
    "storage_manager",  # IBM Cloud Object Storage: manager_authentication.log
    shape("requestUri connectIp clientIp success failureCode"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "username"),
    ("source_ip", _IP, "clientIp"),
    ("action", readers.takes_always("auth.login"), "requestUri"),
    ("outcome", mapped.take_answer, "success"),
    ("reason", mapped.take_reason, "failureReason"),
    ("session", mapped.take_session, "requestId"),
)
FIREPOWER_DEEDS: Final = {
    "auditloginevent": ("auth.login", _SUCCESS),
    "auditlogoutevent": ("auth.logout", _SUCCESS),
}
FIREPOWER: Final = make_own(
    "firepower",  # Cisco's device manager, of its own API
    shape("sourceIp userName timeStamp type"),
    ("time", _TIME, "timeStamp"),
    ("actor", _NAME, "userName"),
    ("source_ip", _IP, "sourceIp"),
    ("action", readers.takes_deed(FIREPOWER_DEEDS), "type"),
    ("session", mapped.take_session, "id"),
)

# --- query engines ---

RANGER_DEEDS: Final = {
    **dict.fromkeys(("select", "query", "scan", "get", "list", "describe"), ("data.query", None)),
    **dict.fromkeys(("update", "insert", "create", "drop", "alter", "truncate", "put"), ("data.write", None)),
    "read": ("file.read", None),
    "write": ("file.update", None),
    "delete": ("file.delete", None),
}
RANGER: Final = make_own(
    "ranger",  # Apache Ranger: what its plugins let pass, or not
    shape("reqUser repoType", any_of="cliIP evtTime access result"),
    ("time", _TIME, "evtTime"),
    ("host", None, "agentHost"),
    ("actor", _NAME, "reqUser"),
    ("source_ip", _IP, "cliIP"),
    ("action", readers.takes_deed(RANGER_DEEDS), "action access"),
    ("outcome", readers.takes_outcome("1", "0"), "result"),
    ("reason", mapped.take_reason, "reason"),
    ("target", None, "resource"),
    ("session", mapped.take_session, "sess"),
)
TRINO: Final = make_own(
    "trino",  # and Presto: a query's end, as their event listeners write it
    lambda names: {"context.user", "metadata.query"} <= names,
    ("time", _TIME, "createTime endTime"),
    ("actor", _NAME, "context.user context.principal"),
    ("source_ip", _IP, "context.remoteClientAddress"),
    ("action", product_readers.take_statement, "metadata.query"),
    ("outcome", readers.takes_outcome("finished", "failed"), "metadata.queryState"),
    ("reason", mapped.take_reason, "failureInfo.failureMessage"),
    ("session", mapped.take_session, "metadata.queryId"),
)
NEO4J: Final = make_own(
    "neo4j",  # security.log in JSON
    shape("time level source message", only="""
        event type executingUser authenticatedUser database username driver id stacktrace
    """),
    ("time", _TIME, "time"),
    ("severity", mapped.take_severity, "level"),
    ("source_ip", product_readers.take_neo4j_client, "source"),
    ("action", product_readers.take_neo4j_text, "message"),
    ("message", mapped.take_message, "message"),
)  # fmt: skip
CASSANDRA_DEEDS: Final = {
    **dict.fromkeys(("login", "login_success"), ("auth.login", _SUCCESS)),
    "login_error": ("auth.login", _FAILURE),
    **dict.fromkeys(("create_role", "create_user"), ("account.create", None)),
    **dict.fromkeys(("drop_role", "drop_user"), ("account.delete", None)),
    **dict.fromkeys(("alter_role", "alter_user"), ("account.update", None)),
    "grant": ("privilege.grant", None),
    "revoke": ("privilege.revoke", None),
    "select": ("data.query", None),
    **dict.fromkeys(("insert", "update", "delete", "batch", "truncate"), ("data.write", None)),
}
CASSANDRA: Final = make_own(
    "cassandra",  # its audit's entries as fields
    shape("category operation source type user", any_of="host node batch ks keyspace scope port"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "user"),
    ("source_ip", _IP, "source"),
    ("source_port", mapped.take_port, "port"),
    ("action", readers.takes_deed(CASSANDRA_DEEDS), "type"),
    ("outcome", readers.takes_outcome("", "unauthorized_attempt request_failure"), "type"),
)
PAN_OS_DEEDS: Final = {
    "auth-success": ("auth.login", _SUCCESS),
    "auth-fail": ("auth.login", _FAILURE),
}
PAN_OS: Final = make_own(
    "pan_os",  # Palo Alto's columns as fields, of forwarders and of Strata's logging service
    either(
        shape("subtype event_id", any_of="opaque auth_method public_ip stage"),
        shape("subtype eventid opaque"),
        shape("sub_type event_name description"),
        shape("LogType EventDescription"),
        shape("LogType PublicIPv4"),
        shape("event_id stage auth_method"),
    ),
    ("time", _TIME, "time_generated TimeGenerated receive_time TimeReceived generated_time"),
    ("host", None, "device_name DeviceName"),
    ("actor", _NAME, "srcuser src_user source_user SourceUserName SourceUser user"),
    ("source_ip", _IP, "public_ip PublicIPv4 client_ip"),
    ("outcome", readers.takes_outcome("success", "failure"), "status EventStatus event_status"),
    ("action", product_readers.take_pan_stage, "event_id eventid EventIDValue EventID"),
    ("action", readers.takes_deed(PAN_OS_DEEDS), "event_name EventName"),
    ("request", readers.takes_deed(PAN_OS_DEEDS), "event_id eventid"),
    ("actor", product_readers.take_pan_text, "opaque description EventDescription"),
    ("reason", mapped.take_reason, "reason error LoginFailureReason ConnectionError"),
    ("message", mapped.take_message, "opaque description EventDescription"),
)
CLICKHOUSE_TYPES: Final = {
    "loginsuccess": ("auth.login", _SUCCESS),
    "loginfailure": ("auth.login", _FAILURE),
    "logout": ("auth.logout", _SUCCESS),
}
CLICKHOUSE: Final = make_own(
    "clickhouse",  # rows of system.session_log and system.query_log
    either(
        shape("event_time type user client_address"),
        shape("event_time type user query_kind"),
        shape("event_time type user query_id initial_address"),
    ),
    ("time", _TIME, "event_time_microseconds event_time"),
    ("actor", _NAME, "initial_user user"),
    ("source_ip", _IP, "client_address initial_address"),
    ("source_port", mapped.take_port, "client_port initial_port"),
    ("action", readers.takes_deed(CLICKHOUSE_TYPES), "type"),
    ("action", product_readers.take_statement, "query"),
    ("outcome", readers.takes_outcome("queryfinish 2", """
        exceptionbeforestart exceptionwhileprocessing 3 4
    """), "type"),
    ("reason", mapped.take_reason, "failure_reason exception"),
    ("session", mapped.take_session, "session_id query_id"),
)

# --- what others made of events ---

FIREWALL_OF_GOOGLE: Final = make_own(
    "firewall_of_google",  # its cloud's firewall
    lambda names: {"connection.srcip", "disposition"} <= names,
    ("source_ip", _IP, "connection.src_ip"),
    ("source_port", mapped.take_port, "connection.src_port"),
    ("action", readers.takes_deed({"denied": ("net.refuse", _FAILURE), "allowed": ("net.connect", _SUCCESS)}), """
        disposition
    """),
    ("target", mapped.takes_typed("address"), "connection.dest_ip"),
)  # fmt: skip
SETUP_DEEDS: Final = {
    **dict.fromkeys(("createduser", "createduserwithuniquerole"), ("account.create", _SUCCESS)),
    **dict.fromkeys(("deactivateduser", "frozeuser"), ("account.disable", _SUCCESS)),
    **dict.fromkeys(("activateduser", "unfrozeuser"), ("account.enable", _SUCCESS)),
    **dict.fromkeys(("changedemail", "changeduseremail", "changedusername"), ("account.update", _SUCCESS)),
    "unlockeduser": ("account.unlock", _SUCCESS),
    "resetpassword": ("account.password_reset", _SUCCESS),
    "changedpassword": ("account.password_change", _SUCCESS),
    **dict.fromkeys(("permsetassign", "changedroleforuser", "changedprofileforuser"), ("role.assign", _SUCCESS)),
    "permsetunassign": ("role.remove", _SUCCESS),
    "groupmembership": ("group.member_add", _SUCCESS),
    "suorgadminlogin": ("auth.switch", _SUCCESS),
}
SALESFORCE_SETUP: Final = make_own(
    "salesforce_setup",  # SetupAuditTrail
    shape("Action Section Display"),
    ("time", _TIME, "CreatedDate"),
    ("actor", _NAME, "CreatedBy.Username CreatedBy.Name CreatedById"),
    ("actor_as", None, "DelegateUser"),
    ("action", readers.takes_deed(SETUP_DEEDS), "Action"),
    ("message", mapped.take_message, "Display"),
    ("session", mapped.take_session, "Id"),
)
ATLAS_DEEDS: Final = {
    word.lower(): (action, None)
    for action, words in {
        "role.assign": "USER_ROLES_CHANGED_AUDIT API_KEY_ROLES_CHANGED",
        "account.create": "MONGODB_USER_ADDED",
        "account.update": "MONGODB_USER_UPDATED MONGODB_USER_X509_CERT_CREATED",
        "account.delete": "MONGODB_USER_DELETED",
        "account.lock": "ACCOUNT_LOCKED",
        "account.unlock": "ACCOUNT_UNLOCKED",
        "account.password_change": "PASSWORD_UPDATED",
        "account.password_reset": "PASSWORD_RESET",
        "group.member_add": "JOINED_TEAM JOINED_GROUP JOINED_ORG TEAM_MEMBER_ADDED",
        "group.member_remove": "REMOVED_FROM_TEAM REMOVED_FROM_GROUP REMOVED_FROM_ORG TEAM_MEMBER_REMOVED",
        "group.create": "TEAM_CREATED",
        "group.delete": "TEAM_DELETED",
    }.items()
    for word in words.split()
}
ATLAS: Final = make_own(
    "atlas",  # MongoDB's cloud: its events
    shape("eventTypeName created"),
    ("time", _TIME, "created"),
    ("actor", _NAME, "username apiKeyId publicKey userId"),
    ("source_ip", _IP, "remoteAddress"),
    ("action", readers.takes_deed(ATLAS_DEEDS, by_words=True), "eventTypeName"),
    ("request", readers.take_last_verb, "eventTypeName"),
    ("target", mapped.takes_typed("account"), "targetUsername dbUserUsername"),
    ("session", mapped.take_session, "id"),
)
ATLAS_ACCESS: Final = make_own(
    "atlas_access",  # and who logged in to a cluster
    shape("authResult authSource username"),
    ("time", _TIME, "timestamp"),
    ("host", None, "hostname"),
    ("actor", _NAME, "username"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_always("auth.login"), "authSource"),
    ("outcome", mapped.take_answer, "authResult"),
    ("reason", mapped.take_reason, "failureReason"),
)
SENSOR_DEEDS: Final = {
    "userlogon": ("auth.login", _SUCCESS),
    "userlogonfailed": ("auth.login", _FAILURE),
    "userlogonfailed2": ("auth.login", _FAILURE),
    "userlogoff": ("auth.logout", _SUCCESS),
    "useraccountcreated": ("account.create", _SUCCESS),
    "useraccountdeleted": ("account.delete", _SUCCESS),
    "useraccountaddedtogroup": ("group.member_add", _SUCCESS),
    "processrollup2": ("process.start", None),
    "syntheticprocessrollup2": ("process.start", None),
    "endofprocess": ("process.stop", None),
    "networkconnectip4": ("net.connect", None),
    "networkconnectip6": ("net.connect", None),
    "scheduledtaskregistered": ("schedule.create", _SUCCESS),
    "scheduledtaskdeleted": ("schedule.delete", _SUCCESS),
}
FALCON_SENSOR: Final = make_own(
    "falcon_sensor",  # CrowdStrike's data replicator; aip is where the sensor is, not who comes
    shape("event_simpleName aid"),
    ("time", _TIME, "timestamp"),
    ("host", None, "ComputerName"),
    ("action", readers.takes_deed(SENSOR_DEEDS), "event_simpleName"),
    ("actor", _NAME, "UserName UserPrincipal"),
    ("source_ip", product_readers.take_address_of_login, "RemoteAddressIP4 RemoteAddressIP6 RemoteIP"),
    ("target", mapped.takes_typed("command"), "CommandLine"),
    ("session", mapped.take_session, "AuthenticationId_decimal AuthenticationId"),
)
DEEP_VISIBILITY: Final = make_own(
    "deep_visibility",  # SentinelOne's telemetry of logins
    lambda names: "event.login.username" in names,
    ("time", _TIME, "timestamp event.time"),
    ("host", None, "endpoint.name"),
    ("actor", _NAME, "event.login.userName"),
    ("source_ip", _IP, "src.endpoint.ip.address"),
    ("action", mapped.take_action, "event.type"),
    ("outcome", mapped.take_answer, "event.login.loginIsSuccessful"),
    ("reason", mapped.take_reason, "event.login.failureReason"),
    ("session", mapped.take_session, "event.login.sessionId"),
)
MOD_SECURITY: Final = make_own(
    "mod_security",  # its audit log, of version 3 and of 2
    either(shape("transaction", only="transaction"), shape("transaction request audit_data")),
    ("source_ip", _IP, "transaction.client_ip transaction.remote_address"),
    ("source_port", mapped.take_port, "transaction.client_port transaction.remote_port"),
    ("action", readers.takes_always("http.request"), "transaction.request request.request_line"),
    ("outcome", readers.take_code, "transaction.response.http_code response.status"),
    ("target", None, "transaction.request.uri"),
    ("session", mapped.take_session, "transaction.unique_id transaction.transaction_id"),
)

# --- what teams run ---

LOGTO_DEEDS: Final = {
    "interaction.signin.submit": ("auth.login", None),
    "interaction.register.submit": ("account.create", None),
    "interaction.forgotpassword.submit": ("account.password_reset", None),
}
LOGTO: Final = make_own(
    "logto",
    shape("key payload tenantId createdAt"),
    ("time", _TIME, "createdAt"),
    ("actor", _NAME, "payload.userId"),
    ("source_ip", _IP, "payload.ip"),
    ("action", readers.takes_deed(LOGTO_DEEDS), "key"),
    ("outcome", readers.takes_outcome("success", "error"), "payload.result"),
    ("reason", mapped.take_reason, "payload.error.message payload.error.code"),
    ("session", mapped.take_session, "payload.sessionId"),
)
NATS_DEEDS: Final = {
    "io.nats.server.advisory.v1.client_connect": ("session.open", _SUCCESS),
    "io.nats.server.advisory.v1.client_disconnect": ("session.close", None),
}
NATS: Final = make_own(
    "nats",  # its advisories
    shape("type server client timestamp"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "client.user client.name_tag"),
    ("source_ip", _IP, "client.host"),
    ("action", readers.takes_deed({"authentication failure": ("auth.login", _FAILURE)}), "reason"),
    ("action", readers.takes_deed(NATS_DEEDS), "type"),
    ("session", mapped.take_session, "client.id"),
)
AIRFLOW_DEEDS: Final = {
    "cli_users_create": ("account.create", None),
    "cli_users_delete": ("account.delete", None),
    "cli_add_user_role": ("role.assign", None),
    "cli_remove_user_role": ("role.remove", None),
    "users.create": ("account.create", None),
}
AIRFLOW: Final = make_own(
    "airflow",  # rows of its log
    shape("dttm event owner"),
    ("time", _TIME, "dttm"),
    ("actor", _NAME, "owner owner_display_name"),
    ("action", readers.takes_deed(AIRFLOW_DEEDS, by_words=True), "event"),
    ("target", mapped.takes_typed("dag"), "dag_id"),
)
NETBOX: Final = make_own(
    "netbox",  # its changelog
    shape("changed_object_type request_id action"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "user_name user.username user"),
    ("type", mapped.takes_type("object"), "changed_object_type"),
    ("action", readers.takes_typed_deed({
        f"{kind} {verb}": (f"{noun}.{verb}", _SUCCESS)
        for kind, noun in (("users.user", "account"), ("users.group", "group"))
        for verb in ("create", "update", "delete") if f"{noun} {verb}" != "group update"
    }, by_verb=True), "action action.value"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", mapped.takes_target("object"), "object_repr changed_object_id"),
    ("session", mapped.take_session, "request_id"),
)  # fmt: skip
PRIVACYIDEA: Final = make_own(
    "privacyidea",  # its audit, as its logger writes it
    shape("action success privacyidea_server client"),
    ("time", _TIME, "timestamp startdate"),
    ("actor", _NAME, "administrator user"),
    ("action", readers.takes_deed({
        "post /auth": ("auth.login", None),
        "get /auth": ("auth.login", None),
        "post /validate/check": ("auth.login", None),
        "get /validate/check": ("auth.login", None),
        "post /validate/samlcheck": ("auth.login", None),
        "get /validate/samlcheck": ("auth.login", None),
        "post /validate/radiuscheck": ("auth.login", None),
        "post /user/": ("account.create", None),
        "put /user/": ("account.update", None),
        "post /token/init": ("account.mfa_enable", None),
    }), "action"),
    ("outcome", mapped.take_answer, "success"),
    ("reason", mapped.take_reason, "info"),
    ("source_ip", mapped.take_address, "client"),
)  # fmt: skip

_MODELS: Final = {
    f"{kind} {verb}": (f"{noun}.{action}", None)
    for kind, noun in (("user", "account"), ("account", "account"), ("group", "group"))
    for verb, action in (("create", "create"), ("created", "create"), ("destroy", "delete"), ("deleted", "delete"))
}
MODELS: Final = make_own(
    "models",  # what frameworks note of changed records: PaperTrail, Laravel's auditing
    either(shape("item_type event whodunnit"), shape("auditable_type event user_id")),
    ("time", _TIME, "created_at"),
    ("actor", _NAME, "whodunnit user_name user_id"),
    ("source_ip", _IP, "ip ip_address remote_ip"),
    ("type", mapped.takes_type("item"), "item_type auditable_type"),
    ("action", readers.takes_typed_deed(_MODELS, by_verb=True), "event"),
    ("target", mapped.takes_target("item"), "item_id auditable_id"),
)

# --- what watches kernels ---

TRACEE_DEEDS: Final = {
    "sched_process_exec": ("process.start", None),
    "sched_process_exit": ("process.stop", None),
    "security_socket_connect": ("net.connect", None),
}
TRACEE: Final = make_own(
    "tracee",  # Aqua's: events and, with a signature's name, alerts
    shape("eventName processName hostName", any_of="eventId args processId"),
    ("time", _TIME, "timestamp"),
    ("host", None, "hostName"),
    ("app", None, "processName"),
    ("action", readers.takes_deed(TRACEE_DEEDS), "eventName"),
    ("target", readers.takes_pair(mapped.takes_typed("command"), "pathname", "cmdpath"), "args"),
    ("reason", None, "metadata.Properties.signatureName metadata.Description"),
    ("type", readers.takes_within(readers.take_alert, "Properties.signatureName"), "metadata"),
)

PRODUCT_VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    ASANA, AZURE_DEVOPS, NEW_RELIC, SUMO_LOGIC, TENABLE, TREND_MICRO, HUBSPOT, LAUNCH_DARKLY, DYNATRACE, HUAWEI,
    YANDEX, NEBIUS, ZPA, ZPA_USER, CORTEX, STACKROX, STORAGE_MANAGER, FIREPOWER, RANGER, TRINO, NEO4J, CASSANDRA,
    PAN_OS, CLICKHOUSE, TRACEE, FIREWALL_OF_GOOGLE, SALESFORCE_SETUP, ATLAS, ATLAS_ACCESS, FALCON_SENSOR,
    DEEP_VISIBILITY, MOD_SECURITY, LOGTO, NATS, AIRFLOW, NETBOX, PRIVACYIDEA, MODELS,
)  # fmt: skip
