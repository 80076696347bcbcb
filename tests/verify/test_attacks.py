"""Attacks on a stored log: each ends in problems with the right words, and what is untouched verifies."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from receiver.care.keeper import CarePolicy
from receiver.errors import StoreBusy, StoreCorrupt
from receiver.evidence.tree import Tree
from receiver.key_files import KeyFolder
from receiver.own_acts import own_act
from receiver.store.evidence_file import EvidenceFile
from receiver.store.filter import Filter
from receiver.store.hashes import hashes_of, kept_of_range, leaf_of
from receiver.store.redacted import redact_rows
from receiver.store.retention import RetentionPolicy
from receiver.store.sealing import file_digest
from receiver.store.segment import catalog, live_path
from receiver.verify.report import Change
from receiver.verify.verification import Question, verify
from tests.kit.attacks import edit, rebuild, sign_again
from tests.kit.events import NOW_US
from tests.kit.logs import make_log, open_log
from tests.kit.stores import read

if TYPE_CHECKING:
    from receiver.care.checkpointer import Signed
    from receiver.verify.report import Report


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Signed]]:
    """A log made once, copied for each attack."""
    folder = tmp_path_factory.mktemp("original")
    return folder, make_log(folder / "store")


@pytest.fixture
def folder(original: tuple[Path, list[Signed]], tmp_path: Path) -> Path:
    """A copy of it, with its keys beside it."""
    shutil.copytree(original[0], tmp_path / "log", dirs_exist_ok=True)
    return tmp_path / "log" / "store"


@pytest.fixture
def signed(original: tuple[Path, list[Signed]]) -> list[Signed]:
    """The checkpoints that left the machine."""
    return original[1]


def report_of(folder: Path, **question: object) -> Report:
    return verify(Question(folder, processes=1, **question)).report  # type: ignore[arg-type]


def changes(folder: Path, **question: object) -> set[Change]:
    return {problem.change for problem in report_of(folder, **question).problems}


def copy_beside_keys(folder: Path) -> tuple[tuple[str, bytes], ...]:
    keys = KeyFolder(folder.parent / "keys", folder)
    return ((str(keys.checkpoint), keys.checkpoint.read_bytes()),)


def test_an_untouched_log_verifies(folder: Path, signed: list[Signed]) -> None:
    # Against everything: its own checkpoints, the copy beside the keys, those that left, by the key alone.
    key = KeyFolder(folder.parent / "keys", folder).load().log.verifier
    copies = (*copy_beside_keys(folder), *(("published", found.note) for found in signed))
    report = report_of(folder, keys=(key,), copies=copies)
    assert report.problems == []
    assert report.verified == report.size == len(read(folder))
    assert report.tail == 0
    assert report.segments >= 3


LIVE_EDITS = {
    "a value": "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "a time": "UPDATE events SET received_at = received_at + 1 WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "a salt": "UPDATE events SET salt = zeroblob(16) WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "null for text": "UPDATE events SET target = '' WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "bytes for text": "UPDATE events SET host = CAST(host AS BLOB) WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "broken text": "UPDATE events SET message = CAST(x'ff' AS TEXT) WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "text for time": "UPDATE events SET received_at = 'now' WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "both": "UPDATE events SET commitment = zeroblob(32) WHERE seq = (SELECT max(seq) - 300 FROM events)",
    "neither": "UPDATE events SET salt = NULL WHERE seq = (SELECT max(seq) - 300 FROM events)",
}


@pytest.mark.parametrize("statement", LIVE_EDITS.values(), ids=LIVE_EDITS.keys())
def test_an_edited_row_of_the_live_segment_is_found(folder: Path, statement: str) -> None:
    # Whatever `events` yields is what counts there.
    live = catalog(folder)[-1]
    edit(live.path, statement)
    report = report_of(folder)
    assert Change.ALTERED in {problem.change for problem in report.problems} or Change.UNREADABLE in {
        problem.change for problem in report.problems
    }
    assert report.problems[0].seq is not None
    assert live.path.name in str(report.problems[0]) or "events" in str(report.problems[0])


def test_an_edited_row_of_a_sealed_segment_names_its_page(folder: Path) -> None:
    # The segment by its SHA-256, and the 256 events by the hash kept of them.
    segment = catalog(folder)[1]
    edit(segment.path, f"UPDATE event SET actor = 'mallory' WHERE seq = {segment.first + 300}")
    texts = [str(problem) for problem in report_of(folder).problems]
    n = (segment.first + 300) // 256
    assert any(f"events {n * 256}–{n * 256 + 255}" in text and f"page {n}" in text for text in texts)
    assert any(segment.path.name in text and "SHA-256" in text for text in texts)


def test_a_recomputed_leaf_is_found(folder: Path) -> None:
    # Edit a row of the live segment and the hash kept of its 256: the tree's state gives it away.
    live = catalog(folder)[-1]
    edit(live.path, "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT min(seq) + 300 FROM events)")
    with closing(sqlite3.connect(live.path, isolation_level=None)) as connection:
        rows = {row[0]: leaf_of(row) for row in connection.execute("SELECT * FROM events")}
        for (n,) in connection.execute("SELECT n FROM level1").fetchall():
            if n * 256 in rows:
                tile = Tree().append([rows[seq] or b"" for seq in range(n * 256, n * 256 + 256)])[0].root
                connection.execute("UPDATE level1 SET hash = ? WHERE n = ?", (tile, n))
    assert Change.ALTERED in changes(folder)


def test_a_recomputed_tree_without_the_key_is_found(folder: Path) -> None:
    # Every stored hash fits; the signatures do not.
    edit(catalog(folder)[-1].path, "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT max(seq) - 5 FROM events)")
    rebuild(folder)
    report = report_of(folder)
    assert any("does not give the root" in str(p) or "do not give the root" in str(p) for p in report.problems)


def test_a_log_without_any_checkpoint_is_no_answer(folder: Path) -> None:
    # An attacker without the key who removes all that was signed.
    edit(catalog(folder)[-1].path, "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT max(seq) - 5 FROM events)")
    rebuild(folder)
    edit(folder / "evidence.db", "DELETE FROM checkpoint")
    assert Change.REMOVED in changes(folder)


def test_a_rewritten_and_resigned_log_is_convicted_by_a_checkpoint_kept_elsewhere(
    folder: Path, signed: list[Signed]
) -> None:
    # The attacker has the key: only what left the machine before helps.
    edit(catalog(folder)[-1].path, "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT min(seq) + 5 FROM events)")
    sign_again(folder, rebuild(folder))
    assert report_of(folder, copies=copy_beside_keys(folder)).problems == []
    report = report_of(folder, copies=(("kept.txt", signed[-1].note),))
    assert any("kept.txt" in str(problem) for problem in report.problems)
    assert {Change.RESIGNED, Change.ALTERED} & {problem.change for problem in report.problems}


def test_a_rolled_back_store_is_found_by_the_copy_beside_the_keys(folder: Path, tmp_path: Path) -> None:
    # Yesterday's copy is consistent in itself.
    shutil.copytree(folder, tmp_path / "yesterday")

    async def go_on() -> None:
        async with open_log(folder) as log:
            await log.write(500)

    asyncio.run(go_on())
    shutil.rmtree(folder)
    shutil.move(tmp_path / "yesterday", folder)
    assert report_of(folder).problems == []
    assert changes(folder, copies=copy_beside_keys(folder)) == {Change.ROLLED_BACK}

    async def start_again() -> str | None:
        async with open_log(folder) as log:
            await log.write(10)
            assert log.signed == []
            return log.checkpointer.alarm

    alarm = asyncio.run(start_again())
    assert alarm is not None
    assert "was signed" in alarm or "has a checkpoint over" in alarm
    assert any(event.action == "detect.alert" for event in read(folder))


@pytest.mark.parametrize("rebuilt", [False, True], ids=["rows only", "and the tree"])
def test_deleted_newest_events_are_found(folder: Path, rebuilt: bool) -> None:
    # The newest N that were signed, taken away from the live segment.
    edit(catalog(folder)[-1].path, "DELETE FROM events WHERE seq > (SELECT max(seq) - 7 FROM events)")
    if rebuilt:
        rebuild(folder)
    found = changes(folder)
    assert (Change.ROLLED_BACK if rebuilt else Change.TRUNCATED) in found


def test_a_deleted_row_in_the_middle_is_named(folder: Path) -> None:
    # By its position.
    live = catalog(folder)[-1]
    seq = live.first + 100
    edit(live.path, f"DELETE FROM events WHERE seq = {seq}")
    problems = report_of(folder).problems
    assert any(problem.change == Change.REMOVED and problem.seq == seq for problem in problems)


def test_inserted_rows_are_found(folder: Path) -> None:
    # Beyond the tree's end, and before the segment's beginning.
    live = catalog(folder)[-1]
    edit(live.path, "INSERT INTO events (seq, received_at, salt) SELECT max(seq) + 1, 2, zeroblob(16) FROM events")
    assert Change.INSERTED in changes(folder)


def test_swapped_rows_are_found(folder: Path) -> None:
    # Both are somebody's events; their places are not.
    live = catalog(folder)[-1]
    low, high = live.first + 20, live.first + 21
    edit(
        live.path,
        f"UPDATE events SET seq = -1 WHERE seq = {low}",
        f"UPDATE events SET seq = {low} WHERE seq = {high}",
        f"UPDATE events SET seq = {high} WHERE seq = -1",
    )
    assert Change.REORDERED in changes(folder)


def test_a_deleted_segment_is_named(folder: Path) -> None:
    # No entry of the log names its removal.
    segment = catalog(folder)[1]
    segment.path.unlink()
    problems = report_of(folder).problems
    assert any(
        problem.change == Change.REMOVED and f"events {segment.first}–{segment.last}" in problem.where
        for problem in problems
    )


def test_swapped_segments_are_found(folder: Path) -> None:
    # Two files change names.
    first, second, *_ = catalog(folder)
    first.path.rename(folder / "x")
    second.path.rename(first.path)
    (folder / "x").rename(second.path)
    assert Change.REORDERED in changes(folder)


def test_a_replaced_checkpoint_is_found(folder: Path) -> None:
    # By a note that was signed by another key, or by none.
    evidence = EvidenceFile(folder)
    last = evidence.last_checkpoint()
    assert last is not None
    evidence.add_checkpoint(last._replace(note=last.note.replace("\n— ", "\n— x", 1)))
    evidence.close()
    assert changes(folder) == {Change.RESIGNED}


@pytest.mark.parametrize("column", ["root", "hashes"])
def test_what_stands_beside_a_checkpoint_counts_too(folder: Path, column: str) -> None:
    # Proofs of consistency are made from it once the rows are gone.
    edit(folder / "evidence.db", f"UPDATE checkpoint SET {column} = zeroblob(length({column}))")
    assert changes(folder) == {Change.ALTERED}


async def redacted(folder: Path, seq: int) -> int:
    async with open_log(folder) as log:
        answer = await log.keeper.redact([(seq, seq)], "erasure request 7", "dpo")
        await log.settle()
        return int(answer["seq"])


@pytest.mark.parametrize("where", [0, -1], ids=["sealed", "live"])
def test_a_redaction_is_named(folder: Path, where: int) -> None:
    # By the entry that names it, and it is no problem.
    segment = catalog(folder)[where]
    seq = segment.first + 50
    named = asyncio.run(redacted(folder, seq))
    report = report_of(folder, copies=copy_beside_keys(folder))
    assert report.problems == []
    assert report.redacted == 1
    assert f"event {seq}: redacted, named by event {named}" in report.notes


def test_a_missing_payload_that_no_entry_names_is_found(folder: Path) -> None:
    # Somebody erased what was inconvenient, correctly, and did not say so.
    live = catalog(folder)[-1]
    seq = live.first + 50
    with closing(sqlite3.connect(live.path, isolation_level=None)) as connection:
        assert redact_rows(connection, [(seq, seq)]) == 1
    problems = report_of(folder).problems
    assert [(problem.change, problem.seq) for problem in problems] == [(Change.UNNAMED, seq)]


def test_an_edited_redaction_is_found(folder: Path) -> None:
    # The commitment is all that is left of the event: it is the leaf.
    seq = catalog(folder)[-1].first + 50
    asyncio.run(redacted(folder, seq))
    live = catalog(folder)[-1]
    edit(live.path, f"UPDATE events SET commitment = zeroblob(32) WHERE seq = {seq}")
    assert Change.ALTERED in changes(folder)


def test_an_entry_edited_to_name_a_redaction_is_found(folder: Path) -> None:
    # What the log says of itself is as signed as the rest.
    seq = catalog(folder)[-1].first + 50
    named = asyncio.run(redacted(folder, seq))
    data = json.dumps({"seqs": [[seq, seq + 9]], "by": "dpo"}, separators=(",", ":"))
    edit(catalog(folder)[-1].path, f"UPDATE events SET data = '{data}' WHERE seq = {named}")
    assert Change.ALTERED in changes(folder)


def test_content_that_comes_back_is_found(folder: Path) -> None:
    # From a backup: the leaf is right, but it was to be gone.
    live = catalog(folder)[-1]
    seq = live.first + 50
    with closing(sqlite3.connect(live.path)) as connection:
        row = connection.execute("SELECT * FROM events WHERE seq = ?", (seq,)).fetchone()
    asyncio.run(redacted(folder, seq))
    with closing(sqlite3.connect(catalog(folder)[-1].path, isolation_level=None)) as connection:
        connection.execute(f"REPLACE INTO events VALUES ({', '.join('?' * len(row))})", row)
    problems = report_of(folder).problems
    assert any("have their content again" in str(problem) for problem in problems)


def test_every_byte_of_a_sealed_file_counts(folder: Path) -> None:
    # 100 places all over the file, free pages and unused bytes included.
    segment = catalog(folder)[0]
    data = segment.path.read_bytes()
    segment.path.chmod(0o640)
    for at in range(0, len(data), max(1, len(data) // 100)):
        segment.path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        problems = report_of(folder).problems
        assert any(segment.path.name in str(problem) for problem in problems), at
    segment.path.write_bytes(data)
    assert report_of(folder).problems == []


@pytest.mark.parametrize(
    "statement",
    ["DELETE FROM odd", "INSERT INTO odd SELECT min(seq) FROM events", "INSERT INTO odd VALUES (-5)"],
)
def test_drift_of_the_live_list_is_found(folder: Path, statement: str) -> None:
    # A search for words relies on it: what is not in it is not found.

    async def write_odd() -> None:
        async with open_log(folder) as log:
            await log.write(3, message="Zoë")

    asyncio.run(write_odd())
    assert report_of(folder).problems == []
    edit(catalog(folder)[-1].path, statement)
    assert changes(folder) == {Change.INDEX}


def forge_entry(folder: Path, action: str, data: dict[str, object]) -> None:
    """Write an entry of the log's own behind its end, as anybody can who may write to the store."""
    with closing(sqlite3.connect(catalog(folder)[-1].path, isolation_level=None)) as connection:
        (end,) = connection.execute("SELECT size FROM tree").fetchone()
        act = own_act(action, NOW_US + end, host="audit", pid=1, data=data)
        names = ", ".join(("seq", *act._fields, "salt"))
        marks = ", ".join("?" * (len(act) + 2))
        connection.execute(f"INSERT INTO events ({names}) VALUES ({marks})", (end, *act, bytes(16)))
    rebuild(folder)


