"""The receiver's own acts, as events of the log it keeps.

Knows the schema; asks no clock and stores nothing. Such an event has a fixed `message`, so that equal acts read
alike; what varies stands in `data` alone. It is in none of the conservation counters: nobody sent it.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Event, Outcome, ParseStatus, TimeQuality, Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

APP: Final = "audit-receiver"
LISTENER: Final = "self"
FORMAT: Final = "internal"

_MESSAGES: Final = {
    "log.start": "receiver started",
    "log.stop": "receiver stopped",
    "config.change": "configuration re-read",
    "system.time_change": "system clock stepped",
}
_FACILITY_AUDIT: Final = 13
_SEVERITY_NOTICE: Final = 5


def own_act(
    action: str,
    received_at: int,
    *,
    host: str,
    pid: int,
    outcome: Outcome = Outcome.SUCCESS,
    reason: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    """Build the event of one act; `action` is one of those with a fixed message."""
    return Event(
        received_at=received_at,
        time=received_at,
        time_quality=TimeQuality.FULL.value,
        host=host,
        app=APP,
        pid=str(pid),
        msgid=None,
        facility=_FACILITY_AUDIT,
        severity=_SEVERITY_NOTICE,
        actor=None,
        actor_as=None,
        action=action,
        outcome=outcome.value,
        reason=reason,
        target=None,
        source_ip=None,
        source_port=None,
        session=None,
        peer=None,
        peer_port=None,
        peer_identity=None,
        transport=Transport.INTERNAL.value,
        listener=LISTENER,
        format=FORMAT,
        parse_status=ParseStatus.OK.value,
        rule=f"self/{action}",
        message=_MESSAGES[action],
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else None,
        raw=None,
    )
