"""How a filter is asked of one segment: which rows SQLite looks at, in order, and which tests they must pass.

Knows both schemas and the filter. Knows no file and no page. A segment is asked by one or more `Source`s whose
rows do not overlap. A live segment is scanned; in a sealed one the narrowest index leads and the row decides.
Every index is named (`INDEXED BY`, `+column`): a planner's guess must not cost the order or half a second.
Columns are read from `e`, in a sealed segment those of a kind from `k`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver import limits
from receiver.event import COLUMNS
from receiver.store.filter import Filter, Phrase, conditions
from receiver.store.segment import INDEXED_COLUMNS, KIND_COLUMNS, ODD_MESSAGE, OWN_COLUMNS

if TYPE_CHECKING:
    import sqlite3

PHRASE_FUNCTION: Final = "has_phrase"
_PHRASE_TEST: Final = f"{PHRASE_FUNCTION}(e.message)"
_ODD: Final = ODD_MESSAGE.replace("message", "e.message")
_OF_KINDS: Final = "e.kind IN (SELECT value FROM json_each(?))"
_SCAN_SHARE: Final = 20
"""Kinds that hold more than this part of a segment are found sooner by walking the log than by collecting them."""


class Range(NamedTuple):
    """Positions from `low` up to, not including, `high`."""

    low: int
    high: int


class Tests(NamedTuple):
    """Parts of a WHERE, all of which must hold, and their parameters in order."""

    sql: tuple[str, ...] = ()
    parameters: tuple[Any, ...] = ()

    def also(self, sql: str, *parameters: Any) -> Tests:
        """Add one more at the end."""
        return Tests((*self.sql, sql), (*self.parameters, *parameters))

    def after(self, sql: str, *parameters: Any) -> Tests:
        """Add one in front: the one that leads."""
        return Tests((sql, *self.sql), (*parameters, *self.parameters))


class Source(NamedTuple):
    """Rows of one segment: FROM and WHERE, with `position` naming what `seq` is there.

    before: parameters that stand in FROM.
    """

    tables: str
    tests: Tests
    position: str = "e.seq"
    before: tuple[Any, ...] = ()

    def query(self, span: Range, columns: str, order: str = "") -> tuple[str, tuple[Any, ...]]:
        """Write the query for the rows of a range; `order` may add ORDER BY or GROUP BY."""
        tests = self.tests.also(f"{self.position} >= ? AND {self.position} < ?", *span)
        where = " AND ".join(tests.sql)
        sql = f"SELECT {columns} FROM {self.tables} WHERE {where} {order}"  # noqa: S608 - our own names only
        return sql, (*self.before, *tests.parameters)

    def rows(self, span: Range, columns: str, *, ascending: bool) -> tuple[str, tuple[Any, ...]]:
        """Write the query for the rows of a range in the log's order, or its reverse."""
        return self.query(span, columns, f"ORDER BY {self.position}{'' if ascending else ' DESC'}")


class LivePlan:
    """A segment with the plain table `events`; looks whether a range has odd messages."""

    columns: Final = ", ".join(f"e.{name}" for name in COLUMNS)

    def __init__(self, connection: sqlite3.Connection, span: Range, where: Filter, phrase: Phrase | None) -> None:
        self._where = where
        self._phrase = phrase
        self._has_odd = phrase is not None and self._finds_odd(connection, span)

    @staticmethod
    def _finds_odd(connection: sqlite3.Connection, span: Range) -> bool:
        sql = "SELECT EXISTS (SELECT 1 FROM odd WHERE seq >= ? AND seq < ?)"
        return bool(connection.execute(sql, span).fetchone()[0])

    def source(self) -> Source:
        """Give the one scan."""
        odd = "e.seq IN (SELECT seq FROM odd)" if self._has_odd else "false"
        return Source("events e NOT INDEXED", _with_phrase(_row_tests(self._where, COLUMNS), self._phrase, odd))


class SealedPlan:
    """A segment with kinds and indexes; asks the file for counts to choose by."""

    columns: Final = ", ".join(f"{'k' if name in KIND_COLUMNS else 'e'}.{name}" for name in COLUMNS)
    joined: Final = " LEFT JOIN kind k ON k.id = e.kind"

    def __init__(self, connection: sqlite3.Connection, span: Range) -> None:
        self._connection = connection
        self._span = span

    def sources(self, where: Filter, phrase: Phrase | None) -> list[Source]:
        """Choose what leads. An empty list: nothing here can match."""
        tests = _row_tests(where, OWN_COLUMNS)
        kinds = self._kinds(where)
        if kinds is not None:
            if not kinds.ids:
                return []
            tests = tests.also(_OF_KINDS, kinds.ids_json)
        whole = _with_phrase(tests, phrase)
        leads = [[_equal(column, value, whole)] for column, value in _indexed(where)]
        if where.actor is not None:
            leads.append(_actor(where.actor, whole))
        if phrase is not None and phrase.words:
            leads.append(_phrase(phrase, tests))
        choices = [(self._count(sources), sources) for sources in leads]
        if kinds is not None and kinds.events * _SCAN_SHARE < self._span.high - self._span.low:
            choices.append((kinds.events, [kinds.collected(self._span, whole)]))
        if choices:
            count, sources = min(choices, key=lambda choice: choice[0])
            return sources if count else []
        return [Source("event e NOT INDEXED", whole if kinds is None else kinds.between(whole))]

    def _kinds(self, where: Filter) -> _Kinds | None:
        tests, values = kind_tests(where)
        if not tests:
            return None
        sql = f"SELECT id, events, first_seq, last_seq FROM kind WHERE {tests}"  # noqa: S608 - our own names only
        return _Kinds(self._connection.execute(sql, values).fetchall())

    def _count(self, sources: list[Source]) -> int:
        """Count what sources lead to, by the first test of each alone, up to a bound."""
        count = 0
        for source in sources:
            table, lead = source.tables.split(" CROSS JOIN ")[0], source.tests.sql[0]
            sql = f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {lead} LIMIT ?)"  # noqa: S608 - our names
            parameters = source.tests.parameters[: lead.count("?")]
            (found,) = self._connection.execute(sql, (*parameters, limits.PLAN_COUNT)).fetchone()
            count += found
        return count


