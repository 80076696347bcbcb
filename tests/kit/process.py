"""The real receiver as a process of its own: started on ephemeral ports, waited for, asked, ended by its pid."""

from __future__ import annotations

import http.client
import itertools
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from tests.kit.waiting import PATIENCE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

COMMAND = (sys.executable, "-m", "receiver")
ROOT = Path(__file__).resolve().parents[2]
STOP_SECONDS = 60.0
"""How long a stop may take: TimeoutStopSec= of the service."""
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


def wait_for(
    condition: Callable[[], Any], seconds: float = PATIENCE_SECONDS, what: str = "", every_seconds: float = 0.02
) -> Any:
    """Ask until the answer is true and give it; fail when it never is. Ask seldom what is slowed by being asked."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"never came true: {what or condition}"
        time.sleep(every_seconds)
    return answer


_PORTS = range(10_000, 32_000)
"""Below what Linux gives to those who ask for any port (ip_local_port_range), so that nobody gets ours by chance."""
_SHARES = 16


def _candidates() -> Iterator[int]:
    """Every port of this worker's once and then again, from a place that differs from process to process.

    Workers share nothing: a receiver that is started again must find its port free, whatever others look for meanwhile.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    ports = _PORTS[worker % _SHARES :: _SHARES]
    first = random.Random(os.urandom(8)).randrange(len(ports))
    return (ports[(first + step) % len(ports)] for step in itertools.count())


_candidate = _candidates()


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free for both TCP and UDP just now, none of them given before by this process."""
    ports: list[int] = []
    while len(ports) < count:
        port = next(_candidate)
        with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
            try:
                stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                stream.bind(("127.0.0.1", port))
                datagram.bind(("127.0.0.1", port))
            except OSError:
                continue
        ports.append(port)
    return ports


@dataclass
class ReceiverProcess:
    """One receiver in `folder`: config, store and log are there; stopped when the `with` ends."""

    folder: Path
    settings: dict[str, Any]
    environ: Mapping[str, str] = field(default_factory=dict)
    prefix: tuple[str, ...] = ()
    """Put before its command and before those that read its store: a namespace to enter, say."""
    process: subprocess.Popen[bytes] | None = None

    @classmethod
    def with_syslog(cls, folder: Path, *listeners: Mapping[str, Any], **sections: Any) -> Self:
        """Set up UDP and TCP on one port of loopback, HTTP on another, and what else is asked."""
        syslog, http = free_ports(2)
        doors = [
            {"name": "syslog-udp", "type": "udp", "listen": f"127.0.0.1:{syslog}"},
            {"name": "syslog-tcp", "type": "tcp", "listen": f"127.0.0.1:{syslog}"},
            *map(dict, listeners),
        ]
        settings: dict[str, Any] = {
            "store": {"path": "store", "min_free_bytes": "16MiB"},
            "listeners": doors,
            "http": {"listen": f"127.0.0.1:{http}"},
            **sections,
        }
        return cls(folder, settings)

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def command(self) -> list[str]:
        return [*self.prefix, *COMMAND, "run", "--config", str(self.config)]

    @property
    def store(self) -> Path:
        return self.folder / str(self.settings["store"]["path"])

    @property
    def port(self) -> int:
        """Of the first listener: syslog, UDP and TCP alike."""
        return int(self.settings["listeners"][0]["listen"].rpartition(":")[2])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def log(self) -> str:
        """What it wrote to standard output and error so far."""
        return (self.folder / "receiver.log").read_text(errors="replace")

    def write_config(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(yaml.safe_dump(self.settings, sort_keys=False))

    def start(self) -> Self:
        """Start it and wait until it says that it is ready."""
        self.write_config()
        self.spawn(self.command)
        self.wait_ready()
        return self

    def spawn(self, command: list[str], *, close_fds: bool = True) -> None:
        """Start any command that becomes, or runs, the receiver."""
        with (self.folder / "receiver.log").open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=ROOT,
                env={**os.environ, **self.environ}, close_fds=close_fds,
            )  # fmt: skip

    def wait_ready(self) -> None:
        wait_for(self._ready_or_dead, what="ready")
        assert self.process is not None
        assert self.process.poll() is None, f"receiver ended with {self.process.returncode}:\n{self.log}"

    def _ready_or_dead(self) -> bool:
        assert self.process is not None
        return self.process.poll() is not None or self.get("/readyz")[0] == 200

    def get(self, path: str) -> tuple[int, str]:
        """GET from its HTTP side: status and body; 0 where nobody answers."""
        url = f"http://{self.settings['http']['listen']}{path}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE_SECONDS) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except (OSError, http.client.HTTPException):  # nobody listens, or it ended while it answered
            return 0, ""

    def metrics(self) -> dict[str, float]:
        """Every sample, by name and by name{labels} as exported; a name alone is the sum over its labels."""
        found: dict[str, float] = {}
        for line in self.get("/metrics")[1].splitlines():
            if match := _SAMPLE.match(line):
                name, labels, value = match.groups()
                if labels:
                    found[f"{name}{{{labels}}}"] = float(value)
                found[name] = found.get(name, 0.0) + float(value)
        return found

    def stored(self) -> int:
        """Events from outside that are durable."""
        return int(self.metrics().get("audit_receiver_events_stored_total", 0))

    def wait_stored(self, count: int, seconds: float = PATIENCE_SECONDS) -> None:
        wait_for(lambda: self.stored() >= count, seconds, f"{count} events stored")

    def events(self, *options: str) -> list[dict[str, Any]]:
        """What `query --json` answers, the receiver's own acts left out; works on a stopped store too."""
        events = self.query("--limit", "100000", *options)
        return [event for event in events if event["transport"] != "internal"]

    def query(self, *options: str) -> list[dict[str, Any]]:
        """What `query --json` answers, the receiver's own acts with the rest."""
        done = self.ask("query", "--json", *options)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def ask(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a command on its store."""
        whole = [*self.prefix, *COMMAND, command, "--store", str(self.store), *options]
        return subprocess.run(whole, capture_output=True, text=True, cwd=ROOT, timeout=PATIENCE_SECONDS, check=False)

    def wait_events(self, count: int, *options: str, seconds: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        """Wait until so many events are stored, then ask for them."""
        self.wait_stored(count, seconds)
        return self.events(*options)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def totals(self) -> dict[str, int]:
        """What it says at its end: received, stored, dropped."""
        said = self.log.splitlines()[-1].partition(" s: ")[2]
        return {name: int(number) for name, number in re.findall(r"(received|stored|dropped) (\d+)", said)}

    def wait_exit(self, seconds: float = STOP_SECONDS) -> int:
        assert self.process is not None
        return self.process.wait(seconds)

    def stop(self) -> int:
        """SIGTERM, wait, exit code; killed when it does not go, which its exit code then tells."""
        assert self.process is not None
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            return self.wait_exit()
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop()


@contextmanager
def running(command: list[str], log: Path, **options: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Run a sender beside the receiver; ended by its pid, its output kept in `log`."""
    with log.open("ab") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, **options)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
