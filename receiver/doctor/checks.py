"""The checks: facts in, findings out. Pure; each names what is wrong, what follows from it, and what mends it.

Knows the metrics by their names, the configuration, and what Linux wants. A check that lacks a fact says nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from shlex import quote
from typing import TYPE_CHECKING, Final

from receiver import limits
from receiver.config import Address
from receiver.doctor.facts import Facts, Finding, State

if TYPE_CHECKING:
    from pathlib import Path

    from receiver.config import Listener

Check = Callable[[Facts], Iterator[Finding]]

_DAY: Final = 86_400.0
_SOON_DAYS: Final = 14
_FULL_DAYS: Final = 7
_FULL_LATER_DAYS: Final = 60
_YOUNG_SECONDS: Final = 3_600.0
"""A store younger than this says nothing about how fast it grows."""
_STALLED_SECONDS: Final = 60.0
_SKEW_SECONDS: Final = 60.0
_CLOCK_SECONDS: Final = 1.0
_BACKLOG: Final = 3
"""Unsealed segments: the active one, the one being sealed, and one that waits."""
_UNREADABLE_SHARE: Final = 0.05
_UNPUBLISHED_SECONDS: Final = 3_600.0
_MIB: Final = limits.MIB


def examine(facts: Facts) -> list[Finding]:
    """Run every check; what is to be mended comes first."""
    found = [finding for check in CHECKS for finding in check(facts)]
    return sorted(found, key=lambda finding: finding.state != State.MEND)


def _journal(facts: Facts) -> str:
    if facts.host.unit is None:
        return "look at what the receiver wrote to standard error"
    return f"journalctl -u {facts.unit_name} -n 50"


def _start(facts: Facts) -> str:
    """Name the socket unit as well where the service may not open the port itself."""
    if facts.host.unit is None:
        return _command(facts, "run")
    ports = [door.listen.port for door in facts.config.listeners if isinstance(door.listen, Address)]
    socket = f"{facts.unit_name}-syslog.socket " if any(0 < port < 1024 for port in ports) else ""
    return f"systemctl start {socket}{facts.unit_name}"


def _restart(facts: Facts) -> str:
    if facts.host.unit is None:
        return "restart the receiver"
    return f"systemctl restart {facts.unit_name}"


def _and(facts: Facts, command: str, more: str) -> str:
    """Go on with a second command, behind `&&` or `;`; where that is none, as there is no service, say it behind."""
    return f"{command} {more}" if facts.host.unit is not None else f"{command.rstrip(' &;')}  # then {more}"


def _command(facts: Facts, words: str) -> str:
    path = facts.config_path
    where = f"--store {_path(facts.config.store.path)}" if path is None else f"--config {_path(path)}"
    return f"audit-receiver {words} {where}"


def _lasting(seconds: float) -> str:
    """Say how long, in a unit of which there are some."""
    for unit, name in ((_DAY, "days"), (3_600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {name}"
    return f"{max(seconds, 0.0):.0f} seconds"


def _path(path: Path) -> str:
    return quote(str(path))


def _size(number: float) -> str:
    for unit, name in ((1024**3, "GiB"), (1024**2, "MiB"), (1024, "KiB")):
        if number >= unit:
            return f"{number / unit:.1f} {name}"
    return f"{number:.0f} bytes"


# --- the receiver ---


def is_running(facts: Facts) -> Iterator[Finding]:
    """See that somebody receives."""
    if facts.running is not None:
        return
    if facts.unreachable is not None:
        says = f"The receiver could not be asked ({facts.unreachable}): what it does is not known."
        yield Finding("running", State.MEND, says, "sudo " + _command(facts, "doctor"))
    else:
        says = "No receiver runs on this store: nothing is received; TCP senders wait, datagrams are lost."
        yield Finding("running", State.MEND, says, _start(facts))


def is_ready(facts: Facts) -> Iterator[Finding]:
    """See that it says itself that it can receive and store."""
    for problem in facts.running.problems if facts.running else ():
        yield Finding("ready", State.MEND, f"The receiver is not ready: {problem}.", _journal(facts))


def is_unaltered(facts: Facts) -> Iterator[Finding]:
    """See that the log goes on from its last checkpoint and its sealed files."""
    if facts.running and facts.running.value("evidence_alarm"):
        says = "The log was altered or rolled back (it does not fit a checkpoint, or a sealed file), and is not signed."
        yield Finding("evidence", State.MEND, says, _command(facts, "verify"))


_WHY_DROPPED: Final = {
    "inbox_full": ("the disk took them more slowly than they came", "use TCP or RELP for senders, or a faster disk"),
    "stopping": ("they came in the last moment of a stop", "use TCP or RELP for senders: they send it again"),
    "rate_limited": ("their senders send more than limits.rate_per_peer", "find the sender: audit-receiver hosts"),
    "store_failed": ("the store refused until the stop", "audit-receiver verify"),
}


def drops_nothing(facts: Facts) -> Iterator[Finding]:
    """See that what was received is stored."""
    for (reason,), count in facts.running.by("events_dropped_total").items() if facts.running else ():
        if count and reason != "duplicate":
            why, mend = _WHY_DROPPED.get(reason, (reason.replace("_", " "), _journal(facts)))
            says = f"{count:.0f} received messages are not in the log since the start: {why}."
            yield Finding("dropped", State.MEND, says, mend)


def kernel_drops_nothing(facts: Facts) -> Iterator[Finding]:
    """See that datagrams are read before the kernel's buffer is full."""
    for (name,), count in facts.running.by("udp_kernel_drops_total").items() if facts.running else ():
        if count:
            says = f"The kernel dropped {count:.0f} datagrams of {name} since the start: its buffer was full."
            yield Finding("kernel-drops", State.MEND, says, _raise_rmem(facts))
    if facts.running is not None or facts.config_path is None:
        return
    for listener in facts.config.listeners:  # systemd may hold the sockets of a receiver that is stopped
        port = listener.listen.port if listener.type == "udp" and isinstance(listener.listen, Address) else 0
        count = (facts.host.udp_drops or {}).get(port, 0)
        if count:
            says = f"The kernel dropped {count} datagrams to port {port}: nobody reads them."
            yield Finding("kernel-drops", State.MEND, says, _start(facts))


