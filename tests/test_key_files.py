"""The key files: made once, read whole, never overwritten, rotated, put aside."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import pytest

from receiver.errors import ConfigError
from receiver.evidence.checkpoint import Checkpoint, sign_checkpoint
from receiver.key_files import KeyFolder

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.key_files import LogKeys

ORIGIN = "audit.example.org/log"


def folder_in(path: Path, credentials: Path | None = None) -> KeyFolder:
    return KeyFolder(path / "keys", path / "store", credentials)


def names(keys: LogKeys) -> list[str]:
    return [str(key) for key in keys.verifiers]


def sign(keys: KeyFolder) -> None:
    """Leave a copy of a checkpoint beside the keys."""
    found = keys.load()
    keys.write_checkpoint(sign_checkpoint(Checkpoint(found.origin, 3, bytes(32)), found.signing, 1_764_000_000))


def test_keys_are_made_once_and_private(tmp_path: Path) -> None:
    # For their owner only; the second start reads what the first made.
    keys = folder_in(tmp_path)
    made = keys.load_or_make(ORIGIN)
    assert made.origin == ORIGIN
    assert [key.name for key in made.verifiers] == [ORIGIN, f"{ORIGIN}/time"]
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in keys.folder.iterdir()} == {0o600}
    assert names(keys.load_or_make(ORIGIN)) == names(made)
    with pytest.raises(ConfigError, match="File exists"):
        keys.make(ORIGIN)


def test_a_name_is_made_from_host_and_store(tmp_path: Path) -> None:
    # Whatever the folder is called, the name is one that a key can have.
    keys = KeyFolder(tmp_path / "keys", tmp_path / "a store+")
    assert keys.load_or_make().origin.endswith("/a-store-")
    with pytest.raises(ConfigError, match="cannot be the name of a key"):
        folder_in(tmp_path / "other").make("two words")


class Broken(NamedTuple):
    """A key file that is none."""

    id: str
    content: str | None
    words: str


BROKEN = [
    Broken("empty", "", "log.key|store.key"),
    Broken("not a key", "-----BEGIN PRIVATE KEY-----\n", "store.key"),
    Broken("the time key", None, "is a key of another kind"),
]


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.id)
def test_a_broken_key_is_one_clear_line_without_the_key(tmp_path: Path, case: Broken) -> None:
    # The file is named, nothing of it is quoted.
    keys = folder_in(tmp_path)
    keys.make(ORIGIN)
    secret = keys.log_key.read_text().strip().split("+", 4)[4]  # base64 may hold or end in a plus
    keys.log_key.write_text(keys.time_key.read_text() if case.content is None else case.content)
    with pytest.raises(ConfigError, match=case.words) as caught:
        keys.load()
    assert "\n" not in str(caught.value)
    assert secret not in str(caught.value)


def test_the_configured_name_is_the_key_s_or_its_restored_one(tmp_path: Path) -> None:
    # After a restore the key is named anew; the configuration need not be edited for that.
    keys = folder_in(tmp_path)
    keys.make(ORIGIN)
    with pytest.raises(ConfigError, match=r"is the key of audit.example.org/log, but evidence.origin is other/log"):
        keys.load("other/log")
    sign(keys)
    for number in (1, 2):
        keys.begin_anew()
        assert keys.load_or_make(ORIGIN).origin == f"{ORIGIN}/restored-{number}"
        assert keys.read_checkpoint() is None
        sign(keys)
    aside = sorted(path.name for path in keys.folder.iterdir() if "before" in path.name)
    assert [name for name in aside if name.startswith("store.key")] == ["store.key.before-1", "store.key.before-2"]


def test_a_lost_key_is_not_silently_replaced(tmp_path: Path) -> None:
    # The log would go on under a key that nothing ties to the old one: refused, until somebody says so.
    keys = folder_in(tmp_path)
    keys.make(ORIGIN)
    sign(keys)
    keys.log_key.unlink()
    with pytest.raises(ConfigError, match="was signed by it"):
        keys.load_or_make(ORIGIN)
    keys.begin_anew()
    assert keys.load(ORIGIN).origin == f"{ORIGIN}/restored-1"


def test_rotation_keeps_the_old_key_for_one_more_signature(tmp_path: Path) -> None:
    # Both sign; a second rotation waits for that.
    keys = folder_in(tmp_path)
    old = keys.load_or_make(ORIGIN)
    keys.rotate()
    both = keys.load(ORIGIN)
    assert both.previous is not None
    assert both.previous.verifier == old.log.verifier != both.log.verifier
    assert both.time.verifier == old.time.verifier
    assert [key.verifier for key in both.signing] == [both.log.verifier, old.log.verifier, old.time.verifier]
    with pytest.raises(ConfigError, match="the last rotation is not over"):
        keys.rotate()
    keys.forget_previous()
    assert keys.load(ORIGIN).previous is None


def test_credentials_go_before_files(tmp_path: Path) -> None:
    # Nothing private lies in the folder then; a rotation is a new credential, with the old key beside the store's copy.
    elsewhere = KeyFolder(tmp_path / "elsewhere", tmp_path / "store")
    made = elsewhere.load_or_make(ORIGIN)
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "log.key").write_bytes(elsewhere.log_key.read_bytes())
    (credentials / "time.key").write_bytes(elsewhere.time_key.read_bytes())
    keys = folder_in(tmp_path, credentials)
    assert names(keys.load_or_make(ORIGIN)) == names(made)
    sign(keys)
    assert [path.name for path in keys.folder.iterdir()] == ["store.checkpoint"]
    with pytest.raises(ConfigError, match="a systemd credential"):  # a command outside of the service
        folder_in(tmp_path).load_or_make(ORIGIN)
    elsewhere.rotate()
    (keys.folder / "store.previous.key").write_bytes((credentials / "log.key").read_bytes())
    (credentials / "log.key").write_bytes(elsewhere.log_key.read_bytes())
    assert [key.verifier for key in folder_in(tmp_path, credentials).load(ORIGIN).signing][1] == made.log.verifier


def test_what_was_redacted_is_read_back_but_for_a_line_cut_short(tmp_path: Path) -> None:
    # A crash while it was noted: that redaction was not begun.
    keys = folder_in(tmp_path)
    assert keys.noted_redactions() == []
    keys.note_redactions([(1, 2), (5, 5)], "request 1")
    keys.note_redactions([(7, 9)], "request 2 — Zoë")
    with keys.redactions.open("ab") as file:
        file.write(b'{"seqs": [[10')
    assert keys.noted_redactions() == [([(1, 2), (5, 5)], "request 1"), ([(7, 9)], "request 2 — Zoë")]
    keys.note_redactions([(11, 11)], "request 3")  # the line behind it stands
    assert keys.noted_redactions()[-1] == ([(11, 11)], "request 3")


def test_what_was_redacted_is_of_the_log_it_was_redacted_in(tmp_path: Path) -> None:
    # Restored from an older backup, a log has other events at the positions after that: none of them was asked for.
    keys = folder_in(tmp_path)
    keys.make(ORIGIN)
    keys.note_redactions([(3, 4), (8, 12)], "first")
    keys.begin_anew(10, ORIGIN)
    keys.note_redactions([(5, 5), (11, 11)], "second")
    assert keys.noted_redactions(ORIGIN) == [([(3, 4), (8, 12)], "first"), ([(5, 5)], "second")]
    assert keys.noted_redactions(f"{ORIGIN}/restored-1") == [
        ([(3, 4), (8, 9)], "first"), ([(5, 5), (11, 11)], "second")
    ]  # fmt: skip
    keys.begin_anew()  # of nothing
    assert keys.noted_redactions(f"{ORIGIN}/restored-2") == []