def erase(folder: Path) -> int:
    """Erase a signed event of the live segment correctly; gives its position."""
    live = catalog(folder)[-1]
    with closing(sqlite3.connect(live.path, isolation_level=None)) as connection:
        assert redact_rows(connection, [(live.first + 50, live.first + 50)]) == 1
    return live.first + 50


@pytest.mark.parametrize("state", ["intended", "named", "released", "done"])
def test_what_evidence_db_says_of_a_redaction_is_no_entry(folder: Path, state: str) -> None:
    # The file is nobody's word: only what is signed excuses a missing payload.
    seq = erase(folder)
    evidence = EvidenceFile(folder)
    evidence.intend_redaction([(seq, seq)], "forged", "root")
    if state != "intended":
        evidence.redaction_named([1], seq + 1)
    if state in {"released", "done"}:
        evidence.redaction_released([1])
    if state == "done":
        evidence.redaction_done([1])
    evidence.close()
    assert [(p.change, p.seq) for p in report_of(folder).problems] == [(Change.UNNAMED, seq)]


def test_an_entry_in_the_unsigned_tail_excuses_no_redaction(folder: Path) -> None:
    # Without the key somebody can still write behind the last checkpoint.
    seq = erase(folder)
    forge_entry(folder, "log.redact", {"seqs": [[seq, seq]], "by": "root"})
    (problem,) = report_of(folder).problems
    assert (problem.change, problem.seq) == (Change.UNNAMED, seq)
    assert "unsigned tail" in problem.text


