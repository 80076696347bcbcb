"""How a filter is asked of one segment: which rows SQLite looks at, in order, and which tests they must pass.

Knows both schemas and the filter. Knows no file and no page. A segment is asked by one or more `Source`s whose
rows do not overlap. A live segment is scanned; in a sealed one the narrowest index leads and the row decides.
Every index is named (`INDEXED BY`, `+column`): a planner's guess must not cost the order or half a second.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from receiver import limits
from receiver.event import COLUMNS
from receiver.store.filter import Filter, Phrase, conditions
from receiver.store.segment import KIND_COLUMNS, ODD_MESSAGE

if TYPE_CHECKING:
    import sqlite3

PHRASE_FUNCTION: Final = "has_phrase"
_SCAN_SHARE: Final = 20
"""A kind that holds more than this part of a segment is found sooner by walking the log than by collecting it."""


class Source(NamedTuple):
    """Rows of one segment: FROM and WHERE, with `position` naming what `seq` is there."""

    tables: str
    tests: tuple[str, ...]
    parameters: tuple[Any, ...]
    position: str = "e.seq"


class Range(NamedTuple):
    """Positions from `low` up to, not including, `high`."""

    low: int
    high: int


def select_sql(source: Source, span: Range, columns: str, *, ascending: bool) -> tuple[str, tuple[Any, ...]]:
    """Write the query for rows in the log's order."""
    sql, parameters = count_sql(source, span, columns)
    return f"{sql} ORDER BY {source.position}{'' if ascending else ' DESC'}", parameters


def count_sql(source: Source, span: Range, columns: str) -> tuple[str, tuple[Any, ...]]:
    """Write the query for rows in any order."""
    tests = " AND ".join((*source.tests, f"{source.position} >= ? AND {source.position} < ?"))
    sql = f"SELECT {columns} FROM {source.tables} WHERE {tests}"  # noqa: S608 - our own names only
    return sql, (*source.parameters, *span)


class LivePlan:
    """A segment with the plain table `events`."""

    columns = ", ".join(f"e.{name}" for name in COLUMNS)

    def sources(self, where: Filter, phrase: Phrase | None) -> list[Source]:
        """Give the one scan."""
        tests, parameters = _own_tests(where, phrase)
        return [Source("events e NOT INDEXED", tuple(tests), tuple(parameters))]


class SealedPlan:
    """A segment with kinds and indexes; asks the file for counts to choose by."""

    columns = ", ".join(f"{'k' if name in KIND_COLUMNS else 'e'}.{name}" for name in COLUMNS)
    joined = "LEFT JOIN kind k ON k.id = e.kind"

    def __init__(self, connection: sqlite3.Connection, span: Range) -> None:
        self._connection = connection
        self._span = span

    def sources(self, where: Filter, phrase: Phrase | None) -> list[Source]:
        """Choose what leads. An empty list: nothing here can match."""
        tests, parameters = _own_tests(where, phrase, sealed=True)
        kinds = self._kinds(where)
        choices: list[tuple[int, list[Source]]] = []
        if kinds is not None:
            if not kinds.ids:
                return []
            tests.append("e.kind IN (SELECT value FROM json_each(?))")
            parameters.append(kinds.ids_json)
        rest, values = tuple(tests), tuple(parameters)
        choices += [self._counted(self._equal(column, value, rest, values)) for column, value in _indexed(where)]
        if where.actor is not None:
            choices.append(self._counted(self._actor(where.actor, rest, values)))
        if phrase is not None and phrase.words:
            choices.append(self._counted(self._phrase(phrase, rest, values)))
        if kinds is not None and kinds.events * _SCAN_SHARE < self._span.high - self._span.low:
            choices.append((kinds.events, [_of_kinds(kinds.ids_json, self._span, rest, values)]))
        if choices:
            count, sources = min(choices, key=lambda choice: choice[0])
            return sources if count else []
        walk = Source("event e NOT INDEXED", rest, values)
        return [walk if kinds is None else kinds.within(walk)]

    def _kinds(self, where: Filter) -> _Kinds | None:
        tests, values = kind_tests(where)
        if not tests:
            return None
        sql = f"SELECT id, events, first_seq, last_seq FROM kind WHERE {tests}"  # noqa: S608 - our own names only
        return _Kinds(self._connection.execute(sql, values).fetchall())

    def _counted(self, sources: list[Source]) -> tuple[int, list[Source]]:
        """Count what a source leads to, by its first test alone, up to a bound."""
        count = 0
        for source in sources:
            sql = f"SELECT 1 FROM {source.tables.split(' CROSS JOIN ')[0]} WHERE {source.tests[0]} LIMIT ?"  # noqa: S608
            (found,) = self._connection.execute(
                f"SELECT count(*) FROM ({sql})",  # noqa: S608 - our own names only
                (*source.parameters[: source.tests[0].count("?")], limits.PLAN_COUNT),
            ).fetchone()
            count += found
        return count, sources

    def _equal(self, column: str, value: str, rest: tuple[str, ...], values: tuple[Any, ...]) -> list[Source]:
        return [Source(f"event e INDEXED BY event_{column}", (f"e.{column} = ?", *rest), (value, *values))]

    def _actor(self, actor: str, rest: tuple[str, ...], values: tuple[Any, ...]) -> list[Source]:
        became = ("e.actor_as = ?", "+e.actor IS NOT ?", *rest)
        return [
            *self._equal("actor", actor, rest, values),
            Source("event e INDEXED BY event_actor_as", became, (actor, actor, *values)),
        ]

    def _phrase(self, phrase: Phrase, rest: tuple[str, ...], values: tuple[Any, ...]) -> list[Source]:
        """Full text for plain messages; those that are not plain stand in an index of their own."""
        odd = ODD_MESSAGE.replace("message", "e.message")
        sources = [Source("event e INDEXED BY event_odd", (odd, *rest), values)]
        if phrase.plain:
            words = " ".join(f'"{word}"' for word in phrase.words)
            table = "word CROSS JOIN event e ON e.seq = word.rowid"
            sources.append(Source(table, ("word MATCH ?", f"NOT ({odd})", *rest), (words, *values), "word.rowid"))
        return sources


