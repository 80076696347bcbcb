"""Values of JSON fields and SD params → columns: one small function for each kind of value.

Each takes a `Mapped` and a value, fills what it is sure of, and says if the value is now wholly in its column (then
`data` needs it no more). Which field is read by which function, and in which order, is `vocabularies/`; what comes
first wins, since a column that is filled is never filled again. Knows no field names, no message, no I/O.

Invariant: NEVER GUESS - a value of the wrong type or shape fills nothing; nothing raises for content.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from receiver import limits
from receiver.event import ACTIONS, FACILITIES, MAX_TIME_US, Outcome, TimeQuality
from receiver.normalize import words
from receiver.normalize.address import MAX_PORT, parse_ip
from receiver.wire import gelf, timestamp

COLUMNS: Final = (
    "time", "time_quality", "host", "app", "pid", "severity", "facility", "actor", "actor_as", "action", "outcome",
    "reason", "target", "source_ip", "source_port", "session", "message",
)  # fmt: skip

_MISSING: Final = str(TimeQuality.MISSING)
_UNPARSED: Final = str(TimeQuality.UNPARSED)
_FULL: Final = str(TimeQuality.FULL)
_NO_ZONE: Final = str(TimeQuality.NO_ZONE)
_SUCCESS: Final = str(Outcome.SUCCESS)
_FAILURE: Final = str(Outcome.FAILURE)
_OUTCOMES: Final = frozenset(map(str, Outcome))
_LONGEST_WORD: Final = 16
_LARGEST_FLOAT_ID: Final = 2**53
"""Whole numbers above are not exact as a float."""
NOBODY: Final = frozenset(
    {
        "", "-", "--", "?", "null", "NULL", "Null", "none", "None", "NONE", "nil", "<nil>", "n/a", "N/A", "undefined",
        "unknown", "Unknown", "UNKNOWN", "<unknown>", "(unknown)", "(null)", "(none)", "[unknown]", "[not set]",
        "Not Available", "AnonymousUser", "(unauthenticated)", "(anonymous)", "unset",
        "HIDDEN_DUE_TO_SECURITY_REASONS", "4294967295",
    }
)  # fmt: skip
"""What stands where no name is known."""


class Mapped:
    """The columns an object fills; None where it says nothing sure. rest: the fields for `data`.

    envelope: what stood around the object, for `data`. source: the object, where it is not the one that came.
    is_own: read as the product's own audit log. is_id: the actor is no more than an id. is_attempt: the deed is
    one to log in, if there was any. is_http, has_destination, path, object_type, dataset, is_no_login,
    categories: facts on the way, of no use afterwards.
    """

    # Defaults stand in the class: an object sets what it fills, not nineteen attributes (0.2 µs instead of 0.9).
    time: int | None = None
    time_quality: str = _MISSING
    host: str | None = None
    app: str | None = None
    pid: str | None = None
    severity: int | None = None
    facility: int | None = None
    actor: str | None = None
    actor_as: str | None = None
    action: str | None = None
    outcome: str | None = None
    reason: str | None = None
    target: str | None = None
    source_ip: str | None = None
    source_port: int | None = None
    session: str | None = None
    message: str | None = None
    is_http: bool = False
    has_destination: bool = False
    path: str | None = None
    object_type: tuple[str, str] | None = None
    categories: frozenset[str] = frozenset()
    envelope: dict[str, Any] | None = None
    source: dict[str, Any] | None = None
    is_own: bool = False
    is_id: bool = False
    is_attempt: bool = False
    dataset: str = ""
    is_no_login: bool = False

    def __init__(self, rest: dict[str, Any]) -> None:
        self.rest = rest

    @property
    def is_audit(self) -> bool:
        """Whether it says more than any log line does: who, what, on what, from where, with what outcome."""
        return not (
            self.actor is None
            and self.action is None
            and self.outcome is None
            and self.source_ip is None
            and self.target is None
            and self.session is None
            and self.actor_as is None
            and self.source_port is None
        )


    @property
    def says_who(self) -> bool:
        """Whether its own fields name a deed, who did it, from where or how it ended."""
        return not (
            self.actor is None
            and self.action is None
            and self.source_ip is None
            and self.outcome is None
            and self.actor_as is None
        )

    @property
    def says_whence_only(self) -> bool:
        """Whether an address is all that its own fields name of a deed."""
        return self.actor is None and self.action is None and self.outcome is None and self.actor_as is None


Convert = Callable[[Mapped, Any], bool]

# --- time ---

_known_seconds: dict[str, int] = {}
"""`YYYY-MM-DDTHH:MM:SS` in UTC → µs, of seconds read before: 0.5 µs a time, against 1.6."""

_STRICT: Final = re.compile(timestamp.STRICT)
_COMMON_LOG: Final = re.compile(r"(\d{2})/([A-Z][a-z]{2})/(\d{4}):(\d{2}:\d{2}:\d{2} [+-]\d{4})", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,20}(?:\.[0-9]{1,20})?")
_FRACTION_US: Final = (1_000_000, 100_000, 10_000, 1_000, 100, 10, 1)  # by number of digits
_LONGEST_TIME: Final = 40
_UNITS: Final = ((10**8, 1), (10**11, 1_000), (10**14, 1_000_000), (10**17, 1_000_000_000))
"""Seconds, ms, µs, ns: each from 1973 on, where the one before ends (in 5138). Less is a duration or a counter."""


def take_time(mapped: Mapped, value: Any) -> bool:
    """Take time as text (ISO 8601, RFC 3339, common log) or as a number since 1970 in s, ms, µs or ns."""
    if mapped.time is not None:
        return False
    if type(value) is str:
        base = _known_seconds.get(value[:19])
        if base is not None and value[19:20] == ".":
            fraction = value[20:-1] if value[-1] == "Z" else value[20:].removesuffix("+00:00")
            if len(fraction) <= 6 and fraction.isdecimal() and fraction.isascii():
                mapped.time = base + int(fraction) * _FRACTION_US[len(fraction)]
                mapped.time_quality = _FULL
                return True
        found = _STRICT.fullmatch(value)
        return _take_strict_time(mapped, found) if found else _take_other_time(mapped, value)
    if type(value) is int or type(value) is float:
        time = _number_us(value)
        return _set_time(mapped, time, _FULL) and _is_exact(time, value)
    return False


def _take_strict_time(mapped: Mapped, found: re.Match[str]) -> bool:
    seconds, fraction, offset = found.groups()
    time = timestamp.strict_us(seconds, fraction, offset)
    if time is not None and offset in {"Z", "+00:00"}:
        if len(_known_seconds) >= limits.TIME_CACHE_ENTRIES:
            _known_seconds.clear()
        _known_seconds[seconds] = time - time % 1_000_000
    return _set_time(mapped, time, _FULL) and offset in {"Z", "+00:00"}


def take_seconds(mapped: Mapped, value: Any) -> bool:
    """Take time as seconds since 1970 and nothing else (GELF)."""
    if mapped.time is not None:
        return False
    time = gelf.epoch_us(value)
    return _set_time(mapped, time, _FULL) and _is_exact(time, value)


def _take_other_time(mapped: Mapped, text: str) -> bool:
    if not text or text == "-" or len(text) > _LONGEST_TIME:
        return False
    if _NUMBER.fullmatch(text):
        whole, _, fraction = text.partition(".")
        time = _number_us(int(whole))
        if time is not None and fraction and len(whole) < 12:
            time = gelf.epoch_us(text)
        return _set_time(mapped, time, _FULL) and not fraction
    common = _COMMON_LOG.fullmatch(text)
    if common:
        text = " ".join(common.groups())
    stamp = timestamp.read_stamp(text, 0, 0, None)
    if stamp is None or stamp.end != len(text) or stamp.quality not in {_FULL, _NO_ZONE}:
        _set_time(mapped, None, _UNPARSED)
    else:
        _set_time(mapped, stamp.time, stamp.quality)
    return False


def _set_time(mapped: Mapped, time: int | None, quality: str) -> bool:
    if time is None or not -MAX_TIME_US <= time <= MAX_TIME_US:
        mapped.time_quality = _UNPARSED
        return False
    mapped.time = time
    mapped.time_quality = quality
    return True


def _number_us(number: float) -> int | None:
    """Turn a number since 1970 into µs; None when its size tells no unit."""
    if not _UNITS[0][0] <= number < 10**20:
        return None
    per_second = next(per_second for least, per_second in _UNITS if number < least * 1000)
    if type(number) is int:
        return number * 1_000_000 // per_second
    return gelf.epoch_us(number) if per_second == 1 else round(number * (1_000_000 / per_second))


def _is_exact(time: int | None, number: float | str) -> bool:
    """Say if a number can be told from its time: nothing finer than µs was cut off."""
    if time is None or isinstance(number, str):
        return False
    if isinstance(number, int):
        return any(time * per_second == number * 1_000_000 for _, per_second in _UNITS)
    return number in {time / 1_000_000, time / 1_000}


# --- header facts ---


def take_pid(mapped: Mapped, value: Any) -> bool:
    """Take a process id: a number, or a text without blanks."""
    if mapped.pid is not None:
        return False
    if type(value) is int or (_is_text(value) and " " not in value):
        mapped.pid = str(value)
        return True
    if type(value) is float and value.is_integer() and 0 <= value < _LARGEST_FLOAT_ID:  # of a sender without integers
        mapped.pid = str(int(value))
    return False


_COMMAND: Final = re.compile(
    r"/(?:usr/)?s?bin/(?!(?:env|(?:ba|da|z)?sh|perl|node)(?: |$)|python)([A-Za-z][\w.-]{1,63})(?: .*)?", re.DOTALL
)


def take_command_name(mapped: Mapped, value: Any) -> bool:
    """Take the program of a command line, where the system has installed it; a shell or its like says nothing."""
    found = _COMMAND.fullmatch(value) if type(value) is str and mapped.app is None else None
    if found is not None:
        mapped.app = found[1]
    return False


def take_tag(mapped: Mapped, value: Any) -> bool:
    """Take a program and its process from syslog's tag (`sshd[7]:`)."""
    found = _TAG.fullmatch(value) if type(value) is str else None
    if found is not None and mapped.app is None:
        mapped.app = found[1]
        mapped.pid = mapped.pid or found[2]
    return False


