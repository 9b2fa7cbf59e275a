"""Messengers are set up and changed; servers start and stop; nothing private is left in a log."""

import asyncio
import gc
import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from chatbridge import app, config
from chatbridge.testing.crm import Crm
from chatbridge.testing.far_side import Failure, FarSide
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

    async def test_a_stopped_server_leaves_nothing_behind(
        self,
        crm: Crm,
        lone_far_side: FarSide,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The server in this process: after it has served and stopped, no task and no socket is there that was not before."""
        server = Server(tmp_path)
        for name, value in server.settings.items():
            monkeypatch.setenv(name, value)
        thresholds, before = gc.get_threshold(), _sockets()
        tasks = asyncio.all_tasks()
        ready = asyncio.Event()
        serving = asyncio.create_task(app.serve(config.load(), ready=_setting(ready)))
        try:
            await asyncio.wait(
                {serving, asyncio.create_task(ready.wait())}, return_when="FIRST_COMPLETED"
            )
            shop = Shop(server, crm, lone_far_side)
            await shop.open()
            await shop.operator_says(await shop.greeted_by(ANNA), "Hello")
            await shop.reached(ANNA, "Hello")
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)
            gc.unfreeze()
            gc.set_threshold(*thresholds)
        await lone_far_side.stop()
        await eventually(
            lambda: _only(tasks, before),
            lambda: (
                "a stopped server has ended its tasks and closed its sockets (`Connector.stop`). Left are"
                f" {asyncio.all_tasks() - tasks} and {len(_sockets() - before)} sockets"
            ),
        )

    async def test_a_server_stops_at_once_and_without_a_fault(self, shop: Shop) -> None:
        await shop.greeted_by(ANNA)
        code = await shop.server.stop()
        assert code == 0, f"the server ended with {code}. Its log:\n{shop.server.log[-3000:]}"
        await shop.server.start()
        await shop.arrived(await shop.client_says(ANNA, "Open again?"))


def _setting(event: asyncio.Event) -> Callable[[], Awaitable[None]]:
    async def ready() -> None:
        event.set()

    return ready


async def _only(tasks: set[asyncio.Task[Any]], sockets: set[int]) -> bool:
    return asyncio.all_tasks() <= tasks and _sockets() <= sockets


def _sockets() -> set[int]:
    """Return the open sockets of this process."""
    found = set()
    for name in Path("/dev/fd").iterdir():
        try:
            status = os.fstat(int(name.name))
        except OSError:
            continue  # the one that listed them
        if stat.S_ISSOCK(status.st_mode):
            found.add(status.st_ino)
    return found


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
