"""What the audit logs of known products call a deed → the vocabulary of `action`, and converters that read them.

Knows words of products and how to set columns; no names of fields (`audit_vocabularies.py`). Like every converter of
`mapped.py` these fill nothing when the value is of the wrong type, and never replace what is filled.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver.event import Outcome
from receiver.normalize.mapped import take_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.normalize.mapped import Convert, Mapped

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)

Deeds = dict[str, tuple[str, str | None]]
"""By the product's word, in lower case: the action, and the outcome when the word says that too."""


def deeds(outcome: str | None, actions: Mapping[str, str]) -> Deeds:
    """Build a table: by the action, the product's words for it, separated by blanks."""
    return {word.lower(): (action, outcome) for action, words in actions.items() for word in words.split()}


KEYCLOAK: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "LOGIN CODE_TO_TOKEN CLIENT_LOGIN",
            "auth.logout": "LOGOUT",
            "account.create": "REGISTER",
            "account.password_change": "UPDATE_PASSWORD",
            "account.password_reset": "RESET_PASSWORD",
            "account.update": "UPDATE_PROFILE UPDATE_EMAIL VERIFY_EMAIL",
            "account.mfa_enable": "UPDATE_TOTP",
            "account.mfa_disable": "REMOVE_TOTP",
            "account.delete": "DELETE_ACCOUNT",
            "auth.switch": "IMPERSONATE",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "LOGIN_ERROR CODE_TO_TOKEN_ERROR CLIENT_LOGIN_ERROR",
            "auth.logout": "LOGOUT_ERROR",
            "account.create": "REGISTER_ERROR",
            "account.password_change": "UPDATE_PASSWORD_ERROR",
            "account.password_reset": "RESET_PASSWORD_ERROR",
            "account.update": "UPDATE_PROFILE_ERROR",
        },
    ),
}
MONGODB: Final = deeds(
    None,
    {
        "auth.login": "authenticate",
        "auth.logout": "logout",
        "account.create": "createUser",
        "account.delete": "dropUser",
        "account.update": "updateUser",
        "privilege.grant": "grantPrivilegesToRole",
        "privilege.revoke": "revokePrivilegesFromRole",
        "role.assign": "grantRolesToUser",
        "role.remove": "revokeRolesFromUser",
        "service.stop": "shutdown",
        "service.start": "startup",
    },
)
CLOUDTRAIL: Final = deeds(
    None,
    {
        "auth.login": "ConsoleLogin",
        "auth.switch": "AssumeRole AssumeRoleWithSAML AssumeRoleWithWebIdentity SwitchRole",
        "account.create": "CreateUser",
        "account.delete": "DeleteUser",
        "account.update": "UpdateUser",
        "account.password_change": "ChangePassword UpdateLoginProfile CreateLoginProfile",
        "account.mfa_enable": "EnableMFADevice",
        "account.mfa_disable": "DeactivateMFADevice",
        "group.create": "CreateGroup",
        "group.delete": "DeleteGroup",
        "group.member_add": "AddUserToGroup",
        "group.member_remove": "RemoveUserFromGroup",
        "privilege.grant": "AttachUserPolicy AttachRolePolicy AttachGroupPolicy PutUserPolicy PutRolePolicy"
        " PutGroupPolicy",
        "privilege.revoke": "DetachUserPolicy DetachRolePolicy DetachGroupPolicy DeleteUserPolicy DeleteRolePolicy",
        "log.stop": "StopLogging",
        "log.delete": "DeleteTrail",
        "log.start": "StartLogging",
        "secret.read": "GetSecretValue",
    },
)
GITHUB: Final = {
    **deeds(
        None,
        {
            "auth.login": "user.login",
            "auth.logout": "user.logout",
            "group.member_add": "org.add_member team.add_member",
            "group.member_remove": "org.remove_member team.remove_member",
            "privilege.grant": "repo.add_member",
            "privilege.revoke": "repo.remove_member",
            "account.mfa_enable": "two_factor_authentication.enabled",
            "account.mfa_disable": "two_factor_authentication.disabled org.disable_two_factor_requirement",
            "api.create": "repo.create",
            "api.delete": "repo.destroy",
            "config.change": "repo.access org.update_member",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "user.failed_login",
        },
    ),
}
TELEPORT: Final = deeds(
    None,
    {
        "auth.login": "user.login auth",
        "session.open": "session.start",
        "session.close": "session.end",
        "command.exec": "exec",
        "account.create": "user.create",
        "account.update": "user.update",
        "account.delete": "user.delete",
        "role.assign": "role.created",
        "net.connect": "port",
    },
)
WINDOWS: Final = {
    **deeds(
        _SUCCESS,
        {
            "auth.login": "4624 4648",
            "auth.logout": "4634 4647",
            "account.create": "4720",
            "account.enable": "4722",
            "account.password_change": "4723",
            "account.password_reset": "4724",
            "account.disable": "4725",
            "account.delete": "4726",
            "account.update": "4738 4781",
            "account.lock": "4740",
            "account.unlock": "4767",
            "group.create": "4727 4731 4754",
            "group.delete": "4730 4734 4758",
            "group.member_add": "4728 4732 4756",
            "group.member_remove": "4729 4733 4757",
            "privilege.grant": "4672",
            "log.clear": "1102",
            "process.start": "4688",
            "process.stop": "4689",
            "schedule.create": "4698",
            "schedule.delete": "4699",
            "schedule.update": "4702",
            "system.time_change": "4616",
        },
    ),
    **deeds(
        _FAILURE,
        {
            "auth.login": "4625 4771",
        },
    ),
}
SAMBA: Final = {
    **deeds(_SUCCESS, {"auth.login": "NT_STATUS_OK"}),
    **deeds(
        _FAILURE,
        {
            "auth.login": "NT_STATUS_WRONG_PASSWORD NT_STATUS_NO_SUCH_USER NT_STATUS_ACCOUNT_DISABLED"
            " NT_STATUS_ACCOUNT_LOCKED_OUT NT_STATUS_LOGON_FAILURE NT_STATUS_PASSWORD_EXPIRED"
            " NT_STATUS_ACCOUNT_EXPIRED NT_STATUS_ACCESS_DENIED NT_STATUS_ACCOUNT_RESTRICTION"
        },
    ),
}
OCSF: Final = {
    f"{class_uid}{activity:02d}": (action, None)
    for class_uid, activity, action in (
        (3002, 1, "auth.login"), (3002, 2, "auth.logout"), (3001, 1, "account.create"), (3001, 2, "account.enable"),
        (3001, 3, "account.password_change"), (3001, 4, "account.password_reset"), (3001, 5, "account.disable"),
        (3001, 6, "account.delete"), (3001, 9, "account.lock"), (3001, 10, "account.mfa_enable"),
        (3001, 11, "account.mfa_disable"), (3001, 12, "account.unlock"), (3006, 3, "group.member_add"),
        (3006, 4, "group.member_remove"), (3006, 5, "group.delete"), (3006, 6, "group.create"),
        (6003, 1, "api.create"), (6003, 2, "api.read"), (6003, 3, "api.update"), (6003, 4, "api.delete"),
        (1007, 1, "process.start"), (1007, 2, "process.stop"), (4001, 1, "net.connect"), (4001, 2, "net.close"),
        (4001, 5, "net.refuse"), (1001, 1, "file.create"), (1001, 2, "file.read"), (1001, 3, "file.update"),
        (1001, 4, "file.delete"), (1001, 5, "file.rename"),
    )
}  # fmt: skip
"""OCSF 1.x `type_uid`: class and activity."""

