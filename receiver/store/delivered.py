"""Which deliveries the log already has: the ids that senders gave their events, so that a resend is not stored twice.

Knows one table of the live segment, `delivered`: the position of an event and the 16 bytes that stand for who sent it
and what they called it. It is written in the transaction that stores the rows, so a crash leaves both or neither; a new
segment begins with what its predecessor knew. Bounded (`limits.DELIVERED_IDS`): the oldest of whoever has most make
way, so that a busy sender pushes out its own ids and not those of a quiet one; the first bytes of an id stand for its
sender. Sealed segments have none of it, and what is redacted or removed leaves none: an id can be made of content. A
store without ids has an empty table, and pays nothing for it.
"""

from __future__ import annotations

from collections import Counter
from itertools import compress
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeVar, cast

from receiver import limits
from receiver.store.segment import catalog, live_path

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

    from receiver.store.redacted import Span

DELIVERED_SCHEMA: Final = (
    "CREATE TABLE delivered (seq INTEGER PRIMARY KEY, id BLOB NOT NULL)",
    "CREATE UNIQUE INDEX delivered_id ON delivered (id)",
)
_ID_BYTES: Final = limits.DELIVERY_ID_BYTES
_SENDER_BYTES: Final = limits.DELIVERY_SENDER_BYTES
_NTH: Final = f"substr(?1, {_ID_BYTES} * n + 1, {_ID_BYTES})"
"""SQL: the n-th of the ids that are bound together."""
_SENDER: Final = f"substr(id, 1, {_SENDER_BYTES})"

Id = bytes | None
_T = TypeVar("_T")


def inherit(connection: sqlite3.Connection, folder: Path, first: int) -> None:
    """Make the table in the live segment that begins at `first`, with what the one before it knew.

    In one transaction, so that a table that is there is whole. The predecessor is still unsealed then: sealing begins
    after this, at a rotation and at a start alike.
    """
    if _has_table(connection, "main"):
        return
    before = [segment for segment in catalog(folder) if segment.last is None and segment.first < first]
    if before:
        connection.execute("ATTACH ? AS before", (str(live_path(folder, before[-1].first)),))
    connection.execute("BEGIN IMMEDIATE")
    for statement in DELIVERED_SCHEMA:
        connection.execute(statement)
    if before and _has_table(connection, "before"):
        connection.execute("INSERT INTO main.delivered SELECT seq, id FROM before.delivered ORDER BY seq")
    connection.execute("COMMIT")
    if before:
        connection.execute("DETACH before")


def _has_table(connection: sqlite3.Connection, schema: str) -> bool:
    sql = f"SELECT count(*) FROM {schema}.sqlite_schema WHERE name = 'delivered_id'"  # noqa: S608 - main or before
    return bool(connection.execute(sql).fetchone()[0])


