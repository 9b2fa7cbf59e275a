"""The letter with which amoCRM's support registers a channel: what it has to say, and what is wrong with it. Pure.

Sources: "Online chats" of 2017 (six numbered points) and "How to start" (what is asked beside them today). There is no API for it; the answer
takes one to three working days.
"""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from chatbridge.protocol.amojo.icon import icon_faults

_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 ._-]{0,63}")
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_ACCOUNT: Final = re.compile(r"[0-9]{4,12}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
MARKER: Final = ":scope_id"
"""amoCRM puts the scope in its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """What a channel is to be."""

    service_name: str
    """Shown to operators with the icon; Latin letters."""
    hook_url: str
    accounts: tuple[str, ...]
    """Numbers of accounts, as they stand in their settings, that may work with the channel at first."""
    email: str
    icon: bytes = field(repr=False)
    """SVG."""
    for_everybody: bool = False
    """Whether it will be offered to all of amoCRM's customers."""
    similar: str | None = None
    """What there is of this kind in amoCRM already."""
    unique: str | None = None
    """What is better about this one."""
    write_first: bool = True
    client_uuid: str | None = None
    """The integration's id: with it chats are linked to contacts, and sources are made."""
    widget_code: str | None = None


def faults_of(application: Application) -> dict[str, str]:
    """Return what is wrong, by the name of the member."""
    checks = {
        "service_name": None
        if _NAME.fullmatch(application.service_name)
        else "must be of Latin letters, digits, spaces, . _ -, and not begin with a digit",
        "hook_url": _hook_fault(application.hook_url),
        "accounts": _accounts_fault(application.accounts),
        "email": None if _EMAIL.fullmatch(application.email) else "must be an e-mail address",
        "icon": "; ".join(icon_faults(application.icon)) or None,
        "unique": "is asked where there is a similar solution: say what is better about yours"
        if application.similar and not application.unique
        else None,
        "client_uuid": "must be the id of an integration, a UUID"
        if application.client_uuid and not _UUID.fullmatch(application.client_uuid)
        else None,
    }
    return {name: fault for name, fault in checks.items() if fault is not None}


def _hook_fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return "must be an https address"
    if parts.scheme != "https" or "." not in host:
        return "must be an https address that amoCRM reaches from the internet"
    if not host.isascii() or any(part.startswith("xn--") for part in host.split(".")):
        return "must not have a domain in Cyrillic"
    if parts.path.count(MARKER) != 1 or parts.query or parts.fragment:
        return f"must have {MARKER} once in its path, and nothing behind the path"
    return None


def _accounts_fault(accounts: tuple[str, ...]) -> str | None:
    if not accounts:
        return "must name one account at least: a channel works for these alone until it is public"
    wrong = [number for number in accounts if not _ACCOUNT.fullmatch(number)]
    if wrong:
        return f"must be numbers of accounts, such as 11223344, not {', '.join(wrong)}"
    return None


_WORDS: Final = {
    "en": {
        "subject": "Subject: registration of a channel of online chats: {0}",
        "hello": "Hello. Please register a channel of online chats (Chats API).",
        "name": "1. Name of the service: {0}",
        "hook": "2. Webhook URL, for the versions v1 and v2: {0}",
        "accounts": "3. Accounts that may work with the channel: {0}",
        "email": "4. E-mail in case of errors: {0}",
        "icon": "5. The icon is attached: SVG, 14x14 px, fits into a circle ({0} bytes).",
        "plans": "6. Will the solution be offered to all customers of amoCRM: {0}.",
        "similar": "   Is there a similar solution in amoCRM: {0}.",
        "unique": "   What is unique about ours: {0}",
        "technical": "What the channel does:",
        "first": "- operators write first: {0}",
        "rest": "- voice messages: yes; quotes: yes; reactions: all; typing: please subscribe the channel;\n"
        "- files stay available at our links.",
        "client": "- id of the integration (client_uuid): {0}",
        "widget": "- code of the widget: {0}",
        "answer": "Please send the code of the channel, its id, its secret, and the id of its bot.",
        "yes": "yes",
        "no": "no",
    },
    "ru": {
        "subject": "Тема: регистрация канала онлайн-чатов: {0}",
        "hello": "Здравствуйте. Просим зарегистрировать канал онлайн-чатов (API чатов).",
        "name": "1. Название сервиса: {0}",
        "hook": "2. Webhook URL, для версий v1 и v2: {0}",
        "accounts": "3. Аккаунты, которым разрешена работа с каналом: {0}",
        "email": "4. E-mail для связи в случае ошибок: {0}",
        "icon": "5. Иконка во вложении: SVG, 14x14 px, вписана в круг ({0} байт).",
        "plans": "6. Планируется ли тиражировать решение на всех пользователей amoCRM: {0}.",
        "similar": "   Есть ли в amoCRM похожее решение: {0}.",
        "unique": "   В чём уникальность нашего: {0}",
        "technical": "Что умеет канал:",
        "first": "- оператор пишет первым: {0}",
        "rest": "- голосовые сообщения: да; цитаты: да; реакции: все; печать: просим подписать канал;\n"
        "- файлы остаются доступны по нашим ссылкам.",
        "client": "- id интеграции (client_uuid): {0}",
        "widget": "- код виджета: {0}",
        "answer": "Просим прислать код канала, его id, секрет и id бота канала.",
        "yes": "да",
        "no": "нет",
    },
}


LANGUAGES: Final = tuple(_WORDS)


def write_letter(application: Application, language: str = "ru") -> str:
    """Return the letter in Russian or English (`ru`, `en`); nothing is checked, see `faults_of`."""
    words = _WORDS[language]

    def line(name: str, *values: object) -> str:
        return words[name].format(*values)

    def yes(truth: object) -> str:
        return words["yes" if truth else "no"]

    lines = [
        line("subject", application.service_name),
        "",
        line("hello"),
        "",
        line("name", application.service_name),
        line("hook", application.hook_url),
        line("accounts", ", ".join(application.accounts)),
        line("email", application.email),
        line("icon", len(application.icon)),
        line("plans", yes(application.for_everybody)),
        line("similar", application.similar or words["no"]),
        line("unique", application.unique) if application.unique else None,
        "",
        line("technical"),
        line("first", yes(application.write_first)),
        line("rest"),
        line("client", application.client_uuid) if application.client_uuid else None,
        line("widget", application.widget_code) if application.widget_code else None,
        "",
        line("answer"),
    ]
    return "\n".join(each for each in lines if each is not None) + "\n"
