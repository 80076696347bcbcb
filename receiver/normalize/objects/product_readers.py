"""Converters for values that mean something in one product only: osquery, Windows, Wazuh, OCSF, MongoDB.

Knows how these products put their facts together; see `readers.py` for what all of them share.
"""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Outcome
from receiver.normalize.address import parse_ip
from receiver.normalize.objects import mapped as usual
from receiver.normalize.objects.envelopes import open_envelope
from receiver.normalize.objects.mapped import NOBODY, Mapped
from receiver.normalize.objects.readers import (
    success_of_deed,
    take_api_verb,
    take_code,
    take_first_address,
    takes_beginning,
    takes_deed,
    takes_json,
    takes_outcome,
    takes_typed_deed,
)
from receiver.normalize.rules.record import AUDIT_TYPES
from receiver.normalize.vocabularies import deeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.normalize.objects.mapped import Convert

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)
_take_account: Final = usual.takes_typed("account")
_take_group: Final = usual.takes_typed("group")


def take_subject_of_deed(mapped: Mapped, value: Any) -> bool:
    """Take the user an event is about: who logs in or acts, but whom an account's or a group's change was done to."""
    if mapped.action is not None and mapped.action.startswith(usual.DONE_TO_USERS):
        return _take_account(mapped, value)
    return usual.take_name(mapped, value)


def take_changed_account(mapped: Mapped, value: Any) -> bool:
    """Take the account that something was done to; of a login that is who logs in."""
    if mapped.action is not None and mapped.action.startswith(usual.DONE_TO_USERS):
        _take_account(mapped, value)
    return False


def take_subject_of_login(mapped: Mapped, value: Any) -> bool:
    """Take who logs in or out."""
    return mapped.action is not None and mapped.action.startswith("auth.") and usual.take_name(mapped, value) and False


def take_365_object(mapped: Mapped, value: Any) -> bool:
    """Take what was acted on: an account or a group by name, a file by address."""
    if type(value) is str and value not in NOBODY and mapped.target is None and mapped.action is not None:
        if mapped.action.startswith("account."):
            mapped.target = f"account:{value}"
        elif mapped.action.startswith("file."):
            mapped.target = f"file:{value}"
        elif not mapped.action.startswith("auth."):
            mapped.target = value
    return False


def take_address_of_login(mapped: Mapped, value: Any) -> bool:
    """Take where a login came from; of other deeds it is the other end."""
    if mapped.action is not None and mapped.action.startswith("auth."):
        usual.take_address(mapped, value)
    return False


# --- Windows ---

_CHANNEL: Final = "channel"


def see_windows_channel(mapped: Mapped, value: Any) -> bool:
    """See a channel or a provider whose events have numbers of their own."""
    if type(value) is str and mapped.object_type is None:
        names = re.split(r"[-/ ]", value.lower())
        found = next((name for name in deeds.WINDOWS_CHANNELS if name in names), None)
        if found is not None:
            mapped.object_type = (_CHANNEL, found)
        elif value.lower() in _CHANNELS_OF_PROGRAMS:
            mapped.object_type = (_PROGRAMS, "")
    return False


_PROGRAMS: Final = "programs"
_CHANNELS_OF_PROGRAMS: Final = frozenset({"application", "setup"})
"""Where any program numbers its events as it likes."""


def _is_of_channel(mapped: Mapped) -> bool:
    return mapped.object_type is not None and mapped.object_type[0] == _CHANNEL


def take_windows_deed(mapped: Mapped, value: Any) -> bool:
    """Take the number of an event: of such a channel, else of Security."""
    if mapped.object_type is not None and mapped.object_type[0] == _PROGRAMS:
        return False
    kind = mapped.object_type[1] if mapped.object_type is not None and _is_of_channel(mapped) else None
    return _WINDOWS_DEEDS[kind](mapped, value)


_WINDOWS_DEEDS: Final[dict[str | None, Convert]] = {
    None: takes_deed(deeds.WINDOWS),
    **{channel: takes_deed(table) for channel, table in deeds.WINDOWS_CHANNELS.items()},
}


def take_windows_actor(mapped: Mapped, value: Any) -> bool:
    """Take whose process or session it is, without the domain."""
    if _is_of_channel(mapped) and type(value) is str:
        usual.take_name(mapped, value.rpartition("\\")[2])
    return False


def take_windows_address(mapped: Mapped, value: Any) -> bool:
    """Take where a session or a connection came from."""
    return _is_of_channel(mapped) and usual.take_address(mapped, value) and False


def take_windows_port(mapped: Mapped, value: Any) -> bool:
    """Take the port a connection came from."""
    return _is_of_channel(mapped) and usual.take_port(mapped, value) and False


def takes_windows_object(kind: str) -> Convert:
    """Make the reader of what a process did something to, or was started as."""
    typed = usual.takes_typed(kind)

    def take_windows_object(mapped: Mapped, value: Any) -> bool:
        return _is_of_channel(mapped) and typed(mapped, value) and False

    return take_windows_object



def take_windows_subject(mapped: Mapped, value: Any) -> bool:
    """Take the user who caused a Windows event; of a login that is the machine."""
    if mapped.action is not None and mapped.action.startswith(("auth.", "session.")) and mapped.action != "auth.switch":
        return False
    return type(value) is str and usual.take_name(mapped, value)


def take_windows_comer(mapped: Mapped, value: Any) -> bool:
    """Take the name that a shipper gave who logs in or out: it has left off the realm."""
    is_coming = mapped.action in {"auth.login", "auth.logout"} and type(value) is str
    return is_coming and "\\" not in value and usual.take_name(mapped, value) and False