class Delivered:
    """The table, by the connection that writes the segment."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._numbers = 0
        senders = connection.execute(f"SELECT {_SENDER}, count(*) FROM delivered GROUP BY 1")  # noqa: S608 - ours
        self._held: Counter[bytes] = Counter(dict(senders))
        """How many there are of each sender."""
        self._count = self._held.total()

    def find_known(self, ids: Sequence[Id]) -> list[int]:
        """Give the positions in the list whose id is in the log already, or stands earlier in the list."""
        places = [place for place, one in enumerate(ids) if one is not None]
        named = [one for one in ids if one is not None]
        known = {places[n] for n in self._ask(named)}
        if len(set(named)) < len(named):
            seen: set[bytes] = set()
            for place, one in zip(places, named, strict=True):
                if one in seen:
                    known.add(place)
                seen.add(one)
        return sorted(known)

    def _ask(self, named: list[bytes]) -> list[int]:
        """Look all of them up by one statement, which runs without the GIL; binding each costs more than its lookup."""
        self._number(len(named))  # here, outside of a transaction: a rollback would take them away again
        if not (named and self._count):
            return []
        sql = f"SELECT n FROM temp.number CROSS JOIN delivered ON id = {_NTH} WHERE n < ?2"  # noqa: S608 - ours
        return [n for (n,) in self._connection.execute(sql, (bytearray().join(named), len(named)))]

    def _number(self, count: int) -> None:
        """See to it that the numbers below `count` stand in a temporary table; made at the first use."""
        if self._numbers >= count:
            return
        self._connection.execute("CREATE TEMP TABLE IF NOT EXISTS number (n INTEGER PRIMARY KEY)")
        rows = [(n,) for n in range(self._numbers, count)]
        self._connection.executemany("INSERT INTO temp.number VALUES (?)", rows)
        self._numbers = count

    def note(self, ids: Sequence[Id], seq: int) -> Counter[bytes]:
        """Write the ids of events stored from `seq` on, others make way; the caller holds the transaction.

        What stands in them was asked for by `find_known` before.

        Gives how many more there are of each sender, or less, to be told by `noted` once they are durable.
        """
        if None in ids:
            rows = [(seq + place, one) for place, one in enumerate(ids) if one is not None]
            self._connection.executemany("INSERT INTO delivered VALUES (?, ?)", rows)
        else:
            sql = f"INSERT INTO delivered SELECT ?3 + n, {_NTH} FROM temp.number WHERE n < ?2"  # noqa: S608 - ours
            self._connection.execute(sql, (bytearray().join(cast("Sequence[bytes]", ids)), len(ids), seq))
        changes = Counter([one[:_SENDER_BYTES] for one in ids if one is not None])
        excess = self._count + changes.total() - limits.DELIVERED_IDS
        if excess > 0:
            self._make_way(changes, max(excess, limits.DELIVERED_EVICTED))
        return changes

    def _make_way(self, changes: Counter[bytes], excess: int) -> None:
        """Forget the oldest of whoever has most, half of them at the most, until enough are gone."""
        held = self._held + changes
        while excess > 0 and held:
            sender, count = max(held.items(), key=itemgetter(1))
            if count > limits.DELIVERED_FLOOR:
                gone = self._forget_oldest(f"WHERE {_SENDER} = ?2", min(excess, count - count // 2), sender)
            else:
                gone = self._forget_oldest("WHERE ?2 NOTNULL", excess, sender)
            if not gone:
                return  # the table holds fewer than were counted: a foreign hand took some
            held -= gone
            changes.subtract(gone)
            excess -= gone.total()

    def _forget_oldest(self, where: str, count: int, sender: bytes) -> Counter[bytes]:
        """Forget the oldest ids under a condition; gives whose they were."""
        oldest = f"SELECT seq FROM delivered {where} ORDER BY seq LIMIT ?1"  # noqa: S608 - ours
        sql = f"DELETE FROM delivered WHERE seq IN ({oldest}) RETURNING {_SENDER}"  # noqa: S608 - ours
        return Counter([whose for (whose,) in self._connection.execute(sql, (count, sender))])

    def holds_any(self, ranges: Sequence[Span]) -> bool:
        """Tell whether the name of any event of these ranges is remembered."""
        sql = "SELECT EXISTS (SELECT 1 FROM delivered WHERE seq BETWEEN ? AND ?)"
        return any(self._connection.execute(sql, span).fetchone()[0] for span in ranges)

    def forget(self, ranges: Sequence[Span]) -> Counter[bytes]:
        """Forget the names of events that are redacted: by some of them their content could be guessed.

        The caller holds the transaction. Gives what is to be told by `noted`.
        """
        changes: Counter[bytes] = Counter()
        for span in ranges:
            sql = f"DELETE FROM delivered WHERE seq BETWEEN ? AND ? RETURNING {_SENDER}"  # noqa: S608 - ours
            changes.subtract([sender for (sender,) in self._connection.execute(sql, span)])
        return changes

    def noted(self, changes: Counter[bytes]) -> None:
        """Take note that the transaction of `note` or `forget` is durable."""
        self._held.update(changes)
        for sender in changes:
            if not self._held[sender]:
                del self._held[sender]
        self._count += changes.total()


def without(items: Sequence[_T], known: Sequence[int]) -> list[_T]:
    """Leave out what stands at these positions."""
    keep = [True] * len(items)
    for index in known:
        keep[index] = False
    return list(compress(items, keep))
