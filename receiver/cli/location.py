"""Which configuration, and which store: what --config and --store mean, and what holds without them."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from receiver.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from receiver.config import Config
    from receiver.key_files import KeyFolder
    from receiver.store import Reader

CONFIG_VARIABLE: Final = "AUDIT_RECEIVER_CONFIG"
SYSTEM_CONFIG: Final = Path("/etc/audit-receiver/config.yaml")


def config_path(args: argparse.Namespace) -> Path:
    """Find the configuration file: as given, as the environment says, or the system's."""
    named = args.config or os.environ.get(CONFIG_VARIABLE)
    if named:
        return Path(named)
    if SYSTEM_CONFIG.exists():
        return SYSTEM_CONFIG
    raise ConfigError(f"which configuration? Give --config FILE or set ${CONFIG_VARIABLE} (no {SYSTEM_CONFIG} here)")


def store_folder(args: argparse.Namespace) -> Path:
    """Find the store's folder; it must be there already, since reading creates nothing."""
    if args.store is not None:
        folder: Path = args.store
    elif args.config or CONFIG_VARIABLE in os.environ or SYSTEM_CONFIG.exists():
        from receiver.config import load_config

        folder = load_config(config_path(args)).store.path
    else:
        raise ConfigError(
            f"which store? Give --store DIR or --config FILE, or set ${CONFIG_VARIABLE} (no {SYSTEM_CONFIG} here)"
        )
    if not folder.is_dir():
        raise ConfigError(f"no store at {folder}: {'not a folder' if folder.exists() else 'no such folder'}")
    return folder


def config_of(args: argparse.Namespace) -> Config | None:
    """Read the configuration, if one was named or is the system's; a store alone has none."""
    if args.store is not None or not (args.config or CONFIG_VARIABLE in os.environ or SYSTEM_CONFIG.exists()):
        return None
    from receiver.config import load_config

    return load_config(config_path(args))


def keys_of(config: Config | None, folder: Path) -> KeyFolder:
    """Find the keys of a store: where the configuration says, or beside it."""
    from receiver.key_files import KeyFolder

    named = config.evidence.key_dir if config is not None else None
    return KeyFolder(named or folder.absolute().parent / "keys", folder)


@contextmanager
def open_reader(args: argparse.Namespace) -> Iterator[Reader]:
    """Open the store read-only for one command, and leave a note of it in the log of a running receiver.

    The note follows the reading, so that no command finds its own; one that follows the log leaves it first.
    """
    from receiver.cli.noting import note_reading
    from receiver.store import Reader

    reader = Reader(store_folder(args))
    follows = getattr(args, "follow", False)
    if follows:
        note_reading(args)
    try:
        yield reader
    finally:
        reader.close()
        if not follows:
            note_reading(args)
