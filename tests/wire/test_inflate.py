"""Packed bodies come out as they went in, in bounded pieces; bombs and broken ones are named."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from receiver.wire.inflate import CODINGS, PIECE_BYTES, InflateError, Inflater


def bare(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PACK = {"": bytes, "identity": bytes, "gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


def unpack(inflater: Inflater, packed: bytes, step: int) -> bytes:
    plain = bytearray()
    for at in range(0, len(packed), step):
        inflater.feed(packed[at : at + step])
        while piece := inflater.next_piece():
            assert len(piece) <= PIECE_BYTES
            plain += piece
    inflater.close()
    return bytes(plain)


def test_the_table_is_what_is_tested() -> None:
    # A coding that is offered and not tried is a promise.
    assert set(PACK) == CODINGS


@pytest.mark.parametrize("coding", sorted(PACK))
@pytest.mark.parametrize("step", [1, 7, 65_536])
def test_what_was_packed_comes_out(coding: str, step: int) -> None:
    # Byte by byte, and whole; more than one piece long.
    data = os.urandom(3_000) + b"log line\n" * 20_000
    for pack in (PACK[coding], bare) if coding == "deflate" else (PACK[coding],):
        inflater = Inflater(coding)
        assert unpack(inflater, pack(data), step if coding != "" else 4096) == data
        assert inflater.error is None


@pytest.mark.parametrize("size", [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES, 0])
def test_sizes_around_a_piece(size: int) -> None:
    # zlib may hold back output with all input taken.
    inflater = Inflater("gzip")
    assert len(unpack(inflater, gzip.compress(bytes(size)), 1 << 20)) == size
    assert inflater.error is None


def test_members_follow_each_other_in_gzip_only() -> None:
    # `cat a.gz b.gz` is good gzip; behind deflate data nothing may stand.
    inflater = Inflater("gzip")
    assert unpack(inflater, gzip.compress(b"a") + gzip.compress(b"") + gzip.compress(b"b"), 3) == b"ab"
    assert inflater.error is None
    inflater = Inflater("deflate")
    assert unpack(inflater, zlib.compress(b"a") + zlib.compress(b"b"), 99) == b"a"
    assert inflater.error is InflateError.BROKEN


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_every_truncation_is_noticed(coding: str) -> None:
    # Else half a body would be acknowledged.
    packed = PACK[coding](b"some text that is long enough to be packed, packed, packed")
    for end in range(1, len(packed)):
        inflater = Inflater(coding)
        unpack(inflater, packed[:end], 1 << 20)
        assert inflater.error is InflateError.ENDS_EARLY


def test_a_bomb_is_given_up_early() -> None:
    # 10 MiB of zeros are 10 KiB packed; a ratio of 100 is over after the first MiB.
    inflater = Inflater("gzip", ratio=100)
    assert len(unpack(inflater, gzip.compress(bytes(10 << 20)), 1 << 20)) <= 1 << 21
    assert inflater.error is InflateError.RATIO
    assert inflater.next_piece() == b""


@given(st.sampled_from(["gzip", "deflate"]), st.binary(max_size=200), st.integers(1, 50))
def test_any_bytes_are_unpacked_or_named(coding: str, packed: bytes, step: int) -> None:
    # Nothing raises.
    unpack(Inflater(coding), packed, step)