def take_windows_target(mapped: Mapped, value: Any) -> bool:
    """Take the user a Windows event is about: of a login who logs in, else whom it was done to."""
    if type(value) is not str or value in NOBODY or mapped.action is None:
        return False
    if mapped.action == "auth.switch":
        mapped.actor_as = mapped.actor_as or value
    elif mapped.action.startswith(("auth.", "session.")):
        usual.take_name(mapped, value)
    elif mapped.action.startswith("account."):
        _take_account(mapped, value)
    elif mapped.action.startswith("group."):
        _take_group(mapped, value)
    return False


def take_windows_user(mapped: Mapped, value: Any) -> bool:
    """Take the user that a shipper found in a Windows event of no known kind, or in one without its data."""
    if type(value) is str:
        value = value.rpartition("\\")[2]
    if mapped.action is None or not mapped.action.startswith(usual.DONE_TO_USERS):
        return usual.take_name(mapped, value) and False
    return False


def take_windows_account(mapped: Mapped, value: Any) -> bool:
    """Take the account in an event's data, of a known kind: in others it may be the one a service is to run as."""
    return mapped.action is not None and take_windows_user(mapped, value)


def take_windows_keywords(mapped: Mapped, value: Any) -> bool:
    """Take the audit keyword of an event: as a word, as the only text of a list, or as bits."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    if type(value) is str:
        value = value.lower().replace(" ", "_")
    if mapped.outcome is None and type(value) in {str, int}:
        mapped.outcome = _AUDIT_KEYWORDS.get(value)
    return False


_AUDIT_KEYWORDS: Final[dict[Any, str]] = {
    **dict.fromkeys(("audit_success", "0x8020000000000000", 0x8020000000000000 - 2**64), _SUCCESS),
    **dict.fromkeys(("audit_failure", "0x8010000000000000", 0x8010000000000000 - 2**64), _FAILURE),
}


def take_windows_data(mapped: Mapped, value: Any) -> bool:
    """Take an event's data as XML has it: a list of names and texts."""
    pairs = value.get("Data") if type(value) is dict else None
    if type(pairs) is not list:
        return False
    data: dict[str, Any] = {}
    for pair in pairs[:64]:
        name = pair.get("Name", pair.get("@Name")) if type(pair) is dict else None
        if type(name) is str:
            text = pair.get("#text", pair.get("text"))
            data[name] = text if data.get(name, text) == text else None
    take_windows_subject(mapped, data.get("SubjectUserName"))
    take_windows_target(mapped, data.get("TargetUserName"))
    take_windows_member(mapped, data.get("MemberName"))
    usual.take_address(mapped, data.get("IpAddress"))
    usual.take_port(mapped, data.get("IpPort"))
    return False


def take_windows_member(mapped: Mapped, value: Any) -> bool:
    """Take who came into a group or left it, by its distinguished name."""
    if type(value) is str and mapped.action is not None and mapped.action.startswith("group.member_"):
        name = value.partition(",")[0].rpartition("=")[2]
        if name not in NOBODY:
            mapped.target = f"account:{name}"
    return False


# --- osquery ---


def see_osquery_change(mapped: Mapped, value: Any) -> bool:
    """See if a row came or went."""
    if type(value) is str and value in {"added", "removed", "snapshot"} and mapped.object_type is None:
        mapped.object_type = ("osquery", value)
    return False


def take_osquery(mapped: Mapped, value: Any) -> bool:
    """Take a row; the columns tell its table, since queries are called as their operators like."""
    if type(value) is not dict:
        return False
    names = frozenset(value)
    for wanted, read in _OSQUERY_TABLES:
        if wanted <= names:
            read(mapped, value, mapped.object_type[1] if mapped.object_type else "added")
            break
    return False


def take_osquery_snapshot(mapped: Mapped, value: Any) -> bool:
    """Take a snapshot of one row."""
    if type(value) is list and len(value) == 1:
        mapped.object_type = ("osquery", "snapshot")
        take_osquery(mapped, value[0])
    return False


def take_osquery_difference(mapped: Mapped, value: Any) -> bool:
    """Take the only row that came or went."""
    lists = [(change, value.get(change)) for change in ("added", "removed")] if type(value) is dict else []
    rows = [(change, row) for change, rows in lists if type(rows) is list for row in rows]
    if len(rows) == 1:
        mapped.object_type = ("osquery", rows[0][0])
        take_osquery(mapped, rows[0][1])
    return False


def _read_user_event(mapped: Mapped, row: dict[str, Any], _change: str) -> None:
    kind = AUDIT_TYPES.get(int(row["type"])) if str(row["type"]).isdecimal() and len(str(row["type"])) < 5 else None
    found = deeds.OSQUERY_USER_EVENTS.get(kind or "")
    if found is not None:
        mapped.action = found
    message = row.get("message")
    named = _ACCT.findall(message) if type(message) is str else []
    if len(named) == 1 and found is not None:
        is_switch = str(row.get("path")).rpartition("/")[2] in _SWITCHERS
        if found.startswith(("auth.", "session.")) and not is_switch:
            usual.take_name(mapped, named[0])  # at a door nobody has logged in yet
        elif found.startswith("account."):
            _take_account(mapped, named[0])
    usual.take_name(mapped, row.get("username") or row.get("user") or row.get("auid"))
    usual.take_address(mapped, row.get("address"))
    if type(message) is str and message.endswith(("res=success'", "res=success", "res=1")):
        mapped.outcome = _SUCCESS
    elif type(message) is str and message.endswith(("res=failed'", "res=failed", "res=0")):
        mapped.outcome = _FAILURE


_ACCT: Final = re.compile(r' acct="([^"]{1,64})"')
_SWITCHERS: Final = frozenset({"su", "sudo", "runuser", "pkexec", "doas"})


def _read_last(mapped: Mapped, row: dict[str, Any], _change: str) -> None:
    kinds = {"7": "session.open", "user": "session.open", "8": "session.close", "dead": "session.close"}
    _read_session(mapped, row, kinds.get(str(row.get("type_name") or row.get("type"))), "username")


