"""Files of evidence, as somebody may hand them to an auditor or a witness."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from receiver.errors import EvidenceError
from receiver.evidence import checkpoint, keys, leaf, note, proof, tiles, tree, witness
from tests.fuzz import seeds
from tests.fuzz.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable


def proofs(data: bytes) -> None:
    """A file somebody gives an auditor: it holds, or EvidenceError says why not."""
    key = seeds.evidence().key
    text = data.decode(errors="replace")
    readers: tuple[Callable[[], object], ...] = (
        lambda: proof.verify_proof(data, [key]),
        lambda: proof.verify_consistency_proof(data, seeds.evidence().checkpoint, [key]),
        lambda: proof.verify_consistency_proof(seeds.evidence().growth, data, [key]),
        lambda: note.parse_note(data),
        lambda: note.parse_signatures(data),
        lambda: checkpoint.Checkpoint.parse(text),
        lambda: checkpoint.add_cosignatures(seeds.evidence().checkpoint, data, [key]),
        lambda: keys.VerifierKey.parse(text),
        lambda: keys.SigningKey.parse(text),
        lambda: leaf.parse_payload(data),
        lambda: leaf.parse_entry(data),
        lambda: tree.Tree.unpack(len(data) // 32, data),
        lambda: tiles.unpack_tile(data),
        lambda: tree.verify_inclusion(data[0], len(data), data[:32], [data[1:33]] * (data[0] % 9), data[:32]),
    )
    for read in readers:
        try:
            read()
        except EvidenceError as error:
            str(error).encode()
    decided = witness.decide(data, {key.name: [key]}, lambda _: witness.Head())
    assert isinstance(decided, witness.Accepted | witness.Refused)


TARGETS: Final[dict[str, Target]] = {"proofs": Target(proofs, lambda: seeds.evidence().files, chooses=False)}
