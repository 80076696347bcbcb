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


@contextmanager
def open_reader(args: argparse.Namespace) -> Iterator[Reader]:
    """Open the store read-only for one command."""
    folder = store_folder(args)
    from receiver.store import Reader

    reader = Reader(folder)
    try:
        yield reader
    finally:
        reader.close()