def _read_logged_in(mapped: Mapped, row: dict[str, Any], change: str) -> None:
    action = {"added": "session.open", "removed": "session.close"}.get(change)
    _read_session(mapped, row, action if row["type"] == "user" else None, "user")


def _read_session(mapped: Mapped, row: dict[str, Any], action: str | None, name: str) -> None:
    mapped.action = action
    usual.take_name(mapped, row.get(name))
    usual.take_address(mapped, row.get("host"))
    if action is not None:
        mapped.outcome = _SUCCESS


def _read_account(mapped: Mapped, row: dict[str, Any], change: str) -> None:
    mapped.action = {"added": "account.create", "removed": "account.delete"}.get(change)
    _take_account(mapped, row["username"])
    mapped.outcome = _SUCCESS if mapped.action else None


def _read_group(mapped: Mapped, row: dict[str, Any], change: str) -> None:
    mapped.action = {"added": "group.create", "removed": "group.delete"}.get(change)
    _take_group(mapped, row["groupname"])
    mapped.outcome = _SUCCESS if mapped.action else None


def _read_process(mapped: Mapped, row: dict[str, Any], change: str) -> None:
    if row.get("event_type") == "exit":
        mapped.action = "process.stop"
    elif change == "added":
        mapped.action = "process.start"
    usual.take_name(mapped, row.get("username") or row.get("auid") or row.get("uid"))
    usual.takes_typed("command")(mapped, row.get("cmdline") or row.get("path"))
    usual.take_pid(mapped, row.get("pid"))


def _read_shell(mapped: Mapped, row: dict[str, Any], change: str) -> None:
    if change == "added":
        mapped.action = "command.exec"
    usual.take_name(mapped, row.get("username") or row.get("uid"))
    usual.takes_typed("command")(mapped, row.get("command"))


def _read_file(mapped: Mapped, row: dict[str, Any], _change: str) -> None:
    mapped.action = deeds.OSQUERY_FILES.get(str(row["action"]))
    usual.takes_typed("file")(mapped, row["target_path"])


def _read_socket(mapped: Mapped, row: dict[str, Any], _change: str) -> None:
    if row["action"] == "connect":
        mapped.action = "net.connect"
        usual.takes_typed("address")(mapped, row.get("remote_address"))
    usual.take_name(mapped, row.get("username") or row.get("auid"))
    mapped.outcome = {"1": _SUCCESS, "0": _FAILURE}.get(str(row.get("success")))


def _read_syslog(mapped: Mapped, row: dict[str, Any], _change: str) -> None:
    """Read a line of syslog: its text is its program's, whatever the query is called."""
    usual.take_tag(mapped, row["tag"])
    if type(row["message"]) is str:
        usual.take_message(mapped, row["message"].removeprefix(" ") if mapped.app != "sudo" else row["message"])


_OSQUERY_TABLES: Final = (
    (frozenset({"facility", "tag", "message"}), _read_syslog),
    (frozenset({"auid", "message", "type"}), _read_user_event),
    (frozenset({"username", "tty", "type", "host"}), _read_last),
    (frozenset({"user", "tty", "type"}), _read_logged_in),
    (frozenset({"action", "target_path"}), _read_file),
    (frozenset({"action", "remote_address", "family"}), _read_socket),
    (frozenset({"username", "uid", "shell"}), _read_account),
    (frozenset({"username", "uid", "directory"}), _read_account),
    (frozenset({"gid", "groupname"}), _read_group),
    (frozenset({"command", "history_file"}), _read_shell),
    (frozenset({"cmdline", "path", "parent", "auid"}), _read_process),
    (frozenset({"cmdline", "path", "parent", "eid"}), _read_process),
    (frozenset({"cmdline", "path", "username", "event_type"}), _read_process),
)  # fmt: skip


# --- Wazuh ---


def take_wazuh_groups(mapped: Mapped, value: Any) -> bool:
    """Take the groups of the rule that fired: some say what the line was about."""
    if mapped.action is None and type(value) is list:
        for group in value[:16]:
            found = deeds.WAZUH_GROUPS.get(group) if type(group) is str else None
            if found is not None:
                mapped.action, mapped.outcome = found[0], mapped.outcome or found[1]
                break
    return False


def take_wazuh_user(mapped: Mapped, value: Any) -> bool:
    """Take srcuser, then dstuser: of su and sudo who became whom; else who logs in, or whom it was done to."""
    if mapped.actor is not None and mapped.action in {"auth.switch", "command.exec", "session.open"}:
        if type(value) is str and value not in NOBODY and value != mapped.actor:
            mapped.actor_as = mapped.actor_as or value
        return False
    return take_subject_of_deed(mapped, value) and False


def take_wazuh_description(mapped: Mapped, value: Any) -> bool:
    """Take how a deed ended from the first word of the rule's own sentence."""
    if mapped.action not in {None, "detect.alert"} and mapped.outcome is None and type(value) is str:
        word = value.partition(" ")[0]
        mapped.outcome = _SUCCESS if word == "Successful" else _FAILURE if word in {"Failed", "Unsuccessful"} else None
    return False


# --- OCSF ---

_OCSF_OF_USERS: Final = frozenset({"3001", "3003", "3005", "3006", "3007"})


def see_ocsf_class(mapped: Mapped, value: Any) -> bool:
    """See the class of an event: what its user did, or what was done to them."""
    if type(value) is int or type(value) is float:
        mapped.object_type = ("class", f"{value:g}")
    return False


def take_ocsf_activity(mapped: Mapped, value: Any) -> bool:
    """Take the activity within its class, where `type_uid` did not say both."""
    if mapped.object_type is not None and type(value) is int and 0 <= value < 100:
        takes_deed(deeds.OCSF)(mapped, f"{mapped.object_type[1]}{value:02d}")
    return False


