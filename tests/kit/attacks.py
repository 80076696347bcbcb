"""What an attacker does to a stored log: with the sqlite3 tool, with patience, with the key."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from receiver.evidence.checkpoint import Checkpoint, sign_checkpoint
from receiver.evidence.tree import Tree
from receiver.key_files import KeyFolder
from receiver.store.evidence_file import EvidenceFile, StoredCheckpoint
from receiver.store.hashes import leaf_of
from receiver.store.segment import catalog

if TYPE_CHECKING:
    from pathlib import Path


def edit(path: Path, *statements: str) -> None:
    """What anybody can do with the sqlite3 tool."""
    path.chmod(0o640)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)
    if not path.name.endswith("-.db"):
        path.chmod(0o440)


def rebuild(folder: Path) -> Tree:
    """What a patient attacker does: compute every stored hash of the live segment again from the rows as they are."""
    tree = Tree()
    for segment in catalog(folder):
        with closing(sqlite3.connect(segment.path, isolation_level=None)) as connection:
            leaves = [leaf_of(row) or b"" for row in connection.execute("SELECT * FROM events ORDER BY seq")]
            tree, level1 = tree.append(leaves)
            if segment.last is not None:
                continue
            connection.execute("DELETE FROM level1")
            connection.executemany("INSERT INTO level1 VALUES (?, ?)", level1)
            connection.execute("UPDATE tree SET size = ?, hashes = ?", (tree.size, tree.pack()))
    return tree


def sign_again(folder: Path, tree: Tree) -> None:
    """With the key: replace the last checkpoint, and its copy, by one over the rewritten log."""
    keys = KeyFolder(folder.parent / "keys", folder)
    found = keys.load()
    note = sign_checkpoint(Checkpoint(found.origin, tree.size, tree.root), found.signing, 1_764_000_000)
    keys.write_checkpoint(note)
    evidence = EvidenceFile(folder)
    evidence.add_checkpoint(StoredCheckpoint(tree.size, tree.root, tree.pack(), note.decode(), 0))
    evidence.close()
    edit(evidence.path, f"DELETE FROM checkpoint WHERE size <> {tree.size}")
