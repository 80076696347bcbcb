"""The composition root: builds the rooms from the config, joins them, starts and stops them in order.

Knows every room by its front door, signals, and what systemd wants to hear; no bytes, no rows. The orders:

start: store (lock, recovery) → writer → listeners → HTTP → READY=1
stop:  listeners (read what the kernel had queued at the signal) → writer (commit all of it) → `log.stop` → HTTP → store
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import platform
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import uvloop

from receiver import __version__, limits
from receiver.config import load_config
from receiver.errors import ConfigError, ReceiverError
from receiver.event import Outcome, Transport
from receiver.ingest import BatchWriter, Clock, Inbox
from receiver.listen import Listeners, ListenerSettings, ListenLimits, TlsSettings, inherited_sockets, open_listeners
from receiver.listen.intake import Intake
from receiver.metrics import Exposition
from receiver.normalize import Normalizer, load_packs
from receiver.notify import notify, watchdog_seconds
from receiver.own_acts import own_act
from receiver.store import SQLITE_VERSION, Store, StorePolicy
from receiver.web import WebServer, pages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from receiver.config import Config
    from receiver.config.model import Listener
    from receiver.counters import IngestCounters, ListenerCounters, StoreCounters

log = logging.getLogger(__name__)

TICK_SECONDS = 1.0
"""How often free disk, kernel drops and the watchdog are looked after."""
SWITCH_SECONDS = 0.0005
"""How long the loop may keep the interpreter from the writer's thread (CPython's default is 5 ms)."""
GC_THRESHOLD = 20_000
"""Container objects before a young collection: events are tuples without cycles, so looking often finds nothing."""


def run(path: Path | None, store: Path | None = None) -> int:
    """Run the receiver until SIGTERM or SIGINT; return the exit code. Raises ReceiverError when it cannot start.

    path: the config file; None is the defaults. store: its folder, instead of the one the config names.
    """
    config = load_config(path)
    if store is not None:
        config = config.model_copy(update={"store": config.store.model_copy(update={"path": store})})
    _configure_logging()
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.set_threshold(GC_THRESHOLD, 50, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(App(config, path).run())
        except (ReceiverError, OSError):
            raise  # said in one line by who called us
        except Exception:
            log.critical("stopped by a bug of ours", exc_info=True)  # the journal must have all of it
            raise


def _configure_logging() -> None:
    """Write to standard error; under systemd each line carries its level for the journal (sd-daemon(3))."""
    handler = logging.StreamHandler()
    if "JOURNAL_STREAM" in os.environ:
        handler.setFormatter(_JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)


class _JournalFormatter(logging.Formatter):
    """Prefixes every line with its syslog severity, so that a traceback stays an error to its last line."""

    _SEVERITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))

    def format(self, record: logging.LogRecord) -> str:
        severity = next((s for level, s in self._SEVERITIES if record.levelno >= level), 7)
        return "\n".join(f"<{severity}>{line}" for line in super().format(record).split("\n"))


class App:
    """One receiver, from start to stop. Offers the metrics what they read (`metrics.Rooms`)."""

    def __init__(self, config: Config, path: Path | None) -> None:
        self._config = config
        self._path = path
        self._stop = asyncio.Event()
        self._stopping = False
        self._reload_wanted = asyncio.Event()
        self._clock = Clock(self._on_clock_step)
        self._inbox = Inbox(config.ingest.max_bytes)
        self._intake = Intake(self._inbox, build_normalizer(config), self._clock, config.expected_hosts)
        self._listeners: Listeners
        self._store: Store
        self._writer: BatchWriter
        self._exposition = Exposition(self)
        self.start_time = time.time()
        self.build = {"version": __version__, "python": platform.python_version(), "sqlite": SQLITE_VERSION}

    # --- life ---

    async def run(self) -> int:
        """Start, wait for a signal, stop. Returns 0 after an orderly stop, 1 when the store gave out."""
        self._store = await Store.open(self._config.store.path, store_policy(self._config))
        try:
            self._listeners = open_listeners(
                [listener_settings(listener, self._config) for listener in self._config.listeners],
                self._intake,
                listen_limits(self._config),
                inherited_sockets(),
            )
            await self._store.append([self._act("log.start", data={"version": __version__})])
            ingest = self._config.ingest
            self._writer = BatchWriter(
                self._inbox, self._store, max_events=ingest.batch_events, max_delay_seconds=ingest.batch_delay
            )
            return await self._serve()
        finally:
            await self._store.close()

    async def _serve(self) -> int:
        writing = asyncio.create_task(self._writer.run(), name="writer")
        web = WebServer(pages(self._render_metrics, self.problems))
        try:
            await self._listeners.start()
            address = self._config.http.listen
            if address is not None:
                await _start(web, address.host, address.port)
            self._watch_signals()
            gc.freeze()
            others = {
                asyncio.create_task(self._stop.wait(), name="stop"),
                asyncio.create_task(self._tick(), name="tick"),
                asyncio.create_task(self._reload_when_asked(), name="reload"),
            }
            self._say_started(web)
            await asyncio.wait({writing, *others}, return_when=asyncio.FIRST_COMPLETED)
            return await self._finish(writing, others)
        finally:
            await self._listeners.stop(0)  # when the start failed; after an orderly stop there is nothing left
            await web.stop()
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, ReceiverError):
                await writing

    def _say_started(self, web: WebServer) -> None:
        doors = ", ".join(f"{name} on {' '.join(s.addresses)}" for name, s in self._listeners.status().items())
        http = f", http on {self._config.http.listen.host}:{web.port}" if self._config.http.listen else ""
        log.info("audit-receiver %s: %s%s; store %s", __version__, doors, http, self._config.store.path)
        notify("READY=1", f"STATUS=listening: {doors}")

    async def _finish(self, writing: asyncio.Task[None], others: set[asyncio.Task[Any]]) -> int:
        """Stop in order, whatever ended the wait."""
        self._stopping = True
        notify("STOPPING=1")
        started = time.monotonic()
        failed = next(filter(None, map(_failure, [writing, *others])), None)
        if not writing.done():
            failed = await self._stop_listeners() or failed
            self._writer.stop(limits.STOP_WRITE_SECONDS)
            await asyncio.wait({writing})
            failed = _failure(writing) or failed
        for task in others:
            task.cancel()
        if failed is not None:
            trace = None if isinstance(failed, ReceiverError) else failed
            log.error("stopped by a failure: %s: %s", failed, self._totals(), exc_info=trace)
            return 1
        with contextlib.suppress(ReceiverError):  # the disk may still be full; the stop is orderly all the same
            await self._store.append([self._act("log.stop", data=self._totals())])
        log.info("stopped in %.2f s: %s", time.monotonic() - started, self._totals())
        return 0

    async def _stop_listeners(self) -> Exception | None:
        """Stop them; a bug of ours there must not cost what the inbox holds."""
        try:
            await self._listeners.stop(limits.STOP_DRAIN_SECONDS)
        except Exception as error:  # noqa: BLE001 - whatever it is, the inbox is still to be stored
            return error
        return None

    def _totals(self) -> dict[str, int]:
        c = self._inbox.counters
        return {"received": c.received, "stored": c.stored, "dropped": sum(c.dropped.values())}

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._reload_wanted.set)

    async def _tick(self) -> None:
        """Look after what nobody asks for: free disk, kernel drops, the watchdog."""
        watchdog = watchdog_seconds()
        while True:
            await asyncio.sleep(min(TICK_SECONDS, watchdog / 4) if watchdog else TICK_SECONDS)
            self._store.check_space()
            self._listeners.refresh()
            if watchdog and self._writer.turns(watchdog):
                notify("WATCHDOG=1", wait=False)

    # --- reload ---

    async def _reload_when_asked(self) -> None:
        """Read the config again at each SIGHUP, one after the other."""
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            try:
                left = await self._reload()
            except ConfigError as error:
                log.error("the new configuration is refused, the old one stays: %s", error)
                self._writer.note(self._act("config.change", Outcome.FAILURE, str(error)))
            else:
                self._writer.note(self._act("config.change", data={"at_restart": left} if left else None))
                log.info("configuration re-read%s", f"; at the next restart: {', '.join(left)}" if left else "")
            notify("READY=1")

    async def _reload(self) -> list[str]:
        """Take over what can change in a running process, name what cannot. Raises ConfigError: nothing changed."""
        config = load_config(self._path)
        normalizer = build_normalizer(config)
        await self._listeners.reload([listener_settings(listener, config) for listener in config.listeners])
        self._intake.normalizer = normalizer
        self._intake.expect(config.expected_hosts)
        old = self._config
        left = [name for name in ("store", "ingest", "limits", "http") if getattr(old, name) != getattr(config, name)]
        kept = {name: getattr(old, name) for name in left}
        self._config = config.model_copy(update=kept)
        return left

    # --- own acts ---

    def _act(
        self,
        action: str,
        outcome: Outcome = Outcome.SUCCESS,
        reason: str | None = None,
        data: Mapping[str, Any] | None = None,
    ) -> Any:
        host, pid = socket.gethostname(), os.getpid()
        now = self._clock.now_us()  # the clock of what is received: they stand in one log
        return own_act(action, now, host=host, pid=pid, outcome=outcome, reason=reason, data=data)

    def _on_clock_step(self, step_us: int) -> None:
        log.warning("the system clock stepped by %.3f s", step_us / 1_000_000)
        self._store.rotate_soon()
        self._writer.note(self._act("system.time_change", data={"step_us": step_us}))

    # --- what HTTP shows ---

    def _render_metrics(self, accept: str) -> tuple[bytes, str]:
        self._listeners.refresh()
        return self._exposition.render(accept)

    def problems(self) -> list[str]:
        """Say why the receiver is not ready; empty: it is."""
        found = [f"listener {name}: {s.trouble}" for name, s in self._listeners.status().items() if not s.up]
        if self._stopping:
            found.append("stopping")
        if self._writer.problem:
            found.append(self._writer.problem)
        elif not self._store.check_space():
            found.append("less free disk than store.min_free_bytes")
        if self._inbox.full:
            found.append("the inbox is full: senders are held, datagrams dropped")
        return found

    @property
    def ready(self) -> bool:
        """As `/readyz` says."""
        return not self.problems()

    @property
    def ingest(self) -> IngestCounters:
        """The inbox and the batches."""
        return self._inbox.counters

    @property
    def store(self) -> StoreCounters:
        """Sizes, segments, commits."""
        return self._store.counters

    @property
    def listeners(self) -> Mapping[str, ListenerCounters]:
        """Counters by the listener's name."""
        return self._listeners.counters

    @property
    def listener_types(self) -> Mapping[str, str]:
        """The type of each listener."""
        return {name: str(kind) for name, kind in self._listeners.types.items()}

    @property
    def inbox_limit_bytes(self) -> int:
        """The bound of the inbox."""
        return self._inbox.max_bytes

    @property
    def host_last_seen(self) -> Mapping[str, float]:
        """Unix time of the last message of each expected host."""
        return self._intake.host_last_seen

    @property
    def certificate_not_after(self) -> Mapping[str, float]:
        """Unix time at which the certificate in use ends, by TLS listener."""
        return self._listeners.certificate_not_after


