"""Are the packs right? Every sample gives what it says, by the rule it stands under, and no pattern can be made slow.

Knows packs and the whole normaliser; time is an argument. Used by `audit-receiver check` and by the tests.
"""

from __future__ import annotations

import json
import re
from itertools import combinations, permutations
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from receiver.event import Format, Origin, ParseStatus, TimeQuality, Transport
from receiver.limits import RULE_TEXT_CHARS
from receiver.normalize.engine import Normalizer, todays_form
from receiver.normalize.rules.record_rule import RecordRule
from receiver.normalize.rules.rule import COLUMNS
from receiver.wire.detect import parse_frame
from receiver.wire.message import Message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from receiver.event import Event
    from receiver.normalize.rules.pack import Pack, Sample
    from receiver.normalize.rules.rule import Rule

_ORIGIN: Final = Origin("192.0.2.1", 514, None, str(Transport.UDP), "check")
_RECEIVED_AT: Final = 1_709_294_401_000_000

Attack: TypeAlias = tuple[str, str, str]
"""The beginning of a message, a part to repeat (not empty), and the rest."""

_TRIES: Final = 20
_TRIES_AT_LEAST: Final = 3
"""Of what seems hopeless: the machine may have stood still in one of them, or two."""
_HOPELESS_SECONDS: Final = 0.2
"""Slow on any machine, however it grows."""
SLOW_SECONDS: Final = 0.002
"""What takes longer is looked at again: linear patterns take 0.1 to 4 ms for a text of limits.RULE_TEXT_CHARS."""
_SHARE: Final = 4
_DOUBT_SECONDS: Final = 1.0
"""So long a pattern must look slow before it is said to be: a machine may be slow for some tenths of a second."""
_GROWTH: Final = 8
"""Times as long for a text _SHARE times as long: 4 is linear, 16 is quadratic."""

_PUMPED_PLACES: Final = 10
"""Places of a sample between which its text is repeated: 45 attacks a sample."""

_REPEATED_GROUP: Final = re.compile(r"\)(?:[*+]|\{\d*,(?:\d{2,})?\})")
"""What a repetition in a repetition needs: such patterns are attacked with every short piece of their samples."""
_PIECE_CHARS: Final = 3
_PIECE_PLACES: Final = 100
"""Places of a sample at which a piece of it is repeated, at most: 300 attacks a sample."""

_START_PIECES: Final = 8
"""Pieces of the beginning of a line that are put behind one another: 56 attacks."""

_WRONG_END: Final = "\x00 \x00"
"""No pattern takes it but one that takes anything: neither one word nor a character that patterns name."""

