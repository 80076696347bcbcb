"""Nothing a sender writes may drive the reviewer's terminal, and tables stay straight."""

from __future__ import annotations

import io
import unicodedata
from argparse import Namespace
from contextlib import redirect_stdout

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.cli.event_output import event_output
from receiver.cli.table import Column, Table, choose_widths
from receiver.cli.terminal import cut, escape, fit, paint, wants_colour, width
from tests.kit.events import make_event

any_text = st.text(st.characters(exclude_categories=()), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\r\n\tb\x00", "a\\r\\n\\tb\\x00"),
        ("\x9b2J\x7f", "\\x9b2J\\x7f"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u2028\ufeff\U000e0041", "\\u2028\\ufeff\\U000e0041"),
        ("\ud800", "\\ud800"),
        ("Grüße 日本 é", "Grüße 日本 é"),
    ],
)
def test_controls_are_shown_not_sent(text: str, shown: str) -> None:
    # Escape sequences, C1 controls, bidirectional overrides and invisible characters all become visible.
    assert escape(text) == shown


@settings(max_examples=200, deadline=None)
@given(any_text, st.integers(1, 40))
def test_a_cell_has_its_width_and_no_control(text: str, cells: int) -> None:
    # Wide characters take two cells, combining marks none; a cell that is one off shifts the whole row.
    shown = fit(escape(text), cells)
    assert width(shown) == cells
    assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


def test_a_cut_cell_says_so() -> None:
    # A reviewer must see that there is more.
    assert fit("abcdef", 4) == "abc…"
    assert fit("日本日本", 4) == "日… "
    assert cut("日本日本", 4) == "日…"
    assert fit("e" + "\u0301" * 1000, 4).endswith("…  ") or width(fit("e" + "\u0301" * 1000, 4)) == 4


@settings(max_examples=100, deadline=None)
@given(st.lists(any_text | st.none(), min_size=8, max_size=8), st.integers(-(2**63), 2**63 - 1))
def test_any_event_is_one_row(texts: list[str | None], received_at: int) -> None:
    # Whatever stands in the columns that a table shows: one line, no control character.
    names = ("host", "app", "actor", "actor_as", "action", "target", "source_ip", "message")
    event = make_event(received_at=received_at, **dict(zip(names, texts, strict=True)))
    with redirect_stdout(io.StringIO()) as stream:
        event_output(Namespace(json=False, table=True, local=False)).show([event])
    _, row = stream.getvalue().splitlines()
    assert not [char for char in row if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]


COLUMNS = [Column("TIME", 8, least=8), Column("APP", 10, least=6, drop=2), Column("MESSAGE", 1000, least=10, drop=1)]


def test_columns_give_way_by_rank_when_the_line_is_short() -> None:
    # On a narrow terminal fewer columns are shown rather than all of them unreadable.
    natural = {0: 8, 1: 10, 2: 300}
    assert choose_widths(COLUMNS, natural, 80) == [(0, 8), (1, 10), (2, 58)]
    assert choose_widths(COLUMNS, natural, 30) == [(0, 8), (1, 7), (2, 11)]
    assert choose_widths(COLUMNS, natural, 25) == [(0, 8), (2, 15)]
    assert choose_widths(COLUMNS, natural, 5) == [(0, 8)]


def test_a_table_streams_and_drops_empty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    # Rows are written as they come: ten million of them must not be held.
    monkeypatch.setenv("COLUMNS", "40")
    stream = io.StringIO()
    table = Table(COLUMNS, stream)
    assert table.write([]) == 0
    assert table.write((str(number), None, "x\n" * number) for number in range(1000)) == 1000
    lines = stream.getvalue().splitlines()
    assert lines[0] == "TIME  MESSAGE"
    assert len(lines) == 1001
    assert max(map(width, lines)) <= 40


def test_only_a_terminal_that_wants_colour_gets_it(monkeypatch: pytest.MonkeyPatch) -> None:
    # Escape sequences in a file or against NO_COLOR are litter.
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_colour(Screen())
    assert not wants_colour(io.StringIO())
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_colour(Screen())
    assert paint("x", "red") == "\x1b[31mx\x1b[0m"
    assert paint("x", None) == "x"
