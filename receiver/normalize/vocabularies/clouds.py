"""The audit logs of services that others run: how they name who, what, on what, from where and with what outcome.

One vocabulary a product, recognised by the names at its top level, which no other has. What their deeds are called is
in `cloud_deeds.py`. A name with dots goes into inner objects; from the third part on it is spelled as the product does.
Knows no values.
"""

from __future__ import annotations

from typing import Final

from receiver.normalize.objects import mapped, product_readers, readers
from receiver.normalize.objects.readers import takes_pair, takes_within
from receiver.normalize.vocabularies import cloud_deeds, deeds
from receiver.normalize.vocabularies.vocabulary import Vocabulary, either, make_own, shape

_TIME: Final = mapped.take_time
_NAME: Final = mapped.take_name
_IP: Final = mapped.take_address
_PORT: Final = mapped.take_port
_ACCOUNT: Final = mapped.takes_typed("account")
_GROUP: Final = mapped.takes_typed("group")
_UPN: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn"
_CLAIM_NAME: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name"
_CLAIM_MAIL: Final = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress"

# --- clouds ---

CLOUDTRAIL: Final = make_own(
    "cloudtrail",  # AWS CloudTrail record contents
    shape("eventName eventSource userIdentity"),
    ("time", _TIME, "eventTime"),
    ("actor", product_readers.take_aws_person, "userIdentity"),
    ("actor", _NAME, "userIdentity.userName userIdentity.sessionContext.sessionIssuer.userName userIdentity.arn"),
    ("actor", _NAME, "userIdentity.onBehalfOf.userId userIdentity.principalId userIdentity.invokedBy"),
    ("request", product_readers.take_aws_account, "userIdentity"),
    ("actor", _NAME, "additionalEventData.UserName"),
    ("actor_as", None, "requestParameters.roleArn"),
    ("source_ip", _IP, "sourceIPAddress"),
    ("outcome", mapped.take_outcome, """
        responseElements.ConsoleLogin responseElements.SwitchRole responseElements.ExitRole
        serviceEventDetails.UserAuthentication serviceEventDetails.CredentialVerification
    """),
    ("outcome", readers.take_failure, "errorCode errorMessage"),
    ("action", readers.takes_deed(cloud_deeds.CLOUDTRAIL, by_words=True, by_verb=True), "eventName"),
    ("reason", mapped.take_reason, "errorCode errorMessage"),
    ("outcome", readers.otherwise_success, "eventName"),
    ("target", _ACCOUNT, "requestParameters.userName"),
    ("target", _GROUP, "requestParameters.groupName"),
    ("target", mapped.takes_typed("bucket"), "requestParameters.bucketName"),
    ("target", mapped.takes_typed("role"), "requestParameters.roleName"),
    ("target", mapped.takes_typed("trail"), "requestParameters.name"),
    ("session", mapped.take_session, "eventID"),
)  # fmt: skip
GOOGLE_CLOUD: Final = make_own(
    "google_cloud",  # Cloud Audit Logs: a LogEntry with an AuditLog in it
    shape("protoPayload"),
    ("time", _TIME, "timestamp receiveTimestamp"),
    ("severity", mapped.take_severity, "severity"),
    ("actor", _NAME, "protoPayload.authenticationInfo.principalEmail protoPayload.authenticationInfo.principalSubject"),
    ("source_ip", _IP, "protoPayload.requestMetadata.callerIp"),
    ("action", readers.take_binding_deltas, "protoPayload.serviceData.policyDelta.bindingDeltas"),
    ("action", readers.takes_deed(cloud_deeds.GOOGLE_CLOUD, by_words=True, by_verb=True), "protoPayload.methodName"),
    ("outcome", readers.take_result_number, "protoPayload.status.code"),
    ("outcome", takes_within(readers.take_failure, "errors"), "protoPayload.status"),
    ("outcome", readers.otherwise_success, "protoPayload.methodName"),
    ("reason", mapped.take_reason, "protoPayload.status.message"),
    ("target", None, "protoPayload.resourceName"),
    ("session", mapped.take_session, "insertId"),
)
AZURE: Final = make_own(
    "azure",  # activity and diagnostic logs, among them Entra ID's SignInLogs and AuditLogs
    either(
        shape("operationName category", any_of="resourceId tenantId callerIpAddress caller"),
        shape("operationName caller"),
        shape("operationName properties time"),
        shape("OperationName Category", any_of="TenantId CallerIPAddress AADTenantId Caller"),
    ),
    ("time", _TIME, "time eventTimestamp createdDateTime TimeGenerated"),
    ("type", product_readers.take_kubernetes_log, "properties.log"),
    ("actor", _NAME, "properties.userPrincipalName properties.server_principal_name properties.userEmail"),
    ("actor", takes_within(_NAME, "user.userPrincipalName", "user.displayName", "user.id", "app.displayName",
                           "app.servicePrincipalName", "app.appId"), "properties.initiatedBy InitiatedBy"),
    ("outcome", readers.take_code, "properties.httpStatusCode"),
    ("actor", _NAME, "identity.requester.upn"),
    ("actor", readers.takes_claim(_NAME, _UPN, "upn", "unique_name", _CLAIM_MAIL, _CLAIM_NAME, "appid"), """
        identity.claims identity.claim claims
    """),
    ("action", readers.takes_deed({}, by_words=True), "properties.ActionType"),
    ("actor", _NAME, "properties.AccountUpn properties.AccountName properties.InitiatingProcessAccountName"),
    ("source_ip", product_readers.take_address_of_login, "properties.RemoteIP properties.IPAddress"),
    ("reason", mapped.take_reason, "properties.FailureReason"),
    ("actor", _NAME, """
        caller UserPrincipalName properties.servicePrincipalName properties.actor.upn properties.userDisplayName
        identity
    """),
    ("source_ip", readers.take_loose_address, """
        callerIpAddress properties.ipAddress properties.callerIpAddress IPAddress httpRequest.clientIpAddress
        properties.clientIP properties.client_ip properties.clientIpAddress
    """),
    ("outcome", mapped.take_answer, "properties.succeeded"),
    ("action", readers.takes_deed(deeds.SQL_SERVER), "properties.action_id"),
    ("source_ip", takes_within(_IP, "user.ipAddress"), "properties.initiatedBy InitiatedBy"),
    ("action", readers.takes_azure_deed({**cloud_deeds.ENTRA, **cloud_deeds.AZURE_VAULT}), """
        operationName operationName.value properties.activityDisplayName
    """),
    ("outcome", readers.takes_outcome("success succeeded 0", "failure failed failure. denied"), """
        properties.result Result
    """),
    ("outcome", takes_within(readers.take_result_number, "errorCode"), "properties.status"),
    ("outcome", readers.takes_azure_result(), "resultType ResultType status status.value"),
    ("outcome", readers.takes_azure_result(), "resultSignature statusText"),
    ("outcome", readers.take_code, "statusCode"),
    ("reason", mapped.take_reason, "properties.resultReason resultDescription ResultDescription"),
    ("reason", takes_within(mapped.take_reason, "failureReason"), "properties.status"),
    ("target", takes_within(_ACCOUNT, "userPrincipalName", "displayName", kind="type", kinds="User"), """
        properties.targetResources TargetResources
    """),
    ("target", takes_within(_GROUP, "displayName", kind="type", kinds="Group"), "properties.targetResources"),
    ("target", None, "resourceId"),
    ("session", mapped.take_session, "properties.correlationId correlationId"),
)  # fmt: skip
ENTRA_SIGN_IN: Final = make_own(
    "entra_sign_in",  # Microsoft Graph's signIn
    shape("createdDateTime ipAddress", any_of="userPrincipalName servicePrincipalName appDisplayName"),
    ("time", _TIME, "createdDateTime"),
    ("app", None, "appDisplayName"),
    ("actor", _NAME, "userPrincipalName userDisplayName userId servicePrincipalName"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_always("auth.login"), "createdDateTime"),
    ("outcome", readers.take_result_number, "status.errorCode"),
    ("reason", mapped.take_reason, "status.failureReason"),
    ("session", mapped.take_session, "correlationId id"),
)
ENTRA_AUDIT: Final = make_own(
    "entra_audit",  # Microsoft Graph's directoryAudit
    shape("activityDisplayName initiatedBy"),
    ("time", _TIME, "activityDateTime"),
    ("actor", _NAME, "initiatedBy.user.userPrincipalName initiatedBy.user.displayName initiatedBy.app.displayName"),
    ("actor", _NAME, "initiatedBy.user.id initiatedBy.app.servicePrincipalName initiatedBy.app.appId"),
    ("source_ip", _IP, "initiatedBy.user.ipAddress"),
    ("action", readers.takes_azure_deed(cloud_deeds.ENTRA), "activityDisplayName"),
    ("outcome", readers.takes_outcome("success", "failure timeout"), "result"),
    ("reason", mapped.take_reason, "resultReason"),
    ("target", takes_within(_ACCOUNT, "userPrincipalName", "displayName", kind="type", kinds="User"), """
        targetResources
    """),
    ("target", takes_within(_GROUP, "displayName", kind="type", kinds="Group"), "targetResources"),
    ("session", mapped.take_session, "correlationId"),
)  # fmt: skip
MICROSOFT_365: Final = make_own(
    "microsoft_365",  # the unified audit log: Office 365 Management Activity API
    either(
        shape("Operation Workload", any_of="CreationTime UserId RecordType"), shape("Operation RecordType CreationTime")
    ),
    ("time", _TIME, "CreationTime"),
    ("app", None, "Workload"),
    ("actor", _NAME, "UserId"),
    ("actor", takes_within(_NAME, "ID"), "Actor"),
    ("source_ip", readers.take_loose_address, "ClientIP ClientIPAddress ActorIpAddress"),
    ("action", readers.takes_deed(cloud_deeds.MICROSOFT_365, by_words=True, by_verb=True), "Operation"),
    ("outcome", readers.takes_outcome("succeeded success partiallysucceeded true", "failed false failure"), """
        ResultStatus
    """),
    ("outcome", readers.success_of_deed, "Operation"),
    ("reason", mapped.take_reason, "LogonError"),
    ("target", product_readers.take_365_object, "ObjectId"),
    ("target", None, "SourceFileName MailboxOwnerUPN"),
    ("session", mapped.take_session, "Id"),
)  # fmt: skip
GOOGLE_WORKSPACE: Final = make_own(
    "google_workspace",  # Reports API: activities; `events` is a list, or one when a shipper parted them
    shape("actor events", any_of="ipAddress id kind"),
    ("time", _TIME, "id.time"),
    ("app", None, "id.applicationName"),
    ("actor", _NAME, "actor.email actor.key actor.profileId"),
    ("source_ip", _IP, "ipAddress"),
    ("action", takes_within(readers.takes_deed(cloud_deeds.GOOGLE_WORKSPACE), "name"), "events"),
    ("outcome", takes_within(product_readers.success_of_workspace, "name"), "events"),
    ("target", takes_pair(_ACCOUNT, "USER_EMAIL", at="parameters"), "events"),
    ("type", takes_pair(_GROUP, "GROUP_EMAIL", "group_email", at="parameters"), "events"),
    ("request", takes_pair(mapped.takes_typed("file"), "doc_title", at="parameters"), "events"),
    ("reason", takes_pair(mapped.take_reason, "login_failure_type", at="parameters"), "events"),
    ("session", mapped.take_session, "id.uniqueQualifier"),
)

