"""The built-in packs' YAML, read as fast as their one layout allows: less than half of what YAML alone takes.

Knows how our packs are laid out: a head, `rules:`, and under each `- name:` one line a key. Patterns, lists of words
and one map of words or texts are read here; every other value goes through YAML, and each that stands in several rules
once. A pack that is laid out otherwise is read by YAML as a whole. What comes out is the same
(`tests/normalize/test_packs.py`), without the samples.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml reads a pack in a tenth of the time of the Python loader; wheels of PyYAML carry it."""

_SAMPLES = re.compile(r"^    samples:\n(?:(?:      .*)?\n)*", re.MULTILINE)
_RULES: Final = "\nrules:\n"
_LINE = re.compile(
    r"(?:  - name: (?P<name>[a-z0-9_.-]+)|    (?P<key>match|set|where|take|apps|alone): (?P<value>\S.*)"
    r"|    (?P<many>match):|      - (?P<item>\S.*)|(?: *#.*)?)\n"
)

_WORD: Final = r"[A-Za-z_][\w./@-]*(?: [\w./@-]+)*"
_TEXT: Final = rf"(?:{_WORD}|'(?:[^']|'')*')"
_ONE: Final = rf"(?:{_TEXT}|\[{_TEXT}(?:, {_TEXT})*\])"
_MAP = re.compile(rf"\{{[a-zA-Z_]\w*: {_ONE}(?:, [a-zA-Z_]\w*: {_ONE})*\}}")
_LIST = re.compile(rf"\[{_TEXT}(?:, {_TEXT})*\]")
_PAIR = re.compile(rf"([a-zA-Z_]\w*): ({_ONE})")
_EACH = re.compile(_TEXT)
_NO_WORDS: Final = frozenset(("y", "n", "yes", "no", "on", "off", "true", "false", "null"))
"""Words that are something else in YAML."""

Pack = dict[str, Any]


class _Written:
    """A value as it is written, until all are read."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def read_packs(texts: Sequence[str]) -> list[Pack]:
    """Read packs without their samples. Raises yaml.YAMLError."""
    stripped = [_SAMPLES.sub("", text + "\n") for text in texts]
    known: dict[str, Any] = {}
    laid_out = [_rules_of(text, known) for text in stripped]
    found: dict[str, Any] = dict.fromkeys(
        value.text
        for rules in laid_out
        for rule in rules or ()
        for value in _values(rule)
        if type(value) is _Written
    )
    together = "\n".join(f"- {text}" for text in found)
    found = dict(zip(found, yaml.load(together, LOADER) or (), strict=True))  # noqa: S506 - a safe loader
    by_yaml = [
        text if rules is None else text.partition(_RULES)[0] for text, rules in zip(stripped, laid_out, strict=True)
    ]
    contents = yaml.load_all("\n---\n".join(by_yaml), LOADER)
    return [
        content if rules is None else {**content, "rules": [_read(rule, found) for rule in rules]}
        for content, rules in zip(contents, laid_out, strict=True)
    ]


def _rules_of(text: str, known: dict[str, Any]) -> list[Pack] | None:
    """Return the rules line by line; None where a line is none of the layout. known: values that were read before."""
    _, _, body = text.partition(_RULES)
    rules: list[Pack] = []
    end = 0
    while end < len(body):
        line = _LINE.match(body, end)
        if line is None:
            return None
        end = line.end()
        if line["name"]:
            rules.append({"name": line["name"]})
        elif line["key"]:
            value = line["value"]
            if value not in known:
                known[value] = _flow(value)
            rules[-1][line["key"]] = known[value]
        elif line["many"]:
            rules[-1]["match"] = []
        elif line["item"]:
            rules[-1]["match"].append(_unquoted(line["item"]))
    return rules or None


def _flow(text: str) -> Any:
    """Read a list of words, a map of words and of such lists, or a text in quotes; all else stays as it is written."""
    value: Any
    if text[0] == "[" and _LIST.fullmatch(text):
        value = _words(text)
    elif text[0] == "{" and _MAP.fullmatch(text):
        value = {key: _words(one) if one[0] == "[" else _word(one) for key, one in _PAIR.findall(text)}
    else:
        return _unquoted(text)
    return value if _NO_WORDS.isdisjoint(_EACH.findall(text.lower())) else _Written(text)


def _words(text: str) -> list[str]:
    return [_word(one) for one in _EACH.findall(text)]


def _word(text: str) -> str:
    return text[1:-1].replace("''", "'") if text[0] == "'" else text


def _unquoted(text: str) -> str | _Written:
    """Take the quotes off a text in single ones, in which only a quote is written twice."""
    inner = text[1:-1]
    if text[0] == text[-1] == "'" and len(text) > 1 and "'" not in inner.replace("''", ""):
        return inner.replace("''", "'")
    return _Written(text)


def _values(rule: Pack) -> Iterator[Any]:
    for value in rule.values():
        if type(value) is list:
            yield from value
        else:
            yield value


def _read(rule: Pack, found: dict[str, Any]) -> Pack:
    def read(value: Any) -> Any:
        return found[value.text] if type(value) is _Written else value

    return {
        key: [read(each) for each in value] if type(value) is list else read(value) for key, value in rule.items()
    }
