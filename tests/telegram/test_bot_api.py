"""The fake Bot API, judged by aiogram: every answer and every update is read by its models, and nothing is left over."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import (
    BufferedInputFile,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReactionTypeEmoji,
    ReplyParameters,
    Update,
)
from aiogram.utils.token import TokenValidationError
from pydantic import BaseModel

from tests.fakes import Answer, FarSide
from tests.telegram.bot_api import BotApi, Failure
from tests.telegram.bot_state import BotState
from tests.telegram.people import Client

EVERYTHING = ["message", "edited_message", "message_reaction", "callback_query", "my_chat_member"]


def bot_of(api: BotApi, token: str) -> Bot:
    return Bot(token, session=AiohttpSession(api=TelegramAPIServer.from_base(api.url)))


@pytest.fixture
async def bot(api: BotApi, state: BotState) -> AsyncIterator[Bot]:
    async with bot_of(api, state.token) as bot:
        yield bot


def leftovers(value: object, path: str = "") -> Iterator[str]:
    """Members that no model of aiogram knows."""
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from leftovers(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from leftovers(item, path)


def known(value: Any) -> Any:
    assert list(leftovers(value)) == []
    return value


def upload(content: bytes = b"content", name: str = "a.bin") -> BufferedInputFile:
    return BufferedInputFile(content, name)


async def test_every_method_answers_what_aiogram_reads(bot: Bot, anna: Client) -> None:
    chat, sent = anna.id, []
    known(await bot.get_me())
    sent.append(await bot.send_message(chat, "Hi"))
    sent.append(await bot.send_photo(chat, upload(), caption="c"))
    sent.append(await bot.send_document(chat, upload()))
    sent.append(await bot.send_video(chat, upload()))
    sent.append(await bot.send_animation(chat, upload()))
    sent.append(await bot.send_voice(chat, upload()))
    sent.append(await bot.send_audio(chat, upload()))
    sent.append(await bot.send_sticker(chat, upload()))
    sent.append(await bot.send_location(chat, 55.75, 37.61))
    sent.append(await bot.send_contact(chat, "+79990000000", "Kate"))
    for message in sent:
        known(message)
    assert [message.content_type for message in sent] == [
        "text", "photo", "document", "video", "animation", "voice", "audio", "sticker", "location", "contact",
    ]  # fmt: skip
    assert await bot.set_message_reaction(
        chat, sent[0].message_id, reaction=[ReactionTypeEmoji(emoji="👍")]
    )
    assert await bot.send_chat_action(chat, "typing")
    assert await bot.answer_callback_query("1")
    known(await bot.get_webhook_info())
    assert sent[1].photo
    again = known(await bot.send_photo(chat, sent[1].photo[-1].file_id))
    assert again.photo[-1].file_size == len(b"content")


async def test_a_reply_and_buttons_are_kept(bot: Bot, anna: Client) -> None:
    first = await bot.send_message(anna.id, "first")
    keyboard = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]]
    )
    second = known(
        await bot.send_message(
            anna.id,
            "second",
            reply_parameters=ReplyParameters(message_id=first.message_id),
            reply_markup=keyboard,
        )
    )
    assert second.reply_to_message.message_id == first.message_id
    assert second.reply_markup.model_dump() == keyboard.model_dump()


async def test_a_file_goes_round(bot: Bot, anna: Client) -> None:
    sent = await anna.sends("document", name="offer.pdf")
    found = known(await bot.get_file(sent["document"]["file_id"]))
    content = await bot.download_file(found.file_path)
    assert content is not None
    assert content.read() == b"%PDF-1.7\n" + b"x" * 40
    with pytest.raises(TelegramBadRequest, match="file is too big"):
        await bot.get_file((await anna.sends("video", size=21_000_000))["video"]["file_id"])


async def everything_said(anna: Client) -> None:
    """Whatever a person can do."""
    text = await anna.writes("Hello", entities=[{"type": "bold", "offset": 0, "length": 5}])
    for kind in (
        "photo",
        "document",
        "video",
        "animation",
        "video_note",
        "voice",
        "audio",
        "sticker",
    ):
        await anna.sends(kind)
    await anna.moving_sticker()
    await anna.moving_sticker(video=True)
    await anna.album("both", None)
    await anna.writes("yes", reply_to=text)
    await anna.edits(text, text="Hello!")
    await anna.reacts(text["message_id"], "👍")
    await anna.blocks()
    await anna.unblocks()
    await anna.start("campaign-7")


async def test_every_update_is_one_that_aiogram_knows(
    bot: Bot, state: BotState, anna: Client
) -> None:
    await bot.get_updates(allowed_updates=EVERYTHING)
    await everything_said(anna)
    markup = InlineKeyboardMarkup(
        inline_keyboard=[[InlineKeyboardButton(text="Yes", callback_data="y")]]
    )
    await bot.send_message(anna.id, "Well?", reply_markup=markup)
    await anna.presses(state.sent[-1], 0, 0)

    updates = await bot.get_updates(allowed_updates=EVERYTHING)

    assert len(updates) == len(state.updates)
    assert {known(update).event_type for update in updates} == set(EVERYTHING)


async def test_updates_vanish_when_the_next_ones_are_asked_for(bot: Bot, anna: Client) -> None:
    await anna.writes("one")
    updates = await bot.get_updates()
    assert len(updates) == 2
    assert await bot.get_updates() == updates  # not confirmed yet
    assert await bot.get_updates(offset=updates[0].update_id + 1) == updates[1:]
    asked = asyncio.create_task(bot.get_updates(offset=updates[1].update_id + 1, timeout=30))
    await anna.writes("two")
    assert [update.message and update.message.text for update in await asked] == ["two"]


async def test_reactions_come_only_to_who_asks_for_them(bot: Bot, anna: Client) -> None:
    sent = await anna.writes("one")
    await anna.reacts(sent["message_id"], "👍")
    assert {update.event_type for update in await bot.get_updates()} == {"message"}


async def test_one_poller_ends_another_and_a_webhook_both(
    api: BotApi, bot: Bot, state: BotState
) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await state.wait_for(lambda: state.poller is not None)
    second = asyncio.create_task(bot.get_updates(timeout=30))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates"):
        await first
    await bot.set_webhook(f"{api.url}/nowhere")
    with pytest.raises(TelegramConflictError):
        await second
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await bot.get_updates()


async def test_a_webhook_is_told_until_it_takes_and_in_order_of_a_chat(
    bot: Bot, state: BotState
) -> None:
    async with FarSide() as ours:
        ours.script.extend([Answer(status=500), Answer(cut=True)])
        await bot.set_webhook(f"{ours.url}/hook", secret_token="s3cret", allowed_updates=EVERYTHING)
        anna = Client(state, 501)
        for number in range(3):
            await anna.writes(f"text {number}")
        await state.wait_for(lambda: len(state.delivered) == 3)

        assert {each.header("X-Telegram-Bot-Api-Secret-Token") for each in ours.received} == {
            "s3cret"
        }
        told = [known(Update.model_validate_json(each.body)) for each in ours.received]
        texts = [update.message.text for update in told]
        assert texts == ["text 0", "text 0", "text 0", "text 1", "text 2"]
        info = known(await bot.get_webhook_info())
        assert info.pending_update_count == 0
        assert info.last_error_message == "Connection refused"


async def test_refusals_are_telegrams(api: BotApi, bot: Bot, anna: Client) -> None:
    chat = anna.id
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(999, "Hi")
    with pytest.raises(TelegramBadRequest, match="message is too long"):
        await bot.send_message(chat, "x" * 4097)
    with pytest.raises(TelegramBadRequest, match="caption is too long"):
        await bot.send_photo(chat, upload(), caption="x" * 1025)
    with pytest.raises(TelegramBadRequest, match="REACTION_INVALID"):
        await bot.set_message_reaction(chat, 1, reaction=[ReactionTypeEmoji(emoji="🦆")])
    long = InlineKeyboardButton(text="x", callback_data="x" * 65)
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await bot.send_message(
            chat, "x", reply_markup=InlineKeyboardMarkup(inline_keyboard=[[long]])
        )
    with pytest.raises(TelegramEntityTooLarge):
        await bot.send_document(chat, upload(b"x" * (50 * 1024 * 1024 + 1)))
    await anna.blocks()
    with pytest.raises(TelegramForbiddenError, match="blocked by the user"):
        await bot.send_message(chat, "Hi")
    async with bot_of(api, "123:wrong") as other:
        with pytest.raises(TelegramUnauthorizedError):
            await other.get_me()
    with pytest.raises(TokenValidationError):
        bot_of(api, "no token")


async def test_failures_come_as_scripted(
    api: BotApi, bot: Bot, state: BotState, anna: Client
) -> None:
    script = api.failures["sendMessage"]
    script.append(Failure(code=429, description="Too Many Requests: retry after 7", retry_after=7))
    with pytest.raises(TelegramRetryAfter) as waits:
        await bot.send_message(anna.id, "Hi")
    assert waits.value.retry_after == 7
    script.append(Failure(code=502, description="Bad Gateway"))
    with pytest.raises(TelegramServerError):
        await bot.send_message(anna.id, "Hi")
    script.append(Failure())
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.id, "Hi")
    assert state.sent == []
    script.append(Failure(carried_out=True))
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.id, "Hi")
    assert len(state.sent) == 1
    released = asyncio.Event()
    script.append(Failure(after=released))
    late = asyncio.create_task(bot.send_message(anna.id, "late"))
    await state.wait_for(lambda: state.calls.count("sendMessage") == 5)
    released.set()
    assert (await late).text == "late"
