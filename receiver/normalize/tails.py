r"""A text with fields behind it: what libraries for logs write for people where they write JSON for machines.

Knows four forms, of a text from which time and level were taken: `login failed username=bob ip=…` (logrus, zerolog,
slog, log15, hclog, Rust's tracing), logfmt, where the text is a field itself, fields with tabs between them (the
audit logs of Hadoop and ZooKeeper), and fields alone, with blanks, commas, semicolons or bars between them. Knows no
column: what the fields mean is said by vocabularies, as if they were an object. JSON behind a text is read by
`contexts.py`.

Invariant: NEVER GUESS - every field must be whole, up to the end of the text; one that stands twice with different
values has none, nor has the one before it.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from receiver.normalize.rules.record import NONE, Record, add_all
from receiver.wire.json_event import load_carried

_KEY: Final = r"[A-Za-z_][\w.\-/]{0,60}"
_VALUE: Final = r"""(?:"(?:[^"\\]|\\.)*"|\[[^\[\]"=]{0,400}\]|[^\s"'\[{,;][^\s"']*(?<![,;])|(?=[ \t]|\Z))"""
_PAIR = re.compile(rf"[ \t]+({_KEY})=({_VALUE})", re.DOTALL)
_PAIRS = re.compile(rf"(?:[ \t]+{_KEY}={_VALUE})+", re.DOTALL)
_FIRST = re.compile(rf"[ \t]+{_KEY}=")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_BEGIN = re.compile(rf"{_KEY}=")
_ALONE: Final = 4
"""So many fields are no words of a stranger's."""
_EVENT_FIELDS: Final = 3
"""What, who and from where, or how it ended: as few may tell an event, if all are told."""
_EVENT_BEGINS = re.compile(
    r"(?:event|event[_-]?(?:type|name|action)|action|activity|operation|type|audit|user|user[_-]?name|account|actor|login"
    r"|result|status|outcome|ip|src|src_?ip|source[_-]?ip|client[_-]?ip|remote[_-]?(?:ip|addr))[=:]",
    re.IGNORECASE,
)
"""How a text of fields alone begins: which other fields a stranger's words begin with, nobody knows."""
_SYNONYMS: Final = (
    re.compile(r"(?:ip|src|source|client|remote|from)(?:[_-]?(?:ip|addr|address|host))?", re.IGNORECASE),
    re.compile(r"(?:user|login|account|actor)(?:[_-]?name)?", re.IGNORECASE),
    re.compile(r"(?:event|action|operation)(?:[_-]?(?:type|name))?", re.IGNORECASE),
    re.compile(r"(?:result|status|outcome|success|state|failed)(?:[_-]?code)?", re.IGNORECASE),
)
"""Names of one thing: a value with blanks in it may have brought the second."""
_SEPARATORS: Final = (" | ", "|", "; ", ";", ", ", ",")
_FIELD = re.compile(rf"({_KEY})(?:=|: )[\"']?([^\"'=]*)[\"']?")
_LOGFMT_BEGINS: Final = ("time=", "level=", "ts=", "t=", "timestamp=", "lvl=", "func=")
_TEXTS: Final = ("msg", "message")
_LEVELS: Final = ("level", "lvl")
_SENTENCE_CHARS: Final = 200
"""A text before fields is a sentence, and short."""
_PLACE = re.compile(r"[\w./-]{1,80}\.\w{1,3}:\d{1,5}(?: >|:)?\s+")
"""Where in the program: `auth/login.go:42`, as zap and zerolog write it before the text."""
_NAME = re.compile(r"[\w.-]{1,60}\t+")
_TAB: Final = "#011"
"""As syslog daemons write it."""
_BRACKETED = re.compile(
    r'(?:\[[\w./-]{1,80}:\d{1,6}\] )?\["?([^"\[\]]{1,200}?)"?\]'
    rf'((?: \[{_KEY}=(?:"(?:[^"\\]|\\.)*"|[^\s"\[\]]*)\])+)'
)
"""As TiDB and TiKV write: `[conn.go:12] ["login failed"] [user=bob]`."""
_BRACKET = re.compile(rf'\[({_KEY})=("(?:[^"\\]|\\.)*"|[^\s"\[\]]*)\]')
_BEFORE_TAB = re.compile(rf"(?:^|\s)({_KEY}=[^\t]*)$")


class Tail(NamedTuple):
    """Fields, and the text before them, which may be nobody knows whose; None where it was a field itself.

    is_alone: there is no more than fields, so that only what tells an event by itself is one.
    """

    sentence: str | None
    fields: dict[str, Any]
    is_alone: bool = False


def may_have_fields(text: str) -> bool:
    """Say if there may be fields in a text: 0.1 µs, where looking takes ten."""
    return "=" in text or text.endswith("}>") or text.count(": ") >= _EVENT_FIELDS


def read_fields(text: str, *, has_level: bool = False) -> Tail | None:
    """Return the fields of a text, with itself as `message`; None when there are none.

    has_level: a level stands before it, behind which some write fields alone.
    """
    text = text.strip()
    if text.startswith(_LOGFMT_BEGINS):
        return _read_logfmt(text)
    if has_level and _BEGIN.match(text) and (alone := _read_pairs(f" {text}", 0)):
        return Tail(None, alone) if len(alone) >= _ALONE else None
    if _EVENT_BEGINS.match(text) and (event := _read_alone(text)):
        return Tail(None, event, is_alone=True)
    if text.endswith("}>") and text.startswith("<{"):  # as CAS' patterns have it
        return _read_json(text[1:-1])
    if text.endswith("]") and (found := _BRACKETED.fullmatch(text)):
        record: Record = {}
        add_all(record, ((pair[1], _unquoted(pair[2]), False) for pair in _BRACKET.finditer(found[2])))
        return Tail(found[1], {"message": found[1], **_known(record)})
    if text.endswith("}"):
        _, equals, json = text.partition(" ={")  # as CockroachDB marks what is an event
        return _read_json(f"{{{json}") if equals else None
    return _read_tabs(text.replace(_TAB, "\t")) or _read_pairs_behind(text)


def _read_logfmt(text: str) -> Tail | None:
    record = _read_pairs(f" {text}", 0)
    if record is None or not (any(map(record.get, _TEXTS)) and any(map(record.get, _LEVELS))):
        return None
    return Tail(None, record)


def _read_json(text: str) -> Tail | None:
    loaded = load_carried(text)
    return Tail(None, loaded.fields) if loaded is not None and not loaded.defects and loaded.fields else None


def _read_alone(text: str) -> Record | None:
    separator = next((one for one in _SEPARATORS if one in text), None)
    if separator is None:
        record = _read_pairs(f" {text}", 0)
    else:
        fields = [_FIELD.fullmatch(part.strip()) for part in text.rstrip(separator + ".").split(separator)]
        if not all(fields):
            return None
        record = {}
        add_all(record, ((field[1], field[2].strip(), False) for field in fields if field))
        record = _known(record)
    if record is None or len(record) < _EVENT_FIELDS:
        return None
    for names in _SYNONYMS:
        if len({value for name, value in record.items() if names.fullmatch(name)}) > 1:
            return None
    return record


def _read_tabs(text: str) -> Tail | None:
    first, *others = text.split("\t")
    begin = _BEFORE_TAB.search(first[:_SENTENCE_CHARS]) if others and len(first) <= _SENTENCE_CHARS else None
    if begin is None:
        return None
    pairs = [part.partition("=") for part in (begin[1], *others)]
    if not all(equals for _, equals, _ in pairs):
        return None
    record: Record = {}
    add_all(record, ((name, value, False) for name, _, value in pairs))
    return Tail("", _known(record))


def _read_pairs_behind(text: str) -> Tail | None:
    first = _FIRST.search(text, 0, _SENTENCE_CHARS)
    record = _read_pairs(text, first.start()) if first is not None else None
    if first is None or record is None or "=" in text[: first.start()] or any(name in record for name in _TEXTS):
        return None
    sentence = sentence_of(text[: first.start()])
    return Tail(sentence, {"message": sentence, **record})


def _read_pairs(text: str, start: int) -> Record | None:
    if not _PAIRS.fullmatch(text, start):
        return None
    record: Record = {}
    add_all(record, ((pair[1], _unquoted(pair[2]), False) for pair in _PAIR.finditer(text, start)))
    return _known(record)


def _unquoted(value: str) -> str:
    return _ESCAPED.sub(r"\1", value[1:-1]) if value[:1] == '"' else value


def _known(record: Record) -> Record:
    """Leave out what has no value, and what has two."""
    return {name: value for name, value in record.items() if value not in NONE and value not in {"<nil>", "null"}}


def sentence_of(text: str) -> str:
    """Return the text without what stands before it: a logger's name, a place in the program."""
    text = text.strip()
    name = _NAME.match(text)
    text = text[name.end() :] if name else text
    place = _PLACE.match(text)
    return text[place.end() :] if place else text