@pytest.mark.parametrize("how", ["noted", "announced", "unsigned entry"])
def test_a_deleted_segment_with_a_forged_excuse_is_named(folder: Path, how: str) -> None:
    # evidence.db says that retention removed it, or is about to; or an entry does that nobody signed.
    segment = catalog(folder)[1]
    assert segment.last is not None
    evidence = EvidenceFile(folder)
    with hashes_of(folder, evidence) as hashes:
        nodes = kept_of_range(segment.first, segment.last, hashes, evidence.sizes(0, 10_000))
    with closing(sqlite3.connect(segment.path)) as connection:
        level1 = connection.execute("SELECT n, hash FROM level1").fetchall()
    evidence.note_absent(segment.first, segment.last, "retention.max_age", level1, nodes)
    if how != "noted":
        evidence.absence_announced()
    evidence.close()
    if how == "unsigned entry":
        data = {"ranges": [[segment.first, segment.last, "x"]], "absent": [[segment.first, segment.last]]}
        forge_entry(folder, "log.prune", {**data, "redacted": []})
    segment.path.unlink()
    problem, *more = report_of(folder).problems
    assert (problem.change, problem.where) == (Change.REMOVED, f"events {segment.first}–{segment.last}")
    assert {other.where for other in more} <= {"evidence.db, table absent"}


