"""The checker on made-up histories: it sees each kind of violation, and nothing where nothing is wrong."""

from pathlib import Path
from typing import Any

import pytest

from tests.torture.checker import check
from tests.torture.history import (
    TO_AMOJO,
    TO_MESSENGER,
    Arrived,
    Broken,
    Disturbed,
    Event,
    GivenUp,
    History,
    Sent,
    TurnedAway,
    read,
)
from tests.torture.repeats import ALLOWANCES, Limits

LIMITS = Limits(at_once=2, batch=0)


def sent(name: str, begun: float, ended: float, **changes: Any) -> Sent:
    values = {"direction": TO_AMOJO, "conversation": "c", "text": name, "node": 0, "status": 202}
    return Sent(id=name, begun=begun, ended=ended, **values | changes)


def arrived(name: str, at: float, **changes: Any) -> Arrived:
    values = {"direction": TO_AMOJO, "conversation": "c", "text": name, "delivery_id": name}
    return Arrived(id=name, at=at, **values | changes)


def fault(kind: str, begun: float, ended: float) -> Disturbed:
    return Disturbed(kind=kind, target="0", begun=begun, ended=ended)


def kinds(*events: Event, limits: Limits = LIMITS) -> list[str]:
    return [violation.kind for violation in check(events, limits).violations]


ONE = (sent("a", 0, 1), arrived("a", 2))

FINE: dict[str, tuple[Event, ...]] = {
    "nothing": (),
    "one message": ONE,
    "it arrives before its sender is answered": (arrived("a", 0.5), sent("a", 0, 1)),
    "refused and never arrived": (sent("a", 0, 1, status=503),),
    "refused and arrived": (sent("a", 0, 1, status=503), arrived("a", 2)),
    "not answered and arrived": (sent("a", 0, 1, status=None), arrived("a", 2)),
    "sent again until it was taken": (sent("a", 0, 1, status=None), sent("a", 1, 2), ONE[1]),
    "turned away, then taken": (
        ONE[0],
        TurnedAway(direction=TO_AMOJO, id="a", status=500, at=1),
        ONE[1],
    ),
    "both under way at once, in any order": (
        sent("a", 0, 3),
        sent("b", 1, 2),
        arrived("b", 4),
        arrived("a", 5),
    ),
    "a later one overtakes what was never accepted": (
        sent("a", 0, 1, status=None),
        sent("b", 1, 2),
        arrived("b", 3),
        arrived("a", 4),
    ),
    "other conversations are not waited for": (
        sent("a", 0, 1),
        sent("b", 2, 3, conversation="d"),
        arrived("b", 4, conversation="d"),
        arrived("a", 5),
    ),
    "nor is the other direction": (
        sent("a", 0, 1),
        sent("b", 2, 3, direction=TO_MESSENGER),
        arrived("b", 4, direction=TO_MESSENGER),
        arrived("a", 5),
    ),
    "a repeat of what was under way when the server was killed": (
        *ONE,
        fault("kill", 3, 4),
        arrived("a", 5),
    ),
    "arrived while the killed server was already down": (
        sent("a", 0, 1),
        fault("kill", 1.5, 3),
        arrived("a", 2),
        arrived("a", 5),
    ),
    "a repeat during a long pause, from the node that took over": (
        *ONE,
        fault("long_pause", 2.5, 9),
        arrived("a", 6),
    ),
    "killed long after, while the disk was full": (
        *ONE,
        fault("full_disk", 5, 20),
        fault("kill", 15, 16),
        arrived("a", 17),
    ),
    "the order of first arrivals counts, not that of repeats": (
        *ONE,
        sent("b", 3, 4),
        arrived("b", 5),
        fault("kill", 6, 7),
        arrived("a", 8),
    ),
}


@pytest.mark.parametrize("events", FINE.values(), ids=FINE)
def test_nothing_is_wrong(events: tuple[Event, ...]) -> None:
    assert kinds(*events) == []