class _Kinds:
    """The kinds a filter allows: how many events they have, and between which positions."""

    def __init__(self, found: list[tuple[int, int, int, int]]) -> None:
        self.ids = [kind[0] for kind in found]
        self.ids_json = str(self.ids)
        self.events = sum(kind[1] for kind in found)
        self._first = min((kind[2] for kind in found), default=0)
        self._last = max((kind[3] for kind in found), default=0)

    def between(self, tests: Tests) -> Tests:
        """Walk no farther than where these kinds stand."""
        return tests.also("e.seq BETWEEN ? AND ?", self._first, self._last)

    def collected(self, span: Range, tests: Tests) -> Source:
        """Collect their positions by the index, and look only there."""
        found = (
            "(SELECT seq FROM event INDEXED BY event_kind WHERE kind IN (SELECT value FROM json_each(?))"
            " AND seq >= ? AND seq < ?) AS found"
        )
        return Source(f"{found} CROSS JOIN event e ON e.seq = found.seq", tests, "found.seq", (self.ids_json, *span))


def _equal(column: str, value: str, tests: Tests) -> Source:
    return Source(f"event e INDEXED BY event_{column}", tests.after(f"e.{column} = ?", value))


def _actor(actor: str, tests: Tests) -> list[Source]:
    """Who did it; then whom they became, where that is somebody else."""
    return [
        _equal("actor", actor, tests),
        _equal("actor_as", actor, tests.after("+e.actor IS NOT ?", actor)),
    ]


def _phrase(phrase: Phrase, tests: Tests) -> list[Source]:
    """Full text for plain messages; those that are not plain stand in an index of their own."""
    sources = [Source("event e INDEXED BY event_odd", tests.after(_ODD).also(_PHRASE_TEST))]
    if phrase.plain:
        tests = tests.also(f"NOT ({_ODD})")
        if len(phrase.words) > 1:  # of one plain word in a plain message full text says all there is
            tests = tests.also(_PHRASE_TEST)
        words = " ".join(f'"{word}"' for word in phrase.words)
        table = "word CROSS JOIN event e ON e.seq = word.rowid"
        sources.append(Source(table, tests.after("word MATCH ?", words), "word.rowid"))
    return sources


def _with_phrase(tests: Tests, phrase: Phrase | None, odd: str = f"({_ODD})") -> Tests:
    """Add the decision on the message; before it a cheap one that misses nothing. odd: SQL that tells an odd message.

    LIKE folds ASCII and takes `_` for any character: it may find too much. It stops at NUL, but such a message is odd.
    (0.24 s a million rows, where instr(lower(message), …) takes 0.7.)
    """
    if phrase is None:
        return tests
    if phrase.plain:
        tests = tests.also(f"(e.message LIKE ? OR {odd})", f"%{max(phrase.words, key=len)}%")
    elif phrase.words:
        tests = tests.also(odd)
    return tests.also(_PHRASE_TEST)


def _row_tests(where: Filter, columns: tuple[str, ...]) -> Tests:
    """Write the tests on these columns of the row itself."""
    tests = Tests()
    for condition in conditions(where):
        if condition.column in columns:
            tests = tests.also(condition.sql.format(f"+e.{condition.column}"), *condition.parameters)
    if where.actor is not None:
        tests = tests.also("(+e.actor = ? OR +e.actor_as = ?)", where.actor, where.actor)
    return tests


def _indexed(where: Filter) -> list[tuple[str, str]]:
    return [(column, value) for column in ("source_ip", "target") if (value := getattr(where, column)) is not None]


def kind_tests(where: Filter) -> tuple[str, tuple[Any, ...]]:
    """Write the tests on a kind; empty when the filter has none."""
    chosen = [condition for condition in conditions(where) if condition.column in KIND_COLUMNS]
    tests = " AND ".join(condition.sql.format(condition.column) for condition in chosen)
    return tests, tuple(value for condition in chosen for value in condition.parameters)


def only_kinds(where: Filter) -> bool:
    """Tell whether, times apart, the kinds decide alone."""
    return where.contains is None and where.actor is None and where.network is None and not _indexed(where)


def only_times(where: Filter) -> bool:
    """Tell whether the filter asks for nothing but a time."""
    return where == Filter(since=where.since, until=where.until)


def kind_source(where: Filter) -> Source:
    """Count kinds by their index alone; for a filter of which `only_kinds` is true."""
    tests, values = kind_tests(where)
    if not tests:
        return Source("event e INDEXED BY event_kind", Tests())
    chosen = f"e.kind IN (SELECT id FROM kind WHERE {tests})"  # noqa: S608 - our own names only
    return Source("event e INDEXED BY event_kind", Tests((chosen,), values))


def value_source(column: str) -> Source | None:
    """Count a column's values by its index alone, which knows those that are not null; None without index."""
    if column not in INDEXED_COLUMNS:
        return None
    return Source(f"event e INDEXED BY event_{column}", Tests((f"e.{column} IS NOT NULL",)))