async def _start(web: WebServer, host: str, port: int) -> None:
    try:
        await web.start(host, port)
    except OSError as error:
        raise ConfigError(f"http.listen: {error.strerror or error}") from error


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


# --- from the config to what each room is told ---


def store_policy(config: Config) -> StorePolicy:
    """Give the store its values."""
    store = config.store
    return StorePolicy(store.segment.max_events, store.segment.max_age, store.min_free_bytes)


def build_normalizer(config: Config) -> Normalizer:
    """Load the operator's packs and the built-in ones. Raises ConfigError."""
    return Normalizer(load_packs(config.packs), keep_raw_always=config.store.keep_raw == "always")


def listener_settings(listener: Listener, config: Config) -> ListenerSettings:
    """Give a listener its values."""
    tls = listener.tls
    return ListenerSettings(
        name=listener.name,
        type=Transport(listener.type),
        listen=str(listener.listen),
        allow=listener.allow,
        zone=listener.zone,
        zones=tuple(config.zones.items()),
        tls=TlsSettings(tls.certificate, tls.key, tls.client_ca, tls.permitted or ()) if tls else None,
    )


def listen_limits(config: Config) -> ListenLimits:
    """Give all listeners their bounds."""
    bounds = config.limits
    return ListenLimits(
        message_bytes=bounds.message_bytes,
        half_read_bytes=bounds.half_read_bytes,
        line_idle_seconds=bounds.line_idle,
        connections=bounds.connections,
        connections_per_peer=bounds.connections_per_peer,
        tls_handshake_seconds=bounds.tls_handshake,
        udp_receive_buffer_bytes=bounds.udp_receive_buffer,
    )
