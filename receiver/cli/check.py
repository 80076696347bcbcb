"""`check`: the configuration, the files and the packs it names, before the receiver is asked to run with them."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Final

from receiver.cli.location import config_path
from receiver.cli.parser import add_command, add_location
from receiver.cli.terminal import escape
from receiver.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from receiver.cli.parser import Commands
    from receiver.config import Config
    from receiver.config.values import Location

_ABOUT: Final = """\
Check the configuration and what it names: every problem with file, line and key. Certificates, keys and tokens must be
usable (those of systemd's credentials are seen by the service alone); packs of rules must do what their samples say,
and no pattern may be slow. What works, but hardly as meant, is a warning. Exit code 0: the receiver can run
with it; 1: it cannot, or not as its author means; 2: the file cannot be read."""

_EXAMPLES: Final = "audit-receiver check --config config.yaml && systemctl reload audit-receiver"
_BAD: Final = 1


def register(commands: Commands) -> None:
    """Add the command."""
    add_location(add_command(commands, "check", run, "check the configuration and its packs", _ABOUT, _EXAMPLES))


def run(args: argparse.Namespace) -> int:
    """Print every problem, or what the configuration amounts to."""
    if args.store is not None:
        raise ConfigError("check needs --config FILE: a store has no configuration")
    path = config_path(args)
    path.read_bytes()  # a file that cannot be read has no bad content: OSError, exit code 2
    found = list(_problems(path))
    for problem in found:
        print(escape(problem))
    if found:
        sys.stdout.flush()
        return _BAD
    for warning in _warnings(path):
        print(escape(warning))
    print(escape(_summary(path)))
    return 0


def _problems(path: Path) -> Iterator[str]:
    from receiver.config import load_config, located, problems

    found = problems(path)
    yield from found
    try:
        config = load_config(path)
    except ConfigError:  # said already; which packs it means is unknown
        return
    if not found:
        yield from located(path, list(_secret_problems(config)))
    yield from _pack_problems([place for place in config.packs if place.exists()])


def _secret_problems(config: Config) -> Iterator[tuple[Location, str]]:
    """Read certificates, keys and tokens as the receiver would at its start; what systemd hands over is not here."""
    from receiver.app import listener_settings, publish_target
    from receiver.config import is_credential, named_files
    from receiver.listen import read_secrets

    elsewhere = {at[:2] for at, file in named_files(config) if is_credential(file)}
    reading: dict[Location, Callable[[], object]] = {
        **{
            ("listeners", index): partial(read_secrets, listener_settings(listener, config))
            for index, listener in enumerate(config.listeners)
        },
        **{("publish", index): partial(publish_target, place) for index, place in enumerate(config.publish)},
    }
    for at, read in reading.items():
        try:
            if at not in elsewhere:
                read()
        except ConfigError as error:
            yield at, str(error)


def _pack_problems(places: Sequence[Path]) -> Iterator[str]:
    """Name what is wrong with each file of rules; with all of them together only when each is right by itself."""
    from receiver.normalize import load_packs
    from receiver.normalize.check import check_packs, slow_patterns

    found = [f"{place}: no file of rules (*.yaml) in it" for place in places if not list(_files([place]))]
    for file in _files(places):
        try:
            load_packs([file])
        except ConfigError as error:
            found.append(str(error))
    if found:
        return iter(found)
    try:
        packs = load_packs(places)
    except ConfigError as error:
        return iter([str(error)])
    own = [pack for pack in packs if not pack.built_in]
    return iter([*check_packs(packs, own), *slow_patterns(own, time.process_time)])


def _warnings(path: Path) -> Iterator[str]:
    """Name what the receiver can run with, though hardly as its author means; for a file without problems."""
    from receiver.config import load_config, located
    from receiver.normalize import load_packs

    config = load_config(path)
    kept, span = config.retention.max_age, config.store.segment.max_age
    if kept is not None and kept < span:
        text = f"warning: whole segments go, by their newest event: store.segment.max_age ({span / 3600:g} h) is longer"
        yield from located(path, [(("retention", "max_age"), f"{text}, and some events stay that much longer")])
    packs = load_packs(config.packs)
    built_in = {pack.name for pack in packs if pack.built_in}
    for pack in packs:
        if not pack.built_in and pack.name in built_in:
            text = "is the name of a built-in pack too: both work, and nobody can tell their rules apart by `rule`"
            yield f"{pack.file}: warning: pack {pack.name}: {text}"


def _files(places: Sequence[Path]) -> Iterator[Path]:
    for place in places:
        yield from sorted(place.glob("*.y*ml")) if place.is_dir() else [place]


def _summary(path: Path) -> str:
    from receiver.config import load_config
    from receiver.normalize import load_packs

    config = load_config(path)
    packs = load_packs(config.packs)
    rules = sum(len(pack.rules) for pack in packs)
    doors = ", ".join(f"{door.name} ({door.type} on {door.listen})" for door in config.listeners)
    return f"{path}: good. Listeners: {doors}. Store: {config.store.path}. Rules: {rules} in {len(packs)} packs."
