"""How chats and messages of Telegram are called on our side. Pure."""

from typing import NamedTuple


class Place(NamedTuple):
    """A message of a chat."""

    chat_id: int
    message_id: int

    def __str__(self) -> str:
        """Return the id under which the message is known here: Telegram's own counts within a chat or a bot."""
        return f"{self.chat_id}:{self.message_id}"


def parse_place(message_id: str | None) -> Place | None:
    """Return the place that `str()` of one named; None for any other id, such as amoCRM's."""
    chat, colon, message = (message_id or "").partition(":")
    known = colon and chat.removeprefix("-").isdecimal() and message.isdecimal()
    return Place(int(chat), int(message)) if known else None
