"""The Merkle tree against RFC 6962's own definition, another implementation, the vectors, and bent proofs."""

from __future__ import annotations

from hashlib import sha256
from random import Random

import pymerkle
import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import EvidenceError
from receiver.evidence.leaf import leaf_of_entry
from receiver.evidence.tree import (
    EMPTY_ROOT,
    TILE_LEAVES,
    Tree,
    consistency_proof,
    inclusion_proof,
    tree_of,
    verify_consistency,
    verify_inclusion,
)
from tests.evidence.small_log import leaves_of, naive, nodes_of

ENTRIES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = """\
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d
fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125
aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77
d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7
4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4
76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef
ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c
5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
""".splitlines()


@pytest.mark.parametrize("size", range(9))
def test_the_vectors(size: int) -> None:
    # The roots every transparency log agrees on.
    leaves = [leaf_of_entry(bytes.fromhex(entry)) for entry in ENTRIES[:size]]
    assert Tree().append(leaves)[0].root.hex() == ROOTS[size]


@given(size=st.integers(0, 1200), cuts=st.lists(st.integers(1, 400), max_size=12))
def test_a_tree_grows_the_same_however_it_is_fed(size: int, cuts: list[int]) -> None:
    # Batches end anywhere; the hashes of 256 leaves come out once each, in order.
    leaves, tree, tiles, at = leaves_of(size), Tree(), [], 0
    for cut in [*cuts, size]:
        tree, new = tree.append(leaves[at : at + cut])
        tiles += new
        at += cut
    assert tree == tree_of(size, nodes_of(leaves))
    assert tree.root == naive(leaves)
    assert tiles == [(n, naive(leaves[n * TILE_LEAVES : (n + 1) * TILE_LEAVES])) for n in range(size // TILE_LEAVES)]
    assert Tree.unpack(size, tree.pack()) == tree


@given(data=st.data(), size=st.integers(1, 300))
def test_proofs_prove_and_bent_ones_do_not(data: st.DataObject, size: int) -> None:
    # RFC 9162 §2.1.3.2 and §2.1.4.2.
    leaves = leaves_of(size)
    root, nodes = naive(leaves), nodes_of(leaves)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    path, trail = inclusion_proof(index, size, nodes), consistency_proof(old, size, nodes)
    old_root = naive(leaves[:old])
    verify_inclusion(index, size, leaves[index], path, root)
    verify_consistency(old, size, old_root, root, trail)
    with pytest.raises(EvidenceError):
        verify_inclusion(index, size, leaves[index][::-1], path, root)
    for bent in bend(data, path):
        with pytest.raises(EvidenceError):
            verify_inclusion(index, size, leaves[index], bent, root)
    for bent in bend(data, trail):
        with pytest.raises(EvidenceError):
            verify_consistency(old, size, old_root, root, bent)
    with pytest.raises(EvidenceError):
        verify_consistency(old, size, old_root[::-1], root, trail)


def bend(data: st.DataObject, path: list[bytes]) -> list[list[bytes]]:
    bent = [[*path, bytes(32)]]
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        flipped = bytes([path[at][0] ^ 1]) + path[at][1:]
        bent += [path[:-1], [*path[:at], flipped, *path[at + 1 :]], path[1:]]
    return bent


def test_what_cannot_be_proven_is_refused() -> None:
    # Beyond the tree, backwards, and states that no tree has.
    nodes = nodes_of(leaves_of(5))
    for index in (-1, 5):
        with pytest.raises(EvidenceError):
            inclusion_proof(index, 5, nodes)
        with pytest.raises(EvidenceError):
            verify_inclusion(index, 5, bytes(32), [], bytes(32))
    for old in (0, 6):
        with pytest.raises(EvidenceError):
            consistency_proof(old, 5, nodes)
    for old, new, path in ((6, 5, []), (5, 5, [bytes(32)]), (0, 5, [bytes(32)]), (5, 5, []), (3, 5, [])):
        with pytest.raises(EvidenceError):
            verify_consistency(old, new, bytes(32), EMPTY_ROOT, path)
    verify_consistency(0, 5, EMPTY_ROOT, bytes(32), [])
    for size, packed in ((-1, b""), (3, bytes(32)), (0, bytes(32))):
        with pytest.raises(EvidenceError):
            Tree.unpack(size, packed)


def test_thousands_of_trees_as_another_implementation_grows_them() -> None:
    # pymerkle counts leaves from 1; its paths begin with the leaf.
    random = Random(6962)
    entries = [random.randbytes(random.randrange(70)) for _ in range(2500)]
    theirs, leaves, tree = pymerkle.InmemoryTree(algorithm="sha256"), [], Tree()
    for size, entry in enumerate(entries, 1):
        theirs.append_entry(entry)
        leaves.append(leaf_of_entry(entry))
        tree, _ = tree.append(leaves[-1:])
        assert tree.root == theirs.get_root()
        old, index = random.randrange(1, size + 1), random.randrange(size)
        nodes = remembered(leaves)
        path = inclusion_proof(index, size, nodes)
        assert [leaves[index], *path] == theirs.prove_inclusion(index + 1).path
        verify_inclusion(index, size, leaves[index], path, tree.root)
        trail, old_root = consistency_proof(old, size, nodes), tree_of(old, nodes).root
        assert old_root == theirs.get_root(old)
        verify_consistency(old, size, theirs.get_root(old), theirs.get_root(), trail)


def subproof(old: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """SUBPROOF of RFC 6962 §2.1.2, on leaf hashes."""
    if old == len(leaves):
        return [] if whole else [naive(leaves)]
    split = 1 << ((len(leaves) - 1).bit_length() - 1)
    if old <= split:
        return [*subproof(old, leaves[:split], whole=whole), naive(leaves[split:])]
    return [*subproof(old - split, leaves[split:], whole=False), naive(leaves[:split])]


def test_consistency_proofs_are_those_of_the_standard() -> None:
    # Hash by hash, for every two sizes; pymerkle's have another form, so its roots are all there is to agree on.
    leaves = leaves_of(33)
    for size in range(1, 34):
        for old in range(1, size + 1):
            found = consistency_proof(old, size, nodes_of(leaves))
            assert found == subproof(old, leaves[:size], whole=True), (old, size)


NODES: dict[tuple[int, int], bytes] = {}


def remembered(leaves: list[bytes]):
    """Complete subtrees never change while a tree grows, so each is hashed once."""

    def node_at(level: int, number: int) -> bytes:
        if level == 0:
            return leaves[number]
        if (level, number) not in NODES:
            halves = node_at(level - 1, 2 * number), node_at(level - 1, 2 * number + 1)
            NODES[level, number] = sha256(b"\x01" + halves[0] + halves[1]).digest()
        return NODES[level, number]

    return node_at


@given(data=st.data(), size=st.integers(2, 200))
def test_any_flipped_bit_of_a_proof_fails(data: st.DataObject, size: int) -> None:
    # Also in the roots, and at another place of the log.
    leaves = leaves_of(size)
    root, nodes = naive(leaves), nodes_of(leaves)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size - 1))
    parts = [root, leaves[index], *inclusion_proof(index, size, nodes)]
    flipped = flip(data, parts)
    with pytest.raises(EvidenceError):
        verify_inclusion(index, size, flipped[1], flipped[2:], flipped[0])
    other = data.draw(st.integers(0, size - 1).filter(lambda at: at != index))
    with pytest.raises(EvidenceError):
        verify_inclusion(other, size, parts[1], parts[2:], parts[0])
    flipped = flip(data, [naive(leaves[:old]), root, *consistency_proof(old, size, nodes)])
    with pytest.raises(EvidenceError):
        verify_consistency(old, size, flipped[0], flipped[1], flipped[2:])


def flip(data: st.DataObject, parts: list[bytes]) -> list[bytes]:
    bit = data.draw(st.integers(0, 256 * len(parts) - 1))
    changed = bytearray(b"".join(parts))
    changed[bit // 8] ^= 1 << bit % 8
    return [bytes(changed[at : at + 32]) for at in range(0, len(changed), 32)]


def test_an_error_says_what_differs() -> None:
    # verify names the position and both hashes.
    leaves = leaves_of(5)
    root, nodes = naive(leaves), nodes_of(leaves)
    with pytest.raises(EvidenceError) as raised:
        verify_inclusion(2, 5, leaves[2], inclusion_proof(2, 5, nodes), bytes(32))
    assert (raised.value.index, raised.value.expected, raised.value.found) == (2, bytes(32), root)
