"""A glance at how urgent a frame is: what says so is found, whatever else is in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver import limits
from receiver.wire.detect import parse_frames
from receiver.wire.urgency import severity_of

CASES = {
    b"<0>kernel panic": 0,
    b"<34>1 - h su - - - failed": 2,
    b"<191>x": 7,
    b" <11>x": 3,
    b"<192>x": None,
    b"<1234>x": None,
    b"<>x": None,
    b"emerg: no priority": None,
    b"": None,
    b'{"version":"1.1","host":"h","short_message":"m","level":1}': 1,
    b'{"level": "critical", "msg": "x"}': 2,
    b'{"Level":"FATAL"}': 2,
    b' {"log.level":"error"}': 3,
    b'{"severity":"warning"}': 4,
    b'{"PRIORITY":"5","MESSAGE":"x"}': 5,
    b'{"syslog_severity":"emerg"}': 0,
    b'{"level":60,"time":1}': 2,
    b'{"level":30}': 6,
    b'{"level":8}': None,
    b'{"level":"criticality"}': None,
    b'{"level":2000}': None,
    b'{"sealevel":0}': None,
    b'{"a":"' + b"x" * limits.URGENCY_BYTES + b'","level":0}': None,
    b'[{"level":0}]': None,
}


@pytest.mark.parametrize("frame", CASES, ids=lambda frame: frame.decode()[:40])
def test_severity_by_a_glance(frame: bytes) -> None:
    # PRI, GELF's level, and the words of JSON loggers; no word, no urgency.
    assert severity_of(frame) == CASES[frame]


@given(st.integers(0, 191), st.binary(max_size=30))
def test_what_the_parser_reads_is_what_the_glance_sees(pri: int, rest: bytes) -> None:
    # Of syslog, which has its severity in one place.
    frame = b"<%d>%s" % (pri, rest)
    (message,) = parse_frames([frame], 1_764_000_000_000_000, None)
    assert severity_of(frame) == pri & 7
    assert message.severity in {pri & 7, None}


@given(st.binary(max_size=200).map(lambda data: b"{" + data))
def test_no_bytes_raise(frame: bytes) -> None:
    # Whatever comes.
    assert severity_of(frame) in {None, *range(8)}
