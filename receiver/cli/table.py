"""Tables that fit the terminal: which columns are shown, and how wide. Knows cells and widths, not events.

Rows stream: the first ones decide the layout, all others follow it, so a million rows cost no memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TextIO

from receiver.cli.terminal import columns_of_terminal, cut, escape, fit, paint, wants_colour, width

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_SAMPLE_ROWS: Final = 200
"""Rows looked at before the first is printed: more than a screen, and never much to wait for."""
_CELL_CHARS: Final = 1000
"""No terminal shows more of one cell; a message may hold 256 KiB."""
_GAP: Final = 2


@dataclass(frozen=True)
class Column:
    """One column: how wide at most, how narrow at least, and how soon it goes (highest `drop` first, 0 never)."""

    title: str
    most: int
    least: int = 6
    drop: int = 0
    right: bool = False
    style: Callable[[str], str | None] | None = None


class Table:
    """Writes rows of texts; the last column takes what is left of the line."""

    def __init__(self, columns: Sequence[Column], stream: TextIO, *, drop_empty: bool = True) -> None:
        self._columns = columns
        self._stream = stream
        self._drop_empty = drop_empty
        self._colour = wants_colour(stream)
        self._layout: list[tuple[int, int]] | None = None

    def write(self, rows: Iterable[Sequence[str | None]]) -> int:
        """Write all rows, after the header when they are the first; says how many."""
        cells: Iterator[list[str]] = ([escape(_text(value)[:_CELL_CHARS]) for value in row] for row in rows)
        if self._layout is None:
            sample = list(islice(cells, _SAMPLE_ROWS))
            if not sample:
                return 0
            self._layout = self._lay_out(sample)
            self._header()
            cells = chain(sample, cells)
        written = 0
        for row in cells:
            self._stream.write(self._line(row))
            written += 1
        self._stream.flush()
        return written

    def _lay_out(self, sample: list[list[str]]) -> list[tuple[int, int]]:
        natural = {}
        for index, column in enumerate(self._columns):
            widest = max(width(row[index]) for row in sample)
            if widest or not self._drop_empty:
                natural[index] = min(max(widest, len(column.title)), column.most)
        return choose_widths(self._columns, natural, columns_of_terminal())

    def _header(self) -> None:
        titles = [column.title for column in self._columns]
        line = self._join([self._align(index, titles[index], cells) for index, cells in self._layout or ()])
        self._stream.write(paint(line, "bold" if self._colour else None) + "\n")

    def _line(self, row: list[str]) -> str:
        texts = []
        for index, cells in self._layout or ():
            text = self._align(index, row[index], cells)
            style = self._columns[index].style
            texts.append(paint(text, style(row[index])) if style and self._colour else text)
        return self._join(texts) + "\n"

    def _align(self, index: int, text: str, cells: int) -> str:
        if not self._columns[index].right:
            return fit(text, cells)
        text = cut(text, cells)
        return " " * (cells - width(text)) + text

    def _join(self, texts: list[str]) -> str:
        return (" " * _GAP).join(texts).rstrip(" ")


def _text(value: object) -> str:
    """Give a cell's text; a foreign hand may have stored bytes or numbers where texts belong."""
    if value is None:
        return ""
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def choose_widths(columns: Sequence[Column], natural: dict[int, int], total: int) -> list[tuple[int, int]]:
    """Choose the columns shown and their widths: (index, cells), within `total` where the least widths allow it."""
    shown = dict(natural)
    least = {index: min(cells, columns[index].least) for index, cells in natural.items()}
    droppable = sorted((i for i in natural if columns[i].drop), key=lambda i: -columns[i].drop)
    while droppable and _line_cells(least) > total:
        gone = droppable.pop(0)
        del shown[gone], least[gone]
    left = total - _line_cells(least)
    growing = [index for index in shown if least[index] < shown[index]]
    while left > 0 and growing:  # a cell each in turn, so that one long column does not starve the others
        for index in growing[:left]:
            least[index] += 1
            left -= 1
        growing = [index for index in growing if least[index] < shown[index]]
    return sorted(least.items())


def _line_cells(widths: dict[int, int]) -> int:
    return sum(widths.values()) + _GAP * (len(widths) - 1)