def take_ocsf_user(mapped: Mapped, value: Any) -> bool:
    """Take the user of an event: who logs in, but whom an account's or a group's change was done to."""
    name = _ocsf_name(value)
    if _is_done_to_a_user(mapped):
        _take_account(mapped, name)
    else:
        usual.take_name(mapped, name)
    return False


def take_ocsf_actor(mapped: Mapped, value: Any) -> bool:
    """Take who did it; of a login that is the user, and the actor may be the service they came by."""
    is_login = mapped.object_type is not None and mapped.object_type[1] == "3002"
    if type(value) is dict and not is_login:
        _take_ocsf_actor(mapped, value)
    return False


def take_ocsf_late_actor(mapped: Mapped, value: Any) -> bool:
    """Take who did it where no user is named."""
    if type(value) is dict and mapped.actor is None:
        _take_ocsf_actor(mapped, value)
    return False


def _take_ocsf_actor(mapped: Mapped, actor: dict[str, Any]) -> None:
    process = actor.get("process")
    for user in (actor.get("user"), process.get("user") if type(process) is dict else None):
        usual.take_name(mapped, _ocsf_name(user))
    usual.take_name(mapped, actor.get("invoked_by"))


def _ocsf_name(user: Any) -> Any:
    if type(user) is not dict:
        return None
    names = (user.get(name) for name in ("name", "email_addr", "uid"))
    return next((name for name in names if type(name) is str and name not in NOBODY), None)


def _is_done_to_a_user(mapped: Mapped) -> bool:
    if mapped.object_type is not None and mapped.object_type[1] in _OCSF_OF_USERS:
        return True
    return mapped.action is not None and mapped.action.startswith(usual.DONE_TO_USERS)


# --- PostgreSQL ---

_take_beginning: Final = takes_beginning(deeds.POSTGRESQL)
_PGAUDIT: Final = re.compile(r"AUDIT: (?:SESSION|OBJECT),\d+,\d+,([A-Z]+),([A-Z ]{0,40}),")


def take_postgresql(mapped: Mapped, value: Any) -> bool:
    """Take how a message begins."""
    take_pgaudit(mapped, value)
    if type(value) is str and value.startswith(_POSTGRESQL_DENIED):
        mapped.action = mapped.action or "data.query"
    return _take_beginning(mapped, value)


_POSTGRESQL_DENIED: Final = ("permission denied for ", "permission denied to ", "must be owner of ")


def take_pgaudit(mapped: Mapped, value: Any) -> bool:
    """Take the class and command of pgaudit's line, which stand before any word of the statement."""
    found = _PGAUDIT.match(value) if type(value) is str and mapped.action is None else None
    if found:
        deed = deeds.PGAUDIT.get(f"{found[1]},{found[2]}") or deeds.PGAUDIT.get(found[1])
        mapped.action = deed[0] if deed else None
    return False


# --- Nextcloud, Google ---

_take_nextcloud_beginning: Final = takes_beginning(deeds.NEXTCLOUD)
_NEXTCLOUD_FILE: Final = re.compile(
    r'File with id "\d{1,20}" (accessed|created|written to|updated|deleted|renamed|copied)\b'
)
_NEXTCLOUD_SHARE: Final = re.compile(
    r'The (?:file|folder|calendar) ".{0,4000}" with ID "\d{1,20}" has been (shared|unshared) .{1,400} '
    r'\(Share ID: \d{1,20}\)'
)
_NEXTCLOUD_ACCOUNT: Final = re.compile(
    r'(?:User (?:created|deleted|enabled|disabled): "([^"]{1,255})"|Password of user "([^"]{1,255})" has been changed)'
)
_NEXTCLOUD_BIN: Final = re.compile(r'File ".{0,4000}" (deleted|restored) from trash bin\.')
_NEXTCLOUD_FACTOR: Final = re.compile(
    r"Two factor provider .{1,100} (enabled|disabled) for user .{1,300} \(([^()]{1,64})\)"
)
_NEXTCLOUD_GROUP: Final = re.compile(r'User "([^"]{1,255})" (added to|removed from) group "[^"]{1,255}"')


def take_nextcloud(mapped: Mapped, value: Any) -> bool:
    """Take how an audit message begins; of a group's, whole, who came or left."""
    _take_nextcloud_beginning(mapped, value)
    if type(value) is not str:
        return False
    account = _NEXTCLOUD_ACCOUNT.fullmatch(value)
    if account:
        _take_account(mapped, account[1] or account[2])
    if mapped.action is not None:
        return False
    file = _NEXTCLOUD_FILE.match(value)
    group = _NEXTCLOUD_GROUP.fullmatch(value)
    share = _NEXTCLOUD_SHARE.fullmatch(value)
    if file:
        mapped.action, mapped.outcome = deeds.NEXTCLOUD_FILES[file[1]]
    elif group:
        mapped.action = "group.member_add" if group[2] == "added to" else "group.member_remove"
        mapped.outcome = _SUCCESS
        _take_account(mapped, group[1])
    elif share:
        mapped.action = "privilege.grant" if share[1] == "shared" else "privilege.revoke"
        mapped.outcome = _SUCCESS
    else:
        _take_nextcloud_other(mapped, value)
    return False


def _take_nextcloud_other(mapped: Mapped, value: str) -> None:
    """Take what was done to the bin, and to whose second factor."""
    found = _NEXTCLOUD_BIN.fullmatch(value)
    factor = _NEXTCLOUD_FACTOR.fullmatch(value)
    if found:
        mapped.action, mapped.outcome = ("file.delete" if found[1] == "deleted" else "file.create"), _SUCCESS
    elif factor:
        mapped.action = "account.mfa_enable" if factor[1] == "enabled" else "account.mfa_disable"
        mapped.outcome = _SUCCESS
        _take_account(mapped, factor[2])