def _raise_rmem(facts: Facts) -> str:
    wanted = facts.config.limits.udp_receive_buffer
    return _and(facts, f"sysctl -w net.core.rmem_max={wanted} &&", _restart(facts))


def buffers_are_large(facts: Facts) -> Iterator[Finding]:
    """See that UDP sockets have the buffer that was asked for."""
    wanted = facts.config.limits.udp_receive_buffer
    if facts.running is None:
        has_udp = any(listener.type == "udp" for listener in facts.config.listeners)
        if has_udp and facts.host.rmem_max is not None and facts.host.rmem_max < wanted:
            says = f"net.core.rmem_max is {_size(facts.host.rmem_max)}, limits.udp_receive_buffer {_size(wanted)}."
            yield Finding("udp-buffer", State.ADVICE, says, f"sysctl -w net.core.rmem_max={wanted}")
        return
    for (listener,), found in facts.running.by("udp_receive_buffer_bytes").items():
        if 0 < found < wanted:
            says = (
                f"The kernel gives {listener} a buffer of {_size(found)}, limits.udp_receive_buffer asks for"
                f" {_size(wanted)}: bursts of datagrams may be lost."
            )
            yield Finding("udp-buffer", State.MEND, says, _raise_rmem(facts))


def has_descriptors(facts: Facts) -> Iterator[Finding]:
    """See that every connection that the configuration allows can be opened."""
    wanted = facts.config.limits.connections + limits.FILES_KEPT
    unit = facts.host.unit
    found = facts.host.files if facts.host.files is not None else unit.files if unit else None
    if found is not None and 0 < found < wanted:
        says = (
            f"The receiver may open {found} files, limits.connections of {facts.config.limits.connections} needs"
            f" {wanted}: later connections wait."
        )
        mend = f"systemctl edit {facts.unit_name}  # [Service] LimitNOFILE={wanted}, then {_restart(facts)}"
        if unit is None:
            mend = f"ulimit -n {wanted}  # where it is started; or lower limits.connections"
        yield Finding("descriptors", State.MEND, says, mend)


