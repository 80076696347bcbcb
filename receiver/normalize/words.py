"""What words in JSON and structured data mean: for action, outcome and severity. Tables, and nothing else.

Knows no message and no field names. A word that is not here means nothing: the column stays null, the word stays in
`data`. Words are compared as tokens: `user.created`, `UserCreated`, `USER_CREATED` and `user-created` are one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from receiver.event import ACTIONS, Outcome

LONGEST_ACTION: Final = 64
"""A longer text is a sentence, no verb; it also bounds what is remembered."""

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)



def _all(words: str, meaning: str) -> dict[str, str]:
    return dict.fromkeys(words.split(), meaning)


# --- outcome ---

OUTCOMES: Final[dict[str, str]] = {
    **_all(
        "success successful successfully succeeded ok okay pass passed allow allowed accept accepted grant granted"
        " permit permitted authorized approve approved complete completed true",
        _SUCCESS,
    ),
    **_all(
        "failure fail failed failing unsuccessful error errored deny denied refuse refused reject rejected block"
        " blocked forbidden unauthorized disallow disallowed prohibited declined aborted invalid false",
        _FAILURE,
    ),
    "unknown": str(Outcome.UNKNOWN),
}
"""Lower-case words of fields that say how it ended."""

YES_NO: Final = {**OUTCOMES, "yes": _SUCCESS, "no": _FAILURE, "1": _SUCCESS, "0": _FAILURE}
"""The same for fields whose name is the question (`success`, `allowed`)."""

# --- severity ---

SEVERITY_WORDS: Final[dict[str, int]] = {
    spelling: number
    for number, words in enumerate((
        "emerg emergency",
        "alert",
        "crit critical fatal panic dpanic",  # of an application: the machine itself still stands
        "err error severe",
        "warn warning",
        "notice",
        "info information informational http",
        "debug trace verbose silly fine finer finest",
    ))
    for word in words.split()
    for spelling in (word, word.upper(), word.capitalize())
}
"""Names of syslog, log4j, zap, logrus, winston, pino and Python's logging, as they spell them."""

PINO_LEVELS: Final = {10: 7, 20: 7, 30: 6, 40: 4, 50: 3, 60: 2}
"""trace, debug, info, warn, error, fatal: bunyan and pino."""

PYTHON_LEVELS: Final = {10: 7, 20: 6, 30: 4, 40: 3, 50: 2}
"""`levelno` of Python's logging."""

# --- action ---


class Deed(NamedTuple):
    """What a text says was done, and how it ended (of use with an action only).

    tokens: the text for `read_verb`: a bare verb's meaning needs the type of its object.
    """

    action: str | None
    outcome: str | None
    tokens: str


_CREATE: Final = "create created add added new"
_DELETE: Final = "delete deleted remove removed"
_UPDATE: Final = "update updated modify modified change changed edit edited"
_START: Final = "start started"
_STOP: Final = "stop stopped"

_NOUN_VERBS: Final = (
    # nouns · verbs · action; the verb may stand before or after its noun
    ("user account user_account", "create created new register registered", "account.create"),
    ("user account user_account", "delete deleted", "account.delete"),  # a "removed" user may have left a group only
    ("user account user_account", _UPDATE, "account.update"),
    ("user account user_account", "enable enabled activate activated reactivate reactivated", "account.enable"),
    ("user account user_account", "unblock unblocked unban unbanned", "account.enable"),
    ("user account user_account", "block blocked ban banned", "account.disable"),
    ("user account user_account", "disable disabled deactivate deactivated suspend suspended", "account.disable"),
    ("user account user_account", "lock locked", "account.lock"),
    ("user account user_account", "unlock unlocked", "account.unlock"),
    ("password passwd", "change changed update updated set", "account.password_change"),
    ("password passwd", "reset", "account.password_reset"),
    ("mfa 2fa totp two_factor", "enable enabled enroll enrolled activate activated", "account.mfa_enable"),
    ("mfa 2fa totp two_factor", "disable disabled deactivate deactivated", "account.mfa_disable"),
    ("privilege permission", "grant", "privilege.grant"),
    ("privilege", "granted", "privilege.grant"),  # "permission granted" may be no more than a door that opened
    ("privilege permission", "revoke revoked", "privilege.revoke"),
    ("role", "assign assigned grant granted", "role.assign"),
    ("role", "unassign unassigned revoke revoked", "role.remove"),
    ("group", _CREATE, "group.create"),
    ("group", _DELETE, "group.delete"),
    ("group_member team_member", "add added", "group.member_add"),
    ("group_member team_member", "remove removed", "group.member_remove"),
    ("command", "exec execute executed run", "command.exec"),
    ("process", _START + " created", "process.start"),
    ("process", _STOP + " exited terminated", "process.stop"),
    ("file", "create created", "file.create"),
    ("file", "read open opened access accessed view viewed download downloaded", "file.read"),
    ("file", _UPDATE + " write written", "file.update"),
    ("file", _DELETE, "file.delete"),
    ("file", "rename renamed", "file.rename"),
    ("config configuration settings", _UPDATE, "config.change"),
    ("service", _START, "service.start"),
    ("service", _STOP, "service.stop"),
    ("service", "restart restarted", "service.restart"),
    ("service", "enable enabled", "service.enable"),
    ("service", "disable disabled", "service.disable"),
    ("session", "open opened start started begin create created", "session.open"),
    ("session", "close closed end ended expire expired terminate terminated destroyed revoked", "session.close"),
    ("user_role", _UPDATE, "role.assign"),
    ("package", "install installed", "package.install"),
    ("package", "remove removed uninstall uninstalled", "package.remove"),
    ("package", "update updated upgrade upgraded", "package.update"),
    ("secret", "read access accessed view viewed get", "secret.read"),
    ("secret", "write written create created update updated set", "secret.write"),
    ("secret", _DELETE, "secret.delete"),
)

