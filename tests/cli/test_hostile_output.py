"""No command sends what a sender, a file or an option wrote to the terminal as it is: every command, every control.

The store holds one event for each character that moves, colours, renames, hides or reorders, in every column of text;
the same characters come by file names, options, configurations, proofs and checkpoints.
"""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import unicodedata
from base64 import b64encode
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from receiver.event import COLUMNS, INTEGER_COLUMNS, Event
from tests.cli.conftest import fill_store
from tests.kit.events import make_event
from tests.kit.logs import make_log

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Answer

CONTROLS: Final = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0)]))
BIDI: Final = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SEQUENCES: Final = (
    "\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "\x1b]52;c;cm0gLXJm\x07",
    "\x1bP+q544e\x1b\\", "a\rb", "a\nb", "\u2028\u2029", "\u202egnp.exe",
)  # fmt: skip
HOSTILE: Final = (*SEQUENCES, *CONTROLS, *BIDI)
ARGUMENT: Final = "\x1b]0;owned\x07\u202e\x9b2J\r"
"""In an option or a file name: NUL can stand in neither."""

TEXTS = [name for name in Event._fields if name not in INTEGER_COLUMNS and name not in {"raw", "data"}]


def hostile_event(number: int, text: str) -> Event:
    data = json.dumps({text: text, "structured_data": {text: {text: text}}}, ensure_ascii=False)
    return make_event(number, **dict.fromkeys(TEXTS, f"x{text}y"), data=data, raw=text.encode())


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sealed and live: half of it each."""
    folder = tmp_path_factory.mktemp("log") / "store"
    events = [hostile_event(number, text) for number, text in enumerate(HOSTILE)]
    fill_store(folder, events[: len(events) // 2], segment_events=len(events) // 2)
    fill_store(folder, events[len(events) // 2 :], segment_events=len(events) // 2)
    return folder


def assert_harmless(text: str, line_ends: str = "\n") -> None:
    """Line ends are ours; nothing else controls a terminal or reorders what a person reads."""
    bad = {char for char in text if unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"} or char in BIDI}
    assert bad <= set(line_ends), [hex(ord(char)) for char in bad]
    text.encode()


COMMANDS: Final = (
    "query --table --limit all",
    "query --json --limit all",
    "query --format ecs --limit all",
    "query --format ocsf --limit all",
    "query --format cef --limit all",
    "tail -n 500 --table",
    "tail -n 500 --json",
    "hosts --table",
    "hosts --json",
    "unmatched --table --limit all",
    "unmatched --json --limit all",
    "verify",
    "version",
    "hold list",
    "prune --dry-run",
    "doctor",
    "doctor --json",
    *(f"stats --by {name} --limit all {form}" for name in COLUMNS[:-3] for form in ("--table", "--json")),
)


@pytest.mark.parametrize("line", COMMANDS)
def test_no_command_sends_what_stands_in_the_store(cli: Callable[..., Answer], store: Path, line: str) -> None:
    # Whether it can answer or not: neither the answer nor the reason carries a control.
    answer = cli(*line.split(), "--store", store)
    assert_harmless(answer.out)
    assert_harmless(answer.err)
    if "--json" in line or "ecs" in line or "ocsf" in line:
        assert answer.code == (1 if line.startswith("doctor") else 0), answer.err  # no receiver runs
        assert all(isinstance(json.loads(text), dict) for text in answer.out.splitlines())


def test_csv_is_what_the_standard_says_and_one_line_an_event(cli: Callable[..., Answer], store: Path) -> None:
    # RFC 4180: a header, CR LF, as many cells in each line as in the header.
    answer = cli("query", "--format", "csv", "--limit", "all", "--store", store)
    assert_harmless(answer.out, "\r\n")
    lines = answer.out.split("\r\n")
    assert lines.pop() == ""
    assert not any("\r" in line or "\n" in line for line in lines)
    rows = list(csv.reader(lines, strict=True))
    assert rows[0] == [name for name in COLUMNS if name not in {"salt", "commitment"}]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert len(rows) == len(HOSTILE) + 1
    raw = {row[rows[0].index("raw")] for row in rows[1:]}
    assert raw == {b64encode(text.encode()).decode() for text in HOSTILE}


@pytest.mark.parametrize(
    "line",
    [
        "query --actor {}", "query --since {}", "query --severity {}", "query --limit {}", "stats --by {}", "{}",
        "query --{}", "query --format {}", "query --format csv --columns {}", "tail --host {}", "verify --key {}",
        "verify --checkpoint {}", "hold add --reason {}", "hold add --actor {} --reason r", "hold list",
        "redact --seq {} --reason x", "redact --actor {} --reason {}", "prove {}", "backup {}/not/here", "restore {}",
        "check --config {}", "doctor --config {}", "doctor --unit {}", "explain {}", "explain {} --json",
        "explain x --peer {}", "explain x --transport {}",
        "explain x --zone {}", "check-proof {} --key {}", "witness --dir /nowhere --log {}", "run --config {}",
    ],
)  # fmt: skip
def test_an_option_is_repeated_harmlessly(
    cli: Callable[..., Answer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    # An operator pastes what a message said; the error that repeats it must not run it.
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "store"
    fill_store(folder, [hostile_event(0, ARGUMENT)])
    words = [word.replace("{}", ARGUMENT) for word in line.split()]
    needs_store = words[0] not in {"check", "explain", "check-proof", "witness", "run", "restore", ARGUMENT}
    answer = cli(*words, *(["--store", folder] if needs_store else []))
    assert_harmless(answer.out)
    assert_harmless(answer.err)


@pytest.mark.parametrize("command", ["query", "verify", "hosts", "hold list", "version", "tail", "stats", "keygen"])
def test_a_folder_may_have_any_name(cli: Callable[..., Answer], tmp_path: Path, command: str) -> None:
    # Also one that is not there.
    for name in ("missing", "there"):
        folder = tmp_path / f"{name}{ARGUMENT}" / "store"
        if name == "there":
            fill_store(folder, [make_event()])
        answer = cli(*command.split(), "--store", folder)
        assert_harmless(answer.out)
        assert_harmless(answer.err)


def test_a_configuration_is_quoted_harmlessly(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # `check` repeats keys and values of a file that somebody else may have written.
    file = tmp_path / f"config{ARGUMENT}.yaml"
    texts = [f"a{text}b" for text in SEQUENCES]
    for settings in (
        dict.fromkeys(texts, 1), {"listeners": texts}, {"zones": dict.fromkeys(texts, "x")}, {"packs": texts},
        {"listeners": [{"name": text, "type": text, "listen": text, "zone": text, "allow": [text]} for text in texts]},
        {"store": {"path": texts[0], "keep_raw": texts[1]}}, {"expected_hosts": texts},
        {"evidence": {"origin": texts[2]}},
    ):  # fmt: skip
        file.write_text(yaml.safe_dump(settings, allow_unicode=True))
        answer = cli("check", "--config", file)
        assert answer.code in {1, 2}
        assert_harmless(answer.out)
        assert_harmless(answer.err)


def test_a_reason_is_kept_and_shown_harmlessly(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # Kept word for word in the log; what lists it shows the escapes.
    folder = tmp_path / "store"
    make_log(folder, 20)
    what = ("--since", "2026-01-01", "--actor", "user 1")
    assert cli("hold", "add", *what, "--reason", ARGUMENT, "--store", folder).code == 0
    answer = cli("hold", "list", "--store", folder)
    assert "--since 2026-01-01T00:00:00Z --actor 'user 1'" in answer.out, "as the options of query"
    assert "\\x1b]0;owned\\x07\\u202e\\x9b2J\\r" in answer.out
    assert_harmless(answer.out)
    assert cli("redact", "--seq", "3", "--reason", ARGUMENT, "--store", folder).code in {0, 1}
    for command in ("query --table", "query --json", "verify", "query --format csv"):
        assert_harmless(cli(*command.split(), "--store", folder).out, "\r\n")


def test_files_of_evidence_are_quoted_harmlessly(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # A proof and a checkpoint come from somewhere else, and may be made to be looked at.
    folder = tmp_path / "store"
    make_log(folder, 20)
    proof = cli("prove", "3", "--store", folder).out.encode()
    key = cli("version", "--store", folder).lines[1]
    assert_harmless(cli("check-proof", written(tmp_path, proof), "--key", key).out)
    for text in SEQUENCES:
        for at in (0, len(proof) // 2, len(proof) - 90):
            file = written(tmp_path, proof[:at] + text.encode() + proof[at:])
            for answer in (
                cli("check-proof", file, "--key", key),
                cli("check-proof", file, "--old", file, "--key", key),
                cli("verify", "--checkpoint", file, "--store", folder),
            ):
                assert_harmless(answer.out)
                assert_harmless(answer.err)


def written(folder: Path, data: bytes) -> Path:
    file = folder / "file"
    file.write_bytes(data)
    return file


def test_a_foreign_hand_in_the_store_gives_valid_output_or_one_line(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # SQLite keeps any bytes as text: half a character, a surrogate by itself, and numbers where names belong.
    folder = tmp_path / "store"
    fill_store(folder, [make_event(number) for number in range(4)])
    (live,) = folder.glob("*-.db")
    with sqlite3.connect(live) as database:
        columns = {row[1] for row in database.execute("PRAGMA table_info(events)")}
        assert "message" in columns
        for number, value in enumerate(("CAST(x'ff1b5d30' AS TEXT)", "CAST(x'eda080' AS TEXT)", "17", "x'1bff'")):
            database.execute(f"UPDATE events SET message = {value} WHERE seq = {number}")
    database.close()
    assert [json.loads(text)["seq"] for text in cli("query", "--json", "--store", folder).lines] == [3, 2, 1, 0]
    for line in COMMANDS:
        answer = cli(*line.split(), "--store", folder)
        assert_harmless(answer.out)
        assert_harmless(answer.err)
        assert "a bug of ours" not in answer.err
        assert len(answer.err.splitlines()) <= 1
        if "--json" in line:
            assert answer.code == (1 if line.startswith("doctor") else 0), answer.err
            assert all(isinstance(json.loads(text), dict) for text in answer.out.splitlines())


def test_bytes_in_any_column_stop_no_output(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # One row for each column: every way to show events shows all of them.
    folder = tmp_path / "store"
    columns = [name for name in COLUMNS if name != "seq"]
    fill_store(folder, [make_event(number) for number in range(len(columns))])
    (live,) = folder.glob("*-.db")
    with sqlite3.connect(live) as database:
        for number, column in enumerate(columns):
            database.execute(f"UPDATE events SET {column} = x'ff1b000a' WHERE seq = {number}")
    database.close()
    for form in ("--format ecs", "--format ocsf", "--format cef", "--format csv", "--json", "--table"):
        answer = cli("query", *form.split(), "--limit", "all", "--store", folder)
        assert (answer.code, answer.err) == (0, "")
        assert len(answer.lines) == len(columns) + (form in {"--format csv", "--table"})
        assert_harmless(answer.out, "\r\n" if "csv" in form else "\n")


@pytest.mark.parametrize(
    "cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n@x", "＝1", "＋1", "－1", "＠1"]
)
def test_a_spreadsheet_runs_nothing(cli: Callable[..., Answer], tmp_path: Path, cell: str) -> None:
    # OWASP: an apostrophe in front of what a spreadsheet would take for a formula.
    folder = tmp_path / "store"
    fill_store(folder, [make_event(actor=cell, message=f'{cell}","=2', target="plain", severity=3)])
    answer = cli("query", "--format", "csv", "--columns", "actor,message,target,severity", "--store", folder)
    header, row = csv.reader(io.StringIO(answer.out, newline=""))
    assert header == ["actor", "message", "target", "severity"]
    assert row[0].startswith("'")
    assert row[1].startswith("'")
    assert row[2:] == ["plain", "3"]


def test_columns_are_those_of_csv_alone(cli: Callable[..., Answer], store: Path) -> None:
    # A wrong name is said with the right one; for JSON they would do nothing.
    assert "is it actor?" in cli("query", "--format", "csv", "--columns", "aktor", "--store", store).err
    assert cli("query", "--json", "--columns", "actor", "--store", store).code == 2
