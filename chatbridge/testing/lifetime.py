"""Messengers are set up and changed; servers start and stop; nothing private is left in a log."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from chatbridge import config
from chatbridge.testing.far_side import Failure, FarSide
from chatbridge.testing.in_process import belongings, serving
from chatbridge.testing.processes import Server, eventually
from chatbridge.testing.shop import ANNA, Shop

OpenShop = Callable[[], Awaitable[Shop]]

_TEXT = "Zaphod-needs-his-second-head"
_REPLY = "Trillian-answers-quickly"


class Life:
    """Tests of everything around messages."""

    async def test_wrong_settings_are_refused(self, server: Server, lone_far_side: FarSide) -> None:
        good = {"name": "Shop"} | lone_far_side.draft()
        settings = good.get("settings", {}) | {"no_such_setting": 1}
        drafts = {"/settings/no_such_setting": good | {"settings": settings}}
        for member, draft in (drafts | dict(lone_far_side.wrong_drafts())).items():
            reply = await server.call("POST", "/v1/messengers", {"name": "Shop"} | draft)
            assert reply.status == 422, f"wrong {member}: the server answered {reply}"
            assert member in {fault["pointer"] for fault in reply.body["errors"]}, (
                f"wrong {member}: raise InvalidFields with this pointer in `check`, not {reply.body}"
            )

    async def test_settings_are_shown_without_secrets(self, shop: Shop) -> None:
        path = f"/v1/messengers/{shop.messenger['id']}"
        shown = (await shop.server.call("GET", path)).body
        for secret in await _secrets(shop):
            assert secret not in str(shown), "a secret setting is of type SecretStr"
        changed = await shop.server.call("PATCH", path, {"settings": shown["settings"]})
        assert changed.status == 200, f"what was shown can be sent back: {changed.body}"
        await shop.greeted_by(ANNA)

    async def test_nothing_private_reaches_the_log(self, shop: Shop) -> None:
        sent = await shop.client_says(ANNA, _TEXT)
        await shop.arrived(sent)
        for failure in sorted({Failure.REFUSES, Failure.IS_DOWN} & shop.far_side.can.failures):
            shop.far_side.fail_next(failure)
        for text in (_REPLY, f"{_REPLY} again", "The end"):
            await shop.operator_says(sent, text)
        await shop.reached(ANNA, "The end")
        private = [_TEXT, _REPLY, ANNA.phone, ANNA.name, *await _secrets(shop)]
        log = shop.server.log
        for value in private:
            lines = [line for line in log.splitlines() if value in line]
            assert not lines, f"the log must not have {value!r}: {lines[0]}"

    async def test_messengers_that_come_and_change(self, shop: Shop, open_shop: OpenShop) -> None:
        """Each has its own clients, whoever came first and whatever was changed about the other."""
        other = await open_shop()
        path = f"/v1/messengers/{shop.messenger['id']}"
        assert (await shop.server.call("PATCH", path, {"name": "Renamed"})).status == 200
        for one, name in ((shop, "first shop"), (other, "second shop")):
            sent = await one.greeted_by(ANNA)
            await one.operator_says(sent, f"This is the {name}")
        for one, name in ((shop, "first shop"), (other, "second shop")):
            await one.reached(ANNA, f"This is the {name}")
            assert one.texts(ANNA) == [f"This is the {name}"]

    async def test_a_server_stops_without_a_fault_and_leaves_nothing_behind(
        self, shop: Shop, lone_far_side: FarSide, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """First as a process, then within this one, where it can be seen what is left."""
        await shop.greeted_by(ANNA)
        code = await shop.server.stop()
        assert code == 0, f"the server ended with {code}. Its log:\n{shop.server.log[-3000:]}"

        server = Server(tmp_path)
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        before = belongings()
        async with serving(config.load()):
            here = Shop(server, shop.crm, lone_far_side)
            await here.open()
            await here.operator_says(await here.greeted_by(ANNA), "Hello")
            await here.reached(ANNA, "Hello")
        await lone_far_side.stop()

        async def nothing() -> bool:
            return not any(belongings().without(before))

        await eventually(
            nothing,
            lambda: (
                "a stopped server has ended its tasks and closed its sockets (`Connector.stop`);"
                f" left are {belongings().without(before)}"
            ),
        )


async def _secrets(shop: Shop) -> list[str]:
    """Return the values of secret settings, and the messenger's own secrets."""
    kinds = (await shop.server.call("GET", "/v1/connectors")).body["items"]
    (schema,) = (one["settings_schema"] for one in kinds if one["kind"] == shop.messenger["kind"])
    settings = shop.far_side.draft().get("settings", {})
    named = [
        str(settings[name])
        for name, about in schema.get("properties", {}).items()
        if "writeOnly" in str(about) and settings.get(name)
    ]
    return [*named, shop.messenger["api_key"], shop.messenger["webhook_secret"]]
