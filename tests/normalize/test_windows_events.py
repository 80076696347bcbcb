"""Windows events as XML and as structured data: the same event as in JSON, and nothing that a stranger's value says."""

from __future__ import annotations

from itertools import repeat

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from receiver.event import Event, Origin
from receiver.normalize.engine import Normalizer
from receiver.normalize.objects import windows_events
from receiver.wire.detect import parse_frames
from tests.kit.packs import PACKS

NORMALIZER = Normalizer(PACKS)
ORIGIN = Origin("192.0.2.1", 514, None, "tcp", "test")

SYSTEM = (
    "<System><Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625}'/><EventID>4625</EventID>"
    "<Keywords>0x8010000000000000</Keywords><TimeCreated SystemTime='2026-11-22T10:00:00.1234567Z'/>"
    "<Channel>Security</Channel><Computer>dc1.example.com</Computer><Security/></System>"
)


def xml(user: str) -> str:
    return (
        f"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>{SYSTEM}<EventData>"
        f"<Data Name='SubjectUserName'>-</Data><Data Name='TargetUserName'>{user}</Data>"
        "<Data Name='LogonType'>3</Data><Data Name='IpAddress'>203.0.113.7</Data><Data Name='IpPort'>51234</Data>"
        "</EventData></Event>"
    )


PARAMS = (
    '<13>1 2026-11-22T10:00:00Z dc1 Microsoft-Windows-Security-Auditing 640 - [NXLOG@14506 EventID="4625"'
    ' EventType="AUDIT_FAILURE" Channel="Security" SubjectUserName="-" TargetUserName="bob" LogonType="3"'
    ' IpAddress="203.0.113.7" IpPort="51234"] An account failed to log on.'
)


def event_of(text: str) -> Event:
    (event,) = NORMALIZER.normalize(parse_frames([text.encode()], 1795341600_000000, None), repeat(ORIGIN), 1)
    return event


@pytest.mark.parametrize(
    ("text", "rule"),
    [(xml("bob"), "generic/xml"), (f"<13>Nov 22 10:00:00 dc1 win: {xml('bob')}", "generic/xml"),
     (PARAMS, "generic/structured_data"), (PARAMS.replace(' Channel="Security"', ""), "generic/structured_data")],
    ids=["XML", "XML in syslog", "structured data", "structured data without its channel"],
)  # fmt: skip
def test_an_event_gives_what_it_says(text: str, rule: str) -> None:
    event = event_of(text)
    assert (event.actor, event.action, event.outcome, event.source_ip, event.source_port, event.rule) == (
        "bob", "auth.login", "failure", "203.0.113.7", 51234, rule,
    )  # fmt: skip


@pytest.mark.parametrize(
    "user",
    ["x&lt;/Data&gt;&lt;Data Name='IpAddress'&gt;198.51.100.6", "x' IpAddress='198.51.100.6", "198.51.100.6"],
)
def test_a_stranger_cannot_say_from_where(user: str) -> None:
    # What a name holds comes escaped, and stays the name.
    event = event_of(xml(user))
    assert event.source_ip == "203.0.113.7"
    assert event.actor == user.replace("&lt;", "<").replace("&gt;", ">")


def test_what_stands_twice_has_no_value() -> None:
    # One of two users would be a guess.
    twice = xml("bob").replace("</EventData>", "<Data Name='TargetUserName'>eve</Data></EventData>")
    assert event_of(twice).actor is None


@given(st.text(alphabet="<>'\"/= abDEventIDSystemDataName0123456789\n", max_size=200))
def test_any_text_is_read(text: str) -> None:
    # Nothing raises for content.
    for whole in (text, f"<Event {text}", f"<Event >{SYSTEM}{text}"):
        read = windows_events.read_xml(whole)
        assert read is None or read["System"]["EventID"].isdigit()


LABELS = [
    "Account Name:", "Account Domain:", "Security ID:", "Logon ID:", "Logon GUID:", "User ID:", "Subject:",
    "New Logon:", "Account For Which Logon Failed:", "Member:", "Account Information:", "Network Information:",
    "Source Network Address:", "Client Address:", "Client Port:", "Source Port:", "Failure Information:", "Group:",
    "Supplied Realm Name:", "Source Workstation:", "Error Code:", "Status:", "This event is generated ", "Logon Type:",
    "An account was successfully logged on.", "Domain:", "Service Information:", "Service Name:",
]  # fmt: skip
WORDS = st.sampled_from([*LABELS, "x", "EXAMPLE", "198.51.100.6", "5", "-"])
NAMES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
FAILED = (
    "An account failed to log on.{0}Subject:{0}Security ID:{1}S-1-0-0{0}Account Name:{1}-{0}Account Domain:{1}-{0}"
    "Logon ID:{1}0x0{0}Logon Type:{1}3{0}Account For Which Logon Failed:{0}Security ID:{1}S-1-0-0{0}"
    "Account Name:{1}NAME{0}Account Domain:{1}EXAMPLE{0}Failure Information:{0}"
    "Failure Reason:{1}Unknown user.{0}Status:{1}0xc000006d{0}"
    "Network Information:{0}Workstation Name:{1}PC7{0}Source Network Address:{1}203.0.113.7{0}Source Port:{1}51234{0}"
    "This event is generated when a logon request fails."
)
REFUSED = (
    "Kerberos pre-authentication failed.{0}Account Information:{0}Security ID:{1}S-1-0-0{0}Account Name:{1}NAME{0}"
    "Service Information:{0}Service Name:{1}krbtgt{0}Network Information:{0}Client Address:{1}203.0.113.7{0}"
    "Client Port:{1}51234{0}Additional Information:{0}Failure Code:{1}0x18"
)
CHECKED = (
    "The computer attempted to validate the credentials for an account.{0}Authentication Package:{1}NTLM{0}"
    "Logon Account:{1}NAME{0}Source Workstation:{1}PC7{0}Error Code:{1}0xc000006a"
)


@pytest.mark.parametrize("text", [FAILED, REFUSED, CHECKED], ids=["4625", "4771", "4776"])
@pytest.mark.parametrize("parts", [("\n\t", "\t\t"), ("  ", " "), (" ", " ")], ids=["lines", "two blanks", "one"])
@given(name=NAMES)
@example("x Account Domain: EXAMPLE")
@example("x Subject: Security ID: 1")
@example("x Logon ID: 0x1")
@example("x Service Information: Service Name: y")
@example("x Failure Information: y")
@example("x Account Domain: y Member: Security ID: 1")
@example("x Account Domain: y Service Information: z")
@example("x Source Workstation: PC7")
@example("x Error Code: 0x0")
def test_who_types_a_name_cannot_say_who_it_was_or_from_where(text: str, parts: tuple[str, str], name: str) -> None:
    whole = text.format(*parts).replace("NAME", name)
    event = event_of(f"<13>1 2026-11-22T10:00:00Z dc1 Microsoft-Windows-Security-Auditing 640 - - {whole}")
    assert event.action == "auth.login"
    assert event.outcome in {None, "failure"}
    assert event.actor in {None, name.strip()}
    assert event.source_ip in {None, "203.0.113.7"}
