"""What the page after the consent says, in both languages."""

from typing import Final, NamedTuple

from chatbridge.web.languages import Language


class Words(NamedTuple):
    """A page's words."""

    title: str
    text: str


_AGAIN: Final = {
    "unknown",
    "expired",
    "used",
    "foreign",
    "incomplete",
    "code_expired",
    "code_used",
    "code_foreign",
    "interrupted",
    "revoked",
}
_SETTINGS: Final = {"keys", "redirect", "unknown_integration", "misconfigured"}


def page_of(why: str | None) -> str:
    """Return which page tells of a reason; the reason itself stands on it, for whoever mends it."""
    if why in _AGAIN:
        return "again"
    if why in _SETTINGS:
        return "settings"
    return why if why in WORDS["en"] else "failed"


WORDS: Final[dict[Language, dict[str, Words]]] = {
    "en": {
        "connected": Words("Connected", "The account is connected. You may close this window."),
        "waiting": Words(
            "Almost there",
            "amoCRM does not answer at the moment. We go on trying for twenty minutes; you may close this window.",
        ),
        "idle": Words("Nothing to do here", "amoCRM sends people here who connect an account."),
        "denied": Words(
            "Not connected", "Access was refused in amoCRM. Begin again if that was a mistake."
        ),
        "again": Words(
            "Please begin again",
            "This link is valid once and for twenty minutes. Go back and connect the account again.",
        ),
        "host": Words(
            "Not from amoCRM", "This address was not made by amoCRM or Kommo. Nothing was done."
        ),
        "settings": Words(
            "The integration is set up wrongly",
            "amoCRM does not accept its keys or its address. Whoever runs this server can correct that; then connect the account again.",
        ),
        "account_taken": Words(
            "The account is in use",
            "It belongs to another workspace of this server. It has to be removed there first.",
        ),
        "failed": Words(
            "Not connected",
            "amoCRM did not let us in. Try again; if it stays so, tell whoever runs this server.",
        ),
    },
    "ru": {
        "connected": Words("Подключено", "Аккаунт подключён. Это окно можно закрыть."),
        "waiting": Words(
            "Почти готово",
            "amoCRM сейчас не отвечает. Мы будем пробовать ещё двадцать минут; это окно можно закрыть.",
        ),
        "idle": Words(
            "Здесь ничего делать не нужно", "Сюда amoCRM возвращает тех, кто подключает аккаунт."
        ),
        "denied": Words(
            "Не подключено", "В amoCRM доступ не разрешили. Если это ошибка, начните заново."
        ),
        "again": Words(
            "Начните, пожалуйста, заново",
            "Эта ссылка действует один раз и двадцать минут. Вернитесь и подключите аккаунт ещё раз.",
        ),
        "host": Words(
            "Это не amoCRM", "Этот адрес создан не amoCRM и не Kommo. Ничего не сделано."
        ),
        "settings": Words(
            "Интеграция настроена неверно",
            "amoCRM не принимает её ключи или адрес. Это исправит тот, кто ведёт этот сервер; затем подключите аккаунт ещё раз.",
        ),
        "account_taken": Words(
            "Аккаунт уже занят",
            "Он подключён к другому рабочему пространству этого сервера. Сначала его нужно отключить там.",
        ),
        "failed": Words(
            "Не подключено",
            "amoCRM не дала доступ. Попробуйте ещё раз; если не поможет, сообщите тому, кто ведёт этот сервер.",
        ),
    },
}
