"""Every failure of aiogram's has a meaning, and none repeats what a client or an operator wrote."""

from collections.abc import Iterator

import aiogram.exceptions
import pytest
from aiogram.exceptions import AiogramError, ClientDecodeError, TelegramAPIError
from aiogram.methods import SendMessage

from chatbridge.connectors.telegram.failures import delivery_error
from chatbridge.errors import DeliveryError, FarSideDown, Misconfigured, Rejected, Throttled

CALL = SendMessage(chat_id=501, text="secret words")
MEANINGS: dict[str, type[DeliveryError]] = {
    "TelegramRetryAfter": Throttled,
    "TelegramUnauthorizedError": Misconfigured,
    "TelegramNotFound": Misconfigured,
    "TelegramConflictError": Misconfigured,
    "TelegramServerError": FarSideDown,
    "RestartingTelegram": FarSideDown,
    "TelegramForbiddenError": Rejected,
    "TelegramBadRequest": Rejected,
    "TelegramEntityTooLarge": Rejected,
    "TelegramMigrateToChat": Rejected,
    "TelegramAPIError": Rejected,
    "TelegramNetworkError": Rejected,  # raised by aiogram's own network code alone, which is not used
}


def kinds(root: type[AiogramError]) -> Iterator[type[AiogramError]]:
    yield root
    for kind in root.__subclasses__():
        yield from kinds(kind)


def test_every_error_of_the_api_is_in_the_table() -> None:
    assert aiogram.exceptions.TelegramAPIError is TelegramAPIError
    assert {kind.__name__ for kind in kinds(TelegramAPIError)} == set(MEANINGS)


@pytest.mark.parametrize("name", sorted(MEANINGS))
def test_it_means(name: str) -> None:
    more = {
        "TelegramRetryAfter": {"retry_after": 7},
        "TelegramMigrateToChat": {"migrate_to_chat_id": 1},
    }
    kind = getattr(aiogram.exceptions, name)
    failure = delivery_error(
        kind(CALL, "Bad Request: 'secret words' are wrong", **more.get(name, {}))
    )
    assert type(failure) is MEANINGS[name]
    assert failure.retry_after == (7 if name == "TelegramRetryAfter" else None)
    assert "secret" not in f"{failure} {failure.words}"


def test_an_answer_that_is_none_is_not_repeated() -> None:
    failure = delivery_error(ClientDecodeError("no", ValueError("x"), "secret words"))
    assert type(failure) is FarSideDown
    assert "secret" not in str(failure)


NOBODY = [
    "Bad Request: chat not found",
    "Bad Request: PEER_ID_INVALID",
    "Forbidden: bot was blocked by the user",
    "Forbidden: user is deactivated",
    "Forbidden: bot can't initiate conversation with a user",
]


@pytest.mark.parametrize("said", NOBODY)
def test_there_is_nobody_to_talk_to(said: str) -> None:
    name = "TelegramForbiddenError" if said.startswith("Forbidden") else "TelegramBadRequest"
    failure = delivery_error(getattr(aiogram.exceptions, name)(CALL, said))
    assert (failure.reason, failure.words) == ("no_conversation", said)
