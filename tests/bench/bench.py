"""The benchmark: the real process, real sockets, and the rows that are in the store afterwards.

Prints events/s, CPU µs/event of the receiver alone, its peak memory, disk bytes/event and events lost.

    python -m tests.bench.bench --tcp 500000 --connections 4 --yardstick
    python -m tests.bench.bench --udp 50000 --seconds 10
    python -m tests.bench.bench --idle 10000
    python -m tests.bench.bench --store-events 5000000
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench.proc import cpu_seconds, forget_peak, rss_bytes
from tests.bench.targets import ALL_COLUMNS, FEW_COLUMNS, OurReceiver, SyslogNgToSqlite
from tests.kit.process import COMMAND, ROOT, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
QUIET_SECONDS = 2.0
"""The load has ended and nothing new came into the store for so long: what is missing by then is lost."""
NEEDLES = (
    "<86>Nov 22 10:00:00 needle sshd[9]: Accepted password for needle-actor from 198.51.100.77 port 22 ssh2",
    "<13>1 - needle app - - - the haystack holds one xylophone only",
)

Target = OurReceiver | SyslogNgToSqlite


@dataclass(frozen=True)
class Result:
    """One load into one target."""

    name: str
    sent: int
    stored: int
    sending_seconds: float
    seconds: float
    """From the first byte to the last row that is durable."""
    cpu_seconds: float
    sealing_cpu_seconds: float
    peak_rss_bytes: int
    disk_bytes: int

    @property
    def per_second(self) -> float:
        return self.stored / self.seconds

    @property
    def cpu_us(self) -> float:
        return self.cpu_seconds / max(1, self.stored) * 1e6


def load_command(kind: str, port: int, *options: str) -> list[str]:
    return [sys.executable, "-m", "tests.bench.load", kind, "127.0.0.1", str(port), *options]


def run_load(target: Target, name: str, kind: str, *options: str) -> Result:
    """Send, wait until everything is stored or nothing moves any more, and read the meters."""
    first, bytes_before = target.last_row(), target.stored_bytes()
    generator = subprocess.Popen(load_command(kind, target.port, *options), cwd=ROOT, stdout=subprocess.PIPE)
    forget_peak(target.pid)
    cpu_before = cpu_seconds(target.pid)
    finished = last_row_at(target, generator, first)
    cpu_stored = cpu_seconds(target.pid)
    assert generator.stdout is not None
    with generator.stdout as answer:
        sent = json.loads(answer.read())
    assert generator.wait() == 0
    target.settle()
    return Result(
        name, sent["messages"], target.rows(first), sent["seconds"], finished - sent["began"],
        cpu_stored - cpu_before, cpu_seconds(target.pid) - cpu_stored, rss_bytes(target.pid, "VmHWM"),
        target.stored_bytes() - bytes_before,
    )  # fmt: skip


def last_row_at(target: Target, generator: subprocess.Popen[bytes], first: int) -> float:
    """When the last row came (CLOCK_MONOTONIC): the generator has ended and the store stands still."""
    last, moved = first, time.monotonic()
    while generator.poll() is None or time.monotonic() - moved < QUIET_SECONDS:
        if (now := target.last_row()) != last:
            last, moved = now, time.monotonic()
        time.sleep(0.02)
    return moved


def show(results: list[Result]) -> None:
    """Print a table, a column for each."""
    rows: list[tuple[str, list[float], str]] = [
        ("sent", [r.sent for r in results], ",.0f"),
        ("stored", [r.stored for r in results], ",.0f"),
        ("lost", [r.sent - r.stored for r in results], ",.0f"),
        ("seconds sending", [r.sending_seconds for r in results], ".2f"),
        ("seconds to the last durable row", [r.seconds for r in results], ".2f"),
        ("events/s", [r.per_second for r in results], ",.0f"),
        ("CPU µs/event", [r.cpu_us for r in results], ".2f"),
        ("CPU µs/event, sealing after it", [r.sealing_cpu_seconds / max(1, r.stored) * 1e6 for r in results], ".2f"),
        ("peak RSS MiB", [r.peak_rss_bytes / MIB for r in results], ".1f"),
        ("disk bytes/event", [r.disk_bytes / max(1, r.stored) for r in results], ".0f"),
    ]
    print(f"{'':34}" + "".join(f"{r.name:>22}" for r in results))
    for label, values, form in rows:
        line = f"{label:34}" + "".join(f"{value:>22{form}}" for value in values)
        print(line)
    sys.stdout.flush()


def compare(ours: Result, other: Result) -> None:
    rate, cpu = ours.per_second / other.per_second, ours.cpu_us / max(other.cpu_us, 1e-9)
    print(f"{ours.name} has {rate:.2f} × the rate of {other.name} and takes {cpu:.2f} × its CPU per event")


def bench_tcp(folder: Path, given: argparse.Namespace) -> None:
    options = ("--count", str(given.tcp), "--connections", str(given.connections), "--framing", given.framing)
    targets: list[Target] = [OurReceiver(folder / "ours")]
    if given.yardstick and SyslogNgToSqlite.is_there():
        targets += [SyslogNgToSqlite(folder / str(len(names)), names) for names in (FEW_COLUMNS, ALL_COLUMNS)]
    elif given.yardstick:
        print("syslog-ng with SQLite is not there (.ci/setup brings it): no yardstick")
    results = []
    for target in targets:
        with target:
            results.append(run_load(target, target.name, "tcp", *options))
    show(results)
    for other in results[1:]:
        compare(results[0], other)


def bench_udp(folder: Path, given: argparse.Namespace) -> None:
    with OurReceiver(folder / "ours") as target:
        result = run_load(target, target.name, "udp", "--rate", str(given.udp), "--seconds", str(given.seconds))
        show([result])
        metrics = target.process.metrics()
        dropped = metrics.get("audit_receiver_events_dropped_total", 0)
        kernel = metrics.get("audit_receiver_udp_kernel_drops_total", 0)
    kept = result.sent / result.sending_seconds
    print(f"rate kept by the generator: {kept:,.0f}/s; dropped {dropped:.0f}, by the kernel {kernel:.0f}")


def bench_idle(folder: Path, given: argparse.Namespace) -> None:
    """Idle connections: what they cost in memory, and what they cost a busy one."""
    options = ("--count", str(given.tcp or 300_000), "--connections", "1")
    with OurReceiver(folder / "ours") as target:
        before = rss_bytes(target.pid)
        with idle_connections(target.port, given.idle):
            wait_for(lambda: open_connections(target) >= given.idle, 60, "all accepted")
            held = rss_bytes(target.pid)
            beside = run_load(target, f"beside {given.idle} idle", "tcp", *options)
        wait_for(lambda: open_connections(target) == 0, 60, "all closed")
        alone = run_load(target, "alone", "tcp", *options)
        show([beside, alone])
        compare(beside, alone)
    print(f"{given.idle} idle connections: {(held - before) / MIB:.1f} MiB, whole process {held / MIB:.1f} MiB")


def open_connections(target: OurReceiver) -> int:
    return int(target.process.metrics().get("audit_receiver_connections_open", 0))


@contextmanager
def idle_connections(port: int, count: int) -> Iterator[None]:
    process = subprocess.Popen(
        load_command("idle", port, "--connections", str(count)),
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        assert process.stdout.readline(), "the generator could not open them (see ulimit -n)"
        yield
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait(60)


def bench_store(folder: Path, given: argparse.Namespace) -> None:
    """A full store: is ingest as fast as into an empty one, and are answers quick?"""
    options = ("--count", str(given.tcp or 500_000), "--connections", str(given.connections))
    with OurReceiver(folder / "ours") as target:
        empty = run_load(target, "empty store", "tcp", *options)
        send_needles(target)
        prefill = max(0, given.store_events - target.last_row())
        print(f"filling with {prefill:,} events")
        filling = run_load(target, "filling", "tcp", "--count", str(prefill), "--connections", str(given.connections))
        full = run_load(target, f"with {given.store_events:,}", "tcp", *options)
        show([full, empty, filling])
        compare(full, empty)
        time_queries(target)


def send_needles(target: OurReceiver) -> None:
    before = target.last_row()
    with socket.create_connection(("127.0.0.1", target.port)) as sock:
        sock.sendall("".join(f"{needle}\n" for needle in NEEDLES).encode())
    wait_for(lambda: target.last_row() >= before + len(NEEDLES), what="needles stored")


def time_queries(target: OurReceiver) -> None:
    """Whole command, and the search alone; for something rare (every segment must be asked) and something common."""
    questions = (
        ("--actor", "needle-actor"), ("--source-ip", "198.51.100.77"), ("--contains", "xylophone"),
        ("--actor", "eve7"), ("--source-ip", "203.0.113.1"), ("--contains", "invoice"), ("--contains", "nosuchword"),
    )  # fmt: skip
    for question in questions:
        command = [*COMMAND, "query", "--store", str(target.store), "--json", "--limit", "100", *question]
        begin = time.monotonic()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        seconds = time.monotonic() - begin
        print(f"query {' '.join(question):32} {seconds:6.3f} s  {len(done.stdout.splitlines()):4} events")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tcp", type=int, metavar="N", help="send N messages over TCP")
    parser.add_argument("--connections", type=int, default=4)
    parser.add_argument("--framing", choices=("lf", "counted"), default="lf")
    parser.add_argument("--yardstick", action="store_true", help="then syslog-ng → SQLite with the same load")
    parser.add_argument("--udp", type=int, metavar="RATE", help="send RATE datagrams a second")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--idle", type=int, metavar="N", help="hold N idle connections beside a busy one")
    parser.add_argument("--store-events", type=int, metavar="N", help="fill the store first")
    parser.add_argument("--folder", type=Path, help="where the stores go (default: a temporary folder)")
    given = parser.parse_args()
    modes = [(given.udp, bench_udp), (given.idle, bench_idle), (given.store_events, bench_store)]
    chosen = next((bench for asked, bench in modes if asked), bench_tcp if given.tcp else None)
    if chosen is None:
        parser.error("choose --tcp, --udp, --idle or --store-events")
    folder = Path(tempfile.mkdtemp(prefix="audit-bench-", dir=given.folder or os.environ.get("TMPDIR")))
    try:
        chosen(folder, given)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
