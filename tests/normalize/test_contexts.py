"""Sentences with JSON behind them, as Monolog and its like write, and what a stranger may write that looks like it."""

from __future__ import annotations

import json
from typing import NamedTuple

import pytest

from receiver.event import Event, Origin
from receiver.normalize import Normalizer
from receiver.wire.detect import parse_frame
from tests.kit.packs import PACKS

NORMALIZER = Normalizer(PACKS)
ORIGIN = Origin("192.0.2.1", 514, None, "udp", "test")
NOW = 1_764_000_000_000_000
IP = "203.0.113.7"
HEAD = "[2026-11-28T01:00:00.000000+00:00] security.WARNING: "
BOTH = f'{{"user":"alice","ip":"{IP}"}}'


def event_of(raw: str) -> Event:
    return NORMALIZER.event(parse_frame(raw.encode(), NOW, None), ORIGIN, NOW)


class Case(NamedTuple):
    id: str
    raw: str
    actor: str | None
    source_ip: str | None
    action: str | None
    outcome: str | None


def failed(name: str, raw: str, actor: str | None = "alice", source_ip: str | None = IP) -> Case:
    return Case(name, raw, actor, source_ip, "auth.login", "failure")


CASES = [
    failed("a context", f"{HEAD}Login failed {BOTH} []"),
    failed("a context and what a processor added", f'{HEAD}Login failed {{"user":"alice"}} {{"ip":"{IP}"}}'),
    failed("only what a processor added", f'{HEAD}Login failed [] {{"user":"alice","ip":"{IP}"}}'),
    failed("empty ones are left off", f"[2026-11-28 01:00:00] production.WARNING: Login failed {BOTH}"),
    failed("a blank is left of them", f"[2026-11-28 01:00:00] production.WARNING: Login failed {BOTH} "),
    failed("behind a header", f"<28>Nov 28 01:00:00 web1 app[7]: security.WARNING: Login failed {BOTH} []"),
    failed("behind a header, without a channel", f"<28>Nov 28 01:00:00 web1 app[7]: Login failed {BOTH}"),
    failed("a container's line", json.dumps({"log": f"{HEAD}Login failed {BOTH} []\n", "stream": "stderr",
           "time": "2026-11-28T01:00:00.000Z"})),
    failed("the sentence names him, the context the address", f'{HEAD}Login failed for alice {{"ip":"{IP}"}} []'),
    failed("the sentence names him as well", f"{HEAD}Login failed for alice {BOTH} []"),
    failed("both are empty", f"{HEAD}Login failed for alice from {IP} [] []"),
    failed("an object alone behind a head", "2026-11-28 01:00:00,123 [7][INFO][audit:9] "
           f'{{"event":"login failed",{BOTH[1:]}'),
    Case("a rule of the application", "[2026-11-28 01:00:00] authentication.INFO: Login for Alice succeeded from "
         f'{IP} {{"user":"Alice"}} []', "Alice", IP, "auth.login", "success"),
    Case("a rule of the application, beside fields that say who",
         json.dumps({"message": f"Login for Alice succeeded from {IP}", "user": "Alice", "clientip": IP}),
         "Alice", IP, "auth.login", "success"),
    Case("a name in the sentence, one object: a stranger may have written it",
         f"[2026-11-28 01:00:00] production.INFO: Login failed for x {BOTH}", None, None, None, None),
    Case("a stranger's object is not the last", f"{HEAD}Login failed for x {BOTH} [] [] []", None, None, None, None),
    Case("an object that some program shows", "<28>Nov 28 01:00:00 web1 app[7]: bad request: "
         f'{{"action":"login","outcome":"success",{BOTH[1:]}', None, None, None, None),
    Case("a body behind brackets", "<28>Nov 28 01:00:00 web1 app[7]: [body] "
         f'{{"action":"login","outcome":"success",{BOTH[1:]}', None, None, None, None),
    Case("two that some program shows", "<28>Nov 28 01:00:00 web1 app[7]: bad request: "
         f'{{"action":"login","outcome":"success",{BOTH[1:]} []', None, None, None, None),
    Case("an end of its own in an object that is shown", "<28>Nov 28 01:00:00 web1 app[7]: Login failed "
         f'{{"outcome":"success",{BOTH[1:]}', None, None, None, None),
    Case("a name with an object behind it", f"<28>Nov 28 01:00:00 web1 app[7]: Login failed for user x {BOTH} []",
         None, None, None, None),
    Case("no deed", f'{HEAD}Cache is warm {{"user":"alice","ip":"{IP}"}} []', None, None, None, None),
    Case("a name twice", f'{HEAD}Login failed {{"user":"alice","user":"bob","ip":"{IP}"}} []', None, None, None, None),
    Case("no object", f"{HEAD}Login failed {{user: alice}} []", None, None, None, None),
    Case("nothing but objects", f"{HEAD}[] []", None, None, None, None),
]


@pytest.mark.parametrize("case", CASES, ids=[case.id for case in CASES])
def test_a_sentence_and_what_stands_behind_it(case: Case) -> None:
    event = event_of(case.raw)
    assert (event.actor, event.source_ip, event.action, event.outcome) == case[2:]


def test_many_beginnings_of_objects_take_no_long_time() -> None:
    event = event_of(HEAD + ' {"a' * 1_000 + "}")
    assert event.rule is None
