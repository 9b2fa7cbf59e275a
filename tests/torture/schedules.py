"""What happens in a run, and when: generated, and the same again for the same seed."""

from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

_EVERYWHERE = (
    "kill",
    "kill_at_start",
    "terminate",
    "pause",
    "refuse",
    "hang",
    "cut_answer",
    "cut_request",
    "delay",
    "answer_500",
    "answer_429",
    "clock_step",
)
_BY_DATABASE = {
    "sqlite": ("slow_disk", "full_disk"),
    "postgresql": ("database_crash", "database_cut", "database_lost_commit", "database_hang"),
}
_LONGEST = 20
"""Tenths of a second that a fault takes at most; one that must outlive a lease adds that."""
_AMOUNTS = {
    "clock_step": st.sampled_from((-3600, 3600)),
    "slow_disk": st.integers(5, 300),
    "delay": st.integers(5, 3000),
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One fault. `faults` says what it does; each kind uses of these what it needs."""

    kind: str
    node: int = 0
    """Which server, if there are several."""
    side: str = "to_amojo"
    """Which direction of the network or which far side, by its direction."""
    seconds: float = 1.0
    amount: int = 0
    """Bytes before a cut, milliseconds of a slow disk or network, or seconds of a wrong clock."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """Faults that strike together after so many more messages were taken, and an instant more."""

    after: int
    instant: float
    faults: tuple[Fault, ...]


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run happens."""

    database: str
    """`sqlite` or `postgresql`."""
    nodes: int = 1
    """Servers on this database. More than one need PostgreSQL."""
    lease: float = 15.0
    """Seconds after which another node takes over what a silent one had; a `long_pause` and a `long_silence` are longer."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of faults that there are here."""
        more = ("long_pause", "long_silence") if self.nodes > 1 else ()
        return _EVERYWHERE + _BY_DATABASE[self.database] + more


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """A run: where, and what happens."""

    place: Place
    steps: tuple[Step, ...]

    @property
    def kinds(self) -> set[str]:
        """The kinds of faults in it."""
        return {fault.kind for step in self.steps for fault in step.faults}


def generate(name: str, place: Place, *, steps: int, kinds: tuple[str, ...] = ()) -> Schedule:
    """Return the schedule of this name: so many steps, of some kinds of faults or of all that there are.

    The same arguments give the same schedule, as long as Hypothesis' version stays.
    """
    found: list[Schedule] = []

    @seeded(name)
    @settings(
        max_examples=2,  # Hypothesis begins with the plainest one there is
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(_schedules(place, kinds or place.kinds, steps))
    def collect(schedule: Schedule) -> None:
        found.append(schedule)

    collect()
    return found[-1]


def _schedules(place: Place, kinds: tuple[str, ...], steps: int) -> st.SearchStrategy[Schedule]:
    fault = st.sampled_from(kinds).flatmap(lambda kind: _fault(kind, place.nodes))
    one, two = st.tuples(fault), st.tuples(fault, fault)
    step = st.builds(
        Step,
        after=st.integers(5, 60),
        instant=st.integers(0, 50).map(lambda thousandths: thousandths / 1000),
        faults=one if len(kinds) == 1 else st.one_of(one, two),
    )
    several = st.lists(step, min_size=steps, max_size=steps).map(tuple)
    return st.builds(Schedule, place=st.just(place), steps=several)


def _fault(kind: str, nodes: int) -> st.SearchStrategy[Fault]:
    return st.builds(
        Fault,
        kind=st.just(kind),
        node=st.integers(0, nodes - 1),
        side=st.sampled_from(("to_amojo", "to_messenger")),
        seconds=st.integers(1, _LONGEST).map(lambda tenths: tenths / 10),
        amount=_AMOUNTS.get(kind, st.integers(0, 400)),
    )