WRONG: dict[str, tuple[str, tuple[Event, ...]]] = {
    "accepted and never arrived": ("lost", (sent("a", 0, 1),)),
    "accepted at the second try": ("lost", (sent("a", 0, 1, status=None), sent("a", 1, 2))),
    "given up is lost as well": (
        "lost",
        (sent("a", 0, 1), GivenUp(direction=TO_AMOJO, id="a", code="rejected", detail="no")),
    ),
    "twice for no reason": ("repeat", (*ONE, arrived("a", 3))),
    "twice, and the kill was over before": (
        "repeat",
        (fault("kill", 0, 1), *ONE, arrived("a", 3)),
    ),
    "twice, and the kill came after": ("repeat", (*ONE, arrived("a", 3), fault("kill", 4, 5))),
    "twice around an orderly end": ("repeat", (*ONE, fault("terminate", 3, 4), arrived("a", 5))),
    "again after the wake-up of a node that was replaced": (
        "repeat",
        (sent("a", 0, 1), fault("long_pause", 1, 9), arrived("a", 5), arrived("a", 9.5)),
    ),
    "killed long after it must have been recorded": (
        "repeat",
        (*ONE, fault("kill", 15, 16), arrived("a", 17)),
    ),
    "more than was under way": (
        "repeat",
        (
            *(sent(n, 0, 1, conversation=n) for n in "abc"),
            *(arrived(n, 2, conversation=n) for n in "abc"),
            fault("kill", 3, 4),
            *(arrived(n, 5, conversation=n) for n in "abc"),
        ),
    ),
    "a repeat under another id": (
        "renamed",
        (*ONE, fault("kill", 3, 4), arrived("a", 5, delivery_id="z")),
    ),
    "overtaken": (
        "inversion",
        (sent("a", 0, 1), sent("b", 1, 2), arrived("b", 3), arrived("a", 4)),
    ),
    "overtaken by one that was never answered": (
        "inversion",
        (sent("a", 0, 1), sent("b", 1, 2, status=None), arrived("b", 3), arrived("a", 4)),
    ),
    "overtaken by the last of four": (
        "inversion",
        (
            *(sent(name, at, at + 1) for at, name in enumerate("abcd")),
            *(arrived(name, at) for at, name in enumerate("abdc", 10)),
        ),
    ),
    "nobody sent it": ("phantom", (*ONE, arrived("z", 3))),
    "other words": ("phantom", (sent("a", 0, 1), arrived("a", 2, text="b"))),
    "another conversation": ("phantom", (sent("a", 0, 1), arrived("a", 2, conversation="d"))),
    "the other direction": ("phantom", (sent("a", 0, 1), arrived("a", 2, direction=TO_MESSENGER))),
    "a traceback": ("broken", (*ONE, Broken(node=0, words="Traceback", at=3))),
    "an answer 500": ("broken", (sent("a", 0, 1, status=500),)),
}


@pytest.mark.parametrize(("kind", "events"), WRONG.values(), ids=WRONG)
def test_a_violation_is_seen(kind: str, events: tuple[Event, ...]) -> None:
    assert set(kinds(*events)) == {kind}


def test_a_lost_message_comes_with_its_reason() -> None:
    given_up = GivenUp(direction=TO_AMOJO, id="a", code="rejected", detail="HTTP 422")
    (violation,) = check([sent("a", 0, 1), given_up], LIMITS).violations
    assert "given up, rejected: HTTP 422" in violation.words


def test_each_fault_explains_repeats_of_its_own() -> None:
    events = (
        *ONE,
        fault("kill", 3, 4),
        arrived("a", 5),
        fault("kill", 6, 7),
        arrived("a", 8),
    )
    verdict = check(events, Limits(at_once=1, batch=0))
    assert verdict.violations == ()
    assert [count for _, count in verdict.repeats_by_fault] == [1, 1]
    assert verdict.most_repeats_per("kill") == 1


def test_lost_answers_may_repeat_a_message_in_each_round() -> None:
    events = (*ONE, fault("cut_answer", 1.5, 3.5), arrived("a", 3), arrived("a", 4))
    assert kinds(*events) == []
    assert kinds(*events, arrived("a", 5)) == ["repeat"], "its answer came after the end"


def test_what_was_delivered_and_not_recorded_may_be_repeated_as_well() -> None:
    names = [f"m{number}" for number in range(5)]
    events: list[Event] = [sent(name, 0, 1, conversation=name) for name in names]
    events += [arrived(name, 2, conversation=name) for name in names]
    events += [fault("kill", 3, 4), *(arrived(name, 5, conversation=name) for name in names)]
    assert kinds(*events, limits=Limits(at_once=2, batch=3)) == []
    assert kinds(*events, limits=Limits(at_once=2, batch=2)) == ["repeat"]


@pytest.mark.parametrize(("nodes", "wanted"), [(1, ["repeat"]), (2, [])])
def test_a_node_without_its_database_is_taken_over_only_where_there_is_another(
    nodes: int, wanted: list[str]
) -> None:
    events = (*ONE, fault("database_cut", 3, 4), arrived("a", 5))
    assert kinds(*events, limits=Limits(at_once=2, batch=0, nodes=nodes)) == wanted


def test_recovery_is_told_from_the_end_of_the_fault() -> None:
    events = (sent("a", 0, 1), fault("refuse", 0.5, 2), sent("b", 3, 4, conversation="d"))
    arrivals = (arrived("a", 3.5), arrived("b", 60, conversation="d"))
    assert check([*events, *arrivals], LIMITS).slowest_recovery == 1.5


def test_every_kind_of_event_is_read_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "run.ndjson"
    events = [
        *ONE,
        TurnedAway(direction=TO_AMOJO, id="a", status=500, at=1),
        *(fault(kind, 1, 2) for kind in ALLOWANCES),
        GivenUp(direction=TO_MESSENGER, id="b", code="rejected", detail="нет"),
        Broken(node=1, words="ended", at=3),
    ]
    with path.open("w", encoding="utf-8") as file:
        file.write('{"event": "run", "seed": 1}\n')
        history = History(file)
        for event in events:
            history.add(event)
    assert list(read(path)) == events