class _Kinds:
    """The kinds a filter allows: how many events they have, and between which positions."""

    def __init__(self, found: list[tuple[int, int, int, int]]) -> None:
        self.ids = [kind[0] for kind in found]
        self.ids_json = str(self.ids)
        self.events = sum(kind[1] for kind in found)
        self._first = min((kind[2] for kind in found), default=0)
        self._last = max((kind[3] for kind in found), default=0)

    def within(self, source: Source) -> Source:
        """Walk no farther than where these kinds stand."""
        tests = (*source.tests, "e.seq BETWEEN ? AND ?")
        return source._replace(tests=tests, parameters=(*source.parameters, self._first, self._last))


def kind_tests(where: Filter) -> tuple[str, tuple[Any, ...]]:
    """Write the tests on a kind; empty when the filter has none."""
    chosen = [condition for condition in conditions(where) if condition.column in KIND_COLUMNS]
    tests = " AND ".join(condition.sql.format(condition.column) for condition in chosen)
    return tests, tuple(value for condition in chosen for value in condition.parameters)


def only_kinds(where: Filter) -> bool:
    """Tell whether, times apart, the kinds decide alone."""
    return where.contains is None and where.actor is None and not _indexed(where)


def _of_kinds(ids_json: str, span: Range, rest: tuple[str, ...], values: tuple[Any, ...]) -> Source:
    found = (
        "(SELECT seq FROM event INDEXED BY event_kind WHERE kind IN (SELECT value FROM json_each(?))"
        " AND seq >= ? AND seq < ?) AS found"
    )
    table = f"{found} CROSS JOIN event e ON e.seq = found.seq"
    return Source(table, rest, (ids_json, *span, *values), "found.seq")


def _indexed(where: Filter) -> list[tuple[str, str]]:
    return [(column, value) for column in ("source_ip", "target") if (value := getattr(where, column)) is not None]


def _own_tests(where: Filter, phrase: Phrase | None, *, sealed: bool = False) -> tuple[list[str], list[Any]]:
    """Write the tests on the row itself; in a sealed segment those on its kind are asked once, elsewhere."""
    tests: list[str] = []
    parameters: list[Any] = []
    for condition in conditions(where):
        if not (sealed and condition.column in KIND_COLUMNS):
            tests.append(condition.sql.format(f"+e.{condition.column}"))
            parameters += condition.parameters
    if where.actor is not None:
        tests.append("(+e.actor = ? OR +e.actor_as = ?)")
        parameters += [where.actor, where.actor]
    if phrase is not None:
        if phrase.words and not sealed:
            # The cheap test first (LIKE and GLOB would stop at NUL); what is not plain goes to the function.
            odd = ODD_MESSAGE.replace("message", "e.message")
            tests.append(f"(instr(lower(e.message), ?) > 0 OR {odd})" if phrase.plain else odd)
            parameters += [max(phrase.words, key=len)] if phrase.plain else []
        tests.append(f"{PHRASE_FUNCTION}(e.message)")
    return tests, parameters
