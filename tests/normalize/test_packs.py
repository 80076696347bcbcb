"""The packs themselves: their samples, their coverage, their cost on hostile texts, and what is refused in them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from receiver.errors import ConfigError
from receiver.event import ACTIONS, Origin, Outcome
from receiver.normalize import Normalizer, Pack, check_packs, load_packs
from receiver.normalize.check import sample_message, slow_patterns
from receiver.normalize.engine import split_repeated, todays_form
from receiver.normalize.rules.dispatch import HEAD
from receiver.normalize.rules.pack import BUILT_IN, Sample, load_built_in, load_pack, parse_pack
from receiver.normalize.rules.pack_layout import read_packs
from receiver.normalize.rules.rule import COLUMNS
from receiver.normalize.second_look import LineStarts, readings, structured_text
from tests.kit.packs import PACKS
from tests.normalize.coverage import with_table

ORIGIN = Origin("192.0.2.1", 514, None, "udp", "test")
NOW = 1_764_000_000_000_000
README = Path(__file__).parents[2] / "receiver" / "normalize" / "README.md"

GOOD = """\
pack: door
about: the door
apps: [doord]
rules:
  - name: opened
    match: '{actor} opened {_door} from {source_ip}'
    set: {action: session.open, outcome: success, target: 'door:{_door}'}
    samples:
      - message: 'alice opened lab from 192.0.2.7'
        expect: {actor: alice, action: session.open, outcome: success, target: 'door:lab', source_ip: 192.0.2.7}
