"""What every command has in common: exit codes, one-line errors, help."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from receiver import __version__
from receiver.cli import main
from receiver.cli.location import CONFIG_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.conftest import Answer

COMMANDS = ("run", "check", "query", "tail", "stats", "hosts", "explain", "version")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_shows_examples(cli: Callable[..., Answer], command: str) -> None:
    # Help is read by people in a hurry: the command line to copy must stand there.
    answer = cli(command, "--help")
    assert answer.code == 0
    assert f"audit-receiver {command}" in answer.out.partition("examples:")[2]
    assert "--config FILE" in answer.out
    assert "--store DIR" in answer.out


def test_help_names_every_command(cli: Callable[..., Answer]) -> None:
    # The first thing typed.
    answer = cli("--help")
    assert answer.code == 0
    assert all(f"\n    {command} " in answer.out for command in COMMANDS)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["quarry"],
        ["query", "--acter", "root"],
        ["query", "--limit", "0"],
        ["query", "--limit", "many"],
        ["query", "--outcome", "maybe"],
        ["query", "--severity", "loud"],
        ["query", "--since", "soon"],
        ["query", "--since", "today", "--until", "yesterday"],
        ["query", "--store", "/nowhere/at/all"],
        ["query", "--store", __file__],
        ["query", "--store", "a", "--config", "b"],
        ["query", "--config", "/nowhere/at/all.yaml"],
        ["query", "two\nlines\x1b[31m"],
        ["tail", "-n", "-1"],
        ["stats", "--by", "colour"],
        ["stats", "--every", "0h"],
        ["run", "--store", __file__],
        ["run", "--config", "/nowhere/at/all.yaml"],
        ["check", "--store", "/tmp"],
        ["check", "--config", "/nowhere/at/all.yaml"],
        ["check", "--config", "/"],
        ["explain", "--zone", "Mars/Olympus", "x"],
        ["explain", "--zone", "../../etc/passwd", "x"],
        ["explain", "--jsonl", "x"],
        ["explain", "--received-at", "soon", "x"],
        ["explain", "--transport", "pigeon", "x"],
        ["explain", "--config", "/nowhere/at/all.yaml", "x"],
    ],
    ids=lambda arguments: " ".join(arguments)[:40].encode("unicode_escape").decode() or "nothing",
)
def test_what_cannot_run_says_why_in_one_line(cli: Callable[..., Answer], arguments: list[str]) -> None:
    # Exit code 2, nothing on standard output, no traceback, nothing that drives the terminal.
    answer = cli(*arguments)
    assert answer.code == 2
    assert answer.out == ""
    assert answer.err.startswith("audit-receiver")
    assert answer.err.endswith("\n")
    assert len(answer.err.splitlines()) == 1
    assert "\x1b" not in answer.err
    assert "a bug of ours" not in answer.err


def test_without_a_location_it_says_what_to_give(cli: Callable[..., Answer]) -> None:
    # A new user must learn the option from the error.
    assert "--store DIR or --config FILE" in cli("query").err
    assert "--config FILE" in cli("run").err


def test_the_environment_may_name_the_configuration(
    cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    # Set once in a profile, every command works without options.
    (tmp_path / "config.yaml").write_text("store: {path: log}\n")
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "config.yaml"))
    assert f"no store at {tmp_path / 'log'}" in cli("query").err


def test_version(cli: Callable[..., Answer]) -> None:
    # The first question of every bug report.
    answer = cli("version")
    assert (answer.code, answer.out.split()[:2]) == (0, ["audit-receiver", __version__])
    assert cli("--version").out == f"audit-receiver {__version__}\n"


def test_help_loads_no_heavy_library() -> None:
    # `--help` and completion must be instant.
    code = (
        "import sys; from receiver.cli import main; main(['query', '--help']);"
        "print([n for n in ('sqlite3', 'uvloop', 'yaml', 'pydantic', 'asyncio') if n in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_the_module_runs_as_the_command_does() -> None:
    # `python -m receiver` where the script is not on the path.
    done = subprocess.run([sys.executable, "-m", "receiver", "version"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("audit-receiver ")


def test_a_closed_pipe_is_quiet() -> None:
    # `audit-receiver explain … | head -1` is an everyday command.
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m receiver query --help | true"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


def test_a_full_disk_behind_standard_output_is_an_error() -> None:
    # An export that is not all there must not look like success.
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "receiver", "version"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr == "audit-receiver: No space left on device\n"


def test_a_closed_standard_output_is_an_error() -> None:
    # An answer that nobody can have must not look like success.
    command = ["/bin/sh", "-c", f"{sys.executable} -m receiver version >&-"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "audit-receiver: standard output is closed\n")


def test_ctrl_c_is_quiet_and_130() -> None:
    # The shell's convention; a traceback would hide the last line of output.
    with subprocess.Popen(
        [sys.executable, "-m", "receiver", "explain", "--frames"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"{}\n")
        process.stdin.flush()
        assert process.stdout.readline()  # it runs and waits
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, b"")


def test_a_bug_is_not_an_answer(cli: Callable[..., Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    # Python would leave with 1, which here means that the log was altered.
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("receiver.cli.version.platform.python_version", lambda: [] + "")
    answer = cli("version")
    assert answer.code == 2
    assert "a bug of ours: TypeError" in answer.err
    monkeypatch.setenv("AUDIT_RECEIVER_TRACEBACK", "1")
    with pytest.raises(TypeError):
        main(["version"])
