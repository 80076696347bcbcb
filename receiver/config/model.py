"""The configuration as frozen values: every key, its default, its range and its meaning.

Knows `receiver.limits`, where the defaults come from. Knows no file and no room: `app` hands the values on.
"""
# No `from __future__ import annotations`: pydantic reads the annotations when the classes are made.

import os
import re
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit
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
    as_text,
    choice,
    count,
    duration,
    meant,
    not_empty,
    one_of,
    or_unset,
    size,
    unique,
)
from receiver.event import ACTIONS, FACILITIES, SEVERITIES
from receiver.limits import KIB, MIB

RESERVED_NAME: Final = "self"
"""The listener name of the receiver's own events."""


class ListenerType(StrEnum):
    """How a listener is spoken to."""

    UDP = "udp"
    TCP = "tcp"
    TLS = "tls"
    RELP = "relp"
    HTTP = "http"
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


def _misread(permitted: str) -> str | None:
    """Say why an entry of `permitted` would never mean anybody."""
    if re.match(r"(?i)sha-?\d+:|[0-9a-f]{2}(:[0-9a-f]{2}){15,}$|[0-9a-f]{40,}$", permitted):
        if not re.fullmatch(r"(?i)sha-?256:([0-9a-f]{2}:){31}[0-9a-f]{2}|sha-?256:[0-9a-f]{64}", permitted):
            return "a fingerprint must be sha-256: and 64 hexadecimal digits, with colons or without"
    elif permitted[:3].lower() == "cn=" and not permitted[3:].strip():
        return "a common name must follow CN="
    elif "*" in re.sub(r"^(CN=|cn=)?\*\.(?=[^.])", "", permitted):
        return "* can only stand for the whole first label, as in *.example.org"
    return None


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
        description="Which of those certificates may send: alternative names (`web.example.org`, `*.example.org`,"
        " `192.0.2.7`), common names of the subject (`CN=backup agent`, `CN=*.example.org`) or fingerprints"
        " (`sha-256:AB:CD:…`); unset: every one that `client_ca` signed.",
    )

    @field_validator("permitted")
    @classmethod
    def _permitted_can_be_somebody(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
        problems: list[tuple[Location, str]] = []
        for index, entry in enumerate(value or ()):
            if (problem := _misread(entry)) is not None:
                problems.append(((index,), problem))
        if problems:
            raise Misplaced(problems)
        return value

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
        description="`udp`, `tcp`, `tls`, `relp` and `http` (these two answer when it is durable), `unix_dgram` or"
        " `unix_stream`. Syslog, JSON and GELF are told apart by themselves on each.",
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
    proxy_protocol: (
        Annotated[tuple[AnyNetwork, ...], BeforeValidator(as_list), AfterValidator(not_empty)] | None
    ) = Field(
        None,
        description="Networks of load balancers whose connections open with a PROXY header (version 1 or 2; haproxy's"
        " `send-proxy-v2`). From them it is required, and `allow`, limits and events then mean the client behind; from"
        " others it is refused. Unset: from nobody.",
    )
    tls: Tls | None = Field(
        None, description="Required for type `tls`, possible for `relp` and `http`, refused for the others."
    )
    tokens: Annotated[tuple[CredentialPath, ...], BeforeValidator(as_list), AfterValidator(not_empty)] | None = Field(
        None,
        description="Files with the bearer tokens that may write here, for `http`: `name: token` or a token a line."
        " Paths as those of `tls`. Required, unless `tls.client_ca` asks for certificates; with both, both are needed.",
    )

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

    @field_validator("proxy_protocol")
    @classmethod
    def _only_connections_have_a_header(
        cls, value: tuple[Network, ...] | None, info: ValidationInfo
    ) -> tuple[Network, ...] | None:
        kind = info.data.get("type")
        if value is not None and kind is not None and (kind.is_unix or kind.is_datagram):
            raise ValueError(f"does nothing for {kind}: it is for listeners that load balancers connect to")
        return value

    @field_validator("tls")
    @classmethod
    def _tls_where_it_belongs(cls, value: Tls | None, info: ValidationInfo) -> Tls | None:
        kind = info.data.get("type")
        if kind is ListenerType.TLS and value is None:
            raise ValueError("is missing: type tls needs tls.certificate and tls.key")
        if kind not in {None, ListenerType.TLS, ListenerType.RELP, ListenerType.HTTP} and value is not None:
            raise ValueError(f'does nothing for type {kind} (did you mean type "tls"?)')
        return value

    @field_validator("tokens")
    @classmethod
    def _nobody_writes_unknown(cls, value: tuple[Path, ...] | None, info: ValidationInfo) -> tuple[Path, ...] | None:
        kind, tls = info.data.get("type"), info.data.get("tls", Tls)
        asks = tls is Tls or (tls is not None and tls.client_ca is not None)  # Tls: that is the problem to mend first
        if kind is ListenerType.HTTP and value is None and not asks:
            raise ValueError("is missing: type http takes events of those it knows, by tokens or by tls.client_ca")
        if kind not in {None, ListenerType.HTTP} and value is not None:
            raise ValueError(f"does nothing for type {kind}: only http asks for tokens")
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
        description="Longest wait of an event for others to share its commit, 1ms to 200ms.",
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
    gelf_assembly_bytes: Annotated[int, size(MIB, GIB)] = Field(
        limits.GELF_ASSEMBLY_BYTES,
        description="Memory for GELF chunks that wait for the rest of their message, of one UDP listener; beyond it the"
        " oldest message makes way.",
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
    idle: Annotated[float, duration(0, 366 * DAY)] = Field(
        limits.IDLE_SECONDS,
        description="Silence after which a connection is closed; `0` is never. Long, since a sender that does not look"
        " before it writes loses the first message after the close.",
    )
    rate_per_peer: Annotated[int, count(0, 10_000_000)] = Field(
        limits.RATE_PER_PEER,
        description="Messages per second from one address, on average over 10 s; `0` is any number. Beyond it"
        " connections are slowed by not being read, and UDP messages dropped and counted (`rate_limited`).",
    )
    rate_floor: Annotated[str, one_of(SEVERITIES)] = Field(
        SEVERITIES[limits.RATE_FLOOR],
        description="UDP messages as urgent as this, or more, are never dropped for their peer's rate.",
    )
    relp_answer: Annotated[float, duration(0.1, 3600)] = Field(
        limits.RELP_ANSWER_SECONDS,
        description="Time for a RELP sender to read our answers; meanwhile nothing is read of it.",
    )
    proxy_header: Annotated[float, duration(0.1, 600)] = Field(
        limits.PROXY_HEADER_SECONDS,
        description="Time for the PROXY header of a load balancer.",
    )
    http_body: Annotated[int, size(64 * KIB, 1024 * GIB)] = Field(
        limits.HTTP_BODY_BYTES,
        description="Longest body of a request to `/ingest` or `_bulk`, unpacked, 64KiB or more. It is taken in pieces:"
        " this bounds what is to be sent again, not memory.",
    )
    http_ratio: Annotated[int, count(1, 1100)] = Field(
        limits.HTTP_RATIO,
        description="To how many times its size a packed body may unpack.",
    )
    udp_receive_buffer: Annotated[int, size(4 * KIB, GIB)] = Field(
        limits.UDP_RECEIVE_BUFFER_BYTES,
        description="Kernel buffer asked for each UDP socket; without CAP_NET_ADMIN `net.core.rmem_max` bounds it.",
    )

    @field_validator("idle")
    @classmethod
    def _idle_is_never_or_a_while(cls, value: float) -> float:
        if 0 < value < 1:
            raise ValueError("must be 0 (never) or at least 1s")
        return value

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
        description="Address of `/metrics`, `/healthz` and `/readyz`: no token, so no public address; `null`: none"
        " (`http: null` is the same).",
    )


class Evidence(_Section):
    """Signed checkpoints over the log."""

    checkpoint_interval: Annotated[float, duration(1, DAY)] = Field(
        60.0,
        description="How often the head of the log is signed while it grows, 1s to 1d; also at sealing and at an"
        " orderly stop.",
    )
    origin: Text | None = Field(
        None,
        description="Name of the log in its checkpoints and keys, for ever; unset: host name and store folder at the"
        " first start, as the key then says.",
    )
    key_dir: FilePath | None = Field(
        None,
        description="Folder of the private keys and of the copy of the last checkpoint, outside of the store and its"
        " backups; unset: `keys` beside the store. Credentials `log.key` and `time.key` of systemd go before.",
    )
    note_queries: bool = Field(
        True,
        description="Write into the log who read it: an event for each query and export.",
    )

    @field_validator("origin")
    @classmethod
    def _can_be_a_key_name(cls, value: str | None) -> str | None:
        if value is not None and (any(map(str.isspace, value)) or "+" in value):
            raise ValueError("must have no spaces and no plus: it is the name of a key")
        return value


class PublishType(StrEnum):
    """What kind of place checkpoints are sent to."""

    FILE = "file"
    SYSLOG = "syslog"
    HTTP = "http"
    WITNESS = "witness"


class Publish(_Section):
    """A place outside of this machine that gets every checkpoint."""

    name: Text = Field(description="Shown in metrics and in the journal.")
    type: Annotated[PublishType, choice(PublishType)] = Field(
        description="`file` (appended), `syslog`, `http` (POST) or `witness` (C2SP tlog-witness; it cosigns).",
    )
    to: Text = Field(
        description="A path for `file`; `udp://host:port`, `tcp://…` or `tls://…` for `syslog`; `https://…` or `http://…`"
        " for the others.",
    )
    key: Annotated[tuple[Text, ...], BeforeValidator(as_list)] = Field(
        (),
        description="Verifier keys of a witness; required for it.",
    )
    token_file: CredentialPath | None = Field(None, description="File with a bearer token, for `http`.")
    ca: CredentialPath | None = Field(
        None, description="PEM file of the authorities that vouch for the server; unset: those of the system."
    )

    @field_validator("to")
    @classmethod
    def _to_fits_the_type(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("type")
        wanted = {
            PublishType.SYSLOG: ("udp", "tcp", "tls"),
            PublishType.HTTP: ("http", "https"),
            PublishType.WITNESS: ("http", "https"),
        }.get(kind)  # type: ignore[arg-type]
        if wanted is None:
            return value if kind != PublishType.FILE else os.fspath(as_path(value, info))
        try:
            parts = urlsplit(value)
            port = parts.port
        except ValueError:
            raise ValueError(f"{value!r} is not an address") from None
        if parts.scheme not in wanted or not parts.hostname or (kind is PublishType.SYSLOG and port is None):
            raise ValueError(f"must be an address like {wanted[0]}://host:port ({', '.join(wanted)})")
        return value

    @field_validator("key")
    @classmethod
    def _key_where_it_belongs(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("type") is PublishType.WITNESS and not value:
            raise ValueError("is missing: a witness is known by its verifier key")
        if value and info.data.get("type") not in {None, PublishType.WITNESS}:
            raise ValueError(f"does nothing for {info.data['type']}: only a witness is known by its key")
        return value

    @field_validator("token_file")
    @classmethod
    def _token_where_it_belongs(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and info.data.get("type") not in {None, PublishType.HTTP}:
            raise ValueError(f"does nothing for {info.data['type']}: only http takes a token")
        return value

    @field_validator("ca")
    @classmethod
    def _ca_where_it_belongs(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        to = info.data.get("to")
        if value is not None and to is not None and urlsplit(to).scheme not in {"tls", "https"}:
            raise ValueError(f"does nothing for {to}: only tls:// and https:// ask who the server is")
        return value


def _as_action(value: object) -> str:
    """Take an action of the vocabulary, or the beginning of some and `*`: by another name nothing would ever go."""
    text = as_text(value)
    if text in ACTIONS or (text.endswith("*") and any(action.startswith(text[:-1]) for action in ACTIONS)):
        return text
    raise ValueError(f'there is no action "{text}"{meant(text, sorted(ACTIONS))}')


class ShorterRetention(_Section):
    """Events of one kind that are kept for less time than the rest."""

    app: Text | None = Field(None, description="Events of this app.")
    facility: Annotated[str | None, or_unset(one_of(FACILITIES))] = Field(None, description="Events of this facility.")
    action: Annotated[str | None, or_unset(BeforeValidator(_as_action))] = Field(
        None, description="Events of this action; `http.*` is all of its kind."
    )
    max_age: Annotated[float, duration(1, 100 * 366 * DAY)] = Field(
        description="Age at which they are redacted: position, time and proofs stay.",
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if self.app is None and self.facility is None and self.action is None:
            raise ValueError("must name an app, a facility or an action; for all events there is retention.max_age")
        return self


class Retention(_Section):
    """How long the log is kept; without any of these for ever."""

    max_age: Annotated[float | None, or_unset(duration(1, 100 * 366 * DAY))] = Field(
        None,
        description="Age of its newest event at which a sealed segment is removed.",
    )
    max_bytes: Annotated[int | None, or_unset(size(MIB, 1024 * 1024 * GIB))] = Field(
        None,
        description="Size of the store above which its oldest sealed segments are removed.",
    )
    min_free_bytes: Annotated[int | None, or_unset(size(MIB, 1024 * 1024 * GIB))] = Field(
        None,
        description="Free disk below which the oldest sealed segments are removed.",
    )
    shorter: Annotated[tuple[ShorterRetention, ...], BeforeValidator(as_list)] = Field(
        (),
        description="Kinds of events that go earlier; looked after once a day, in sealed segments.",
    )


class ExpectedHost(_Section):
    """A host whose silence matters."""

    host: Text = Field(description="As it names itself, or the address it sends from.")
    silent_after: Annotated[float, duration(1, 366 * DAY)] = Field(
        limits.SILENT_SECONDS,
        description="Silence after which it counts as silent: an event of the log, and a metric.",
    )

    @model_validator(mode="before")
    @classmethod
    def _name_alone(cls, value: object) -> object:
        if isinstance(value, dict | ExpectedHost):
            return value
        return {"host": as_text(value)}


def _hosts_once(value: tuple[ExpectedHost, ...]) -> tuple[ExpectedHost, ...]:
    unique(tuple(expected.host for expected in value))
    return value


def _targets_once(value: tuple[Publish, ...]) -> tuple[Publish, ...]:
    names = [target.name for target in value]
    problems: list[tuple[Location, str]] = [
        ((index, "name"), f'"{name}" is the name of publish[{names.index(name)}] too')
        for index, name in enumerate(names)
        if name in names[:index]
    ]
    if problems:
        raise Misplaced(problems)
    return value


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
    evidence: Evidence = Evidence()
    retention: Retention = Retention()
    publish: Annotated[tuple[Publish, ...], BeforeValidator(as_list), AfterValidator(_targets_once)] = Field(
        (),
        description="Where checkpoints are sent, outside of this machine: only what somebody else has seen cannot be"
        " rewritten.",
    )
    packs: Annotated[tuple[FilePath, ...], BeforeValidator(as_list)] = Field(
        (),
        description="Folders of rules of your own, relative to the config file; they go before the built-in ones.",
    )
    expected_hosts: Annotated[tuple[ExpectedHost, ...], BeforeValidator(as_list), AfterValidator(_hosts_once)] = Field(
        (),
        description="Hosts whose silence matters: names, or sections with `host` and `silent_after`. Each gets"
        " `audit_receiver_host_silent` and an event when it falls silent and when it is heard again.",
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

    @model_validator(mode="after")
    def _keys_outside_of_the_store(self) -> Self:
        folder, store = self.evidence.key_dir, self.store.path
        if folder is not None and folder.resolve().is_relative_to(store.resolve()):
            problem = "must be outside of the store: who gets a copy of that must not get the keys"
            raise Misplaced([(("evidence", "key_dir"), problem)])
        return self

    @model_validator(mode="after")
    def _metrics_have_a_port_of_their_own(self) -> Self:
        ours = self.http.listen
        for index, listener in enumerate(self.listeners):
            theirs = listener.listen
            if ours is None or listener.type.is_datagram or not isinstance(theirs, Address) or not ours.port:
                continue
            if ours.port == theirs.port and (ours.host == theirs.host or not (ours.host and theirs.host)):
                raise Misplaced([(("http", "listen"), f'"{ours}" is taken by listeners[{index}] ("{theirs}")')])
        return self
