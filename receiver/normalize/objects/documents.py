"""What a product's word for a deed means in a document of Elastic's integrations, where `event.action` keeps it.

Knows which product's table reads which data set. Knows no names of fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver.normalize.objects import readers
from receiver.normalize.objects.mapped import DONE_TO_USERS, take_action, takes_typed
from receiver.normalize.vocabularies import cloud_deeds, deeds
from receiver.normalize.words import LONGEST_ACTION, split_tokens

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.normalize.objects.mapped import Convert, Mapped

_TABLES: Final[dict[str, Mapping[str, tuple[str, str | None]]]] = {
    "okta": cloud_deeds.OKTA,
    "azure": {**cloud_deeds.ENTRA, **cloud_deeds.AZURE_VAULT},
    "entityanalytics_entra_id": cloud_deeds.ENTRA,
    "o365": cloud_deeds.MICROSOFT_365,
    "google_workspace": cloud_deeds.GOOGLE_WORKSPACE,
    "gsuite": cloud_deeds.GOOGLE_WORKSPACE,
    "github": deeds.GITHUB,
    "slack": cloud_deeds.SLACK,
    "cisco_duo": cloud_deeds.DUO,
    "jumpcloud": cloud_deeds.JUMPCLOUD,
    "atlassian_bitbucket": cloud_deeds.ATLASSIAN_SUMMARIES,
    "atlassian_confluence": cloud_deeds.ATLASSIAN_SUMMARIES,
    "atlassian_jira": cloud_deeds.ATLASSIAN_SUMMARIES,
    "box_events": cloud_deeds.BOX,
    "zoom": cloud_deeds.ZOOM,
    "gitlab": deeds.GITLAB,
    "mattermost": deeds.MATTERMOST,
    "teleport": deeds.TELEPORT,
    "mongodb": deeds.MONGODB,
    "elasticsearch": deeds.ELASTICSEARCH,
    "keycloak": deeds.KEYCLOAK,
    "authentik": deeds.AUTHENTIK,
    "ping_one": cloud_deeds.PING_ONE,
    "salesforce": cloud_deeds.SALESFORCE,
}
_BY_DATASET: Final[dict[str, Convert]] = {
    **{dataset: readers.takes_deed(table) for dataset, table in _TABLES.items()},
    "aws": readers.takes_deed(cloud_deeds.CLOUDTRAIL, by_words=True, by_verb=True),
    "gcp": readers.takes_deed(cloud_deeds.GOOGLE_CLOUD, by_words=True, by_verb=True),
}


def take_event_action(mapped: Mapped, value: Any) -> bool:
    """Take ECS's event.action: a product's own word, where the document says whose it is, else a usual one."""
    take_deed = _BY_DATASET.get(mapped.dataset)
    if take_deed is not None:
        take_deed(mapped, value)
    is_taken = take_action(mapped, value)
    if mapped.action is None and type(value) is str and len(value) <= LONGEST_ACTION:
        mapped.is_no_login = not _NO_LOGINS.isdisjoint(split_tokens(value))
    return is_taken


_NO_LOGINS: Final = frozenset((
    "out", "logout", "end", "ended", "disconnect", "disconnected", "close", "closed", "terminate", "terminated",
    "expire", "expired", "revoke", "revoked", "lock", "locked", "unlock", "unlocked", "reset", "change", "changed",
    "enroll", "enrolled", "register", "registered", "create", "created", "update", "updated", "delete", "deleted",
    "remove", "removed", "add", "added", "enable", "enabled", "disable", "disabled", "policy", "token", "start",
))  # fmt: skip
"""Words of deeds that are about a login, and none."""


def take_audited_account(mapped: Mapped, value: Any) -> bool:
    """Take `acct` of a record of Linux audit about an account: in others it is who comes."""
    if mapped.action is not None and mapped.action.startswith("account.") and mapped.target is None:
        takes_typed("account")(mapped, value)
    return False


_TO_GROUPS: Final = frozenset({"group.create", "group.delete"})


def take_affected_user(mapped: Mapped, value: Any) -> bool:
    """Take the user beside somebody else who did something to a user (`admin`, `actor`)."""
    is_done_to = mapped.action is not None and mapped.action.startswith(DONE_TO_USERS)
    is_other = type(value) is str and value != "" and mapped.actor not in {None, value}
    if is_done_to and is_other and mapped.target is None and mapped.action not in _TO_GROUPS:
        mapped.target = f"account:{value}"
    return False


_PROGRAMS: Final = {
    "mysql.error": "mysqld", "postgresql.log": "postgres", "nginx.error": "nginx", "nginx.access": "nginx",
    "apache.error": "apache2", "apache.access": "apache2", "redis.log": "redis", "mongodb.log": "mongod",
    "haproxy.log": "haproxy", "squid.log": "squid", "rabbitmq.log": "rabbitmq", "tomcat.log": "tomcat",
}  # fmt: skip
"""Whose lines a data set of Filebeat's modules keeps in `message`."""


_OF_ACCOUNTS: Final = frozenset({"system.user", "system.auth"})
"""Data sets of a host's accounts: the user in them is the one that came, went or was changed."""


def take_dataset(mapped: Mapped, value: Any) -> bool:
    """Take what the data set tells: whose lines it keeps, and whom something was done to where nobody knows by whom."""
    if mapped.app is None and type(value) is str:
        mapped.app = _PROGRAMS.get(value)
    is_done_to = mapped.action is not None and mapped.action.startswith(("account.", "group."))
    is_nobodys = type(value) is str and (value in _OF_ACCOUNTS or f"{mapped.dataset}.{value}" in _OF_ACCOUNTS)
    if is_nobodys and is_done_to and mapped.actor is not None and mapped.target is None:
        mapped.target, mapped.actor = f"account:{mapped.actor}", None
    return False
