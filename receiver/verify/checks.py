"""Compares the tree that the rows give with everything that says what it was: heads, redactions, removals, digests.

Knows signed checkpoints, `evidence.db`'s tables and the log's own acts; reads no row. Every check adds to the report
what kind of change it shows and where, as narrowly as can be told.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from receiver.errors import EvidenceError, StoreCorrupt
from receiver.evidence.checkpoint import Checkpoint, open_checkpoint
from receiver.evidence.head_gauges import gauges_match
from receiver.evidence.keys import KeyKind, VerifierKey
from receiver.evidence.note import parse_note, verify_note
from receiver.evidence.tree import TILE_HEIGHT, TILE_LEAVES, Tree, node, subtrees
from receiver.store.retention import filter_of
from receiver.verify.report import Change

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from receiver.store.evidence_file import Absent, Hold, SealedDigest, StoredCheckpoint
    from receiver.store.redacted import Span
    from receiver.store.segment import Segment
    from receiver.verify.collect import Collected, Extent
    from receiver.verify.report import Report
    from receiver.verify.segment_rows import Act


class KnownHead(NamedTuple):
    """A head that was signed: where it was found, and what it says."""

    where: str
    checkpoint: Checkpoint
    seconds: int | None


class RecordedHead(NamedTuple):
    """A head as Prometheus scraped it: the root's first 104 bits as two numbers."""

    where: str
    size: int
    first: float
    second: float


# --- keys and signatures ---


def trusted_keys(given: Sequence[VerifierKey], stored: Iterable[str], notes: Iterable[bytes]) -> list[VerifierKey]:
    """Give the keys whose signatures count: those given, and those that a rotation ties to them by signing both once.

    Without any given, all that the store names: then who could write the store could have made them.
    """
    known = {str(key): key for key in given}
    others = [key for text in stored if (key := _key(text)) is not None]
    if not given:
        return others
    changed = True
    candidates = [key for key in others if str(key) not in known]
    signers = [found for note in notes if candidates and (found := _log_signers(note, [*given, *candidates]))]
    while changed:
        changed = False
        for names in signers:
            if len(names) > 1 and names & known.keys() and not names <= known.keys():
                known.update({str(key): key for key in candidates if str(key) in names})
                changed = True
    known.update({str(key): key for key in others if key.kind == KeyKind.COSIGNATURE})
    return list(known.values())


def check_verifiers(stored: Iterable[str], report: Report) -> None:
    """Look for verifier keys that are none."""
    for text in stored:
        if _key(text) is None:
            report.add(Change.ALTERED, "evidence.db, table verifier", f"{text[:80]!r} is no verifier key")


def _key(text: str) -> VerifierKey | None:
    try:
        return VerifierKey.parse(text)
    except EvidenceError:
        return None


def _log_signers(note: bytes, keys: Sequence[VerifierKey]) -> set[str]:
    try:
        parsed = parse_note(note)
        if len(parsed.signatures) < 3:  # one key and its clock, as a rule
            return set()
        return {str(found.key) for found in verify_note(parsed, keys) if found.key.kind == KeyKind.LOG}
    except EvidenceError:
        return set()


def open_head(where: str, note: bytes, keys: Sequence[VerifierKey], report: Report) -> KnownHead | None:
    """Read a signed head; one that does not hold is a problem."""
    try:
        signed = open_checkpoint(note, keys)
    except EvidenceError as error:
        report.add(Change.RESIGNED, where, str(error))
        return None
    return KnownHead(where, signed.checkpoint, signed.seconds)


def stored_heads(stored: Sequence[StoredCheckpoint], keys: Sequence[VerifierKey], report: Report) -> list[KnownHead]:
    """Read the checkpoints of `evidence.db`, each with the subtree hashes kept beside it."""
    heads = []
    for kept in stored:
        where = f"the checkpoint over {kept.size} events in evidence.db"
        head = open_head(where, kept.note.encode(), keys, report)
        if head is None:
            continue
        found = head.checkpoint
        if (found.size, found.root) != (kept.size, kept.root) or _root_of(kept) != kept.root:
            report.add(Change.ALTERED, where, "what stands beside the signed note is not what it says")
        heads.append(head)
    return heads


