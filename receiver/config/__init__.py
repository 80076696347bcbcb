"""The configuration file: read, checked, and handed on as frozen values.

Knows YAML, pydantic and `receiver.limits` (the defaults). Knows no room: `app` hands the values on. `values.py` says
how a value is written, `model.py` which keys there are, `source.py` on which line they stand, `settings.py` writes
them down for the README.

Every problem is one line: file, line, key, what is wrong and what was probably meant. Unknown keys are refused: a
setting that silently does nothing is worse than a receiver that does not start.
"""

from __future__ import annotations

import json
import os
from hashlib import sha256
from typing import TYPE_CHECKING, Final

from pydantic import BaseModel, ValidationError

from receiver.config.model import (
    Config,
    Http,
    Ingest,
    KeepRaw,
    Limits,
    Listener,
    ListenerType,
    Segment,
    Store,
    Tls,
)
from receiver.config.settings import Setting, section_in, settings, settings_table
from receiver.config.source import Source
from receiver.config.values import CREDENTIALS_PREFIXES, Address, Location, Misplaced, Network, meant
from receiver.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydantic_core import ErrorDetails

__all__ = [
    "Address",
    "Config",
    "Http",
    "Ingest",
    "KeepRaw",
    "Limits",
    "Listener",
    "ListenerType",
    "Network",
    "Segment",
    "Setting",
    "Store",
    "Tls",
    "digest_of",
    "is_credential",
    "load_config",
    "located",
    "named_files",
    "problems",
    "settings",
    "settings_table",
]


def load_config(path: Path | None = None) -> Config:
    """Read the file, or take the defaults without one. Raises ConfigError: one line a problem."""
    if path is None:
        return Config()
    config, found = _read(path)
    if config is None:
        raise ConfigError("\n".join(found))
    return config


def digest_of(config: Config) -> str:
    """Give the SHA-256 of what is configured, in hex: the log tells by it when that changed. No secret is in it."""
    values = config.model_dump(warnings=False)  # an address is a tuple, which pydantic finds worth a warning
    values["zones"] = {str(network): zone for network, zone in config.zones.items()}  # keys of JSON are texts
    return sha256(json.dumps(values, default=str, sort_keys=True).encode()).hexdigest()


def problems(path: Path) -> list[str]:
    """List what is wrong with the file, one line each: what `load_config` refuses, and files it names that are missing.

    Those are no business of a command that only reads the store, so `load_config` does not look.
    """
    return _read(path, look_at_files=True)[1]


def located(path: Path, found: list[tuple[Location, str]]) -> list[str]:
    """Write problems that were found elsewhere as `problems` writes its own: with file, line and key."""
    source = Source(path)
    source.problems += found
    return source.lines()


def _read(path: Path, *, look_at_files: bool = False) -> tuple[Config | None, list[str]]:
    source = Source(path)
    if source.problems:
        return None, source.lines()
    try:
        config = Config.model_validate(_as_meant(source), context={"folder": path.parent})
    except ValidationError as error:
        for details in error.errors(include_url=False):
            source.problems += _explain(details)
        return None, source.lines()
    if look_at_files:
        source.problems += _missing_files(config)
    return config, source.lines()


def _as_meant(source: Source) -> object:
    """Give the data. `http: null` in so many letters is no HTTP; a section with nothing in it is the default one."""
    if ("http",) in source.written_nulls and isinstance(source.data, dict):
        return {**source.data, "http": {"listen": None}}
    return source.data


_SENTENCES: Final = {
    "missing": "is missing",
    "model_type": "must be a section with keys of its own",
    "model_attributes_type": "must be a section with keys of its own",
    "dict_type": "must be a section with keys of its own",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "invalid_key": "a key must be text: put it in quotes",
}


def _explain(details: ErrorDetails) -> Iterator[tuple[Location, str]]:
    """Say one pydantic error in our words, at the key it is about."""
    at = tuple(part for part in details["loc"] if part != "[key]")
    error = details.get("ctx", {}).get("error")
    if isinstance(error, Misplaced):
        for deeper, sentence in error.problems:
            yield (*at, *deeper), sentence
    elif details["type"] == "extra_forbidden":
        known = sorted(_keys_at(at[:-1]))
        hint = meant(str(at[-1]), known) or f" (known here: {', '.join(known)})"
        yield at, f"unknown key{hint}"
    elif isinstance(error, ValueError):
        yield at, str(error)
    else:
        yield at, _SENTENCES.get(details["type"], details["msg"])


def _keys_at(location: Location) -> list[str]:
    """List the keys that the section at this place knows."""
    section: type[BaseModel] = Config
    for part in location:
        if isinstance(part, str):
            section = section_in(section.model_fields[part].annotation) or section
    return list(section.model_fields)


def _missing_files(config: Config) -> Iterator[tuple[Location, str]]:
    for index, pack in enumerate(config.packs):
        if not pack.exists():
            yield ("packs", index), f"{pack}: no such folder"
    for at, file in named_files(config):
        if not is_credential(file) and not os.access(file, os.R_OK):
            yield at, f"{file}: cannot be read"


def is_credential(file: Path) -> bool:
    """Say whether only systemd knows where this file is, and we are not in its service."""
    return str(file).startswith(CREDENTIALS_PREFIXES) and not file.is_absolute()


def named_files(config: Config) -> Iterator[tuple[Location, Path]]:
    """List the files that listeners and publishing need, each at its key."""
    for index, listener in enumerate(config.listeners):
        for key in ("certificate", "key", "client_ca"):
            file: Path | None = getattr(listener.tls, key, None)
            if file is not None:
                yield ("listeners", index, "tls", key), file
        for place, file in enumerate(listener.tokens or ()):
            yield ("listeners", index, "tokens", place), file
    for index, target in enumerate(config.publish):
        for key in ("token_file", "ca"):
            file = getattr(target, key)
            if file is not None:
                yield ("publish", index, key), file