_PHRASES: Final = {
    "auth.login": "login log_in logged_in logon log_on logged_on signin sign_in signed_in authenticate authentication"
    " authenticated auth authn login_attempt login_user sign_in_activity"
    " to_log_in to_login to_sign_in to_authenticate has_been_authenticated authentication_request"
    " basic_authentication basic_authentication_for_user two_factor_challenge two_factor_authentication",
    "auth.logout": "logout log_out logged_out logoff log_off logged_off signout sign_out signed_out logout_user",
    "auth.switch": "su switch_user user_switch user_switched switched_user",
    "account.lock": "locked_out_user_account locked_out_user user_locked_out account_locked_out account_lockout"
    " user_lockout lockout",
    "file.create": "created_directory",
    "fs.mount": "mounted",
    "fs.unmount": "unmounted",
    "system.time_change": "changed_system_time changed_time",
    "log.start": "started_audit",
    "log.stop": "shutdown_audit",
    "process.stop": "killed_pid killed_process",
    "account.create": "signup sign_up signed_up registration add_user useradd adduser added_user_account"
    " new_user_registered new_user_created new_user_registration new_account_created new_account_registered",
    "group.member_add": "add_user_to_group user_added_to_group member_added_to_group added_to_group"
    " added_member_to_group added_user_to_group add_member_to_group member_added add_member",
    "group.member_remove": "remove_user_from_group user_removed_from_group member_removed_from_group"
    " removed_from_group removed_member_from_group removed_user_from_group remove_member_from_group member_removed"
    " remove_member",
    "command.exec": "command_execution ran_command",
    "file.set_perm": "changed_file_permissions_of",
    "file.set_attr": "changed_file_ownership_of",
    "net.connect": "connected_to",
    "system.boot": "booted_system",
    "system.shutdown": "shutdown_system",
    "role.assign": "assigned_user_role_to role_changed_to",
    "role.remove": "role_removed removed_user_role_from",
    "config.change": "config_change configuration_change changed_audit_configuration",
}

_SUBJECTS: Final = frozenset(_all(
        "user account admin client auth authn authentication ssh web console vpn sso saml oauth ldap radius local"
        " remote portal system interactive password app application member customer employee django rails laravel"
        " spring wordpress keycloak jenkins grafana gitlab",
        "",
    ))
"""A first token that only says whose deed it was: `user_login`, `ssh_login`."""

_DONE: Final = ("logged_in", "logged_on", "signed_in", "logged_out", "logged_off", "signed_out",
               "user_authenticated")  # fmt: skip
"""Who is in, or out, succeeded; nobody says so of an attempt."""

_REFUSALS: Final = frozenset({
    "invalid_credentials", "bad_credentials", "wrong_credentials", "incorrect_credentials", "invalid_login_credentials",
    "too_many_login_attempts", "too_many_failed_login_attempts", "login_throttled",
})  # fmt: skip
"""What is said of nothing but a login that was refused."""

