"""Asks the receiver that runs: over the control socket of its store, else what it shows over HTTP."""

from __future__ import annotations

import urllib.request
from typing import TYPE_CHECKING, Final
from urllib.error import URLError

from prometheus_client.parser import text_string_to_metric_families

from receiver.control import ask
from receiver.doctor.facts import Running
from receiver.errors import StoreRefused

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.config import Config

_SECONDS: Final = 5.0
_MOST_BYTES: Final = 16 * 1024 * 1024


def ask_running(folder: Path, config: Config) -> tuple[Running | None, str | None]:
    """Give the receiver's answer; without one, why it could not be asked: None is that none runs."""
    try:
        status = ask(folder, "status", seconds=_SECONDS)
    except LookupError:
        return None, None
    except (StoreRefused, OSError) as error:  # not our store to ask about, or an older receiver
        return _over_http(config, str(error))
    return Running(status["pid"], tuple(status["problems"]), parse_samples(status["metrics"])), None


def _over_http(config: Config, why: str) -> tuple[Running | None, str]:
    address = config.http.listen
    if address is None:
        return None, why
    host = f"[{address.host}]" if ":" in address.host else address.host or "127.0.0.1"
    url = f"http://{host}:{address.port}/metrics"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:
            samples = parse_samples(answer.read(_MOST_BYTES).decode(errors="replace"))
    except (URLError, OSError, ValueError) as error:
        return None, f"{why}; {url}: {getattr(error, 'reason', error)}"
    problems = () if samples.get("audit_receiver_ready", {}).get(()) else (f"see {url.removesuffix('metrics')}readyz",)
    return Running(0, problems, samples), why


def parse_samples(text: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Read the exposition format; raises ValueError."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = tuple(value for _, value in sorted(sample.labels.items()))
            found.setdefault(sample.name, {})[labels] = sample.value
    return found
