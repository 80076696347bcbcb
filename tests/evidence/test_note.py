"""Keys and signed notes: the vectors, other people's notes, rotation, and everything that is not one."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import EvidenceError
from receiver.evidence.keys import KeyKind, SigningKey, VerifierKey, is_key_name, parse_base64
from receiver.evidence.note import (
    NOTE_BYTES,
    NOTE_SIGNATURES,
    Note,
    Signature,
    parse_note,
    parse_signatures,
    sign_note,
    verify_note,
)
from tests.evidence.small_log import BOTH, LOG, ORIGIN, OTHER, SECONDS, TIME, WITNESS

LOG_KEY = "audit.example.org/log1+17846be1+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
TIME_KEY = "audit.example.org/log1/time+549ea9e7+BCmsuuFBvMrwsi4alNNNC8c2HlJtC/4SyJeUvJMilm3X"
TEXT = "a line\n\nand another\n"

names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20).filter(is_key_name)
lines = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\n"), max_size=30)
notes = st.builds(
    Note,
    st.lists(lines, max_size=4).map(lambda found: "\n".join([*found, ""]) or "\n"),
    st.lists(
        st.builds(Signature, names, st.binary(min_size=4, max_size=4), st.binary(min_size=1, max_size=80)),
        min_size=1, max_size=4,
    ).map(tuple),
)  # fmt: skip


def test_the_vectors_of_the_keys() -> None:
    # EVIDENCE.md: seeds 00 … 1f and 20 … 3f.
    assert str(LOG.verifier) == LOG_KEY
    assert str(TIME.verifier) == TIME_KEY
    assert (VerifierKey.parse(LOG_KEY), VerifierKey.parse(TIME_KEY)) == BOTH
    assert "AAEC" not in repr(LOG)


@given(name=names, kind=st.sampled_from(KeyKind), seed=st.binary(min_size=32, max_size=32))
def test_keys_are_read_as_they_were_written(name: str, kind: KeyKind, seed: bytes) -> None:
    # Both the verifier's and the private one, which its file holds.
    key = SigningKey(name, kind, seed)
    assert VerifierKey.parse(str(key.verifier)) == key.verifier
    assert SigningKey.parse(key.private_text()).verifier == key.verifier


@pytest.mark.parametrize(
    "wrong",
    [
        "", "name", LOG_KEY[:-1], LOG_KEY + "=", LOG_KEY.upper(), LOG_KEY.replace("17846be1", "17846be2"),
        LOG_KEY.replace("log1", "log2"), LOG_KEY.replace("audit", "au dit"), LOG_KEY.replace("+AQ", "+Ag"),
        LOG_KEY.replace("audit", "au\u00a0dit"), LOG_KEY + "\n", LOG_KEY.replace("G4", "G5"), LOG_KEY[:-4],
        LOG_KEY.replace("+AQ", "++Q"), "\u0000" + LOG_KEY,
    ],
)  # fmt: skip
def test_what_is_no_key_is_refused(wrong: str) -> None:
    # A key that is pasted wrong must not verify nothing in silence.
    with pytest.raises(EvidenceError):
        VerifierKey.parse(wrong)
    with pytest.raises(EvidenceError):
        SigningKey.parse(wrong)
    with pytest.raises(EvidenceError):
        SigningKey.parse(f"PRIVATE+KEY+{wrong}")


def test_a_private_key_needs_a_name_and_32_bytes() -> None:
    # What no verifier could read is not made; a private key of another name does not have that id.
    for name in ("", "two words", "a+b", "a\u2003b", "a\nb", "a\x01b"):
        with pytest.raises(EvidenceError):
            SigningKey(name, KeyKind.LOG, bytes(32))
    with pytest.raises(EvidenceError):
        SigningKey("name", KeyKind.LOG, bytes(31))
    with pytest.raises(EvidenceError):
        SigningKey.parse(LOG.private_text().replace("log1", "log2"))


@given(note=notes)
def test_a_note_is_read_as_it_was_written(note: Note) -> None:
    # And there is only one way to write it.
    assert parse_note(note.format()) == note
    assert parse_signatures("".join(found.line() for found in note.signatures).encode()) == note.signatures


@given(data=st.binary(max_size=200) | st.text("\n\u2014 aA=+\t\u00a0", max_size=60).map(str.encode))
def test_anything_else_raises_nothing_but_an_evidence_error(data: bytes) -> None:
    # A note comes from the network, from a file, from an attacker.
    with suppress(EvidenceError):
        assert parse_note(data).format() == data
    with suppress(EvidenceError):
        parse_signatures(data)


@given(note=notes, data=st.data())
def test_a_note_somebody_changed_is_another_note_or_none(note: Note, data: st.DataObject) -> None:
    # No two byte strings are the same note.
    written = bytearray(note.format())
    bit = data.draw(st.integers(0, 8 * len(written) - 1))
    written[bit // 8] ^= 1 << bit % 8
    with suppress(EvidenceError):
        assert parse_note(bytes(written)) != note


LINE = f"\u2014 {ORIGIN} {base64.b64encode(bytes(68)).decode()}\n"
WRONG = {
    "no_signature": f"{TEXT}\n",
    "no_blank_line": f"a line\n{LINE}",
    "no_last_line_end": f"{TEXT}\n{LINE}"[:-1],
    "line_end_too_many": f"{TEXT}\n{LINE}\n",
    "hyphen": f"{TEXT}\n{LINE}".replace("\u2014", "-"),
    "no_name": f"{TEXT}\n{LINE}".replace(f"{ORIGIN} ", ""),
    "empty_name": f"{TEXT}\n{LINE}".replace(ORIGIN, ""),
    "plus_in_name": f"{TEXT}\n{LINE}".replace("log1", "log+1"),
    "space_in_name": f"{TEXT}\n{LINE}".replace("log1", "log\u20031"),
    "tab": f"a\tline\n\n{LINE}",
    "carriage_return": f"{TEXT}\n{LINE}".replace("\n", "\r\n"),
    "not_base64": f"{TEXT}\n{LINE}".replace("AAAA", "A*AA", 1),
    "base64_of_another_kind": f"{TEXT}\n{LINE}".replace("AAA=", "AAB="),
    "only_a_key_id": f"{TEXT}\n\u2014 {ORIGIN} AAAAAA==\n",
    "text_after": f"{TEXT}\n{LINE}more\n",
    "too_many": f"{TEXT}\n{LINE * (NOTE_SIGNATURES + 1)}",
    "too_long": f"{'a' * NOTE_BYTES}\n\n{LINE}",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_note_is_refused(wrong: str) -> None:
    # Strictly: what other verifiers refuse must not convince us.
    with pytest.raises(EvidenceError):
        parse_note(wrong.encode())


def test_notes_are_utf8() -> None:
    # The standard's MUST.
    with pytest.raises(EvidenceError, match="UTF-8"):
        parse_note(b"\xff\n\n" + LINE.encode())


def test_signatures_hold_and_others_are_ignored() -> None:
    # Rotation: old and new key sign once together, and each convinces who knows it.
    note = sign_note(TEXT, [LOG, OTHER, TIME, WITNESS], SECONDS)
    assert [found.seconds for found in verify_note(note, [key.verifier for key in (LOG, OTHER, TIME)])] == [
        None, None, SECONDS,
    ]  # fmt: skip
    assert [found.key for found in verify_note(note, [OTHER.verifier])] == [OTHER.verifier]
    stranger = SigningKey("stranger", KeyKind.LOG, bytes(32))
    with pytest.raises(EvidenceError, match="no signature"):
        verify_note(note, [stranger.verifier])


@given(data=st.data())
def test_one_bad_signature_by_a_known_key_spoils_the_note(data: st.DataObject) -> None:
    # Also where another one holds; also the time is signed.
    note = sign_note(TEXT, [LOG, TIME], SECONDS)
    which = data.draw(st.integers(0, 1))
    value = bytearray(note.signatures[which].value)
    bit = data.draw(st.integers(0, 8 * len(value) - 1))
    value[bit // 8] ^= 1 << bit % 8
    for changed in (bytes(value), bytes(value[:7]), bytes(value[:-1]), bytes(value) + b"\0"):
        spoilt = list(note.signatures)
        spoilt[which] = spoilt[which]._replace(value=changed)
        with pytest.raises(EvidenceError):
            verify_note(Note(TEXT, tuple(spoilt)), BOTH)
    with pytest.raises(EvidenceError):
        verify_note(Note(TEXT + "more\n", note.signatures), BOTH)


def test_a_time_is_below_2_to_63() -> None:
    # C2SP tlog-cosignature's MUST NOT.
    note = sign_note(TEXT, [TIME], 2**63)
    with pytest.raises(EvidenceError, match="names no time"):
        verify_note(note, BOTH)


@given(data=st.binary(max_size=40))
def test_base64_has_one_way_to_be_written(data: bytes) -> None:
    # Unused bits in the last character would be a second way.
    assert parse_base64(base64.b64encode(data).decode()) == data
    for wrong in ("QQ=", "QR==", "Q Q==", "QQ==\n", "QQ==QQ==", "-_8=", "\u00e4"):
        with pytest.raises(EvidenceError):
            parse_base64(wrong)
