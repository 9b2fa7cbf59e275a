"""Webhooks that fail are known to all nodes and over restarts; what fails for a day is paused. A webhook that works costs no write."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatbridge.bridge.webhooks import Webhooks
from chatbridge.errors import (
    DeliveryError,
    EndpointPaused,
    FarSideDown,
    Misconfigured,
    NotSent,
    OutcomeUnknown,
    Rejected,
    StoreUnavailable,
    Throttled,
)
from chatbridge.model import Messenger
from chatbridge.observability.metrics import Metrics
from chatbridge.store import directory, webhooks
from chatbridge.store.engine import Store
from chatbridge.store.sealing import Sealer
from tests.factories import make_messenger
from tests.fakes import FakeClock

MINUTE, HOUR = 60.0, 3600.0
DOWN = FarSideDown("HTTP 500")


@dataclass
class CountingStore:
    """Passes units on to a real store, counts them, and can be away."""

    store: Store
    done: Counter[Any] = field(default_factory=Counter)
    away: bool = False

    async def write(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        if self.away:
            raise StoreUnavailable("it is away")
        self.done[unit] += 1
        return await self.store.write(unit, *args, **kwargs)

    async def read(self, unit: Any, *args: Any, **kwargs: Any) -> Any:
        return await self.store.read(unit, *args, **kwargs)


class Node:
    """What one node knows of webhooks; `told` when it has written what it saw and heard of the others."""

    def __init__(self, store: Store, clock: FakeClock) -> None:
        self.store, self.clock, self.metrics = CountingStore(store), clock, Metrics()
        self.webhooks = Webhooks(
            store=self.store,  # type: ignore[arg-type]  # as much of it as is needed
            clock=clock,
            metrics=self.metrics,
            pause_after_hours=24,
        )

    async def told(self) -> "Node":
        self.webhooks.hear()
        await self.webhooks.stop()
        return self

    async def fails(
        self, messenger: Messenger, *, every: float, seconds: float, error: DeliveryError = DOWN
    ) -> None:
        """Let attempts fail for so long."""
        end = self.clock.now() + seconds * 1_000_000
        while self.clock.now() <= end:
            self.webhooks.failed(messenger, error)
            await self.told()
            self.clock.advance(every)

    def state(self, messenger: Messenger) -> str:
        failing = self.webhooks.state_of(messenger)
        if failing is None:
            return "ok"
        return "failing" if failing.paused_at is None else "paused"


@pytest.fixture
async def messenger(store: Store) -> Messenger:
    made = make_messenger(webhook_url="https://backend.example/")
    await store.write(directory.add_messenger, made, Sealer(["a passphrase of the tests"]))
    return made


@pytest.fixture
def node(store: Store, clock: FakeClock) -> Node:
    return Node(store, clock)


async def test_what_works_is_not_written(node: Node, messenger: Messenger) -> None:
    for _ in range(100):
        node.webhooks.check(messenger)
        node.webhooks.answered(messenger)
    await node.told()
    assert node.store.done == Counter()


async def test_the_first_failure_and_the_first_success_are_written(
    node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    begun = clock.now()
    for _ in range(10):
        node.webhooks.failed(messenger, DOWN)
        await node.told()
        clock.advance(5)
    known = node.webhooks.state_of(messenger)
    assert known == webhooks.FailingWebhook(messenger.id, begun, "far_side_down")
    assert node.store.done[webhooks.note] == 1
    for _ in range(10):
        node.webhooks.answered(messenger)
        await node.told()
    assert node.state(messenger) == "ok"
    assert await node.store.read(webhooks.list_failing) == []
    assert node.store.done[webhooks.note] == 2


async def test_the_last_reason_is_known(node: Node, messenger: Messenger) -> None:
    for error in (DOWN, NotSent("nobody listens"), OutcomeUnknown("silence"), Throttled("wait")):
        node.webhooks.failed(messenger, error)
        await node.told()
        (row,) = await node.store.read(webhooks.list_failing)
        assert row.code == error.code


async def test_a_restart_changes_nothing(
    store: Store, node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    node.webhooks.failed(messenger, DOWN)
    await node.told()
    clock.advance(HOUR)
    again = Node(store, clock)
    await again.webhooks.catch_up()
    assert again.webhooks.state_of(messenger) == node.webhooks.state_of(messenger)


async def test_a_day_of_failures_pauses_it_for_all_nodes_and_for_good(
    store: Store, node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    await node.fails(messenger, every=10 * MINUTE, seconds=24 * HOUR - 1)
    assert node.state(messenger) == "failing"
    node.webhooks.check(messenger)
    await node.fails(messenger, every=1, seconds=1)
    assert node.state(messenger) == "paused"
    other = await Node(store, clock).told()
    clock.advance(1000 * HOUR)
    for each in (node, other):
        with pytest.raises(EndpointPaused, match="far_side_down"):
            each.webhooks.check(messenger)
    assert node.metrics.registry.get_sample_value("chatbridge_webhooks_paused_total") == 1


async def test_one_success_begins_the_day_anew(
    node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    await node.fails(messenger, every=10 * MINUTE, seconds=23 * HOUR)
    node.webhooks.answered(messenger)
    node.webhooks.failed(messenger, DOWN)
    await node.told()
    (row,) = await node.store.read(webhooks.list_failing)
    assert row.since == clock.now()
    await node.fails(messenger, every=10 * MINUTE, seconds=23 * HOUR)
    assert node.state(messenger) == "failing"


async def test_a_success_on_another_node_counts(
    store: Store, node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    """Even if this one has not heard of it when the day is over: the database decides."""
    other = Node(store, clock)
    await node.fails(messenger, every=10 * MINUTE, seconds=23 * HOUR)
    await other.told()
    other.webhooks.answered(messenger)
    await other.told()
    for _ in range(12):
        clock.advance(10 * MINUTE)
        node.webhooks.failed(messenger, DOWN)
        await node.webhooks.stop()  # written, and nothing heard
        await other.told()
    assert other.state(messenger) == "failing"
    (row,) = await store.read(webhooks.list_failing)
    assert clock.now() - row.since <= 2 * HOUR * 1_000_000
    assert row.paused_at is None


async def test_a_webhook_that_was_down_yesterday_is_not_paused_for_one_failure(
    node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    await node.fails(messenger, every=MINUTE, seconds=HOUR)
    clock.advance(30 * HOUR)
    await node.fails(messenger, every=MINUTE, seconds=14 * MINUTE)
    assert node.state(messenger) == "failing"
    await node.fails(messenger, every=MINUTE, seconds=2 * MINUTE)
    assert node.state(messenger) == "paused"


@pytest.mark.parametrize("error", [Rejected("HTTP 422"), Rejected("HTTP 410", reason="other")])
async def test_who_refuses_a_message_works(
    node: Node, messenger: Messenger, error: DeliveryError
) -> None:
    node.webhooks.failed(messenger, error)
    assert node.state(messenger) == "ok"
    node.webhooks.failed(messenger, DOWN)
    await node.told()
    node.webhooks.failed(messenger, error)
    await node.told()
    assert await node.store.read(webhooks.list_failing) == []


async def test_who_is_gone_is_paused_at_once(node: Node, messenger: Messenger) -> None:
    node.webhooks.failed(messenger, EndpointPaused("HTTP 410"))
    await node.told()
    assert node.state(messenger) == "paused"


async def test_a_resumed_webhook_begins_anew_on_all_nodes(
    store: Store, node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    node.webhooks.failed(messenger, EndpointPaused("HTTP 410"))
    await node.told()
    other = await Node(store, clock).told()
    assert other.state(messenger) == "paused"
    await node.webhooks.resume(messenger)
    await other.told()
    for each in (node, other):
        each.webhooks.check(messenger)
        assert each.state(messenger) == "ok"


async def test_an_attempt_that_was_under_way_and_arrived_ends_the_pause(
    node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    node.webhooks.failed(messenger, EndpointPaused("HTTP 410"))
    await node.told()
    clock.advance(1)
    node.webhooks.answered(messenger)
    await node.told()
    assert await node.store.read(webhooks.list_failing) == []


async def test_what_fails_and_works_in_turns_is_written_once_a_second(
    node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    await node.webhooks.start()
    for _ in range(500):
        node.webhooks.failed(messenger, DOWN)
        node.webhooks.answered(messenger)
    node.webhooks.failed(messenger, DOWN)
    await clock.somebody_sleeps()
    for _ in range(500):
        node.webhooks.answered(messenger)
        node.webhooks.failed(messenger, DOWN)
    node.webhooks.answered(messenger)
    clock.advance(1)
    await clock.somebody_sleeps()
    assert node.store.done[webhooks.note] == 2
    assert await node.store.read(webhooks.list_failing) == []
    await node.webhooks.stop()


async def test_what_cannot_be_written_now_is_written_later(
    node: Node, messenger: Messenger, clock: FakeClock
) -> None:
    begun = clock.now()
    await node.webhooks.start()
    node.store.away = True
    node.webhooks.failed(messenger, DOWN)
    await clock.somebody_sleeps()
    assert node.state(messenger) == "failing"
    node.store.away = False
    clock.advance(1)
    await clock.somebody_sleeps()
    (row,) = await node.store.read(webhooks.list_failing)
    assert row.since == begun
    await node.webhooks.stop()


async def test_who_has_no_webhook_cannot_fail(node: Node) -> None:
    node.webhooks.failed(make_messenger(), Misconfigured("no webhook_url"))
    await node.told()
    assert node.store.done == Counter()
