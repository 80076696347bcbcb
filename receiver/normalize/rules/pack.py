"""A pack: the rules for one source, as a YAML file that carries its own tests.

Knows the file's form and says what is wrong with file, line and key; knows nothing of messages. The form is the
pydantic models below; `receiver/normalize/README.md` shows how to write one.
"""

from __future__ import annotations

import difflib
import gc
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from receiver.errors import ConfigError
from receiver.event import ACTIONS, COLUMNS
from receiver.normalize.rules.pack_layout import LOADER, read_packs
from receiver.normalize.rules.record_rule import RecordRule
from receiver.normalize.rules.rule import SLOTS, PatternError, Rule, template_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BUILT_IN: Final = Path(__file__).parents[1] / "packs"

_PART = re.compile(r"\{=(\w+)\}")
_DEEPEST_PART: Final = 8
_RESERVED: Final = (frozenset(COLUMNS) - frozenset(SLOTS)) | {"structured_data", "fields", "wire"}
"""Names no rule may take: columns that the header fills, and keys of `data` with a meaning of their own."""

AnyRule = Rule | RecordRule

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]*$")]
Apps = list[str] | Literal["any"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class _Settings(_Model):
    """Columns with a value of their own: constants, or text with {groups} in it."""

    actor: str | None = None
    actor_as: str | None = None
    action: str | None = None
    outcome: Literal["success", "failure", "unknown"] | None = None
    reason: str | None = None
    target: str | None = None
    session: str | None = None

    @field_validator("action")
    @classmethod
    def _in_the_vocabulary(cls, action: str) -> str:
        if action not in ACTIONS:
            raise ValueError(f"unknown action {action!r}{_did_you_mean(action, ACTIONS)}")
        return action


class _Expected(_Settings):
    """The whole outcome of a sample: what is not named must be null."""

    source_ip: str | None = None
    source_port: int | None = None
    data: dict[str, Any] | None = None


class _Sample(_Model):
    message: str | None = None
    raw: str | None = None
    app: str | None = None
    expect: _Expected

    @model_validator(mode="after")
    def _one_input(self) -> _Sample:
        if (self.message is None) == (self.raw is None):
            raise ValueError("a sample has a `message` (with an `app`, or the pack's first), or a whole `raw` line")
        return self


Words = str | list[str]
Condition = Words | dict[str, Words | bool]


class _Rule(_Model):
    name: Name
    match: Words | None = None
    where: dict[str, Condition] | None = None
    take: dict[str, Words] = {}
    apps: Apps | None = None
    alone: bool | None = None
    set: _Settings = _Settings()
    samples: list[_Sample] = Field(min_length=1)


class _Pack(_Model):
    pack: Name
    about: str
    record: Literal["linux-audit", "cef", "leef", "kv", "checkpoint", "windows"] | None = None
    begins: list[str] = []
    apps: Apps
    alone: bool = False
    lines: dict[str, Words] = {}
    parts: dict[str, str] = {}
    rules: list[_Rule] = Field(min_length=1)

    @model_validator(mode="after")
    def _one_kind(self) -> _Pack:
        for rule in self.rules:
            if self.record is None and (rule.match is None or rule.where is not None or rule.take):
                raise ValueError(f"rule {rule.name!r}: needs `match`; `where` and `take` are for packs with `record`")
            if self.record is not None and (rule.match is not None or rule.where is None):
                raise ValueError(f"rule {rule.name!r}: needs `where` instead of `match`, since the pack has `record`")
        return self


@dataclass(frozen=True, slots=True)
class Sample:
    """A message and the whole of what must come out of it."""

    rule: str
    message: str | None
    raw: str | None
    app: str | None
    expected: dict[str, Any]
    where: str
    """File and line."""


@dataclass(frozen=True)
class Pack:
    """Rules for one source, in the order they are tried."""

    name: str
    about: str
    file: str
    built_in: bool
    rules: tuple[AnyRule, ...]
    lines: tuple[tuple[str, str], ...]
    """Programs, and expressions of how lines begin in their own log files, behind the time."""
    read_samples: Callable[[], tuple[Sample, ...]]

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """Its own tests; those of built-in packs are read when they are asked for."""
        return self.read_samples()


def load_packs(extra_dirs: Sequence[Path] = ()) -> list[Pack]:
    """Read the operator's packs, then the built-in ones: the first rule that matches wins. Raises ConfigError.

    extra_dirs: directories of `*.yaml`, or single files, in order of precedence.
    """
    packs = [load_pack(file) for place in extra_dirs for file in _files(Path(place))]
    packs += load_built_in(_files(BUILT_IN))
    seen: dict[tuple[str, bool], str] = {}
    for pack in packs:
        other = seen.setdefault((pack.name, pack.built_in), pack.file)
        if other != pack.file:
            raise ConfigError(f"{pack.file}: the pack {pack.name!r} is also in {other}")
    return packs


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(file for file in place.iterdir() if file.suffix in {".yaml", ".yml"})
    if place.is_file():
        return [place]
    raise ConfigError(f"packs: {place} is neither a file nor a directory")


def load_pack(file: Path) -> Pack:
    """Read one pack and look at every part of it. Raises ConfigError: one line with file, line and key."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: cannot be read: {error}") from error
    try:
        return parse_pack(text, str(file))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}:{line}: not YAML: {error.problem}") from error


def parse_pack(text: str, file: str) -> Pack:
    """Build a pack from its text."""
    loader = LOADER(text)
    try:
        node = loader.get_single_node()
        content = loader.construct_document(node) if node is not None else None
    finally:
        loader.dispose()
    _refuse_repeated_keys(node, file)
    if not isinstance(content, dict):
        raise ConfigError(f"{file}:1: no pack: a file with the keys pack, about, apps and rules is one")
    try:
        model = _Pack.model_validate(content)
    except ValidationError as error:
        raise ConfigError(_first_problem(error, node, file)) from error
    return _Builder(model, node, file).build()


# --- built-in packs: tests hold them right, so what a start needs of them is read and no more ---

_RULE_NAME = re.compile(r"^  - name: (\S+)$", re.MULTILINE)


def load_built_in(files: Sequence[Path]) -> list[Pack]:
    """Read packs of ours without their samples, three quarters of their text, and without a check."""
    collects = gc.isenabled()
    gc.disable()  # what is read stays: to look for garbage in it takes a fifth of the time
    try:
        texts = [file.read_text(encoding="utf-8") for file in files]
        return [
            _built_in(content, text, file) for content, text, file in zip(read_packs(texts), texts, files, strict=True)
        ]
    finally:
        if collects:
            gc.enable()


def _built_in(content: Mapping[str, Any], text: str, file: Path) -> Pack:
    lines, line, at = {}, 1, 0
    for found in _RULE_NAME.finditer(text):
        line += text.count("\n", at, found.start())
        at = found.start()
        lines[found[1]] = line
    rules = [
        made
        for rule in content["rules"]
        for made in make_rules(content, rule, str(file), lines.get(rule["name"], 1))
    ]
    return Pack(
        content["pack"], content["about"], str(file), built_in=True, rules=tuple(rules),
        lines=line_starts(content), read_samples=lambda: load_pack(file).samples,
    )  # fmt: skip


def make_rules(pack: Mapping[str, Any], rule: Mapping[str, Any], file: str, line: int) -> list[AnyRule]:
    """Make the rules of one entry: one for each pattern. Raises PatternError."""
    apps = rule.get("apps") or pack["apps"]
    name, settings = f"{pack['pack']}/{rule['name']}", rule.get("set") or {}
    made: list[AnyRule]
    if pack.get("record"):
        take, begins = rule.get("take") or {}, pack.get("begins") or ()
        made = [RecordRule(name, pack["record"], rule["where"], take, settings, file, line, begins)]
    else:
        patterns = [rule["match"]] if isinstance(rule["match"], str) else rule["match"]
        parts = pack.get("parts") or {}
        made = [Rule(name, join_parts(pattern, parts), settings, file, line) for pattern in patterns]
    alone = rule.get("alone")
    for each in made:
        each.apps = None if apps == "any" else tuple(app.lower() for app in apps)
        each.alone = pack.get("alone", False) if alone is None else alone
    return made


def line_starts(pack: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Give the programs and expressions of `lines`."""
    return tuple(
        (app, source)
        for app, sources in (pack.get("lines") or {}).items()
        for source in ([sources] if isinstance(sources, str) else sources)
    )


def join_parts(pattern: str, parts: Mapping[str, str], depth: int = 0) -> str:
    """Put the pack's `parts` where the pattern names them. Raises PatternError."""
    if "{=" not in pattern:
        return pattern
    if depth > _DEEPEST_PART:
        raise PatternError("`parts` that contain themselves")

    def part(found: re.Match[str]) -> str:
        text = parts.get(found[1])
        if text is None:
            raise PatternError(f"no part {found[1]!r}{_did_you_mean(found[1], set(parts))}")
        return join_parts(text, parts, depth + 1)

    return _PART.sub(part, pattern)


class _Builder:
    """Turns the checked model into rules and samples."""

    def __init__(self, model: _Pack, node: yaml.Node, file: str) -> None:
        self._model = model
        self._content = model.model_dump(exclude_none=True)
        self._node = node
        self._file = file

    def build(self) -> Pack:
        rules: list[AnyRule] = []
        samples: list[Sample] = []
        names: set[str] = set()
        for number, model in enumerate(self._model.rules):
            if model.name in names:
                self._refuse(("rules", number, "name"), f"a second rule named {model.name!r}")
            names.add(model.name)
            rules.extend(self._rules(number))
            samples.extend(self._samples(number, model))
        pack = self._model
        found = tuple(samples)
        return Pack(
            pack.pack, pack.about, self._file, built_in=False, rules=tuple(rules),
            lines=self._lines(), read_samples=lambda: found,
        )  # fmt: skip

    def _lines(self) -> tuple[tuple[str, str], ...]:
        lines = line_starts(self._content)
        for app, source in lines:
            try:
                re.compile(source, re.ASCII)
            except re.error as error:
                self._refuse(("lines", app), f"not a regular expression: {error}")
        return lines

    def _apps(self, model: _Rule) -> list[str] | None:
        apps = model.apps or self._model.apps
        return None if apps == "any" else [app.lower() for app in apps]

    def _rules(self, number: int) -> list[AnyRule]:
        content = self._content["rules"][number]
        line = _line_of(self._node, ("rules", number))
        try:
            rules = make_rules(self._content, content, self._file, line)
        except PatternError as error:
            self._refuse(("rules", number, "where" if self._model.record else "match"), str(error))
        self._check(number, rules, content["set"])
        return rules

    def _check(self, number: int, rules: list[AnyRule], settings: dict[str, str]) -> None:
        try:
            for rule in rules:
                rule.compile()
        except PatternError as error:
            self._refuse(("rules", number, "match"), str(error))
        taken = {name for rule in rules for name in rule.groups}
        for group in sorted(taken & _RESERVED):
            self._refuse(("rules", number, "match"), f"{group!r} is not a rule's to fill; choose another name")
        for column, text in settings.items():
            for name in template_names(text) if self._model.record is None else ():
                if name not in taken:
                    self._refuse(("rules", number, "set", column), f"{{{name}}} is not taken by `match`")

    def _samples(self, number: int, model: _Rule) -> list[Sample]:
        apps = self._apps(model)
        app = apps[0] if apps else None
        return [
            Sample(
                rule=f"{self._model.pack}/{model.name}",
                message=sample.message,
                raw=sample.raw,
                app=sample.app or app,
                expected=sample.expect.model_dump(exclude_none=True),
                where=f"{self._file}:{_line_of(self._node, ('rules', number, 'samples', position))}",
            )
            for position, sample in enumerate(model.samples)
        ]

    def _refuse(self, location: tuple[str | int, ...], sentence: str) -> NoReturn:
        raise ConfigError(f"{self._file}:{_line_of(self._node, location)}: {_dotted(location)}: {sentence}")


def _refuse_repeated_keys(node: yaml.Node | None, file: str) -> None:
    """YAML lets the last of two equal keys win in silence; nobody means that."""
    if isinstance(node, yaml.MappingNode):
        seen: set[Any] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ConfigError(f"{file}:{key.start_mark.line + 1}: {key.value}: the same key twice")
            seen.add(key.value)
            _refuse_repeated_keys(value, file)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_repeated_keys(item, file)


def _first_problem(error: ValidationError, node: yaml.Node | None, file: str) -> str:
    problems = error.errors(include_url=False)
    problem = next((each for each in problems if each["type"] == "extra_forbidden"), problems[0])
    location = tuple(part for part in problem["loc"] if not str(part).startswith(("list[", "literal[", "function-")))
    sentence = problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        known = set(_Settings.model_fields) | set(_Rule.model_fields) | set(_Pack.model_fields) | {"expect", "data"}
        sentence = f"unknown key{_did_you_mean(str(location[-1]), known)}"
    return f"{file}:{_line_of(node, location)}: {_dotted(location)}: {sentence}"


def _did_you_mean(word: str, known: Sequence[str] | frozenset[str] | set[str]) -> str:
    close = difflib.get_close_matches(word, sorted(known), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _dotted(location: tuple[str | int, ...]) -> str:
    return ".".join(map(str, location)) or "the file"


def _line_of(node: yaml.Node | None, location: tuple[str | int, ...]) -> int:
    """Find the line of the deepest node on the way to `location`; a key's own line where there is one."""
    line = 0
    for part in location:
        if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line
        elif isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == part), None)
            if found is None:
                break
            key, node = found
            line = key.start_mark.line
    return line + 1
