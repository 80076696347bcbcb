"""The log's keys and the copy of its last checkpoint, as files in a folder outside of the store.

Knows files, and systemd's folder of credentials (systemd.exec(5)); what a key is, `evidence/keys.py` knows. Per store:

  <name>.key           the log's private key, Ed25519; its name is the origin of the log's checkpoints
  <name>.time.key      the private key that dates them
  <name>.previous.key  after a rotation, until one checkpoint has been signed by both
  <name>.checkpoint    the last checkpoint signed: a store rolled back to yesterday's copy is noticed by it
  <name>.redactions    what was redacted, a JSON object a line: a restored backup must forget it again; and where a log
                       began anew, since what is noted after that is of other events

`<name>` is the name of the store's folder. Credentials named `log.key` and `time.key` go before the files. A private
key is readable by its owner only, is never overwritten and never quoted.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from receiver.errors import ConfigError, EvidenceError
from receiver.evidence.checkpoint import TIME_KEY_SUFFIX, Checkpoint
from receiver.evidence.keys import KeyKind, SigningKey, VerifierKey, is_key_name
from receiver.evidence.note import parse_note

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_KEY_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_SEED_BYTES: Final = 32
_LINE_BYTES: Final = 4096
_ALL: Final = 2**63
_RESTORED: Final = re.compile(r"/restored-[0-9]+$")
"""What the name of a log that begins anew ends in."""
_ODD: Final = re.compile(r"[^A-Za-z0-9._/-]+")


@dataclass(frozen=True)
class LogKeys:
    """What checkpoints are signed with. previous: the key before a rotation, which signs once more."""

    log: SigningKey
    time: SigningKey
    previous: SigningKey | None = None

    @property
    def origin(self) -> str:
        """The log's name."""
        return self.log.verifier.name

    @property
    def signing(self) -> list[SigningKey]:
        """All that sign."""
        return [self.log, *([self.previous] if self.previous else []), self.time]

    @property
    def verifiers(self) -> list[VerifierKey]:
        """What an auditor is given: the log's key, then the time key."""
        return [self.log.verifier, self.time.verifier]


