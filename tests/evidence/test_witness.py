"""The witness: every answer of the protocol, and that it never cosigns two histories of one log."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from receiver.errors import EvidenceError
from receiver.evidence.checkpoint import Checkpoint, add_cosignatures, open_checkpoint, sign_checkpoint
from receiver.evidence.proof import ConsistencyProof, parse_consistency
from receiver.evidence.tree import consistency_proof, tree_of, verify_consistency
from receiver.evidence.witness import SIZE_TYPE, Accepted, Answer, Head, Refused, conflict_size, cosign, decide
from tests.evidence.small_log import (
    BOTH,
    LOG,
    ORIGIN,
    OTHER,
    SECONDS,
    TIME,
    WITNESS,
    leaves_of,
    naive,
    nodes_of,
    small_log,
)

LOGS = {ORIGIN: [LOG.verifier]}
SMALL = small_log(11)


def head_at(size: int) -> Head:
    return Head(size, naive(SMALL.leaves[:size]))


def ask(request: bytes, head: Head) -> Accepted | Refused:
    return decide(request, LOGS, {ORIGIN: head}.__getitem__)


@pytest.mark.parametrize("old", range(12))
def test_growth_is_cosigned(old: int) -> None:
    # From nothing, from any size, and again from the same one; then the log adds what it was given.
    decision = ask(SMALL.prove_consistency(old), head_at(old))
    assert isinstance(decision, Accepted)
    assert (decision.origin, decision.head) == (ORIGIN, head_at(11))
    answer = cosign(decision, [WITNESS], SECONDS + 1)
    assert answer.status == 200
    cosigned = add_cosignatures(SMALL.checkpoint(), answer.body, [WITNESS.verifier])
    assert open_checkpoint(cosigned, BOTH, [WITNESS.verifier]).seconds == SECONDS + 1


def refusal(request: bytes, head: Head) -> Refused:
    decision = ask(request, head)
    assert isinstance(decision, Refused)
    return decision


def test_what_cannot_be_read_is_400() -> None:
    # Also an old size beyond the new one.
    good = SMALL.prove_consistency(4)
    for request in (b"", b"old 4\n", good.replace(b"old", b"new"), good[:-1], good.replace(b"\n11\n", b"\n011\n")):
        assert refusal(request, head_at(4)).answer.status == 400
    proof = ConsistencyProof(12, (), SMALL.checkpoint())
    assert refusal(proof.format(), head_at(4)).answer.status == 400


def test_an_unknown_log_is_404_and_an_unknown_key_403() -> None:
    # Before anything is said of what the witness has.
    request = SMALL.prove_consistency(4)
    assert decide(request, {}, {}.__getitem__) == Refused(Answer(404, b"this log is not witnessed here\n"))
    forged = parse_consistency(request)._replace(checkpoint=SMALL.checkpoint(keys=(OTHER, TIME)))
    assert refusal(forged.format(), head_at(4)).answer.status == 403
    spoilt = request.replace(b"\n11\n", b"\n10\n")
    assert refusal(spoilt, head_at(4)).answer.status == 403


def test_another_size_is_409_with_the_right_one() -> None:
    # So the log can prove consistency from there.
    answer = refusal(SMALL.prove_consistency(4), head_at(6)).answer
    assert (answer.status, answer.body, answer.content_type) == (409, b"6\n", SIZE_TYPE)
    assert conflict_size(answer) == 6
    assert conflict_size(refusal(SMALL.prove_consistency(4), Head()).answer) == 0
    for body in (b"", b"6", b"six\n", b"6\n\n", b"\xb2\n"):
        with pytest.raises(EvidenceError):
            conflict_size(Answer(409, body))


def test_a_proof_that_does_not_hold_is_422() -> None:
    # Bent, too long, or of another tree.
    proof = parse_consistency(SMALL.prove_consistency(4))
    for path in ((), proof.path[1:], proof.path[::-1], (*proof.path, bytes(32))):
        assert refusal(proof._replace(path=path).format(), head_at(4)).answer.status == 422
    assert refusal(proof.format(), Head(4, bytes(32))).answer.status == 422
    from_nothing = parse_consistency(SMALL.prove_consistency(0))._replace(path=(bytes(32),))
    assert refusal(from_nothing.format(), Head()).answer.status == 422


def test_two_roots_for_one_size_are_a_fork() -> None:
    # Refused, and told: whoever runs the witness has the log's own signature on both.
    for old in (11, 4):
        decision = refusal(SMALL.prove_consistency(old), Head(11, bytes(32)))
        assert (decision.answer.status, decision.answer.body) == (409, b"11\n")
        assert decision.fork == Checkpoint(ORIGIN, *head_at(11))
    assert refusal(SMALL.prove_consistency(4), head_at(11)).fork is None


HISTORIES = [leaves_of(40), [*leaves_of(17), *[leaf[::-1] for leaf in leaves_of(40)[17:]]]]
"""Two logs that part after 17 leaves, by one operator who has the key."""


@settings(max_examples=60)
class WitnessUnderAttack(RuleBasedStateMachine):
    """The log's owner tries what he likes, and the witness may crash after it kept a head, before it answered."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Head()
        self.cosigned: list[Head] = []

    @rule(
        history=st.sampled_from(HISTORIES), size=st.integers(0, 40), old=st.none() | st.integers(0, 40),
        crash=st.booleans(),
    )  # fmt: skip
    def submit(self, history: list[bytes], size: int, old: int | None, crash: bool) -> None:
        old = self.kept.size if old is None else old
        nodes = nodes_of(history)
        path = consistency_proof(old, size, nodes) if 0 < old <= size else []
        checkpoint = sign_checkpoint(Checkpoint(ORIGIN, size, tree_of(size, nodes).root), [LOG], SECONDS)
        decision = ask(ConsistencyProof(old, tuple(path), checkpoint).format(), self.kept)
        if isinstance(decision, Accepted):
            self.kept = decision.head
            if not crash:
                cosign(decision, [WITNESS], SECONDS)
                self.cosigned.append(decision.head)
        else:
            assert decision.answer.status in {400, 409, 422}

    @invariant()
    def one_history(self) -> None:
        fitting = [
            history
            for history in HISTORIES
            if all(naive(history[: head.size]) == head.root for head in [*self.cosigned, self.kept])
        ]
        assert fitting
        sizes = [head.size for head in self.cosigned]
        assert sizes == sorted(sizes)
        for before, after in zip(self.cosigned, self.cosigned[1:], strict=False):
            path = consistency_proof(before.size, after.size, nodes_of(fitting[0])) if before.size else []
            verify_consistency(before.size, after.size, before.root, after.root, path)


TestWitnessUnderAttack = WitnessUnderAttack.TestCase
