"""aiogram's failures in our words. Pure.

What it says of the network never gets here: requests leave by the server's own client, which tells what did not leave from what
may have arrived. aiogram itself makes one error of both.
"""

import re
from typing import Final

from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)

from chatbridge.errors import DeliveryError, FarSideDown, Misconfigured, Rejected, Throttled
from chatbridge.model import FailureReason

_NOBODY: Final = re.compile(
    r"chat not found|user is deactivated|user not found|PEER_ID_INVALID|bot was blocked|initiate conversation",
    re.IGNORECASE,
)
"""What Telegram says when there is nobody to talk to."""
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")

_UNKNOWN_BOT: Final = "Telegram does not know this token: it was revoked or mistyped. Set a new one in settings.token."
_POLLED: Final = (
    "Something else asks for this bot's updates, or a webhook is set. Stop the other program."
)

_KINDS: Final[tuple[tuple[type[TelegramAPIError], type[DeliveryError], int, str], ...]] = (
    (TelegramUnauthorizedError, Misconfigured, 401, _UNKNOWN_BOT),
    (TelegramNotFound, Misconfigured, 401, _UNKNOWN_BOT),
    (TelegramConflictError, Misconfigured, 409, _POLLED),
    (TelegramServerError, FarSideDown, 500, "Telegram is out of order: {}"),
    (TelegramEntityTooLarge, Rejected, 413, "The file is larger than Telegram takes"),
    (TelegramForbiddenError, Rejected, 403, "Telegram refused it: {}"),
    (TelegramAPIError, Rejected, 400, "Telegram refused it: {}"),
)
"""Most specific first."""


def delivery_error(error: AiogramError) -> DeliveryError:
    """Return what a failure of a call means."""
    if not isinstance(error, TelegramAPIError):
        return FarSideDown("Telegram's answer is not one of the Bot API")
    if isinstance(error, TelegramRetryAfter):
        return Throttled("Telegram asks to wait", status=429, retry_after=error.retry_after)
    said = _words(error)
    kind, status, sentence = next(row[1:] for row in _KINDS if isinstance(error, row[0]))
    if kind is not Rejected:
        return kind(sentence.format(said), status=status)
    nobody = status == 403 or _NOBODY.search(said)
    reason = FailureReason.NO_CONVERSATION if nobody else None
    return Rejected(sentence.format(said), status=status, reason=reason, words=said)


def _words(error: TelegramAPIError) -> str:
    """Return what Telegram said, without what it quotes: that may be the message."""
    return _QUOTED.sub("…", error.message)[:200]
