"""The configuration as frozen values: every key, its default, its range and its meaning.

Knows `receiver.limits`, where the defaults come from. Knows no file and no room: `app` hands the values on.
"""
# No `from __future__ import annotations`: pydantic reads the annotations when the classes are made.

import os
import re
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from receiver import limits
from receiver.config.values import (
    DAY,
    GIB,
    Address,
    AnyNetwork,
    CredentialPath,
    FilePath,
    ListenAddress,
    Location,
    Misplaced,
    Network,
    Text,
    Zone,
    as_address,
    as_list,
    as_path,
    choice,
    count,
    duration,
    not_empty,
    size,
    unique,
)
from receiver.limits import KIB, MIB

RESERVED_NAME: Final = "self"
"""The listener name of the receiver's own events."""


class ListenerType(StrEnum):
    """How a listener is spoken to."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    UNIX_DGRAM = "unix_dgram"
    UNIX_STREAM = "unix_stream"

    @property
    def is_datagram(self) -> bool:
        """Takes datagrams rather than connections."""
        return self in {ListenerType.UDP, ListenerType.UNIX_DGRAM}

    @property
    def is_unix(self) -> bool:
        """Listens on a path rather than on an address."""
        return self in {ListenerType.UNIX_DGRAM, ListenerType.UNIX_STREAM}


class KeepRaw(StrEnum):
    """Which events keep their bytes as received."""

    MALFORMED = "malformed"
    ALWAYS = "always"


class _Section(BaseModel):
    """Frozen, closed; a section whose keys are all commented out is the default one."""

    # Defaults are read again in the file's context: a relative path is relative to the file.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, revalidate_instances="always")

    @model_validator(mode="before")
    @classmethod
    def _nothing_is_the_default(cls, value: object) -> object:
        return {} if value is None else value


class Segment(_Section):
    """When the active segment is closed and sealed."""

    max_events: Annotated[int, count(1, 100_000_000)] = Field(
        limits.SEGMENT_EVENTS,
        description="Events in one segment; a full one is sealed (indexed, compacted, read-only) in the background.",
    )
    max_age: Annotated[float, duration(1, 366 * DAY)] = Field(
        limits.SEGMENT_AGE_SECONDS,
        description="Age at which a segment is sealed even if it is not full.",
    )


class Store(_Section):
    """The log on disk."""

    path: FilePath = Field(
        Path("audit-store"),
        description="Folder of the log, relative to the config file; one receiver a folder.",
    )
    keep_raw: Annotated[KeepRaw, choice(KeepRaw)] = Field(
        KeepRaw.MALFORMED,
        description="Keep the bytes as received of `malformed` messages only, or `always`"
        " (the store grows by about the traffic).",
    )
    min_free_bytes: Annotated[int, size(0, 1024 * GIB)] = Field(
        limits.MIN_FREE_BYTES,
        description="Intake stops while the disk has less free: sealing and SQLite need room to finish.",
    )
    segment: Segment = Segment()


class Tls(_Section):
    """TLS 1.2 or newer on a stream listener."""

    certificate: CredentialPath = Field(
        description="PEM file with the server's certificate and its chain. Relative to the config file; `%d/` or"
        " `$CREDENTIALS_DIRECTORY/` in front is systemd's folder of credentials.",
    )
    key: CredentialPath = Field(description="PEM file with its private key, without a passphrase.")
    client_ca: CredentialPath | None = Field(
        None,
        description="PEM file of the authorities whose client certificates are accepted;"
        " unset: senders need no certificate.",
    )
    permitted: Annotated[tuple[Text, ...], BeforeValidator(as_list), AfterValidator(not_empty)] | None = Field(
        None,
        description="Which of those certificates may send: names (`web.example.org`, `*.example.org`) or fingerprints"
        " (`sha-256:…`); unset: every one that `client_ca` signed.",
    )

    @field_validator("permitted")
    @classmethod
    def _permitted_needs_client_ca(cls, value: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        if value is not None and "client_ca" in info.data and info.data["client_ca"] is None:
            raise ValueError("does nothing without client_ca: no sender would be asked for a certificate")
        return value


class Listener(_Section):
    """One door; any number of each type."""

    name: Text = Field(
        description="Shown in metrics and with each event; also the name of a socket handed over by systemd"
        " (`FileDescriptorName=`). A stream and a datagram listener may share one, as the sockets of one unit do.",
    )
    type: Annotated[ListenerType, choice(ListenerType)] = Field(
        description="`udp`, `tcp`, `tls`, `unix_dgram` or `unix_stream`. Syslog, JSON and GELF are told apart by"
        " themselves on each.",
    )
    listen: Address | Path = Field(
        description='"host:port" ("*:514" is all interfaces, IPv4 and IPv6), or a socket\'s path.',
    )
    allow: Annotated[tuple[AnyNetwork, ...], BeforeValidator(as_list), AfterValidator(not_empty)] | None = Field(
        None,
        description="Networks that may send here; unset: everyone who can reach the port.",
    )
    zone: Zone | None = Field(
        None,
        description="IANA time zone of senders whose time stamps have none (RFC 3164); `zones` goes before it;"
        " unset: UTC.",
    )
    tls: Tls | None = Field(None, description="Required for type `tls`, refused for the others.")

    @field_validator("name")
    @classmethod
    def _name_fits_everywhere(cls, value: str) -> str:
        # systemd takes 255 characters without ':' or control characters; a label and a log line want it simple.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}", value):
            raise ValueError("must be up to 63 letters, digits and _ . - and begin with a letter or digit")
        if value == RESERVED_NAME:
            raise ValueError(f'"{RESERVED_NAME}" is the name of the receiver\'s own events')
        return value

    @field_validator("listen", mode="plain")
    @classmethod
    def _listen_fits_the_type(cls, value: object, info: ValidationInfo) -> Address | Path:
        kind = info.data.get("type")
        if kind is None:  # that is the problem to mend first
            return Path()
        if not kind.is_unix:
            return as_address(value)
        path = as_path(value, info)
        if len(os.fsencode(path)) > 107:  # unix(7): sun_path holds 108 bytes with its end
            raise ValueError("is longer than the 107 bytes that a socket's path may have")
        return path

    @field_validator("allow")
    @classmethod
    def _only_addresses_can_be_allowed(
        cls, value: tuple[Network, ...] | None, info: ValidationInfo
    ) -> tuple[Network, ...] | None:
        kind = info.data.get("type")
        if value is not None and kind is not None and kind.is_unix:
            raise ValueError(f"does nothing for {kind}: use the permissions of the socket's folder")
        return value

    @field_validator("tls")
    @classmethod
    def _tls_where_it_belongs(cls, value: Tls | None, info: ValidationInfo) -> Tls | None:
        kind = info.data.get("type")
        if kind is ListenerType.TLS and value is None:
            raise ValueError("is missing: type tls needs tls.certificate and tls.key")
        if kind not in {None, ListenerType.TLS} and value is not None:
            raise ValueError(f'does nothing for type {kind} (did you mean type "tls"?)')
        return value


class Ingest(_Section):
    """Between the listeners and the writer."""

    max_bytes: Annotated[int, size(MIB, 1024 * GIB)] = Field(
        limits.INBOX_BYTES,
        description="Memory for events on their way to the disk (estimated). Above it streams are not read and"
        " datagrams dropped, which is counted.",
    )
    batch_events: Annotated[int, count(1, 65_536)] = Field(
        limits.BATCH_EVENTS,
        description="Events in one commit at most.",
    )
    batch_delay: Annotated[float, duration(0.001, 0.2)] = Field(
        limits.BATCH_DELAY_SECONDS,
        description="Longest wait of an event for others to share its commit.",
    )


class Limits(_Section):
    """What one sender, or all together, may take."""

    message_bytes: Annotated[int, size(2 * KIB, 16 * MIB)] = Field(
        limits.MESSAGE_BYTES,
        description="Longest message kept whole; a longer one is cut, flagged and counted.",
    )
    half_read_bytes: Annotated[int, size(MIB, 64 * GIB)] = Field(
        limits.HALF_READ_BYTES,
        description="Memory for the half-read messages of all connections together.",
    )
    connections: Annotated[int, count(1, 1_000_000)] = Field(
        limits.CONNECTIONS,
        description="Open connections, all listeners together (the service needs as many file descriptors).",
    )
    connections_per_peer: Annotated[int, count(1, 1_000_000)] = Field(
        limits.CONNECTIONS_PER_PEER,
        description="Open connections of one address; high, since a load balancer or NAT hides many senders.",
    )
    line_idle: Annotated[float, duration(0.1, 3600)] = Field(
        limits.LINE_IDLE_SECONDS,
        description="Silence after which a line is taken without its end (devices that never send the last LF).",
    )
    tls_handshake: Annotated[float, duration(0.1, 600)] = Field(
        limits.TLS_HANDSHAKE_SECONDS,
        description="Time for a TLS handshake.",
    )
    udp_receive_buffer: Annotated[int, size(4 * KIB, GIB)] = Field(
        limits.UDP_RECEIVE_BUFFER_BYTES,
        description="Kernel buffer asked for each UDP socket; without CAP_NET_ADMIN `net.core.rmem_max` bounds it.",
    )

    @field_validator("half_read_bytes")
    @classmethod
    def _holds_one_message(cls, value: int, info: ValidationInfo) -> int:
        if value < info.data.get("message_bytes", 0):
            raise ValueError("must be at least message_bytes: no message of that length could be read")
        return value


class Http(_Section):
    """Metrics and health."""

    listen: ListenAddress | None = Field(
        Address("127.0.0.1", 9514),
        description="Address of `/metrics`, `/healthz` and `/readyz`: no token, so no public address; `null`: none.",
    )


_PRIVATE: Final = tuple(
    ip_network(network)
    for network in (
        "127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip
_DEFAULT_LISTENERS: Final = (
    Listener(name="syslog-udp", type=ListenerType.UDP, listen=Address("", 5514), allow=_PRIVATE),
    Listener(name="syslog-tcp", type=ListenerType.TCP, listen=Address("", 5514), allow=_PRIVATE),
)


class Config(_Section):
    """The whole file."""

    store: Store = Store()
    listeners: Annotated[tuple[Listener, ...], BeforeValidator(as_list), AfterValidator(not_empty)] = Field(
        _DEFAULT_LISTENERS,
        description="The doors. Without the key: UDP and TCP on port 5514 from loopback and private networks.",
    )
    zones: dict[AnyNetwork, Zone] = Field(
        {},
        description="IANA time zone by the network a message is delivered from, for time stamps without one;"
        " the smallest network that fits goes before the listener's `zone`.",
    )
    ingest: Ingest = Ingest()
    limits: Limits = Limits()
    http: Http = Http()
    packs: Annotated[tuple[FilePath, ...], BeforeValidator(as_list)] = Field(
        (),
        description="Folders of rules of your own, relative to the config file; they go before the built-in ones.",
    )
    expected_hosts: Annotated[tuple[Text, ...], BeforeValidator(as_list), AfterValidator(unique)] = Field(
        (),
        description="Hosts (as they name themselves, or the address they send from) whose silence matters: each gets"
        " `audit_receiver_host_last_seen_timestamp_seconds`.",
    )

    @field_validator("zones", mode="before")
    @classmethod
    def _no_zones(cls, value: object) -> object:
        return {} if value is None else value

    @field_validator("zones")
    @classmethod
    def _smallest_first(cls, value: dict[Network, ZoneInfo]) -> dict[Network, ZoneInfo]:
        return dict(sorted(value.items(), key=lambda item: item[0].prefixlen, reverse=True))

    @field_validator("listeners")
    @classmethod
    def _no_door_twice(cls, value: tuple[Listener, ...]) -> tuple[Listener, ...]:
        names: dict[tuple[bool, str], int] = {}
        doors: dict[tuple[bool, Address | Path], int] = {}
        problems: list[tuple[Location, str]] = []
        for index, listener in enumerate(value):
            first = names.setdefault((listener.type.is_datagram, listener.name), index)
            if first != index:
                problems.append(((index, "name"), f'"{listener.name}" is the name of listeners[{first}] too'))
            if isinstance(listener.listen, Address) and not listener.listen.port:
                continue  # port 0: the kernel picks one for each
            door = (listener.type is ListenerType.UDP, listener.listen)
            first = doors.setdefault(door, index)
            if first != index:
                problems.append(((index, "listen"), f'"{listener.listen}" is taken by listeners[{first}]'))
        if problems:
            raise Misplaced(problems)
        return value