"""


def test_every_sample_gives_what_it_says() -> None:
    # A pack is its own test: the whole outcome, under all packs together.
    assert check_packs(PACKS) == []
    # And `explain` tells which rule that was, and where it stands.
    normalizer = Normalizer(PACKS)
    files = {rule.name: rule.file for pack in PACKS for rule in pack.rules}
    for pack in PACKS:
        for sample in pack.samples:
            said = normalizer.explain(sample_message(sample), ORIGIN, NOW)
            assert (said.rule, said.file) == (sample.rule, files[sample.rule]), sample.where


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_every_pattern_is_hit_by_a_sample(pack: Pack) -> None:
    # A pattern no sample reaches is a guess, or is hidden by one before it.
    unused = {(rule.name, rule.pattern) for rule in pack.rules}
    for sample in pack.samples:
        text = (sample_message(sample).message or "").strip()
        inner = todays_form(sample_message(sample).app, split_repeated(text)[1] or text)
        texts = [inner, *_other_readings(sample)]
        rule = next(
            (rule for text in texts for rule in pack.rules if rule.name == sample.rule and rule.fullmatch(text)), None
        )
        assert rule is not None, sample.where
        unused.discard((rule.name, rule.pattern))
    assert unused == set()


def _other_readings(sample: Sample) -> list[str]:
    """Give what a line without a header may be read as."""
    starts = LineStarts([start for pack in PACKS for start in pack.lines])
    line = sample.raw or sample.message or ""
    found = [
        *readings(line, 0, lambda _: True, starts, sample.app, is_bare=True),
        *readings(line, 0, lambda _: False, starts, None, is_bare=True),
    ]
    texts = [each.text for each in found]
    message = sample_message(sample)
    texts.append(structured_text(message.msgid, message.structured_data or {}) or "")
    return [text.strip() for text in texts]


@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_a_prefix_and_a_needle_never_hide_a_match(pack: Pack) -> None:
    # The dispatch tries a rule only where both stand in the message.
    for sample in pack.samples:
        text = (sample_message(sample).message or "").strip()
        for rule in pack.rules:
            rule.prepare()
            if rule.fullmatch(text):
                assert text.startswith(rule.prefixes)
                assert rule.needle in text


@pytest.mark.parametrize("file", sorted(BUILT_IN.glob("*.yaml")), ids=lambda file: file.stem)
def test_built_in_packs_pass_what_operators_packs_must(file: Path) -> None:
    # Built-in packs are compiled at first use, so the strict checks run here.
    pack = load_pack(file)
    for rule in pack.rules:
        assert rule.settings.get("action", "auth.login") in ACTIONS
        assert rule.settings.get("outcome", "success") in set(Outcome)


@pytest.mark.parametrize("file", sorted(BUILT_IN.glob("*.yaml")), ids=lambda file: file.stem)
def test_the_short_way_of_reading_gives_the_same_rules(file: Path) -> None:
    # At start the samples are cut from the text, and YAML sees only what is no plain pattern: nothing may get lost.
    def facts(pack: Pack) -> list[tuple[object, ...]]:
        return [
            (rule.name, rule.pattern, rule.settings, rule.apps, rule.line, rule.groups, rule.needle, rule.prefixes)
            for rule in pack.rules
            if rule.compile() is None
        ]

    assert facts(*load_built_in([file])) == facts(load_pack(file))


def test_another_layout_is_read_by_yaml() -> None:
    # Nothing of a pack may be lost because it is written otherwise than ours are.
    text = "pack: x\nabout: y\napps: [z]\nrules:\n- {name: a, match: 'm'}\n- name: b\n  match: ['n', \"o\"]\n"
    assert read_packs([text]) == [yaml.safe_load(text)]
    ours = "pack: x\nabout: y\napps: [z]\nrules:\n  - name: a\n    match: 'it''s'\n    set: {outcome: success}\n"
    assert read_packs([ours, text, ours]) == [yaml.safe_load(each) for each in (ours, text, ours)]


def test_rules_for_any_program_begin_with_plain_text() -> None:
    # They stand in the table of every program, and are found by a message's first characters alone.
    for pack in PACKS:
        for rule in pack.rules:
            rule.prepare()
            if rule.apps is None and pack.name != "pam":
                assert min(map(len, rule.prefixes)) >= HEAD, rule.name


def test_no_pattern_can_be_made_slow() -> None:
    # Any sender may claim any program's name, so every pattern meets hostile texts.
    assert slow_patterns(PACKS, time.thread_time) == []


@pytest.mark.parametrize(
    "slow", [r"'{actor:(?:\w+ ?)*} opened {_door} from", "'{actor:any}{_all:any} opened {_door} from"]
)
def test_a_slow_pattern_is_found(slow: str) -> None:
    # The test above is worth something only if it finds what it looks for.
    pack = parse_pack(GOOD.replace("'{actor} opened {_door} from", slow), "x")
    assert len(slow_patterns([pack], time.thread_time)) == 1


@pytest.mark.parametrize(
    ("slow", "sample"),
    [(r"(?:\w+)+!", "abc!"), ("(a+)+!", "aa!"), ("(?:a|ab|b)*!", "ab!"), ("[ab]+[bc]+[bd]+!", "abd!")],
)
def test_a_slow_pattern_without_a_group_of_its_own_is_found(slow: str, sample: str) -> None:
    # What is repeated stands in the sample, but no name takes it, and no plain text of the pattern is it.
    text = GOOD.replace("opened {_door}", f"opened {{_door}} {slow}").replace("opened lab", f"opened lab {sample}")
    pack = parse_pack(text, "x")
    assert check_packs([pack]) == []
    assert len(slow_patterns([pack], time.thread_time)) == 1


def test_a_slow_beginning_of_lines_is_found() -> None:
    # It is tried on every line that comes without a header.
    pack = parse_pack(GOOD.replace("apps: [doord]", "apps: [doord]\nlines: {doord: '(?:[a ]+)+: '}"), "x")
    assert len(slow_patterns([pack], time.thread_time)) == 1


def test_a_beginning_of_lines_that_is_no_expression_is_refused() -> None:
    # With file and line, as all else.
    with pytest.raises(ConfigError, match=r"x:4: lines\.doord: not a regular expression"):
        parse_pack(GOOD.replace("apps: [doord]", "apps: [doord]\nlines: {doord: '(x'}"), "x")


def test_the_table_of_the_readme_is_true() -> None:
    # What is covered is said where people look for it.
    text = README.read_text(encoding="utf-8")
    assert text == with_table(text), "run python -m tests.normalize.coverage"


def test_the_example_of_the_readme_is_true() -> None:
    # What a newcomer copies must work.
    examples = [part.split("```", 1)[0] for part in README.read_text(encoding="utf-8").split("```yaml\n")[1:]]
    assert len(examples) == 2
    assert check_packs([parse_pack(text, "README.md") for text in examples]) == []


def test_the_readme_names_every_module() -> None:
    # A newcomer looks there for what a file does.
    text = README.read_text(encoding="utf-8").partition("## Files")[2].partition("##")[0]
    modules = {file.name for file in README.parent.rglob("*.py")} - {"__init__.py"}
    assert {name for name in modules if f"`{name}`" not in text} == set()


def test_plain_sentences_are_tried_last() -> None:
    # Whoever has a pack is read by that.
    assert PACKS[-1].name == "worded"


def test_the_readme_names_every_key_and_column() -> None:
    # The form is documented where it is learned.
    text = README.read_text(encoding="utf-8")
    for name in (*COLUMNS, "pack", "about", "apps", "parts", "rules", "match", "set", "samples", "expect", "raw"):
        assert f"`{name}`" in text, name


REFUSED = {
    "unknown action": ("action: session.open", "action: session.opened", 7, "did you mean 'session.open'"),
    "unknown outcome": ("outcome: success,", "outcome: fine,", 7, "rules.0.set.outcome"),
    "unknown column": ("set: {action", "set: {reasn: x, action", 7, "did you mean 'reason'"),
    "unknown key": ("    samples:", "    sample:", 8, "did you mean 'samples'"),
    "column of the header": ("{actor} opened", "{host} opened", 6, "'host' is not a rule's to fill"),
    "address by template": ("success, target: 'door:{_door}'}\n", "success, source_ip: '{_door}'}\n", 7, "unknown key"),
    "no such group": ("'door:{_door}'}", "'door:{_window}'}", 7, "{_window} is not taken"),
    "no such part": ("{actor} opened", "{=who} opened", 6, "no part 'who'"),
    "not an expression": ("{actor} opened", "{actor} (opened", 6, "not a regular expression"),
    "endless": ("{actor} opened", "{actor:until}.* opened", 6, "needs plain text after it"),
    "no sample": ("      - message: 'alice opened lab from 192.0.2.7'\n", "      - {}\n", 9, "samples"),
    "same key twice": ("about: the door", "about: the door\nabout: another", 3, "the same key twice"),
    "not YAML": ("rules:", "rules: [", 4, "not YAML"),
    "wrong type": ("pack: door", "pack: 7", 1, "pack"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_file_and_line(case: str, tmp_path: Path) -> None:
    # An operator must find the fault without reading our code.
    old, new, line, sentence = REFUSED[case]
    file = tmp_path / "door.yaml"
    text = GOOD.replace(old, new)
    if case == "no sample":
        text = text.split("        expect:")[0]
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_packs([tmp_path])
    assert str(caught.value).startswith(str(file))
    assert sentence in str(caught.value)
    if case != "not YAML":
        assert f":{line}:" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_sample_is_a_problem(tmp_path: Path) -> None:
    # `check` tells which column differs, and where.
    file = tmp_path / "door.yaml"
    file.write_text(GOOD.replace("actor: alice,", "actor: bob,"))
    packs = load_packs([file])
    (problem,) = check_packs(packs, [pack for pack in packs if not pack.built_in])
    assert problem == f"{file}:9: door/opened: actor is 'alice', expected 'bob'"


def test_an_operators_pack_may_take_a_built_in_ones_message(tmp_path: Path) -> None:
    # First match wins; samples of built-in packs are not the operator's to run.
    mine = GOOD.replace("[doord]", "[sshd]")
    mine = mine.replace("{actor} opened {_door} from", "Accepted password for {actor} {_door:.*}")
    mine = mine.replace("alice opened lab from 192.0.2.7", "Accepted password for alice from 192.0.2.7")
    mine = mine.replace("door:lab", "door:from")
    (tmp_path / "mine.yaml").write_text(mine)
    packs = load_packs([tmp_path])
    assert check_packs(packs, [pack for pack in packs if not pack.built_in]) == []


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "- a list\n"])
def test_a_file_that_holds_no_pack_is_named(text: str) -> None:
    # Somebody began to write one.
    with pytest.raises(ConfigError, match=r"^x:1: no pack: a file with the keys pack, about"):
        parse_pack(text, "x")


def test_two_packs_of_one_name_are_refused(tmp_path: Path) -> None:
    # The column `rule` must say which it was.
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD)
    with pytest.raises(ConfigError, match="is also in"):
        load_packs([tmp_path])


def test_a_missing_place_is_refused(tmp_path: Path) -> None:
    # A typo in `packs:` must not be silence.
    with pytest.raises(ConfigError, match="neither a file nor a directory"):
        load_packs([tmp_path / "nowhere"])
