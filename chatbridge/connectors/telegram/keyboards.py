"""An operator's buttons below a bot's message, and what a client said by pressing one. Pure.

amoCRM wants a text button's caption back as an ordinary message, and of a list's row its `callback_data` as well
(amoCRM, "Chats API", keyboards). Telegram gives a button 64 bytes for what it carries back ("InlineKeyboardButton"): a
caption or data beyond that is found again by the button's place, as the press shows the message with its buttons.
"""

from collections.abc import Iterator
from typing import Any, Final

from aiogram.types import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup
from aiogram.types import Message as TelegramMessage

from chatbridge.model import Content, MessageType
from chatbridge.protocol.tame import members, text

_CARRIED: Final = 64
_TEXT, _ROW, _PLACE = "t", "r", "#"
"""What a button carries: its caption, a list row's data, or its place."""
_LINKS: Final = ("https://", "http://", "tg://")


def build_keyboard(extras: dict[str, Any]) -> InlineKeyboardMarkup | None:
    """Return the buttons of an operator's message, None if it has none."""
    markup = members(extras, "markup")
    rows = [*_buttons(markup), *_list_rows(markup)]
    drawn = [
        [_button(wire, f"{_PLACE}{y}.{x}") for x, wire in enumerate(row)]
        for y, row in enumerate(rows)
    ]
    return InlineKeyboardMarkup(inline_keyboard=drawn) if drawn else None


def list_text(extras: dict[str, Any]) -> str:
    """Return what an operator's list says beside its rows."""
    shown = members(extras, "markup", "list_message")
    header, body, footer = (text(shown.get(name)) for name in ("header", "body", "footer"))
    rows = (
        f"▫ {row['text']}: {description}"
        for (row,) in _list_rows({"list_message": shown})
        if (description := text(row.get("description")))
    )
    return "\n".join(filter(None, (header, body, *rows, footer)))


def _buttons(markup: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for row in _items(markup.get("buttons")):
        drawn = [wire for wire in _items(row) if text(members(wire).get("text"))]
        if drawn:
            yield drawn


def _list_rows(markup: dict[str, Any]) -> Iterator[list[dict[str, Any]]]:
    for section in _items(members(markup, "list_message").get("sections")):
        for row in _items(members(section).get("rows")):
            if title := text(members(row).get("title")):
                yield [{**row, "text": title}]


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _button(wire: dict[str, Any], place: str) -> InlineKeyboardButton:
    caption, link, data = (text(wire.get(name)) for name in ("text", "url", "callback_data"))
    if link is not None and link.startswith(_LINKS):
        return InlineKeyboardButton(text=caption or link, url=link)
    carried = f"{_ROW}{data}" if data is not None else f"{_TEXT}{caption}"
    fits = len(carried.encode()) <= _CARRIED
    return InlineKeyboardButton(text=caption or "…", callback_data=carried if fits else place)


def read_press(query: CallbackQuery) -> Content:
    """Return what a client said by pressing a button."""
    carried = query.data or ""
    sign, said = carried[:1], carried[1:]
    caption = _caption(query, carried)
    if sign == _TEXT:
        return Content(type=MessageType.TEXT, text=said)
    data = said if sign == _ROW else None
    return Content(type=MessageType.TEXT, text=caption or data or "…", callback_data=data)


def _caption(query: CallbackQuery, carried: str) -> str | None:
    """Return what the button says; None if Telegram does not show an old message any more."""
    shown = query.message
    if not isinstance(shown, TelegramMessage) or shown.reply_markup is None:
        return None
    buttons = (button for row in shown.reply_markup.inline_keyboard for button in row)
    return next((button.text for button in buttons if button.callback_data == carried), None)