def success_of_workspace(mapped: Mapped, value: Any) -> bool:
    """Take what an administrator did for done; a login's challenge is not yet a login."""
    return mapped.action != "auth.login" and success_of_deed(mapped, value)


# --- Teleport, Docker, AWS ---


_AWS_SSO: Final = re.compile(r"arn:[a-z-]{3,12}:sts::\d{1,20}:assumed-role/AWSReservedSSO_[^/]{1,128}/([^/]{1,128})")


def take_aws_person(mapped: Mapped, value: Any) -> bool:
    """Take who stands behind a role that IAM Identity Center gives: it names the session itself. And root has no name.

    The sessions of all other roles are named by who takes the role, as they like.
    """
    kind, arn = (value.get("type"), value.get("arn")) if type(value) is dict else (None, None)
    person = _AWS_SSO.fullmatch(arn) if type(arn) is str else None
    if person is not None:
        usual.take_name(mapped, person[1])
    elif kind == "Root" and not value.get("userName"):
        usual.take_name(mapped, "root")
    return False


def take_aws_account(mapped: Mapped, value: Any) -> bool:
    """Take the number of another account: of those no more is said."""
    if type(value) is dict and value.get("type") == "AWSAccount":
        usual.take_name(mapped, value.get("accountId"))
    return False



def take_teleport_code(mapped: Mapped, value: Any) -> bool:
    """Take the end of a code: I of an event that went well, W and E of one that did not."""
    if mapped.outcome is None and type(value) is str and value[:1] == "T":
        mapped.outcome = {"I": _SUCCESS, "W": _FAILURE, "E": _FAILURE}.get(value[-1])
    return False


def take_docker_action(mapped: Mapped, value: Any) -> bool:
    """Take what happened to a container, an image, …; of `exec_start: sh -c id` the command as well."""
    if type(value) is str:
        name, _, command = value.partition(": ")
        _take_docker_deed(mapped, name)
        if command and mapped.action == "command.exec":
            usual.takes_typed("command")(mapped, command)
        mapped.outcome = mapped.outcome or _SUCCESS  # it happened; and its Actor is nobody, whatever is read of it
    return False


_take_docker_deed: Final = takes_typed_deed(deeds.DOCKER_EVENTS)


# --- Elasticsearch and OpenSearch ---


def take_elastic_privilege(mapped: Mapped, value: Any) -> bool:
    """Take what was asked for, by the name of what allows it: `indices:data/read/search`."""
    if type(value) is str and mapped.action is None:
        begins = (begin for begin in deeds.ELASTIC_PRIVILEGES if value.startswith(begin))
        mapped.action = deeds.ELASTIC_PRIVILEGES.get(next(begins, ""))
    return False


# --- MongoDB ---


def take_login_name(mapped: Mapped, value: Any) -> bool:
    """Take the name tried at a login, where nobody is known yet."""
    return mapped.action == "auth.login" and usual.take_name(mapped, value) and False


def take_zeek_client(mapped: Mapped, value: Any) -> bool:
    """Take who asked Kerberos, `name/REALM`: in other logs of Zeek's it is what a program calls itself."""
    return type(value) is str and "/" in value and " " not in value and usual.take_name(mapped, value)


_NEXTCLOUD_ATTEMPT: Final = re.compile(r'Login (?:attempt|failed|successful): "(.{1,256})"')
_NEXTCLOUD_FAILED: Final = re.compile(
    r"Login failed: (?:'(.{1,256})'|(.{1,256})) \(Remote IP: '?([0-9A-Fa-f.:]{2,45})'?"
    r"(?:, X-Forwarded-For: '[0-9A-Fa-f.:, ]*')?\)"
)
_LONGEST_ATTEMPT: Final = 400


def take_nextcloud_name(mapped: Mapped, value: Any) -> bool:
    """Take who tried to log in: what stands in Nextcloud's own frame, if that ends in the address of the caller."""
    if type(value) is not str or len(value) > _LONGEST_ATTEMPT:
        return False
    attempt, failed = _NEXTCLOUD_ATTEMPT.fullmatch(value), _NEXTCLOUD_FAILED.fullmatch(value)
    if attempt is not None:
        usual.take_name(mapped, attempt[1])
    elif failed is not None and failed[3] == mapped.source_ip:
        usual.take_name(mapped, failed[1] or failed[2])
    return False


def take_keycloak_account(mapped: Mapped, value: Any) -> bool:
    """Take the name of an account that was made, from the JSON that an admin sent: the path has but its id."""
    if mapped.action == "account.create" and type(value) is str:
        sent = open_envelope(value)
        if sent is not None:
            _take_account(mapped, sent.get("username"))
    return False


# --- OpenShift, Rancher, Vault ---


def take_openshift_login(mapped: Mapped, value: Any) -> bool:
    """Take who came to OpenShift's door: the request itself is nobody's yet."""
    if type(value) is not dict:
        return False
    said = {name.rpartition("/")[2]: each for name, each in _openshift_notes(value)}
    if "decision" in said:
        usual.take_name(mapped, said.get("username"))
        mapped.action = "auth.login"
        _take_openshift_decision(mapped, said["decision"])
    return False


def _openshift_notes(value: dict[str, Any]) -> list[tuple[str, Any]]:
    notes = [(name, each) for name, each in value.items() if name.startswith(_OPENSHIFT)]
    inner = value
    for name in ("authentication", "openshift"):  # of names with dots that were taken apart
        inner = inner.get(name, {})
        if type(inner) is not dict:
            return notes
    return notes or [(name, each) for name, each in inner.items() if name.startswith("io/")]


_OPENSHIFT: Final = "authentication.openshift.io/"
_take_openshift_decision: Final = takes_outcome("allow", "deny error")


