"""Schedules are repeatable, and every fault in them is known to those who make it and who judge it."""

import pytest

from tests.torture.faults import KINDS
from tests.torture.repeats import ALLOWANCES
from tests.torture.schedules import Place, generate

PLACES = [Place(database="sqlite"), Place(database="postgresql", nodes=3)]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.database)
def test_a_name_is_a_schedule(place: Place) -> None:
    first = generate("7-mixed-1", place, steps=6)
    assert first == generate("7-mixed-1", place, steps=6)
    assert first != generate("7-mixed-2", place, steps=6)
    assert len(first.steps) == 6
    assert first.kinds <= set(place.kinds)


def test_chosen_kinds_are_the_only_ones() -> None:
    place = Place(database="sqlite")
    assert generate("7-kills-1", place, steps=10, kinds=("kill",)).kinds == {"kill"}


def test_every_kind_can_happen_and_be_judged() -> None:
    kinds = {kind for place in PLACES for kind in place.kinds}
    assert kinds == set(KINDS)
    assert {KINDS[kind].counts_as or kind for kind in kinds} == set(ALLOWANCES)
