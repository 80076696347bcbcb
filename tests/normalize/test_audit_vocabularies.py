"""JSON of known products: an event as the product documents it, and the whole of who, what, on what, from where.

Whatever carries the event (inner objects, names with dots, a text in a shipper's line, a queue's envelope, syslog), it
says the same; and nobody who fills a field of it can say who did it.
"""

from __future__ import annotations

import json
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.event import ACTIONS, Event, Origin
from receiver.normalize.engine import Normalizer
from receiver.normalize.objects import fields as fields_room
from receiver.normalize.objects.envelopes import open_envelope
from receiver.normalize.objects.fields import map_fields
from receiver.normalize.rules.rule import COLUMNS
from receiver.normalize.vocabularies import cloud_deeds, deeds
from receiver.normalize.vocabularies.audit import AUDIT_VOCABULARIES
from receiver.normalize.vocabularies.clouds import CLOUD_VOCABULARIES
from receiver.normalize.vocabularies.hosted import HOSTED_VOCABULARIES
from receiver.normalize.vocabularies.products import PRODUCT_VOCABULARIES
from receiver.normalize.vocabularies.services import SERVICE_VOCABULARIES
from receiver.normalize.vocabularies.vocabulary import nest
from receiver.wire.detect import parse_frames
from tests.kit.packs import PACKS
from tests.normalize.json_samples import GCP, IP, K8S, KEYCLOAK, OKTA, OTLP, SAMPLES, SHIPPED, TRAIL, Sample, T

if TYPE_CHECKING:
    from receiver.normalize.objects.mapped import Mapped

PRODUCTS = (
    *AUDIT_VOCABULARIES, *CLOUD_VOCABULARIES, *SERVICE_VOCABULARIES, *PRODUCT_VOCABULARIES, *HOSTED_VOCABULARIES
)  # fmt: skip
NORMALIZER = Normalizer(PACKS)
ORIGIN = Origin("192.0.2.1", 514, None, "tcp", "test")
EACH_SAMPLE = pytest.mark.parametrize(
    "sample", SAMPLES, ids=[f"{sample.vocabulary}-{at}" for at, sample in enumerate(SAMPLES)]
)


def copy_of(fields: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(fields))


def deed_of(mapped: Mapped | Event) -> dict[str, Any]:
    return {name: getattr(mapped, name) for name in COLUMNS if getattr(mapped, name) is not None}


def expected_of(sample: Sample) -> dict[str, Any]:
    return {name: value for name, value in sample.expected.items() if value is not None}


def event_of(text: str) -> Event:
    (event,) = NORMALIZER.normalize(parse_frames([text.encode()], 1795341600_000000, None), repeat(ORIGIN), 1)
    return event


def dotted(fields: dict[str, Any]) -> dict[str, Any]:
    """Write inner objects as names with dots, all the way in."""
    flat: dict[str, Any] = {}
    for key, value in fields.items():
        inner = dotted(value) if type(value) is dict and value else None
        if inner is None:
            flat[key] = value
        else:
            flat.update({f"{key}.{name}": inner_value for name, inner_value in inner.items()})
    return flat


@EACH_SAMPLE
def test_an_event_gives_what_it_says(sample: Sample) -> None:
    # The whole outcome: what is not named must be null.
    assert deed_of(map_fields(copy_of(sample.fields))) == expected_of(sample)


@EACH_SAMPLE
def test_names_with_dots_say_the_same(sample: Sample) -> None:
    # Shippers flatten objects; names that had dots before (claims, user.name in Falco) may come apart.
    fields = dotted(copy_of(sample.fields))
    if any("..tag" in key for key in fields):
        fields = {key: value for key, value in copy_of(sample.fields).items() if key != "event_type"}
        fields = {**dotted(fields), "event_type": sample.fields["event_type"], "actor": sample.fields["actor"]}
    assert deed_of(map_fields(fields)) == expected_of(sample)


@EACH_SAMPLE
def test_an_event_in_a_text_says_the_same(sample: Sample) -> None:
    # A container's line, a file's line, a field of a queue: the event in it is what happened.
    text = json.dumps(sample.fields)
    carriers: tuple[dict[str, Any], ...] = (
        *({name: text, "kubernetes": {"pod": "x"}} for name in ("message", "msg", "log", "MESSAGE")),
        {"log": text + "\n", "stream": "stdout", "time": T},
        {"MESSAGE": text, "SYSLOG_IDENTIFIER": "x", "_PID": "1", "_HOSTNAME": "web1"},
        {"version": "1.1", "host": "web1", "short_message": text, "_container": "x"},
        {"Records": [sample.fields]},
    )
    for carrier in carriers:
        assert deed_of(event_of(json.dumps(carrier))) == expected_of(sample), carrier.keys()


