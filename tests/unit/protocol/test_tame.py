from typing import Any

import pytest

from chatbridge.protocol import tame


@pytest.mark.parametrize(
    ("read", "value", "result"),
    [
        (tame.text, "a", "a"),
        (tame.text, "", None),
        (tame.text, 1, None),
        (tame.identifier, "a b", "a b"),
        (tame.identifier, "a" * 255, "a" * 255),
        (tame.identifier, "a" * 256, None),
        (tame.identifier, "a\x00b", None),
        (tame.identifier, "", None),
        (tame.identifier, 7, None),
        (tame.whole, 0, 0),
        (tame.whole, 2**53 - 1, 2**53 - 1),
        (tame.whole, 2**53, None),
        (tame.whole, -1, None),
        (tame.whole, True, None),
        (tame.whole, 1.0, None),
        (tame.whole, "1", None),
        (tame.number, 1, 1.0),
        (tame.number, -1.5, -1.5),
        (tame.number, float("inf"), None),
        (tame.number, float("nan"), None),
        (tame.number, False, None),
        (tame.number, "1", None),
        (tame.members, {"a": 1}, {"a": 1}),
        (tame.members, [], {}),
        (tame.members, None, {}),
    ],
)
def test_what_has_the_wrong_type_counts_as_missing(
    read: Any, value: object, result: object
) -> None:
    assert read(value) == result


def test_members_are_found_along_a_path() -> None:
    wire = {"a": {"b": {"c": 1}}, "x": "text"}
    assert tame.members(wire, "a", "b") == {"c": 1}
    assert tame.members(wire, "a", "nothing", "c") == {}
    assert tame.members(wire, "x", "b") == {}


@pytest.mark.parametrize(
    ("value", "levels", "shallow"),
    [
        ("text", 0, True),
        ([], 0, False),
        ([], 1, True),
        ([{"a": []}], 2, False),
        ([{"a": []}], 3, True),
    ],
)
def test_levels_are_counted(value: object, levels: int, shallow: bool) -> None:  # noqa: FBT001 - a row
    assert tame.is_shallow(value, levels) is shallow