def commits(facts: Facts) -> Iterator[Finding]:
    """See that what was received reaches the disk."""
    if facts.running is None:
        return
    waiting, last = facts.running.value("events_in_flight"), facts.running.value("last_commit_timestamp_seconds")
    if waiting and facts.host.now - last > _STALLED_SECONDS:
        says = f"{waiting:.0f} events wait, and nothing has been committed for a minute."
        yield Finding("commits", State.MEND, says, _journal(facts))
    errors = facts.running.value("write_errors_total")
    if errors:
        says = f"{errors:.0f} commits failed since the start and were tried again."
        yield Finding("commits", State.ADVICE, says, _journal(facts))


def seals(facts: Facts) -> Iterator[Finding]:
    """See that full segments are sealed soon."""
    if facts.running is None:
        return
    waiting, failed = facts.running.value("segments", "unsealed"), facts.running.value("segment_seal_errors_total")
    if waiting > _BACKLOG or failed:
        says = f"{waiting:.0f} segments are not sealed yet, {failed:.0f} sealings failed: queries are slower."
        mend = _and(facts, f"df -h {_path(facts.config.store.path)};", _journal(facts))
        yield Finding("sealing", State.MEND, says, mend)


def signs(facts: Facts) -> Iterator[Finding]:
    """See that the head of the log is signed as often as the configuration says."""
    if facts.running is None or facts.running.value("evidence_alarm"):
        return
    signed, written = (
        facts.running.value(f"{name}_timestamp_seconds") for name in ("checkpoint", "last_commit")
    )  # fmt: skip
    interval = facts.config.evidence.checkpoint_interval
    if written > signed and facts.host.now - max(signed, facts.running.value("start_timestamp_seconds")) > 3 * interval:
        since = f"for {_lasting(facts.host.now - signed)}" if signed else "since the start"
        says = f"No checkpoint was signed {since}: what is newer can be altered unnoticed."
        yield Finding("checkpoint", State.MEND, says, _journal(facts))


def publishes(facts: Facts) -> Iterator[Finding]:
    """See that checkpoints leave the machine."""
    if not facts.config.publish and facts.config_path is not None:
        says = "Checkpoints stay on this machine: who owns it can rewrite the log and its signatures."
        mend = "add `publish:` to the configuration (a witness, syslog or HTTP elsewhere)"
        yield Finding("publish", State.ADVICE, says, mend)
    for (target,), last in facts.running.by("checkpoint_publish_timestamp_seconds").items() if facts.running else ():
        failures = facts.running.value("checkpoint_publish_failures_total", target) if facts.running else 0
        if failures and facts.host.now - last > _UNPUBLISHED_SECONDS:
            says = f"Checkpoints do not reach {target} ({failures:.0f} tries failed)."
            mend = _journal(facts) if facts.host.unit is None else f"{_journal(facts)} | grep {quote(target)}"
            yield Finding("publish", State.MEND, says, mend)


def certificates_last(facts: Facts) -> Iterator[Finding]:
    """See that no certificate in use ends soon."""
    name = "tls_certificate_not_after_timestamp_seconds"
    for (listener,), end in facts.running.by(name).items() if facts.running else ():
        days = (end - facts.host.now) / _DAY
        if days < _SOON_DAYS:
            when = "has ended" if days < 0 else f"ends in {days:.0f} days"
            says = f"The certificate of {listener} {when}: senders that check it are refused."
            mend = f"renew its file, then systemctl reload {facts.unit_name} (credentials: {_restart(facts)})"
            if facts.host.unit is None:
                mend = "renew its file: the receiver notices"
            yield Finding("certificate", State.MEND, says, mend)


