"""Events in the words of others: every action has a row, and what a class requires is there for any event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.event import ACTIONS, NOT_NULL_COLUMNS, Event
from receiver.event_json import event_line
from receiver.export import FORMATS, csv_line
from receiver.export.foreign import split_foreign
from receiver.export.vocabulary import MEANINGS
from receiver.normalize.rules.record import read_cef
from receiver.store import StoredEvent
from tests.kit.events import make_event

REQUIRED = {  # schema.ocsf.io: required attributes of the class beside those of every class
    0: set(), 1001: {"file", "actor", "device"}, 1006: {"job", "device"}, 1007: {"process", "actor", "device"},
    1008: {"device"}, 2004: {"finding_info"}, 3002: {"user"}, 3004: {"entity"}, 3006: {"group"}, 3007: {"user"},
    4001: {"dst_endpoint"}, 4002: {"http_request", "http_response", "dst_endpoint"}, 4009: {"direction_id", "email"},
    6002: {"app"}, 6003: {"api", "actor", "src_endpoint"}, 6005: {"actor", "src_endpoint", "type_id"},
}  # fmt: skip
AT_LEAST_ONE = {  # the classes' constraints of that name
    1008: {"log_file", "log_name", "log_provider"}, 3002: {"service", "dst_endpoint"},
    6005: {"database", "databucket", "table"},
}  # fmt: skip
OF_EVERY_CLASS = {
    "activity_id", "category_uid", "class_uid", "metadata", "severity_id", "time", "type_uid",
}  # fmt: skip
texts = st.none() | st.text(max_size=20)


def stored(**columns: object) -> StoredEvent:
    return StoredEvent(7, *make_event(1, **columns), b"\x00" * 16, None)


def test_every_action_has_a_row() -> None:
    # An action that no exporter knows would be exported as nothing.
    assert set(MEANINGS) == ACTIONS


@pytest.mark.parametrize("action", [None, *sorted(ACTIONS)])
@pytest.mark.parametrize("known", [True, False])
def test_ocsf_has_what_the_class_requires(action: str | None, known: bool) -> None:
    # Whether the event names somebody or nobody.
    facts = {} if known else dict.fromkeys(
        ("actor", "target", "source_ip", "source_port", "host", "app", "pid", "severity", "outcome", "message", "time")
    )
    found = json.loads(FORMATS["ocsf"](stored(action=action, **facts)))
    assert found.keys() >= OF_EVERY_CLASS | REQUIRED[found["class_uid"]]
    alternatives = AT_LEAST_ONE.get(found["class_uid"])
    assert alternatives is None or alternatives & found.keys()
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    assert found["category_uid"] == found["class_uid"] // 1000


def test_ecs_has_the_usual_names() -> None:
    # What dashboards and detection rules ask for.
    found = json.loads(FORMATS["ecs"](stored(action="account.create", target="account:bob", actor_as="root")))
    assert found["user"] == {"name": "user1", "effective": {"name": "root"}, "target": {"name": "bob"}}
    assert found["event"]["category"] == ["iam"]
    assert found["event"]["type"] == ["user", "creation"]
    assert found["source"] == {"ip": "203.0.113.9", "port": 52000}
    assert found["@timestamp"].endswith("Z")


def test_ecs_takes_only_addresses_for_addresses() -> None:
    # A Unix socket's path delivers too; one such value and Elasticsearch refuses the whole document.
    for peer in ("log.sock", "/run/audit-receiver/log", "fe80::1%eth0", ""):
        found = json.loads(FORMATS["ecs"](stored(source_ip="203.0.113.9", peer=peer)))
        assert found["related"]["ip"] == ["203.0.113.9"]
    found = json.loads(FORMATS["ecs"](stored(source_ip="2001:db8::1", peer="192.0.2.7")))
    assert found["related"]["ip"] == ["192.0.2.7", "2001:db8::1"]
    assert "ip" not in json.loads(FORMATS["ecs"](stored(source_ip=None, peer="log.sock")))["related"]


def test_cef_is_read_back_as_it_was_written() -> None:
    # Escapes of header and extension differ; a message may hold what looks like another field.
    event = stored(message="a=b|c\\d\nsuser=mallory", rule="x|y\\z")
    found = read_cef(FORMATS["cef"](event))
    assert found is not None
    assert (found["msg"], found["suser"], found["device_event_class_id"]) == (event.message, "user1", "x|y\\z")


@given(facts=st.fixed_dictionaries({name: texts for name in Event._fields if name in {
    "host", "app", "pid", "actor", "actor_as", "reason", "target", "session", "message", "rule", "peer", "data"}}))
def test_any_event_is_one_sound_line(facts: dict[str, str | None]) -> None:
    # Strangers fill these.
    for write in FORMATS.values():
        line = write(stored(**facts))
        assert not {char for char in line if ord(char) < 32 or 127 <= ord(char) < 160}
        line.encode()


FOREIGN = {b"\xffa\n\x1b": "base64:/2EKGw==", "no number\x1b": "'no number\\x1b'", 2**62: str(2**62), 1.5: "1.5"}


@pytest.mark.parametrize("form", [*FORMATS, "csv", "json"])
@pytest.mark.parametrize("column", StoredEvent._fields)
def test_whatever_stands_in_a_column_is_exported(form: str, column: str) -> None:
    # SQLite stores anything anywhere, so whoever can write to the file can; the export says what it is.
    write = {**FORMATS, "csv": csv_line, "json": event_line}[form]
    for value, exactly in FOREIGN.items():
        event = stored()._replace(**{column: value})
        line = write(event)
        assert len(line.splitlines()) == 1
        assert not {char for char in line if ord(char) < 32}
        if split_foreign(event)[1] and form in FORMATS:
            assert split_foreign(event)[1] == {column: exactly}
            assert f'"{column}": {json.dumps(exactly)}' in spread(form, line)


def spread(form: str, line: str) -> str:
    """What the export says of what does not belong, as `json.dumps` writes it."""
    if form == "cef":
        found = read_cef(line)
        assert found is not None
        assert found["cs3Label"] == "foreign"
        return str(found["cs3"])
    return json.dumps(json.loads(line)["audit_receiver" if form == "ecs" else "unmapped"]["foreign"])


@pytest.mark.parametrize("column", sorted(NOT_NULL_COLUMNS))
def test_what_must_be_there_and_is_not_is_exported(column: str) -> None:
    # A moment that is none reads 0; beside it stands what was found.
    for form, write in FORMATS.items():
        assert f'"{column}": "None"' in spread(form, write(stored()._replace(**{column: None})))


@given(texts, st.sampled_from(["9" * 5_000, "\u0663", "12", "-1", "1.5", ""]))
def test_any_process_id_is_one_line(text: str | None, pid: str) -> None:
    # A PROCID is any text; Python itself refuses numbers of more than 4300 digits.
    for name, line in FORMATS.items():
        written = line(stored(pid=pid, target=text, message=text))
        assert len(written.splitlines()) == 1, name
        written.encode()
