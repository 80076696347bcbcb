"""Proof files, read by us and by the sixty lines an auditor has instead of us."""

from __future__ import annotations

import json
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import EvidenceError
from receiver.evidence.keys import KeyKind, SigningKey
from receiver.evidence.leaf import entry
from receiver.evidence.proof import (
    EXTRA_CHARS,
    ConsistencyProof,
    InclusionProof,
    parse_consistency,
    parse_proof,
    verify_consistency_proof,
    verify_proof,
)
from tests.evidence import standalone_verifier
from tests.evidence.small_log import BOTH, LOG, ORIGIN, OTHER, SECONDS, SmallLog, small_log

SMALL = small_log(11)
KEY = str(LOG.verifier)
REFUSALS = (SystemExit, InvalidSignature, ValueError, IndexError, OverflowError, AttributeError, TypeError, KeyError)
"""However a script of sixty lines says no."""


def test_a_proof_carries_its_event() -> None:
    # The event, its position and its time, from the file and two keys.
    for seq, event in enumerate(SMALL.events):
        found = verify_proof(SMALL.prove(seq), BOTH, BOTH)
        assert (found.seq, found.received_at, found.event) == (seq, event.received_at, event)
        assert found.signed.seconds == SECONDS
        said = standalone_verifier.verify(SMALL.prove(seq), KEY)
        assert said.startswith(f"PROVEN: event {seq} of {ORIGIN}: ")
        assert event.message is not None
        assert (event.actor or "") in said


def test_a_redacted_event_is_still_proven_to_be_there() -> None:
    # Its entry stands for it: where and when, no longer what.
    proof = SMALL.prove(4, redacted=True)
    found = verify_proof(proof, BOTH)
    assert (found.seq, found.received_at, found.event) == (4, SMALL.events[4].received_at, None)
    assert standalone_verifier.verify(proof, KEY) == f"PROVEN: event 4 of {ORIGIN}: redacted"


def test_the_only_event_of_a_log() -> None:
    # A path of no hashes.
    proof = small_log(1).prove(0)
    assert parse_proof(proof).path == ()
    assert verify_proof(proof, BOTH).seq == 0
    assert standalone_verifier.verify(proof, KEY)


@given(data=st.data(), seq=st.integers(0, 10), redacted=st.booleans())
def test_any_flipped_bit_fails(data: st.DataObject, seq: int, redacted: bool) -> None:
    # Anywhere in the file, for us; for the auditor's script up to the log's signature, since it knows no other key.
    proof = SMALL.prove(seq, redacted=redacted)
    bit = data.draw(st.integers(0, 8 * len(proof) - 1))
    changed = bytearray(proof)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(EvidenceError):
        verify_proof(bytes(changed), BOTH, BOTH)
    if bit // 8 < proof.rindex("\n\u2014".encode()):
        with pytest.raises(REFUSALS):
            standalone_verifier.verify(bytes(changed), KEY)


@given(seq=st.integers(0, 10), other=st.integers(0, 10))
def test_a_proof_is_of_one_place(seq: int, other: int) -> None:
    # The event of one place with the path of another.
    proof, foreign = parse_proof(SMALL.prove(seq)), parse_proof(SMALL.prove(other))
    if seq == other:
        return
    for wrong in (proof._replace(seq=other), proof._replace(extra=foreign.extra), proof._replace(path=foreign.path)):
        with pytest.raises(EvidenceError):
            verify_proof(wrong.format(), BOTH)
        with pytest.raises(REFUSALS):
            standalone_verifier.verify(wrong.format(), KEY)


def test_forged_logs_are_refused() -> None:
    # Signed by another key of the same name; of another log; without the event; without a place for it.
    proof = parse_proof(SMALL.prove(3))
    forged = proof._replace(checkpoint=SMALL.checkpoint(keys=(OTHER,)))
    smaller = proof._replace(checkpoint=SMALL.checkpoint(3))
    for wrong in (forged, smaller, proof._replace(extra=None), proof._replace(extra=b""), proof._replace(path=())):
        with pytest.raises(EvidenceError):
            verify_proof(wrong.format(), BOTH)
        with pytest.raises(REFUSALS):
            standalone_verifier.verify(wrong.format(), KEY)
    moved = proof._replace(extra=entry(4, 1, bytes(32)))
    with pytest.raises(EvidenceError, match="event 4") as raised:
        verify_proof(moved.format(), BOTH)
    assert (raised.value.index, raised.value.expected, raised.value.found) == (3, 3, 4)
    with pytest.raises(REFUSALS):
        standalone_verifier.verify(moved.format(), KEY)
    for key in (str(OTHER.verifier), str(BOTH[1]), KEY.replace("log1", "log2"), KEY[:-1], ""):
        with pytest.raises(REFUSALS):
            standalone_verifier.verify(SMALL.prove(3), key)


hashes = st.lists(st.binary(min_size=32, max_size=32), max_size=6).map(tuple)


