"""Tiles: the standard's own examples, and that proofs can be made from what is kept, also when rows are gone."""

from __future__ import annotations

from functools import cache, partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.errors import EvidenceError
from receiver.evidence.tiles import (
    HashRange,
    Tile,
    last_tiles,
    needed,
    nodes_from,
    nodes_to_keep,
    pack_tile,
    unpack_tile,
)
from receiver.evidence.tree import (
    TILE_LEAVES,
    Tree,
    complete_root,
    consistency_proof,
    inclusion_proof,
    tree_of,
    verify_consistency,
    verify_inclusion,
)
from tests.evidence.small_log import leaves_of

SIZE = 70_000


@cache
def levels() -> list[list[bytes]]:
    """Leaves of a tree, and the hashes of its tile levels 1 and 2."""
    found = [leaves_of(SIZE)]
    for _ in range(2):
        below = found[-1]
        whole = len(below) - len(below) % TILE_LEAVES
        found.append([complete_root(below[at : at + TILE_LEAVES]) for at in range(0, whole, TILE_LEAVES)])
    return found


def read(wanted: HashRange) -> list[bytes]:
    return levels()[wanted.level][wanted.start : wanted.start + wanted.width]


@cache
def root_of(size: int) -> bytes:
    return Tree().append(levels()[0][:size])[0].root


def test_the_examples_of_the_standard() -> None:
    # C2SP tlog-tiles: a tree of 70 000, one of 256, and how numbers become paths.
    assert last_tiles(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert last_tiles(256) == [Tile(0, 0, 256), Tile(1, 0, 1)]
    assert last_tiles(0) == []
    assert Tile(0, 1_234_067).path == "tile/0/x001/x234/067"
    assert Tile(1, 1, 17).path == "tile/1/001.p/17"
    assert Tile(2, 1000).path == "tile/2/x001/000"
    assert Tile(1, 1, 17).hashes == HashRange(1, 256, 17)


def test_the_tree_gives_out_the_hashes_of_level_1() -> None:
    # What appending emits is what the tiles hold.
    _, emitted = Tree().append(levels()[0])
    assert [found for _, found in emitted] == levels()[1]
    tile = pack_tile(levels()[1][:256])
    assert len(tile) == 8192
    assert unpack_tile(tile) == levels()[1][:256]
    for wrong in (b"", bytes(31), bytes(32 * 257)):
        with pytest.raises(EvidenceError):
            unpack_tile(wrong)


@given(data=st.data(), top=st.integers(0, 2), size=st.sampled_from([1, 255, 256, 257, 65_536, 65_537, SIZE]))
def test_proofs_from_tiles(data: st.DataObject, top: int, size: int) -> None:
    # Whatever levels are kept; and what is needed can be told before.
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    asked: list[HashRange] = []

    def noted(wanted: HashRange) -> list[bytes]:
        asked.append(wanted)
        return read(wanted)

    nodes = nodes_from(noted, top)
    verify_inclusion(index, size, levels()[0][index], inclusion_proof(index, size, nodes), root_of(size))
    assert sorted(set(asked)) == needed(partial(inclusion_proof, index, size), top)
    assert all(wanted.width <= TILE_LEAVES for wanted in asked if top == 2)
    asked.clear()
    path = consistency_proof(old, size, nodes)
    assert sorted(set(asked)) == needed(partial(consistency_proof, old, size), top)
    verify_consistency(old, size, tree_of(old, nodes).root, root_of(size), path)


@given(old=st.integers(1, 4 * 256), tiles=st.integers(0, 2), more=st.integers(0, 300))
def test_consistency_from_an_old_size_whose_rows_are_gone(old: int, tiles: int, more: int) -> None:
    # Its own subtrees are not enough: also those that complete its tile, which exist only later.
    end = -(-old // TILE_LEAVES) * TILE_LEAVES
    size = end + tiles * TILE_LEAVES + more
    whole = nodes_from(read, 1)
    kept = {place: whole(*place) for place in nodes_to_keep(old)}

    def later(wanted: HashRange) -> list[bytes]:
        assert wanted.level == 1 or wanted.start >= end, "these rows are gone"
        return read(wanted)

    nodes = nodes_from(later, 1, lambda level, number: kept.get((level, number)))
    root = tree_of(old, nodes).root
    assert root == root_of(old)
    verify_consistency(old, size, root, root_of(size), consistency_proof(old, size, nodes))
    assert len(kept) <= 9


def test_missing_hashes_are_named() -> None:
    # A tile that is lost is an error with its place, not a wrong proof.
    with pytest.raises(EvidenceError, match="2 of tile level 0 from 2"):
        inclusion_proof(0, 4, nodes_from(lambda wanted: [bytes(32)] * (wanted.width % 2), 1))
