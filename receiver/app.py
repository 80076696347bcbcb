"""The composition root: builds the rooms from the config, joins them, starts and stops them in order.

Knows every room by its front door, signals, and what systemd wants to hear; no bytes, no rows. The orders:

start: store (lock, recovery) → keys, the last checkpoint → writer → listeners → control → HTTP → READY=1
stop:  listeners (read what the kernel had queued at the signal) → writer (commit all of it) → control → `log.stop` →
       checkpoint over all → HTTP → store
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import platform
import re
import resource
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import uvloop

from receiver import __version__, limits
from receiver.care.checkpointer import Checkpointer
from receiver.care.keeper import CarePolicy, Keeper
from receiver.care.loss_watch import LossWatch
from receiver.care.requests import control_commands
from receiver.care.silence_watch import SilenceWatch
from receiver.config import digest_of, load_config
from receiver.config.values import CREDENTIALS_VARIABLE
from receiver.control import Command, ControlServer
from receiver.counters import EvidenceCounters
from receiver.errors import ConfigError, EvidenceError, ReceiverError
from receiver.event import FACILITIES, SEVERITIES, Outcome, Transport
from receiver.evidence.keys import VerifierKey
from receiver.ingest import BatchWriter, Clock, Inbox
from receiver.journal import configure_logging
from receiver.key_files import KeyFolder
from receiver.listen import Listeners, ListenerSettings, ListenLimits, TlsSettings, inherited_sockets, open_listeners
from receiver.listen.intake import Intake
from receiver.metrics import Exposition
from receiver.normalize import Normalizer, check_packs, load_packs
from receiver.notify import notify, watchdog_seconds
from receiver.own_acts import HEARD, NOT_READ, SILENT, own_act
from receiver.publish import FileTarget, HttpTarget, Publisher, SyslogTarget, Target, WitnessTarget
from receiver.publish.targets import Head
from receiver.store import SQLITE_VERSION, Filter, Store, StorePolicy
from receiver.store.retention import RetentionPolicy, ShorterLife
from receiver.web import WebServer, pages

if TYPE_CHECKING:
    from collections.abc import Mapping

    from receiver.care.checkpointer import Signed
    from receiver.care.loss_watch import Loss
    from receiver.care.silence_watch import Change
    from receiver.config import Config
    from receiver.config.model import Listener, Publish
    from receiver.control import Request
    from receiver.counters import IngestCounters, ListenerCounters, StoreCounters
    from receiver.event import Event

log = logging.getLogger(__name__)

_CONFIG_FACT = "config"
"""Name of the fact in `evidence.db`: the digest of the configuration at the last start."""
_AT_RESTART = ("store", "ingest", "limits", "http", "evidence", "publish")
"""Sections that a running process cannot take over."""
TICK_SECONDS = 1.0
"""How often free disk, kernel drops and the watchdog are looked after."""
SWITCH_SECONDS = 0.0005
"""How long the loop may keep the interpreter from the writer's thread (CPython's default is 5 ms)."""


def run(path: Path | None, store: Path | None = None) -> int:
    """Run the receiver until SIGTERM or SIGINT; return the exit code. Raises ReceiverError when it cannot start.

    path: the config file; None is the defaults. store: its folder, instead of the one the config names.
    """
    config = load_config(path)
    if store is not None:
        config = config.model_copy(update={"store": config.store.model_copy(update={"path": store})})
    configure_logging()
    _raise_file_limit()
    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(App(config, path).run())
        except (ReceiverError, OSError):
            raise  # said in one line by who called us
        except Exception:
            log.critical("stopped by a bug of ours", exc_info=True)  # the journal must have all of it
            raise


def _raise_file_limit() -> None:
    """Take all the file descriptors we may have: the 1024 of a shell are a default that nobody chose for a server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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
        normalizer, wrong = build_normalizer(config)
        for problem in wrong:  # told, not refused: events that are read by a wrong rule are better than none
            log.error("%s", problem)
        self._intake = Intake(self._inbox, normalizer, self._clock, silence_allowed(config))
        self._silence = SilenceWatch(silence_allowed(config), time.monotonic())
        self._listeners: Listeners
        self._store: Store
        self._writer: BatchWriter
        self._checkpointer: Checkpointer
        self._keeper: Keeper
        self._control: ControlServer
        self._publisher: Publisher
        self.evidence = EvidenceCounters()
        self._lost = LossWatch()
        self._exposition = Exposition(self)
        self.start_time = time.time()
        self.build = {"version": __version__, "python": platform.python_version(), "sqlite": SQLITE_VERSION}

    # --- life ---

    async def run(self) -> int:
        """Start, wait for a signal, stop. Returns 0 after an orderly stop, 1 when the store gave out."""
        folder = key_folder(self._config)
        self._store = await Store.open(self._config.store.path, store_policy(self._config))
        ingest = self._config.ingest
        self._writer = BatchWriter(
            self._inbox, self._store, max_events=ingest.batch_events, max_delay_seconds=ingest.batch_delay
        )
        try:
            keys = await asyncio.to_thread(folder.load_or_make, self._config.evidence.origin)
            self._checkpointer = Checkpointer(self._store, keys, folder, self.evidence)
            policy = care_policy(self._config)
            self._keeper = Keeper(
                self._store, self._checkpointer, policy, self._act, self.evidence, self._checkpoint_signed
            )
            self._listeners = open_listeners(
                [listener_settings(listener, self._config) for listener in self._config.listeners],
                self._intake,
                listen_limits(self._config),
                inherited_sockets(),
            )
            self._publisher = Publisher(
                publish_targets(self._config),
                self._checkpointer.consistency,
                self._checkpointer.add_cosignatures,
                self.evidence,
            )
            self._publisher.start()
            self._compare_clock()
            crashed = await self._keeper.start()
            await self._store.append_acts(await self._start_acts(crashed=crashed))
            return await self._serve()
        finally:
            await self._store.close()

    async def _start_acts(self, *, crashed: bool) -> list[Event]:
        """Give the events of a start: that there is one, and that the configuration is another than at the last."""
        digest, evidence = digest_of(self._config), self._store.evidence
        about = {"version": __version__, "after": "crash" if crashed else "orderly stop", "config": digest}
        acts = [self._act("log.start", data=about)]
        before = await asyncio.to_thread(evidence.fact, _CONFIG_FACT)
        if before != digest:
            await asyncio.to_thread(evidence.note_fact, _CONFIG_FACT, digest)
            if before is not None:
                acts.append(self._act("config.change", data={"config": digest, "before": before}))
        return acts

    async def _serve(self) -> int:
        writing = asyncio.create_task(self._writer.run(), name="writer")
        web = WebServer(pages(self._render_metrics, self.problems))
        commands = control_commands(self._keeper, self._notes_queries)
        commands["status"] = Command(self._status, changes=False)
        self._control = ControlServer(self._store.folder, commands)
        try:
            await self._listeners.start()
            await self._control.start()
            address = self._config.http.listen
            if address is not None:
                await _start(web, address.host, address.port)
            self._watch_signals()
            gc.freeze()
            others = {
                asyncio.create_task(self._stop.wait(), name="stop"),
                asyncio.create_task(self._tick(), name="tick"),
                asyncio.create_task(self._reload_when_asked(), name="reload"),
                asyncio.create_task(self._keeper.run(), name="keeper"),
            }
            self._say_started(web)
            await asyncio.wait({writing, *others}, return_when=asyncio.FIRST_COMPLETED)
            return await self._finish(writing, others)
        finally:
            await self._listeners.stop(0)  # when the start failed; after an orderly stop there is nothing left
            await web.stop()
            await self._control.stop()
            writing.cancel()
            with contextlib.suppress(asyncio.CancelledError, ReceiverError):
                await writing

    def _say_started(self, web: WebServer) -> None:
        doors = ", ".join(f"{name} on {' '.join(s.addresses)}" for name, s in self._listeners.status().items())
        http = f", http on {self._config.http.listen.host}:{web.port}" if self._config.http.listen else ""
        log.info("audit-receiver %s: %s%s; store %s", __version__, doors, http, self._config.store.path)
        log.info("checkpoints can be verified with %s", " ".join(map(str, self._checkpointer.keys.verifiers)))
        wanted, possible = self._config.limits.connections, listen_limits(self._config).connections
        if possible < wanted:
            log.warning("the limit of open files (LimitNOFILE=) leaves room for %d of %d connections", possible, wanted)
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
        await self._control.stop()
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        if failed is not None:
            trace = None if isinstance(failed, ReceiverError) else failed
            log.error("stopped by a failure: %s: %s", failed, _words(self._totals()), exc_info=trace)
            if in_flight := self._inbox.counters.in_flight:
                log.error("%d received events were in memory only and are lost", in_flight)
            return 1
        with contextlib.suppress(ReceiverError):  # the disk may still be full; the stop is orderly all the same
            losses = self._lost.look(
                self.listeners, self._inbox.counters, time.time(), time.monotonic(), last=True
            )
            await self._store.append_acts([self._lost_act(loss) for loss in losses])
            await self._store.append_acts([self._act("log.stop", data=self._totals())])
            await self._keeper.stop()
        await self._publisher.stop(limits.STOP_PUBLISH_SECONDS)
        log.info("stopped in %.2f s: %s", time.monotonic() - started, _words(self._totals()))
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
            self._clock.now_us()  # a step is noticed here, also while nobody sends
            self._store.check_space()
            self._listeners.refresh()
            for loss in self._lost.look(self.listeners, self._inbox.counters, time.time(), time.monotonic()):
                self._writer.note(self._lost_act(loss))
            for change in self._silence.look(self.host_last_seen, time.monotonic(), listening=self.ready):
                self._writer.note(self._silence_act(change))
            if watchdog and self._writer.turns(watchdog):
                notify("WATCHDOG=1", wait=False)

    # --- reload ---

    async def _reload_when_asked(self) -> None:
        """Read the config again at each SIGHUP, one after the other."""
        while True:
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")
            before = self._config
            try:
                left = await self._reload()
            except ConfigError as error:
                log.error("the new configuration is refused, the old one stays: %s", error)
                self._writer.note(self._act("config.change", Outcome.FAILURE, str(error), message=NOT_READ))
            else:
                changed = [name for name in type(before).model_fields if self._differs(before, name)]
                about = {"config": digest_of(self._config), "changed": changed, "at_restart": left}
                self._writer.note(self._act("config.change", data=about))
                log.info("configuration re-read%s", f"; at the next restart: {', '.join(left)}" if left else "")
            notify("READY=1")

    def _differs(self, before: Config, section: str) -> bool:
        return bool(getattr(before, section) != getattr(self._config, section))

    async def _reload(self) -> list[str]:
        """Take over what can change in a running process, name what cannot. Raises ConfigError: nothing changed."""
        # Beside the loop: a third of a second in which it reads nothing costs datagrams.
        config = await asyncio.to_thread(load_config, self._path)
        normalizer, wrong = await asyncio.to_thread(build_normalizer, config)
        if wrong:
            raise ConfigError("\n".join(wrong))
        await self._listeners.reload([listener_settings(listener, config) for listener in config.listeners])
        self._intake.normalizer = normalizer
        self._intake.expect(silence_allowed(config))
        self._silence.expect(silence_allowed(config), time.monotonic())
        self._keeper.policy = care_policy(config)
        old = self._config
        left = [name for name in _AT_RESTART if getattr(old, name) != getattr(config, name)]
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
        **more: str | None,
    ) -> Event:
        host, pid = socket.gethostname(), os.getpid()
        now = self._clock.now_us()  # the clock of what is received: they stand in one log
        oldest = self._inbox.oldest_received_at
        # What waits was received before: behind an act of now it would seem that the clock was set back.
        at = now if oldest is None else min(now, oldest)
        return own_act(action, at, host=host, pid=pid, outcome=outcome, reason=reason, data=data, time=now, **more)

    def _lost_act(self, loss: Loss) -> Event:
        return self._act("detect.alert", Outcome.FAILURE, loss.reason, loss.data, message=loss.message)

    def _silence_act(self, change: Change) -> Event:
        if change.silent:
            reason = "nothing came for longer than it may be silent"
            return self._act("detect.alert", Outcome.FAILURE, reason, change.data, message=SILENT)
        return self._act("detect.alert", data=change.data, message=HEARD)

    def _notes_queries(self) -> bool:
        return self._config.evidence.note_queries

    def _checkpoint_signed(self, signed: Signed) -> None:
        """Let a new checkpoint leave the machine."""
        self._publisher.publish(Head(*signed))

    def _on_clock_step(self, step_us: int) -> None:
        log.warning("the system clock stepped by %.3f s", step_us / 1_000_000)
        self._inbox.counters.clock_steps += 1
        self._store.rotate_soon()
        if step_us > 0:
            self._keeper.rest_retention()
        self._writer.note(self._act("system.time_change", data={"step_us": step_us}))

    def _compare_clock(self) -> None:
        """Notice that the clock was set back while nobody ran; how far ahead it may have been set nobody can tell."""
        step_us = self._clock.now_us() - self._store.last_received_at
        if step_us <= -limits.CLOCK_STEP_US:
            self._on_clock_step(step_us)

    # --- what HTTP shows ---

    def _render_metrics(self, accept: str) -> tuple[bytes, str]:
        self._listeners.refresh()
        return self._exposition.render(accept)

    async def _status(self, _: Request) -> dict[str, Any]:
        """Answer who asks over the control socket how we are."""
        return {"pid": os.getpid(), "problems": self.problems(), "metrics": self._render_metrics("")[0].decode()}

    def problems(self) -> list[str]:
        """Say why the receiver is not ready; empty: it is."""
        found = [f"listener {name}: {s.trouble}" for name, s in self._listeners.status().items() if not s.up]
        if self._stopping:
            found.append("stopping")
        if self._writer.problem:
            found.append(self._writer.problem)
        elif not self._store.check_space():
            found.append("less free disk than store.min_free_bytes")
        waits = self._writer.commit_seconds()
        if waits > limits.COMMIT_SLOW_SECONDS:
            found.append(f"the disk is slow: a commit has been under way for {waits:.0f} s")
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
    def host_silent(self) -> Mapping[str, float]:
        """1 for each expected host that is silent for longer than it may."""
        return self._silence.silent

    @property
    def certificate_not_after(self) -> Mapping[str, float]:
        """Unix time at which the certificate in use ends, by TLS listener."""
        return self._listeners.certificate_not_after


