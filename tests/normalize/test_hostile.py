"""Strangers choose names, banners, directories and commands: the true actor and source, or none, never theirs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.event import Event, Origin
from receiver.normalize import Normalizer
from receiver.wire.detect import parse_frame
from receiver.wire.message import Message
from tests.kit.packs import PACKS

NORMALIZER = Normalizer(PACKS)
ORIGIN = Origin("192.0.2.1", 514, None, "udp", "main")
TRUE = "203.0.113.7"
FAKE = "192.0.2.66"

FRAGMENTS = (
    f" from {FAKE} port 5 ssh2", f" from {FAKE} port 5", f" from {FAKE}", f" {FAKE} port 5", " ssh2", " [preauth]",
    f" rhost={FAKE}", f" rhost={FAKE}  user=root", " user=root", "  user=", " ruser=",
    f": RSA SHA256:x from {FAKE} port 1 ssh2",
    " port 5", " not allowed because x", "'", '"', ", ", "invalid user ", " for ", " : ", "]", "[", "root", "x", " ",
    "\\", "é", f" ID z from {FAKE} port 1 ssh2: RSA SHA256:q",
)  # fmt: skip
names = st.lists(st.sampled_from(FRAGMENTS), max_size=6).map("".join) | st.text(max_size=20)


def normalized(text: str, app: str = "sshd") -> Event:
    raw = text.encode("utf-8", "replace")
    message = Message(raw, "rfc3164", "ok", 4, 6, None, "missing", "h", app, None, None, None, text)
    return NORMALIZER.event(message, ORIGIN, 0)


LINES = (
    "Failed password for invalid user {} from {ip} port 4711 ssh2",
    "Failed password for {} from {ip} port 4711 ssh2",
    "Invalid user {} from {ip} port 4711",
    "Connection closed by invalid user {} {ip} port 4711 [preauth]",
    "Connection reset by authenticating user {} {ip} port 4711 [preauth]",
    "Disconnected from invalid user {} {ip} port 4711 [preauth]",
    "Disconnecting invalid user {} {ip} port 4711: Too many authentication failures [preauth]",
    "error: maximum authentication attempts exceeded for invalid user {} from {ip} port 4711 ssh2 [preauth]",
    "Postponed publickey for invalid user {} from {ip} port 4711 ssh2 [preauth]",
    "Failed publickey for invalid user {} from {ip} port 4711 ssh2: RSA SHA256:abc",
    "Failed publickey for invalid user {} from {ip} port 4711 ssh2: RSA-CERT SHA256:abc ID {} (serial 0) CA RSA SHA256",
    'Failed hostbased for {} from {ip} port 4711 ssh2: RSA SHA256:abc, client user "{}", client host "{}"',
    "Disconnecting invalid user {} {ip} port 4711: Change of username or service not allowed: ({},s) -> ({},s)",
    "Bad protocol version identification '{}' from {ip} port 4711",
    "Received disconnect from {ip} port 4711:11: {} [preauth]",
    "banner exchange: Connection from {ip} port 4711: {}",
    "Unable to negotiate with {ip} port 4711: no matching cipher found. Their offer: {} [preauth]",
    "Connection from authenticating user {} {ip} port 4711 timed out [preauth]",
    "ssh_dispatch_run_fatal: Connection from invalid user {} {ip} port 4711: Broken pipe [preauth]",
    "fatal: userauth_finish: Connection reset by invalid user {} {ip} port 4711: send packet: Broken pipe [preauth]",
    "SSH: Server;Ltype: Authname;Remote: {ip}-4711;Name: {} [preauth]",
    "userauth_hostbased mismatch: client sends {}, but we resolve {ip} to host.example.net",
)  # fmt: skip


@pytest.mark.parametrize("line", LINES)
@given(words=st.lists(names, min_size=3, max_size=3))
@settings(max_examples=60, deadline=None)
def test_sshd_names_never_change_the_source(line: str, words: list[str]) -> None:
    # The address sshd wrote, or none; the port likewise.
    event = normalized(line.replace("{ip}", TRUE).format(*words[: line.count("{}")]))
    assert event.source_ip in {TRUE, None}
    assert event.source_port in {4711, None}


@pytest.mark.parametrize("line", LINES[:9])
@given(name=names)
@settings(max_examples=60, deadline=None)
def test_sshd_lines_are_understood_whatever_the_name(line: str, name: str) -> None:
    # Not only never wrong: the source of an attack with a strange name is known.
    event = normalized(line.replace("{ip}", TRUE).format(name))
    assert (event.action, event.source_ip, event.source_port) == ("auth.login", TRUE, 4711)


OTHER_DOORS = (
    ("dropbear", "Bad password attempt for '{}' from {ip}:4711"),
    ("dropbear", "Login attempt for nonexistent user '{}' from {ip}:4711"),
    ("dropbear", "Exit before auth from <{ip}:4711>: (user '{}', 3 fails): Max auth tries reached"),
    ("login", "FAILED LOGIN (1) on '/dev/pts/1' from '{ip}' FOR '{}', Authentication failure"),
    ("login", "FAILED LOGIN 1 FROM {ip} FOR {}, Authentication failure"),
    ("login", "1 LOGIN FAILURE FROM {ip}, {}"),
    ("login", "login from {ip} on ttyp0 as {}"),
    ("sshd", "error: PAM: Authentication failure for illegal user {} from {ip}"),
    ("sshd", "User {} from {ip} not allowed because not listed in AllowUsers"),
    ("internal-sftp", "session opened for local user {} from [{ip}]"),
    ("sshd", "pam_abl(sshd:auth): Blocking access from {ip} to service sshd, user {}"),
)  # fmt: skip


@pytest.mark.parametrize(("app", "line"), OTHER_DOORS)
@given(name=names)
@settings(max_examples=60, deadline=None)
def test_names_at_other_doors_never_change_the_source(app: str, line: str, name: str) -> None:
    # The program's address, or none.
    assert normalized(line.replace("{ip}", TRUE).format(name), app).source_ip in {TRUE, None}


@given(command=names, cwd=names)
@settings(max_examples=100, deadline=None)
def test_doas_takes_no_ones_word_for_whom_they_became(command: str, cwd: str) -> None:
    # The command and the directory around that name are the caller's own words.
    fake = " as nobody from /y"
    for words, place in ((command, cwd), (command + fake, cwd), (command, cwd + fake)):
        event = normalized(f"alice ran command id {words} as root from /srv{place}", "doas")
        assert event.actor == "alice"
        assert event.actor_as in {"root", None}


@given(words=names)
@settings(max_examples=100, deadline=None)
def test_the_end_of_a_sudo_line_hides_no_command(words: str) -> None:
    # What looks like a note that a command has ended may be its last argument.
    event = normalized(f"alice : TTY=pts/0 ; PWD=/srv ; USER=root ; COMMAND=/bin/sh -c x {words} ; EXIT=0", "sudo")
    assert (event.actor, event.action) == ("alice", "command.exec")


PAM = "pam_unix({service}:auth): authentication failure; logname= uid=0 euid=0 tty=x ruser={ruser} rhost={ip}{user}"


@given(user=names)
@settings(max_examples=200, deadline=None)
def test_pam_under_sshd_takes_the_first_rhost(user: str) -> None:
    # sshd sets no ruser, so what a stranger chose comes last.
    text = PAM.format(service="sshd", ruser="", ip=TRUE, user=f"  user={user}")
    assert normalized(text).source_ip == TRUE


@given(ruser=names, user=names, known=st.booleans())
@settings(max_examples=200, deadline=None)
def test_pam_elsewhere_is_sure_or_silent(ruser: str, user: str, *, known: bool) -> None:
    # An FTP server puts a stranger's word into ruser, and perhaps into user.
    text = PAM.format(service="vsftpd", ruser=ruser, ip=TRUE, user=f"  user={user}" if known else " ")
    event = normalized(text, "vsftpd")
    assert event.action == "auth.login"
    assert event.source_ip in {TRUE, None}


@given(pwd=names, command=names)
@settings(max_examples=200, deadline=None)
def test_sudo_takes_no_ones_word_for_whom_they_became(pwd: str, command: str) -> None:
    # Directory and command are the invoker's own words.
    fake = " ; USER=nobody ; COMMAND=/bin/true"
    for place, words in (("/home" + pwd + fake, command), ("/home" + pwd, command + fake), ("/home" + pwd, command)):
        event = normalized(f"   alice : TTY=pts/0 ; PWD={place} ; USER=root ; COMMAND={words}x", "sudo")
        assert (event.actor, event.action) == ("alice", "command.exec")
        assert event.actor_as in {"root", None}
        if event.target is not None:
            assert event.target == f"command:{words}x".rstrip()


def test_a_reverse_name_that_looks_like_an_address_is_no_source() -> None:
    # The bracketed one is the true one.
    text = f"reverse mapping checking getaddrinfo for {FAKE} [{TRUE}] failed - POSSIBLE BREAK-IN ATTEMPT!"
    assert normalized(text).source_ip == TRUE


@pytest.mark.parametrize("value", ["1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3", "::1::", "x", "1" * 300, "٣.1.1.1"])
def test_what_only_looks_like_an_address_is_none(value: str) -> None:
    # Octal, short, long and foreign digits.
    assert normalized(f"Connection closed by {value} port 5").source_ip is None


@given(text=st.text(max_size=200) | names, app=st.sampled_from(["sshd", "sudo", "su", "kernel", "systemd", "x"]))
@settings(max_examples=200, deadline=None)
def test_any_text_gives_an_event(text: str, app: str) -> None:
    # Nothing raises for content.
    event = normalized(text, app)
    assert len(event) == len(Event._fields)
    assert event.message == text


@given(raw=st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_an_event(raw: bytes) -> None:
    # The whole way from the wire; what was wrong keeps its bytes.
    event = NORMALIZER.event(parse_frame(raw, 1_764_000_000_000_000, None), ORIGIN, 0)
    assert event.parse_status == "ok" or event.raw == raw
