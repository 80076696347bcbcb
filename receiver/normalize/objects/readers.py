"""Converters for the audit logs of products: values that mean something only together, in lists, or by a table.

Knows how to set columns; no names of fields (`vocabularies/`) and no words of products
(`deeds.py`, `cloud_deeds.py`). Like every converter of `mapped.py` these fill nothing when the value is of the wrong
type, and never replace what is filled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Outcome
from receiver.normalize import words
from receiver.normalize.address import parse_ip
from receiver.normalize.objects import mapped as usual
from receiver.normalize.objects.envelopes import open_envelope
from receiver.normalize.objects.mapped import NOBODY, take_address

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.normalize.objects.mapped import Convert, Mapped

_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)
_LONGEST_WORD: Final = 200
"""A deed's name is shorter; longer texts are not even made lower case."""
_MOST_ITEMS: Final = 64
"""Of a list no more is looked at."""

# --- what was done ---

API_VERBS: Final = {
    verb: meaning
    for meaning, verbs in {
        "create": "create insert add new register run import upload allocate generate clone copy provision",
        "read": "get list describe read search query view head lookup batchget watch scan select fetch download show",
        "update": "update patch modify set edit change replace write put attach detach associate disassociate tag untag"
        " move enable disable start stop restart reboot activate deactivate rename restore configure",
        "delete": "delete deletecollection remove destroy deregister terminate purge drop deletion",
    }.items()
    for verb in verbs.split()
}
"""What the usual verbs in names of API calls do to what the call is about."""
_SECRET_VERBS: Final = {"create": "write", "update": "write", "read": "read", "delete": "delete"}
_LAST_PART: Final = re.compile(r"[^./:]+\Z")


def takes_deed(
    table: Mapping[str, tuple[str, str | None]], *, by_words: bool = False, by_verb: bool = False
) -> Convert:
    """Make the reader of a product's word (or number) for what was done.

    by_words: what the table has not may be one of the usual words. by_verb: else it is the name of an API call, whose
    verb says what it did.
    """

    def take_deed(mapped: Mapped, value: Any) -> bool:
        if type(value) is int:
            value = str(value)
        if mapped.action is not None or type(value) is not str or len(value) > _LONGEST_WORD:
            return False
        found = table.get(value.lower())
        if found is not None:
            mapped.action = found[0]
            if found[1] is not None:
                mapped.outcome = mapped.outcome or found[1]
            return False
        if by_words and len(value) <= words.LONGEST_ACTION:
            usual.take_action(mapped, value)
        if by_words and by_verb and mapped.action is None:
            usual.take_action(mapped, value.rpartition(".")[2])
        if by_verb and mapped.action is None:
            take_api_name(mapped, value)
        return False

    return take_deed


def takes_typed_deed(
    table: Mapping[str, tuple[str, str | None]], *, by_verb: bool = False, prefix: str = ""
) -> Convert:
    """Make the reader of a verb that means something with the type of its object seen before (`user create`)."""

    def take_typed_deed(mapped: Mapped, value: Any) -> bool:
        if mapped.action is not None or type(value) is not str or len(value) > _LONGEST_WORD:
            return False
        verb = value.lower().removeprefix(prefix)
        kind = mapped.object_type[1].lower() if mapped.object_type is not None else ""
        found = table.get(f"{kind} {verb}")
        if found is not None:
            mapped.action = found[0]
            mapped.outcome = mapped.outcome or found[1]
        elif by_verb:
            take_last_verb(mapped, verb)
        return False

    return take_typed_deed


def takes_always(action: str, outcome: str | None = None) -> Convert:
    """Make the reader of a field that only one kind of deed has."""

    def take_always(mapped: Mapped, value: Any) -> bool:
        if mapped.action is None and value not in (None, "", [], {}):
            mapped.action = action
            mapped.outcome = mapped.outcome or outcome
        return False

    return take_always


