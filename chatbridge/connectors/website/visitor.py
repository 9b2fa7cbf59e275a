"""A visitor as one page tells of them, and what their messages are made of. Pure."""

from datetime import datetime
from typing import Final, NamedTuple

from chatbridge.connectors.website import events, wire
from chatbridge.connectors.website.seals import Seals, Ticket
from chatbridge.connectors.website.tidy import line, link_on
from chatbridge.errors import InvalidFields
from chatbridge.model import Content, Message, MessageType, Person, Visit

MAX_TEXT: Final = 4_000
"""Characters of a message."""

_OLDEST: Final = 7 * 86_400 * 1_000_000
"""Microseconds: a message that waited in a page for longer counts as written then."""
_MARKS: Final = 16
"""Marks of a campaign at most."""
_KINDS: Final = {
    "image": MessageType.PICTURE,
    "video": MessageType.VIDEO,
    "audio": MessageType.AUDIO,
}


class Said(NamedTuple):
    """What a message says."""

    content: Content
    url: str | None
    """Where its file is."""


class Visitor:
    """Who is at the other end of a socket."""

    def __init__(self, visitor_id: str, site: str, hello: wire.Hello, now: int) -> None:
        """Take what a page of this site says at the beginning."""
        self.id, self._site, self._language = visitor_id, site, hello.language or ""
        self.page, self.profile = hello.page or wire.Page(), hello.profile or wire.Profile()
        # Microseconds by which our clock is ahead of the page's.
        self._ahead = None if hello.now is None else now - _microseconds(hello.now)

    def message(self, say: wire.Say, content: Content, reply_to: str | None, now: int) -> Message:
        """Return what the visitor says as a message."""
        return Message(
            id=events.full_id(self.id, say.id),
            conversation_id=self.id,
            sent_at=self._written_at(say.at, now),
            sender=self._person(),
            content=content,
            reply_to=reply_to,
            visit=self._visit(),
        )

    def _written_at(self, at: datetime, now: int) -> int:
        """Return when it was written by our clock. Pages' clocks are wrong; where theirs is unknown, it was written now."""
        if self._ahead is None:
            return now
        return min(max(_microseconds(at) + self._ahead, now - _OLDEST), now)

    def _person(self) -> Person:
        word = "Посетитель" if self._language.startswith("ru") else "Visitor"
        return Person(
            id=self.id,
            name=line(self.profile.name, 255) or f"{word} {self.id[:4]}",
            phone=line(self.profile.phone, 64),
            email=line(self.profile.email, 255),
            profile_url=link_on(self._site, self.page.url),
        )

    def _visit(self) -> Visit:
        page = self.page
        utm = {name[:32]: line(said, 255) for name, said in (page.utm or {}).items()}
        return Visit(
            site=self._site,
            url=link_on(self._site, page.url),
            title=line(page.title, 255),
            referrer=line(page.referrer, 2048),
            utm={name: said for name, said in list(utm.items())[:_MARKS] if said is not None},
        )


def read_said(say: wire.Say, visitor_id: str, seals: Seals) -> Said:
    """Return what a message says.

    Raises:
        InvalidFields: it is too long, says nothing, or names a file that is not the visitor's.

    """
    if len(say.text or "") > MAX_TEXT:
        raise InvalidFields(f"A message has {MAX_TEXT} characters at most.")
    if say.media_id is None:
        if not (say.text or "").strip():
            raise InvalidFields("This message says nothing.")
        return Said(Content(type=MessageType.TEXT, text=say.text), None)
    ticket = seals.open(say.media_id, Ticket)
    if ticket is None or ticket.visitor != visitor_id:
        raise InvalidFields("There is no such file.")
    content = Content(
        type=_KINDS.get(ticket.content_type.partition("/")[0], MessageType.FILE),
        text=say.text or None,
        media_id=ticket.media_id,
        content_type=ticket.content_type,
        file_name=line(say.file_name, 255) or ticket.file_name,
        file_size=ticket.size,
    )
    return Said(content, ticket.url)


def _microseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)