def test_hashes_that_were_kept_cannot_be_taken_away(folder: Path) -> None:
    # Without those of a removed range no root can be computed: then nothing that was signed would be compared.

    async def prune() -> None:
        async with open_log(folder) as log:
            log.keeper.policy = CarePolicy(retention=RetentionPolicy(max_age_seconds=1))
            await log.keeper.prune()
            await log.write(300)

    asyncio.run(prune())
    assert report_of(folder).problems == []
    edit(folder / "evidence.db", "DELETE FROM level1 WHERE n = 1")
    assert Change.REMOVED in changes(folder)
    edit(catalog(folder)[-1].path, "UPDATE events SET actor = 'mallory' WHERE seq = (SELECT max(seq) FROM events)")
    assert {Change.REMOVED, Change.ALTERED} & changes(folder)


def test_a_sealed_file_is_not_excused_by_evidence_db(folder: Path) -> None:
    # A byte that no row and no index knows, with the digest in evidence.db made to fit: the log says another.
    segment = catalog(folder)[0]
    edit(segment.path, "UPDATE meta SET value = value + 1 WHERE key = 'sealed'")
    digest = file_digest(segment.path).hex()
    for announced in ("announced", "NULL"):
        edit(folder / "evidence.db", f"UPDATE sealed SET sha256 = x'{digest}', announced = {announced} WHERE first = 0")
        (problem,) = report_of(folder).problems
        assert (problem.change, problem.where) == (Change.ALTERED, segment.path.name)