_CATEGORIES: Final = frozenset({"auth", "authn", "authentication"})
"""Alone they name a kind of event (a logout is one too); with an outcome, an attempt to log in."""

_OUTCOME_TOKENS: Final = {
    **_all("success successful successfully succeeded ok accepted completed", _SUCCESS),
    **_all("failed failure fail unsuccessful denied rejected error invalid", _FAILURE),
}


def _build_phrases() -> dict[str, str]:
    phrases = {action.replace(".", "_"): action for action in ACTIONS}
    phrases |= {"user_session_start": "auth.login", "user_session_end": "auth.logout"}  # Okta's, in ECS too
    for action, texts in _PHRASES.items():
        phrases.update(_all(texts, action))
    for nouns, verbs, action in _NOUN_VERBS:
        for noun in nouns.split():
            for verb in verbs.split():
                for spelling in (noun, f"{noun}s"):
                    phrases[f"{spelling}_{verb}"] = phrases[f"{verb}_{spelling}"] = action
    return phrases


_ACTION_OF: Final = _build_phrases()
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_BETWEEN: Final = re.compile(r"[^a-z0-9]+")


@lru_cache(maxsize=2048)  # 0.1 µs instead of 5; one application has some dozen verbs
def read_action(text: str) -> Deed:
    """Say what was done, and how it ended where the text says so (`login_failed`). At most LONGEST_ACTION long."""
    tokens = split_tokens(text)
    outcomes = {_OUTCOME_TOKENS[token] for token in tokens if token in _OUTCOME_TOKENS}
    if len(outcomes) > 1:
        return Deed(None, None, "")
    if not outcomes and any(phrase in "_".join(tokens) for phrase in _DONE):
        outcomes = {_SUCCESS}
    if "_".join(tokens) in _REFUSALS:
        return Deed("auth.login", _FAILURE, "login")
    core = [token for token in tokens if token not in _OUTCOME_TOKENS]
    phrase = "_".join(core)
    action = _ACTION_OF.get(phrase) if outcomes or phrase not in _CATEGORIES else None
    if action is None and core and core[0] in _SUBJECTS:
        action = _ACTION_OF.get("_".join(core[1:]))
    return Deed(action, next(iter(outcomes), None), phrase)


_CATEGORIES_OF: Final = (
    # ECS: category, types of which all are there, action; the first that fits
    ("intrusion_detection", "", "detect.alert"),
    ("malware", "", "detect.alert"),
    ("authentication", "start", "auth.login"),
    ("authentication", "end", "auth.logout"),
    ("session", "start", "session.open"),
    ("session", "end", "session.close"),
    ("iam", "user creation", "account.create"),
    ("iam", "user deletion", "account.delete"),
    ("iam", "user change", "account.update"),
    ("iam", "group creation", "group.create"),
    ("iam", "group deletion", "group.delete"),
    ("process", "start", "process.start"),
    ("process", "end", "process.stop"),
    ("file", "creation", "file.create"),
    ("file", "deletion", "file.delete"),
    ("file", "change", "file.update"),
    ("file", "access", "file.read"),
    ("network", "denied", "net.refuse"),
    ("network", "start", "net.connect"),
    ("network", "end", "net.close"),
    ("package", "installation", "package.install"),
    ("package", "deletion", "package.remove"),
    ("configuration", "change", "config.change"),
    ("database", "access", "data.query"),
    ("web", "access", "http.request"),
    ("web", "error", "http.request"),
    ("api", "creation", "api.create"),
    ("api", "access", "api.read"),
    ("api", "change", "api.update"),
    ("api", "deletion", "api.delete"),
)


@lru_cache(maxsize=256)
def read_categories(categories: frozenset[str]) -> str | None:
    """Say what ECS's event.category and event.type together mean: at most some words, of which one is a category."""
    found = [
        action
        for category, types, action in _CATEGORIES_OF
        if category in categories and all(each in categories for each in types.split())
    ]
    return found[0] if found and not {"user", "group"} <= categories else None


@lru_cache(maxsize=2048)
def read_verb(tokens: str, target_type: str) -> str | None:
    """Say what a bare verb means for a type of object: `delete` of a `user`. At most LONGEST_ACTION long each."""
    return _ACTION_OF.get(f"{'_'.join(split_tokens(target_type))}_{tokens}")


def split_tokens(text: str) -> list[str]:
    """Split at camel humps and whatever is no letter or digit; lower case."""
    return [token for token in _BETWEEN.split(_CAMEL.sub("_", text).lower()) if token]
