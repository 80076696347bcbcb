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

MESSAGES: Final = {
    "log.start": "receiver started",
    "log.stop": "receiver stopped",
    "config.change": "configuration re-read",
    "system.time_change": "system clock stepped",
    "log.rotate": "segment sealed",
    "log.redact": "events redacted",
    "log.prune": "events removed by retention",
    "log.query": "log read",
    "log.export": "log exported",
    "log.archive": "log backed up",
    "log.verify": "log verified",
    "detect.alert": "log does not go on from its last checkpoint",
}
"""What an act is called; acts that share an action with another have their own message below."""
NOT_READ: Final = "configuration not re-read"
ALTERED: Final = "a sealed file is not what was sealed"
LOST: Final = "messages lost"
REFUSED: Final = "senders refused"
BROKEN: Final = "connections given up"
SILENT: Final = "expected host is silent"
HEARD: Final = "expected host is heard again"
HOLD_ADDED: Final = "legal hold added"
HOLD_REMOVED: Final = "legal hold removed"
KEY_ROTATED: Final = "signing key replaced"
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
    actor: str | None = None,
    message: str | None = None,
    time: int | None = None,
) -> Event:
    """Build the event of one act. actor: who asked for it. message: one of the fixed ones; None is the action's.

    received_at: where it stands in the log; `time`: when it was, if that is later (older events wait to be stored).
    """
    return Event(
        received_at=received_at,
        time=received_at if time is None else time,
        time_quality=TimeQuality.FULL.value,
        host=host,
        app=APP,
        pid=str(pid),
        msgid=None,
        facility=_FACILITY_AUDIT,
        severity=_SEVERITY_NOTICE,
        actor=actor,
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
        message=message or MESSAGES[action],
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")) if data else None,
        raw=None,
    )