# --- who may come in ---

OKTA: Final = make_own(
    "okta",  # System Log
    either(
        shape("eventType actor", any_of="legacyEventType displayMessage debugContext authenticationContext published"),
        shape("eventType actor outcome client"),
    ),
    ("time", _TIME, "published"),
    ("severity", mapped.take_severity, "severity"),
    ("actor", _NAME, "actor.alternateId actor.displayName actor.id"),
    ("source_ip", _IP, "client.ipAddress"),
    ("action", readers.takes_deed(cloud_deeds.OKTA), "eventType"),
    ("outcome", mapped.take_outcome, "outcome.result"),
    ("reason", mapped.take_reason, "outcome.reason"),
    ("target", takes_within(product_readers.take_changed_account, "alternateId", "displayName", kind="type",
                            kinds="User AppUser"), "target"),
    ("type", takes_within(mapped.takes_typed("group"), "displayName", kind="type", kinds="UserGroup"), "target"),
    ("message", mapped.take_message, "displayMessage"),
    ("session", mapped.take_session, "authenticationContext.externalSessionId"),
)  # fmt: skip
AUTH0: Final = make_own(
    "auth0",
    either(shape("log_id type date"), shape("type date client_id isMobile"), shape("type date ip user_agent _id")),
    ("time", _TIME, "date"),
    ("app", None, "client_name"),
    ("actor", _NAME, "user_name user_id"),
    ("actor", _NAME, "details.request.auth.user.email details.request.auth.user.name"),
    ("actor", _NAME, "details.request.auth.user.user_id details.request.auth.credentials.jti"),
    ("source_ip", _IP, "ip client_ip"),
    ("action", readers.takes_deed(cloud_deeds.AUTH0), "type"),
    ("outcome", readers.takes_outcome("sapi", "fapi"), "type"),
    ("action", readers.take_method, "details.request.method"),
    ("reason", mapped.take_reason, "description details.error.message"),
    ("message", mapped.take_message, "description"),
    ("session", mapped.take_session, "session_id"),
)
DUO: Final = make_own(
    "duo",  # authentication and administrator logs
    either(
        shape("access_device result", any_of="user username factor"),
        shape("action username isotimestamp"),
        shape("action username object description"),
        shape("activity_id access_device action actor"),
    ),
    ("time", _TIME, "isotimestamp timestamp ts"),
    ("actor", _NAME, "user.name username email actor.name"),
    ("source_ip", _IP, "access_device.ip access_device.ip.address ip ip_address"),
    ("source_ip", readers.takes_json(_IP, "ip_address"), "description"),
    ("action", readers.takes_deed(cloud_deeds.DUO, by_words=True), "event_type action action.name"),
    ("action", readers.takes_always("auth.login"), "factor"),
    ("actor", readers.takes_json(product_readers.take_subject_of_login, "email"), "description"),
    ("outcome", readers.takes_outcome("success", "denied failure fraud error"), "result"),
    ("reason", mapped.take_reason, "reason"),
    ("target", None, "object"),
    ("type", mapped.takes_type("target"), "target.type"),
    ("target", mapped.takes_target("target"), "target.name"),
    ("session", mapped.take_session, "txid activity_id"),
)
JUMPCLOUD: Final = make_own(
    "jumpcloud",  # Directory Insights
    shape("event_type initiated_by"),
    ("time", _TIME, "timestamp server_timestamp"),
    ("app", None, "service"),
    ("actor", _NAME, "initiated_by.username initiated_by.email initiated_by.id"),
    ("actor", _NAME, "username"),
    ("source_ip", _IP, "client_ip"),
    ("action", readers.takes_deed(cloud_deeds.JUMPCLOUD, by_words=True), "event_type"),
    ("outcome", mapped.take_answer, "success sso_token_success"),
    ("outcome", readers.take_failure, "error_message"),
    ("reason", mapped.take_reason, "error_message message"),
    ("target", product_readers.take_changed_account, "resource.username resource.name"),
    ("session", mapped.take_session, "id"),
)
ONELOGIN: Final = make_own(
    "onelogin",
    shape("event_type_id", any_of="ipaddr actor_user_name user_name account_id"),
    ("time", _TIME, "created_at event_timestamp"),
    ("actor", _NAME, "actor_user_name"),
    ("source_ip", _IP, "ipaddr"),
    ("action", readers.takes_deed(cloud_deeds.ONELOGIN), "event_type_id"),
    ("actor", product_readers.take_subject_of_login, "user_name"),
    ("target", product_readers.take_changed_account, "user_name"),
    ("outcome", readers.take_failure, "error_description"),
    ("reason", mapped.take_reason, "error_description"),
    ("session", mapped.take_session, "id"),
)
ONEPASSWORD_SIGN_IN: Final = make_own(
    "onepassword_sign_in",  # 1Password's Events API: signinattempts
    shape("target_user client category"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "target_user.email target_user.name target_user.uuid"),
    ("source_ip", _IP, "client.ip_address"),
    ("action", readers.takes_always("auth.login"), "category"),
    ("outcome", readers.takes_outcome("success firewall_reported_success", """
        credentials_failed mfa_failed sso_failed modern_version_failed modern_version_old modern_version_missing
        firewall_failed
    """), "category"),
    ("reason", mapped.take_reason, "type"),
    ("session", mapped.take_session, "session_uuid"),
)  # fmt: skip
ONEPASSWORD_USAGE: Final = make_own(
    "onepassword_usage",  # itemusages
    shape("item_uuid vault_uuid user"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "user.email user.name user.uuid"),
    ("source_ip", _IP, "client.ip_address"),
    ("action", readers.takes_deed(cloud_deeds.ONEPASSWORD_USAGES), "action"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", mapped.takes_typed("item"), "item_uuid"),
    ("session", mapped.take_session, "uuid"),
)
ONEPASSWORD_AUDIT: Final = make_own(
    "onepassword_audit",  # auditevents
    shape("actor_uuid action object_type"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "actor_details.email actor_details.name actor_uuid"),
    ("source_ip", _IP, "session.ip"),
    ("type", mapped.takes_type("object"), "object_type"),
    ("action", readers.takes_typed_deed(cloud_deeds.ONEPASSWORD), "action"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", _ACCOUNT, "object_details.email aux_details.email"),
    ("target", mapped.takes_target("object"), "object_uuid"),
    ("session", mapped.take_session, "session.uuid"),
)
BITWARDEN: Final = make_own(
    "bitwarden",
    either(
        shape("type actingUserId date"), shape("type actingUserId itemId"), shape("object type device ipAddress date")
    ),
    ("time", _TIME, "date"),
    ("actor", _NAME, "actingUserName actingUserEmail userName userEmail actingUserId"),
    ("source_ip", _IP, "ipAddress"),
    ("action", readers.takes_deed(cloud_deeds.BITWARDEN), "type"),
    ("target", mapped.takes_typed("item"), "itemId"),
    ("target", _GROUP, "groupId"),
    ("target", _ACCOUNT, "memberId"),
)

# --- what teams work with ---

SLACK: Final = make_own(
    "slack",  # Audit Logs API
    shape("action actor entity context date_create"),
    ("time", _TIME, "date_create"),
    ("actor", _NAME, "actor.user.email actor.user.name actor.user.id"),
    ("source_ip", _IP, "context.ip_address"),
    ("action", readers.takes_deed(cloud_deeds.SLACK, by_words=True), "action"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", takes_within(product_readers.take_changed_account, "user.email", "user.name"), "entity"),
    ("type", takes_within(mapped.takes_typed("file"), "file.name", "file.title"), "entity"),
    ("session", mapped.take_session, "context.session_id"),
)
CLOUDFLARE: Final = make_own(
    "cloudflare",  # audit logs of v1 and v2, and as Logpush writes them
    either(
        shape("action actor when", any_of="interface owner resource"), shape("action actor resource account raw"),
        shape("ActionType ActorIP"), shape("ActionType ActorIPAddress"),
    ),
    ("time", _TIME, "when action.time When ActionTimestamp"),
    ("actor", _NAME, "actor.email ActorEmail actor.token_name actor.id ActorID"),
    ("source_ip", _IP, "actor.ip actor.ip_address ActorIP ActorIPAddress"),
    ("type", mapped.takes_type("resource"), "resource.type ResourceType"),
    ("request", readers.takes_typed_deed(cloud_deeds.CLOUDFLARE_TYPED), "action.type ActionType"),
    ("action", readers.takes_deed(cloud_deeds.CLOUDFLARE, by_words=True, by_verb=True), "action.type ActionType"),
    ("outcome", mapped.take_outcome, "action.result ActionResult"),
    ("target", mapped.takes_target("resource"), "resource.id ResourceID"),
    ("session", mapped.take_session, "id ID AuditLogID"),
)
CLOUDFLARE_HTTP: Final = make_own(
    "cloudflare_http",
    shape("ClientIP EdgeResponseStatus"),
    ("time", _TIME, "EdgeStartTimestamp"),
    ("source_ip", _IP, "ClientIP"),
    ("source_port", _PORT, "ClientSrcPort"),
    ("action", readers.takes_always("http.request"), "ClientRequestMethod EdgeResponseStatus"),
    ("target", None, "ClientRequestURI ClientRequestPath"),
    ("outcome", readers.take_code, "EdgeResponseStatus"),
    ("session", mapped.take_session, "RayID"),
)
SNOWFLAKE_QUERY: Final = make_own(
    "snowflake_query",  # QUERY_HISTORY
    shape("QUERY_ID QUERY_TEXT USER_NAME"),
    ("time", _TIME, "START_TIME"),
    ("actor", _NAME, "USER_NAME"),
    ("actor_as", None, "ROLE_NAME"),
    ("source_ip", _IP, "CLIENT_IP"),
    ("action", readers.takes_deed(cloud_deeds.SNOWFLAKE_QUERIES), "QUERY_TYPE"),
    ("outcome", readers.takes_outcome("success", "fail incident failed_with_error failed_with_incident"), """
        EXECUTION_STATUS
    """),
    ("reason", mapped.take_reason, "ERROR_MESSAGE"),
    ("session", mapped.take_session, "SESSION_ID"),
)  # fmt: skip
SALESFORCE: Final = make_own(
    "salesforce",  # event log files
    either(
        shape("EVENT_TYPE USER_ID", any_of="ORGANIZATION_ID LOGIN_KEY USER_ID_DERIVED"),
        shape("Username SourceIp LoginType"),
    ),
    ("time", _TIME, "TIMESTAMP_DERIVED"),
    ("actor", _NAME, "USER_NAME USER_ID_DERIVED USER_ID"),
    ("source_ip", _IP, "CLIENT_IP SOURCE_IP"),
    ("action", readers.takes_deed(cloud_deeds.SALESFORCE), "EVENT_TYPE"),
    ("action", readers.takes_always("auth.login"), "LoginType"),
    ("outcome", product_readers.take_salesforce_status, "Status"),
    ("outcome", readers.takes_outcome("login_no_error", "*"), "LOGIN_STATUS"),
    ("reason", mapped.take_reason, "LOGIN_STATUS"),
    ("session", mapped.take_session, "SESSION_KEY"),
)
ATLASSIAN_ORG: Final = make_own(
    "atlassian_org",  # the organisation's audit log (admin.atlassian.com)
    shape("action actor context", any_of="container location time processedAt"),
    ("time", _TIME, "time"),
    ("actor", _NAME, "actor.email actor.name actor.id"),
    ("source_ip", _IP, "location.ip"),
    ("action", readers.takes_deed(cloud_deeds.ATLASSIAN, by_words=True), "action"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", takes_within(_ACCOUNT, "attributes.email", "attributes.name", kind="type", kinds="users user"), """
        context
    """),
)  # fmt: skip
ATLASSIAN: Final = make_own(
    "atlassian",  # Jira, Confluence and Bitbucket: audit records of the API, and of the Data Center log
    either(
        shape("summary category", any_of="authorKey authorAccountId remoteAddress"),
        shape("author auditType"),
        shape("author affectedObjects", any_of="type source auditType"),
    ),
    ("time", _TIME, "created creationDate timestamp"),
    ("actor", _NAME, "author.name author.username authorKey author.displayName authorAccountId author.accountId"),
    ("source_ip", _IP, "remoteAddress source"),
    ("action", readers.takes_summary(cloud_deeds.ATLASSIAN_SUMMARIES), "summary auditType.action type.action"),
    ("target", takes_within(_ACCOUNT, "name", kind="typeName", kinds="USER"), "objectItem"),
    ("target", takes_within(_ACCOUNT, "name", kind="type", kinds="USER"), "affectedObjects"),
    ("target", takes_within(_ACCOUNT, "name", kind="objectType", kinds="User"), "affectedObject"),
    ("target", None, "objectItem.name affectedObject.name"),
    ("session", mapped.take_session, "id"),
)
BOX: Final = make_own(
    "box",  # enterprise events
    shape("event_type created_by", any_of="event_id source ip_address"),
    ("time", _TIME, "created_at"),
    ("actor", _NAME, "created_by.login created_by.name created_by.id"),
    ("source_ip", _IP, "ip_address"),
    ("action", readers.takes_deed(cloud_deeds.BOX), "event_type"),
    ("target", product_readers.take_changed_account, "source.login source.user_name source.name"),
    ("type", takes_within(mapped.takes_typed("file"), "name", kind="type", kinds="file folder"), "source"),
    ("request", takes_within(mapped.takes_typed("file"), "item_name", kind="item_type", kinds="file folder"), "source"),
    ("session", mapped.take_session, "session_id"),
)
ZOOM: Final = make_own(
    "zoom",  # operation logs, sign-ins, and webhooks
    either(
        shape("operator category_type action"),
        shape("email type ip_address client_type"),
        shape("event payload", only="event payload event_ts download_token"),
    ),
    ("time", _TIME, "time event_ts"),
    ("actor", _NAME, "operator email payload.operator payload.object.email"),
    ("source_ip", _IP, "ip_address payload.object.ip_address"),
    ("action", readers.takes_deed(cloud_deeds.ZOOM), "event"),
    ("action", mapped.take_action, "type"),
    ("outcome", readers.success_of_deed, "client_type"),
    ("type", mapped.takes_type("category"), "category_type"),
    ("action", readers.takes_typed_deed(cloud_deeds.ZOOM_OPERATIONS), "action"),
    ("target", product_readers.take_changed_account, "payload.object.email"),
)
TAILSCALE: Final = make_own(
    "tailscale",  # configuration audit log
    shape("actor action target origin", any_of="eventTime eventGroupID"),
    ("time", _TIME, "eventTime"),
    ("actor", _NAME, "actor.loginName actor.displayName actor.id"),
    ("type", mapped.takes_type("target"), "target.type"),
    ("action", readers.takes_typed_deed(cloud_deeds.TAILSCALE, by_verb=True), "action"),
    ("outcome", readers.takes_outcome("", "*"), "error"),
    ("outcome", readers.otherwise_success, "action"),
    ("target", mapped.takes_target("target"), "target.name target.id"),
    ("session", mapped.take_session, "eventGroupID"),
)
DROPBOX: Final = make_own(
    "dropbox",  # the team's event log
    shape("event_type event_category", any_of="actor origin", none_of="gid"),
    ("time", _TIME, "timestamp"),
    ("actor", takes_within(_NAME, "user.email", "admin.email", "user.display_name", "admin.display_name",
                           "app.display_name"), "actor"),
    ("source_ip", _IP, "origin.geo_location.ip_address"),
    ("action", readers.takes_claim(readers.takes_deed(cloud_deeds.DROPBOX, by_words=True), ".tag"), "event_type"),
    ("outcome", readers.takes_claim(readers.success_of_deed, ".tag"), "event_type"),
    ("reason", mapped.take_reason, "details.error_details.user_friendly_message"),
)  # fmt: skip

PING_ONE: Final = make_own(
    "ping_one",  # audit activities
    shape("actors action", any_of="recordedAt resources result"),
    ("time", _TIME, "recordedAt createdAt"),
    ("actor", _NAME, "actors.user.name actors.user.id actors.client.name actors.client.id"),
    ("source_ip", _IP, "source.ipAddress source.ipAddr ipAddress"),
    ("action", readers.takes_deed(cloud_deeds.PING_ONE, by_words=True), "action.type"),
    ("outcome", mapped.take_outcome, "result.status"),
    ("reason", mapped.take_reason, "result.description"),
    ("target", takes_within(product_readers.take_changed_account, "name", "id", kind="type", kinds="USER"), """
        resources
    """),
    ("session", mapped.take_session, "correlationId"),
)  # fmt: skip
CROWDSTRIKE: Final = make_own(
    "crowdstrike",  # Falcon's event stream: who worked with it
    shape("metadata event", only="metadata event"),
    ("time", _TIME, "metadata.eventCreationTime event.UTCTimestamp"),
    ("actor", _NAME, "event.UserId event.UserName"),
    ("source_ip", _IP, "event.UserIp"),
    ("action", readers.takes_deed(cloud_deeds.CROWDSTRIKE, by_words=True), "event.OperationName"),
    ("action", readers.takes_deed(cloud_deeds.CROWDSTRIKE_SESSIONS), "metadata.eventType"),
    ("action", readers.take_alert, "event.DetectName"),
    ("outcome", mapped.take_answer, "event.Success"),
    ("outcome", readers.success_of_deed, "event.OperationName"),
    ("target", takes_pair(_ACCOUNT, "target_name", at="AuditKeyValues", key="Key", value_key="ValueString"), "event"),
)

AWS_WAF: Final = make_own(
    "aws_waf",
    shape("httpRequest action terminatingRuleId"),
    ("time", _TIME, "timestamp"),
    ("source_ip", _IP, "httpRequest.clientIp"),
    ("target", None, "httpRequest.uri"),
    ("action", readers.takes_always("http.request"), "httpRequest"),
    ("outcome", readers.takes_outcome("allow", "block"), "action"),
    ("reason", mapped.take_reason, "terminatingRuleId"),
    ("session", mapped.take_session, "httpRequest.requestId"),
)
DEFENDER: Final = make_own(
    "defender",  # Microsoft Defender XDR: rows of its tables
    either(
        shape("Timestamp ActionType", any_of="DeviceId DeviceName AccountUpn AccountName AccountObjectId ReportId"),
        shape("Timestamp ErrorCode AccountUpn IPAddress"),
    ),
    ("time", _TIME, "Timestamp"),
    ("host", None, "DeviceName"),
    ("action", readers.takes_deed({}, by_words=True), "ActionType"),
    ("actor", _NAME, "AccountUpn AccountName AccountDisplayName InitiatingProcessAccountName"),
    ("action", readers.takes_always("auth.login"), "ErrorCode"),
    ("outcome", readers.takes_outcome("0", "*"), "ErrorCode"),
    ("source_ip", product_readers.take_address_of_login, "RemoteIP IPAddress"),
    ("reason", mapped.take_reason, "FailureReason"),
    ("session", mapped.take_session, "LogonId"),
)
SENTINEL_ONE: Final = make_own(
    "sentinel_one",  # activities
    shape("activityType primaryDescription"),
    ("time", _TIME, "createdAt"),
    ("action", readers.takes_deed(cloud_deeds.SENTINEL_ONE), "activityType"),
    ("actor", _NAME, "data.byUser data.username data.userName"),
    ("source_ip", _IP, "data.ipAddress"),
    ("outcome", readers.success_of_deed, "activityType"),
    ("message", mapped.take_message, "primaryDescription"),
    ("session", mapped.take_session, "id"),
)
DATABRICKS: Final = make_own(
    "databricks",
    shape("actionName serviceName userIdentity"),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "userIdentity.email userIdentity.subjectName"),
    ("source_ip", _IP, "sourceIPAddress"),
    ("type", mapped.takes_type("service"), "serviceName"),
    ("action", readers.takes_typed_deed(cloud_deeds.DATABRICKS, by_verb=True), "actionName"),
    ("outcome", readers.take_code, "response.statusCode"),
    ("reason", mapped.take_reason, "response.errorMessage"),
    ("target", _ACCOUNT, "requestParams.targetUserName requestParams.user_name"),
    ("session", mapped.take_session, "sessionId"),
)
PAGERDUTY: Final = make_own(
    "pagerduty",  # audit records
    shape("actors execution_context action root_resource"),
    ("time", _TIME, "execution_time"),
    ("actor", takes_within(_NAME, "summary", "id"), "actors"),
    ("source_ip", _IP, "execution_context.remote_address"),
    ("type", mapped.takes_type("resource"), "root_resource.type"),
    ("action", readers.takes_typed_deed(cloud_deeds.PAGERDUTY, by_verb=True), "action"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", None, "root_resource.summary root_resource.id"),
    ("session", mapped.take_session, "execution_context.request_id"),
)
GUARDDUTY: Final = make_own(
    "guardduty",
    shape("accountId type service resource severity"),
    ("time", _TIME, "updatedAt createdAt"),
    ("action", readers.take_alert, "type"),
    ("actor", _NAME, "resource.accessKeyDetails.userName"),
    ("source_ip", takes_within(_IP, *(f"action.{kind}.remoteIpDetails.ipAddressV4" for kind in (
        "awsApiCallAction", "networkConnectionAction", "kubernetesApiCallAction"))), "service"),
    ("reason", None, "type"),
    ("target", None, "arn"),
    ("session", mapped.take_session, "id"),
)  # fmt: skip

CLOUD_VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    CLOUDTRAIL, GOOGLE_CLOUD, MICROSOFT_365, AZURE, ENTRA_SIGN_IN, ENTRA_AUDIT, GOOGLE_WORKSPACE, OKTA, AUTH0, DUO,
    JUMPCLOUD, ONELOGIN, ONEPASSWORD_SIGN_IN, ONEPASSWORD_USAGE, ONEPASSWORD_AUDIT, BITWARDEN, SLACK, CLOUDFLARE,
    CLOUDFLARE_HTTP, SNOWFLAKE_QUERY, SALESFORCE, ATLASSIAN_ORG, ATLASSIAN, BOX, ZOOM, TAILSCALE, DROPBOX,
    PING_ONE, CROWDSTRIKE, GUARDDUTY, AWS_WAF, PAGERDUTY,
    DEFENDER, SENTINEL_ONE, DATABRICKS,
)  # fmt: skip
