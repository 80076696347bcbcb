"""A sentence with what its logger knew besides it, as JSON behind it: Monolog's lines, Laravel's, zap's console.

`Login failed {"user":"alice","ip":"192.0.2.7"} []` is to be read as the same as an object with these names and a
`message`. Knows where the objects stand, and nothing of what their names mean (`fields.py`).

Monolog writes a channel and a level, then the sentence, a context and an extra, each of which may be empty (`[]`).
Where no channel or only one object stands, the object may be a stranger's words, which some program shows: such a
sentence is read only if it names the deed itself, and is no more than that.

Invariant: the objects end where the text ends. JSON escapes quotes, so no value can be read as an object of its own,
and no object that a stranger begins can reach over the one that the logger wrote.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from receiver.normalize.tails import sentence_of
from receiver.wire.json_event import load_object

_OBJECT = re.compile(r"[ \t](?=\{(?:\"|\}))")
_CHANNEL = re.compile(
    r"(?:\[\S{10,40}\] )?\[?[\w-]{1,40}\.(?:DEBUG|INFO|NOTICE|WARNING|ERROR|CRITICAL|ALERT|EMERGENCY)\]?: {1,4}"
)
"""Monolog's channel and level, where a header stands before them."""
_BRACKETS = re.compile(
    r"(?:\[[\w .:/-]{1,60}\] ?){0,5}\[(?:DEBUG|INFO|NOTICE|WARNING|WARN|ERROR|CRITICAL)\] ?"
    r"(?:\[[\w .:/-]{1,60}\] ?){0,5}(?=\{)"
)
"""Level, process and place before an object, as Python's loggers are told to write them; without a level it may be the
body of a request that a program shows."""
_MOST_STARTS: Final = 32
_PLAIN = re.compile(r"[A-Za-z _-]{3,60}[.!:]?")
_EMPTY: Final = (" []", " {}")
_OF_REQUESTS: Final = frozenset({"handled request"})
"""Sentences of access logs, which name no deed: Caddy's."""


class Context(NamedTuple):
    """A sentence and the fields it came with.

    is_whole: Monolog's channel stands before it, both objects behind it; or both are empty.
    """

    sentence: str
    fields: dict[str, Any]
    is_whole: bool


def may_have_context(text: str) -> bool:
    """Say if a text ends as an object does, or as Monolog's two empty ones do: 0.1 µs."""
    text = text.rstrip(" ")  # Laravel leaves off what is empty, but not the blank before it
    return (text.endswith("}") and "{" in text) or text.endswith(" []")


def read_context(text: str) -> Context | None:
    """Take the objects off the end of a text; None if none stands there, or one that says nothing.

    A text that is one object, behind what a logger wrote before it, has no sentence; without that it may be anybody's.
    """
    text = text.strip()
    channel = _CHANNEL.match(text)
    text = text[channel.end() :] if channel else text
    brackets = _BRACKETS.match(text)
    text = text[brackets.end() :] if brackets else text
    if text[:1] == "{":
        alone = load_object(text)
        is_known = channel is not None or brackets is not None
        return Context("", alone.fields, is_whole=is_known) if alone is not None and not alone.defects else None
    sentence, last = _take_last(text)
    if last is None:
        return None
    before, context = _take_last(sentence)
    if context is None:
        sentence = sentence_of(sentence)
        return Context(sentence, last, is_whole=sentence in _OF_REQUESTS) if last and sentence else None
    fields = {**last, **context}
    return Context(before, fields, is_whole=channel is not None or not fields) if before else None


def is_plain(sentence: str) -> bool:
    """Say if a sentence is words of letters only, which may be a deed's name."""
    return _PLAIN.fullmatch(sentence) is not None


def _take_last(text: str) -> tuple[str, dict[str, Any] | None]:
    """Return the text before its last object, and the object; the whole text and None if it does not end in one."""
    if text.endswith(_EMPTY):
        return text[:-3].rstrip(), {}
    if text.endswith("}"):
        for count, start in enumerate(_OBJECT.finditer(text)):
            if count == _MOST_STARTS:
                break
            loaded = load_object(text[start.end() :])
            if loaded is not None:
                return text[: start.start()].rstrip(), None if loaded.defects else loaded.fields
    return text, None
