"""What is said on one socket, as a state machine: frames and events in, outputs out. Pure: no socket, no clock, no database.

Theory of operation. A page greets; the server finds out who it is, which takes a look into the feed (`Enter`, answered with `entered`).
From then on the page has every event up to `position`, and what comes later is told in order (`arrived`). What the page says is
turned into outputs, which whoever owns the socket carries out in their order; what is to be answered (`Take`, `Look`) is answered before
the next frame is read. So a socket needs no queue: neither of what it says nor of what it hears.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import ClassVar, Final, NamedTuple

from msgspec.structs import replace

from chatbridge.connectors.website import events, wire
from chatbridge.connectors.website.events import Written
from chatbridge.connectors.website.outputs import (
    Code,
    Enter,
    HangUp,
    Look,
    Output,
    Report,
    ShowTyping,
    Take,
    Tell,
)
from chatbridge.connectors.website.seals import Seals, Session
from chatbridge.connectors.website.visitor import Visitor, read_said
from chatbridge.errors import InvalidFields, UnreadablePayload
from chatbridge.model import FeedEvent, Mark

AT_ONCE: Final = 50
"""Events that a page is told at once."""


class State(Enum):
    """How far a socket has come."""

    SILENT = auto()
    """The page has not greeted yet."""
    ENTERING = auto()
    """It is being found out who it is."""
    READY = auto()
    OVER = auto()


class _Known(NamedTuple):
    position: int
    by_operator: bool


class Dialogue:
    """One socket."""

    def __init__(self, seals: Seals, site: str, new_id: Callable[[], str]) -> None:
        """Talk to a page of the site with this origin; `new_id` names new visitors."""
        self._seals, self._site, self._new_id = seals, site, new_id
        self.state = State.SILENT
        self.position = 0
        """The page is told everything up to there."""
        self._visitor: Visitor
        self._is_new = True
        self._after: int | None = None
        """What the page had when it greeted."""
        self._reported = dict.fromkeys(Mark, 0)
        self._known: dict[str, _Known] = {}
        """The newest messages that the page was told of, by the id under which it knows them."""
        self._choices: dict[str, str] = {}
        """What amoCRM wants to hear with an answer that was offered."""

    @property
    def visitor_id(self) -> str:
        """Return who it is; nobody knows before the hello."""
        return self._visitor.id

    def receive(self, data: str, now: int) -> list[Output]:
        """Take a frame of the page."""
        try:
            frame = wire.read_frame(data)
        except UnreadablePayload as error:
            return self._over(str(error))
        answer = self._transitions[self.state].get(type(frame))
        return list(answer(self, frame, now)) if answer else self._over("It has no place here.")

    def entered(self, newest: Sequence[FeedEvent], now: int) -> list[Output]:
        """Take the visitor's newest events, one more than `AT_ONCE` if there are, and bring the page up to date."""
        after, last = self._after, newest[-1].position if newest else 0
        reset, shown = self._is_new, newest[-AT_ONCE:]
        if not self._is_new and after is not None:
            # Beyond the end: the cursor of a database that is gone, or of events that are not kept any more.
            reset = after > last or (len(newest) > AT_ONCE and newest[0].position > after)
            if not reset:
                shown = [event for event in newest if event.position > after]
        session = self._seals.seal(Session(self._visitor.id, now))
        for event in newest:
            self._note(event)
        self.position, self.state = last, State.READY
        told = (Tell(wire.placed(event.body, event.position)) for event in shown)
        return [Tell(wire.welcome(session, last, reset=reset)), *told, Tell(wire.READY)]

    def arrived(self, newer: Sequence[FeedEvent]) -> list[Output]:
        """Take events that follow the position, and tell them."""
        for event in newer:
            self._note(event)
            self.position = event.position
        return [Tell(wire.placed(event.body, event.position)) for event in newer]

    def looked(self, older: Sequence[FeedEvent]) -> list[Output]:
        """Take what `Look` has found, and tell it."""
        bodies = [wire.placed(event.body, event.position) for event in older[-AT_ONCE:]]
        return [Tell(wire.history(bodies, more=len(older) > AT_ONCE))]

    # --- frames ---

    def _greet(self, hello: wire.Hello, now: int) -> Iterator[Output]:
        session = None if hello.session is None else self._seals.open(hello.session, Session)
        known = session.visitor if session is not None and session.is_good(now) else None
        self._is_new, visitor = known is None, known or self._new_id()
        self._visitor = Visitor(visitor, self._site, hello, now)
        self._after, self.state = hello.after, State.ENTERING
        yield Enter(visitor, self._is_new)

    def _say(self, say: wire.Say, now: int) -> Iterator[Output]:
        try:
            content, url = read_said(say, self._visitor.id, self._seals)
        except InvalidFields as error:
            yield Tell(wire.refused(say.id, error.code, str(error), None))
            return
        content = replace(content, callback_data=self._choices.get(say.button or ""))
        message = self._visitor.message(say, content, self._quoted(say.reply_to), now)
        shown = replace(message, content=replace(content, media_url=url))
        body = events.written(shown, self._visitor.id, by_operator=False)
        yield Take(say.id, message, events.encode(body))

    def _receive(self, frame: wire.Received, _: int) -> Iterator[Output]:
        return self._report(Mark.DELIVERED, frame.position)

    def _read(self, frame: wire.Read, _: int) -> Iterator[Output]:
        return self._report(Mark.READ, frame.position)

    def _type(self, _: wire.Types, __: int) -> Iterator[Output]:
        yield ShowTyping()

    def _introduce(self, frame: wire.Introduce, _: int) -> tuple[()]:
        self._visitor.profile = frame
        return ()

    def _move(self, frame: wire.Moved, _: int) -> tuple[()]:
        self._visitor.page = replace(self._visitor.page, url=frame.url, title=frame.title)
        return ()

    def _recall(self, frame: wire.Recall, _: int) -> Iterator[Output]:
        yield Look(frame.before)

    def _answer(self, _: wire.Ping, __: int) -> Iterator[Output]:
        yield Tell(wire.PONG)

    _transitions: ClassVar[
        Mapping[State, Mapping[type[wire.Frame], Callable[..., Iterable[Output]]]]
    ] = {
        State.SILENT: {wire.Hello: _greet},
        State.ENTERING: {},
        State.READY: {
            wire.Say: _say,
            wire.Received: _receive,
            wire.Read: _read,
            wire.Types: _type,
            wire.Introduce: _introduce,
            wire.Moved: _move,
            wire.Recall: _recall,
            wire.Ping: _answer,
        },
        State.OVER: {},
    }
    """What may be said when. `_greet` leads to ENTERING and `entered` to READY; whatever is not here, to OVER."""

    # --- inside ---

    def _report(self, mark: Mark, position: int) -> Iterator[Output]:
        """Report what goes further than before, as far as the page was told."""
        before, upto = self._reported[mark], min(position, self.position)
        self._reported[mark] = max(before, upto)
        ids = [
            message_id
            for message_id, known in reversed(self._known.items())
            if known.by_operator and before < known.position <= upto
        ]
        if ids:
            yield Report(mark, ids)

    def _quoted(self, page_id: str | None) -> str | None:
        """Return the messenger's id of a message that the page was told of: nobody quotes what they have not seen."""
        known = self._known.get(page_id or "")
        if page_id is None or known is None:
            return None
        return page_id if known.by_operator else events.full_id(self._visitor.id, page_id)

    def _note(self, event: FeedEvent) -> None:
        shown = events.decode(event.body)
        if not isinstance(shown, Written):
            return
        self._known[shown.id] = _Known(event.position, shown.from_ == "operator")
        if len(self._known) > AT_ONCE:
            del self._known[next(iter(self._known))]
        for row in shown.buttons:
            self._choices |= {button.text: button.data for button in row if button.data}

    def _over(self, reason: str) -> list[Output]:
        self.state = State.OVER
        return [HangUp(Code.NO_FRAME, reason)]
