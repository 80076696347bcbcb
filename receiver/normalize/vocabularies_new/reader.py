"""One object that is being read by a vocabulary's own function: values by their path, and the columns it fills.

A path is exact: `user.name` finds `{"user": {"name": …}}`, `{"user.name": …}` and every mixture; a number goes into a
list; an object written as a text is looked into like any other. Columns that are filled stay as they are.

Invariant: NEVER GUESS - a value of the wrong type or shape fills nothing; nothing raises for content.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from receiver.event import Outcome
from receiver.normalize import mapped as take
from receiver.wire.json_event import load_object

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.normalize.mapped import Mapped

SUCCESS: Final = str(Outcome.SUCCESS)
FAILURE: Final = str(Outcome.FAILURE)

_NOTHING: Final = frozenset({"", "-", "--", "null", "NULL", "(null)", "None", "none", "nil", "<nil>", "N/A", "n/a"})
"""What sources write where there is nobody and nothing."""

Deed = tuple[str, bool | None]
"""An action, and how it ended where the source's word says that too."""


class Reader:
    """An object, and what it means so far (`columns`)."""

    __slots__ = ("columns", "fields")

    def __init__(self, columns: Mapped, fields: dict[str, Any]) -> None:
        self.columns = columns
        self.fields = fields

    # --- values ---

    def get(self, path: str) -> Any:
        """Return what stands at a path; None when nothing does."""
        return _find(self.fields, path)

    def text(self, *paths: str) -> str | None:
        """Return the first text that says something."""
        for path in paths:
            value = _find(self.fields, path)
            if type(value) is str and value not in _NOTHING:
                return value
        return None

    def name(self, *paths: str) -> str | None:
        """Return the first name or number, as text."""
        for path in paths:
            value = _find(self.fields, path)
            if (type(value) is str and value not in _NOTHING) or type(value) is int:
                return str(value)
        return None

    def number(self, *paths: str) -> int | None:
        """Return the first integer, also one that is written as a text."""
        for path in paths:
            value = _find(self.fields, path)
            if type(value) is str and len(value) <= 18 and value.removeprefix("-").isdecimal() and value.isascii():
                value = int(value)
            if type(value) is int:
                return value
        return None

    def words(self, path: str) -> frozenset[str]:
        """Return the texts of a list, or a text alone, in lower case."""
        value = _find(self.fields, path)
        if type(value) is str:
            value = [value]
        return frozenset(word.lower() for word in value if type(word) is str) if type(value) is list else frozenset()

    def only(self, path: str) -> Any:
        """Return the one element of a list that has exactly one."""
        value = _find(self.fields, path)
        return value[0] if type(value) is list and len(value) == 1 else None

    def object(self, path: str) -> dict[str, Any]:
        """Return an inner object; empty when there is none."""
        value = _find(self.fields, path)
        return value if type(value) is dict else {}

    # --- columns ---

    def who(self, *paths: str) -> None:
        """Fill who acts."""
        if self.columns.actor is None:
            self.columns.actor = self.name(*paths)

    def whom(self, *paths: str) -> None:
        """Fill whom they became or acted as."""
        if self.columns.actor_as is None:
            self.columns.actor_as = self.name(*paths)

    def origin(self, *paths: str) -> None:
        """Fill the address the actor came from, and the port where it stands with it."""
        for path in paths:
            if self.columns.source_ip is None:
                take.take_address(self.columns, _find(self.fields, path))

    def port(self, *paths: str) -> None:
        """Fill the actor's port."""
        for path in paths:
            take.take_port(self.columns, _find(self.fields, path))

    def did(self, action: str | None, ok: bool | None = None) -> None:
        """Fill what was done, and how it ended where that is known."""
        if action is not None and self.columns.action is None:
            self.columns.action = action
        if action is not None:
            self.ended(ok)

    def deed(self, table: Mapping[str, Deed], word: str | int | None) -> None:
        """Fill what was done from a table of the source's own words, which are in lower case there."""
        if word is not None:
            self.did(*table.get(str(word).lower(), (None, None)))

    def ended(self, ok: bool | None) -> None:
        """Fill how it ended."""
        if ok is not None and self.columns.outcome is None:
            self.columns.outcome = SUCCESS if ok else FAILURE

    def failed(self, reason: str | None) -> None:
        """Fill that it failed, and why."""
        self.ended(False)
        self.because(reason)

    def because(self, reason: str | None) -> None:
        """Fill why it failed; without a failure it is a reason for something else."""
        if reason is not None and self.columns.outcome == FAILURE and self.columns.reason is None:
            self.columns.reason = reason

    def on(self, kind: str, *paths: str) -> None:
        """Fill on what it was done, with its type."""
        if self.columns.target is None:
            name = self.name(*paths)
            if name is not None:
                self.columns.target = f"{kind}:{name}" if kind else name

    def session(self, *paths: str) -> None:
        """Fill the session."""
        if self.columns.session is None:
            self.columns.session = self.name(*paths)

    def time(self, *paths: str) -> None:
        """Fill when it was, as the source says."""
        for path in paths:
            if self.columns.time is None:
                take.take_time(self.columns, _find(self.fields, path))


def deeds(ok: bool | None, /, **actions: str) -> dict[str, Deed]:
    """Build a table of a source's words: `auth_login="LOGIN SIGN_IN"`, separated by blanks, or by `|` if there is one.

    A keyword is the action, its first `_` a dot.
    """
    return {
        word.strip().lower(): (action.replace("_", ".", 1), ok)
        for action, words in actions.items()
        for word in (words.split("|") if "|" in words else words.split())
    }


def _find(value: Any, path: str) -> Any:
    if type(value) is str and value[:1] == "{":
        loaded = load_object(value)
        value = loaded[0] if loaded is not None else None
    if type(value) is list:
        head, _, tail = path.partition(".")
        if not (head.isdecimal() and len(head) < 4 and int(head) < len(value)):
            return None
        return _find(value[int(head)], tail) if tail else value[int(head)]
    if type(value) is not dict:
        return None
    if path in value:
        return value[path]
    at = path.find(".")
    while at > 0:
        inner = value.get(path[:at])
        if inner is not None:
            found = _find(inner, path[at + 1 :])
            if found is not None:
                return found
        at = path.find(".", at + 1)
    return None
