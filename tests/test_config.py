"""The config file: what it may hold, what is said about what it may not, and that its documentation is true."""

from __future__ import annotations

import re
from ipaddress import ip_network
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import ValidationError

from receiver.config import (
    Address,
    Config,
    KeepRaw,
    ListenerType,
    digest_of,
    load_config,
    problems,
    settings,
    settings_table,
)  # fmt: skip
from receiver.errors import ConfigError
from receiver.event import FACILITIES

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
EXAMPLE = ROOT / "config.example.yaml"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.yaml"


def listener(rest: str) -> str:
    return f"listeners:\n  - {{name: a, {rest}}}\n"


def mutual_tls(permitted: str) -> str:
    return f'type: tls, listen: "*:1", tls: {{certificate: a, key: b, client_ca: c, permitted: {permitted}}}'


def said(file: Path, text: str) -> list[str]:
    """What is wrong with the text, without the file's folder."""
    file.write_text(text)
    return [line.removeprefix(f"{file.parent}/") for line in problems(file)]


# --- what may stand in it ---


def test_without_a_file_there_is_a_usable_configuration() -> None:
    # An operator who only wants to look must not have to write a file first.
    config = load_config()
    assert [(listener.name, listener.type, listener.listen) for listener in config.listeners] == [
        ("syslog-udp", "udp", Address("", 5514)),
        ("syslog-tcp", "tcp", Address("", 5514)),
    ]
    assert config.http.listen == Address("127.0.0.1", 9514)
    assert ip_network("10.0.0.0/8") in (config.listeners[0].allow or ())
    assert ip_network("0.0.0.0/0") not in (config.listeners[0].allow or ())


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "store:\nlimits:\n", "{}"])
def test_what_is_left_out_or_commented_out_is_the_default(file: Path, text: str) -> None:
    # Someone who comments out every key of a section must not be told that it is not a section.
    file.write_text(text)
    assert load_config(file).limits == Config().limits
    assert problems(file) == []


@pytest.mark.parametrize("text", ["http: null", "http: ~", "http: {listen: null}", "http:\n  listen: ~"])
def test_no_http_at_all(file: Path, text: str) -> None:
    # Written out it is a decision, and a port that opens in spite of it is a surprise; left empty it is the default.
    file.write_text(text)
    assert load_config(file).http.listen is None
    file.write_text("http:\n  #listen: 127.0.0.1:1\n")
    assert load_config(file).http.listen == Address("127.0.0.1", 9514)


def test_relative_paths_start_at_the_file(file: Path) -> None:
    # The service's working directory is not the operator's.
    file.write_text(
        "packs: [rules, /abs/rules]\n"
        + listener('type: tls, listen: "*:1", tls: {certificate: a.crt, key: /k/a.key}')
        + "  - {name: b, type: unix_dgram, listen: log}\n"
    )
    config = load_config(file)
    assert config.store.path == file.parent / "audit-store"
    assert config.packs == (file.parent / "rules", Path("/abs/rules"))
    assert config.listeners[0].tls is not None
    assert config.listeners[0].tls.certificate == file.parent / "a.crt"
    assert config.listeners[0].tls.key == Path("/k/a.key")
    assert config.listeners[1].listen == file.parent / "log"


