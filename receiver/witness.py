"""A witness for other logs, as a service: C2SP tlog-witness over HTTP.

Knows the state file, the witness's key and the HTTP server; what is decided, `evidence/witness.py` knows. The state is
one small SQLite file, one row a log: the head that was cosigned last, durable before the answer leaves. One request
is decided at a time, so no two can both go on from the same head: a fork is never cosigned, whatever crashes in
between.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import secrets
import signal
import sqlite3
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from receiver.errors import ConfigError, EvidenceError
from receiver.evidence.keys import KeyKind, SigningKey, VerifierKey
from receiver.evidence.note import NOTE_BYTES
from receiver.evidence.witness import REQUEST_PATH, Accepted, Answer, Head, cosign, decide
from receiver.notify import notify
from receiver.web.conversation import Request, Response, plain
from receiver.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

log = logging.getLogger(__name__)

STATE_NAME: Final = "witness.db"
KEY_NAME: Final = "witness.key"
_SCHEMA: Final = "CREATE TABLE IF NOT EXISTS head (origin TEXT PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL)"
_REQUEST_BYTES: Final = NOTE_BYTES + 64 * 64
"""A checkpoint and the longest consistency proof."""


class WitnessState:
    """The heads that were cosigned, durable: journal_mode=DELETE, synchronous=EXTRA."""

    def __init__(self, path: Path) -> None:
        """Open or create it. Raises ConfigError."""
        try:
            if not path.exists():
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")  # one witness a file
            self._connection.execute("PRAGMA journal_mode = DELETE")
            self._connection.execute("PRAGMA synchronous = EXTRA")
            self._connection.execute(_SCHEMA)
            self._connection.execute("BEGIN EXCLUSIVE")
            self._connection.execute("COMMIT")
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"{path}: {error}") from None

    def head(self, origin: str) -> Head:
        """Give the head cosigned last; of a log never seen the empty tree's."""
        row = self._connection.execute("SELECT size, root FROM head WHERE origin = ?", (origin,)).fetchone()
        return Head() if row is None else Head(row[0], row[1])

    def keep(self, origin: str, head: Head) -> None:
        """Make a new head durable. Raises sqlite3.Error, with the old one kept."""
        self._connection.execute("INSERT OR REPLACE INTO head VALUES (?, ?, ?)", (origin, head.size, head.root))

    def close(self) -> None:
        """Let the file go."""
        self._connection.close()


@dataclass(frozen=True)
class WitnessSettings:
    """Where to listen, where state and key lie, whose logs are witnessed: their verifier keys by origin."""

    host: str
    port: int
    folder: Path
    logs: Mapping[str, Sequence[VerifierKey]]


class Witness:
    """Answers `add-checkpoint`, one request after the other."""

    def __init__(self, state: WitnessState, key: SigningKey, logs: Mapping[str, Sequence[VerifierKey]]) -> None:
        self._state = state
        self._key = key
        self._logs = logs
        self._turn = asyncio.Lock()

    async def add_checkpoint(self, request: Request) -> Response:
        """Decide, keep, cosign: in this order."""
        async with self._turn:
            return _response(await asyncio.to_thread(self._decide, request.body))

    def _decide(self, body: bytes) -> Answer:
        decision = decide(body, self._logs, self._state.head)
        if not isinstance(decision, Accepted):
            if decision.fork is not None:
                fork = decision.fork
                log.critical("%s showed two roots for %d events: it was rewritten", fork.origin, fork.size)
            return decision.answer
        self._state.keep(decision.origin, decision.head)
        return cosign(decision, [self._key], int(time.time()))


def load_or_make_key(folder: Path, name: str | None) -> SigningKey:
    """Read the witness's cosigning key, or make it. Raises ConfigError."""
    path = folder / KEY_NAME
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        if not path.exists():
            if name is None:
                raise ConfigError("a new witness needs a name: give --name, such as witness.example.org")
            key = SigningKey(name, KeyKind.COSIGNATURE, secrets.token_bytes(32))
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                os.write(handle, f"{key.private_text()}\n".encode())
                os.fsync(handle)
            finally:
                os.close(handle)
        key = SigningKey.parse(path.read_text().strip())
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from None
    except EvidenceError as error:
        raise ConfigError(f"{path}: {error}") from None
    if key.verifier.kind != KeyKind.COSIGNATURE or name not in {None, key.verifier.name}:
        raise ConfigError(f"{path}: is the key of {key.verifier.name}")
    return key


async def serve(settings: WitnessSettings, key: SigningKey) -> int:
    """Serve until SIGTERM or SIGINT. Raises ConfigError."""
    state = WitnessState(settings.folder / STATE_NAME)
    server = WebServer(
        {f"/{REQUEST_PATH}": Witness(state, key, settings.logs).add_checkpoint},
        methods=("POST",),
        body_bytes=_REQUEST_BYTES,
    )
    stop = asyncio.Event()
    try:
        try:
            await server.start(settings.host, settings.port)
        except OSError as error:
            raise ConfigError(f"{settings.host}:{settings.port}: {error.strerror}") from None
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        log.info("witness %s on %s:%d, for %s", key.verifier, settings.host, server.port, ", ".join(settings.logs))
        notify("READY=1")
        await stop.wait()
        notify("STOPPING=1")
        return 0
    finally:
        with contextlib.suppress(OSError):
            await server.stop()
        state.close()


def _response(answer: Answer) -> Response:
    if answer.status == HTTPStatus.NOT_FOUND:
        return plain(HTTPStatus.NOT_FOUND, answer.body.decode().strip())
    return Response(answer.status, answer.body, answer.content_type)
