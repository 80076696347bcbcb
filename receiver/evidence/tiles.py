"""Where the hashes are that a proof needs: C2SP tlog-tiles' coordinates, and what must outlive pruned rows.

A tile has the hashes of 256 neighbours of one tile level: leaves on level 0, one hash per 256 leaves on level 1, one
per 65 536 on level 2. Those of level 0 are recomputed from rows, the others are kept for ever; what is between two
levels is hashed together here. Knows no storage: it says which hashes are wanted, and is given them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from receiver.errors import EvidenceError
from receiver.evidence.tree import HASH_BYTES, TILE_HEIGHT, TILE_LEAVES, NodeAt, complete_root, subtrees

_NUMBER_GROUP: Final = 1000
_NOTHING: Final = bytes(HASH_BYTES)


class HashRange(NamedTuple):
    """Neighbouring hashes of one tile level: level 0 are leaves, each higher level covers 256 of the one below."""

    level: int
    start: int
    width: int


ReadHashes = Callable[[HashRange], Sequence[bytes]]


class Tile(NamedTuple):
    """A tile; it is partial while it is less than 256 wide."""

    level: int
    number: int
    width: int = TILE_LEAVES

    @property
    def hashes(self) -> HashRange:
        """Say which hashes it holds."""
        return HashRange(self.level, self.number * TILE_LEAVES, self.width)

    @property
    def path(self) -> str:
        """Give its address below a log's prefix: `tile/<L>/<N>[.p/<W>]`."""
        groups, rest = [f"{self.number % _NUMBER_GROUP:03d}"], self.number // _NUMBER_GROUP
        while rest:
            groups.append(f"x{rest % _NUMBER_GROUP:03d}")
            rest //= _NUMBER_GROUP
        partial = "" if self.width == TILE_LEAVES else f".p/{self.width}"
        return f"tile/{self.level}/{'/'.join(reversed(groups))}{partial}"


def last_tiles(size: int) -> list[Tile]:
    """Give the rightmost tile of every level, full or partial, of a tree of `size` leaves."""
    tiles: list[Tile] = []
    while size:
        number, width = (size - 1) // TILE_LEAVES, (size - 1) % TILE_LEAVES + 1
        tiles.append(Tile(len(tiles), number, width))
        size //= TILE_LEAVES
    return tiles


def pack_tile(hashes: Sequence[bytes]) -> bytes:
    """Write a tile's hashes as it is served and stored: one after the other."""
    return b"".join(hashes)


def unpack_tile(tile: bytes) -> list[bytes]:
    """Read a tile; raises EvidenceError when it cannot be one."""
    if not tile or len(tile) % HASH_BYTES or len(tile) > HASH_BYTES * TILE_LEAVES:
        raise EvidenceError(f"a tile cannot be {len(tile)} bytes")
    return [tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]


def hashes_of_node(level: int, number: int, top: int) -> HashRange:
    """Say which kept hashes make a node of the tree. top: the highest tile level that is kept."""
    tile_level = min(level // TILE_HEIGHT, top)
    rest = level - tile_level * TILE_HEIGHT
    return HashRange(tile_level, number << rest, 1 << rest)


def nodes_from(read: ReadHashes, top: int, known: Callable[[int, int], bytes | None] | None = None) -> NodeAt:
    """Give the function that proofs are made from. known: gives a node that was kept by itself, else None."""

    def node_at(level: int, number: int) -> bytes:
        kept = known(level, number) if known is not None else None
        if kept is not None:
            return kept
        wanted = hashes_of_node(level, number, top)
        hashes = read(wanted)
        if len(hashes) != wanted.width:
            message = f"hashes are missing: {wanted.width} of tile level {wanted.level} from {wanted.start}"
            raise EvidenceError(message, expected=wanted.width, found=len(hashes))
        return complete_root(hashes)

    return node_at


def needed(make: Callable[[NodeAt], object], top: int) -> list[HashRange]:
    """Say which hashes a proof will read, before any is there.

    As in `needed(lambda nodes: inclusion_proof(7, 300, nodes), top)`.
    """
    wanted: dict[HashRange, None] = {}

    def note(level: int, number: int) -> bytes:
        wanted[hashes_of_node(level, number, top)] = None
        return _NOTHING

    make(note)
    return sorted(wanted)


def nodes_to_keep(size: int) -> list[tuple[int, int]]:
    """Name the nodes below level 1 that consistency from `size` needs when the rows of its last tile are gone.

    (level, number): those the root of `size` was made of, and those that complete its tile. The second kind exists
    once the tile is complete, so they are taken when the rows go, not when the checkpoint is made.
    """
    kept = [(level, number) for level, number in subtrees(size) if level < TILE_HEIGHT]
    while size % TILE_LEAVES:
        level = (size & -size).bit_length() - 1
        kept.append((level, size >> level))
        size += 1 << level
    return kept