@pytest.mark.parametrize("written", ["%d/a.key", "$CREDENTIALS_DIRECTORY/a.key", "${CREDENTIALS_DIRECTORY}/a.key"])
def test_systemd_credentials_are_found(file: Path, written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A key belongs into LoadCredential=, whose folder is known at run time only.
    text = listener(f'type: tls, listen: "*:1", tls: {{certificate: a.crt, key: "{written}"}}')
    file.write_text(text)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x.service")
    tls = load_config(file).listeners[0].tls
    assert tls is not None
    assert tls.key == Path("/run/credentials/x.service/a.key")
    # A reviewer's `query` reads the same file without that variable.
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    tls = load_config(file).listeners[0].tls
    assert tls is not None
    assert str(tls.key) == written
    assert said(file, text) == [f"config.yaml:2: listeners[0].tls.certificate: {file.parent}/a.crt: cannot be read"]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("64MiB", 64 << 20), ("64mib", 64 << 20), ("64M", 64 << 20), ("64MB", 64_000_000), ("2048k", 2 << 20),
        ("1.5 MiB", 3 << 19), ("1GiB", 1 << 30), ("1g", 1 << 30), ("2000000", 2_000_000), ("2_000_000", 2_000_000),
        ("2000000B", 2_000_000), ("1TB", 10**12),
    ],
)  # fmt: skip
def test_sizes(file: Path, written: str, expected: int) -> None:
    # Operators write sizes as systemd, rsyslog or nginx taught them.
    file.write_text(f"ingest: {{max_bytes: {written}}}")
    value = load_config(file).ingest.max_bytes
    assert (value, type(value)) == (expected, int)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("200ms", 0.2), ("60s", 60), ("5m", 300), ("5min", 300), ("1h", 3600), ("1d", 86400), ("2.5", 2.5), ("7", 7)],
)
def test_durations(file: Path, written: str, expected: float) -> None:
    # Plain numbers are seconds.
    key, section = ("max_age", "store: {segment") if expected >= 1 else ("line_idle", "{limits")
    file.write_text(f"{section}: {{{key}: {written}}}}}")
    config = load_config(file)
    assert expected in {config.store.segment.max_age, config.limits.line_idle}


@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("*:514", "", 514), (":514", "", 514), ("0.0.0.0:514", "0.0.0.0", 514), ("[::]:0", "::", 0),
        ("[fe80::1%eth0]:514", "fe80::1%eth0", 514), ("localhost:65535", "localhost", 65535),
    ],
)  # fmt: skip
def test_addresses(file: Path, written: str, host: str, port: int) -> None:
    # IPv4 and IPv6, one interface or all.
    file.write_text(listener(f'type: udp, listen: "{written}"'))
    assert load_config(file).listeners[0].listen == Address(host, port)


def test_every_listener_key(file: Path) -> None:
    # One listener with all that it takes.
    file.write_text(
        listener(
            'type: tls, listen: "[::1]:6514", allow: [10.0.0.0/8, fd00::1], zone: Europe/Berlin,'
            " tls: {certificate: c, key: k, client_ca: a, permitted: [x.example.org]}"
        )
    )
    only = load_config(file).listeners[0]
    assert only.type is ListenerType.TLS
    assert only.allow == (ip_network("10.0.0.0/8"), ip_network("fd00::1/128"))
    assert only.zone is ZoneInfo("Europe/Berlin")
    assert only.tls is not None
    assert only.tls.permitted == ("x.example.org",)


def test_zones_stand_smallest_network_first(file: Path) -> None:
    # Whoever looks a peer up can take the first that fits.
    file.write_text("zones: {10.0.0.0/8: Asia/Tokyo, 10.1.2.0/24: UTC, 'fd00::/8': Europe/Paris}")
    assert [str(network) for network in load_config(file).zones] == ["10.1.2.0/24", "10.0.0.0/8", "fd00::/8"]


def test_one_address_for_udp_and_tcp_is_no_clash(file: Path) -> None:
    # Ports of UDP and TCP are two name spaces; port 0 is a new one each time.
    file.write_text(
        'listeners:\n- {name: a, type: udp, listen: "*:514"}\n- {name: b, type: tcp, listen: "*:514"}\n'
        '- {name: c, type: tcp, listen: "*:0"}\n- {name: d, type: tcp, listen: "*:0"}\n'
    )
    assert problems(file) == []


def test_the_configuration_cannot_be_changed_by_a_room() -> None:
    # Rooms are handed values; only a reload makes new ones.
    config = Config()
    with pytest.raises(ValidationError):
        config.store.keep_raw = KeepRaw.ALWAYS  # type: ignore[misc]


def test_two_readings_of_one_file_are_equal(file: Path) -> None:
    # A reload compares listeners to find those that stay.
    file.write_text(listener('type: udp, listen: "*:1", zone: Europe/Rome') + "zones: {10.0.0.0/8: Asia/Tokyo}")
    assert load_config(file) == load_config(file)


