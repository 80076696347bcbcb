"""Events in the words of others: every action has a row, and what a class requires is there for any event."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.event import ACTIONS, Event
from receiver.export import FORMATS
from receiver.export.vocabulary import MEANINGS
from receiver.normalize.record import read_cef
from receiver.store import StoredEvent
from tests.kit.events import make_event

REQUIRED = {  # schema.ocsf.io: required attributes of the class beside those of every class
    0: set(), 1001: {"file", "actor", "device"}, 1006: {"job", "device"}, 1007: {"process", "actor", "device"},
    1008: {"device"}, 2004: {"finding_info"}, 3002: {"user"}, 3004: {"entity"}, 3006: {"group"}, 3007: {"user"},
    4001: {"dst_endpoint"}, 4002: {"http_request", "http_response", "dst_endpoint"}, 4009: {"direction_id", "email"},
    6002: {"app"}, 6003: {"api", "actor", "src_endpoint"}, 6005: {"actor", "src_endpoint", "type_id"},
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