async def _start(web: WebServer, host: str, port: int) -> None:
    try:
        await web.start(host, port)
    except OSError as error:
        raise ConfigError(f"http.listen: {error.strerror or error}") from error


def _words(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items())


def _failure(task: asyncio.Task[Any]) -> BaseException | None:
    return task.exception() if task.done() and not task.cancelled() else None


# --- from the config to what each room is told ---


def store_policy(config: Config) -> StorePolicy:
    """Give the store its values."""
    store = config.store
    return StorePolicy(store.segment.max_events, store.segment.max_age, store.min_free_bytes)


def publish_targets(config: Config) -> list[Target]:
    """Make the places that checkpoints are sent to. Raises ConfigError."""
    return [publish_target(place) for place in config.publish]


def publish_target(place: Publish) -> Target:
    """Make one of them, with its key or token. Raises ConfigError."""
    if place.type == "file":
        return FileTarget(place.name, Path(place.to))
    if place.type == "syslog":
        parts = urlsplit(place.to)
        return SyslogTarget(place.name, parts.hostname or "", parts.port or 0, parts.scheme, place.ca)
    try:
        if place.type == "witness":
            return WitnessTarget(place.name, place.to, [VerifierKey.parse(key) for key in place.key], place.ca)
    except EvidenceError as error:
        raise ConfigError(f"publish {place.name}: {error}") from None
    token = _token_in(place.token_file, place.name) if place.token_file is not None else None
    return HttpTarget(place.name, place.to, token, place.ca)


