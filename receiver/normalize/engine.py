"""The normaliser: a Message and its Origin → one Event.

Knows the order in which facts win, and nothing of how they are found: rules (`rule.py`, by `dispatch.py`), JSON and
structured data (`fields.py`), the form of `data` (`event_data.py`).

1. The header of the message fills host, app, pid, time …; JSON fields fill what a header has not.
2. A rule that matches the text fills who, what, on what, from where, with what outcome: all of these columns, or none,
   since facts from two sources side by side are a guess.
3. Without a rule, JSON fields and structured data with the usual names do (`generic/json`, `generic/structured_data`).
4. JSON fields beat a rule where they are surer than the text: in a product's own audit log, where they name a deed and
   who did it, and where the rule is one for any program's text, which a stranger may have chosen.

Invariant: every message gives one event, in order; nothing raises for content; what a message said is in a column,
in `data`, or in `message`.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from receiver.event import Event, Format, ParseStatus, TimeQuality
from receiver.limits import RULE_TEXT_CHARS
from receiver.normalize.contexts import is_plain, may_have_context, read_context
from receiver.normalize.event_data import build_data
from receiver.normalize.explain import Explanation, explain
from receiver.normalize.objects import windows_events
from receiver.normalize.objects.fields import map_fields, map_structured_data, map_without, put_back
from receiver.normalize.rules.dispatch import HEAD, Dispatch, Table
from receiver.normalize.rules.pack import AnyRule, Pack, load_packs
from receiver.normalize.rules.rule import COLUMNS, SLOTS, Columns
from receiver.normalize.second_look import (
    LineStarts,
    Reading,
    behind_head,
    may_read_otherwise,
    readings,
    structured_text,
)
from receiver.normalize.tails import may_have_fields, read_fields
from receiver.wire.json_event import dump_data
from receiver.wire.message import Cut, Defect, Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from receiver.event import Origin
    from receiver.normalize.objects.mapped import Mapped

__all__ = ["Found", "Normalizer", "load_packs"]

_OK: Final = str(ParseStatus.OK)
_GELF: Final = str(Format.GELF)
_NOTHING: Final[Columns] = (None,) * len(COLUMNS)
_mapped_columns: Final = attrgetter(*COLUMNS)
_ACTOR: Final = SLOTS["actor"]
_ACTION: Final = SLOTS["action"]
_SOURCE_IP: Final = SLOTS["source_ip"]
_HEADER: Final = ("host", "app", "pid", "facility", "severity")
_header_columns: Final = attrgetter(*_HEADER)
_CONTAINER: Final = frozenset({"_container_id", "_command"})
"""What Docker's GELF driver says: the command is the image's entry point, which need not be who wrote the text."""
_NO_HEADER: Final = (None,) * len(_HEADER)
_MISSING: Final = str(TimeQuality.MISSING)
_UNPARSED: Final = str(TimeQuality.UNPARSED)
_PARTIAL: Final = str(ParseStatus.PARTIAL)
_FAILED: Final = str(ParseStatus.FAILED)
_new_event: Final = tuple.__new__

_REPEATED = re.compile(r"message repeated (\d{1,9}) times: \[ ?(.*)\]", re.DOTALL)
_REPEATED_CHARS: Final = 800
"""rsyslog keeps this much of a repeated message (`%.800s` in its compression of repetitions)."""

Header = tuple[Any, ...]
"""time, time_quality, host, app, pid, msgid, facility, severity: the columns before `actor`."""

Found = tuple[AnyRule, Columns, dict[str, Any]]
"""A rule that matched, the columns it fills, and what goes to `data`."""


class Normalizer:
    """All packs, compiled into one dispatch. Replaced as a whole when packs are reloaded."""

    def __init__(self, packs: Sequence[Pack], *, keep_raw_always: bool = False) -> None:
        self._dispatch = Dispatch(rule for pack in packs for rule in pack.rules)
        self._tables = self._dispatch.by_app
        self._starts = LineStarts([start for pack in packs for start in pack.lines])
        self._keep_raw_always = keep_raw_always

    def normalize(self, messages: Sequence[Message], origins: Iterable[Origin], received_at: int) -> list[Event]:
        """Make one event of each message, in order. origins: one for each message, or endless."""
        make = self.event
        return [make(message, origin, received_at) for message, origin in zip(messages, origins, strict=False)]

    def event(self, message: Message, origin: Origin, received_at: int) -> Event:
        """Make one event."""
        if message.fields is not None:
            return self._event_of_fields(message, message.fields, origin, received_at)
        text = message.message
        found = self.find(message.app, text, type(message.raw) is Cut) if text else None
        if found is None and text and (message.status != _OK or message.app is None or may_read_otherwise(text)):
            found = self._look_again(message, text, received_at)
            text = message.message
        if found is not None and message.structured_data and found[1][_ACTOR] is None:
            found = self._beside(message, found)
        if found is not None:
            rule, columns, extras = found
            name: str | None = rule.name
            if message.status == _FAILED:  # a line of somebody's file: what it says is read, it only has no header
                message.status = _PARTIAL
        else:
            name, columns, extras = None, _NOTHING, {}
            if message.structured_data or (text and text.startswith(windows_events.BEGINS)):
                name, columns, extras = self._read_structure(message)
            if name is None and text and (may_have_context(text) or may_have_fields(text)):
                name, columns, extras = self._read_behind(message, text, received_at)
                text = message.message
        if message.status == _OK and message.extra is None and not message.structured_data:
            data = dump_data(extras) if extras else None
        else:
            data = build_data(message, None, extras)
        raw = None if message.status == _OK and not self._keep_raw_always else bytes(message.raw)
        # Adding tuples takes 0.35 µs; unpacking them into one, or 29 arguments, 0.5.
        return _new_event(
            Event,
            (  # noqa: RUF005
                received_at, message.time, message.time_quality, message.host, message.app, message.pid,
                message.msgid, message.facility, message.severity,
            )
            + columns
            + origin
            + (message.format, message.status, name, text, data, raw),
        )  # fmt: skip

    def _read_behind(
        self, message: Message, text: str, received_at: int
    ) -> tuple[str | None, Columns, dict[str, Any]]:
        """Read what a logger wrote behind a text: JSON, or else fields."""
        read = self._read_context(message, text, received_at) if may_have_context(text) else (None, _NOTHING, {})
        if read[0] is None and may_have_fields(text):
            read = _read_tail(message, text, received_at)
        return read

    def _read_context(
        self, message: Message, text: str, received_at: int
    ) -> tuple[str | None, Columns, dict[str, Any]]:
        """Read a sentence with what its logger wrote behind it as JSON; in a bare line, behind a head of its own."""
        is_bare, whole = _bare(message, text) if message.fields is None else (message.app is None, text)
        app = None if is_bare else message.app
        if not is_bare and (read := self._find_context(app, text)):
            return read
        for reading in readings(
            whole[:RULE_TEXT_CHARS].lstrip(), received_at, self._dispatch.knows, self._starts, app, is_bare=is_bare
        ):
            read = self._find_context(reading.app, reading.text)
            if read is None:
                continue
            if is_bare and message.fields is None:
                message.host, message.app, message.pid, message.message = None, None, None, whole
            if message.time is None and reading.time is not None:
                message.time, message.time_quality = reading.time, reading.time_quality
            if message.status == _FAILED:
                message.status = _PARTIAL
            return read
        return None, _NOTHING, {}

    def _find_context(self, app: str | None, text: str) -> tuple[str, Columns, dict[str, Any]] | None:
        """Read a sentence and the objects behind it: by a rule for the sentence, or by the names in the objects."""
        context = read_context(text)
        if context is None:
            return None
        sentence = context.sentence
        mapped = map_fields({"message": sentence, **context.fields} if sentence else context.fields)
        table = self._dispatch.alone() if app is None else None
        found = self.find(app, sentence, table=table) if sentence and context.is_whole else None
        if found is not None and (mapped.action is None or not _is_surer(mapped, found[0])):
            rule, columns, extras = found
            return rule.name, _with_address(columns, mapped), {**mapped.rest, **extras}
        if mapped.action is None or not (context.is_whole or (is_plain(sentence) and _names_deed(sentence, mapped))):
            return None
        return "generic/context", _mapped_columns(mapped), mapped.rest

    def _beside(self, message: Message, found: Found) -> Found:
        """Take the columns of Windows' own fields, which NXLog sends beside the sentence that names nobody."""
        params = windows_events.find_params(message.structured_data or {})
        mapped = map_fields(params) if params is not None else None
        rule, columns, extras = found
        if mapped is None or mapped.actor is None or mapped.action != columns[_ACTION]:
            return found
        return rule, _mapped_columns(mapped), extras

    def _read_structure(self, message: Message) -> tuple[str | None, Columns, dict[str, Any]]:
        """Read what the structure of a message says: XML of Windows, or structured data."""
        fields = windows_events.read_xml(message.message) if message.message else None
        if fields is not None and (mapped := map_fields(fields)).is_audit:
            return "generic/xml", _mapped_columns(mapped), mapped.rest
        return self._read_structured_data(message)

    def _read_structured_data(self, message: Message) -> tuple[str | None, Columns, dict[str, Any]]:
        if message.structured_data:
            text = structured_text(message.msgid, message.structured_data)
            found = self.find("junos", text) if text is not None else None
            if found is not None:
                return found[0].name, found[1], found[2]
            params = windows_events.find_params(message.structured_data)
            mapped = map_fields(params) if params is not None else map_structured_data(message.structured_data)
            if mapped.is_audit:
                return "generic/structured_data", _mapped_columns(mapped), {}
        return None, _NOTHING, {}

    def _event_of_fields(
        self, message: Message, fields: dict[str, Any], origin: Origin, received_at: int
    ) -> Event:
        """Make the event of a JSON object: alone, in GELF, or as the text of a syslog message."""
        doubtful = message.extra.get("duplicate_keys") if message.extra else None
        mapped = map_fields(fields) if not doubtful else map_without(fields, doubtful)
        header, text = _merge_header(message, fields, mapped)
        if header[1] == _UNPARSED and Defect.BAD_TIME not in message.defects:
            message.defects = (*message.defects, Defect.BAD_TIME)
            message.status = _PARTIAL
        app = header[3]
        found = self.find(app, text, type(message.raw) is Cut) if text else None
        if found is None and text and not mapped.is_audit and may_read_otherwise(text):
            again = self._read_again(app, text, received_at, type(message.raw) is Cut, is_bare=app is None)
            found = again and again[0]
        if found is None and text and (
            (app is None and mapped.action is None and mapped.is_audit)
            or (not mapped.is_audit and fields.keys() >= _CONTAINER)
        ):
            found = self.find(None, text, type(message.raw) is Cut, self._dispatch.alone())  # says itself whose it is
            found = found if found is not None and (mapped.actor is None or _agrees(mapped, found)) else None
        if found is None and text and mapped.app != app and mapped.app is not None and not mapped.is_audit:
            found = self._find_inner(mapped.app, text, type(message.raw) is Cut)
        if found is not None and not _is_surer(mapped, found[0]):
            rule, columns, extras = found
            name: str | None = rule.name
            put_back(mapped, fields, SLOTS)
        elif found is not None and _is_confirmed(mapped, found):
            name, columns, extras = found[0].name, _with_address(found[1], mapped), found[2]
        elif mapped.is_audit:
            name, columns, extras = "generic/json", _mapped_columns(mapped), {}
        else:
            name, columns, extras = self._read_structured_data(message)
            if name is None and text and text[0] != "{" and (may_have_context(text) or may_have_fields(text)):
                # not what was in more envelopes than are opened
                name, columns, extras = self._read_behind(message, text, received_at)
        if mapped.envelope:
            extras = {**extras, "envelope": mapped.envelope}
        data = build_data(message, mapped.rest, extras)
        raw = None if message.status == _OK and not self._keep_raw_always else bytes(message.raw)
        tail = (message.format, message.status, name, text, data, raw)
        return _new_event(Event, (received_at,) + header + columns + origin + tail)  # noqa: RUF005 - as above

    def _find_inner(self, app: str, text: str, cut: bool) -> Found | None:
        """Find a rule for the program that fields name behind a relay's header."""
        found = self.find(app, text, cut) if self._dispatch.knows(app) else None
        if found is None:
            return None
        rule, columns, extras = found
        return rule, columns, {**extras, "program": app}

    def table(self, app: str | None) -> Table:
        """Return the rules that are looked at for a program."""
        return self._tables.get(app) or self._dispatch.find(app)

    def find(self, app: str | None, text: str, cut: bool = False, table: Table | None = None) -> Found | None:
        """Find the first rule that matches. cut: the text's end is missing; table: other rules than the program's."""
        table = table or self._tables.get(app) or self._dispatch.find(app)
        if len(text) > RULE_TEXT_CHARS:
            text, cut = text[:RULE_TEXT_CHARS], True
        text = text.strip()
        if app and (app[-1] == ")" or app[0] == "%"):
            text = todays_form(app, text)
        for rule in table.heads.get(text[:HEAD], table.others):
            if rule.needle in text and (match := rule.fullmatch(text)) and (not cut or rule.open_ended):
                if type(match) is tuple:
                    taker, record = match
                    return taker, *taker.read(record)
                return rule, *rule.read(match)  # type: ignore[union-attr, arg-type] # its own match
        if text.startswith("message repeated "):
            return self._find_repeated(app, text, cut)
        return None

    def _find_repeated(self, app: str | None, text: str, cut: bool) -> Found | None:
        """`message repeated 3 times: [ … ]` is its inner message, counted."""
        number, inner = split_repeated(text)
        if inner is None or inner.startswith("message repeated "):
            return None
        found = self.find(app, inner, cut or len(inner.encode()) >= _REPEATED_CHARS - 1)
        if found is None:
            return None
        rule, columns, extras = found
        return rule, columns, {**extras, "count": number}

    def _look_again(self, message: Message, text: str, received_at: int) -> Found | None:
        """Try other readings of a message that no rule took; one that a rule takes tells what its header does not.

        What was guessed of a header without PRI is taken back if the line turns out to be a program's own.
        """
        is_bare, whole = _bare(message, text)
        app = None if is_bare else message.app
        again = self._read_again(app, whole, received_at, type(message.raw) is Cut, is_bare=is_bare)
        if again is None:
            return None
        found, reading = again
        if is_bare:
            message.host, message.app, message.pid, message.message = None, None, None, whole
        if message.app is None and reading.app is not None:
            message.app, message.pid = reading.app, reading.pid
        if message.host is None:
            message.host = reading.host
        if message.time is None and reading.time is not None:
            message.time, message.time_quality = reading.time, reading.time_quality
        return found

    def _read_again(
        self, app: str | None, text: str, received_at: int, cut: bool, *, is_bare: bool
    ) -> tuple[Found, Reading] | None:
        """Find the first reading of a text that a rule takes."""
        if len(text) > RULE_TEXT_CHARS:
            text, cut = text[:RULE_TEXT_CHARS], True
        for reading in readings(text.lstrip(), received_at, self._dispatch.knows, self._starts, app, is_bare=is_bare):
            table = self._dispatch.alone() if reading.app is None else None
            found = self.find(reading.app, reading.text, cut, table)
            if found is not None:
                rule, columns, extras = found
                if app is not None and reading.app not in {None, app}:
                    extras = {**extras, "program": reading.app}
                return (rule, columns, extras), reading
        return None

    def explain(self, message: Message, origin: Origin, received_at: int) -> Explanation:
        """Say how a message becomes its event, and which rules came near when none matched."""
        watching = _Watching(self)
        event = watching.event(message, origin, received_at)
        for rule, app, text in watching.matched:
            if rule.name == event.rule:
                return explain(message, event, self.table(app), _as_tried(app, text), rule)
        text = _as_tried(event.app, event.message or "")
        return explain(message, event, self.table(event.app), split_repeated(text)[1] or text, None)


