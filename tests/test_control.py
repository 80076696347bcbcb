"""The control socket: who asks is known, what is asked is bounded, and a dead receiver's socket is no receiver."""

from __future__ import annotations

import asyncio
import json
import os
import pwd
import socket
from typing import TYPE_CHECKING, Any

import pytest

from receiver import limits
from receiver.control import (
    SOCKET_NAME,
    Command,
    ControlServer,
    Request,
    ask,
    parse_request,
    request_line,
    user_name,
)
from receiver.errors import StoreFull, StoreRefused

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


async def _echo(request: Request) -> Any:
    return {"user": request.user, "uid": request.uid, **request.arguments}


async def _full(request: Request) -> Any:
    raise StoreFull("no space")


async def _bug(request: Request) -> Any:
    raise KeyError(request.command)


COMMANDS = {
    "echo": Command(_echo, changes=False), "change": Command(_echo), "full": Command(_full), "bug": Command(_bug),
}  # fmt: skip


@pytest.fixture
async def folder(tmp_path: Path) -> AsyncIterator[Path]:
    deep = tmp_path / ("long" * 30)
    deep.mkdir()
    server = ControlServer(deep, COMMANDS)
    await server.start()
    yield deep
    await server.stop()


async def test_who_asks_is_known_to_the_kernel(folder: Path) -> None:
    # The name in the log is the peer's credentials', never what the request claims. (The path is beyond 107 bytes.)
    answer = await asyncio.to_thread(ask, folder, "echo", words="any", uid=77)
    assert answer == {"user": pwd.getpwuid(os.geteuid()).pw_name, "uid": 77, "words": "any"}


async def test_what_goes_wrong_is_one_sentence(folder: Path) -> None:
    # The asker prints it; a bug of ours does not end the receiver.
    for command, sentence in (("full", "no space"), ("nothing", "unknown command"), ("bug", "a bug of ours: KeyError")):
        with pytest.raises(StoreRefused, match=sentence):
            await asyncio.to_thread(ask, folder, command)
    assert await asyncio.to_thread(ask, folder, "echo")


async def test_only_root_and_the_receiver_itself_may_change_the_log(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Reviewers reach the socket to leave their note.
    me = os.geteuid()
    answer = await asyncio.to_thread(ask, folder, "change")
    assert answer["uid"] == me
    monkeypatch.setattr("receiver.control._CREDENTIALS", type("S", (), {"size": 12, "unpack": lambda *_: (1, 4321, 1)}))
    with pytest.raises(StoreRefused, match="only root"):
        await asyncio.to_thread(ask, folder, "change")
    assert (await asyncio.to_thread(ask, folder, "echo"))["user"] == "4321"


@pytest.mark.parametrize("garbage", [b"\n", b"[]\n", b"{}\n", b"nonsense\n", b'{"command": 1}\n', b"\xff\n", b""])
async def test_garbage_is_answered(folder: Path, garbage: bytes) -> None:
    # Anybody in the group can write here.
    reader, writer = await _connect(folder)
    writer.write(garbage)
    writer.write_eof()
    assert "error" in json.loads(await reader.readline())
    writer.close()


async def test_a_request_without_end_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Neither memory nor a connection is held for ever.
    reader, writer = await _connect(folder)
    writer.write(b"x" * (limits.CONTROL_BYTES + 100_000))
    assert "error" in json.loads(await reader.readline())
    writer.close()
    monkeypatch.setattr(limits, "CONTROL_SECONDS", 0.05)
    reader, writer = await _connect(folder)
    assert json.loads(await reader.readline()) == {"error": "no request came"}
    writer.close()


async def test_a_socket_left_behind_is_no_receiver(tmp_path: Path) -> None:
    # After kill -9 the file is still there: nobody listens, and the next start replaces it.
    with pytest.raises(LookupError):
        ask(tmp_path, "echo")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET_NAME))
    with pytest.raises(LookupError):
        ask(tmp_path, "echo")
    server = ControlServer(tmp_path, COMMANDS)
    await server.start()
    assert (tmp_path / SOCKET_NAME).stat().st_mode & 0o777 == 0o660
    assert await asyncio.to_thread(ask, tmp_path, "echo")
    await server.stop()
    assert not (tmp_path / SOCKET_NAME).exists()


def test_a_user_without_a_name_is_a_number() -> None:
    # Containers have such.
    assert user_name(54_321) == "54321"


async def _connect(folder: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    handle = os.open(folder, os.O_PATH)
    try:
        return await asyncio.open_unix_connection(f"/proc/self/fd/{handle}/{SOCKET_NAME}")
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    "line",
    [
        rb'{"command":"echo","x":"\ud800"}', rb'{"command":"echo","x":NaN}',
        b'{"command":"echo","x":9223372036854775808}', b'{"command":"echo","x":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"command":"echo","x":' + b"[" * 10_000, b"[]", b"", b'{"command":1}', b"\xff",
        b'{"command":"echo","x":"\xed\xa0\x80"}',
    ],
    ids=["surrogate", "nan", "65-bits", "deep", "deeper", "list", "nothing", "number", "no-utf8", "encoded-surrogate"],
)  # fmt: skip
def test_what_the_log_cannot_hold_is_no_request(line: bytes) -> None:
    # It would be an exception in SQLite, or an event that is not valid JSON, and in each case a bug of ours.
    with pytest.raises(ValueError):  # noqa: PT011 - orjson's own is one
        parse_request(line)


def test_a_command_line_with_any_bytes_is_refused_in_one_sentence() -> None:
    # Python hands bytes that are no UTF-8 over as halves of surrogate pairs.
    with pytest.raises(StoreRefused, match="not valid UTF-8"):
        request_line("hold-add", {"reason": "\udcff"})
    assert parse_request(request_line("echo", {"x": -(2**63), "y": "é"})) == ("echo", {"x": -(2**63), "y": "é"})
