"""The command line as its users meet it: arguments in, output and an exit code out."""

from __future__ import annotations

import asyncio
import io
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from receiver.cli import location, main
from receiver.cli.location import CONFIG_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from receiver.event import Event


class Answer(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


@pytest.fixture
def cli(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Answer]:
    """Run one command in this process, on a machine without configuration; `stdin` is its standard input."""
    monkeypatch.delenv(CONFIG_VARIABLE, raising=False)
    monkeypatch.setattr(location, "SYSTEM_CONFIG", tmp_path / "no-config.yaml")
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: object, stdin: bytes = b"") -> Answer:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main([str(argument) for argument in arguments])
        return Answer(code, *capsys.readouterr())

    return run


def fill_store(folder: Path, events: Sequence[Event], segment_events: int = 1_000_000) -> None:
    """Write a store as the receiver does, and close it."""
    from receiver.store import Store, StorePolicy

    async def fill() -> None:
        policy = StorePolicy(max_events=segment_events, max_age_seconds=86_400.0, min_free_bytes=0)
        store = await Store.open(folder, policy)
        try:
            await store.append(events)
        finally:
            await store.close()

    asyncio.run(fill())
