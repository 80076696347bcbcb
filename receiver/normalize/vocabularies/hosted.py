"""What applications that people run for themselves note of who did what, as objects or as fields behind a text.

One vocabulary an application, recognised by the names at its top level, with its own words for deeds beside it. Knows
no values.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Outcome
from receiver.normalize.objects import mapped, product_readers, readers
from receiver.normalize.vocabularies.vocabulary import Vocabulary, either, make_own, shape

if TYPE_CHECKING:
    from receiver.normalize.objects.mapped import Convert, Mapped

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)
_TIME: Final = mapped.take_time
_NAME: Final = mapped.take_name
_IP: Final = mapped.take_address

# --- readers ---

_RDN = re.compile(r"(?:cn|uid|mail|samaccountname|userprincipalname)=([^,+=\\]{1,128})(?:,|$)", re.IGNORECASE)
_HADOOP_USER = re.compile(r"([^\s()]{1,200})(?: \(auth:[A-Z_]{1,20}\))?")
_BOTH_ENDS: Final = {
    "_NOT_CREATED": _FAILURE, "_FAILED": _FAILURE, "_FAILURE": _FAILURE, "_REJECTED": _FAILURE, "_DENIED": _FAILURE,
    "_SUCCESS": _SUCCESS, "_CREATED": _SUCCESS, "_DESTROYED": _SUCCESS, "_VALIDATED": _SUCCESS, "_GRANTED": _SUCCESS,
}  # fmt: skip


def _when_true(action: str, outcome: str) -> Convert:
    """Make the reader of a truth value that stands only where a login went so."""

    def take_when_true(mapped: Mapped, value: Any) -> bool:
        if mapped.action is None and value in (True, "true"):
            mapped.action, mapped.outcome = action, outcome
        return False

    return take_when_true


def _take_bind_dn(mapped: Mapped, value: Any) -> bool:
    """Take the name in a distinguished name; one that is none is a name by itself."""
    if type(value) is not str:
        return False
    found = _RDN.match(value)
    return _NAME(mapped, found[1]) and False if found else "=" not in value and _NAME(mapped, value)


def _take_hadoop_user(mapped: Mapped, value: Any) -> bool:
    """Take `alice (auth:SIMPLE)`; who acts through another (`… via …`) is not said by a name."""
    found = _HADOOP_USER.fullmatch(value) if type(value) is str else None
    return found is not None and _NAME(mapped, found[1]) and False


def _take_java_address(mapped: Mapped, value: Any) -> bool:
    """Take `/192.0.2.7` and `host/192.0.2.7`."""
    return type(value) is str and _IP(mapped, value.rpartition("/")[2]) and False


def _take_zookeeper_user(mapped: Mapped, value: Any) -> bool:
    """Take who was let in: addresses are those of clients that nobody asked who they are, several names several."""
    if type(value) is str and "," not in value and mapped.source_ip != value:
        return _NAME(mapped, value)
    return False


def _take_read_only(mapped: Mapped, value: Any) -> bool:
    """Take whether an operation of a management interface only reads."""
    if type(value) is bool and mapped.action is None:
        mapped.action = "api.read" if value else "config.change"
    return False


def _take_cas_end(mapped: Mapped, value: Any) -> bool:
    """Take the end of an action: `_FAILED`, `_CREATED`."""
    if mapped.outcome is None and type(value) is str:
        mapped.outcome = next((outcome for end, outcome in _BOTH_ENDS.items() if value.endswith(end)), None)
    return False


# --- who lets people in for others ---

CAS_DEEDS: Final = {
    **dict.fromkeys(("authentication_success", "authentication_failed", "authentication_failure"),
                    ("auth.login", None)),
    **dict.fromkeys(("ticket_granting_ticket_created", "ticket_granting_ticket_not_created"), ("session.open", None)),
    **dict.fromkeys(("ticket_granting_ticket_destroyed", "ticket_destroyed", "logout_success"), ("auth.logout", None)),
    **dict.fromkeys(("change_password_success", "change_password_failed"), ("account.password_change", None)),
    **dict.fromkeys(("account_registration_success", "account_registration_failed"), ("account.create", None)),
    **dict.fromkeys(("save_service_success", "save_service_failed", "delete_service_success", "delete_service_failed"),
                    ("config.change", None)),
}  # fmt: skip
CAS: Final = make_own(
    "cas",  # Inspektr's audit trail
    shape("who what action application when", any_of="clientIpAddress serverIpAddress"),
    ("time", _TIME, "when"),
    ("app", None, "application"),
    ("actor", lambda mapped, value: value != "audit:unknown" and _NAME(mapped, value), "who"),
    ("source_ip", _IP, "clientIpAddress"),
    ("action", readers.takes_deed(CAS_DEEDS), "action"),
    ("outcome", _take_cas_end, "action"),
)
GLAUTH_DEEDS: Final = {
    **dict.fromkeys(("bind success", "bind success using app pw", "bind success using app custom auth",
                     "anonymous bind success"), ("auth.login", _SUCCESS)),
    **dict.fromkeys(("invalid credentials", "invalid otp token", "unauthenticated bind rejected", "invalid otp",
                     "bind attempt on disabled account", "attempt to bind app custom auth failed"),
                    ("auth.login", _FAILURE)),
}  # fmt: skip
GLAUTH: Final = make_own(
    "glauth",
    shape("binddn src message"),
    ("time", _TIME, "time"),
    ("severity", mapped.take_level, "level"),
    ("actor", _take_bind_dn, "binddn"),
    ("source_ip", _IP, "src"),
    ("action", readers.takes_deed(GLAUTH_DEEDS), "message"),
    ("message", mapped.take_message, "message"),
)
KANIDM: Final = make_own(
    "kanidm",
    shape("AuthenticationDenied", only="AuthenticationDenied"),
    ("time", _TIME, "AuthenticationDenied.time"),
    ("actor", _NAME, "AuthenticationDenied.spn"),
    ("source_ip", _IP, "AuthenticationDenied.source.Https AuthenticationDenied.source.Ldaps"),
    ("action", readers.takes_always("auth.login", _FAILURE), "AuthenticationDenied"),
)
POMERIUM: Final = make_own(
    "pomerium",  # its checks of requests
    shape("service allow deny", any_of="check-request-id request-id"),
    ("time", _TIME, "time"),
    ("severity", mapped.take_level, "level"),
    ("app", None, "service"),
    ("actor", _NAME, "email user service-account-id"),
    ("source_ip", _IP, "ip"),
    ("action", readers.takes_always("http.request"), "method path message"),
    ("outcome", readers.take_failure, "deny"),
    ("outcome", readers.takes_truth(_SUCCESS, _FAILURE), "allow"),
    ("target", None, "path"),
    ("session", mapped.take_session, "session-id"),
    ("message", mapped.take_message, "message"),
)

# --- for people and their files ---

MINIFLUX: Final = make_own(
    "miniflux",
    shape("client_ip", any_of="authentication_failed authentication_successful"),
    ("time", _TIME, "time"),
    ("severity", mapped.take_level, "level"),
    ("actor", _NAME, "username"),
    ("source_ip", _IP, "client_ip"),
    ("action", _when_true("auth.login", _FAILURE), "authentication_failed"),
    ("action", _when_true("auth.login", _SUCCESS), "authentication_successful"),
    ("reason", mapped.take_reason, "error"),
    ("message", mapped.take_message, "msg message"),
)
SFTPGO_DEEDS: Final = {
    "connection_failed": ("auth.login", _FAILURE),
    "login": ("auth.login", _SUCCESS),
    "upload": ("file.create", None),  # noted when it ends, well or not
    "download": ("file.read", None),
    **dict.fromkeys(("remove", "rmdir"), ("file.delete", _SUCCESS)),
    **dict.fromkeys(("mkdir", "symlink", "copy"), ("file.create", _SUCCESS)),
    "rename": ("file.rename", _SUCCESS),
    "chmod": ("file.set_perm", _SUCCESS),
    **dict.fromkeys(("chown", "chtimes", "truncate"), ("file.set_attr", _SUCCESS)),
    "sshcommand": ("command.exec", _SUCCESS),
}
SFTPGO: Final = make_own(
    "sftpgo",
    either(
        shape("sender username protocol", any_of="client_ip remote_addr"),
        shape("sender username ip method protocol"),
    ),
    ("time", _TIME, "time"),
    ("severity", mapped.take_level, "level"),
    ("actor", _NAME, "username"),
    ("source_ip", _IP, "client_ip remote_addr ip"),
    ("action", readers.takes_deed(SFTPGO_DEEDS), "sender"),
    ("target", mapped.takes_typed("command"), "ssh_command"),
    ("target", mapped.takes_typed("file"), "file_path"),
    ("reason", mapped.take_reason, "error"),
    ("session", mapped.take_session, "connection_id"),
    ("message", mapped.take_message, "message"),
)
_OWNCLOUD: Final = {
    "user_created": "account.create", "user_deleted": "account.delete", "user_feature_changed": "account.update",
    "group_created": "group.create", "group_deleted": "group.delete", "group_member_added": "group.member_add",
    "group_member_removed": "group.member_remove", "file_create": "file.create", "container_create": "file.create",
    "file_read": "file.read", "file_delete": "file.delete", "file_trash_delete": "file.delete",
    "file_rename": "file.rename", "file_trash_restore": "file.create", "file_version_restore": "file.update",
    "file_shared": "privilege.grant", "file_unshared": "privilege.revoke", "space_shared": "privilege.grant",
    "space_unshared": "privilege.revoke", "share_permission_updated": "privilege.grant",
}  # fmt: skip
OWNCLOUD: Final = make_own(
    "owncloud",  # oCIS and OpenCloud, and ownCloud's admin_audit
    shape("RemoteAddr User URL Method Action CLI Message"),
    ("time", _TIME, "Time"),
    ("app", None, "App"),
    ("actor", lambda mapped, value: value not in ("cron", "CLI") and not str(value).startswith("IP ")
        and _NAME(mapped, value), "User"),
    ("source_ip", _IP, "RemoteAddr"),
    ("action", readers.takes_deed({deed: (action, None) for deed, action in _OWNCLOUD.items()}), "Action"),
    ("outcome", readers.takes_truth(_SUCCESS, _FAILURE), "Success"),
    ("outcome", readers.success_of_deed, "Action"),
    ("target", product_readers.take_changed_account, "UserID"),
    ("target", mapped.takes_typed("group"), "GroupID"),
    ("target", mapped.takes_typed("file"), "Path FileID"),
    ("message", mapped.take_message, "Message"),
)  # fmt: skip
_PEERTUBE: Final = {
    "users create": ("account.create", _SUCCESS),
    "users update": ("account.update", _SUCCESS),
    "users delete": ("account.delete", _SUCCESS),
    "config update": ("config.change", _SUCCESS),
    "config delete": ("config.change", _SUCCESS),
}
PEERTUBE: Final = make_own(
    "peertube",  # peertube-audit.log
    shape("user domain action", none_of="ip event message msg result"),
    ("actor", _NAME, "user"),
    ("type", mapped.takes_type("object"), "domain"),
    ("action", readers.takes_typed_deed(_PEERTUBE, by_verb=True), "action"),
    ("outcome", readers.success_of_deed, "action"),
    ("target", mapped.takes_typed("account"), "user-username"),
    ("target", mapped.takes_typed("video"), "video-name video-uuid"),
)

# --- what runs things for people ---

N8N_DEEDS: Final = {
    f"n8n.audit.{name}": (action, outcome)
    for name, action, outcome in (
        ("user.login.success", "auth.login", _SUCCESS),
        ("user.login.failed", "auth.login", _FAILURE),
        ("user.signedup", "account.create", _SUCCESS),
        ("user.invited", "account.create", _SUCCESS),
        ("user.updated", "account.update", _SUCCESS),
        ("user.deleted", "account.delete", _SUCCESS),
        ("user.mfa.enabled", "account.mfa_enable", _SUCCESS),
        ("user.mfa.disabled", "account.mfa_disable", _SUCCESS),
        ("user.reset", "account.password_reset", _SUCCESS),
        ("user.api.created", "api.create", _SUCCESS),
        ("user.api.deleted", "api.delete", _SUCCESS),
        ("user.credentials.created", "secret.write", _SUCCESS),
        ("user.credentials.updated", "secret.write", _SUCCESS),
        ("user.credentials.deleted", "secret.delete", _SUCCESS),
        ("workflow.created", "api.create", _SUCCESS),
        ("workflow.updated", "api.update", _SUCCESS),
        ("workflow.deleted", "api.delete", _SUCCESS),
        ("workflow.executed", "process.start", _SUCCESS),
        ("package.installed", "package.install", _SUCCESS),
        ("package.updated", "package.update", _SUCCESS),
        ("package.deleted", "package.remove", _SUCCESS),
    )
}
N8N: Final = make_own(
    "n8n",  # its event bus: who did it, whomever it was done to
    shape("__type eventName payload", any_of="id ts"),
    ("time", _TIME, "ts"),
    ("action", readers.takes_deed(N8N_DEEDS), "eventName"),
    ("actor", _NAME, "payload._email payload.userEmail payload.userId"),
    ("source_ip", _IP, "payload.ipAddress"),
    ("reason", mapped.take_reason, "payload.reason"),
    ("target", mapped.takes_typed("account"), "payload.targetUserId"),
    ("target", mapped.takes_typed("workflow"), "payload.workflowName payload.workflowId"),
    ("session", mapped.take_session, "id"),
)
NODE_RED_DEEDS: Final = {
    "auth.login": ("auth.login", _SUCCESS),
    **dict.fromkeys((f"auth.login.fail.{why}" for why in ("credentials", "permissions", "oauth")),
                    ("auth.login", _FAILURE)),
    "auth.invalid-token": ("auth.login", _FAILURE),
    "auth.login.revoke": ("auth.logout", _SUCCESS),
    **dict.fromkeys(("flows.set", "flow.add", "flow.update", "flow.remove"), ("config.change", _SUCCESS)),
}  # fmt: skip
NODE_RED: Final = make_own(
    "node_red",
    either(
        shape("event level timestamp username", any_of="client scope", only="""
            event level timestamp username client scope user path ip message
        """),
        shape("event level timestamp user path ip", only="type message nodes module"),
    ),
    ("time", _TIME, "timestamp"),
    ("actor", _NAME, "username user.username"),
    ("source_ip", _IP, "ip"),
    ("action", readers.takes_deed(NODE_RED_DEEDS, by_words=True), "event"),
)

WILDFLY: Final = make_own(
    "wildfly",  # the management interface's audit log
    shape("r/o booting version user access success ops"),
    ("actor", _NAME, "user"),
    ("source_ip", _take_java_address, "remote-address"),
    ("action", _take_read_only, "r/o"),
    ("outcome", mapped.take_answer, "success"),
)

# --- Hadoop and what belongs to it: fields with tabs between them ---

_HDFS: Final = {
    "file.read": "open getfileinfo liststatus contentsummary getaclstatus getxattrs checkaccess",
    "file.create": "create mkdirs createsymlink",
    "file.update": "append concat truncate",
    "file.delete": "delete",
    "file.rename": "rename",
    "file.set_perm": "setpermission setacl modifyaclentries removeacl removeaclentries removedefaultacl",
    "file.set_attr": "setowner settimes setreplication setxattr removexattr setstoragepolicy setquota",
}
HDFS: Final = make_own(
    "hdfs",  # FSNamesystem.audit
    shape("allowed ugi ip cmd"),
    ("actor", _take_hadoop_user, "ugi"),
    ("source_ip", _take_java_address, "ip"),
    ("action", readers.takes_deed(
        {cmd: (action, None) for action, cmds in _HDFS.items() for cmd in cmds.split()}), "cmd"),
    ("outcome", readers.takes_outcome("true", "false"), "allowed"),
    ("target", mapped.takes_typed("file"), "src"),
)  # fmt: skip
YARN_DEEDS: Final = {
    "submit application request": ("process.start", None),
    "kill application request": ("process.stop", None),
}
YARN: Final = make_own(
    "yarn",  # RMAuditLogger and NMAuditLogger
    shape("USER OPERATION TARGET RESULT"),
    ("actor", _take_hadoop_user, "USER"),
    ("source_ip", _take_java_address, "IP"),
    ("action", readers.takes_deed(YARN_DEEDS), "OPERATION"),
    ("outcome", readers.takes_outcome("success", "failure"), "RESULT"),
    ("reason", mapped.take_reason, "DESCRIPTION"),
    ("target", mapped.takes_typed("application"), "APPID"),
)
METASTORE: Final = make_own(
    "metastore",  # HiveMetaStore.audit
    shape("ugi ip cmd", none_of="allowed"),
    ("actor", _take_hadoop_user, "ugi"),
    ("source_ip", _take_java_address, "ip"),
    ("action", readers.takes_beginning({
        "get_": ("data.query", None), "create_": ("data.write", None), "drop_": ("data.write", None),
        "alter_": ("data.write", None), "add_": ("data.write", None), "source:": ("data.query", None),
        "grant_": ("privilege.grant", None), "revoke_": ("privilege.revoke", None),
    }), "cmd"),
)  # fmt: skip
ZOOKEEPER_DEEDS: Final = {
    **dict.fromkeys(("create", "setdata", "multioperation"), ("data.write", None)),
    "delete": ("data.write", None),
    "setacl": ("privilege.grant", None),
    "reconfig": ("config.change", None),
    "serverstart": ("service.start", None),
    "serverstop": ("service.stop", None),
}
ZOOKEEPER: Final = make_own(
    "zookeeper",
    shape("user operation result", any_of="session znode ip", none_of="action event message"),
    ("source_ip", _take_java_address, "ip"),
    ("actor", _take_zookeeper_user, "user"),
    ("action", readers.takes_deed(ZOOKEEPER_DEEDS), "operation"),
    ("outcome", readers.takes_outcome("success", "failure"), "result"),
    ("target", mapped.takes_typed("znode"), "znode"),
    ("session", mapped.take_session, "session"),
)

HOSTED_VOCABULARIES: Final[tuple[Vocabulary, ...]] = (
    CAS, GLAUTH, KANIDM, POMERIUM, MINIFLUX, SFTPGO, OWNCLOUD, PEERTUBE, N8N, NODE_RED, WILDFLY, HDFS, YARN, METASTORE,
    ZOOKEEPER,
)  # fmt: skip