# --- what may not ---


class Case(NamedTuple):
    id: str
    text: str
    expected: str


REFUSED = [
    Case("unknown-top", "stor: {}", '1: stor: unknown key (did you mean "store"?)'),
    Case("unknown-far", "\nhttp: {zzz: 1}", "2: http.zzz: unknown key (known here: listen)"),
    Case("unknown-deep", "store:\n  segment:\n    max_evnts: 5\n",
         '3: store.segment.max_evnts: unknown key (did you mean "max_events"?)'),
    Case("unknown-in-list", 'listeners:\n- name: a\n  type: udp\n  listen: "*:1"\n- name: b\n  type: udp\n'
         '  lisen: "*:2"\n  listen: "*:2"\n', '7: listeners[1].lisen: unknown key (did you mean "listen"?)'),
    Case("unknown-in-tls", listener('type: tls, listen: "*:1", tls: {certificate: a, key: b, client: c}'),
         '2: listeners[0].tls.client: unknown key (did you mean "client_ca"?)'),
    Case("unknown-section", "quotas: {max: 1d}", "1: quotas: unknown key (known here: evidence, expected_hosts, http,"
         " ingest, limits, listeners, packs, publish, retention, store, zones)"),
    Case("retention-of-nothing", "retention: {shorter: [{max_age: 1d}]}",
         "1: retention.shorter[0]: must name an app, a facility or an action;"
         " for all events there is retention.max_age"),
    Case("publish-to-nowhere", "publish: [{name: a, type: http, to: here}]",
         "1: publish[0].to: must be an address like http://host:port (http, https)"),
    Case("witness-without-key", "publish: [{name: a, type: witness, to: 'https://w'}]",
         "1: publish[0].key: is missing: a witness is known by its verifier key"),
    Case("publish-twice", "publish:\n- {name: a, type: file, to: x}\n- {name: a, type: file, to: y}\n",
         '3: publish[1].name: "a" is the name of publish[0] too'),
    Case("publish-token", "publish: [{name: a, type: file, to: x, token_file: t}]",
         "1: publish[0].token_file: does nothing for file: only http takes a token"),
    Case("shorter-for-nothing", "retention: {shorter: [{action: http.reqest, max_age: 1d}]}",
         '1: retention.shorter[0].action: there is no action "http.reqest" (did you mean "http.request"?)'),
    Case("publish-key", "publish: [{name: a, type: http, to: 'https://w', key: [k]}]",
         "1: publish[0].key: does nothing for http: only a witness is known by its key"),
    Case("publish-ca", "publish: [{name: a, type: syslog, to: 'udp://w:1', ca: c}]",
         "1: publish[0].ca: does nothing for udp://w:1: only tls:// and https:// ask who the server is"),
    Case("keys-in-the-store", "store: {path: s}\nevidence: {key_dir: s/keys}",
         "2: evidence.key_dir: must be outside of the store: who gets a copy of that must not get the keys"),
    Case("metrics-on-a-listener", listener('type: tcp, listen: "*:9514"') + "http: {}\n",
         '3: http.listen: "127.0.0.1:9514" is taken by listeners[0] ("*:9514")'),
    Case("not-a-switch", "evidence: {note_queries: maybe}", "1: evidence.note_queries: must be true or false"),
    Case("common-name-of-nobody", listener('type: tls, listen: "*:1", tls: {certificate: a, key: b, client_ca: c,'
         ' permitted: [CN=]}'), "2: listeners[0].tls.permitted[0]: a common name must follow CN="),
    Case("origin", "evidence: {origin: my log}",
         "1: evidence.origin: must have no spaces and no plus: it is the name of a key"),
    Case("facility", "retention: {shorter: [{facility: lokal7, max_age: 1d}]}",
         "1: retention.shorter[0].facility: must be one of " + ", ".join(FACILITIES) + ' (did you mean "local7"?)'),
    Case("missing", "listeners:\n- name: a\n  type: udp\n", "2: listeners[0].listen: is missing"),
    Case("no-section", "store: here\n", "1: store: must be a section with keys of its own"),
    Case("no-section-at-all", "- store\n", "1: must be a section with keys of its own"),
    Case("no-list", "listeners: {name: a}\n", "1: listeners: must be a list"),
    Case("empty-list", "listeners: []\n", "1: listeners: is empty: leave the key out if nothing is meant"),
    Case("allow-nothing", listener('type: udp, listen: "*:1", allow: []'),
         "2: listeners[0].allow: is empty: leave the key out if nothing is meant"),
    Case("null-list", listener('type: udp, listen: "*:1"') + "packs:\n", "3: packs: must be a list"),
    Case("duplicate-key", "store:\n  path: a\n  path: b\n", "3: store.path: stands there twice, first on line 2"),
    Case("duplicate-name", 'listeners:\n- {name: a, type: udp, listen: "*:1"}\n- {name: a, type: udp, listen: "*:2"}\n',
         '3: listeners[1].name: "a" is the name of listeners[0] too'),
    Case("duplicate-port", 'listeners:\n- {name: a, type: tcp, listen: "*:1"}\n- {name: b, type: tcp, listen: ":1"}\n',
         '3: listeners[1].listen: "*:1" is taken by listeners[0]'),
    Case("duplicate-host", "expected_hosts:\n- a\n- b\n- a\n", '4: expected_hosts[2]: "a" stands there twice'),
    Case("duplicate-section", "expected_hosts:\n- a\n- host: a\n  silent_after: 5m\n",
         '3: expected_hosts[1]: "a" stands there twice'),
    Case("silent-after", "expected_hosts: [{host: a, silent_after: 0s}]",
         "1: expected_hosts[0].silent_after: must be between 1s and 366d"),
    Case("silent-host", "expected_hosts: [{silent_after: 5s}]", "1: expected_hosts[0].host: is missing"),
    Case("type", listener('type: tpc, listen: "*:1"'),
         "2: listeners[0].type: must be one of udp, tcp, tls, relp, http, unix_dgram, unix_stream"
         ' (did you mean "tcp"?)'),
    Case("tls-missing", listener('type: tls, listen: "*:1"'),
         "2: listeners[0].tls: is missing: type tls needs tls.certificate and tls.key"),
    Case("tls-not-asked-for", listener('type: tcp, listen: "*:1", tls: {certificate: a, key: b}'),
         '2: listeners[0].tls: does nothing for type tcp (did you mean type "tls"?)'),
    Case("http-for-everybody", listener('type: http, listen: "*:1"'),
         "2: listeners[0].tokens: is missing: type http takes events of those it knows, by tokens or by tls.client_ca"),
    Case("http-by-any-certificate", listener('type: http, listen: "*:1", tls: {certificate: a, key: b}'),
         "2: listeners[0].tokens: is missing: type http takes events of those it knows, by tokens or by tls.client_ca"),
    Case("tokens-elsewhere", listener('type: tcp, listen: "*:1", tokens: [a]'),
         "2: listeners[0].tokens: does nothing for type tcp: only http asks for tokens"),
    Case("no-tokens", listener('type: http, listen: "*:1", tokens: []'),
         "2: listeners[0].tokens: is empty: leave the key out if nothing is meant"),
    Case("tls-key-missing", listener('type: tls, listen: "*:1", tls: {certificate: a}'),
         "2: listeners[0].tls.key: is missing"),
    Case("permitted-alone", listener('type: tls, listen: "*:1", tls: {certificate: a, key: b, permitted: [x]}'),
         "2: listeners[0].tls.permitted: does nothing without client_ca: no sender would be asked for a certificate"),
    Case("fingerprint", listener(mutual_tls('["sha-1:AB"]')),
         "2: listeners[0].tls.permitted[0]: a fingerprint must be sha-256: and 64 hexadecimal digits, with colons or"
         " without"),
    Case("wildcard", listener(mutual_tls('[b, "w*.a.b"]')),
         "2: listeners[0].tls.permitted[1]: * can only stand for the whole first label, as in *.example.org"),
    Case("allow-on-unix", listener("type: unix_dgram, listen: /run/log, allow: [10.0.0.0/8]"),
         "2: listeners[0].allow: does nothing for unix_dgram: use the permissions of the socket's folder"),
    Case("proxy-on-udp", listener('type: udp, listen: "*:1", proxy_protocol: [10.0.0.5]'),
         "2: listeners[0].proxy_protocol: does nothing for udp: it is for listeners that load balancers connect to"),
    Case("proxy-on-unix", listener("type: unix_stream, listen: /run/log, proxy_protocol: [10.0.0.5]"),
         "2: listeners[0].proxy_protocol: does nothing for unix_stream: it is for listeners that load balancers connect"
         " to"),
    Case("proxy-from-nobody", listener('type: tcp, listen: "*:1", proxy_protocol: []'),
         "2: listeners[0].proxy_protocol: is empty: leave the key out if nothing is meant"),
    Case("long-path", listener(f"type: unix_stream, listen: /{'a' * 107}"),
         "2: listeners[0].listen: is longer than the 107 bytes that a socket's path may have"),
    Case("self", 'listeners: [{name: self, type: udp, listen: "*:1"}]\n',
         '1: listeners[0].name: "self" is the name of the receiver\'s own events'),
    Case("name", 'listeners: [{name: "a b", type: udp, listen: "*:1"}]\n',
         "1: listeners[0].name: must be up to 63 letters, digits and _ . - and begin with a letter or digit"),
    Case("yaml-bool", 'listeners: [{name: on, type: udp, listen: "*:1"}]\n',
         "1: listeners[0].name: must be text: put it in quotes"),
    Case("host-bits", listener('type: udp, listen: "*:1", allow: [10.1.0.0/8]'),
         '2: listeners[0].allow[0]: "10.1.0.0/8" has bits set beyond its prefix (did you mean "10.0.0.0/8"?)'),
    Case("network", listener('type: udp, listen: "*:1", allow: [lan]'),
         '2: listeners[0].allow[0]: "lan" is not a network (as 10.0.0.0/8 or fd00::/8) nor an address'),
    Case("zone", listener('type: udp, listen: "*:1", zone: Europe/Berln'),
         '2: listeners[0].zone: no time zone "Europe/Berln" (did you mean "Europe/Berlin"?)'),
    Case("zone-path", listener('type: udp, listen: "*:1", zone: ../../etc/passwd'),
         '2: listeners[0].zone: no time zone "../../etc/passwd" (IANA names, such as "Europe/Berlin")'),
    Case("zones-network", "zones:\n  10.0.0.0/8: UTC\n  lan: UTC\n",
         '3: zones.lan: "lan" is not a network (as 10.0.0.0/8 or fd00::/8) nor an address'),
    Case("zones-zone", "zones:\n  10.0.0.0/8: Mars/Base\n",
         '2: zones["10.0.0.0/8"]: no time zone "Mars/Base" (IANA names, such as "Europe/Berlin")'),
    Case("size", "ingest: {max_bytes: 64XB}", "1: ingest.max_bytes: must be a size such as 64MiB or 512k"),
    Case("size-range", "ingest: {max_bytes: 5k}", "1: ingest.max_bytes: must be between 1MiB and 1TiB"),
    Case("size-fraction", "ingest: {max_bytes: 3000000.5}", "1: ingest.max_bytes: must be a whole number"),
    Case("size-bool", "ingest: {max_bytes: true}", "1: ingest.max_bytes: must be a size such as 64MiB or 512k"),
    Case("size-nan", "ingest: {max_bytes: .nan}", "1: ingest.max_bytes: must be between 1MiB and 1TiB"),
    Case("duration", "ingest: {batch_delay: 1s}", "1: ingest.batch_delay: must be between 1ms and 200ms"),
    Case("duration-unit", "limits: {line_idle: 5y}",
         "1: limits.line_idle: must be a duration such as 200ms, 60s or 1d"),
    Case("count", "ingest: {batch_events: many}", "1: ingest.batch_events: must be a whole number"),
    Case("half-read", "limits: {message_bytes: 2MiB, half_read_bytes: 1MiB}",
         "1: limits.half_read_bytes: must be at least message_bytes: no message of that length could be read"),
    Case("idle", "limits: {idle: 500ms}", "1: limits.idle: must be 0 (never) or at least 1s"),
    Case("rate-floor", "limits: {rate_floor: critical}",
         "1: limits.rate_floor: must be one of emerg, alert, crit, err, warning, notice, info, debug"
         ' (did you mean "crit"?)'),
    Case("keep-raw", "store: {keep_raw: allways}",
         '1: store.keep_raw: must be one of malformed, always (did you mean "always"?)'),
    Case("empty-path", 'store: {path: ""}', "1: store.path: must be printable text, and not empty"),
    Case("date", "expected_hosts: [2024-13-45, 5]", "1: expected_hosts[1]: must be text: put it in quotes"),
    Case("number-key", "1: a\n", "1: [1]: a key must be text: put it in quotes"),
    Case("list-key", "? [a]\n: b\n", "1: a key must be text"),
    Case("loop", "store: &a\n  segment: *a\n", "2: store.segment: an alias of what it stands in"),
    Case("yaml", "store:\n\tpath: a\n", "2: not YAML: found character '\\t' that cannot start any token"),
    Case("yaml-v6", "http:\n  listen: [::]:5514\n", "2: not YAML: expected the node content, but found ':'"
         " (a value that begins with [ or * may need quotes)"),
    Case("yaml-star", "http:\n  listen: *:5514\n", "2: not YAML: expected alphabetic or numeric character,"
         " but found ':' (a value that begins with [ or * may need quotes)"),
    Case("two-documents", "a: 1\n---\nb: 1\n", "2: not YAML: but found another document"),
    Case("tag", "store: !!python/object:os.system {}\n", "1: not YAML: could not determine a constructor for the tag"
         " 'tag:yaml.org,2002:python/object:os.system'"),
    Case("deep", "[" * 5000, " nested too deeply"),
]  # fmt: skip


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_one_line_says_where_and_what(file: Path, case: Case) -> None:
    # The operator mends the file from this line alone.
    assert said(file, case.text) == [f"config.yaml:{case.expected}"]
    with pytest.raises(ConfigError) as caught:
        load_config(file)
    assert str(caught.value) == f"{file}:{case.expected}"