class _Watching(Normalizer):
    """A normaliser that remembers which rules matched: what `explain` says is what happened."""

    def __init__(self, of: Normalizer) -> None:
        vars(self).update(vars(of))
        self.matched: list[tuple[AnyRule, str | None, str]] = []
        """Rule, program and text, in the order they were found."""

    def find(self, app: str | None, text: str, cut: bool = False, table: Table | None = None) -> Found | None:
        found = super().find(app, text, cut, table)
        if found is not None:
            self.matched.append((found[0], app, text))
        return found


def _as_tried(app: str | None, text: str) -> str:
    """Bring a text into the form in which rules are tried on it."""
    return todays_form(app, text[:RULE_TEXT_CHARS].strip())


def _read_tail(message: Message, text: str, received_at: int) -> tuple[str | None, Columns, dict[str, Any]]:
    """Read the fields behind a text, or those it is made of, as an object."""
    is_bare, whole = _bare(message, text) if message.fields is None else (False, text)
    rest, time, quality, has_level = behind_head(whole[:RULE_TEXT_CHARS], received_at)
    if is_bare and not has_level and message.app is not None and message.message:  # a header without PRI
        is_bare = False
        rest, time, quality, has_level = behind_head(message.message[:RULE_TEXT_CHARS], received_at)
    mapped = _map_tail(rest, has_level=has_level)
    if mapped is None:
        return None, _NOTHING, {}
    if is_bare:
        message.host, message.app, message.pid, message.message = None, mapped.app, None, whole
    if message.time is None and time is not None and message.fields is None:
        message.time, message.time_quality = time, quality
    if message.status == _FAILED:
        message.status = _PARTIAL
    return "generic/tail", _mapped_columns(mapped), mapped.rest