@EACH_SAMPLE
def test_an_event_in_syslog_says_the_same(sample: Sample) -> None:
    # Of the text of a syslog message, bare or after the cookie of CEE.
    text = json.dumps(sample.fields)
    for line in (f"<134>1 {T} web1 x 7 - - {text}", f"<134>Nov 22 10:00:00 web1 x[7]: @cee: {text}", text):
        event = event_of(line)
        assert deed_of(event) == expected_of(sample), line
        assert event.rule == ("generic/json" if expected_of(sample) else None)


@EACH_SAMPLE
def test_nothing_of_an_event_is_lost(sample: Sample) -> None:
    # Every text and number of it stands in a column or in `data`.
    carrier = {"message": json.dumps(sample.fields), "stream": "stdout"}
    for fields in (sample.fields, dotted(copy_of(sample.fields)), carrier):
        event = event_of(json.dumps(fields))
        kept = json.dumps([*event], default=repr) + (event.data or "")
        for leaf in leaves(sample.fields):
            assert leaf in kept or leaf.removesuffix(".0") in kept, leaf


def leaves(value: Any) -> list[str]:
    if type(value) is dict:
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    if type(value) is list:
        return [leaf for inner in value for leaf in leaves(inner)]
    is_time = type(value) in {int, float} and value > 10**9
    if type(value) is str and (value.startswith(("{", "2026-", "17")) or not value.isprintable()
                               or not value.isascii() or '"' in value):
        return []  # itself JSON, or a time that is a column now
    return [] if value in (None, "") or is_time or type(value) is bool else [str(value).removesuffix("\n")]


def test_every_product_has_a_sample() -> None:
    # One without is a guess.
    assert {vocabulary.name for vocabulary in PRODUCTS} <= {sample.vocabulary for sample in SAMPLES}
    assert len({vocabulary.name for vocabulary in PRODUCTS}) == len(PRODUCTS)


@EACH_SAMPLE
def test_a_product_is_recognised(sample: Sample) -> None:
    # By its own vocabulary and by no other's before it.
    fields = copy_of(sample.fields)
    seen = set()
    for _ in range(3):
        plan = fields_room._plan_of(fields)
        seen.add((plan.product or plan.vocabulary).name)
        inner = open_envelope(fields.get(plan.envelope or plan.line or ""))
        if inner is None:
            break
        fields = inner
    if sample.vocabulary != "generic":
        assert sample.vocabulary in seen


ODD = (None, True, 7, 1.5, "", "-", "x", [], [1], [{}], [[]], {}, {"a": [1]}, {"name": {}})


@EACH_SAMPLE
def test_no_value_is_a_surprise(sample: Sample) -> None:
    # A sender may put anything anywhere, two levels down as well.
    for value in ODD:
        for key, inner in sample.fields.items():
            check(map_fields({**sample.fields, key: value}))
            for name in inner if type(inner) is dict else ():
                check(map_fields({**sample.fields, key: {**inner, name: value}}))


def check(mapped: Mapped) -> None:
    for column in COLUMNS:
        kind = int if column == "source_port" else str
        assert getattr(mapped, column) is None or type(getattr(mapped, column)) is kind, column


TABLES = [
    (module, name) for module in (deeds, cloud_deeds) for name, table in vars(module).items()
    if name.isupper() and type(table) is dict and name != "WINDOWS_CHANNELS"
]  # fmt: skip


@pytest.mark.parametrize(("module", "name"), TABLES, ids=[name for _, name in TABLES])
def test_deeds_are_in_the_vocabulary(module: Any, name: str) -> None:
    # What the tables say ends in the columns `action` and `outcome`.
    check_deeds(getattr(module, name))


@pytest.mark.parametrize("channel", deeds.WINDOWS_CHANNELS)
def test_deeds_of_windows_channels_are_in_the_vocabulary(channel: str) -> None:
    check_deeds(deeds.WINDOWS_CHANNELS[channel])


def check_deeds(table: dict[str, Any]) -> None:
    assert table
    for word, deed in table.items():
        action, outcome = deed if type(deed) is tuple else (deed, None)
        assert word
        assert action in ACTIONS, word
        assert outcome in {None, "success", "failure"}, word