@given(seq=st.integers(0, 2**63 - 1), path=hashes, extra=st.none() | st.binary(max_size=90))
def test_a_proof_is_read_as_it_was_written(seq: int, path: tuple[bytes, ...], extra: bytes | None) -> None:
    # Both kinds of file.
    proof = InclusionProof(seq, path, SMALL.checkpoint(), extra)
    assert parse_proof(proof.format()) == proof
    consistency = ConsistencyProof(seq, path, SMALL.checkpoint())
    assert parse_consistency(consistency.format()) == consistency


@given(data=st.binary(max_size=120) | st.lists(st.sampled_from(SMALL.prove(2).split(b"\n"))).map(b"\n".join))
def test_anything_else_raises_nothing_but_an_evidence_error(data: bytes) -> None:
    # Noise, and lines in another order.
    for read in (parse_proof, parse_consistency):
        with suppress(EvidenceError):
            assert read(data).format() == data


HASH = b64encode(bytes(32)).decode()
WRONG = {
    "another_version": "c2sp.org/tlog-proof@v2\nindex 1\n\n",
    "no_index": "c2sp.org/tlog-proof@v1\n\n",
    "index_twice": "c2sp.org/tlog-proof@v1\nindex 1\nindex 1\n\n",
    "extra_after": "c2sp.org/tlog-proof@v1\nindex 1\nextra AA==\n\n",
    "leading_zero": "c2sp.org/tlog-proof@v1\nindex 01\n\n",
    "no_blank_line": "c2sp.org/tlog-proof@v1\nindex 1\n",
    "carriage_return": "c2sp.org/tlog-proof@v1\r\nindex 1\r\n\r\n",
    "short_hash": "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\n",
    "path_too_long": f"c2sp.org/tlog-proof@v1\nindex 1\n{(HASH + chr(10)) * 64}\n",
    "extra_too_long": f"c2sp.org/tlog-proof@v1\nextra {'A' * EXTRA_CHARS}\nindex 1\n\n",
    "not_ascii": "c2sp.org/tlog-proof@v1\nindex \u0661\n\n",
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_what_is_no_proof_is_refused(wrong: str) -> None:
    # One way to write each line.
    with pytest.raises(EvidenceError):
        parse_proof(wrong.encode() + SMALL.checkpoint())


@pytest.mark.parametrize("old", range(12))
def test_an_old_checkpoint_is_the_beginning_of_the_log(old: int) -> None:
    # Whoever kept one needs nothing else.
    before, after = verify_consistency_proof(SMALL.prove_consistency(old), SMALL.checkpoint(old), BOTH, BOTH)
    assert (before.checkpoint.size, after.checkpoint.size) == (old, 11)


@given(data=st.data(), old=st.integers(1, 11))
def test_any_flipped_bit_of_a_consistency_proof_fails(data: st.DataObject, old: int) -> None:
    # In the file or in the kept checkpoint.
    files = [SMALL.prove_consistency(old), SMALL.checkpoint(old)]
    which = data.draw(st.integers(0, 1))
    bit = data.draw(st.integers(0, 8 * len(files[which]) - 1))
    changed = bytearray(files[which])
    changed[bit // 8] ^= 1 << bit % 8
    files[which] = bytes(changed)
    with pytest.raises(EvidenceError):
        verify_consistency_proof(files[0], files[1], BOTH, BOTH)


def test_a_rewritten_log_is_convicted_by_an_old_checkpoint() -> None:
    # The attacker has the key and computes everything anew: the copy kept elsewhere does not fit.
    events = list(SMALL.events)
    events[2] = events[2]._replace(actor="somebody else")
    rewritten = SmallLog(events, SMALL.salts)
    assert verify_proof(rewritten.prove(2), BOTH).event == events[2]
    with pytest.raises(EvidenceError, match="does not begin with"):
        verify_consistency_proof(rewritten.prove_consistency(7), SMALL.checkpoint(7), BOTH)
    with pytest.raises(EvidenceError, match="begins at 7 leaves"):
        verify_consistency_proof(SMALL.prove_consistency(7), SMALL.checkpoint(8), BOTH)


def test_two_logs_have_nothing_in_common() -> None:
    # The same tree under another origin.
    other = SigningKey("audit.example.org/log2", KeyKind.LOG, bytes(32))
    old = SMALL.checkpoint(7, keys=(LOG,)).partition(b"\n\n")[0] + b"\n"
    text = old.decode().replace(ORIGIN, other.verifier.name)
    line = f"\u2014 {other.verifier.name} {b64encode(other.verifier.key_id + other.sign(text, 0)).decode()}\n"
    with pytest.raises(EvidenceError, match="two logs"):
        verify_consistency_proof(SMALL.prove_consistency(7), f"{text}\n{line}".encode(), [LOG.verifier, other.verifier])


def test_the_auditors_script_is_short_and_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Sixty lines, a file and a key; what it prints is the event.
    import runpy

    source = standalone_verifier.__file__
    assert len(Path(source).read_text(encoding="utf-8").splitlines()) <= 60
    proof = tmp_path / "event.tlog-proof"
    proof.write_bytes(SMALL.prove(2))
    monkeypatch.setattr("sys.argv", [source, str(proof), KEY])
    runpy.run_path(source, run_name="__main__")
    said = capsys.readouterr().out
    assert said.startswith("PROVEN: event 2")
    assert json.dumps(SMALL.events[2].actor).strip('"') in said