_VERBS: Final = {
    "create": "create", "update": "update", "patch": "update", "delete": "delete", "deletecollection": "delete",
    "get": "read", "list": "read", "watch": "read", "read": "read",
}  # fmt: skip
_SECRET_VERBS: Final = {"create": "write", "update": "write", "read": "read", "delete": "delete"}


def takes_deed(table: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of a product's word (or number) for what was done."""

    def take_deed(mapped: Mapped, value: Any) -> bool:
        if type(value) is int:
            value = str(value)
        found = table.get(value.lower()) if type(value) is str else None
        if found is not None and mapped.action is None:
            mapped.action = found[0]
            if mapped.outcome is None:
                mapped.outcome = found[1]
        return False

    return take_deed


def take_api_verb(mapped: Mapped, value: Any) -> bool:
    """Take the verb of an API on the resource seen before (Kubernetes): secrets have verbs of their own."""
    verb = _VERBS.get(value) if type(value) is str else None
    if verb is None or mapped.action is not None:
        return False
    secret = mapped.object_type is not None and mapped.object_type[1] == "secrets"
    mapped.action = f"secret.{_SECRET_VERBS[verb]}" if secret else f"api.{verb}"
    return False


def take_vault_path(mapped: Mapped, value: Any) -> bool:
    """Take the path of a request to Vault: a login, or whatever the operation does to what lies there."""
    if type(value) is not str or not value:
        return False
    if mapped.target is None:
        mapped.target = f"path:{value}"
    if value.startswith("auth/") and "/login" in value:
        mapped.action = "auth.login"
    return False


def take_vault_operation(mapped: Mapped, value: Any) -> bool:
    """Take the operation of a request to Vault."""
    verb = _VERBS.get(value) if type(value) is str else None
    if verb is not None and mapped.action is None:
        mapped.action = f"secret.{_SECRET_VERBS[verb]}"
    return False


def take_code(mapped: Mapped, value: Any) -> bool:
    """Take how it ended from an HTTP status code."""
    if mapped.outcome is None and type(value) is int and 100 <= value <= 599:
        mapped.outcome = _SUCCESS if value < 400 else _FAILURE
    return False


def take_result_number(mapped: Mapped, value: Any) -> bool:
    """Take how it ended from an error number: 0 is none."""
    if mapped.outcome is None and type(value) is int:
        mapped.outcome = _SUCCESS if value == 0 else _FAILURE
    return False


def take_status_id(mapped: Mapped, value: Any) -> bool:
    """Take OCSF's status_id: 1 success, 2 failure."""
    if mapped.outcome is None:
        mapped.outcome = {1: _SUCCESS, 2: _FAILURE}.get(value) if type(value) is int else None
    return False


def take_error(mapped: Mapped, value: Any) -> bool:
    """Take a field that is there only when it failed: the reason."""
    if type(value) is str and value:
        mapped.outcome = mapped.outcome or _FAILURE
        if mapped.reason is None and mapped.outcome == _FAILURE:
            mapped.reason = value
            return True
    return False


def otherwise_success(mapped: Mapped, value: Any) -> bool:
    """Take the lack of an error for success: read after everything else, on a field that is always there."""
    if mapped.outcome is None and value is not None:
        mapped.outcome = _SUCCESS
    return False


def take_windows_target(mapped: Mapped, value: Any) -> bool:
    """Take the user a Windows event is about: of a login who logs in, else whom it was done to."""
    if type(value) is not str or value in {"", "-"} or mapped.action is None:
        return False
    if mapped.action.startswith(("auth.", "session.")):
        if mapped.actor is None:
            mapped.actor = value
    elif mapped.target is None and mapped.action.startswith(("account.", "group.")):
        mapped.target = f"{'account' if mapped.action[0] == 'a' else 'group'}:{value}"
    return False


def take_windows_subject(mapped: Mapped, value: Any) -> bool:
    """Take the user who caused a Windows event; of a login that is the machine."""
    is_login = mapped.action is not None and mapped.action.startswith(("auth.", "session."))
    if type(value) is str and value not in {"", "-"} and mapped.actor is None and not is_login:
        mapped.actor = value
    return False


def take_alert(mapped: Mapped, value: Any) -> bool:
    """Take a field that only alerts have."""
    if mapped.action is None and value:
        mapped.action = "detect.alert"
    return False


def take_first_address(mapped: Mapped, value: Any) -> bool:
    """Take the first of a list of addresses: where the source says that it is the client's."""
    if type(value) is list and value:
        take_address(mapped, value[0])
    return False


def take_named_address(mapped: Mapped, value: Any) -> bool:
    """Take `ipv4:203.0.113.7:51234`."""
    if type(value) is str:
        take_address(mapped, value.removeprefix("ipv4:").removeprefix("ipv6:"))
    return False


def takes_only(key: str, column: str) -> Convert:
    """Make the reader of a list that holds exactly one object: one of its texts."""

    def take_only(mapped: Mapped, value: Any) -> bool:
        if type(value) is list and len(value) == 1 and type(value[0]) is dict and getattr(mapped, column) is None:
            text = value[0].get(key)
            if type(text) is str and text:
                setattr(mapped, column, text)
        return False

    return take_only
