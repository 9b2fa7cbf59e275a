"""The Bot API on loopback: a real server, with bots, people who write to them, and failures as a test scripts them.

It is written from the documentation of the Bot API and shares nothing with aiogram, whose models read every answer and every
update of it in `test_bot_api.py`.
"""

import asyncio
import itertools
import random
import time
from collections import defaultdict, deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

import aiohttp
from aiohttp import web

from chatbridge.testing.processes import free_port
from tests.telegram import values
from tests.telegram.bot_state import BotState, Webhook, chat_of
from tests.telegram.methods import METHODS, Method, Parameters, Refused
from tests.telegram.values import Json

_AGAIN = 0.05
"""Seconds after which an update is told again that was not taken. Telegram waits longer, and longer each time."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What becomes of one call instead of its answer."""

    code: int = 0
    """The call is refused, with this."""
    description: str = ""
    retry_after: int | None = None
    carried_out: bool = False
    """It is carried out, and the connection cut before the answer. If there is neither a code, it is cut at once."""
    after: asyncio.Event | None = None
    """It is not looked at before this is set; what is carried out is not cut before."""


class BotApi:
    """Telegram."""

    def __init__(self, failing: Callable[[str], Failure | None] = lambda _: None) -> None:
        """Let a call of a method fail as `failing` says, if `failures` has nothing for it."""
        self._failing = failing
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self.bots: dict[str, BotState] = {}
        self.failures: defaultdict[str, deque[Failure]] = defaultdict(deque)
        """By method, each for one call."""
        # A server that outlives a test must not meet its bots again.
        self._numbers = itertools.count(random.SystemRandom().randrange(10**9, 10**10))

    async def __aenter__(self) -> Self:
        await self.listen()
        self._http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        self._pushers: list[asyncio.Task[None]] = []
        return self

    async def listen(self) -> None:
        """Listen, after `stop` again at the same address."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/bot{token}/{method}", self._call)
        app.router.add_get("/file/bot{token}/{path:.*}", self._file)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()

    async def stop(self) -> None:
        """Listen no more."""
        await self._runner.cleanup()

    async def __aexit__(self, *_: object) -> None:
        for pusher in self._pushers:
            pusher.cancel()
        await asyncio.gather(*self._pushers, return_exceptions=True)
        await self._http.close()
        await self._runner.cleanup()

    def add_bot(self, username: str = "shop_bot") -> BotState:
        """Make a bot, as @BotFather does."""
        number = next(self._numbers)
        me = values.user(number, "Shop", username=username, is_bot=True)
        bot = BotState(token=f"{number}:AAH{'x' * 25}{number}", me=me, now=lambda: int(time.time()))
        self.bots[bot.token] = bot
        self._pushers.append(asyncio.create_task(self._push(bot)))
        return bot

    async def _call(self, request: web.Request) -> web.StreamResponse:
        bot, method = self.bots.get(request.match_info["token"]), request.match_info["method"]
        asked = await _parameters(request)
        if bot is None:
            return _refusal(Refused(401, "Unauthorized"))
        await bot.note(bot.calls, method)
        try:
            script = self.failures[method]
            failure = script.popleft() if script else self._failing(method)
            if failure is not None and not failure.carried_out:
                await _fail(failure)
            result = await _METHODS.get(method, _unknown)(bot, asked)
            if failure is not None and failure.carried_out:
                await _fail(failure)
        except Refused as refused:
            return _refusal(refused)
        except ConnectionAbortedError:
            return _cut(request)
        return web.json_response({"ok": True, "result": result})

    async def _file(self, request: web.Request) -> web.StreamResponse:
        bot = self.bots.get(request.match_info["token"])
        kept = bot.files.values() if bot else ()
        found = next((each for each in kept if each.path == request.match_info["path"]), None)
        if found is None or found.content is None:
            return _refusal(Refused(404, "Not Found"))
        return web.Response(body=found.content, content_type="application/octet-stream")

    async def _push(self, bot: BotState) -> None:
        """Tell updates to the webhook: those of a chat one after another, each until it is taken."""
        telling: dict[int, asyncio.Task[None]] = {}
        try:
            while True:
                async with bot.changed:
                    await bot.changed.wait_for(lambda: bot.webhook and self._untold(bot, telling))
                    for update in self._untold(bot, telling):
                        telling[chat_of(update)] = asyncio.create_task(self._tell(bot, update))
        finally:
            for task in telling.values():
                task.cancel()
            await asyncio.gather(*telling.values(), return_exceptions=True)

    def _untold(self, bot: BotState, telling: dict[int, asyncio.Task[None]]) -> list[Json]:
        """The first update of each chat of which none is being told."""
        first: dict[int, Json] = {}
        for update in bot.updates:
            first.setdefault(chat_of(update), update)
        return [
            update for chat, update in first.items() if chat not in telling or telling[chat].done()
        ]

    async def _tell(self, bot: BotState, update: Json) -> None:
        while update in bot.updates:
            if bot.webhook is not None and await self._taken(bot.webhook, update, bot.now()):
                await bot.confirm(update["update_id"])
            else:
                await asyncio.sleep(_AGAIN)

    async def _taken(self, hook: Webhook, update: Json, now: int) -> bool:
        secret = (
            {}
            if hook.secret_token is None
            else {"X-Telegram-Bot-Api-Secret-Token": hook.secret_token}
        )
        trouble = "Connection refused"
        with suppress(aiohttp.ClientError, TimeoutError):
            async with self._http.post(hook.url, json=update, headers=secret) as answer:
                if 200 <= answer.status < 300:
                    return True
                trouble = f"Wrong response from the webhook: {answer.status} {answer.reason}"
        hook.last_error_date, hook.last_error_message = now, trouble
        return False


async def _fail(failure: Failure) -> None:
    if failure.after is not None:
        await failure.after.wait()
    if failure.code:
        more = {} if failure.retry_after is None else {"retry_after": failure.retry_after}
        raise Refused(failure.code, failure.description, **more)
    if failure.carried_out or failure.after is None:
        raise ConnectionAbortedError


async def _get_updates(bot: BotState, asked: Parameters) -> list[Json]:
    """Confirm what lies before the offset, then wait until there is something, or somebody else asks."""
    if bot.webhook is not None:
        raise Refused(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
        )
    if bot.poller is not None:
        bot.poller.set()
    mine = bot.poller = asyncio.Event()
    wanted = asked.value("allowed_updates")
    if wanted is not None:
        bot.allowed_updates = frozenset(wanted)
    offset = asked.number("offset")
    await bot.confirm(*(each["update_id"] for each in bot.updates if each["update_id"] < offset))
    with suppress(TimeoutError):
        async with asyncio.timeout(asked.number("timeout")), bot.changed:
            await bot.changed.wait_for(lambda: bot.updates or mine.is_set() or bot.webhook)
    if mine.is_set() or bot.webhook is not None:
        raise Refused(
            409,
            "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
        )
    bot.poller = None
    return bot.updates[: asked.number("limit", 100)]


async def _unknown(_: BotState, __: Parameters) -> None:
    raise Refused(404, "Not Found")


_METHODS: dict[str, Method] = METHODS | {"getUpdates": _get_updates}


async def _parameters(request: web.Request) -> Parameters:
    texts: dict[str, Any] = dict(request.query)
    files: dict[str, tuple[str, bytes]] = {}
    if request.content_type == "application/json":
        return Parameters(texts | await request.json(), files)
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            with value.file as file:
                files[name] = value.filename, file.read()
        else:
            texts[name] = value
    return Parameters(texts, files)


def _refusal(refused: Refused) -> web.Response:
    said = {"ok": False, "error_code": refused.code, "description": refused.description}
    if refused.parameters:
        said["parameters"] = refused.parameters
    return web.json_response(said, status=refused.code)


def _cut(request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()