@pytest.mark.parametrize(
    "listen",
    ["5514", '"5514"', '"*"', "1.2.3.4", '"*:65536"', '"::1:514"', '"[10.0.0.1]:1"', "a b:1", '"[x]:1"', "/a:1", "[a]"],
)
def test_an_address_needs_host_and_port(file: Path, listen: str) -> None:
    # YAML reads 5514 as a number and [a] as a list: the sentence shows the quotes.
    wanted = '"host:port", as "*:514", "127.0.0.1:514" or "[::1]:514" (with the quotes)'
    assert said(file, listener(f"type: udp, listen: {listen}")) == [
        f"config.yaml:2: listeners[0].listen: must be {wanted}"
    ]


def test_all_problems_at_once_in_the_order_of_the_file(file: Path) -> None:
    # Mending one and being told the next is a bad evening.
    text = "http: {lsten: 1}\nstore:\n  pth: a\n  keep_raw: x\nlimits: {connections: 0}\nlisteners: [{name: a}]\n"
    found = said(file, text)
    assert [line.split(": ")[0] + " " + line.split(": ")[1] for line in found] == [
        "config.yaml:1 http.lsten",
        "config.yaml:3 store.pth",
        "config.yaml:4 store.keep_raw",
        "config.yaml:5 limits.connections",
        "config.yaml:6 listeners[0].listen",
        "config.yaml:6 listeners[0].type",
    ]


