"""The control socket: what a user of the machine may write to it."""

from __future__ import annotations

import asyncio
import json
import struct
from functools import cache
from pathlib import Path
from typing import Any, Final

from receiver import limits
from receiver.care.requests import control_commands
from receiver.control import ControlServer
from receiver.evidence.leaf import parse_payload, payload
from receiver.own_acts import own_act
from tests.fuzz import seeds
from tests.fuzz.target import NOW_US, Target


class FakeKeeper:
    """Does as the keeper does with what it is asked, as far as bytes matter: the act must be an event."""

    async def redact(self, wanted: object, reason: str, user: str) -> dict[str, object]:
        _as_event("log.redact", {"reason": reason, "wanted": str(wanted)}, user)
        return {"events": 0, "seq": 0, "pending": False}

    async def add_hold(self, where: object, reason: str, user: str) -> int:
        _as_event("log.redact", {"reason": reason, "filter": str(where)}, user)
        return 1

    async def remove_hold(self, number: int, user: str) -> None:
        _as_event("log.redact", {"hold": number}, user)

    async def prune(self) -> list[object]:
        return []

    async def note(self, action: str, data: dict[str, object], user: str) -> None:
        _as_event(action, data, user)

    async def sign(self) -> None:
        return None


def _as_event(action: str, data: dict[str, object], user: str) -> None:
    event = own_act(action, NOW_US, host="h", pid=1, data=data, actor=user)
    assert parse_payload(payload(event)) == event
    assert event.data is None or isinstance(json.loads(event.data), dict)


class _Peer:
    """The other end: who it is, and what it was told."""

    def __init__(self) -> None:
        self.said = b""

    def getsockopt(self, *_: object) -> bytes:
        return struct.pack("3i", 1, 0, 0)

    def get_extra_info(self, _: str) -> _Peer:
        return self


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


def control(data: bytes) -> None:
    """Any line is answered, by a result or by one sentence; never by a bug of ours."""

    async def answer() -> dict[str, Any]:
        server = ControlServer(Path("/nowhere"), control_commands(FakeKeeper(), lambda: True))  # type: ignore[arg-type]
        reader = asyncio.StreamReader(limit=limits.CONTROL_BYTES)
        reader.feed_data(data)
        reader.feed_eof()
        return await server._answer(reader, _Peer())  # type: ignore[arg-type]

    answered = _loop().run_until_complete(answer())
    assert answered.keys() in ({"result"}, {"error"})
    assert "a bug of ours" not in str(answered.get("error")), answered
    json.dumps(answered).encode()


TARGETS: Final[dict[str, Target]] = {"control": Target(control, lambda: seeds.CONTROL, chooses=False)}
