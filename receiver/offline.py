"""Changes to the log while no receiver runs on it: the lock is taken, one request answered, all of it signed.

Knows how a receiver joins store, keys and keeper, and does the same without listeners. What is done is what a running
receiver would do for the same request. Root works as the store's owner, so that no file is left that the service
cannot use.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from typing import TYPE_CHECKING, Any

from receiver.app import care_policy, key_folder, store_policy
from receiver.care.checkpointer import Checkpointer
from receiver.care.keeper import Keeper
from receiver.care.requests import control_commands
from receiver.control import Request, parse_request, request_line, user_name
from receiver.counters import EvidenceCounters
from receiver.errors import StoreRefused
from receiver.event import Event, Outcome
from receiver.own_acts import own_act
from receiver.owner import owner_of, work_as
from receiver.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.config import Config


def change(config: Config, command: str, arguments: Mapping[str, Any]) -> Any:
    """Do what a running receiver would do for this request. Raises a ReceiverError."""
    user = user_name(os.getuid())
    try:
        _, read = parse_request(request_line(command, arguments))  # held to what the socket takes
    except ValueError as error:
        raise StoreRefused(f"{command}: {error}") from None
    work_as(owner_of(config.store.path))
    return asyncio.run(_change(config, Request(command, read, user, os.getuid())))


async def _change(config: Config, request: Request) -> Any:
    folder = key_folder(config)
    store = await Store.open(config.store.path, store_policy(config))
    try:
        keys = folder.load_or_make(config.evidence.origin)
        counters = EvidenceCounters()
        checkpointer = Checkpointer(store, keys, folder, counters)
        keeper = Keeper(store, checkpointer, care_policy(config), _act, counters, lambda _: None)
        await keeper.start()
        result = await control_commands(keeper, lambda: True)[request.command].run(request)
        await keeper.turn()
        await keeper.stop()
        return result
    finally:
        await store.close()


def _act(
    action: str, outcome: Outcome = Outcome.SUCCESS, reason: str | None = None, data: Any = None, **more: Any
) -> Event:
    now = time.time_ns() // 1000
    host, pid = socket.gethostname(), os.getpid()
    return own_act(action, now, host=host, pid=pid, outcome=outcome, reason=reason, data=data, **more)