@pytest.mark.parametrize("blank", ["the newest", "one in between"])
def test_a_blanked_segment_is_no_new_one(folder: Path, blank: str) -> None:
    # A file without tables is what a crash may leave just after a segment began; one that held events is not.
    live = catalog(folder)[-1]
    if blank == "one in between":
        sealed = catalog(folder)[1]
        sealed.path.rename(live_path(folder, sealed.first))
        live = catalog(folder)[1]
    data = live.path.read_bytes()
    live.path.chmod(0o640)
    live.path.write_bytes(b"")
    found = {problem.change for problem in report_of(folder).problems}
    assert (Change.ROLLED_BACK if blank == "the newest" else Change.REMOVED) in found
    live.path.write_bytes(data)
    edit(live.path, "PRAGMA writable_schema = ON", "DELETE FROM sqlite_schema")
    assert changes(folder) & {Change.ROLLED_BACK, Change.REMOVED, Change.UNREADABLE}


Attack = Callable[[Path], None]


def in_evidence(*statements: str) -> Attack:
    return lambda folder: edit(folder / "evidence.db", *statements)


def in_sealed(*statements: str) -> Attack:
    return lambda folder: edit(catalog(folder)[1].path, *statements)


def in_live(*statements: str) -> Attack:
    return lambda folder: edit(catalog(folder)[-1].path, *statements)


