"""What goes wrong at the messenger, on the way, and with this server."""

from chatbridge.testing.far_side import RETRY_AFTER, Failure, Sent
from chatbridge.testing.needs import needs
from chatbridge.testing.shop import ANNA, BORIS, Shop

_SLACK = 0.5
"""Seconds that the server's retries may be early, as they are spread; without `retry_after` one comes after 1.2 at most."""


class FailuresAndCrashes:
    """Tests of what must not be lost, doubled or overtaken, whatever happens."""

    @needs(Failure.REFUSES)
    async def test_what_the_messenger_refuses_is_shown_to_the_operator(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        shop.far_side.fail_next(Failure.REFUSES)
        row = await shop.operator_says(sent, "You will not see this")
        await shop.operator_says(sent, "But this")
        await shop.reached(ANNA, "But this")
        assert shop.texts(ANNA) == ["But this"]
        await shop.failed(row["chat_id"], row["id"])
        parked = (await shop.server.call("GET", f"/v1/parked?scope_id={shop.scope_id}")).body
        assert [one["code"] for one in parked["items"]] == ["rejected"], (
            "a refusal that is for ever is raised as errors.Rejected, with its reason"
        )

    @needs(Failure.THROTTLES)
    async def test_a_messenger_that_asks_to_wait_is_obeyed(self, shop: Shop) -> None:
        anna, boris = await shop.greeted_by(ANNA), await shop.greeted_by(BORIS)
        shop.far_side.fail_next(Failure.THROTTLES)
        row = await shop.operator_says(anna, "Anna 0")
        await shop.stepped(row["id"], "retry")  # before, Boris's may be on its way already
        await shop.operator_says(boris, "Boris 0")
        for number in (1, 2):
            await shop.operator_says(anna, f"Anna {number}")
            await shop.operator_says(boris, f"Boris {number}")
        for client, name in ((ANNA, "Anna"), (BORIS, "Boris")):
            await shop.seen(client, 3)
            assert shop.texts(client) == [f"{name} {number}" for number in range(3)], (
                "nothing overtakes what waits"
            )
        first, second, *_ = shop.far_side.tries
        assert second - first >= RETRY_AFTER - _SLACK, (
            f"the messenger asked to wait {RETRY_AFTER} s and was called after {second - first:.2f} s:"
            " raise errors.Throttled with retry_after"
        )

    @needs(Failure.IS_DOWN)
    async def test_what_a_broken_messenger_did_not_take_is_sent_again(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        shop.far_side.fail_next(Failure.IS_DOWN)
        await self._said_once_in_order(shop, sent)

    @needs(Failure.UNREACHABLE)
    async def test_what_an_unreachable_messenger_misses_is_sent_again(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        await shop.far_side.go_away()
        row = await shop.operator_says(sent, "first")
        await shop.stepped(row["id"], "retry")
        await shop.far_side.come_back()
        await shop.operator_says(sent, "second")
        await shop.seen(ANNA, 2)
        assert shop.texts(ANNA) == ["first", "second"]

    @needs(Failure.HANGS)
    async def test_a_lost_answer_repeats_a_message_once_at_most(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        shop.far_side.fail_next(Failure.HANGS)
        await shop.operator_says(sent, "first")
        await shop.operator_says(sent, "second")
        await shop.reached(ANNA, "first")
        shop.far_side.let_go()
        await shop.reached(ANNA, "second")
        self._check_repeats(shop, ["first", "second"])

    @needs(Failure.HANGS)
    async def test_a_crash_between_sending_and_recording(self, shop: Shop) -> None:
        """The messenger has it, the server dies before it knows."""
        sent = await shop.greeted_by(ANNA)
        shop.far_side.fail_next(Failure.HANGS)
        for text in ("first", "second", "third"):
            await shop.operator_says(sent, text)
        await shop.reached(ANNA, "first")
        await shop.server.kill()
        shop.far_side.let_go()
        await shop.server.start()
        await shop.reached(ANNA, "third")
        self._check_repeats(shop, ["first", "second", "third"])

    async def test_what_was_taken_survives_a_crash(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        await shop.server.kill()
        await shop.server.start()
        await shop.operator_says(sent, "Still here")
        await shop.reached(ANNA, "Still here")
        await shop.arrived(await shop.client_says(ANNA, "Me too"))

    @needs("keeps")
    async def test_what_clients_write_while_the_server_dies_and_is_away(self, shop: Shop) -> None:
        first = await shop.greeted_by(ANNA)
        said = await shop.said_by_clients(first)
        for number in range(12):
            said.append(f"message {number}")
            last = await shop.client_says(ANNA, said[-1])
            if number == 5:
                await shop.server.kill()
        await shop.server.start()
        await shop.arrived(last)
        assert await shop.said_by_clients(first) == said, (
            "tell the messenger that you have something only after `inbound` returned"
        )

    @needs("keeps")
    async def test_a_database_that_takes_nothing(self, shop: Shop) -> None:
        """The messenger is not told that a message was taken which is on no disk: the server dies with it."""
        first = await shop.greeted_by(ANNA)
        with shop.server.database_taken():
            last = await shop.client_says(ANNA, "Is anybody there?")
            # It is answered when the server has given up waiting, so the client's message has come by then.
            await shop.operator_says(first, "One moment")
            await shop.server.kill()
        await shop.server.start()
        await shop.reached(ANNA, "One moment")
        row = await shop.arrived(last)
        assert row["text"] == "Is anybody there?", (
            "tell the messenger that you have something only after `inbound` returned"
        )

    async def _said_once_in_order(self, shop: Shop, sent: Sent) -> None:
        for text in ("first", "second"):
            await shop.operator_says(sent, text)
        await shop.seen(ANNA, 2)
        assert shop.texts(ANNA) == ["first", "second"]

    def _check_repeats(self, shop: Shop, wanted: list[str]) -> None:
        seen = shop.texts(ANNA)
        assert list(dict.fromkeys(seen)) == wanted, f"they are in order: {seen}"
        at_most = 1 if shop.far_side.can.knows_repeats else 2
        assert seen.count("first") <= at_most, (
            f"sent {seen.count('first')} times. If the messenger knows repeats by an id, give it Delivery.id"
        )
        assert len(seen) - seen.count("first") == len(wanted) - 1, f"the others came once: {seen}"