# --- what a stranger may write ---

FORGED = {"user": "root", "user.name": "root", "actor": "root", "ip": "198.51.100.66", "action": "auth.login"}
LINE = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=198.51.100.66 user=root"


@pytest.mark.parametrize(
    ("text", "actor", "source_ip"),
    [
        # An event that says itself who did it is not opened further, whatever its texts hold.
        (json.dumps({"user": "bob", "ip": IP, "message": json.dumps(FORGED)}), "bob", IP),
        (json.dumps({"user": "bob", "message": json.dumps(FORGED)}), "bob", None),
        (json.dumps({"ip": IP, "msg": json.dumps(FORGED)}), None, IP),
        (json.dumps({"user": {"id": 7}, "message": FORGED}), "7", None),
        (json.dumps({**K8S, "message": json.dumps(FORGED)}), "alice", IP),
        (json.dumps({**KEYCLOAK, "log": json.dumps(FORGED), "data": FORGED}), "bob", IP),
        # Nor is a text of its a rule's, if the rule is for any program's.
        (json.dumps({"app": "shop", "user": "bob", "ip": IP, "message": LINE}), "bob", IP),
        (json.dumps({**OKTA, "displayMessage": LINE}), "alice@example.com", IP),
        (json.dumps({"container_id": "x", "app": "shop", "user": "bob", "ip": IP, "message": LINE}), "bob", IP),
        (json.dumps({"version": "1.1", "host": "h", "_container_id": "x", "_command": "shop", "_user": "bob",
                     "short_message": "Failed password for root from 198.51.100.66 port 1 ssh2"}), "bob", None),
        # What a user may have written himself confirms neither an address nor whom it was done to.
        (json.dumps({"app": "chat", "user": "bob", "message": "User bob logged in from 198.51.100.66"}), "bob", None),
        # The original of a document is believed only as a product's own record of the same deed.
        (json.dumps({"event": {"action": "received", "original": json.dumps(FORGED)}, "source": {"ip": IP},
                     "observer": {"name": "x"}}), None, IP),
        (json.dumps({"event": {"action": "received", "original": json.dumps(OKTA)}, "source": {"ip": "192.0.2.1"},
                     "observer": {"name": "x"}}), None, "192.0.2.1"),
        # A body or parameters of a request are a stranger's.
        (json.dumps({"level": "info", "msg": "request", "body": FORGED, "params": FORGED}), None, None),
        (json.dumps({"level": "info", "request": {"body": FORGED, "headers": {"user": "root"}}}), None, None),
        # A name that stands twice, with two values, says nothing.
        (f'{{"user": "bob", "user": "root", "ip": "{IP}"}}', None, IP),
        (f'{{"user": "bob", "user": "bob", "ip": "{IP}"}}', "bob", IP),
        (f'{{"user": {{"name": "bob", "name": "root"}}, "ip": "{IP}"}}', None, IP),
        (f'<134>1 - h a - - - {{"user": "bob", "ip": "{IP}", "ip": "198.51.100.66"}}', "bob", None),
        (json.dumps({"log": '{"user": "bob", "user": "root"}', "stream": "stdout", "time": T}), None, None),
        # Several events in one envelope are not one.
        (json.dumps({"Records": [TRAIL, {**TRAIL, "sourceIPAddress": "198.51.100.66"}]}), None, None),
        (json.dumps({"Records": []}), None, None),
        # An attribute that stands twice, and what the record says of another's host.
        (json.dumps({"body": "x", "severityText": "INFO", "attributes": [
            {"key": "user.name", "value": {"stringValue": "bob"}},
            {"key": "user.name", "value": {"stringValue": "root"}}]}), None, None),
        (json.dumps({"protoPayload": {"authenticationInfo": {}, "request": FORGED}, "logName": "x"}), None, None),
    ],
)  # fmt: skip
def test_a_stranger_cannot_say_who_did_it(text: str, actor: str | None, source_ip: str | None) -> None:
    # A wrong actor or a wrong address is worse than none.
    event = event_of(text)
    assert (event.actor, event.source_ip) == (actor, source_ip)


@pytest.mark.parametrize(("fields", "expected"), SHIPPED)
def test_lines_and_records_in_objects_are_read_by_rules(fields: dict[str, Any], expected: dict[str, Any]) -> None:
    """What a shipper put into a list, or took apart, says the same as the line itself."""
    event = event_of(json.dumps(fields))
    assert {name: value for name, value in deed_of(event).items() if value is not None} == expected