def hosts_speak(facts: Facts) -> Iterator[Finding]:
    """See that everybody is heard of whom it is expected."""
    for (host,), silent in facts.running.by("host_silent").items() if facts.running else ():
        if silent:
            last = facts.running.value("host_last_seen_timestamp_seconds", host) if facts.running else 0
            when = f"for {_lasting(facts.host.now - last)}" if last else "since the start"
            mend = f"ssh {quote(host)} systemctl status rsyslog systemd-journal-upload"
            yield Finding("silent-host", State.MEND, f"{host} is silent {when}.", mend)


def reads(facts: Facts) -> Iterator[Finding]:
    """See that most messages can be read, and that their clocks are right."""
    if facts.running is None:
        return
    results = facts.running.by("parse_results_total")
    for listener in sorted({labels[0] for labels in results}):
        total = sum(count for labels, count in results.items() if labels[0] == listener)
        failed = results.get((listener, "failed"), 0)
        if total >= 100 and failed / total > _UNREADABLE_SHARE:
            says = f"{failed / total:.0%} of what {listener} gets is neither syslog nor JSON; it is stored as it came."
            yield Finding("parsing", State.ADVICE, says, _command(facts, "unmatched"))
    for (listener,), skew in facts.running.by("event_time_skew_seconds").items():
        if abs(skew) > _SKEW_SECONDS:
            says = f"The newest time stamp on {listener} is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead'}."
            yield Finding("skew", State.ADVICE, says, "timedatectl  # on the sender, and here")


# --- the machine ---


def clock_is_right(facts: Facts) -> Iterator[Finding]:
    """See that the kernel says that its clock is synchronised."""
    clock = facts.host.clock
    if clock is not None and (not clock.synchronised or clock.error_seconds > _CLOCK_SECONDS):
        says = "The clock of this machine is not synchronised: times in the log may be wrong."
        yield Finding("clock", State.MEND, says, "apt-get install systemd-timesyncd && timedatectl set-ntp true")


def disk_lasts(facts: Facts) -> Iterator[Finding]:
    """See that there is room, and will be."""
    free, config = facts.host.disk_free, facts.config
    if free is None:
        return
    room = free - config.store.min_free_bytes
    mend = _command(facts, "prune --dry-run") + "  # after setting `retention:`; or a larger disk"
    if room < 0:
        says = f"{_size(free)} of disk are free, less than store.min_free_bytes: nothing is taken in."
        yield Finding("disk", State.MEND, says, mend)
        return
    days = _days_left(facts, room)
    if days is not None and days < _FULL_LATER_DAYS and not _is_bounded(facts):
        state = State.MEND if days < _FULL_DAYS else State.ADVICE
        says = f"{_size(free)} of disk are free: at the rate so far that lasts {days:.0f} days."
        yield Finding("disk", state, says, mend)


def _days_left(facts: Facts, room: float) -> float | None:
    if facts.running is None:
        return None
    stored, oldest = (facts.running.value(name) for name in ("store_bytes", "oldest_event_timestamp_seconds"))
    age = facts.host.now - oldest
    if not oldest or age < _YOUNG_SECONDS or not stored:
        return None
    return room / (stored / age) / _DAY


def _is_bounded(facts: Facts) -> bool:
    """Whether retention keeps the store below what it may have, rather than its events below an age."""
    kept = facts.config.retention
    return kept.max_bytes is not None or kept.min_free_bytes is not None


