"""Signs the head of the tree: at intervals, at sealing, at an orderly stop; and refuses when the log was tampered with.

Knows the store, `evidence.db` and the key files; knows no timer. Invariants: only a tree that is durable is signed; of
one size only one root; each checkpoint stands in `evidence.db`, and its copy beside the keys, before anybody is told.
A log that does not go on from the last checkpoint signed, wherever that was kept, is received further and not signed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, NamedTuple

from receiver.errors import ConfigError, EvidenceError, StoreCorrupt, StoreError
from receiver.evidence.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from receiver.evidence.head_gauges import root_gauges
from receiver.evidence.keys import VerifierKey
from receiver.evidence.tree import consistency_proof, tree_of
from receiver.key_files import LogKeys
from receiver.store.evidence_file import StoredCheckpoint
from receiver.store.hashes import ask_hashes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from receiver.counters import EvidenceCounters
    from receiver.evidence.tree import Tree
    from receiver.key_files import KeyFolder
    from receiver.store.hashes import Hashes
    from receiver.store.writer import Store

log = logging.getLogger(__name__)


class Signed(NamedTuple):
    """A checkpoint that was signed and kept. seconds: Unix time of signing."""

    size: int
    root: bytes
    note: bytes
    seconds: int


class Checkpointer:
    """One per store open for writing."""

    def __init__(self, store: Store, keys: LogKeys, folder: KeyFolder, counters: EvidenceCounters) -> None:
        self._store = store
        self._keys = keys
        self._folder = folder
        self._turn = asyncio.Lock()
        self._trouble: str | None = None
        """Why the last try failed, once said: a full disk lasts."""
        self.alarm: str | None = None
        """Why nothing is signed, in words; None while all is well."""
        self.last: Signed | None = None
        """The last checkpoint signed by this process or the one before; what the gauges show."""
        self._counters = counters

    def note_redactions(self, ranges: Iterable[tuple[int, int]], reason: str) -> None:
        """Remember outside of the store, too, what is redacted: backups hold it still. Raises OSError."""
        self._folder.note_redactions(ranges, reason)

    @property
    def keys(self) -> LogKeys:
        """What is signed with."""
        return self._keys

    async def start(self) -> None:
        """Compare the durable tree with every last checkpoint there is. Raises a StoreError."""
        await asyncio.to_thread(self._compare)
        now = time.time_ns() // 1000
        verifiers = [str(key) for key in self._keys.verifiers]
        await asyncio.to_thread(self._store.evidence.add_verifiers, verifiers, now)
        self._counters.alarm = self.alarm is not None
        if self.alarm is not None:
            log.critical("the log was altered or rolled back; it is received further, but not signed: %s", self.alarm)

    def raise_alarm(self, why: str) -> bool:
        """Sign nothing from now on; tells whether that is new."""
        is_new, self.alarm = self.alarm is None, self.alarm or why
        self._counters.alarm = True
        if is_new:
            log.critical("the log was altered; it is received further, but not signed: %s", why)
        return is_new

    def _show(self, signed: Signed) -> None:
        """Let the gauges show a head, all of it at once."""
        self.last = signed
        counters = self._counters
        counters.tree_size, counters.root = signed.size, root_gauges(signed.root)
        counters.signed_time = float(signed.seconds)

    def _compare(self) -> None:
        if self._store.evidence_was_missing:
            self.alarm = "evidence.db was missing, and with it every checkpoint, hold and hash that was kept"
            return
        stored = self._store.evidence.last_checkpoint()
        heads: list[tuple[str, int, bytes]] = []
        if stored is not None:
            heads.append(("evidence.db", stored.size, stored.root))
            self._show(Signed(stored.size, stored.root, stored.note.encode(), stored.time // 1_000_000))
        try:
            copy = self._folder.read_checkpoint()
            if copy is not None:
                kept = open_checkpoint(copy, self._keys.verifiers + self._earlier_verifiers())
                heads.append((str(self._folder.checkpoint), kept.checkpoint.size, kept.checkpoint.root))
        except (ConfigError, EvidenceError) as error:
            self.alarm = f"the copy of the last checkpoint cannot be trusted: {self._folder.checkpoint}: {error}"
            return
        self.alarm = self._find_fork(heads)

    def _earlier_verifiers(self) -> list[VerifierKey]:
        return [VerifierKey.parse(text) for text in self._store.evidence.verifiers()]

    def _find_fork(self, heads: list[tuple[str, int, bytes]]) -> str | None:
        """Say in words what does not fit; None: the durable tree goes on from each of these heads."""
        tree = self._store.head
        try:
            ask_hashes(self._store.folder, self._store.evidence, lambda hashes: _compare(hashes, tree, heads))
        except (EvidenceError, StoreCorrupt) as error:  # old events are damaged: no reason to refuse new ones
            return str(error)
        return None

    async def sign(self) -> Signed | None:
        """Sign the durable tree if it grew, or if the key is new; None when there is nothing to sign, or not allowed.

        Raises StoreError or OSError when the checkpoint cannot be kept: then nobody is told of it.
        """
        async with self._turn:
            tree = self._store.head
            last = self.last
            again = self._keys.previous is not None
            if self.alarm is not None or not tree.size or (last and last.size == tree.size and not again):
                return None
            signed = await asyncio.to_thread(self._sign, tree)
            self._show(signed)
            self._counters.signed += 1
            return signed

    def _sign(self, tree: Tree) -> Signed:
        seconds = int(time.time())
        checkpoint = Checkpoint(self._keys.origin, tree.size, tree.root)
        note = sign_checkpoint(checkpoint, self._keys.signing, seconds)
        # The copy first: a store that is rolled back to before this moment is noticed whatever comes in between.
        self._folder.write_checkpoint(note)
        kept = StoredCheckpoint(tree.size, tree.root, tree.pack(), note.decode(), time.time_ns() // 1000)
        self._store.evidence.add_checkpoint(kept)
        if self._keys.previous is not None:
            self._folder.forget_previous()
            self._keys = LogKeys(self._keys.log, self._keys.time)
        return Signed(tree.size, tree.root, note, seconds)

    async def try_to_sign(self) -> Signed | None:
        """Sign, and only log a failure, once: what cannot be kept now is signed the next time."""
        try:
            signed = await self.sign()
        except (StoreError, OSError) as error:
            self._counters.failed += 1
            if str(error) != self._trouble:
                log.error("no checkpoint was signed: %s", error)
            self._trouble = str(error)
            return None
        self._trouble = None
        return signed

    async def add_cosignatures(self, size: int, note: bytes) -> None:
        """Keep a checkpoint that witnesses have cosigned meanwhile, in the place of the one of its size."""
        await asyncio.to_thread(self._add_cosignatures, size, note)

    def _add_cosignatures(self, size: int, note: bytes) -> None:
        stored = self._store.evidence.checkpoint_from(size)
        if stored is not None and stored.size == size:
            self._store.evidence.add_checkpoint(stored._replace(note=note.decode()))

    def consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the log of `old` events is the beginning of that of `new`; raises EvidenceError. Blocks."""
        folder, evidence = self._store.folder, self._store.evidence
        return ask_hashes(folder, evidence, lambda hashes: consistency_proof(old, new, hashes.node_at()))


def _compare(hashes: Hashes, tree: Tree, heads: list[tuple[str, int, bytes]]) -> None:
    """Raise EvidenceError unless the rows give this tree, and it goes on from each of these heads."""
    node_at = hashes.node_at()
    if tree_of(tree.size, node_at) != tree:
        raise EvidenceError(f"the rows are not those of the tree of {tree.size} events")
    for where, size, root in heads:
        if size > tree.size:
            raise EvidenceError(f"the log ends at {tree.size}, but {where} has a checkpoint over {size} events")
        if tree_of(size, node_at).root != root:
            raise EvidenceError(f"the first {size} events are not those of the checkpoint in {where}")