def test_bytes_that_are_no_text(file: Path) -> None:
    # A file in Latin-1 is named with the line of its first strange byte.
    file.write_bytes("# ä\nstore:\n  path: ".encode() + b"\xe4\n")
    assert problems(file) == [f"{file}:3: not UTF-8"]
    file.write_bytes(b"a: \x07\n")
    assert problems(file) == [f"{file}: not YAML: unacceptable character #x0007: special characters are not allowed"]


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    # One line, as every other problem.
    with pytest.raises(ConfigError, match=r"/none\.yaml: cannot be read: No such file or directory$"):
        load_config(tmp_path / "none.yaml")
    assert problems(tmp_path) == [f"{tmp_path}: cannot be read: Is a directory"]


def test_files_that_are_named_and_missing(file: Path) -> None:
    # `check` looks before the service does; a command that only reads the store does not care.
    text = "packs: [rules]\n" + listener(
        'type: http, listen: "*:1", tokens: [who], tls: {certificate: a.crt, key: a.key}'
    )
    assert said(file, text) == [
        f"config.yaml:1: packs[0]: {file.parent}/rules: no such folder",
        f"config.yaml:3: listeners[0].tls.certificate: {file.parent}/a.crt: cannot be read",
        f"config.yaml:3: listeners[0].tls.key: {file.parent}/a.key: cannot be read",
        f"config.yaml:3: listeners[0].tokens[0]: {file.parent}/who: cannot be read",
    ]
    load_config(file)


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.text(alphabet="ab:-[]{}&*!#|>'\"%@,?\n\t 01.", max_size=40))
def test_any_text_is_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    # No file makes a traceback.
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text)
    for line in problems(file):
        assert "\n" not in line
        assert line.startswith(f"{file}:")