def take_kubernetes_log(mapped: Mapped, value: Any) -> bool:
    """Take an event of Kubernetes' audit that Azure carries as a text among its own properties."""
    event = open_envelope(value) if type(value) is str else None
    if event is None or "auditID" not in event:
        return False
    user, thing, status = (event.get(name) for name in ("user", "objectRef", "responseStatus"))
    usual.take_name(mapped, user.get("username") if type(user) is dict else None)
    take_first_address(mapped, event.get("sourceIPs"))
    usual.takes_type("object")(mapped, thing.get("resource") if type(thing) is dict else None)
    take_api_verb(mapped, event.get("verb"))
    take_code(mapped, status.get("code") if type(status) is dict else None)
    usual.takes_target("object")(mapped, thing.get("name") if type(thing) is dict else None)
    return False


def take_rancher_login(mapped: Mapped, value: Any) -> bool:
    """Take a call to Rancher's public doors."""
    if type(value) is str and mapped.action is None:
        path, _, query = value.partition("?")
        if path.startswith("/v3-public/") and query == "action=login":
            mapped.action = "auth.login"
    return False


_RANCHER_USERS: Final = re.compile(r"/v3/(users)(?:/[^/?]{1,100})?")


def see_rancher_type(mapped: Mapped, value: Any) -> bool:
    """See that a call was about an account of Rancher's."""
    found = _RANCHER_USERS.fullmatch(value) if type(value) is str else None
    if found is not None:
        mapped.object_type = ("rancher", found[1])
    return False


def take_only_name(mapped: Mapped, value: Any) -> bool:
    """Take a name, alone or as the only one of a list."""
    return usual.take_name(mapped, value[0] if type(value) is list and len(value) == 1 else value) and False


def take_rancher_name(mapped: Mapped, value: Any) -> bool:
    """Take a name that is not Rancher's own word for nobody."""
    return value != "system:cattle:error" and usual.take_name(mapped, value)


def take_rancher_account(mapped: Mapped, value: Any) -> bool:
    """Take the name in the body of a call about an account."""
    if mapped.action is not None and mapped.action.startswith("account."):
        _take_account(mapped, value)
    return False


_INNER: Final = tuple(
    map(ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "fc00::/7", "::1"))
)
"""RFC 1918, RFC 4193 and the host itself."""


def take_forwarded_for(mapped: Mapped, value: Any) -> bool:
    """Take whom the last proxy saw, where the peer is one of the cluster: an ingress stands before Rancher."""
    value = value[-1] if type(value) is list and value else value
    address = parse_ip(value.rpartition(",")[2].strip()) if type(value) is str else None
    if address is not None and mapped.source_ip is not None:
        peer = ip_address(mapped.source_ip)
        if any(peer in network for network in _INNER):
            mapped.source_ip, mapped.source_port = address, None
    return False


_VAULT_LOGIN: Final = re.compile(r"auth/[^/]{1,100}/login/([^/]{1,256})")
_VAULT_ACCOUNT: Final = re.compile(r"auth/[^/]{1,100}/users/([^/]{1,256})(/password|/policies)?")


def take_vault_login(mapped: Mapped, value: Any) -> bool:
    """Take the name in the path of a login: of those who did not come in nothing else says it."""
    found = _VAULT_LOGIN.fullmatch(value) if type(value) is str else None
    return found is not None and usual.take_name(mapped, found[1]) and False


def take_vault_account(mapped: Mapped, value: Any) -> bool:
    """Take what was done to an account of Vault's own (userpass, ldap)."""
    path = value.get("path") if type(value) is dict else None
    found = _VAULT_ACCOUNT.fullmatch(path) if type(path) is str else None
    if found is not None and mapped.action is None:
        mapped.action = _VAULT_ACCOUNTS.get(f"{value.get('operation')}{found[2] or ''}")
        if mapped.action is not None:
            mapped.target = f"account:{found[1]}"
    return False


def take_vault_audit(mapped: Mapped, value: Any) -> bool:
    """Take whether one of Vault's own audit logs begins or ends."""
    path = value.get("path") if type(value) is dict else None
    if type(path) is str and path.startswith("sys/audit/") and mapped.action is None:
        mapped.action = _VAULT_AUDITS.get(str(value.get("operation")))
    return False


_VAULT_AUDITS: Final = {"create": "log.start", "update": "log.start", "delete": "log.stop"}
_VAULT_ACCOUNTS: Final = {
    "create": "account.create", "update": "account.update", "patch": "account.update", "delete": "account.delete",
    "create/password": "account.password_reset", "update/password": "account.password_reset",
    "create/policies": "account.update", "update/policies": "account.update",
}  # fmt: skip

# --- SQL ---

_STATEMENT: Final = re.compile(r"[\s'\"(]{0,8}([A-Za-z]{2,12})(?:\s{1,8}([A-Za-z]{2,12}))?(?![A-Za-z])")


def take_statement(mapped: Mapped, value: Any) -> bool:
    """Take how an SQL statement begins: `CREATE USER`, `SELECT`."""
    found = _STATEMENT.match(value[:200]) if type(value) is str and mapped.action is None else None
    if found is not None:
        first, second = found[1].lower(), (found[2] or "").lower()
        mapped.action = deeds.STATEMENTS.get(f"{first} {second}") or deeds.STATEMENTS.get(first)
    return False


# --- Neo4j ---

_NEO4J_CLIENT: Final = re.compile(
    r"(?:bolt|server|embedded)-session\t.*\tclient/([^\t/]{2,80})\tserver/[^\t]{0,200}", re.DOTALL
)
_NEO4J_DOOR: Final = re.compile(
    r"\[([^\[\]\s]{1,128})\]: (?:(logged in)|failed to log in: ([^\[\]]{1,100}))", re.IGNORECASE
)


def take_neo4j_client(mapped: Mapped, value: Any) -> bool:
    """Take the last but one of what tabs separate: before it stands what the client calls itself."""
    found = _NEO4J_CLIENT.fullmatch(value) if type(value) is str else None
    return found is not None and usual.take_address(mapped, found[1]) and False