def _map_tail(text: str, *, has_level: bool) -> Mapped | None:
    """Map the fields of a text: what a stranger wrote may stand behind one that does not say itself what was done."""
    tail = read_fields(text, has_level=has_level)
    mapped = map_fields(tail.fields) if tail is not None else None
    if tail is None or mapped is None or not mapped.says_who:
        return None
    if tail.sentence is not None and not mapped.is_own:
        is_sure = mapped.action is not None and is_plain(tail.sentence) and _names_deed(tail.sentence, mapped)
        return mapped if is_sure else None
    if tail.is_alone and mapped.action is None:
        return None
    if tail.is_alone:
        return mapped if mapped.actor is not None or mapped.source_ip is not None else None
    return mapped if mapped.action is not None or (mapped.actor is not None and mapped.source_ip is not None) else None


def _bare(message: Message, text: str) -> tuple[bool, str]:
    """Say if a message came without a header, and give the whole of it then: what was guessed of one may be wrong."""
    if Defect.NOT_A_MESSAGE in message.defects:
        return True, text
    if Defect.NO_PRI in message.defects:
        return True, bytes(message.raw).decode("utf-8", "replace").strip("\r\n\0")
    return False, text


_OLD_PAM = re.compile(r"([^()]{1,64})\((pam_(?!audit\))[a-z0-9_]{1,40})\)")
_PAM_KINDS: Final = (("session ", ":session"), ("password changed", ":chauthtok"))


