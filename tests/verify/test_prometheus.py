"""Heads that Prometheus recorded: what is one, and what is none."""

from __future__ import annotations

import pytest

from receiver.errors import StoreRefused
from receiver.verify import prometheus

Sample = tuple[float, float, float, float]


def recorded(monkeypatch: pytest.MonkeyPatch, *samples: Sample) -> list[tuple[int, float, float]]:
    """What is found where these were scraped: time, size, both parts of the root."""
    monkeypatch.setattr(prometheus, "_days", lambda *_: [1_764_000_000])
    monkeypatch.setattr(prometheus, "_samples", lambda *_: iter(samples))
    return [(head.size, head.first, head.second) for head in prometheus.recorded_heads("http://127.0.0.1:9")]


def test_a_receiver_that_has_signed_nothing_yet_shows_no_head(monkeypatch: pytest.MonkeyPatch) -> None:
    # Its gauges are 0 until the first checkpoint: taken for a root, every scrape before that would be a false alarm.
    nothing, head = (1.0, 0.0, 0.0, 0.0), (2.0, 7.0, 3.0, 4.0)
    assert recorded(monkeypatch, nothing, head, head) == [(7, 3.0, 4.0)]
    with pytest.raises(StoreRefused, match="no head is recorded there"):
        recorded(monkeypatch, nothing)
