"""`query`, `tail`, `stats` and `hosts` over a real store."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from receiver.cli.tail import Follower, newest_seq
from tests.cli.conftest import fill_store
from tests.kit.events import make_event

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.conftest import Answer

HOUR_US = 3_600_000_000
HOSTILE = "\x1b]0;owned\x07\r\u202egnp.exe\n\x9b2J"

EVENTS = [
    make_event(0, actor="root", host="web-1", severity=3, data='{"port":1180591620717411303424}'),
    make_event(1, actor="alice", actor_as="root", action="auth.switch", outcome="success", target="user:root"),
    make_event(2, actor="bob", action="session.open", outcome="success", host="db-1", app="sshd", severity=5),
    make_event(3, actor=HOSTILE, host=HOSTILE, app=HOSTILE, target=HOSTILE, message=HOSTILE, raw=b"\x1b\xff"),
    make_event(HOUR_US, actor=None, action=None, outcome=None, source_ip="2001:db8::1", message="Disk Full on /var"),
]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("log") / "store"
    fill_store(folder, EVENTS)
    return folder


def seqs(answer: Answer) -> list[int]:
    assert answer.code == 0, answer.err
    return [json.loads(line)["seq"] for line in answer.lines]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], [4, 3, 2, 1, 0]),
        (["--actor", "root"], [1, 0]),
        (["--action", "auth.login"], [3, 0]),
        (["--action", "auth.*"], [3, 1, 0]),
        (["--outcome", "success"], [2, 1]),
        (["--host", "db-1"], [2]),
        (["--app", "sshd", "--outcome", "success"], [2, 1]),
        (["--source-ip", "2001:0DB8:0::1"], [4]),
        (["--source-ip", "2001:db8::5/32"], [4]),
        (["--source-ip", "203.0.113.0/24", "--app", "sshd", "--outcome", "failure"], [0]),
        (["--rule", "sshd/*", "--outcome", "failure", "--app", "sshd"], [0]),
        (["--listener", "syslog", "--peer", "192.0.2.1"], []),
        (["--target", "user:root"], [1]),
        (["--severity", "error"], [0]),
        (["--severity", "5"], [2, 0]),
        (["--contains", "disk full"], [4]),
        (["--since", "2025-11-24T17:00:00Z"], [4]),
        (["--until", "2025-11-24T16:00:00.000002Z"], [1, 0]),
        (["--since", "2020-01-01", "--until", "2020-01-02"], []),
        (["--limit", "2"], [4, 3]),
        (["--limit", "all", "--app", "nothing"], []),
    ],
    ids=lambda value: " ".join(value) if value and isinstance(value[0], str) else "",
)
def test_query_answers_newest_first(
    cli: Callable[..., Answer], store: Path, options: list[str], expected: list[int]
) -> None:
    # Each filter by itself; not on a terminal, so JSON lines without asking.
    assert seqs(cli("query", *options, "--store", store)) == expected


@pytest.mark.parametrize("slip", ["203.0.113", "host", "2001:db8::/200", "host/8", "10.0.0.0/"])
def test_what_is_no_address_is_refused(cli: Callable[..., Answer], store: Path, slip: str) -> None:
    # A slip must not read as "nobody came from there", nor as "nothing to erase".
    for command in (["query"], ["redact", "--reason", "r"]):
        answer = cli(*command, "--source-ip", slip, "--store", store)
        assert (answer.code, answer.out) == (2, "")
        assert f"'{slip}' is not a" in answer.err


def test_a_network_is_not_erased(cli: Callable[..., Answer], store: Path) -> None:
    # One person's address may go; a whole network by a slash typed in haste may not.
    answer = cli("redact", "--reason", "r", "--source-ip", "203.0.113.0/24", "--store", store)
    assert (answer.code, answer.out) == (2, "")
    assert "'203.0.113.0/24' is not an address" in answer.err


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("auth.logon", "did you mean 'auth.login'?"),
        ("auth", "did you mean 'auth.*'? (of auth: auth.login, auth.logout, auth.switch)"),
        ("AUTH.LOGIN", "there is no action 'AUTH.LOGIN'"),
        ("nonsense.*", "stats --by action"),
        ("auth.x*", "of auth: auth.login"),
        ("", "there is no action ''"),
    ],
)
def test_an_action_that_does_not_exist_is_refused(
    cli: Callable[..., Answer], store: Path, slip: str, said: str
) -> None:
    # The vocabulary is closed, so nothing found would read as "it did not happen".
    for command in ("query", "tail", "stats", "hosts"):
        answer = cli(command, "--action", slip, "--store", store)
        assert (answer.code, answer.out) == (2, "")
        assert said in answer.err


@pytest.mark.parametrize("form", ["auth.login", "auth.log*", "auth.*", "au*", "*"])
def test_an_action_may_be_the_beginning_of_some(cli: Callable[..., Answer], store: Path, form: str) -> None:
    # As the store takes it.
    assert seqs(cli("query", "--action", form, "--store", store))[-1:] == [0]


def test_options_that_would_do_nothing_are_refused(cli: Callable[..., Answer], store: Path) -> None:
    # Whoever gives one means it.
    for options in (["--format", "csv", "--json"], ["--format", "ecs", "--table"]):
        answer = cli("query", *options, "--store", store)
        assert (answer.code, answer.out) == (2, "")
        assert f"{options[0]} {options[1]} and {options[2]}" in answer.err
    answer = cli("stats", "--every", "1h", "--limit", "2", "--store", store)
    assert (answer.code, answer.out) == (2, "")
    assert "--limit" in answer.err


def test_an_event_in_json_is_whole(cli: Callable[..., Answer], store: Path) -> None:
    # Exact numbers, every column, nothing secret.
    line = cli("query", "--json", "--store", store, "--actor", "root", "--host", "web-1").lines[-1]
    event = json.loads(line)
    assert list(event)[:2] == ["seq", "received_at"]
    assert event["received_at"] == event["time"] == "2025-11-24T16:00:00.000000Z"
    assert event["data"] == {"port": 2**70}
    assert "salt" not in event
    assert event["msgid"] is None


def test_older_matches_left_out_are_mentioned(cli: Callable[..., Answer], store: Path) -> None:
    # A limit that silently hides events would make a wrong audit.
    assert "the newest 2 shown" in cli("query", "--limit", "2", "--store", store).err
    assert cli("query", "--limit", "5", "--store", store).err == ""


@pytest.mark.parametrize("columns", [20, 80, 160, 400])
def test_a_table_is_safe_and_fits(
    cli: Callable[..., Answer], store: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    # Hostile names in every column: no control character may reach the terminal, no row may break.
    monkeypatch.setenv("COLUMNS", str(columns))
    answer = cli("query", "--table", "--store", store)
    assert answer.code == 0
    assert len(answer.lines) == 6
    assert answer.out.replace("\n", "").isprintable()
    assert all(len(line) <= max(columns, 19 + 2 + 8 + 2 + 10 + 2 + 7) for line in answer.lines)


def test_a_table_tells_who_did_what(cli: Callable[..., Answer], store: Path) -> None:
    # What a reviewer reads first.
    answer = cli("query", "--table", "--actor", "alice", "--store", store)
    header, row = answer.lines
    assert header.split("  ")[0] == "RECEIVED UTC"
    assert row.split()[:2] == ["2025-11-24", "16:00:00"]
    assert "alice→root" in row
    assert "auth.switch" in row
    assert "TARGET" in header


def test_tail_shows_the_last_ones_in_order(cli: Callable[..., Answer], store: Path) -> None:
    # As tail(1) does.
    assert seqs(cli("tail", "--store", store)) == [0, 1, 2, 3, 4]
    assert seqs(cli("tail", "-n", "2", "--store", store)) == [3, 4]
    assert seqs(cli("tail", "-n2", "--outcome", "success", "--store", store)) == [1, 2]
    assert seqs(cli("tail", "-n", "0", "--store", store)) == []


def test_tail_follows_what_comes(tmp_path: Path) -> None:
    # The live view: what matches, each once, in order, over restarts of the receiver and changes of segment.
    folder = tmp_path / "store"
    fill_store(folder, EVENTS)
    command = [sys.executable, "-m", "receiver", "tail", "-f", "--outcome", "success", "--store", str(folder)]
    with subprocess.Popen([*command, "-n", "1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        got = [json.loads(process.stdout.readline())["seq"]]
        for _ in range(2):
            fill_store(folder, EVENTS, segment_events=4)
        got += [json.loads(process.stdout.readline())["seq"] for _ in range(4)]
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")
    assert got == [2, 6, 7, 11, 12]
    # Whoever has seen enough (`| head -1`) does not wait for one event more.
    with subprocess.Popen([*command, "-n", "1"], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 0


def test_each_look_of_tail_begins_where_the_last_one_ended(tmp_path: Path) -> None:
    # A filter that matches nothing must not make every look scan the log again.
    from receiver.store import Filter, Reader

    fill_store(tmp_path / "store", [])
    reader = Reader(tmp_path / "store")
    follower = Follower(reader, Filter(actor="bob"), newest_seq(reader))
    assert list(follower.news()) == []
    fill_store(tmp_path / "store", EVENTS)
    assert [event.seq for event in follower.news()] == [2]
    assert follower.position == 4
    assert list(follower.news()) == []
    reader.close()


def counts(answer: Answer) -> list[tuple[str | None, object, int]]:
    assert answer.code == 0, answer.err
    rows = [json.loads(line) for line in answer.lines]
    assert all(list(row) == ["time", "column", "value", "count"] for row in rows)
    return [(row["time"], row["value"], row["count"]) for row in rows]


def test_stats_count_by_any_column(cli: Callable[..., Answer], store: Path) -> None:
    # Most first, equal counts by name, so that two runs read alike.
    assert counts(cli("stats", "--by", "action", "--store", store)) == [
        (None, "auth.login", 2),
        (None, None, 1),
        (None, "auth.switch", 1),
        (None, "session.open", 1),
    ]
    assert counts(cli("stats", "--by", "severity", "--store", store, "--actor", "root"))[0][2] == 1
    assert counts(cli("stats", "--by", "source-ip", "--limit", "1", "--store", store)) == [(None, "203.0.113.9", 4)]


@pytest.mark.parametrize("column", ["received_at", "time", "seq", "data", "message", "peer_port", "parse_status"])
def test_stats_take_every_column(cli: Callable[..., Answer], store: Path, column: str) -> None:
    # "By any column" means any, in both forms.
    assert sum(count for _, _, count in counts(cli("stats", "--by", column, "--store", store))) == 5
    table = cli("stats", "--by", column, "--table", "--store", store)
    assert table.code == 0
    assert table.out.replace("\n", "").isprintable()


def test_stats_over_time(cli: Callable[..., Answer], store: Path) -> None:
    # One row a span and value, in order of time.
    first, second = "2025-11-24T16:00:00.000000Z", "2025-11-24T17:00:00.000000Z"
    assert counts(cli("stats", "--by", "outcome", "--every", "1h", "--store", store)) == [
        (first, "failure", 2),
        (first, "success", 2),
        (second, None, 1),
    ]
    table = cli("stats", "--by", "severity", "--every", "1h", "--store", store, "--table")
    assert "2025-11-24 16:00:00" in table.out
    assert "err" in table.out


def test_hosts(cli: Callable[..., Answer], store: Path) -> None:
    # Who sends what, first and last seen, how much.
    rows = {row["host"]: row for row in map(json.loads, cli("hosts", "--store", store).lines)}
    assert rows["db-1"]["events"] == 1
    assert rows["web-1"]["first_seen"] == "2025-11-24T16:00:00.000000Z"
    assert set(rows) == {event.host for event in EVENTS}
    table = cli("hosts", "--table", "--store", store)
    assert table.code == 0
    assert table.out.replace("\n", "").isprintable()


def test_an_empty_log_answers_nothing(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # A receiver that has just been installed is no error.
    fill_store(tmp_path / "store", [])
    for command in ("query", "tail", "stats", "hosts"):
        answer = cli(command, "--store", tmp_path / "store")
        assert (answer.code, answer.out) == (0, ""), command


def test_a_configuration_names_the_store(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # `store.path` is relative to the configuration, not to where the reviewer stands.
    fill_store(tmp_path / "log", EVENTS)
    (tmp_path / "config.yaml").write_text("store: {path: log}\n")
    assert len(cli("query", "--config", tmp_path / "config.yaml").lines) == 5


def test_reading_writes_nothing(cli: Callable[..., Answer], tmp_path: Path) -> None:
    # A reviewer's question must not change evidence.
    fill_store(tmp_path / "store", EVENTS)
    before = {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir() if path.is_file()}
    for command in ("query", "tail", "stats", "hosts"):
        cli(command, "--store", tmp_path / "store")
    after = {path.name: path.read_bytes() for path in (tmp_path / "store").iterdir() if path.is_file()}
    assert {name: after[name] for name in before} == before