def _token_in(file: Path, target: str) -> str:
    try:
        token = file.read_text("latin-1").strip()
    except OSError as error:
        raise ConfigError(f"publish {target}: {file}: {error.strerror}") from None
    if not re.fullmatch("[!-~]+", token):
        raise ConfigError(f"publish {target}: {file}: must hold one token, ASCII without blanks")
    return token


def key_folder(config: Config) -> KeyFolder:
    """Find the keys of the store."""
    path = config.store.path
    credentials = os.environ.get(CREDENTIALS_VARIABLE)
    folder = config.evidence.key_dir or path.absolute().parent / "keys"
    return KeyFolder(folder, path, Path(credentials) if credentials else None)


def care_policy(config: Config) -> CarePolicy:
    """Give the keeper its values."""
    kept = config.retention
    shorter = tuple(
        ShorterLife(
            Filter(
                app=life.app,
                facility=FACILITIES.index(life.facility) if life.facility else None,
                action=life.action,
            ),
            life.max_age,
            ", ".join(f"{key} {value}" for key in ("app", "facility", "action") if (value := getattr(life, key))),
        )
        for life in kept.shorter
    )
    retention = RetentionPolicy(kept.max_age, kept.max_bytes, kept.min_free_bytes, shorter)
    return CarePolicy(config.evidence.checkpoint_interval, retention)