def _root_of(kept: StoredCheckpoint) -> bytes | None:
    try:
        return Tree.unpack(kept.size, kept.hashes).root
    except EvidenceError:
        return None


# --- heads against the tree ---


def check_heads(
    heads: Sequence[KnownHead], recorded: Sequence[RecordedHead], collected: Collected, report: Report, floor: int
) -> None:
    """Compare every head with the tree of its size. floor: smaller ones were compared before, or need not be."""
    size = collected.size
    trees = collected.heads([head.checkpoint.size for head in heads if floor <= head.checkpoint.size <= size])
    good = 0
    for head in sorted(heads, key=lambda head: head.checkpoint.size):
        found = head.checkpoint
        if found.size > size:
            text = f"{head.where} was signed over {found.size} events, the log ends at {size}"
            report.add(Change.ROLLED_BACK, f"events {size}–{found.size - 1}", text + ": truncated or rolled back", size)
            continue
        tree = trees.get(found.size)
        if tree is not None and tree.root != found.root:
            where = f"events {good}–{found.size - 1}"
            text = f"the rows do not give the root that {head.where} was signed over"
            report.add(Change.ALTERED, where, f"{text}: altered since, or signed again", good)
        elif tree is None and found.size >= floor:
            text = f"the root that {head.where} was signed over cannot be computed: hashes kept of the events are gone"
            report.add(Change.REMOVED, f"events {good}–{found.size - 1}", text, good)
        else:
            good = found.size
            report.signed_size = max(report.signed_size, found.size)
            if report.signed_size == found.size:
                report.signed_seconds = head.seconds
    _check_recorded(recorded, collected, report, floor)


def _check_recorded(
    recorded: Sequence[RecordedHead], collected: Collected, report: Report, floor: int
) -> None:
    trees = collected.heads([head.size for head in recorded if head.size <= collected.size])
    for head in recorded:
        if head.size > collected.size:
            text = f"{head.where} recorded a head over {head.size} events, the log ends at {collected.size}"
            report.add(Change.ROLLED_BACK, f"events {collected.size}–{head.size - 1}", text, collected.size)
            continue
        tree = trees.get(head.size)
        if tree is None and head.size < floor:
            continue  # no whole 256, and its rows are not read this time
        report.heads += 1
        if tree is None:
            text = f"the root that {head.where} recorded cannot be computed: hashes kept of the events are gone"
            report.add(Change.REMOVED, f"events 0–{head.size - 1}", text)
        elif not gauges_match(tree.root, head.first, head.second):
            text = f"{head.where} recorded another root of {head.size} events: the log was rewritten and signed again"
            report.add(Change.RESIGNED, f"events 0–{head.size - 1}", text)
    passed = sum(head.size <= collected.size for head in recorded) - report.heads
    if passed:
        report.notes.append(f"{passed} of the heads Prometheus recorded are over rows that were not read this time")


def check_two_roots(heads: Sequence[KnownHead], report: Report) -> None:
    """Look for two signed roots of one size: a fork, whoever made it."""
    roots: dict[int, KnownHead] = {}
    for head in heads:
        other = roots.setdefault(head.checkpoint.size, head)
        if other.checkpoint.root != head.checkpoint.root:
            text = f"two roots were signed for {head.checkpoint.size} events: {other.where}, and {head.where}"
            report.add(Change.RESIGNED, f"events 0–{head.checkpoint.size - 1}", text)


def check_states(extents: Sequence[Extent], collected: Collected, report: Report) -> None:
    """Compare the tree that each segment keeps with that of the rows."""
    trees = collected.heads([extent.end for extent in extents])
    for extent in extents:
        tree = trees.get(extent.end)
        if tree is not None and tree != extent.tree and extent.tree.size == extent.end:
            text = f"its rows do not give the tree of {extent.end} events that it keeps"
            report.add(Change.ALTERED, extent.segment.path.name, text, extent.segment.first)


