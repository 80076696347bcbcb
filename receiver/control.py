"""The control socket: how commands ask a running receiver to do what only the store's one writer may do.

Knows a Unix stream socket in the store's folder, one JSON object a line, and whom the kernel says is at the other end
(SO_PEERCRED, unix(7)); knows nothing of what the commands do. One request a connection: `{"command": …, …}`, answered
by `{"result": …}` or `{"error": "one sentence"}`. Whoever may read the store may connect and leave a note; what
changes the log is for root and the receiver's own user.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import logging
import os
import pwd
import socket
import struct
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

import orjson

from receiver import limits
from receiver.errors import ReceiverError, StoreRefused

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping
    from pathlib import Path

log = logging.getLogger(__name__)

SOCKET_NAME: Final = "control.sock"
_MODE: Final = 0o660
_CREDENTIALS: Final = struct.Struct("3i")
_INTEGERS: Final = 2**63


@dataclass(frozen=True)
class Request:
    """What somebody asks for, and who it is."""

    command: str
    arguments: Mapping[str, Any]
    user: str
    """The name of the user at the other end, or the number when it has none."""
    uid: int


@dataclass(frozen=True)
class Command:
    """What is done for a request; `changes`: only for root and the receiver's own user."""

    run: Callable[[Request], Awaitable[Any]]
    changes: bool = True


class ControlServer:
    """Answers on the control socket of one store."""

    def __init__(self, folder: Path, commands: Mapping[str, Command]) -> None:
        self._folder = folder
        self._commands = commands
        self._server: asyncio.Server | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Listen; the caller holds the store's lock, so a socket left behind is a dead one. Raises OSError."""
        with _in_folder(self._folder) as place, socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(place)  # noqa: PTH108 - a path of /proc
            sock.bind(place)
            os.chmod(place, _MODE)  # noqa: PTH101
            sock.setblocking(False)
            self._server = await asyncio.start_unix_server(self._accept, sock=sock.dup(), limit=limits.CONTROL_BYTES)

    async def stop(self) -> None:
        """Take no more requests, let those that run come to their end, remove the socket."""
        if self._server is None:
            return
        self._server.close()
        with contextlib.suppress(FileNotFoundError):
            (self._folder / SOCKET_NAME).unlink()
        if self._running:
            await asyncio.wait(self._running)
        self._server = None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._running) >= limits.CONTROL_CONNECTIONS:
            writer.close()
            return
        self._running.add(task)
        try:
            answer = await self._answer(reader, writer)
            async with asyncio.timeout(limits.CONTROL_SECONDS):
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError):
            pass  # who asked is gone, and with it the only one to tell
        finally:
            writer.close()
            self._running.discard(task)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> dict[str, Any]:
        try:
            async with asyncio.timeout(limits.CONTROL_SECONDS):
                line = await reader.readline()
            request = self._read(line, writer.get_extra_info("socket"))
        except TimeoutError:
            return {"error": "no request came"}
        except ValueError:  # also a line beyond the limit, and JSON that is none
            return {"error": "not a request: one JSON object in one line is expected"}
        return await self._do(request)

    async def _do(self, request: Request) -> dict[str, Any]:
        command = self._commands.get(request.command)
        if command is None:
            return {"error": f"unknown command {request.command!r}"}
        if command.changes and request.uid not in {0, os.geteuid()}:
            return {"error": f"{request.command} changes the log: only root and the receiver's own user may"}
        try:
            return {"result": await command.run(request)}
        except ReceiverError as error:
            return {"error": str(error)}
        except Exception as error:
            log.exception("a bug of ours, on the control socket")
            return {"error": f"a bug of ours: {type(error).__name__}: {error}"}

    @staticmethod
    def _read(line: bytes, sock: socket.socket) -> Request:
        command, arguments = parse_request(line)
        _, uid, _ = _CREDENTIALS.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))
        return Request(command, arguments, user_name(uid), uid)


def request_line(command: str, arguments: Mapping[str, Any]) -> bytes:
    """Write a request; StoreRefused for text that is no Unicode (a command line may hold any bytes)."""
    try:
        return json.dumps({"command": command, **arguments}, ensure_ascii=False).encode() + b"\n"
    except UnicodeEncodeError:
        raise StoreRefused(f"{command}: what was given is not valid UTF-8") from None


def parse_request(line: bytes) -> tuple[str, dict[str, Any]]:
    """Read a request's command and arguments; raises ValueError.

    Only what SQLite and the log can hold: Unicode (orjson refuses halves of surrogate pairs, and NaN), integers of 64
    bits, and no deeper than any other JSON.
    """
    asked = orjson.loads(line)
    if not isinstance(asked, dict) or not isinstance(asked.get("command"), str):
        raise ValueError("not a request")  # noqa: TRY004 - of a value, not of ours
    level: list[Any] = [asked]
    for _ in range(limits.JSON_DEPTH):
        if any(type(value) is int and not -_INTEGERS <= value < _INTEGERS for value in level):
            raise ValueError("an integer beyond 64 bits")
        nested = [value for value in level if isinstance(value, dict | list)]
        level = list(chain.from_iterable(value.values() if isinstance(value, dict) else value for value in nested))
    if level:
        raise ValueError("nested too deeply")
    return asked.pop("command"), asked


def user_name(uid: int) -> str:
    """Give a user's name, or the number as text when the system knows none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def ask(folder: Path, command: str, *, seconds: float | None = None, **arguments: Any) -> Any:
    """Ask the receiver that runs on this store; LookupError when none does, StoreRefused with its reason for a no.

    seconds: how long to wait for the answer; None is as long as it takes.
    """
    line = request_line(command, arguments)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        try:
            with _in_folder(folder) as place:
                sock.connect(place)
        except (FileNotFoundError, ConnectionRefusedError):
            raise LookupError("no receiver runs on this store") from None
        except OSError as error:
            if error.errno not in {errno.EACCES, errno.EPERM}:
                raise
            raise StoreRefused(f"{folder / SOCKET_NAME}: {error.strerror}") from None
        sock.settimeout(seconds)
        sock.sendall(line)
        with sock.makefile("rb") as answers:
            said = answers.readline()
    if not said:
        raise StoreRefused("the receiver hung up: it is being stopped, or too many ask at once")
    answer = json.loads(said)
    if "error" in answer:
        raise StoreRefused(answer["error"])
    return answer["result"]


@contextlib.contextmanager
def _in_folder(folder: Path) -> Iterator[str]:
    """Name the socket by way of its open folder: an address holds 107 bytes, and paths may be longer (unix(7))."""
    handle = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{SOCKET_NAME}"
    finally:
        os.close(handle)