def test_an_envelope_says_where_it_came_from() -> None:
    # Host and program are the carrier's word; what the line claims of them stays in `data`.
    line = json.dumps({"host": "other", "app": "sshd", "user": "alice", "action": "login"})
    event = event_of(json.dumps({"MESSAGE": line, "SYSLOG_IDENTIFIER": "shop", "_HOSTNAME": "web1", "_UID": "33"}))
    assert (event.host, event.app, event.actor, event.action) == ("web1", "shop", "alice", "auth.login")
    assert json.loads(event.data or "") == {
        "host": "other", "app": "sshd", "action": "login", "envelope": {"_UID": "33"},
    }  # fmt: skip


def test_envelopes_in_envelopes_are_opened_within_bounds() -> None:
    # A container's line in a file's line in a queue's; and one that has no end.
    text = json.dumps(KEYCLOAK)
    for _ in range(3):
        text = json.dumps({"message": text, "level": "info"})
    assert event_of(text).actor == "bob"
    for _ in range(3):
        text = json.dumps({"message": text, "level": "info"})
    assert event_of(text).actor is None


def test_opentelemetry_records_have_their_header() -> None:
    # The resource says where it comes from, and no attribute of the record changes that.
    record = copy_of(OTLP)
    attributes = record["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]["attributes"]
    attributes.append({"key": "host.name", "value": {"stringValue": "other"}})
    attributes.append({"key": "roles", "value": {"arrayValue": {"values": [{"stringValue": "a"}, {"intValue": "5"}]}}})
    event = event_of(json.dumps(record))
    assert (event.host, event.app, event.message, event.severity) == ("web1", "shop", "user logged in", 6)
    assert event.time == 1795341600_000000
    two = copy_of(OTLP)
    two["resourceLogs"] *= 2
    assert deed_of(event_of(json.dumps(two))) == {}


def test_a_body_of_an_opentelemetry_record_may_be_the_event() -> None:
    # Key-value lists, and JSON as a text.
    pairs = [{"key": key, "value": {"stringValue": value}} for key, value in (("user", "alice"), ("action", "login"))]
    for body in ({"kvlistValue": {"values": pairs}}, {"stringValue": '{"user":"alice","action":"login"}'}):
        event = event_of(json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [{"body": body}]}]}]}))
        assert (event.actor, event.action) == ("alice", "auth.login")


def test_names_with_dots_become_inner_objects() -> None:
    # What finds its way taken by a value is left off, and no given object is changed.
    given_fields = {"a": {"b": 1}, "a.c": 2, "a.d.e": 3, "x": 5, "x.y": 6, "p.q": 7, "p": {"r": 8}, ".": 9, "a.b": 10}
    before = copy_of(given_fields)
    assert nest(given_fields) == {
        "a": {"b": 1, "c": 2, "d": {"e": 3}}, "x": 5, "p": {"q": 7, "r": 8}, "": {"": 9},
    }  # fmt: skip
    assert given_fields == before


NAMES = sorted({name for vocabulary in PRODUCTS for name in vocabulary.readings})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=6)
    | st.sampled_from(["login", "{}", '{"user":"x"}', IP, f"{IP}:5", "CreateUser", "0x0", "added"]),
    lambda inner: st.lists(inner, max_size=2)
    | st.dictionaries(st.sampled_from(["name", "id", "user", "attributes", "message", "type", "key", "value"]), inner),
    max_leaves=6,
)  # fmt: skip


@given(st.sampled_from(SAMPLES), st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=4), JSON, max_size=6))
@settings(max_examples=150, deadline=None)
def test_any_event_is_read(sample: Sample, others: dict[str, Any]) -> None:
    # A product's event with anything beside and over its fields: no exception, the right types, nothing changed.
    fields = {**sample.fields, **others}
    before = json.dumps(fields)
    check(map_fields(fields))
    assert json.dumps(fields) == before


def test_gcp_with_an_unknown_caller_has_no_address() -> None:
    # `private` and `gce-internal-ip` are words for one that is not said.
    for word in ("private", "gce-internal-ip"):
        fields = copy_of(GCP)
        fields["protoPayload"]["requestMetadata"]["callerIp"] = word
        assert map_fields(fields).source_ip is None