_TAG: Final = re.compile(r"([A-Za-z_][\w./-]{0,63})(?:\[(\d{1,10})\])?:?")


_LOGGERS: Final = {
    "org.keycloak.events": "keycloak", "auth.event": "sonarqube", "kafka.authorizer.logger": "kafka",
    "org.apache.cassandra.audit": "cassandra", "org.apache.guacamole": "guacamole", "rabbitmq": "rabbitmq",
}  # fmt: skip
_OF_LOGGERS: Final = re.compile(rf"(?:{'|'.join(map(re.escape, _LOGGERS))})(?=\Z|\.)")


def take_logger(mapped: Mapped, value: Any) -> bool:
    """Take the program from a logger's name that only one has, or of which only one has the beginning."""
    found = _OF_LOGGERS.match(value) if mapped.app is None and type(value) is str else None
    if found is not None:
        mapped.app = _LOGGERS[found[0]]
    return False


def take_severity(mapped: Mapped, value: Any) -> bool:
    """Take a level's name, or syslog's number."""
    if mapped.severity is not None:
        return False
    if type(value) is str:
        mapped.severity = words.SEVERITY_WORDS.get(value)
        if mapped.severity is not None or len(value) != 1 or value not in "01234567":
            return False
        value = int(value)
    if type(value) is int and 0 <= value <= 7:
        mapped.severity = value
        return True
    return False