def check_kept(stored: dict[int, bytes], collected: Collected, report: Report) -> None:
    """Compare hashes of 256 leaves that lie in two segments with what stands beside the rows."""
    for n, kept in stored.items():
        computed = collected.level1.get(n)
        if computed is not None and computed != kept:
            first, last = n * TILE_LEAVES, n * TILE_LEAVES + TILE_LEAVES - 1
            if not any(problem.seq == first for problem in report.problems):
                text = f"the rows do not give the hash kept of them (page {n} of {TILE_LEAVES} events)"
                report.add(Change.ALTERED, f"events {first}–{last}", text, first)


def check_kept_apart(
    level1: Mapping[int, bytes], nodes: Mapping[tuple[int, int], bytes], collected: Collected, report: Report
) -> None:
    """Compare the hashes in `evidence.db` with the rows that are there: a wrong one would count once they are not."""
    for n, kept in level1.items():
        if kept != collected.level1.get(n, kept) or (n + 1) * TILE_LEAVES > report.size:
            text = f"keeps another hash of page {n} of {TILE_LEAVES} events than the rows give"
            report.add(Change.ALTERED, "evidence.db, table level1", text, n * TILE_LEAVES)
    for (level, number), kept in nodes.items():
        if (number + 1) << level > report.size or (level == 0 and kept != collected.leaves.get(number, kept)):
            text = f"keeps another hash ({level}, {number}) than the rows give"
            report.add(Change.ALTERED, "evidence.db, table node", text, number << level)


