"""Ways of rounding a mix to whole units."""

from __future__ import annotations

from massbalance.booking.whole import CLEARANCES, _ways


def test_a_mix_without_pools_is_tried_once():
    ways = list(_ways(0))
    assert [(way.adjuster, way.clearance) for way in ways] == [(-1, 0.0)]


def test_a_mix_of_pools_is_also_tried_with_clearance():
    ways = list(_ways(2))
    assert {way.clearance for way in ways} == {0.0, *CLEARANCES}
    assert {way.adjuster for way in ways} == {-1, 0, 1}