def build_normalizer(config: Config) -> tuple[Normalizer, list[str]]:
    """Load the operator's packs and the built-in ones, and say which of the operator's samples are not as they say.

    Raises ConfigError.
    """
    packs = load_packs(config.packs)
    own = [pack for pack in packs if not pack.built_in]
    wrong = check_packs(packs, own) if own else []
    return Normalizer(packs, keep_raw_always=config.store.keep_raw == "always"), wrong


def silence_allowed(config: Config) -> dict[str, float]:
    """Give the seconds that each expected host may be silent."""
    return {expected.host: expected.silent_after for expected in config.expected_hosts}


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
        tokens=listener.tokens or (),
        tls=TlsSettings(tls.certificate, tls.key, tls.client_ca, tls.permitted or ()) if tls else None,
        proxy_protocol=listener.proxy_protocol or (),
    )


def listen_limits(config: Config) -> ListenLimits:
    """Give all listeners their bounds."""
    bounds = config.limits
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    connections = max(1, min(bounds.connections, files - limits.FILES_KEPT))
    return ListenLimits(
        message_bytes=bounds.message_bytes,
        half_read_bytes=bounds.half_read_bytes,
        gelf_assembly_bytes=bounds.gelf_assembly_bytes,
        line_idle_seconds=bounds.line_idle,
        connections=connections,
        connections_per_peer=bounds.connections_per_peer,
        idle_seconds=bounds.idle,
        rate_per_peer=bounds.rate_per_peer,
        rate_floor=SEVERITIES.index(bounds.rate_floor),
        tls_handshake_seconds=bounds.tls_handshake,
        relp_answer_seconds=bounds.relp_answer,
        proxy_header_seconds=bounds.proxy_header,
        http_body_bytes=bounds.http_body,
        http_ratio=bounds.http_ratio,
        udp_receive_buffer_bytes=bounds.udp_receive_buffer,
    )
