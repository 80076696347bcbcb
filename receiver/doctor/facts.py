"""What is known when a receiver is examined: values only. None is "could not be found out", which is no fault."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from receiver.config import Config


class State(StrEnum):
    """How a finding is meant."""

    MEND = "mend"
    """Something is lost, refused or unprotected, or soon will be."""
    ADVICE = "advice"
    """It works; it could be safer."""


class Finding(NamedTuple):
    """One thing that was found."""

    check: str
    state: State
    says: str
    mend: str
    """A command, as it can be typed; or what to change in the configuration."""


@dataclass(frozen=True)
class Running:
    """A receiver that answered."""

    pid: int
    problems: tuple[str, ...]
    """Why it is not ready."""
    samples: Mapping[str, Mapping[tuple[str, ...], float]]
    """Its metrics: by name, by the values of their labels in the order of the labels' names."""

    def value(self, name: str, *labels: str) -> float:
        """Give one sample; 0 where there is none."""
        return self.samples.get(f"audit_receiver_{name}", {}).get(labels, 0.0)

    def by(self, name: str) -> Mapping[tuple[str, ...], float]:
        """Give all samples of one name."""
        return self.samples.get(f"audit_receiver_{name}", {})

    def total(self, name: str) -> float:
        """Give the sum over all labels."""
        return sum(self.by(name).values())


class Clock(NamedTuple):
    """What the kernel says of its clock (adjtimex(2))."""

    synchronised: bool
    error_seconds: float


class KeyFolderFacts(NamedTuple):
    """The folder of the private keys."""

    path: Path
    mode: int
    open_files: tuple[str, ...]
    """Key files that others than their owner may read."""
    in_store: bool


class Unit(NamedTuple):
    """The systemd service, where there is one."""

    active: str
    result: str
    restarts: int
    files: int
    """LimitNOFILE="""


@dataclass(frozen=True)
class Host:
    """The machine."""

    now: float
    """Unix time."""
    rmem_max: int | None = None
    clock: Clock | None = None
    disk_free: int | None = None
    files: int | None = None
    """Descriptors that the running receiver may open."""
    keys: KeyFolderFacts | None = None
    unit: Unit | None = None
    has_systemd: bool = False
    """systemd runs this machine, whether or not it knows the unit."""
    udp_drops: Mapping[int, int] | None = None
    """Datagrams that the kernel dropped, by port."""


@dataclass(frozen=True)
class Facts:
    """All of it. unreachable: why the receiver could not be asked, where that is not because none runs."""

    config: Config
    config_path: Path | None
    host: Host
    running: Running | None = None
    unreachable: str | None = None
    unit_name: str = field(default="audit-receiver")
    unit_wanted: bool = False
    """The operator named it."""
