"""What may be asked of a running receiver over the control socket, and how the answers are written.

Knows the keeper and the form of requests; the socket and who is at its other end are `control.py`'s. A request that is
not well-formed is refused with one sentence, and nothing is done.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from receiver.control import Command, Request
from receiver.errors import StoreRefused
from receiver.store.filter import Filter

if TYPE_CHECKING:
    from collections.abc import Callable

    from receiver.care.keeper import Keeper

NOTED_ACTIONS: Final = ("log.query", "log.export", "log.archive", "log.verify")
_NUMBERS: Final = {"since", "until", "facility", "severity"}
_FIELDS: Final[dict[str, type]] = {
    field.name: int if field.name in _NUMBERS else str for field in dataclasses.fields(Filter)
}
_FIELDS["unmatched"] = bool


def control_commands(keeper: Keeper, notes_queries: Callable[[], bool]) -> dict[str, Command]:
    """Give what a request's `command` may be. notes_queries: whether the config wants readers to be noted."""

    async def redact(request: Request) -> Any:
        reason = _text(request, "reason")
        wanted = filter_in(request) if "filter" in request.arguments else _ranges(request)
        return await keeper.redact(wanted, reason, request.user)

    async def hold_add(request: Request) -> Any:
        return {"hold": await keeper.add_hold(filter_in(request), _text(request, "reason"), request.user)}

    async def hold_remove(request: Request) -> Any:
        number = request.arguments.get("hold")
        if type(number) is not int:
            raise StoreRefused("which hold? its number is expected")
        await keeper.remove_hold(number, request.user)
        return {}

    async def prune(request: Request) -> Any:  # noqa: ARG001 - it has no arguments
        return [[found.segment.path.name, found.size_bytes, found.reason] for found in await keeper.prune()]

    async def note(request: Request) -> Any:
        action, data = request.arguments.get("action"), request.arguments.get("data")
        if action not in NOTED_ACTIONS or not isinstance(data, dict):
            raise StoreRefused(f"only {', '.join(NOTED_ACTIONS)} can be noted, with what was asked for")
        if notes_queries():
            await keeper.note(str(action), data, request.user)
        return {}

    async def checkpoint(request: Request) -> Any:  # noqa: ARG001
        signed = await keeper.sign()
        return {"size": signed.size if signed else None}

    return {
        "redact": Command(redact),
        "hold-add": Command(hold_add),
        "hold-remove": Command(hold_remove),
        "prune": Command(prune),
        "checkpoint": Command(checkpoint),
        "note": Command(note, changes=False),
    }


def filter_in(request: Request) -> Filter:
    """Read a request's filter; refuses one that names nothing, for it would mean everything."""
    asked = request.arguments.get("filter")
    if not isinstance(asked, dict) or not asked or not asked.keys() <= _FIELDS.keys():
        raise StoreRefused("a filter with at least one of its fields is expected")
    for name, value in asked.items():
        if type(value) is not _FIELDS[name]:
            raise StoreRefused(f"the filter's {name} must be of type {_FIELDS[name].__name__}")
    try:
        return Filter(**asked)
    except ValueError as error:
        raise StoreRefused(f"the filter's network: {error}") from error


def _ranges(request: Request) -> list[tuple[int, int]]:
    asked = request.arguments.get("seqs")
    if not isinstance(asked, list) or not asked:
        raise StoreRefused("positions, or a filter, are expected")
    ranges = []
    for pair in asked:
        if not (isinstance(pair, list) and len(pair) == 2 and all(type(seq) is int for seq in pair)):
            raise StoreRefused("positions are given as pairs: first and last")
        ranges.append((pair[0], pair[1]))
    return ranges


def _text(request: Request, name: str) -> str:
    value = request.arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise StoreRefused(f"a {name} is expected")
    return value
