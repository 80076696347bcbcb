"""RFC 5424, complete: what it allows is `ok` and exact, what it forbids is kept and named."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver import limits
from receiver.wire import rfc5424, sd_shape
from receiver.wire.detect import parse_frame
from receiver.wire.message import Cut, Defect
from tests.kit.wire_cases import Case, assert_case, assert_texts, assert_truncations, facts, us

NOW = us(2024, 3, 2, 12)
TIME = us(2003, 10, 11, 22, 14, 15, 3000)
HEAD = "<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su 77 ID47 "
FULL = {
    "format": "rfc5424", "status": "ok", "facility": 4, "severity": 2, "time": TIME, "time_quality": "full",
    "host": "mymachine.example.com", "app": "su", "pid": "77", "msgid": "ID47",
}  # fmt: skip
NIL = {"format": "rfc5424", "status": "ok", "facility": 4, "severity": 2, "time_quality": "missing"}


def full(rest: str | bytes, **expected: object) -> tuple[bytes, dict[str, object]]:
    return HEAD.encode() + (rest if isinstance(rest, bytes) else rest.encode()), {**FULL, **expected}


def partial(*defects: str) -> dict[str, object]:
    return {"status": "partial", "defects": defects}


def sd(text: str, **elements: dict[str, object]) -> tuple[bytes, dict[str, object]]:
    return full(f"{text} m", structured_data=elements, message="m")


BAD_SD = partial("bad_structured_data")

TABLE = [
    # --- the standard's own examples (§6.5) ---
    (
        "example 1",
        HEAD.replace("77", "-").encode() + "- \ufeff'su root' failed for lonvick on /dev/pts/8".encode(),
        {**FULL, "pid": None, "message": "'su root' failed for lonvick on /dev/pts/8"},
    ),
    (
        "example 2",
        b"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time to make the do-nuts.",
        {
            **FULL, "facility": 20, "severity": 5, "time": us(2003, 8, 24, 12, 14, 15, 3), "host": "192.0.2.1",
            "app": "myproc", "pid": "8710", "msgid": None, "message": "%% It's time to make the do-nuts.",
        },
    ),
    (
        "example 3",
        '<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 [exampleSDID@32473 iut="3" '
        'eventSource="Application" eventID="1011"] \ufeffAn application event log entry...'.encode(),
        {
            **FULL, "facility": 20, "severity": 5, "app": "evntslog", "pid": None,
            "structured_data": {
                "exampleSDID@32473": {"iut": "3", "eventSource": "Application", "eventID": "1011"},
            },
            "message": "An application event log entry...",
        },
    ),
    (
        "example 4",
        (
            b"<165>1 2003-10-11T22:14:15.003Z mymachine.example.com evntslog - ID47 "
            b'[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]'
            b'[examplePriority@32473 class="high"]'
        ),
        {
            **FULL, "facility": 20, "severity": 5, "app": "evntslog", "pid": None,
            "structured_data": {
                "exampleSDID@32473": {"iut": "3", "eventSource": "Application", "eventID": "1011"},
                "examplePriority@32473": {"class": "high"},
            },
        },
    ),
    # --- header ---
    ("all nil", b"<34>1 - - - - - -", NIL),
    ("all nil, empty message", b"<34>1 - - - - - - ", {**NIL, "message": ""}),
    ("all nil, message", b"<34>1 - - - - - - m", {**NIL, "message": "m"}),
    ("pri 0", b"<0>1 - - - - - - m", {**NIL, "facility": 0, "severity": 0, "message": "m"}),
    ("pri 191", b"<191>1 - - - - - - m", {**NIL, "facility": 23, "severity": 7, "message": "m"}),
    ("offset", b"<34>1 2003-10-11T22:14:15+02:00 - - - - -",
     {**NIL, "time": us(2003, 10, 11, 20, 14, 15), "time_quality": "full"}),
    (
        "longest fields",
        b"<34>1 - %b %b %b %b -" % (b"h" * 255, b"a" * 48, b"p" * 128, b"m" * 32),
        {**NIL, "host": "h" * 255, "app": "a" * 48, "pid": "p" * 128, "msgid": "m" * 32},
    ),
    ("IPv6 host", b"<34>1 - 2001:db8::1 - - - -", {**NIL, "host": "2001:db8::1"}),
    ("fields of dashes", b"<34>1 - -- --- -- -- -", {**NIL, "host": "--", "app": "---", "pid": "--", "msgid": "--"}),
    # --- MSG ---
    ("leading blanks", *full("-   m", message="  m")),
    ("line feeds", *full("- a\nb\n\nc", message="a\nb\n\nc")),
    ("message of line feed", *full("- \n\nx", message="\n\nx")),
    ("trailing blanks", *full("- m  ", message="m  ")),
    ("one BOM of two", *full("- \ufeff\ufeffm", message="\ufeffm")),
    ("BOM alone", *full("- \ufeff", message="")),
    ("BOM later", *full("- m\ufeff", message="m\ufeff")),
    ("BOM after structured data", *full('[a b="c"] \ufeffm', structured_data={"a": {"b": "c"}}, message="m")),
    ("message of brackets", *full("- [a b] m", message="[a b] m")),
    ("NUL inside", *full("- a\0b", message="a\0b")),
    ("Unicode", *full("- ä€😀", message="ä€😀")),
    ("terminator of a datagram", *full("- m\r\n", message="m")),
    ("one of two terminators", *full("- m\n\n", message="m\n")),
    ("NUL of a datagram", *full("- m\0", message="m")),
    ("line feed after nothing", *full("-\n")),
    ("JSON", *full('- {"a": 1}', message='{"a": 1}', fields={"a": 1})),
    ("JSON after cookie", *full('- @cee: {"a": {"b": [1]}}',
                                message='@cee: {"a": {"b": [1]}}', fields={"a": {"b": [1]}})),
    # --- structured data ---
    ("no params", *sd("[a]", a={})),
    ("elements without params", *sd("[a][b@1]", a={}, **{"b@1": {}})),
    ("empty value", *sd('[a b=""]', a={"b": ""})),
    ("value of blanks and equals", *sd('[a b=" = [ c=d " e="f"]', a={"b": " = [ c=d ", "e": "f"})),
    ("escaped quote", *sd(r'[a b="say \"x\""]', a={"b": 'say "x"'})),
    ("escaped bracket", *sd(r'[a b="[x\]"]', a={"b": "[x]"})),
    ("escaped backslash", *sd(r'[a b="C:\\dir\\"]', a={"b": "C:\\dir\\"})),
    ("backslash, then the end", *sd(r'[a b="\\"][c d="\\\\"]', a={"b": "\\"}, c={"d": "\\\\"})),
    ("a backslash that escapes nothing stays", *sd(r'[a b="\n\t\q"]', a={"b": r"\n\t\q"})),
    ("escaped and plain", *sd(r'[a b="1" c="\"" d="3"][e f="4"]', a={"b": "1", "c": '"', "d": "3"}, e={"f": "4"})),
    ("line feed in a value", *sd('[a b="x\ny"]', a={"b": "x\ny"})),
    ("Unicode in a value", *sd('[a b="ä😀"]', a={"b": "ä😀"})),
    ("repeated name", *sd('[a ip="1" x="y" ip="2" ip="3"]', a={"ip": ["1", "2", "3"], "x": "y"})),
    ("names of 32", *sd(f'[{"i" * 32} {"n" * 32}="v"]', **{"i" * 32: {"n" * 32: "v"}})),
    ("odd but legal names", *sd('[!#$@\\[x ^-~="v"]', **{"!#$@\\[x": {"^-~": "v"}})),
    ("a blank makes it message", *full('[a] [b c="d"]', structured_data={"a": {}}, message='[b c="d"]')),
    ("no message", *full('[a b="c"]', structured_data={"a": {"b": "c"}})),
    ("quote in message", *full('[a b="c"] "]', structured_data={"a": {"b": "c"}}, message='"]')),
    # --- against the standard, kept ---
    ("bare bracket in a value", *full('[a b="x]y"] m', structured_data={"a": {"b": "x]y"}}, message="m", **BAD_SD)),
    (
        "escaped and bare bracket",
        *full(r'[a b="\\]\]"] m', structured_data={"a": {"b": "\\]]"}}, message="m", **BAD_SD),
    ),
    ("SD-ID twice", *full('[a b="1"][a b="2" c="3"] m', structured_data={"a": {"b": ["1", "2"], "c": "3"}}, message="m",
                          **partial("duplicate_sd_id"))),
    ("long names", *full(f'[{"i" * 33} {"n" * 33}="v"] m', structured_data={"i" * 33: {"n" * 33: "v"}}, message="m",
                         **partial("long_field"))),
    ("names beyond ASCII", *full('[ä ö="v"] m', structured_data={"ä": {"ö": "v"}}, message="m",
                                 **partial("not_ascii_field"))),
    ("stray blanks", *full('[a  b="1" ] m', structured_data={"a": {"b": "1"}}, message="m", **BAD_SD)),
    ("no blank before the message", *full('[a b="c"]m', structured_data={"a": {"b": "c"}}, message="m", **BAD_SD)),
    ("no structured data", *full("message here", message="message here", **BAD_SD)),
    ("dash runs into the message", *full("-m", message="-m", **BAD_SD)),
    ("unclosed element", *full('[a b="c" m', message='[a b="c" m', **BAD_SD)),
    ("unclosed value", *full('[a b="c] m', message='[a b="c] m', **BAD_SD)),
    ("value without quotes", *full("[a b=c] m", message="[a b=c] m", **BAD_SD)),
    ("name without value", *full("[a b] m", message="[a b] m", **BAD_SD)),
    ("empty element", *full("[] m", message="[] m", **BAD_SD)),
    ("empty name", *full('[a ="b"] m', message='[a ="b"] m', **BAD_SD)),
    ("second element broken", *full('[a b="c"][d m', message='[a b="c"][d m', **BAD_SD)),
    ("params not parted", *full('[a b="c"d="e"] m', message='[a b="c"d="e"] m', **BAD_SD)),
    ("broken, with BOM", *full("\ufeffm", message="m", **BAD_SD)),
    (
        "fields over their length",
        b"<34>1 - %b %b %b %b - m" % (b"h" * 256, b"a" * 49, b"p" * 129, b"m" * 33),
        {**NIL, "host": "h" * 256, "app": "a" * 49, "pid": "p" * 129, "msgid": "m" * 33, "message": "m",
         **partial("long_field")},
    ),
    ("fields beyond ASCII", "<34>1 - hö a\tb 1 - - m".encode(),
     {**NIL, "host": "hö", "app": "a\tb", "pid": "1", "message": "m", **partial("not_ascii_field")}),
    ("version 2", b"<34>2 - h a - - - m", {**NIL, "host": "h", "app": "a", "message": "m", **partial("bad_version")}),
    ("version 123", b'<34>123 2003-10-11T22:14:15.003Z h a - - [a b="c"] m',
     {**NIL, "time": TIME, "time_quality": "full", "host": "h", "app": "a", "structured_data": {"a": {"b": "c"}},
      "message": "m", **partial("bad_version")}),
    ("version 0", b"<34>0 - h a - - -", {**NIL, "host": "h", "app": "a", **partial("bad_version")}),
    ("pri too large", b"<192>1 - h a - - - m",
     {"format": "rfc5424", "time_quality": "missing", "host": "h", "app": "a", "message": "m", **partial("bad_pri")}),
    ("pri far too large", b"<99999>1 - h a - - - m",
     {"format": "rfc5424", "time_quality": "missing", "host": "h", "app": "a", "message": "m", **partial("bad_pri")}),
    ("pri with a leading zero", b"<034>1 - h - - - - m", {**NIL, "host": "h", "message": "m", **partial("bad_pri")}),
    ("pri 00", b"<00>1 - - - - - - m", {**NIL, "facility": 0, "severity": 0, "message": "m", **partial("bad_pri")}),
    ("pri empty", b"<>1 - h a - - - m",
     {"format": "rfc5424", "time_quality": "missing", "host": "h", "app": "a", "message": "m", **partial("bad_pri")}),
    ("pri is a word", b"<x>1 - h a - - - m",
     {"format": "rfc5424", "time_quality": "missing", "host": "h", "app": "a", "message": "m", **partial("bad_pri")}),
    ("nanoseconds", b"<34>1 2003-08-24T05:14:15.000000003-07:00 h a p i - m",
     {**NIL, "time_quality": "unparsed", "host": "h", "app": "a", "pid": "p", "msgid": "i", "message": "m",
      **partial("bad_time")}),
    ("no such day", b"<34>1 2003-02-30T05:14:15Z h a p i - m",
     {**NIL, "time_quality": "unparsed", "host": "h", "app": "a", "pid": "p", "msgid": "i", "message": "m",
      **partial("bad_time")}),
    ("leap second", b"<34>1 2016-12-31T23:59:60Z h a p i - m",
     {**NIL, "time_quality": "unparsed", "host": "h", "app": "a", "pid": "p", "msgid": "i", "message": "m",
      **partial("bad_time")}),
    ("time beyond 2^53", b"<34>1 9999-12-31T23:59:59Z h - - - - m",
     {**NIL, "time_quality": "unparsed", "host": "h", "message": "m", **partial("bad_time")}),
    ("a blank for the T", b"<34>1 2003-10-11 22:14:15 h a p i - m",
     {**NIL, "time_quality": "unparsed", "host": "h", "app": "a", "pid": "p", "msgid": "i", "message": "m",
      **partial("bad_time")}),
    ("a blank for the T, and no structured data", b"<34>1 2003-10-11 22:14:15Z h a p - m",
     {**NIL, "time_quality": "unparsed", "host": "h", "app": "a", "pid": "p", "message": "m",
      **partial("bad_time", "bad_structured_data")}),
    ("a date, and a host that is no clock", b"<34>1 2003-10-11 22:14:15:16 a p i - m",
     {**NIL, "time_quality": "unparsed", "host": "22:14:15:16", "app": "a", "pid": "p", "msgid": "i", "message": "m",
      **partial("bad_time")}),
    ("time is a word", b"<34>1 now h a p i [x] m",
     {**NIL, "time_quality": "unparsed", "host": "h", "app": "a", "pid": "p", "msgid": "i",
      "structured_data": {"x": {}}, "message": "m", **partial("bad_time")}),
    ("two blanks after the version", b"<34>1  2003-10-11T22:14:15.003Z h a p i - m",
     {**NIL, "time": TIME, "time_quality": "full", "host": "h", "app": "a", "pid": "p", "msgid": "i", "message": "m",
      **partial("bad_header")}),
    ("two blanks", b"<34>1 -  app - - -", {**NIL, "app": "app", **partial("bad_header")}),
    ("ends after the host", b"<34>1 2003-10-11T22:14:15.003Z h",
     {**NIL, "time": TIME, "time_quality": "full", "host": "h", **partial("bad_header")}),
    ("ends after the version", b"<34>1 -", {**NIL, **partial("bad_header")}),
    ("many defects", "<0034>2 2003-10-11 h\u00f6 a p i [x] m".encode(),
     {**NIL, "time_quality": "unparsed", "host": "hö", "app": "a", "pid": "p", "msgid": "i",
      "structured_data": {"x": {}}, "message": "m",
      **partial("bad_pri", "bad_version", "bad_time", "not_ascii_field")}),
    ("not UTF-8 in the message",
     HEAD.encode() + b"- a\xffb", {**FULL, "message": "a\ufffdb", **partial("invalid_utf8")}),
    ("surrogate in UTF-8", HEAD.encode() + b"- a\xed\xa0\x80b",
     {**FULL, "message": "a\ufffd\ufffd\ufffdb", **partial("invalid_utf8")}),
    ("not UTF-8 in a value", HEAD.encode() + b'[a b="\xe4"] m',
     {**FULL, "structured_data": {"a": {"b": "\ufffd"}}, "message": "m", **partial("invalid_utf8")}),
    ("blanks before", b" \n" + HEAD.encode() + b"- m", {**FULL, "message": "m", **partial("bad_header")}),
]  # fmt: skip
CASES = [
    Case(name, raw, {key: value for key, value in expected.items() if value is not None})
    for name, raw, expected in TABLE
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_cases(case):
    """Each message gives exactly these fields, however it arrives."""
    assert_case(case, NOW)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_cut_anywhere(case):
    """A message cut at any byte still is a message."""
    assert_truncations(case.raw, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "<34>Oct 11 22:14:15 h su: m",
        "<34>1",
        "<34>1 ",
        "<34>1 hello",
        "<34>2 hello world and some more words",
        "<34>1 1563249630.774247467 MX84 events type=vpn x y",
        "<34>2024 Mar  1 18:48:50 UTC: x",
        "<34>5 Jan 2024 10:00:00 host app: - x",
        "<34>2 - too short",
        "<34> 1 - - - - - -",
        "34 1 - - - - - -",
        "",
    ],
)
def test_not_5424(text):
    """What was never meant to be RFC 5424 is left to others."""
    assert rfc5424.parse(text.encode(), text, NOW) is None


def test_cut_frame_is_partial():
    """A frame that was cut says so, and where a character was split nothing is made up."""
    whole = HEAD.encode() + "- aä".encode()
    message = parse_frame(Cut.of(whole[:-1], Defect.TRUNCATED, 5000), NOW)
    assert facts(message) == {**FULL, "message": "a", **partial("truncated")}
    assert type(message.raw) is Cut


PRINTABLE = st.characters(min_codepoint=33, max_codepoint=126)
SD_NAME = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='="]'), min_size=1, max_size=32)
VALUES = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)


def field(size: int) -> st.SearchStrategy[str | None]:
    return st.none() | st.text(PRINTABLE, min_size=1, max_size=size).filter(lambda text: text != "-")


def build(pri, fields, data, message) -> str:
    """Write a message as RFC 5424 §6 says."""
    header = " ".join(text or "-" for text in fields)
    text = f"<{pri}>1 - {header} "
    for sd_id, params in data.items():
        text += f"[{sd_id}"
        for name, value in params.items():
            for one in value if isinstance(value, list) else [value]:
                escaped = one.replace("\\", r"\\").replace('"', r"\"").replace("]", r"\]")
                text += f' {name}="{escaped}"'
        text += "]"
    text += "" if data else "-"
    return text if message is None else f"{text} {message}"


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 191),
    st.tuples(field(255), field(48), field(128), field(32)),
    st.dictionaries(
        SD_NAME, st.dictionaries(SD_NAME, VALUES | st.lists(VALUES, min_size=2, max_size=3), max_size=3), max_size=3
    ),
    st.none() | VALUES,
)
def test_build_then_parse(pri, fields, data, message):
    """What is written by the standard is read back equal, and `ok`."""
    text = build(pri, fields, data, message)
    parsed = rfc5424.parse(text.encode(), text, NOW)
    assert parsed is not None
    assert (parsed.facility, parsed.severity) == divmod(pri, 8)
    assert (parsed.host, parsed.app, parsed.pid, parsed.msgid) == fields
    assert parsed.structured_data == (data or None)
    assert parsed.message == (None if message is None else message.removeprefix("\ufeff"))
    assert (parsed.status, parsed.defects) == ("ok", ())


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet='<34>1 -[]="\\ab\n\ufeff.:TZ\x00é', max_size=60),
    st.sampled_from(["", "<34>1 ", "<34>1 - - - - - ", HEAD]),
)
def test_anything_after_a_header(text, head):
    """Any text behind any part of a header gives a message of valid texts."""
    assert_texts(parse_frame((head + text).encode(), NOW))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from([b"", b"<34>1 ", b"<34>1 - - - - - [a b=\"", b"<34>1 - - - - - - "]))
def test_any_bytes(data, head):
    """Any bytes give a message of valid texts."""
    assert_texts(parse_frame(head + data, NOW))


@pytest.mark.parametrize(
    ("head", "unit", "tail"),
    [
        ("<34>1 - - - - - [a", ' b="c"', ""),
        ("<34>1 - - - - - [a", ' b="c"', "] m"),
        ("<34>1 - - - - - [a", ' b="\\""', ""),
        ("<34>1 - - - - - ", "[a]", ""),
        ("<34>1 - - - - - ", '[a b="c"', ""),
        ('<34>1 - - - - - [a b="', "\\", ""),
        ('<34>1 - - - - - [a b="', "]", ""),
        ('<34>1 - - - - - [a b="', '" ', ""),
        ('<34>1 - - - - - [a b="', '\\" c="', ""),
        ("<34>1 - - - - - [a", " ", ""),
        ("<34>1 - - - - - [", "a", ""),
        ("<34>1 - - - - - [a ", "b", ""),
        ("<34>1 ", "- ", ""),
        ("<34>1 - ", "h", ""),
        ("<", "3", ""),
        ("<34>1 - - - - - - ", "m ", ""),
    ],
)
def test_time_is_linear(head, unit, tail):
    """Eight times the text takes about eight times as long, however it is twisted (quadratic would be 64)."""

    def seconds(size: int) -> float:
        text = head + unit * (size // len(unit)) + tail
        best = 9.0
        for _ in range(5):
            start = time.thread_time()
            parse_frame(text.encode(), NOW)
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(160_000) < 25 * seconds(20_000) + 0.03


NAMES = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='=]"'), min_size=1, max_size=8)
ELEMENTS = st.dictionaries(
    NAMES, st.dictionaries(NAMES, st.text('ab=[ \'{}\\n\\"]', max_size=6), max_size=4), min_size=1, max_size=3
)


def written(elements: dict[str, dict[str, str]], *, escaped: bool) -> str:
    """Structured data as text; escaped: as §6.3.3 demands."""
    table = str.maketrans({'"': '\\"', "\\": "\\\\", "]": "\\]"}) if escaped else {}
    return "".join(
        f"[{sd_id}" + "".join(f' {name}="{value.translate(table)}"' for name, value in params.items()) + "]"
        for sd_id, params in elements.items()
    )


@given(ELEMENTS, ELEMENTS, st.booleans())
def test_a_known_shape_reads_what_is_read_without_it(
    known: dict[str, dict[str, str]], other: dict[str, dict[str, str]], escaped: bool
) -> None:
    # The short way may say None, never something else; names are a sender's and must not become code.
    read = sd_shape.compile_shape(tuple((sd_id, *params) for sd_id, params in known.items()))
    for elements in (known, other, known | other):
        text = written(elements, escaped=escaped) + " m"
        found = read(text, 0)
        if found is not None:
            expected: dict[str, dict[str, str]] = {}
            assert found == (expected, rfc5424._read_plain_elements(text, 0, expected))


def test_a_shape_is_learned_and_used() -> None:
    # What comes again and again takes the short way, and comes out the same; bounded, since senders choose SD-IDs.
    sd_shape.shapes.clear()
    frame = (HEAD + '[learn@1 a="{}" b="x"][second@1] m').replace("{}", "1").encode()
    first = facts(parse_frame(frame, NOW, None))
    for _ in range(2_048 + 8):
        parse_frame(frame, NOW, None)
    assert "[learn@1" in sd_shape.shapes
    assert facts(parse_frame(frame, NOW, None)) == first
    for text, expected in (
        ('[learn@1 a="2" b="\\]"][second@1] m', {"learn@1": {"a": "2", "b": "]"}, "second@1": {}}),
        ('[learn@1 a="2"] m', {"learn@1": {"a": "2"}}),
        ('[learn@1 a="2" b="3"][second@1][t@1]', {"learn@1": {"a": "2", "b": "3"}, "second@1": {}, "t@1": {}}),
    ):
        assert parse_frame((HEAD + text).encode(), NOW, None).structured_data == expected
    for number in range(limits.SD_SHAPES + 1):
        for _ in range(2_048):
            sd_shape.learn(f"[{number}", {str(number): {"a": "b"}})
    assert len(sd_shape.shapes) <= limits.SD_SHAPES
    sd_shape.learn("[" * 100, {"a": {}})
    sd_shape.shapes.clear()
