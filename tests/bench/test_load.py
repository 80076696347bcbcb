"""The load is what the figures are said to be for."""

from __future__ import annotations

import pytest

from receiver.wire.framing import Framer
from tests.bench.load import MEAN_BYTES, Pool, blocks


def test_the_mean_message_is_as_long_as_promised() -> None:
    # Figures per event mean nothing without it.
    lengths = [len(message) for message in Pool().messages]
    assert sum(lengths) / len(lengths) == pytest.approx(MEAN_BYTES, rel=0.01)


@pytest.mark.parametrize("framing", ["lf", "counted"])
def test_blocks_hold_every_message_once(framing: str) -> None:
    # What is counted as lost must not be lost by the generator.
    messages = Pool(2000).messages
    framer = Framer()
    assert [frame for block in blocks(messages, framing) for frame in framer.feed(block.data)] == messages