def log_beside_sealed(folder: Path) -> None:
    """A write-ahead log that shows another actor than the file, whose bytes stay as they are."""
    path = catalog(folder)[1].path
    other = folder.parent / "other.db"
    other.write_bytes(path.read_bytes())
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("UPDATE event SET actor = 'mallory'")
        shutil.copy(f"{other}-wal", f"{path}-wal")


def named_as(name: str) -> Attack:
    """A copy of a sealed file under another name."""
    return lambda folder: shutil.copy(catalog(folder)[1].path, folder / name)


def filled(path: str, data: bytes) -> Attack:
    return lambda folder: (folder / path).write_bytes(data)


BY_A_FOREIGN_HAND: dict[str, tuple[Attack, str]] = {
    "a log beside a sealed file": (log_beside_sealed, "-wal"),
    "a journal beside a sealed file": (
        lambda folder: catalog(folder)[1].path.with_suffix(".db-journal").touch(), "-journal"),
    "a second, longer file": (named_as("000000001000-000000009999.db"), "000000001000"),
    "a second, shorter file": (named_as("000000001000-000000001001.db"), "000000001000-000000001001.db"),
    "a file from nowhere": (named_as("000000070000-000000070999.db"), "000000070000"),
    "a blank segment far ahead": (filled("000000070000-.db", b""), "000000070000-.db"),
    "rubbish as a segment": (filled("000000070000-.db", b"x" * 5_000), "000000070000-.db"),
    "rubbish as evidence": (filled("evidence.db", b"x" * 9_000), "evidence.db"),
    "a blank evidence.db": (filled("evidence.db", b""), "evidence.db"),
    "a table dropped": (in_evidence("DROP TABLE node"), "evidence.db"),
    "a trigger in evidence.db": (
        in_evidence("CREATE TRIGGER t AFTER INSERT ON hold BEGIN DELETE FROM hold; END"), "evidence.db"),
    "text for a digest": (in_evidence("UPDATE sealed SET sha256 = 'x' WHERE first = 0"), "table sealed"),
    "a short hash": (in_evidence("INSERT INTO level1 VALUES (1, x'00')"), "table level1"),
    "a hash of its own for a page": (in_evidence("INSERT INTO level1 VALUES (1, zeroblob(32))"), "table level1"),
    "a hash of a page to come": (in_evidence("INSERT INTO level1 VALUES (4000, zeroblob(32))"), "table level1"),
    "a node to come": (in_evidence("INSERT INTO node VALUES (0, 90000, zeroblob(32))"), "table node"),
    "a key that is none": (in_evidence("INSERT INTO verifier VALUES ('x', 5)"), "table verifier"),
    "a removal that nobody announced": (in_evidence("INSERT INTO absent VALUES (0, 9, 'x', 1)"), "table absent"),
    "no checkpoint left": (in_evidence("DELETE FROM checkpoint"), "checkpoints"),
    "full text of other words": (
        in_sealed("DROP TABLE word", "CREATE VIRTUAL TABLE word USING fts5(message)"), "SHA-256"),
    "a tree of a million times the rows": (
        in_live("UPDATE tree SET size = 1099511627776, hashes = zeroblob(32)"), "its rows end at"),
    "text for the tree": (in_live("UPDATE tree SET hashes = CAST(hashes AS TEXT)"), "-.db"),
    "text for a page's hash": (in_sealed("UPDATE level1 SET hash = 'x'"), "page"),
    "a view of the tables' names": (in_live("CREATE VIEW v AS SELECT 1"), "views"),
}  # fmt: skip