def take_neo4j_text(mapped: Mapped, value: Any) -> bool:
    """Take who came in, or did not, and why."""
    found = _NEO4J_DOOR.fullmatch(value) if type(value) is str else None
    if found is not None:
        mapped.action, mapped.outcome = "auth.login", _SUCCESS if found[2] else _FAILURE
        mapped.reason = found[3]
        usual.take_name(mapped, found[1])
    return False


# --- Keycloak, ArgoCD ---


def take_keycloak_end(mapped: Mapped, value: Any) -> bool:
    """Take the end of a type: `_ERROR` of what did not go well."""
    if mapped.outcome is None and type(value) is str and value:
        mapped.outcome = _FAILURE if value.endswith("_ERROR") else _SUCCESS
    return False


def take_keycloak_path(mapped: Mapped, value: Any) -> bool:
    """Take what an administrator had done to a user, by the end of the path."""
    if type(value) is str and value.startswith("users/"):
        _take_keycloak_verb(mapped, value.rpartition("/")[2])
    return False


def take_impersonated(mapped: Mapped, value: Any) -> bool:
    """Take whose name an administrator goes on under; another event has that name as its own."""
    if mapped.action == "auth.switch" and mapped.actor_as is None and type(value) is str and value != mapped.actor:
        mapped.actor_as = value
    return False


_take_keycloak_verb: Final = takes_deed(deeds.KEYCLOAK_PATHS)


def take_argocd_claims(mapped: Mapped, value: Any) -> bool:
    """Take whose token it is; a local user's says so behind a colon."""
    names = Mapped({})
    _take_subject(names, value)
    return usual.take_name(mapped, names.actor.removesuffix(":login") if names.actor is not None else None) and False


_take_subject: Final = takes_json(usual.take_name, "email", "sub")

def take_first_principal(mapped: Mapped, value: Any) -> bool:
    """Take the only name of a list."""
    return type(value) is list and len(value) == 1 and type(value[0]) is str and usual.take_name(mapped, value[0])


def take_relative_name(mapped: Mapped, value: Any) -> bool:
    """Take a name, or of a distinguished one its first part: `id=alice,ou=user`."""
    if type(value) is str:
        first = value.partition(",")[0]
        usual.take_name(mapped, first.partition("=")[2] if "=" in first else value)
    return False


