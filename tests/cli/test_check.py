"""`check`: everything that is wrong, where it stands, before the receiver meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Answer

PACK = """\
pack: mine
about: A program of our own.
apps: [mine]
rules:
  - name: login
    match: "{actor} came"
    set: {action: auth.login, outcome: success}
    samples:
      - message: alice came
        expect: {actor: alice, action: auth.login, outcome: success}
"""


def test_a_good_configuration_is_summed_up(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # What the operator sees before a reload: that it is the file he meant.
    (tmp_path / "packs").mkdir()
    (tmp_path / "packs" / "mine.yaml").write_text(PACK)
    (tmp_path / "c.yaml").write_text("store: {path: log}\npacks: [packs]\n")
    answer = cli("check", "--config", tmp_path / "c.yaml")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"{tmp_path / 'c.yaml'}: good.")
    assert str(tmp_path / "log") in answer.out


def test_every_problem_is_a_line_with_file_line_and_key(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # One run, one list: nobody wants to mend a file error by error.
    config = tmp_path / "c.yaml"
    config.write_text("stoer: {}\nlisteners:\n  - {name: a, type: udq, listen: '*:1'}\ningest: {max_bytes: lots}\n")
    answer = cli("check", "--config", config)
    assert answer.code == 1
    assert [line.split(" ")[0] for line in answer.lines] == [f"{config}:1:", f"{config}:3:", f"{config}:4:"]
    assert "store" in answer.lines[0]
    assert "listeners[0].type" in answer.lines[1]


def test_files_that_no_start_could_use_are_named(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # "Good" means that a reload or a start will not refuse it; what systemd hands over only its service can read.
    for name in ("cert", "key", "tokens", "token"):
        (tmp_path / name).write_text("two words\n")
    (tmp_path / "empty").mkdir()
    config = tmp_path / "c.yaml"
    config.write_text(
        "listeners:\n"
        '  - {name: a, type: tls, listen: "*:1", tls: {certificate: cert, key: key}}\n'
        '  - {name: b, type: http, listen: "*:2", tokens: [tokens]}\n'
        '  - {name: c, type: tls, listen: "*:3", tls: {certificate: "%d/cert", key: "%d/key"}}\n'
        "publish:\n"
        "  - {name: d, type: http, to: 'https://d', token_file: token}\n"
        "  - {name: e, type: witness, to: 'https://e', key: [e]}\n"
        "packs: [empty]\n"
    )
    answer = cli("check", "--config", config)
    assert answer.code == 1
    at = [f"{config}:2: listeners[0]:", f"{config}:3: listeners[1]:"]
    at += [f"{config}:6: publish[0]:", f"{config}:7: publish[1]:", f"{tmp_path / 'empty'}: no file"]
    assert [line.startswith(start) for line, start in zip(answer.lines, at, strict=True)] == [True] * 5, answer.lines


def test_packs_are_checked_file_by_file(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # A rule with a fault would otherwise be found by the events it does not understand.
    packs = tmp_path / "packs"
    packs.mkdir()
    (packs / "a.yaml").write_text(PACK.replace("set: {action: auth.login", "set: {action: auth.logn"))
    (packs / "b.yaml").write_text("pack: [")
    (packs / "c.yaml").write_text(PACK)
    (tmp_path / "c.yaml").write_text("packs: [packs, nowhere]\n")
    answer = cli("check", "--config", tmp_path / "c.yaml")
    assert answer.code == 1
    assert len(answer.lines) == 3
    assert "nowhere" in answer.lines[0]
    assert answer.lines[1].startswith(f"{packs / 'a.yaml'}:7:")
    assert "auth.login" in answer.lines[1]
    assert answer.lines[2].startswith(f"{packs / 'b.yaml'}:2: not YAML")


def test_packs_that_are_good_alone_may_clash(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # Two files with one name: which of them wins is nobody's guess.
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text(PACK)
    (tmp_path / "c.yaml").write_text("packs: [one.yaml, two.yaml]\n")
    answer = cli("check", "--config", tmp_path / "c.yaml")
    assert answer.code == 1
    assert "'mine'" in answer.out


def test_a_pack_must_pass_its_own_samples(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # The pack is its own test; a rule that does not do what its author says is a fault of the configuration.
    (tmp_path / "mine.yaml").write_text(PACK.replace("message: alice came", "message: bob came"))
    (tmp_path / "c.yaml").write_text("packs: [mine.yaml]\n")
    answer = cli("check", "--config", tmp_path / "c.yaml")
    assert answer.code == 1
    assert answer.lines[0].startswith(f"{tmp_path / 'mine.yaml'}:9:")
    assert "alice" in answer.out
    assert "bob" in answer.out


def test_what_is_hardly_meant_is_a_warning(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # The receiver runs with it: exit code 0, but nobody need find it out by himself.
    (tmp_path / "packs").mkdir()
    config, pack = tmp_path / "c.yaml", tmp_path / "packs" / "mine.yaml"
    pack.write_text(PACK.replace("pack: mine", "pack: sshd"))
    config.write_text("packs: [packs]\nretention: {max_age: 6h}\n")
    answer = cli("check", "--config", config)
    assert (answer.code, len(answer.lines)) == (0, 3)
    assert answer.lines[0].startswith(f"{config}:2: retention.max_age: warning: ")
    assert "store.segment.max_age (24 h)" in answer.lines[0]
    assert answer.lines[1].startswith(f"{pack}: warning: pack sshd: is the name of a built-in pack too")
    assert "good." in answer.lines[2]
    pack.write_text(PACK)
    config.write_text("packs: [packs]\nretention: {max_age: 1d}\n")
    assert "warning" not in cli("check", "--config", config).out


def test_what_cannot_be_used_cannot_run(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # The same problems elsewhere: one line, and where to see the rest.
    (tmp_path / "c.yaml").write_text("stoer: {}\nlistners: []\n")
    answer = cli("query", "--config", tmp_path / "c.yaml")
    assert answer.code == 2
    assert len(answer.err.splitlines()) == 1
    assert "and 1 more: audit-receiver check" in answer.err