def todays_form(app: str | None, text: str) -> str:
    """Bring forms that name the same thing in several ways into the one that rules know.

    Linux-PAM before 1.0 wrote `sshd(pam_unix)[7]: check pass` for `sshd[7]: pam_unix(sshd:auth): check pass` of now.
    What Cisco writes before its texts (`%SYS-5-CONFIG_I: `) reads like a program's name in BSD syslog, and is text in
    RFC 5424.
    """
    if app and app[0] == "%":
        return text if text[:1] == "%" and text[:2] != "%[" else f"{app}: {text}"
    old = _OLD_PAM.fullmatch(app or "")
    if old is None or text.startswith("pam_"):
        return text
    kind = next((kind for begin, kind in _PAM_KINDS if text.startswith(begin)), ":auth")
    service = old[1].rpartition("/")[2].lower()
    return f"{old[2]}({service}{kind}): {text}"


def split_repeated(text: str) -> tuple[int, str | None]:
    """Return how often, and the inner message, of `message repeated N times: [ … ]`."""
    repeated = _REPEATED.fullmatch(text)
    return (int(repeated[1]), repeated[2]) if repeated else (1, None)


def _is_surer(mapped: Mapped, rule: AnyRule) -> bool:
    """Say if what JSON fields say of who did what is surer than what a rule reads in a text among them."""
    if mapped.actor is None and mapped.source_ip is None:
        return mapped.is_own and mapped.action is not None
    return mapped.is_own or mapped.action is not None or rule.apps is None