def takes_summary(table: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of a deed told in a sentence of its own, else in the usual words."""
    return takes_deed(table, by_words=True)


def takes_azure_deed(table: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of an activity's name, or of an operation (`Microsoft.Compute/disks/write`)."""
    by_name = takes_deed(table)

    def take_azure_deed(mapped: Mapped, value: Any) -> bool:
        by_name(mapped, value)
        if mapped.action is None and type(value) is str and value.count("/") > 1:
            kind, _, last = value.lower().rpartition("/")
            called = _AZURE_CALL.match(kind.rpartition("/")[2]) if last == "action" else None
            verb = API_VERBS[called[0]] if called else _AZURE_VERBS.get(last)
            mapped.action = f"api.{verb}" if verb else None
        return False

    return take_azure_deed


_AZURE_CALL: Final = re.compile(r"(?:list|start|restart|stop|restore|read|delete|purge|register|disable|enable)")
_AZURE_VERBS: Final = {"write": "update", "delete": "delete", "read": "read"}


def takes_azure_result() -> Convert:
    """Make the reader of Azure's resultType: a word, or of sign-ins a number that is 0 when it went well."""
    by_word = takes_outcome("success succeeded", "failure failed")

    def take_azure_result(mapped: Mapped, value: Any) -> bool:
        by_word(mapped, value.partition(".")[0] if type(value) is str else value)
        return take_result_number(mapped, value)

    return take_azure_result


def take_binding_deltas(mapped: Mapped, value: Any) -> bool:
    """Take what a change of a Google Cloud policy did to who may do what: roles given, or roles taken."""
    if mapped.action is None and type(value) is list and value:
        deltas = {str(item.get("action")) if type(item) is dict else "" for item in value[:_MOST_ITEMS]}
        mapped.action = "role.assign" if deltas == {"ADD"} else "role.remove" if deltas == {"REMOVE"} else None
    return False


def takes_beginning(table: Mapping[str, tuple[str, str | None]]) -> Convert:
    """Make the reader of a text that begins as the product writes it and goes on with words of others."""

    def take_beginning(mapped: Mapped, value: Any) -> bool:
        if mapped.action is None and type(value) is str:
            for begin, (action, outcome) in table.items():
                if value.startswith(begin):
                    mapped.action = action
                    mapped.outcome = mapped.outcome or outcome
                    break
        return False

    return take_beginning


def take_api_name(mapped: Mapped, value: Any) -> bool:
    """Take the name of an API call (`DescribeInstances`, `storage.objects.get`, `Microsoft.Compute/disks/write`)."""
    if mapped.action is not None or type(value) is not str or len(value) > _LONGEST_WORD:
        return False
    last = _LAST_PART.search(value)
    tokens = words.split_tokens(last[0]) if last else []
    meaning = next((API_VERBS[token] for token in (*tokens[:1], *tokens[-1:]) if token in API_VERBS), None)
    if meaning is not None:
        mapped.action = f"api.{meaning}"
    return False


def take_last_verb(mapped: Mapped, value: Any) -> bool:
    """Take the verb at the end of a name (`repo.create`, `Key Deletion`), else the one at its begin."""
    if mapped.action is not None or type(value) is not str or len(value) > _LONGEST_WORD:
        return False
    tokens = words.split_tokens(value)
    for token in (*tokens[-1:], *tokens[:1]):
        forms = (token, token.removesuffix("d"), token.removesuffix("ed"))
        meaning = next((API_VERBS[form] for form in forms if form in API_VERBS), None)
        if meaning is not None:
            mapped.action = f"api.{meaning}"
            break
    return False


def take_api_verb(mapped: Mapped, value: Any) -> bool:
    """Take the verb of an API on the resource seen before (Kubernetes): secrets have verbs of their own."""
    verb = API_VERBS.get(value) if type(value) is str else None
    if verb is None or mapped.action is not None:
        return False
    secret = mapped.object_type is not None and mapped.object_type[1] == "secrets"
    mapped.action = f"secret.{_SECRET_VERBS[verb]}" if secret else f"api.{verb}"
    return False


def take_method(mapped: Mapped, value: Any) -> bool:
    """Take the HTTP method of a call to a management API."""
    verb = _METHODS.get(value.upper()) if type(value) is str and len(value) < _LONGEST_WORD else None
    if verb is not None and mapped.action is None:
        mapped.action = f"api.{verb}"
    return False


_METHODS: Final = {"GET": "read", "HEAD": "read", "POST": "create", "PUT": "update", "PATCH": "update",
                   "DELETE": "delete"}  # fmt: skip


def take_vault_path(mapped: Mapped, value: Any) -> bool:
    """Take the path of a request to Vault: a login, or whatever the operation does to what lies there."""
    if type(value) is not str or not value:
        return False
    if mapped.target is None:
        mapped.target = f"path:{value}"
    if value.startswith("auth/") and ("/login" in value or value.endswith("/oidc/callback")):
        mapped.action = "auth.login"
    return False


def take_vault_operation(mapped: Mapped, value: Any) -> bool:
    """Take the operation of a request to Vault: under sys/, auth/ and identity/ lies no secret, but Vault itself."""
    verb = API_VERBS.get(value) if type(value) is str else None
    if verb is not None and mapped.action is None:
        is_itself = mapped.target is not None and mapped.target.startswith(_VAULT_ITSELF)
        mapped.action = f"api.{verb}" if is_itself else f"secret.{_SECRET_VERBS[verb]}"
    return False


_VAULT_ITSELF: Final = ("path:sys/", "path:auth/", "path:identity/")


def take_alert(mapped: Mapped, value: Any) -> bool:
    """Take a field that only alerts have."""
    if mapped.action is None and value:
        mapped.action = "detect.alert"
    return False


# --- how it ended ---


def takes_outcome(success: str = "", failure: str = "") -> Convert:
    """Make the reader of a product's own words, numbers or codes for how it ended; another one means nothing."""
    table = {**dict.fromkeys(success.split(), _SUCCESS), **dict.fromkeys(failure.split(), _FAILURE)}

    def take_outcome(mapped: Mapped, value: Any) -> bool:
        if type(value) is int or type(value) is float:
            value = f"{value:g}"
        if mapped.outcome is None and type(value) is str and len(value) <= _LONGEST_WORD:
            mapped.outcome = table.get(value.lower()) or (table.get("*") if value not in NOBODY else None)
        return False

    return take_outcome


def takes_truth(if_true: str, if_false: str) -> Convert:
    """Make the reader of a truth value that tells both ends (`is_failure`)."""

    def take_truth(mapped: Mapped, value: Any) -> bool:
        if mapped.outcome is None and type(value) is bool:
            mapped.outcome = if_true if value else if_false
        return False

    return take_truth


def take_code(mapped: Mapped, value: Any) -> bool:
    """Take how it ended from an HTTP status code; 101 of a stream that was opened."""
    if type(value) is str and len(value) == 3 and value.isascii() and value.isdigit():
        value = int(value)
    if mapped.outcome is None and type(value) is int and (200 <= value <= 599 or value == 101):
        mapped.outcome = _SUCCESS if value < 400 else _FAILURE
    return False


def take_result_number(mapped: Mapped, value: Any) -> bool:
    """Take how it ended from an error number: 0 is none."""
    if type(value) is str and value.isascii() and value.lstrip("-").isdigit() and len(value) <= 12:
        value = int(value)
    if mapped.outcome is None and type(value) is int:
        mapped.outcome = _SUCCESS if value == 0 else _FAILURE
    return False


def take_error(mapped: Mapped, value: Any) -> bool:
    """Take a field that is there only when it failed: the reason."""
    if type(value) is str and value:
        mapped.outcome = mapped.outcome or _FAILURE
        if mapped.reason is None and mapped.outcome == _FAILURE:
            mapped.reason = value
            return True
    return False


def take_failure(mapped: Mapped, value: Any) -> bool:
    """Take a field that is there, or true, or has something in it, only when it failed."""
    if mapped.outcome is None and value not in (None, False, "", 0, [], {}):
        mapped.outcome = _FAILURE
    return False


def otherwise_success(mapped: Mapped, value: Any) -> bool:
    """Take the lack of an error for success: read after everything else, on a field that is always there."""
    if mapped.outcome is None and value is not None:
        mapped.outcome = _SUCCESS
    return False


def success_of_deed(mapped: Mapped, value: Any) -> bool:
    """Take a known deed for one that went well: of products that note only what was done."""
    if mapped.outcome is None and mapped.action not in {None, "detect.alert"} and value is not None:
        mapped.outcome = _SUCCESS
    return False


def success_if(word: str) -> Convert:
    """Make the reader that takes the lack of an error for success where a field says that it is over."""

    def take_end(mapped: Mapped, value: Any) -> bool:
        if mapped.outcome is None and value == word:
            mapped.outcome = _SUCCESS
        return False

    return take_end


# --- who, on what, from where ---


def take_first_address(mapped: Mapped, value: Any) -> bool:
    """Take the first of a list of addresses: where the source says that it is the client's."""
    if type(value) is list and value:
        value = value[0]
    return take_address(mapped, value) and False


def take_user_at_host(mapped: Mapped, value: Any) -> bool:
    """Take the name in MySQL's `alice[alice] @ host [192.0.2.7]`: the one before the bracket, as it was given."""
    if type(value) is str:
        value = value.partition("[")[0].rstrip() if value.endswith("]") else value
    return usual.take_name(mapped, value) and False


def take_named_address(mapped: Mapped, value: Any) -> bool:
    """Take `ipv4:203.0.113.7:51234`."""
    if type(value) is str:
        take_address(mapped, value.removeprefix("ipv4:").removeprefix("ipv6:"))
    return False


def take_loose_address(mapped: Mapped, value: Any) -> bool:
    """Take an address with its port behind it, also `2001:db8::1:443` without brackets where that is no address."""
    if not take_address(mapped, value) and mapped.source_ip is None and type(value) is str and value.count(":") > 7:
        host, _, port = value.rpartition(":")
        address = parse_ip(host)
        if address is not None and port.isascii() and port.isdigit():
            mapped.source_ip = address
            usual.take_port(mapped, port)
    return False


# --- lists ---


def takes_only(key: str, column: str) -> Convert:
    """Make the reader of a list that holds exactly one object: one of its texts."""

    def take_only(mapped: Mapped, value: Any) -> bool:
        if type(value) is list and len(value) == 1 and type(value[0]) is dict and getattr(mapped, column) is None:
            text = value[0].get(key)
            if type(text) is str and text:
                setattr(mapped, column, text)
        return False

    return take_only


def takes_within(convert: Convert, *ways: str, kind: str = "", kinds: str = "") -> Convert:
    """Make the reader of an object, or of the first in a list of objects, by names further in.

    kind, kinds: only an object that has one of these values under this name, the first such.
    """
    inwards = [way.split(".") for way in ways]
    wanted = frozenset(kinds.lower().split())

    def take_within(mapped: Mapped, value: Any) -> bool:
        items = value[:_MOST_ITEMS] if type(value) is list else [value]
        for item in items:
            if type(item) is not dict:
                continue
            if wanted and str(item.get(kind)).lower() not in wanted:
                continue
            for way in inwards:
                convert(mapped, _walk(item, way))
            break
        return False

    return take_within


def takes_pair(convert: Convert, *names: str, at: str = "", key: str = "name", value_key: str = "value") -> Convert:
    """Make the reader of a list of names and values: `[{"name": "USER_EMAIL", "value": …}]`.

    at: where the list stands, in an object or in the first of a list of objects. A name that stands twice has none.
    """
    way = at.split(".") if at else []

    def take_pair(mapped: Mapped, value: Any) -> bool:
        if way:
            value = value[0] if type(value) is list and len(value) == 1 else value
            value = _walk(value, way)
        if type(value) is not list:
            return False
        pairs = [item for item in value[:_MOST_ITEMS] if type(item) is dict]
        for name in names:
            values = [pair.get(value_key) for pair in pairs if pair.get(key) == name]
            if len(values) == 1:
                convert(mapped, values[0])
        return False

    return take_pair


def takes_json(convert: Convert, *names: str) -> Convert:
    """Make the reader of a text that is a small JSON object: of its values under these names."""

    def take_json(mapped: Mapped, value: Any) -> bool:
        fields = (open_envelope(value) if type(value) is str and len(value) <= _LONGEST_JSON else None) or {}
        for name in names:
            convert(mapped, fields.get(name))
        return False

    return take_json


_LONGEST_JSON: Final = 4_096


def takes_claim(convert: Convert, *names: str) -> Convert:
    """Make the reader of an object whose names have dots and slashes (claims of a token)."""

    def take_claim(mapped: Mapped, value: Any) -> bool:
        if type(value) is dict:
            for name in names:
                convert(mapped, value.get(name))
        return False

    return take_claim


def _walk(value: Any, way: list[str]) -> Any:
    for name in way:
        if type(value) is list and len(value) == 1:
            value = value[0]
        if type(value) is not dict:
            return None
        value = value.get(name)
    return value