def takes_owasp_event(table: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of `authn_login_fail:bob`: what happened, and first behind the colon who it was."""
    by_name = takes_deed(table)

    def take_owasp_event(mapped: Mapped, value: Any) -> bool:
        if type(value) is str:
            name, _, rest = value.partition(":")
            by_name(mapped, name)
            if mapped.outcome is None and name == "authz_fail":
                mapped.outcome = _FAILURE
            usual.take_name(mapped, rest.partition(",")[0])
        return False

    return take_owasp_event


# --- Boundary, Confluent, Authelia, Grafana ---


def takes_custom_method(verbs: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of a path that ends in a verb of its own: `/v1/auth-methods/am_1:authenticate`."""
    by_verb = takes_deed(verbs)

    def take_custom_method(mapped: Mapped, value: Any) -> bool:
        if type(value) is str:
            by_verb(mapped, value.rpartition("/")[2].partition(":")[2])
        return False

    return take_custom_method


def take_principal(mapped: Mapped, value: Any) -> bool:
    """Take the name in Kafka's `User:alice`; other kinds name nobody."""
    if type(value) is str and not value.startswith("None:"):
        usual.take_name(mapped, value.removeprefix("User:"))
    return False


_AUTHELIA: Final = re.compile(
    r"(Successful|Unsuccessful) [A-Za-z0-9]{1,20} authentication attempt (?:made )?by user '([^']{1,256})'"
    r"(?: and they are banned until [^']{1,100})?"
)


def take_authelia(mapped: Mapped, value: Any) -> bool:
    """Take who tried to come in, and whether they did."""
    found = _AUTHELIA.fullmatch(value) if type(value) is str and len(value) <= _LONGEST_ATTEMPT else None
    if found is not None:
        mapped.action, mapped.outcome = "auth.login", _SUCCESS if found[1] == "Successful" else _FAILURE
        usual.take_name(mapped, found[2])
    elif type(value) is str and value.startswith("Unsuccessful ") and " authentication attempt by user '" in value[:80]:
        mapped.action, mapped.outcome = "auth.login", _FAILURE  # by a name in which more stands than a name
    return False


def see_grafana_login(mapped: Mapped, value: Any) -> bool:
    """See that a request was for the page where one logs in: no plain request."""
    if value == "/login" and mapped.action is None:
        mapped.action = "auth.login"
    return False


# --- Auditbeat, Ory ---


def take_auditd_comer(mapped: Mapped, value: Any) -> bool:
    """Take who knocks at a door where nobody has logged in yet: `acct`, since it is the door's own user that asks."""
    is_coming = mapped.action == "auth.login"
    data, summary = (value.get("data"), value.get("summary")) if is_coming and type(value) is dict else (None, None)
    actor = summary.get("actor") if type(summary) is dict else None
    if type(data) is dict and type(actor) is dict and actor.get("primary") in {"unset", "-1", None}:
        usual.take_name(mapped, data.get("acct"))
    return False


def take_auditd_summary(mapped: Mapped, value: Any) -> bool:
    """Take who did it: primary is who logged in once (auid), secondary whom a record names (acct, euid).

    At a door nobody has logged in yet, and the record names who comes; su and sudo name whom somebody becomes.
    """
    actor = value.get("actor") if type(value) is dict else None
    if type(actor) is not dict:
        return False
    names = [name for name in (actor.get("primary"), actor.get("secondary")) if type(name) is str and name != "unset"]
    is_switch = str(value.get("how")).rpartition("/")[2] in _SWITCHERS
    if mapped.action is not None and mapped.action.startswith(("auth.", "session.")) and not is_switch:
        names.reverse()
    for name in names:
        usual.take_name(mapped, name)
    thing = value.get("object")
    if type(thing) is dict and mapped.action is not None:
        if mapped.action.startswith("account."):
            _take_account(mapped, thing.get("primary"))
        elif mapped.action.startswith("group."):
            _take_group(mapped, thing.get("primary"))
        elif mapped.action.startswith("auth."):
            usual.take_address(mapped, thing.get("secondary"))
    return False


def take_auditd_other(mapped: Mapped, value: Any) -> bool:
    """Take as whom something was run, where that is another than who did it."""
    if mapped.actor is not None and type(value) is str and value not in NOBODY and value != mapped.actor:
        mapped.actor_as = mapped.actor_as or value
    return False


def takes_plain_beginning(table: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of a sentence that the product begins so, in whatever case."""
    take_beginning = takes_beginning(table)

    def take_plain_beginning(mapped: Mapped, value: Any) -> bool:
        return type(value) is str and take_beginning(mapped, value[:200].lower()) and False

    return take_plain_beginning


# --- Salesforce, CADF ---

_take_login_status: Final = takes_outcome("success", "*")


def take_salesforce_status(mapped: Mapped, value: Any) -> bool:
    """Take how a login ended: `Success`, or why not; of other events a word."""
    return (_take_login_status if mapped.action == "auth.login" else usual.take_outcome)(mapped, value) and False


_take_cadf_deed: Final = takes_deed(deeds.CADF, by_words=True)


def take_cadf_action(mapped: Mapped, value: Any) -> bool:
    """Take an action, also where a service's name stands before it (`iam-identity.user.login`)."""
    _take_cadf_deed(mapped, value)
    if type(value) is str and value.count(".") > 1:
        _take_cadf_deed(mapped, value.partition(".")[2])
    return False


# --- Oracle, Mimecast ---

_ORACLE_CLIENT: Final = re.compile(
    r"\(CLIENT ADDRESS=\(\(?(?:ADDRESS=\()?(?:PROTOCOL=\w{1,8}\))?\(HOST=([0-9A-Fa-f.:]{2,45})\)"
)
_MIMECAST_CLIENT: Final = re.compile(r", IP: ([0-9A-Fa-f.:]{2,45})(?=,|$)")


def _take_only_address(mapped: Mapped, pattern: re.Pattern[str], value: Any) -> bool:
    found = pattern.findall(value[:4096]) if type(value) is str else []
    return len(found) == 1 and usual.take_address(mapped, found[0]) and False


# --- PAN-OS ---

_PAN_NAME: Final = r"(?P<name>[^',\s]{1,256})"
_PAN_IP: Final = r"(?P<ip>[0-9A-Fa-f.:]{2,45}?)"
_PAN_GATE: Final = r"GlobalProtect \w{1,10} user authentication"
_PAN_COMER: Final = (
    rf"Login from: {_PAN_IP}, Source region: [^,]{{0,40}}, User name: {_PAN_NAME}(?:,.*|\.)?"
)
_PAN_LOGINS: Final = tuple(
    (re.compile(pattern), action, outcome)
    for pattern, action, outcome in (
        (rf"authenticated for user '{_PAN_NAME}'\. .{{0,400}}From: {_PAN_IP}\.?", "auth.login", _SUCCESS),
        (rf"failed authentication for user '{_PAN_NAME}'\. .{{0,400}}From: {_PAN_IP}\.?", "auth.login", _FAILURE),
        (rf"User {_PAN_NAME} logged in via .{{1,40}} from {_PAN_IP}(?: using .{{1,40}})?", "auth.login", _SUCCESS),
        (rf"User {_PAN_NAME} logged out via .{{1,40}} from {_PAN_IP}(?: using .{{1,40}})?", "auth.logout", _SUCCESS),
        (rf"{_PAN_GATE} succeeded\. {_PAN_COMER}", "auth.login", _SUCCESS),
        (rf"{_PAN_GATE} failed\. {_PAN_COMER}", "auth.login", _FAILURE),
    )
)


def take_pan_text(mapped: Mapped, value: Any) -> bool:
    """Take who came or went, of PAN-OS' sentences about it: the whole sentence must be as it writes it."""
    if type(value) is not str or len(value) > _LONGEST_PAN_TEXT or " " not in value:
        return False
    for pattern, action, outcome in _PAN_LOGINS:
        found = pattern.fullmatch(value.strip())
        if found is not None and mapped.action in {None, action}:
            mapped.action, mapped.outcome = action, mapped.outcome or outcome
            usual.take_name(mapped, found["name"])
            usual.take_address(mapped, found["ip"])
            break
    return False


_LONGEST_PAN_TEXT: Final = 1024


def take_pan_stage(mapped: Mapped, value: Any) -> bool:
    """Take GlobalProtect's login and logout: what else it notes of a connection is neither."""
    if mapped.action is None and type(value) is str:
        mapped.action = {"gateway-auth": "auth.login", "portal-auth": "auth.login", "gateway-logout": "auth.logout",
                         "gateway-connected": "session.open"}.get(value)  # fmt: skip
    return False


def take_oracle_client(mapped: Mapped, value: Any) -> bool:
    """Take the client in `(TYPE=(DATABASE));(CLIENT ADDRESS=((PROTOCOL=tcp)(HOST=192.0.2.7)(PORT=51234)));`."""
    return _take_only_address(mapped, _ORACLE_CLIENT, value)


def take_mimecast_client(mapped: Mapped, value: Any) -> bool:
    """Take the address in `… for alice, Date: …, IP: 192.0.2.7, Application: …`, if there is no more than one."""
    return _take_only_address(mapped, _MIMECAST_CLIENT, value)
