"""What a segment keeps of the Merkle tree: its state after the last row, and the hashes of 256 leaves each.

Knows two tables, which both forms of a segment have, and which are written in the transaction that stores the rows:
`tree`, one row, the state after the segment's last event; `level1`, the hash of every 256 leaves that became complete
in this segment. Leaf hashes are not kept: the rows give them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.errors import EvidenceError, StoreCorrupt
from receiver.evidence.tree import Tree

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence
    from pathlib import Path

TREE_SCHEMA: Final = (
    "CREATE TABLE tree (size INTEGER NOT NULL, hashes BLOB NOT NULL)",
    "CREATE TABLE level1 (n INTEGER PRIMARY KEY, hash BLOB NOT NULL)",
)


def begin_tree(connection: sqlite3.Connection, tree: Tree) -> None:
    """Write the state a new segment begins with; the caller holds the transaction."""
    connection.execute("INSERT INTO tree VALUES (?, ?)", (tree.size, tree.pack()))


def write_tree(connection: sqlite3.Connection, tree: Tree, level1: Sequence[tuple[int, bytes]]) -> None:
    """Write the state after a batch, and what became complete by it; the caller holds the transaction."""
    connection.execute("UPDATE tree SET size = ?, hashes = ?", (tree.size, tree.pack()))
    if level1:
        connection.executemany("INSERT INTO level1 VALUES (?, ?)", level1)


def read_tree(connection: sqlite3.Connection, path: Path) -> Tree:
    """Read the state; raises StoreCorrupt when there is not exactly one."""
    rows = connection.execute("SELECT size, hashes FROM tree LIMIT 2").fetchall()
    try:
        ((size, packed),) = rows
        return Tree.unpack(size, packed)
    except (ValueError, TypeError, EvidenceError) as error:
        raise StoreCorrupt(f"{path}: the state of the tree cannot be read: {error}") from None