class KeyFolder:
    """The files of one store's keys."""

    def __init__(self, folder: Path, store: Path, credentials: Path | None = None) -> None:
        """store: its folder, whose name the files bear. credentials: systemd's folder, if there is one."""
        name = store.absolute().name or "store"
        self.folder = folder
        self.log_key = folder / f"{name}.key"
        self.time_key = folder / f"{name}.time.key"
        self.previous_key = folder / f"{name}.previous.key"
        self.checkpoint = folder / f"{name}.checkpoint"
        self.redactions = folder / f"{name}.redactions"
        self._default_origin = f"{socket.gethostname()}/{name}"
        if credentials is not None and (credentials / "log.key").exists():
            self.log_key, self.time_key = credentials / "log.key", credentials / "time.key"

    def load(self, origin: str | None = None) -> LogKeys:
        """Read the keys. Raises ConfigError, also when there are none (`LookupError` is its cause then).

        origin: what the configuration calls the log; that stays when the log begins anew and its key is named for it.
        """
        if not self.log_key.exists():
            raise ConfigError(f"{self.log_key}: there is no key here") from LookupError()
        log = _read_key(self.log_key, KeyKind.LOG)
        time = _read_key(self.time_key, KeyKind.COSIGNATURE)
        name = log.verifier.name
        if origin is not None and name != origin and _RESTORED.sub("", name) != origin:
            raise ConfigError(f"{self.log_key}: is the key of {name}, but evidence.origin is {origin}")
        if time.verifier.name != name + TIME_KEY_SUFFIX:
            raise ConfigError(f"{self.time_key}: is the key of {time.verifier.name}, not of {name}{TIME_KEY_SUFFIX}")
        previous = _read_key(self.previous_key, KeyKind.LOG) if self.previous_key.exists() else None
        return LogKeys(log, time, previous)

    def known_verifiers(self) -> list[VerifierKey]:
        """Give the verifier keys of all that signed this log, as far as they may be read here; those put aside, too."""
        aside = sorted(self.folder.glob(f"{self.log_key.name}.before-*")) if self.folder.is_dir() else []
        found = []
        for path in (self.log_key, self.previous_key, *aside):
            with contextlib.suppress(ConfigError):
                found.append(_read_key(path, KeyKind.LOG).verifier)
        return found

    def load_or_make(self, origin: str | None = None) -> LogKeys:
        """Read the keys, or make them where there are none. Raises ConfigError."""
        if not self.log_key.exists():
            self.make(origin)
        return self.load(origin)

    def make(self, origin: str | None = None) -> None:
        """Make both keys; refuses where there are some, and where a log was signed by others. Raises ConfigError."""
        if self.checkpoint.exists() and not self.log_key.exists():
            raise ConfigError(
                f"{self.log_key}: is missing, and {self.checkpoint} was signed by it: put it back (a systemd"
                " credential?), or let the log begin anew (keygen --anew)"
            )
        name = origin or _ODD.sub("-", self._default_origin)
        if not is_key_name(name):
            raise ConfigError(f"evidence.origin: {name!r} cannot be the name of a key: no space, no plus")
        # The time key first: the log's key says that all is there.
        if not self.time_key.exists():
            self._write_key(self.time_key, _new_key(name + TIME_KEY_SUFFIX, KeyKind.COSIGNATURE))
        self._write_key(self.log_key, _new_key(name, KeyKind.LOG))

    def rotate(self) -> None:
        """Put a new key in the place of the log's; the old one signs one more checkpoint. Raises ConfigError."""
        keys = self.load()
        if keys.previous is not None:
            raise ConfigError(f"{self.previous_key}: the last rotation is not over: no checkpoint was signed since")
        new = self.log_key.with_name(f"{self.log_key.name}.new")
        new.unlink(missing_ok=True)
        self._write_key(new, _new_key(keys.origin, KeyKind.LOG))
        os.link(self.log_key, self.previous_key)
        new.rename(self.log_key)
        _sync(self.folder)

    def forget_previous(self) -> None:
        """Remove the key that a rotation replaced."""
        self.previous_key.unlink(missing_ok=True)

    def begin_anew(self, size: int = 0, of: str | None = None) -> None:
        """Put the keys and the checkpoint aside, and make a key of a new name. Raises ConfigError or OSError.

        size, of: how many events the new log has already, and of which log they are.

        For a log restored from a copy that is older than what was signed: the old key must never sign another event in
        the place of one that it has signed already.
        """
        origin = self._origin_before()
        base = _RESTORED.sub("", origin)
        number = int(origin.removeprefix(base).removeprefix("/restored-") or 0) + 1
        stamp = f"before-{number}"
        for path in (self.log_key, self.time_key, self.previous_key, self.checkpoint):
            if path.exists():
                path.rename(path.with_name(f"{path.name}.{stamp}"))
        self.make(f"{base}/restored-{number}")
        self._note({"log": f"{base}/restored-{number}", "of": of or origin, "from": size})

    def _origin_before(self) -> str:
        """Name the log that was signed last, also when its key is lost."""
        if not self.log_key.exists() and (note := self.read_checkpoint()) is not None:
            return Checkpoint.parse(parse_note(note).text).origin
        return self.load().origin

    def note_redactions(self, ranges: Iterable[tuple[int, int]], reason: str) -> None:
        """Remember what is redacted, durable when this returns. Raises OSError."""
        self._note({"seqs": [list(span) for span in ranges], "reason": reason})

    def _note(self, entry: dict[str, Any]) -> None:
        self._make_folder()
        handle = os.open(self.redactions, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        try:
            size = os.fstat(handle).st_size
            is_cut = size > 0 and os.pread(handle, 1, size - 1) != b"\n"  # by a crash: its line must not take this one
            left = ("\n" * is_cut + json.dumps(entry) + "\n").encode()
            while left:
                left = left[os.write(handle, left) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        _sync(self.folder)

    def noted_redactions(self, log: str | None = None) -> list[tuple[list[tuple[int, int]], str]]:
        """Give what was redacted: (ranges, reason). A line that a crash cut short was not carried out.

        log: only of events that this log has; one that began anew has others at the positions after that.
        """
        noted: list[tuple[str | None, list[tuple[int, int]], str]] = []
        begun: dict[str, tuple[str, int]] = {}
        lines = self.redactions.read_text().splitlines() if self.redactions.exists() else []
        current = None
        for line in lines:
            try:
                entry = json.loads(line)
                if "log" in entry:
                    current = str(entry["log"])
                    begun[current] = str(entry["of"]), int(entry["from"])
                else:
                    ranges = [(int(low), int(high)) for low, high in entry["seqs"]]
                    noted.append((current, ranges, str(entry["reason"])))
            except (ValueError, KeyError, TypeError):
                continue
        first = next((of for of, _ in begun.values()), None)
        found = []
        for whose, ranges, reason in noted:
            end = _shared(log, whose or first or log, begun)
            here = [(low, min(high, end - 1)) for low, high in ranges if low < end]
            if here:
                found.append((here, reason))
        return found

    def read_checkpoint(self) -> bytes | None:
        """Give the copy of the last checkpoint signed, None when there is none. Raises ConfigError."""
        try:
            return self.checkpoint.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigError(f"{self.checkpoint}: {error.strerror}") from None

    def write_checkpoint(self, note: bytes) -> None:
        """Keep a copy of the last checkpoint signed, durable when this returns. Raises OSError."""
        self._make_folder()
        new = self.checkpoint.with_name(f"{self.checkpoint.name}.new")
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o640)
        try:
            os.write(handle, note)
            os.fsync(handle)
        finally:
            os.close(handle)
        new.rename(self.checkpoint)
        _sync(self.folder)

    def _make_folder(self) -> None:
        self.folder.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)

    def _write_key(self, path: Path, key: SigningKey) -> None:
        try:
            self._make_folder()
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _KEY_MODE)
            try:
                os.write(handle, f"{key.private_text()}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)
            _sync(path.parent)
        except OSError as error:
            raise ConfigError(f"{path}: {error.strerror}") from None


def _shared(one: str | None, other: str | None, begun: Mapping[str, tuple[str, int]]) -> int:
    """Tell how many events two logs have in common. begun: of which log each began, and with how many of its events."""
    if one is None or other is None:
        return _ALL
    of_one, of_other = _lineage(one, begun), _lineage(other, begun)
    return max((min(of_one[name], of_other[name]) for name in of_one.keys() & of_other.keys()), default=0)


def _lineage(log: str, begun: Mapping[str, tuple[str, int]]) -> dict[str, int]:
    """Give the logs that a log goes back to, and how many of its events are theirs."""
    found, size = {log: _ALL}, _ALL
    while log in begun and begun[log][0] not in found:
        log, start = begun[log]
        size = min(size, start)
        found[log] = size
    return found


def _new_key(name: str, kind: KeyKind) -> SigningKey:
    return SigningKey(name, kind, secrets.token_bytes(_SEED_BYTES))


def _read_key(path: Path, kind: KeyKind) -> SigningKey:
    try:
        with path.open("rb") as file:
            text = file.read(_LINE_BYTES).decode("ascii", "replace").strip()
        key = SigningKey.parse(text)
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except EvidenceError as error:
        raise ConfigError(f"{path}: {error}") from None
    if key.verifier.kind != kind:
        raise ConfigError(f"{path}: is a key of another kind")
    return key


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