def check_ends(
    stored: Sequence[StoredCheckpoint], nodes: dict[tuple[int, int], bytes], collected: Collected, report: Report
) -> None:
    """Tie checkpoints whose last rows are removed to the tree: what they end in, completed, gives the kept hash."""
    for kept in stored:
        whole = collected.level1.get(kept.size // TILE_LEAVES)
        if kept.size % TILE_LEAVES == 0 or whole is None or kept.size in collected.ends:
            continue
        found = _completed(kept, nodes)
        if found is not None and found != whole:
            where = f"the checkpoint over {kept.size} events in evidence.db"
            report.add(Change.ALTERED, where, "does not go into the hashes kept of the events after it")


def _completed(kept: StoredCheckpoint, nodes: dict[tuple[int, int], bytes]) -> bytes | None:
    """Join what a checkpoint ends in with what completes its last 256 leaves; None where that was not kept."""
    try:
        hashes = Tree.unpack(kept.size, kept.hashes).hashes
    except EvidenceError:
        return None  # said already
    named = zip(subtrees(kept.size), hashes, strict=True)
    lower = [(level, found) for (level, _), found in named if level < TILE_HEIGHT]
    level, joined = lower.pop()
    size = kept.size
    while size % TILE_LEAVES:
        right = nodes.get((level, size >> level))
        if right is None:
            return None
        joined, size, level = node(joined, right), size + (1 << level), level + 1
        while lower and lower[-1][0] == level:
            joined, level = node(lower.pop()[1], joined), level + 1
    return joined


# --- redactions and removals ---


class Named(NamedTuple):
    """What the log says of itself: ranges redacted, by the entry that names them; ranges removed; digests.

    Only what is signed counts: whoever can write the store can write entries into the unsigned tail, too.
    """

    redacted: list[tuple[int, int, int]]
    absent: list[Span]
    digests: dict[tuple[int, int], tuple[bytes, int]]


def named_by(acts: Iterable[Act], report: Report) -> Named:
    """Read the log's own acts, oldest first; the newest word counts."""
    redacted: list[tuple[int, int, int]] = []
    absent: list[Span] = []
    digests: dict[tuple[int, int], tuple[bytes, int]] = {}
    for act in sorted(acts):
        if act.data is None:
            continue
        try:
            data: dict[str, Any] = json.loads(act.data)
            if act.action == "log.redact":
                redacted += [(int(first), int(last), act.seq) for first, last in data["seqs"]]
            elif act.action == "log.prune":
                absent += [(int(first), int(last)) for first, last in data["absent"]]
                redacted += [(int(first), int(last), act.seq) for first, last in data["redacted"]]
            elif act.action == "log.rotate":
                digests[int(data["first"]), int(data["last"])] = bytes.fromhex(data["sha256"]), act.seq
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            report.add(Change.ALTERED, f"event {act.seq}", f"is not what such an entry looks like: {error}", act.seq)
    return Named(redacted, absent, digests)


def check_redactions(rows: Sequence[Span], named: Named, unsigned: Named, report: Report) -> None:
    """Every redacted row is named by an entry of the log that is signed: nothing is erased before."""
    starts = sorted(named.redacted)
    covered = _merged([(first, last) for first, last, _ in starts])
    tail = _merged([(first, last) for first, last, _ in unsigned.redacted])
    for first, last in rows:
        report.redacted += last - first + 1
        for low, high in _without([(first, last)], covered):
            text = "no entry of the log names it"
            if not _without([(low, high)], tail):
                text = "only an entry in the unsigned tail names it, which anybody could have written"
            report.add(Change.UNNAMED, f"events {low}–{high}", text, low)
    report.notes += [
        f"event {first}: redacted, named by event {seq}" if first == last else
        f"events {first}–{last}: redacted, named by event {seq}"
        for first, last, seq in starts[:20]
    ]  # fmt: skip


def check_restored(
    rows: Sequence[Span], named: Sequence[tuple[int, int, int]], there: Sequence[Span], undone: Sequence[Span],
    report: Report,
) -> None:
    """Look for rows that an entry names as redacted and that have content. there: the ranges whose rows were read."""
    redacted, waiting, read = _merged(rows), _merged(undone), _merged(there)
    for span in _merged([(first, last) for first, last, _ in named]):
        again = _without(_within([span], read), redacted)
        left = _without(again, waiting)
        pending = _without(again, left)
        report.notes += [f"events {low}–{high} are to be erased, and are not yet" for low, high in pending]
        for low, high in left:
            report.add(Change.ALTERED, f"events {low}–{high}", "were redacted, and have their content again", low)


def check_listed(
    named: Sequence[tuple[int, int, int]], there: Sequence[Span], listed: Sequence[Span], report: Report
) -> None:
    """Every redaction that an entry names is in `evidence.db`, which names it anew when that entry is removed."""
    known = _within([(first, last) for first, last, _ in named], _merged(there))
    for low, high in _without(_merged(known), _merged(listed)):
        report.add(Change.REMOVED, "evidence.db, table redaction", f"does not list events {low}–{high}, which are", low)


def check_holds(acts: Iterable[Act], signed_size: int, holds: Sequence[Hold], report: Report) -> None:
    """Every hold that a signed entry of the log added, and none removed, is kept as it was. holds: what is kept.

    A removal counts unsigned, too: the entry that names it comes before the act.
    """
    kept = {hold.id: hold.filter for hold in holds}
    added: dict[int, tuple[int, Any]] = {}
    for act in sorted(acts):
        if act.action != "config.change" or act.data is None:
            continue
        try:
            data = json.loads(act.data)
            if "hold" not in data:
                continue
            if "filter" not in data:
                added.pop(data["hold"], None)
            elif act.seq < signed_size:
                added[data["hold"]] = act.seq, data["filter"]
        except (ValueError, TypeError, RecursionError) as error:
            report.add(Change.ALTERED, f"event {act.seq}", f"is not what such an entry looks like: {error}", act.seq)
    for number, (seq, text) in added.items():
        where = f"hold {number} in evidence.db"
        if number not in kept:
            report.add(Change.REMOVED, where, f"event {seq} of the log added it, and no entry removed it", seq)
        elif kept[number] != text:
            report.add(Change.ALTERED, where, f"keeps other events than event {seq} of the log says", seq)
    _check_readable(holds, report)


def _check_readable(holds: Iterable[Hold], report: Report) -> None:
    """Every hold can be read: one that cannot keeps everything from retention."""
    for hold in holds:
        try:
            filter_of(hold)
        except StoreCorrupt as error:
            report.add(Change.UNREADABLE, f"hold {hold.id} in evidence.db", str(error))


def check_absent(segments: Sequence[Extent], named: Sequence[Span], kept: Sequence[Absent], report: Report) -> int:
    """Every position before the end is in a segment, or its removal is named by an entry of the log that is signed.

    kept: what `evidence.db` says of removals, which later entries are made from. Gives how many are absent.
    """
    there = [(extent.segment.first, extent.end - 1) for extent in segments if extent.end > extent.segment.first]
    end = max((last + 1 for _, last in there), default=0)
    gaps = _without([(0, end - 1)], _merged(there)) if end else []
    for low, high in _without(gaps, _merged(named)):
        text = "are missing, and no signed entry of the log names their removal"
        report.add(Change.REMOVED, f"events {low}–{high}", text, low)
    for low, high in _without(gaps, _merged([(found.first, found.last) for found in kept])):
        report.add(Change.REMOVED, "evidence.db, table absent", f"does not list events {low}–{high}, which are", low)
    for low, high in _without([(found.first, found.last) for found in kept if found.announced], _merged(named)):
        text = f"lists events {low}–{high}, whose removal no signed entry of the log names"
        report.add(Change.INSERTED, "evidence.db, table absent", text, low)
    previous = None
    for first, last in sorted(there):
        if previous is not None and first <= previous:
            report.add(Change.INSERTED, f"events {first}–{previous}", "are in two segments", first)
        previous = max(previous or 0, last)
    return sum(last - first + 1 for first, last in gaps)


def check_digests(
    segments: Sequence[Segment], digests: dict[int, bytes], noted: dict[int, SealedDigest], named: Named, report: Report
) -> list[Segment]:
    """Compare digests: in a sealed file every byte counts. Gives the files that are to be looked at more closely.

    A file whose digest no signed entry names yet was just written: sealed, or rewritten for a redaction that was named
    since. Nothing else excuses another digest than the one that was signed.
    """
    unnamed = []
    for segment in segments:
        if segment.last is None or segment.first not in digests:
            continue
        found, name = digests[segment.first], segment.path.name
        entry = named.digests.get((segment.first, segment.last))
        kept = noted.get(segment.first)
        if entry is not None and entry[0] == found:
            continue
        fresh = kept is not None and found in {kept.sha256, kept.pending}
        if fresh and (entry is None or _is_rewritten(segment, entry[1], named)):
            report.notes.append(f"{name}: its digest is not signed yet; its rows, indexes and full text were checked")
            unnamed.append(segment)
        elif entry is None:
            report.add(Change.ALTERED, name, f"no entry of the log names its SHA-256, {found.hex()}", segment.first)
            unnamed.append(segment)
        else:
            text = f"its SHA-256 is {found.hex()}, event {entry[1]} of the log says {entry[0].hex()}"
            report.add(Change.ALTERED, name, text, segment.first)
            unnamed.append(segment)
    return unnamed


def _is_rewritten(segment: Segment, since: int, named: Named) -> bool:
    """Tell whether something in a sealed segment was redacted after its digest was named."""
    end = segment.first if segment.last is None else segment.last
    return any(seq > since and first <= end and last >= segment.first for first, last, seq in named.redacted)


_end = itemgetter(1)


def _merged(spans: Iterable[Span]) -> list[Span]:
    found: list[Span] = []
    for first, last in sorted(spans):
        if found and first <= found[-1][1] + 1:
            found[-1] = found[-1][0], max(found[-1][1], last)
        else:
            found.append((first, last))
    return found


def _within(spans: Iterable[Span], merged: Sequence[Span]) -> list[Span]:
    """Cut others to what lies in merged ranges."""
    found: list[Span] = []
    for first, last in spans:
        for index in range(bisect_left(merged, first, key=_end), len(merged)):
            if merged[index][0] > last:
                break
            found.append((max(first, merged[index][0]), min(last, merged[index][1])))
    return found


def _without(spans: Iterable[Span], merged: Sequence[Span]) -> list[Span]:
    """Cut merged ranges out of others."""
    left: list[Span] = []
    for first, last in spans:
        low = first
        for index in range(bisect_left(merged, first, key=_end), len(merged)):
            if merged[index][0] > last:
                break
            if merged[index][0] > low:
                left.append((low, merged[index][0] - 1))
            low = max(low, merged[index][1] + 1)
        if low <= last:
            left.append((low, last))
    return left
