"""Checkpoints: the vector to the byte, who must have signed, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import EvidenceError
from receiver.evidence.checkpoint import (
    Checkpoint,
    SignedCheckpoint,
    add_cosignatures,
    open_checkpoint,
    parse_decimal,
    sign_checkpoint,
)
from receiver.evidence.head_gauges import gauges_match, root_gauges
from receiver.evidence.keys import KeyKind, SigningKey
from receiver.evidence.note import sign_note
from receiver.evidence.tree import EMPTY_ROOT
from tests.evidence.small_log import BOTH, LOG, ORIGIN, OTHER, SECONDS, TIME, WITNESS

ROOT = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
EIGHT = Checkpoint(ORIGIN, 8, ROOT)
VECTOR = """\
audit.example.org/log1
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

\u2014 audit.example.org/log1 F4Rr4XZtMSn4D9GVe8xsw0IwIK2fYlck2FoOn5VfHAdgOXy8lQc9Cju+FyCm18QHg0vI8tZXujC7PxtoxlfAXzw1gg8=
\u2014 audit.example.org/log1/time VJ6p5wAAAABpJIEACKNj6LpW9W35KxjKc83rm7B7WUyFsYTiQQlb8KFC6bsA2bHVUDwrSWIvoRcPO/dW7WoygAS2vSeTdw/dfjxiBA==
""".encode()  # noqa: E501 - as it is

lines = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
roots = st.binary(min_size=32, max_size=32)
checkpoints = st.builds(Checkpoint, lines, st.integers(1, 2**63 - 1), roots, st.lists(lines, max_size=2).map(tuple))


def test_the_vector() -> None:
    # EVIDENCE.md's checkpoint, byte by byte, and back.
    assert sign_checkpoint(EIGHT, [LOG, TIME], SECONDS) == VECTOR
    signed = open_checkpoint(VECTOR, BOTH, BOTH)
    assert signed.checkpoint == EIGHT
    assert signed.seconds == SECONDS
    assert signed.note.format() == VECTOR
    assert open_checkpoint(VECTOR, [LOG.verifier]).seconds is None


@given(checkpoint=checkpoints | st.builds(Checkpoint, lines, st.just(0), st.just(EMPTY_ROOT), st.just(())))
def test_a_checkpoint_is_read_as_it_was_written(checkpoint: Checkpoint) -> None:
    # Any origin, any size, also with the lines other logs may add.
    assert Checkpoint.parse(checkpoint.text) == checkpoint


@given(data=st.data())
def test_any_flipped_bit_fails(data: st.DataObject) -> None:
    # In the text, in either signature, in a key's name, in a line end.
    bit = data.draw(st.integers(0, 8 * len(VECTOR) - 1))
    changed = bytearray(VECTOR)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(EvidenceError):
        open_checkpoint(bytes(changed), BOTH, BOTH)


@given(size=st.integers(0, len(VECTOR) - 1))
def test_a_part_of_it_fails(size: int) -> None:
    # A file that was cut.
    with pytest.raises(EvidenceError):
        open_checkpoint(VECTOR[:size], BOTH, BOTH)


def test_at_a_rotation_both_keys_sign_once() -> None:
    # Who knows only the old key, and who knows only the new one, both go on.
    data = sign_checkpoint(EIGHT, [LOG, OTHER, TIME], SECONDS)
    for key in (LOG, OTHER):
        assert open_checkpoint(data, [key.verifier]).checkpoint == EIGHT
    assert len(open_checkpoint(data, (), [LOG.verifier, OTHER.verifier, TIME.verifier]).verified) == 3


def test_who_must_have_signed() -> None:
    # The log itself, by its name; and all that are required.
    other_log = SigningKey("audit.example.org/log2", KeyKind.LOG, bytes(32))
    foreign = sign_note(EIGHT.text, [other_log], SECONDS).format()
    with pytest.raises(EvidenceError, match="not signed by a known key of the log"):
        open_checkpoint(foreign, [other_log.verifier])
    timed = sign_checkpoint(EIGHT, [TIME], SECONDS)
    with pytest.raises(EvidenceError, match="not signed by a known key of the log"):
        open_checkpoint(timed, BOTH)
    with pytest.raises(EvidenceError, match=r"not signed by witness\.example\.net"):
        open_checkpoint(VECTOR, BOTH, [WITNESS.verifier])
    with pytest.raises(EvidenceError, match="no signature"):
        open_checkpoint(VECTOR, [OTHER.verifier])
    with pytest.raises(EvidenceError, match="does not sign for"):
        sign_checkpoint(EIGHT, [other_log], SECONDS)


@pytest.mark.parametrize(
    "wrong",
    [
        "", "\n", "a\n8\n", VECTOR.decode().partition("\n\n")[0], EIGHT.text + "\n", EIGHT.text.replace("8", "08", 1),
        EIGHT.text.replace("\n8", "\n-8"), EIGHT.text.replace("\n8", "\n+8"), EIGHT.text.replace("\n8", "\n8 "),
        EIGHT.text.replace("\n8", "\n\u0668"), EIGHT.text.replace("\n8", "\n9223372036854775808"),
        EIGHT.text.replace("\n8", "\n" + "9" * 5000), EIGHT.text.replace("\n8", "\n0"), "\n8\nXcna\n",
        EIGHT.text.replace("yg=", "yh="), EIGHT.text.replace("Xcna", ""), EIGHT.text.replace(ORIGIN, ""),
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(wrong: str) -> None:
    # Three lines, one way to write each.
    with pytest.raises(EvidenceError):
        Checkpoint.parse(wrong)


def test_nothing_is_signed_that_would_be_read_otherwise() -> None:
    # An origin with a line end would be two lines.
    for checkpoint in (EIGHT._replace(origin="a\n9"), EIGHT._replace(size=0), EIGHT._replace(root=b"")):
        with pytest.raises(EvidenceError):
            sign_checkpoint(checkpoint, [TIME], SECONDS)
    with pytest.raises(EvidenceError, match="would not be read"):
        sign_checkpoint(EIGHT._replace(origin="a\n9\n" + EIGHT.text.split("\n")[2]), [TIME], SECONDS)


def test_numbers() -> None:
    # As sizes and indexes are written.
    assert [parse_decimal(text) for text in ("0", "10", str(2**63 - 1))] == [0, 10, 2**63 - 1]


def test_witnesses_add_their_signatures() -> None:
    # Only theirs, each once; a bad one is an error, an unknown one is left out.
    cosigned = sign_note(EIGHT.text, [WITNESS], SECONDS + 5)
    unknown = sign_note(EIGHT.text, [OTHER], SECONDS)
    answer = b"".join(found.line().encode() for found in (*unknown.signatures, *cosigned.signatures))
    data = add_cosignatures(VECTOR, answer, [WITNESS.verifier, OTHER.verifier])
    assert data == VECTOR + cosigned.signatures[0].line().encode()
    signed: SignedCheckpoint = open_checkpoint(data, BOTH, [WITNESS.verifier])
    assert signed.seconds == SECONDS + 5
    with pytest.raises(EvidenceError):
        add_cosignatures(data, answer, [WITNESS.verifier])
    other = sign_note(EIGHT._replace(size=9).text, [WITNESS], SECONDS)
    for wrong in (other.signatures[0].line().encode(), unknown.signatures[0].line().encode(), b"", b"200 OK"):
        with pytest.raises(EvidenceError):
            add_cosignatures(VECTOR, wrong, [WITNESS.verifier])


@given(root=roots, bit=st.integers(0, 103))
def test_the_head_as_prometheus_keeps_it(root: bytes, bit: int) -> None:
    # Exact in a float64, and any of the 104 bits counts.
    first, second = root_gauges(root)
    assert (int(float(first)), int(float(second))) == (first, second)
    assert f"{first:052b}{second:052b}" == f"{int.from_bytes(root):0256b}"[:104]
    assert gauges_match(root, float(first), float(second))
    other = (int.from_bytes(root) ^ 1 << (255 - bit)).to_bytes(32)
    assert not gauges_match(other, float(first), float(second))
