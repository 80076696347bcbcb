"""How commands change the log: they ask the receiver that runs on the store, or do it themselves when none does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from receiver.cli.location import config_of, store_folder

if TYPE_CHECKING:
    import argparse
    from pathlib import Path


def change(args: argparse.Namespace, command: str, **arguments: Any) -> Any:
    """Have one request done, by whoever holds the store. Raises StoreRefused with the reason for a no."""
    from receiver.control import ask

    folder = store_folder(args)
    try:
        return ask(folder, command, **arguments)
    except LookupError:
        return _alone(args, folder, command, arguments)


def _alone(args: argparse.Namespace, folder: Path, command: str, arguments: dict[str, Any]) -> Any:
    from receiver.config import load_config
    from receiver.offline import change as change_offline

    config = config_of(args)
    if config is None:
        config = load_config(None)
        config = config.model_copy(update={"store": config.store.model_copy(update={"path": folder})})
    return change_offline(config, command, arguments)