# --- its documentation ---


def keys_of(data: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key with its value, lists of sections as `name[]`."""
    for key, value in data.items():
        yield f"{prefix}{key}", value
        if key == "zones":
            continue
        if isinstance(value, dict):
            yield from keys_of(value, f"{prefix}{key}.")
        for item in value if isinstance(value, list) else ():
            if isinstance(item, dict):
                yield from keys_of(item, f"{prefix}{key}[].")


def without_comment_signs() -> str:
    """The example with every commented-out setting switched on."""
    return re.sub(r"^( *)#(?=[\w-]|  )", r"\1", EXAMPLE.read_text(), flags=re.MULTILINE)


def test_the_example_is_the_default() -> None:
    # Who starts with the example gets what the README calls the defaults.
    assert load_config(EXAMPLE) == Config.model_validate({}, context={"folder": EXAMPLE.parent})


def test_the_example_shows_every_key_and_no_other(file: Path) -> None:
    # A key that is not documented does not exist for an operator, and one that is must be taken.
    file.write_text(without_comment_signs())
    load_config(file)
    shown = {key for key, _ in keys_of(yaml.safe_load(file.read_text()))}
    sections = {key.rsplit(".", 1)[0].removesuffix("[]") for key in shown if "." in key}
    assert shown - sections == {setting.key for setting in settings()} - sections
    assert {setting.key for setting in settings()} <= shown


def test_the_example_shows_the_defaults(file: Path) -> None:
    # A commented-out setting says what holds without it; only lists and zones are examples.
    file.write_text(without_comment_signs())
    example, default = load_config(file), Config.model_validate({}, context={"folder": file.parent})
    for section in ("store", "ingest", "limits", "http"):
        assert getattr(example, section) == getattr(default, section)


def test_every_setting_has_a_part_in_the_digest(file: Path) -> None:
    # The log says by it that the configuration changed; it is made at every start and reload, whatever is set.
    file.write_text(without_comment_signs())
    example = load_config(file)
    for section in type(example).model_fields:
        default = load_config(EXAMPLE)
        changed = default.model_copy(update={section: getattr(example, section)})
        assert (digest_of(changed) == digest_of(default)) == (changed == default), section


def test_the_example_gives_each_setting_a_reason() -> None:
    # A comment stands above every group of settings.
    lines = EXAMPLE.read_text().splitlines()
    for before, line in pairwise(lines):
        if re.match(r" *#\w+:", line):
            assert before.strip().startswith("#") or before.rstrip().endswith(":"), line


def test_the_readme_shows_every_setting() -> None:
    # The table is made from the models: settings_table().
    assert settings_table() in (ROOT / "README.md").read_text()
