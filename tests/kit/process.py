"""The real receiver as a process of its own: started on ephemeral ports, waited for, asked, ended by its pid."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import TracebackType

COMMAND = (sys.executable, "-m", "receiver")
ROOT = Path(__file__).resolve().parents[2]
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$")


def wait_for(condition: Callable[[], Any], seconds: float = 20.0, what: str = "") -> Any:
    """Ask until the answer is true and give it; fail when it never is."""
    end = time.monotonic() + seconds
    while not (answer := condition()):
        assert time.monotonic() < end, f"never came true: {what or condition}"
        time.sleep(0.02)
    return answer


def free_ports(count: int) -> list[int]:
    """Ports that are free for both TCP and UDP just now; held together, so that all differ."""
    ports: list[int] = []
    with ExitStack() as held:
        while len(ports) < count:
            stream = held.enter_context(socket.create_server(("127.0.0.1", 0)))
            port = stream.getsockname()[1]
            datagram = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            try:
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
        return [*COMMAND, "run", "--config", str(self.config)]

    @property
    def store(self) -> Path:
        return self.folder / "store"

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
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError:
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

    def wait_stored(self, count: int, seconds: float = 20.0) -> None:
        wait_for(lambda: self.stored() >= count, seconds, f"{count} events stored")

    def events(self, *options: str) -> list[dict[str, Any]]:
        """What `query --json` answers, the receiver's own acts left out; works on a stopped store too."""
        command = [*COMMAND, "query", "--store", str(self.store), "--json", "--limit", "100000", *options]
        done = subprocess.run(command, capture_output=True, cwd=ROOT, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        events = [json.loads(line) for line in done.stdout.splitlines()]
        return [event for event in events if event["transport"] != "internal"]

    def wait_events(self, count: int, *options: str, seconds: float = 20.0) -> list[dict[str, Any]]:
        """Wait until so many events are stored, then ask for them."""
        self.wait_stored(count, seconds)
        return self.events(*options)

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    def wait_exit(self, seconds: float = 20.0) -> int:
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
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
