"""How a value is written: sizes, durations, addresses, networks, time zones, paths.

Knows text and pydantic's way of calling a validator; knows no key. Each refusal is one sentence that says what is
wanted and, where it can be guessed, what was meant.
"""
# No `from __future__ import annotations`: pydantic reads the annotations when the classes are made.

import math
import os
import re
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Final, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BeforeValidator, PlainValidator, ValidationInfo

from receiver.limits import KIB, MIB

Network = IPv4Network | IPv6Network
Location = tuple[str | int, ...]

GIB: Final = 1024 * MIB
DAY: Final = 86_400.0
CREDENTIALS_VARIABLE: Final = "CREDENTIALS_DIRECTORY"
CREDENTIALS_PREFIXES: Final = ("%d/", f"${CREDENTIALS_VARIABLE}/", f"${{{CREDENTIALS_VARIABLE}}}/")


class Misplaced(ValueError):
    """Problems deeper than the value that a validator looks at."""

    def __init__(self, problems: list[tuple[Location, str]]) -> None:
        super().__init__(problems)
        self.problems = problems


class Address(NamedTuple):
    """Where to listen: host is "" for all interfaces, IPv4 and IPv6."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host or "*"
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a unit, within its range; called as a validator."""

    units: Mapping[str, float]
    shown: tuple[str, ...]
    """The units to write it with, largest first."""
    wanted: str
    least: float
    most: float

    def __call__(self, value: object) -> float:
        """Read a plain number, or text with a unit."""
        number = self._number(value)
        if not self.least <= number <= self.most:
            raise ValueError(f"must be between {self.show(self.least)} and {self.show(self.most)}")
        return number

    def _number(self, value: object) -> float:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return value
        match = re.fullmatch(r"(\d{1,15}(?:\.\d{1,6})?)\s*([A-Za-z]*)", value) if isinstance(value, str) else None
        unit = self.units.get(match[2].lower()) if match else None
        if match is None or unit is None:
            raise ValueError(f"must be {self.wanted}")
        number = float(match[1]) * unit
        return int(number) if number.is_integer() else number

    def show(self, number: float) -> str:
        """Write the number as an operator would."""
        for unit in self.shown:
            times = number / self.units[unit.lower()]
            if times >= 1 and math.isclose(times, round(times)):
                return f"{times:.0f}{unit}"
        return f"{number:g}"


_SIZE_UNITS: Final = {
    "": 1, "b": 1, "k": KIB, "m": MIB, "g": GIB, "t": 1024 * GIB,
    "kib": KIB, "mib": MIB, "gib": GIB, "tib": 1024 * GIB,
    "kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
}  # fmt: skip
"""A bare letter is the binary unit, as in systemd and rsyslog."""
_TIME_UNITS: Final = {"": 1, "ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": DAY, "w": 7 * DAY}


def size(least: float, most: float) -> BeforeValidator:
    """Take bytes, within this range."""
    quantity = Quantity(_SIZE_UNITS, ("TiB", "GiB", "MiB", "KiB", "B"), "a size such as 64MiB or 512k", least, most)
    return BeforeValidator(quantity)


def duration(least: float, most: float) -> BeforeValidator:
    """Take seconds, within this range."""
    quantity = Quantity(_TIME_UNITS, ("d", "h", "m", "s", "ms"), "a duration such as 200ms, 60s or 1d", least, most)
    return BeforeValidator(quantity)


def or_unset(quantity: BeforeValidator) -> BeforeValidator:
    """Let a quantity be left out."""
    read: Callable[[object], object] = quantity.func  # type: ignore[assignment]
    return BeforeValidator(lambda value: None if value is None else read(value))


def count(least: int, most: int) -> BeforeValidator:
    """Take a number of things, within this range."""
    return BeforeValidator(Quantity({"": 1}, ("",), "a whole number", least, most))


def meant(word: str, choices: Iterable[str]) -> str:
    """Suggest one of the choices, or say nothing."""
    close = get_close_matches(word, list(choices), n=1, cutoff=0.6)
    return f' (did you mean "{close[0]}"?)' if close else ""


