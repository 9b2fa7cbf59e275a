"""A contestant that is running, with the far side it delivers to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import uuid4

from bench.load import Target
from bench.places import RUNS
from bench.processes import ALL_CPUS, LOAD_CPUS, SERVER_CPUS, Process
from bench.sink import Sink

CHANNEL: Final = "f90ba33d-c9d9-44da-b76c-c349b0ecbe41"
ACCOUNT: Final = "52e591f7-c98f-4255-8495-827210138c81"
SCOPE: Final = f"{CHANNEL}_{ACCOUNT}"


@dataclass(frozen=True, kw_only=True)
class Tenant:
    """Who uses a server: an account of amoCRM, with a channel of its own."""

    code: str
    channel: str
    account: str


TENANT: Final = Tenant(code="amo.ext.bench", channel=CHANNEL, account=ACCOUNT)
NEIGHBOUR: Final = Tenant(
    code="amo.ext.neighbour",
    channel="0c5a2d8e-7b0f-4f5e-9f0b-2b1f6d0e7a91",
    account="b7c1f7a4-52f6-4c0e-8c43-6c3d8a1f9e55",
)
"""Another one on the same server."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The secrets of a run. They open nothing outside of it."""

    channel: str = field(default_factory=lambda: uuid4().hex)
    """Signs between amoCRM and the bridge."""
    api: str = field(default_factory=lambda: uuid4().hex)
    """Opens the messenger API."""
    admin: str = field(default_factory=lambda: uuid4().hex)
    """Opens the management API of chatbridge."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a contestant is to run."""

    name: str
    folder: Path
    """Its own: databases, logs."""
    sink: Sink
    keys: Keys
    peer: bool
    """Whether it is not ours: its failures are told, and the others go on."""
    outbound: bool
    """Whether it is measured from amoCRM to the messenger; otherwise from the messenger to amoCRM."""
    server_cpus: frozenset[int]
    load_cpus: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Running:
    """What is measured: all processes of a contestant, its database included."""

    processes: list[Process]
    target: Target
    place: Place

    def cpu_seconds(self) -> float:
        """Return the processor time used so far."""
        return sum(process.cpu_seconds() for process in self.processes)

    def pss_mb(self) -> float:
        """Return the memory in use."""
        return sum(process.pss_mb() for process in self.processes)


@contextmanager
def place_for(
    name: str, *, outbound: bool = False, peer: bool = False, all_cpus: bool = False
) -> Iterator[Place]:
    """Make a place with a far side of its own.

    `all_cpus` lets server and load share all CPUs; otherwise each has one.
    """
    server_cpus, load_cpus = (ALL_CPUS, ALL_CPUS) if all_cpus else (SERVER_CPUS, LOAD_CPUS)
    folder = RUNS / f"{name}-{uuid4().hex[:8]}"
    folder.mkdir(parents=True)
    with Sink(cpus=load_cpus) as sink:
        yield Place(
            name=name,
            folder=folder,
            sink=sink,
            keys=Keys(),
            outbound=outbound,
            peer=peer,
            server_cpus=server_cpus,
            load_cpus=load_cpus,
        )