def retention_is_set(facts: Facts) -> Iterator[Finding]:
    """See that the log does not grow for ever."""
    kept = facts.config.retention
    is_unset = kept.max_age is None and kept.max_bytes is None and kept.min_free_bytes is None
    if is_unset and facts.config_path is not None:
        says = "No retention is set: the log is kept for ever, until the disk is full and intake stops."
        yield Finding("retention", State.ADVICE, says, "set retention.max_age or retention.max_bytes")


def keys_are_private(facts: Facts) -> Iterator[Finding]:
    """See that nobody else reads the keys, and that no backup of the store has them."""
    keys = facts.host.keys
    if keys is None:
        return
    if keys.in_store:
        says = f"The keys lie in the store ({keys.path}): whoever copies the log can sign another."
        yield Finding("keys", State.MEND, says, "set evidence.key_dir to a folder outside, and move the files there")
    if keys.mode & 0o077:
        says = f"{keys.path} can be entered by others (mode {keys.mode:o})."
        yield Finding("keys", State.MEND, says, f"chmod 700 {_path(keys.path)}")
    for name in keys.open_files:
        says = f"The private key {name} can be read by others: they can sign another log."
        mend = f"chmod 600 {_path(keys.path / name)} && {_command(facts, 'keygen --rotate')}"
        yield Finding("keys", State.MEND, says, mend)


def unit_is_well(facts: Facts) -> Iterator[Finding]:
    """See that the service is not restarted again and again."""
    unit = facts.host.unit
    if unit is None:
        if facts.unit_wanted:
            says = f"There is no service {facts.unit_name} that systemd knows."
            mend = "systemctl list-units --all 'audit-receiver*'  # then --unit NAME, or without --unit"
            if facts.host.has_systemd:
                yield Finding("unit", State.MEND, says, mend)
            else:
                says = f"systemd does not run here, so there is no service {facts.unit_name}."
                yield Finding("unit", State.ADVICE, says, "leave out --unit")
        return
    if unit.active == "failed" or unit.result not in {"success", ""}:
        says = f"The service {facts.unit_name} has failed ({unit.result})."
        yield Finding("unit", State.MEND, says, _journal(facts))
    if unit.restarts:
        says = f"systemd has restarted the service {unit.restarts} times since it was started."
        yield Finding("unit", State.ADVICE, says, _journal(facts))


# --- the configuration ---


def doors_are_guarded(facts: Facts) -> Iterator[Finding]:
    """See that not everybody on the Internet may write into the log."""
    if facts.config_path is None:
        return
    for listener in facts.config.listeners:
        if _is_open(listener):
            says = f"Listener {listener.name} takes messages from everyone who can reach {listener.listen}."
            yield Finding("allow", State.MEND, says, f"set `allow:` of {listener.name} to the networks of your senders")
    address = facts.config.http.listen
    if address is not None and _is_public(address):
        says = f"Metrics and health are shown to everyone who can reach {address}."
        yield Finding("http", State.MEND, says, "set http.listen to 127.0.0.1:9514, or an address of your own network")


def _is_open(listener: Listener) -> bool:
    is_known = (listener.tls is not None and listener.tls.client_ca is not None) or listener.tokens
    return (
        listener.allow is None
        and not is_known
        and isinstance(listener.listen, Address)
        and _is_public(listener.listen)
    )


def _is_public(address: Address) -> bool:
    """Whether it is all interfaces, or an address that is not of a private network; a name is not resolved."""
    if not address.host:
        return True
    try:
        found = ip_address(address.host.partition("%")[0])
    except ValueError:
        return False
    return found.is_unspecified or not (found.is_private or found.is_loopback or found.is_link_local)


CHECKS: Final[tuple[Check, ...]] = (
    is_running, is_ready, is_unaltered, drops_nothing, kernel_drops_nothing, buffers_are_large, has_descriptors,
    commits, seals, signs, publishes, certificates_last, hosts_speak, reads, clock_is_right, disk_lasts,
    retention_is_set, keys_are_private, unit_is_well, doors_are_guarded,
)  # fmt: skip