def as_text(value: object) -> str:
    """Take printable text, and not empty."""
    if not isinstance(value, str):
        raise ValueError("must be text: put it in quotes")  # noqa: TRY004 - pydantic wants a ValueError
    if not value or not value.isprintable():
        raise ValueError("must be printable text, and not empty")
    return value


def choice(choices: type[StrEnum]) -> BeforeValidator:
    """Take one of the enum's values."""

    def choose(value: object) -> object:
        names = [str(name) for name in choices]
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}{meant(str(value), names)}")
        return value

    return BeforeValidator(choose)


def one_of(names: Iterable[str]) -> BeforeValidator:
    """Take one of a list of names."""
    known = tuple(names)

    def read(value: object) -> str:
        if value not in known:
            raise ValueError(f"must be one of {', '.join(known)}{meant(str(value), known)}")
        return str(value)

    return BeforeValidator(read)


def _zone(value: object) -> ZoneInfo:
    if isinstance(value, ZoneInfo):
        return value
    name = as_text(value)
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # a path, a folder of zones, no such zone
        names = sorted(available_timezones())
        hint = meant(name, names) or ' (IANA names, such as "Europe/Berlin")'
        raise ValueError(f'no time zone "{name}"{hint}') from None


def _network(value: object) -> Network:
    if isinstance(value, IPv4Network | IPv6Network):
        return value
    text = as_text(value)
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        wider = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f'"{text}" is not a network (as 10.0.0.0/8 or fd00::/8) nor an address') from None
    raise ValueError(f'"{text}" has bits set beyond its prefix (did you mean "{wider}"?)')


_ADDRESS: Final = re.compile(r"(?:\[(?P<v6>[0-9A-Fa-f:.]+(?:%\w+)?)\]|(?P<host>[^\s:/\[\]]*)):(?P<port>[0-9]{1,5})")


def as_address(value: object) -> Address:
    """Take "host:port"; "*:port" and ":port" are all interfaces, an IPv6 address stands in brackets."""
    if isinstance(value, Address):
        return value
    match = _ADDRESS.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match["port"]) > 65_535 or not _is_ipv6(match["v6"] or "::"):
        raise ValueError('must be "host:port", as "*:514", "127.0.0.1:514" or "[::1]:514" (with the quotes)')
    host = match["v6"] or match["host"]
    return Address("" if host == "*" else host, int(match["port"]))


def _is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def as_path(value: object, info: ValidationInfo) -> Path:
    """Take a path relative to the folder of the config file."""
    folder: Path = (info.context or {}).get("folder", Path())
    return folder / (value if isinstance(value, Path) else as_text(value))


def _credential_path(value: object, info: ValidationInfo) -> Path:
    """Take a path; %d/ or $CREDENTIALS_DIRECTORY/ in front stands for systemd's folder of credentials.

    Without that variable the path stays as written: `query` must work outside the service too.
    """
    for prefix in CREDENTIALS_PREFIXES:
        if isinstance(value, str) and value.startswith(prefix):
            return Path(os.environ.get(CREDENTIALS_VARIABLE, prefix[:-1])) / value.removeprefix(prefix)
    return as_path(value, info)


def as_list(value: object) -> object:
    """Take a list; a key without a value is none."""
    if not isinstance(value, list | tuple):
        raise ValueError("must be a list")  # noqa: TRY004 - pydantic wants a ValueError
    return value


def not_empty(value: tuple[object, ...]) -> tuple[object, ...]:
    """Refuse a list that names nothing: it could mean nobody or everybody."""
    if not value:
        raise ValueError("is empty: leave the key out if nothing is meant")
    return value


def unique(value: tuple[Hashable, ...]) -> tuple[Hashable, ...]:
    """Refuse a list that names something twice."""
    for index, item in enumerate(value):
        if item in value[:index]:
            raise Misplaced([((index,), f'"{item}" stands there twice')])
    return value


Text = Annotated[str, BeforeValidator(as_text)]
AnyNetwork = Annotated[Network, PlainValidator(_network)]
Zone = Annotated[ZoneInfo, PlainValidator(_zone)]
ListenAddress = Annotated[Address, PlainValidator(as_address)]
FilePath = Annotated[Path, BeforeValidator(as_path)]
CredentialPath = Annotated[Path, BeforeValidator(_credential_path)]
