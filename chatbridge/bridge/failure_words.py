"""Why a reply did not arrive, in words for the operator who wrote it. Pure."""

from typing import Final, NamedTuple
from urllib.parse import urlsplit

from chatbridge.model import FailureReason


class _Words(NamedTuple):
    english: str
    russian: str


_REFUSED: Final = _Words("The messenger refused the message", "Мессенджер не принял сообщение")
_SILENT: Final = _Words(
    "The messenger could not be reached for 15 minutes",
    "Мессенджер не отвечал 15 минут",
)
_WRONG: Final = _Words(
    "The messenger is not set up correctly; tell your administrator",
    "Мессенджер настроен неверно, сообщите администратору",
)
_PAUSED: Final = _Words(
    "The messenger has not answered for long and is switched off; tell your administrator",
    "Мессенджер давно не отвечает и отключён, сообщите администратору",
)
_FAULT: Final = _Words(
    "A fault of the chat server; tell your administrator",
    "Ошибка сервера чатов, сообщите администратору",
)

_UNFETCHED: Final = _Words(
    "The message waits: its receiver is not online",
    "Сообщение ждёт: получатель не в сети",
)

NOT_FETCHED: Final = "not_fetched"
"""Stands for no failed attempt: it waits in the messenger's feed."""

_BY_CODE: Final = {
    "rejected": _REFUSED,
    "misconfigured": _WRONG,
    "not_sent": _SILENT,
    "throttled": _SILENT,
    "far_side_down": _SILENT,
    "outcome_unknown": _SILENT,
    NOT_FETCHED: _UNFETCHED,
    "endpoint_paused": _PAUSED,
}
_REASONS: Final = {
    "rejected": FailureReason.OTHER,
    "misconfigured": FailureReason.MESSENGER_OFF,
    NOT_FETCHED: FailureReason.MESSENGER_OFF,
    "endpoint_paused": FailureReason.MESSENGER_OFF,
}


def words_of(code: str, said: str | None, *, russian: bool) -> str:
    """Return what the operator reads of a failure with this code; `said` are the messenger's own words."""
    words = _BY_CODE.get(code, _FAULT)
    sentence = words.russian if russian else words.english
    return f"{sentence}: {said}" if said else f"{sentence}."


def reason_of(code: str) -> FailureReason:
    """Return the kind of a failure with this code."""
    return _REASONS.get(code, FailureReason.INTERNAL)


def speaks_russian(base_url: str) -> bool:
    """Return whether operators of accounts under this address of amojo read Russian."""
    return (urlsplit(base_url).hostname or "").endswith(".ru")