def take_level(mapped: Mapped, value: Any) -> bool:
    """Take a level's name, syslog's number, or the number of bunyan and pino."""
    if type(value) is int and value > 7:
        if mapped.severity is None:
            mapped.severity = words.PINO_LEVELS.get(value)
        return False
    return take_severity(mapped, value)


def take_python_level(mapped: Mapped, value: Any) -> bool:
    """Take the number of Python's logging."""
    if mapped.severity is None and type(value) is int:
        mapped.severity = words.PYTHON_LEVELS.get(value)
    return False


def take_otel_severity(mapped: Mapped, value: Any) -> bool:
    """Take OpenTelemetry's SeverityNumber: four of each of TRACE, DEBUG, INFO, WARN, ERROR, FATAL."""
    if mapped.severity is None and type(value) is int and 1 <= value <= 24:
        mapped.severity = (7, 7, 6, 4, 3, 2)[(value - 1) // 4]
    return False


def take_facility(mapped: Mapped, value: Any) -> bool:
    """Take a syslog facility's number or name."""
    if mapped.facility is not None:
        return False
    if type(value) is str:
        if value in FACILITIES:
            mapped.facility = FACILITIES.index(value)
            return False
        value = int(value) if _is_digits(value) and len(value) <= 2 else None
    if type(value) is int and 0 <= value < len(FACILITIES):
        mapped.facility = value
        return True
    return False


def take_log(mapped: Mapped, value: Any) -> bool:
    """Take a line as Docker's json-file keeps it: a whole one ends in LF, which is no part of it."""
    if mapped.message is not None or type(value) is not str:
        return False
    mapped.message = value.removesuffix("\n")
    return value.endswith("\n")


def take_journal_message(mapped: Mapped, value: Any) -> bool:
    """Take a journal's MESSAGE: text, or (not UTF-8) an array of byte values."""
    if mapped.message is not None:
        return False
    if type(value) is str:
        mapped.message = value
        return True
    if type(value) is list:
        try:
            mapped.message = bytes(value).decode("utf-8", "replace")
        except (TypeError, ValueError):
            return False
    return False


def take_message(mapped: Mapped, value: Any) -> bool:
    """Take the human text."""
    if mapped.message is None and type(value) is str:
        mapped.message = value
        return True
    return False


# --- who, from where ---


def take_name(mapped: Mapped, value: Any) -> bool:
    """Take an actor: a text, or the number of one."""
    if mapped.actor is not None:
        return False
    if type(value) is str:
        if value in NOBODY:
            return False
        mapped.actor = value
        return True
    if type(value) is int:
        mapped.actor = str(value)
        return True
    if type(value) is float and value.is_integer() and 0 <= value < _LARGEST_FLOAT_ID:
        mapped.actor = str(int(value))
    return False


def take_id(mapped: Mapped, value: Any) -> bool:
    """Take an actor's id; 0 and less are no user's."""
    if mapped.actor is not None or (type(value) is int and value <= 0):
        return False
    take_name(mapped, value)
    mapped.is_id = mapped.actor is not None
    return False  # a login's name may take its place


def take_subject(mapped: Mapped, value: Any) -> bool:
    """Take an actor, unless it reads like the subject of a mail."""
    if mapped.actor is None and _is_text(value) and not any(map(str.isspace, value)) and "://" not in value:
        mapped.actor = value
        return True
    return False


DONE_TO_USERS: Final = ("account.", "group.", "role.", "privilege.")
"""Deeds that are done to a user."""
_LOGINS: Final = frozenset({"auth.login", "auth.logout"})
_COMINGS: Final = _LOGINS | {"session.open", "session.close"}


def take_login_name(mapped: Mapped, value: Any) -> bool:
    """Take an account's name or address where somebody came or went: elsewhere it may be anybody's."""
    if mapped.action not in _LOGINS or (mapped.actor is not None and not mapped.is_id):
        return False
    named = Mapped({})
    take_name(named, value)
    mapped.actor, mapped.is_id = named.actor or mapped.actor, named.actor is None
    return False


def take_login_uid(mapped: Mapped, value: Any) -> bool:
    """Take a directory's `uid` where somebody came or went, if it reads like a name: elsewhere it is a number."""
    if type(value) is str and _UID.fullmatch(value):
        take_login_name(mapped, value)
    return False


_UID: Final = re.compile(r"(?![0-9a-fA-F-]{8,}\Z)[A-Za-z][\w.@-]{0,31}", re.ASCII)


def take_request_name(mapped: Mapped, value: Any) -> bool:
    """Take who sent a request, by a name that a kernel has too (`uname`)."""
    return mapped.is_http and mapped.source_ip is not None and type(value) is str and take_name(mapped, value)


def see_nothing(_mapped: Mapped, _value: Any) -> bool:
    """Pass over a field by whose name alone something is known."""
    return False


def take_context_name(mapped: Mapped, value: Any) -> bool:
    """Take a name in what a logger adds to a text; of what was done to a user it may be theirs."""
    if mapped.action is None or not mapped.action.startswith(DONE_TO_USERS):
        take_name(mapped, value)
    return False


def take_admin(mapped: Mapped, value: Any) -> bool:
    """Take an administrator's name, under a name that may as well be the question whether one is."""
    return type(value) is str and value.lower() not in words.YES_NO and take_subject(mapped, value)


def take_doer(mapped: Mapped, value: Any) -> bool:
    """Take who did something to a user, where that user stands under the name of an actor."""
    if mapped.action is not None and mapped.action.startswith(DONE_TO_USERS) and type(value) is str and _is_text(value):
        if mapped.target is None and mapped.actor not in {None, value}:
            mapped.target = f"account:{mapped.actor}"
        mapped.actor = value
    return False


def take_login_address(mapped: Mapped, value: Any) -> bool:
    """Take an address where somebody came or went: elsewhere it may be the one that a server listens at."""
    return mapped.action in _COMINGS and take_address(mapped, value)


def take_session(mapped: Mapped, value: Any) -> bool:
    """Take a session's id, text or number."""
    if mapped.session is None and (type(value) is int or _is_text(value)):
        mapped.session = str(value)
        return True
    return False


def take_audit_session(mapped: Mapped, value: Any) -> bool:
    """Take the kernel's session id; 2^32−1 is its word for none."""
    return value != "4294967295" and take_session(mapped, value)


def take_address(mapped: Mapped, value: Any) -> bool:
    """Take an IP address, also `address:port`, or the first of `client, proxy, proxy`."""
    if mapped.source_ip is not None:
        return False
    if type(value) is not str:
        if type(value) is list and len(value) == 1:
            take_address(mapped, value[0])
        return False
    address = parse_ip(value)
    if address is not None:
        mapped.source_ip = address
        return address == value
    if "," in value:
        return _take_first_of_proxies(mapped, value)
    name, _, rest = value.rpartition("/")
    if rest != value and parse_ip(name) is None:  # Java's InetAddress: `/192.0.2.7`, `host/192.0.2.7:51234`
        value = rest
    _take_with_port(mapped, value)
    return False


def _take_with_port(mapped: Mapped, value: str) -> None:
    """Take `192.0.2.7:51234` or `[2001:db8::1]:51234`, or an address that is left alone of something else."""
    host, colon, port = value.rpartition(":")
    number = _port(port) if colon and (":" not in host or host.startswith("[")) else None
    address = parse_ip(host if number is not None else value)
    if address is not None:
        mapped.source_ip = address
        if mapped.source_port is None:
            mapped.source_port = number


def _take_first_of_proxies(mapped: Mapped, value: str) -> bool:
    """Take the client of an X-Forwarded-For: the first, if all of them are addresses."""
    hops = value.split(",") if len(value) <= _LONGEST_HOPS else []
    if len(hops) > _MOST_HOPS:
        return False
    found = [Mapped({}) for _ in hops]
    for hop, each in zip(hops, found, strict=True):
        take_address(each, hop.strip())
        if each.source_ip is None:
            return False
    if found:
        mapped.source_ip = found[0].source_ip
        if mapped.source_port is None:
            mapped.source_port = found[0].source_port
    return False


_MOST_HOPS: Final = 16
_LONGEST_HOPS: Final = 512
"""Longer is no list of proxies."""


def take_port(mapped: Mapped, value: Any) -> bool:
    """Take a port, number or digits."""
    if mapped.source_port is None:
        mapped.source_port = _port(value)
        return mapped.source_port is not None
    return False


def _port(value: Any) -> int | None:
    if type(value) is str and _is_digits(value) and len(value) <= 5:
        value = int(value)
    return value if type(value) is int and 0 < value <= MAX_PORT else None


# --- what, on what, with what outcome ---


def take_outcome(mapped: Mapped, value: Any) -> bool:
    """Take a word or truth value that says how it ended."""
    if mapped.outcome is not None:
        return False
    if type(value) is str:
        if value in _OUTCOMES:
            mapped.outcome = value
            return True
        mapped.outcome = words.OUTCOMES.get(value.lower()) if len(value) <= _LONGEST_WORD else None
    elif type(value) is bool:
        mapped.outcome = _SUCCESS if value else _FAILURE
    return False


def take_answer(mapped: Mapped, value: Any) -> bool:
    """Take the answer to a field's name (`success`: true, yes, 1)."""
    if type(value) is int:
        value = str(value) if 0 <= value <= 1 else None
    if mapped.outcome is None and type(value) is str and len(value) <= _LONGEST_WORD:
        mapped.outcome = words.YES_NO.get(value.lower())
        return False
    return take_outcome(mapped, value)


def take_contrary(mapped: Mapped, value: Any) -> bool:
    """Take the answer to whether it failed (`failed`, `denied`)."""
    if mapped.outcome is None and type(value) is bool:
        mapped.outcome = _FAILURE if value else _SUCCESS
    return False


def take_http_status(mapped: Mapped, value: Any) -> bool:
    """Take how it ended: a word, or a code under a name that only HTTP's have."""
    code = _http_code(value)
    if code is None:
        return take_outcome(mapped, value)
    if mapped.is_http:
        if mapped.action is None:
            mapped.action = "http.request"
        if mapped.target is None:
            mapped.target = mapped.path
    if mapped.outcome is None and code >= 200:
        mapped.outcome = _SUCCESS if code < 400 else _FAILURE
    return False


def take_status(mapped: Mapped, value: Any) -> bool:
    """Take how it ended: a word, or the status code of an HTTP request or of a deed that is known."""
    if not (mapped.is_http or mapped.action is not None or _http_code(value) is None):
        return False
    is_taken = take_http_status(mapped, value)
    _take_attempt(mapped)
    return is_taken


def _http_code(value: Any) -> int | None:
    if type(value) is str and len(value) == 3 and _is_digits(value):
        value = int(value)
    if type(value) is float and value.is_integer():
        value = int(value)
    return value if type(value) is int and 100 <= value <= 599 else None


def take_reason(mapped: Mapped, value: Any) -> bool:
    """Take why it failed or was denied; without a failure it is a reason for something else."""
    if mapped.reason is None and mapped.outcome == _FAILURE and _is_text(value):
        mapped.reason = value
        return True
    return False


def take_error(mapped: Mapped, value: Any) -> bool:
    """Take what is there only when it failed: of a deed that is known, its failure, and why."""
    is_said = (_is_text(value) and value not in NOBODY and not _is_good(value)) or value is True
    if not (is_said or (type(value) in {dict, list} and value)):
        return False
    if mapped.outcome is None and mapped.action is not None:
        mapped.outcome = _FAILURE
    return take_reason(mapped, value)


def _is_good(value: str) -> bool:
    return value == "0" or (len(value) <= _LONGEST_WORD and words.OUTCOMES.get(value.lower()) == _SUCCESS)


def take_action(mapped: Mapped, value: Any) -> bool:
    """Take a verb of the vocabulary, one of the usual words for it, or a bare one when its object's type is known."""
    if type(value) is list and len(value) == 1:
        value = value[0]
    if mapped.action is not None or type(value) is not str or len(value) > words.LONGEST_ACTION:
        return False
    if value in ACTIONS:
        mapped.action = value
        return True
    deed = words.read_action(value)
    action = deed.action
    if action is None and deed.tokens and mapped.object_type is not None:
        action = words.read_verb(deed.tokens, mapped.object_type[1])
    if action is not None:
        mapped.action = action
        if mapped.outcome is None:
            mapped.outcome = deed.outcome
    elif deed.tokens == "authentication":
        take_attempt(mapped, deed.tokens)
    elif mapped.has_destination and mapped.source_ip is not None and value.lower() in _REFUSALS:
        mapped.action, mapped.outcome = "net.refuse", mapped.outcome or _FAILURE
    elif mapped.has_destination and mapped.source_ip is not None and value.lower() in _PERMITS:
        mapped.action, mapped.outcome = "net.connect", mapped.outcome or _SUCCESS
    return False


_REFUSALS: Final = frozenset(("deny", "denied", "drop", "dropped", "block", "blocked", "reject", "rejected"))
"""What a firewall says of a connection, of which both ends are known, that it did not let through."""
_PERMITS: Final = frozenset(("allow", "allowed", "accept", "accepted", "permit", "permitted", "pass", "passed"))
"""And of one that it did."""


def take_attempt(mapped: Mapped, value: Any) -> bool:
    """Take the kind of event that with an outcome is an attempt to log in: read when the outcome is known."""
    if type(value) is str and value.lower() == "authentication":
        mapped.is_attempt = True
        _take_attempt(mapped)
    return False


def _take_attempt(mapped: Mapped) -> None:
    if mapped.is_attempt and mapped.action is None and mapped.outcome is not None:
        mapped.action = "auth.login"


def see_categories(mapped: Mapped, value: Any) -> bool:
    """See ECS's event.category, one or several."""
    if type(value) is str:
        value = [value]
    if type(value) is list and len(value) <= _MOST_CATEGORIES:
        mapped.categories |= {each for each in value if type(each) is str and len(each) <= words.LONGEST_ACTION}
    return False


def take_alarm(mapped: Mapped, value: Any) -> bool:
    """Take ECS's event.category where it says that trouble was found, whatever was done then."""
    found = {value} if type(value) is str else set(value) if _is_texts(value) else set()
    if mapped.action is None and not found.isdisjoint(_ALARMS) and "authentication" not in found:
        mapped.action = "detect.alert"
    return False


_ALARMS: Final = frozenset({"intrusion_detection", "malware"})


def take_challenge(mapped: Mapped, value: Any) -> bool:
    """Take ECS's event.type: what is of authentication and no end is an attempt to come in, by its definition."""
    kinds = {value} if type(value) is str else set(value) if _is_texts(value) else _NO_KIND
    if not mapped.is_no_login and "authentication" in mapped.categories and kinds <= _OF_CHALLENGES:
        take_attempt(mapped, "authentication")
    return False


_NO_KIND: Final = {""}
_OF_CHALLENGES: Final = frozenset({"info", "start", "allowed", "denied", "error", "authentication_failure",
                                   "authentication_success", "user"})  # fmt: skip


def _is_texts(value: Any) -> bool:
    return type(value) is list and 0 < len(value) <= _MOST_CATEGORIES and all(type(each) is str for each in value)


def see_dataset(mapped: Mapped, value: Any) -> bool:
    """See whose events a document is made of (`okta.system`): the first name that is given."""
    if not mapped.dataset and _is_text(value) and len(value) <= words.LONGEST_ACTION:
        mapped.dataset = value.lower().partition(".")[0]
    return False


def take_categories(mapped: Mapped, value: Any) -> bool:
    """Take ECS's event.type, one or several, together with the categories seen before."""
    if mapped.action is None and mapped.categories:
        see_categories(mapped, value)
        mapped.action = words.read_categories(mapped.categories)
    return False


def take_kind(mapped: Mapped, value: Any) -> bool:
    """Take ECS's event.kind, which tells alerts from everything else."""
    if mapped.action is None and value == "alert":
        mapped.action = "detect.alert"
    return False


_MOST_CATEGORIES: Final = 8


def takes_type(family: str) -> Convert:
    """Make the reader of an object's type, for names of the same family (`object_type` and `object_name`)."""

    def take_type(mapped: Mapped, value: Any) -> bool:
        if mapped.object_type is None and _is_text(value) and len(value) <= words.LONGEST_ACTION:
            mapped.object_type = (family, value)
        return False

    return take_type


def takes_target(family: str) -> Convert:
    """Make the reader of an object's name or id: `type:name` when the type is known."""

    def take_target(mapped: Mapped, value: Any) -> bool:
        if mapped.target is not None or not (_is_text(value) or type(value) is int):
            return False
        if mapped.object_type is None or mapped.object_type[0] != family:
            mapped.target = str(value)
            return True
        prefix = mapped.object_type[1] + ":"
        if type(value) is str and value.startswith(prefix):
            mapped.target = value
            return True
        mapped.target = f"{prefix}{value}"
        return False

    return take_target


def takes_typed(object_type: str) -> Convert:
    """Make the reader of an object's name under a field that tells its type (`target_user`, `file.path`)."""

    def take_typed(mapped: Mapped, value: Any) -> bool:
        if mapped.target is None and _is_text(value):
            mapped.target = f"{object_type}:{value}"
        return False

    return take_typed


# --- HTTP requests ---

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
_REQUEST_LINE: Final = re.compile(r"[A-Z]{3,16} (\S+)(?: HTTP/[0-9.]{1,3})")


def see_method(mapped: Mapped, value: Any) -> bool:
    """See a method of RFC 9110 §9 or RFC 5789: with a status code it is an HTTP request."""
    if type(value) is str and value in _METHODS:
        mapped.is_http = True
    return False


def see_request_line(mapped: Mapped, value: Any) -> bool:
    """See a request line of RFC 9112 §3."""
    found = _REQUEST_LINE.fullmatch(value) if type(value) is str else None
    if found:
        mapped.is_http = True
        mapped.path = found[1]
    return False


def see_path(mapped: Mapped, value: Any) -> bool:
    """See what a request was for."""
    if mapped.path is None and type(value) is str and value.startswith(("/", "http://", "https://")):
        mapped.path = value
    return False


def see_destination(mapped: Mapped, value: Any) -> bool:
    """See that a connection was for an address."""
    mapped.has_destination = mapped.has_destination or (type(value) is str and parse_ip(value) is not None)
    return False


def see_request_uri(mapped: Mapped, value: Any) -> bool:
    """See what a request was for, under a name that only requests have."""
    see_path(mapped, value)
    mapped.is_http = mapped.is_http or mapped.path is not None
    return False


def _is_text(value: Any) -> bool:
    return type(value) is str and value != "" and value != "-"  # noqa: PLR1714 - hashing costs more


def _is_digits(value: str) -> bool:
    return value.isascii() and value.isdigit()