_CUT: Final = 128
_SHORTER: Final = (1024, RULE_TEXT_CHARS // _SHARE)
_SHORTER_SECONDS: Final = 20 * SLOW_SECONDS
"""Slow for texts of these lengths: some 40 times as long as any linear pattern takes."""
_SHORTEST: Final = (16, 20, 24, 28, 32, 36, 40, 48, 64, 96)
"""Lengths before _CUT, for patterns that may take twice as long for each character."""


def check_packs(packs: Sequence[Pack], of: Sequence[Pack] | None = None) -> list[str]:
    """Run the samples under all packs together; return what is wrong, a line each with file and line.

    of: the packs whose samples are run (all of them, if not given).
    """
    normalizer = Normalizer(packs)
    problems: list[str] = []
    for pack in packs if of is None else of:
        for sample in pack.samples:
            problems += _compare(sample, normalizer.event(sample_message(sample), _ORIGIN, _RECEIVED_AT))
    return problems


def sample_message(sample: Sample) -> Message:
    """Make the message of a sample: its raw line as the wire reads it, or its text under its program."""
    if sample.raw is not None:
        return parse_frame(sample.raw.encode(), _RECEIVED_AT, None)
    text = sample.message or ""
    return Message(
        text.encode(), str(Format.RFC3164), str(ParseStatus.OK), None, None, None, str(TimeQuality.MISSING),
        None, sample.app, None, None, None, text,
    )  # fmt: skip


def _compare(sample: Sample, event: Event) -> list[str]:
    if event.rule != sample.rule:
        return [f"{sample.where}: a sample of {sample.rule} is taken by {event.rule or 'no rule'}"]
    found: dict[str, Any] = {name: value for name in COLUMNS if (value := getattr(event, name)) is not None}
    data = json.loads(event.data) if event.data else {}
    data.pop("wire", None)
    if data:
        found["data"] = data
    return [
        f"{sample.where}: {sample.rule}: {name} is {found.get(name)!r}, expected {sample.expected.get(name)!r}"
        for name in (*COLUMNS, "data")
        if found.get(name) != sample.expected.get(name)
    ]


def slow_patterns(packs: Sequence[Pack], clock: Callable[[], float]) -> list[str]:
    """Try to make every pattern slow: parts of its own samples, repeated up to the bound, with a wrong end."""
    problems: list[str] = []
    for pack in packs:
        texts: dict[str, list[str]] = {}
        for sample in pack.samples:
            message = sample_message(sample)
            text = todays_form(message.app, message.message or "")
            texts.setdefault(sample.rule, []).append(text)
        for rule in pack.rules:
            if isinstance(rule, RecordRule):
                continue  # readers of records are ours, and linear
            rule.compile()
            thorough = not pack.built_in or _REPEATED_GROUP.search(rule.pattern) is not None
            for attack in attacks(rule, texts.get(rule.name, []), thorough=thorough):
                seconds = _slow(rule.fullmatch, attack, clock, may_explode=thorough)
                if seconds:
                    problems.append(
                        f"{rule.file}:{rule.line}: {rule.name}: the pattern is slow: {seconds * 1000:.0f} ms for at "
                        f"most {RULE_TEXT_CHARS} characters like {_pumped(attack, 60)[:60]!r}"
                    )
                    break
        problems += _slow_starts(pack, clock)
    return problems


def _slow_starts(pack: Pack, clock: Callable[[], float]) -> list[str]:
    """Try to make the beginnings of lines slow: pieces of the expression, alone and behind one another, repeated."""
    problems: list[str] = []
    for app, source in pack.lines:
        start = re.compile(source, re.ASCII)
        words = re.findall(r"[A-Za-z0-9 ;:=.,'\"|/<>-]{1,20}", source)
        pieces = sorted({*words, *"a 0[]()<>:./-", "a ", "a: ", "[a] "})
        pairs = [("", piece) for piece in pieces] + list(permutations(pieces[:_START_PIECES], 2))
        slow = next((pair for pair in pairs if _slow(start.match, (*pair, ""), clock, may_explode=True)), None)
        if slow is not None:
            text = _pumped((*slow, ""), 60)
            problems.append(f"{pack.file}: lines: {app}: the expression is slow for texts like {text[:60]!r}")
    return problems


def _slow(match: Callable[[str], object], attack: Attack, clock: Callable[[], float], *, may_explode: bool) -> float:
    """Return the seconds of a text that is slow, 0 when none is; short ones first: an exponential one never ends.

    Of the longest text it is the growth that tells: seconds alone would tell of the machine.
    """
    for length in (*_SHORTEST, _CUT) if may_explode else (_CUT,):
        seconds = _cost(match, _text(attack, length), clock)
        if seconds > SLOW_SECONDS:
            return seconds
    tried = _CUT
    for length in _SHORTER:
        if length < _SHORTER[-1] and _cubic(seconds, length / tried) <= _SHORTER_SECONDS:
            continue
        seconds, tried = _cost(match, _text(attack, length), clock), length
        if seconds > _SHORTER_SECONDS:
            return seconds
    if _cubic(seconds, _SHARE) <= SLOW_SECONDS:
        return 0.0
    longest, shorter = _text(attack, RULE_TEXT_CHARS), _text(attack, RULE_TEXT_CHARS // _SHARE)
    seconds = least = float("inf")
    started = clock()
    while clock() - started < _DOUBT_SECONDS:
        seconds = min(seconds, _cost(match, longest, clock))
        if seconds <= SLOW_SECONDS:
            return 0.0
        least = min(least, _cost(match, shorter, clock))
        if seconds <= min(_GROWTH * least, _HOPELESS_SECONDS):
            return 0.0
    return seconds


def _cubic(seconds: float, share: float) -> float:
    """Foretell the seconds for a text that is so many times as long, at the worst that a pattern of ours may be."""
    return seconds * share**3


def _text(attack: Attack, length: int) -> str:
    """Make the hostile text, with an end that no pattern takes; a short one is cut to its length."""
    text = _pumped(attack, length)
    return (text[:length] if length <= _CUT else text) + _WRONG_END


def _pumped(attack: Attack, length: int) -> str:
    """Repeat the part until the text has about this length."""
    before, part, after = attack
    return before + part * max(1, (length - len(before) - len(after)) // len(part)) + after


def _cost(match: Callable[[str], object], text: str, clock: Callable[[], float]) -> float:
    """Seconds of the fastest of some tries: a busy machine is no fault of the pattern, so what is near is tried on."""
    best = float("inf")
    for tried in range(1, _TRIES + 1):
        start = clock()
        match(text)
        best = min(best, clock() - start)
        if best < SLOW_SECONDS or (best > _HOPELESS_SECONDS and tried >= _TRIES_AT_LEAST):
            break
    return best


def attacks(rule: Rule, texts: Sequence[str], *, thorough: bool = False) -> Iterator[Attack]:
    """Give ways to attack a rule, made of its own messages and its own words.

    thorough: also repeat every short piece of its messages where it stands. That finds what has no group of its own to
    be pumped, but takes up to a second a sample.
    """
    for text in texts:
        match = rule.fullmatch(text.strip())
        if match is not None:
            places = _places(match)
            for start, end in combinations(places, 2):
                yield match.string[:start], match.string[start:end], match.string[end:]
            for place in places:
                yield match.string[:place], " ", match.string[place:]
            if thorough:
                yield from _pieces(match.string)
    words = re.findall(r"[A-Za-z0-9 ;:=.,()\[\]']{2,}", rule.pattern)
    for prefix in rule.prefixes:
        for word in sorted({*words, " ", "a", "a ", "0", "'"}):
            yield prefix, word, ""


def _pieces(text: str) -> Iterator[Attack]:
    """Repeat pieces of one to three characters where they stand, and end there."""
    step = max(1, len(text) // _PIECE_PLACES)
    for start in range(0, len(text), step):
        for end in range(start + 1, min(start + _PIECE_CHARS, len(text)) + 1):
            yield text[:start], text[start:end], ""


def _places(match: re.Match[str]) -> list[int]:
    spots = {0, len(match.string)}
    for start, end in match.regs[1:]:
        if start >= 0:
            spots |= {start, end}
    return sorted(spots)[:_PUMPED_PLACES]