def _is_confirmed(mapped: Mapped, found: Found) -> bool:
    """Say if fields that name no deed confirm who did what a rule for any program's text reads.

    Whom else it was done to may be the word of the user whose text it is.
    """
    if mapped.action is not None or mapped.is_own or mapped.actor is None or not _agrees(mapped, found):
        return False
    return found[1][SLOTS["target"]] in {None, f"account:{mapped.actor}"}


def _agrees(mapped: Mapped, found: Found) -> bool:
    """Say if a rule reads in a text the user that the fields beside it name, and no address that they do not have."""
    return found[1][_ACTOR] == mapped.actor and found[1][_SOURCE_IP] in {None, mapped.source_ip}


def _names_deed(sentence: str, mapped: Mapped) -> bool:
    """Say if a sentence alone names the deed: `bad request` in front of a stranger's object names none."""
    said = map_fields({"message": sentence, "user": "x"})
    return said.action == mapped.action and said.outcome == mapped.outcome


def _with_address(columns: Columns, mapped: Mapped) -> Columns:
    """Add the address beside a sentence to what the sentence says, where it names none and nobody else."""
    said = dict(zip(COLUMNS, columns, strict=True))
    if said["source_ip"] is not None or mapped.actor not in {None, said["actor"]}:
        return columns
    said["source_ip"] = mapped.source_ip
    return tuple(said.values())


def _merge_header(message: Message, fields: dict[str, Any], mapped: Mapped) -> tuple[Header, str | None]:
    """Fill what the message's own header has not; what JSON says otherwise goes back to `data`."""
    host, app, pid, facility, severity = own = _header_columns(message)
    beaten = set()
    if own == _NO_HEADER:  # JSON by itself
        host, app, pid, facility, severity = _header_columns(mapped)
    else:
        others = _header_columns(mapped)
        beaten = {
            name
            for name, ours, theirs in zip(_HEADER, own, others, strict=True)
            if ours is not None and theirs is not None and ours != theirs
        }
        host, app, pid, facility, severity = (y if x is None else x for x, y in zip(own, others, strict=True))
    time, quality = message.time, message.time_quality
    if time is None:
        if mapped.time is not None or mapped.time_quality != _MISSING:
            time, quality = mapped.time, mapped.time_quality
    elif mapped.time is not None:
        beaten.add("time")
    text = message.message
    if mapped.message is not None and (text is None or message.format != _GELF):
        text = mapped.message
    elif mapped.message is not None and text != mapped.message:
        beaten.add("message")
    if beaten:
        put_back(mapped, fields, beaten)
    return (time, quality, host, app, pid, message.msgid, facility, severity), text