@pytest.mark.parametrize(("attack", "named"), BY_A_FOREIGN_HAND.values(), ids=BY_A_FOREIGN_HAND.keys())
def test_what_a_foreign_hand_leaves_in_the_folder_is_named(folder: Path, attack: Attack, named: str) -> None:
    # Whatever it is: a problem that says where, not an answer of another kind, no endless reading, and no good word.
    attack(folder)
    assert any(named in str(problem) for problem in report_of(folder).problems), report_of(folder).problems


def test_a_log_beside_a_sealed_file_shows_nobody_anything(folder: Path) -> None:
    # In a sealed file every byte counts, and nothing beside it.
    before = read(folder)
    log_beside_sealed(folder)
    assert read(folder) == before


async def test_a_hold_and_a_redaction_cannot_be_forgotten(tmp_path: Path) -> None:
    # evidence.db says what retention must spare, and what is to be named again: the log's entries say it too.
    async with open_log(tmp_path / "store", segment=300) as log:
        await log.write(300)
        number = await log.keeper.add_hold(Filter(actor="user7"), "a case", "dpo")
        await log.keeper.redact([(20, 30)], "a request", "dpo")
        await log.settle()
        gone = await log.keeper.add_hold(Filter(actor="user8"), "another", "dpo")
        await log.keeper.remove_hold(gone, "dpo")
    folder = tmp_path / "store"
    assert report_of(folder).problems == []
    edit(folder / "evidence.db", "UPDATE hold SET filter = replace(filter, 'user7', 'user9')")
    (problem,) = report_of(folder).problems
    assert (problem.change, problem.where) == (Change.ALTERED, f"hold {number} in evidence.db")
    edit(folder / "evidence.db", "DELETE FROM hold", "DELETE FROM redaction")
    lost, forgotten = sorted(report_of(folder).problems, key=lambda problem: problem.where, reverse=True)
    assert (lost.change, lost.where) == (Change.REMOVED, f"hold {number} in evidence.db")
    assert (forgotten.change, forgotten.where) == (Change.REMOVED, "evidence.db, table redaction")


@pytest.mark.parametrize("text", ["{", "[]", '{"nobody": 1}', "7", "[" * 100_000], ids=lambda text: text[:12])
async def test_a_hold_that_nobody_can_read_is_named(tmp_path: Path, text: str) -> None:
    # It keeps everything from retention, since what it was to keep is not known: `hold remove` mends it.
    async with open_log(tmp_path / "store", segment=300) as log:
        await log.write(700)
        log.store.evidence.add_hold(text, "a case", "nobody", 1)
        with pytest.raises(StoreCorrupt, match=r"hold 1 in evidence\.db"):
            await log.keeper.redact([(20, 30)], "a request", "dpo")
        (problem,) = report_of(tmp_path / "store").problems
        assert (problem.change, problem.where) == (Change.UNREADABLE, "hold 1 in evidence.db")
        await log.keeper.remove_hold(1, "dpo")
        await log.keeper.redact([(20, 30)], "a request", "dpo")
    assert report_of(tmp_path / "store").problems == []


def test_a_store_that_changes_too_fast_is_not_called_altered(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Sealed, erased and removed at each try: nothing can be said, and nothing is.
    edit(catalog(folder)[-1].path, "UPDATE events SET actor = 'x' WHERE seq = (SELECT max(seq) - 300 FROM events)")
    monkeypatch.setattr("receiver.verify.verification.PAUSE_SECONDS", 0)
    monkeypatch.setattr("receiver.verify.verification._has_moved", lambda *_: True)
    with pytest.raises(StoreBusy, match="verify again"):
        report_of(folder)


@pytest.mark.parametrize(
    "statements",
    [
        ("CREATE TRIGGER t AFTER INSERT ON events BEGIN UPDATE events SET actor = 'x' WHERE seq = new.seq; END",),
        ("CREATE INDEX i ON events (actor)",),
        ("ALTER TABLE events RENAME TO kept", "CREATE VIEW events AS SELECT * FROM kept"),
    ],
    ids=["trigger", "index", "view"],
)
def test_a_changed_schema_of_the_live_segment_is_found(folder: Path, statements: tuple[str, ...]) -> None:
    # A view may show each asker something else; a trigger changes what will be stored.
    edit(catalog(folder)[-1].path, *statements)
    assert changes(folder) == {Change.INDEX}
