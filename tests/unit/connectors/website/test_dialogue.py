"""The socket's protocol: each step by itself, and any order of cuts, repeats and resumes against a model of a page."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chatbridge.connectors.website import events
from chatbridge.connectors.website.dialogue import AT_ONCE, Dialogue, State
from chatbridge.connectors.website.events import Button, Written
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
from chatbridge.connectors.website.seals import Seals, Session, Ticket
from chatbridge.model import FeedEvent, Mark, MessageType
from tests.fakes import BEGINNING

SITE = "https://shop.example"
SEALS = Seals([b"k" * 32], "msgr_1")
VISITOR = "4f2a0000-0000-4000-8000-000000000001"
DAY = 86_400 * 1_000_000


def uuid(number: int) -> str:
    return str(UUID(int=number))


def make_dialogue(visitor: str = VISITOR) -> Dialogue:
    return Dialogue(SEALS, SITE, lambda: visitor)


def spelled(micros: int) -> str:
    return datetime.fromtimestamp(micros / 1_000_000, UTC).isoformat()


def hello(**changes: Any) -> str:
    whole = {"type": "hello", "session": None, "after": None, "language": "en"}
    return json.dumps(whole | changes)


def session(visitor: str = VISITOR, at: int = BEGINNING) -> str:
    return SEALS.seal(Session(visitor, at))


def say(number: int = 1, **changes: Any) -> str:
    at = spelled(BEGINNING)
    return json.dumps({"type": "message", "id": uuid(number), "at": at, "text": "Hi"} | changes)


def event(position: int, *, by: str = "operator", **changes: Any) -> FeedEvent:
    said = {"id": f"e-{position}", "from_": by, "at": "", "kind": MessageType.TEXT}
    body = events.encode(Written(**said | {"text": f"text {position}"} | changes))
    return FeedEvent(position=position, topic=VISITOR, body=body, created_at=0)


def frames(outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """What the page is told; nothing else may be among it."""
    assert all(isinstance(output, Tell) for output in outputs), outputs
    return [json.loads(output.frame) for output in outputs if isinstance(output, Tell)]


def ready(newest: Sequence[FeedEvent] = (), **greeting: Any) -> Dialogue:
    """A visitor who has been here before."""
    dialogue = make_dialogue()
    dialogue.receive(hello(**{"session": session()} | greeting), BEGINNING)
    dialogue.entered(newest, BEGINNING)
    return dialogue


# --- a beginning ---


def test_a_new_visitor_begins_with_nothing() -> None:
    dialogue = make_dialogue()
    assert dialogue.receive(hello(), BEGINNING) == [Enter(VISITOR, is_new=True)]
    welcome, last = frames(dialogue.entered([], BEGINNING))
    assert (welcome["position"], welcome["reset"]) == (0, True)
    assert SEALS.open(welcome["session"], Session) == Session(VISITOR, BEGINNING)
    assert last == {"type": "ready"}


def test_a_session_is_good_for_half_a_year_and_renewed_by_every_welcome() -> None:
    for days, is_new in ((179, False), (180, True)):
        dialogue = make_dialogue("new")
        now = BEGINNING + days * DAY
        (enter,) = dialogue.receive(hello(session=session()), now)
        assert enter == (Enter("new", is_new=True) if is_new else Enter(VISITOR, is_new=False))
    dialogue = ready()
    dialogue = make_dialogue()
    dialogue.receive(hello(session=session()), BEGINNING + DAY)
    welcome, _ = frames(dialogue.entered([], BEGINNING + DAY))
    assert SEALS.open(welcome["session"], Session) == Session(VISITOR, BEGINNING + DAY)


def test_whoever_has_no_session_of_ours_is_a_new_visitor() -> None:
    forged = session().partition(".")[0] + "." + "A" * 43
    others = Seals([b"k" * 32], "msgr_2").seal(Session(VISITOR, BEGINNING))
    ticket = SEALS.seal(Ticket(VISITOR, "f" * 32, "", "", 1, None))
    for text in ("", "null", forged, others, ticket, session()[:-2]):
        dialogue = make_dialogue("new")
        assert dialogue.receive(hello(session=text, after=1), BEGINNING) == [Enter("new", True)]  # noqa: FBT003


def entered(after: int | None, positions: Sequence[int]) -> tuple[list[int], bool, int]:
    """What a returning visitor is told: positions, whether to forget, and where they are then."""
    dialogue = make_dialogue()
    dialogue.receive(hello(session=session(), after=after), BEGINNING)
    newest = [event(position) for position in positions][-AT_ONCE - 1 :]
    welcome, *told, last = frames(dialogue.entered(newest, BEGINNING))
    assert last == {"type": "ready"}
    return [one["position"] for one in told], welcome["reset"], welcome["position"]


def test_what_a_page_missed_is_told() -> None:
    many = list(range(1, 101))
    assert entered(None, []) == ([], False, 0)
    assert entered(0, []) == ([], False, 0)
    assert entered(None, [3, 5]) == ([3, 5], False, 5)
    assert entered(3, [3, 5]) == ([5], False, 5)
    assert entered(4, [3, 5]) == ([5], False, 5)
    assert entered(5, [3, 5]) == ([], False, 5)
    assert entered(50, many) == (many[50:], False, 100)
    assert entered(None, many) == (many[50:], False, 100)


def test_a_page_that_cannot_be_brought_up_to_date_forgets() -> None:
    many = list(range(1, 101))
    assert entered(49, many) == (many[50:], True, 100), "more than is told at once"
    assert entered(6, [3, 5]) == ([3, 5], True, 5), "a cursor from elsewhere"
    assert entered(6, []) == ([], True, 0), "a feed that was emptied"


def test_what_has_no_place_ends_it() -> None:
    for said in ("", "{}", say(), '{"type":"ping"}'):
        dialogue = make_dialogue()
        (output,) = dialogue.receive(said, BEGINNING)
        assert isinstance(output, HangUp)
        assert output.code is Code.NO_FRAME
        assert dialogue.state is State.OVER
        assert isinstance(dialogue.receive(hello(), BEGINNING)[0], HangUp)
    dialogue = ready()
    assert isinstance(dialogue.receive(hello(), BEGINNING)[0], HangUp), "nobody greets twice"


# --- what a visitor says ---


def taken(dialogue: Dialogue, said: str, now: int = BEGINNING) -> Take:
    (output,) = dialogue.receive(said, now)
    assert isinstance(output, Take), output
    return output


def test_a_message_is_under_the_visitors_name() -> None:
    take = taken(ready(), say(7))
    assert take.message.id == f"{VISITOR}:{uuid(7)}"
    assert take.message.conversation_id == take.message.sender.id == VISITOR
    assert take.message.sender.name == "Visitor 4f2a"
    assert json.loads(take.shown) == {
        "type": "message", "id": uuid(7), "from": "visitor", "at": "2026-09-21T14:13:20.000Z",
        "name": None, "avatar_url": None, "kind": "text", "text": "Hi", "file": None, "location": None,
        "contact": None, "reply_to": None, "buttons": [],
    }  # fmt: skip


def test_what_is_known_of_a_visitor_goes_with_each_message() -> None:
    page = {"url": f"{SITE}/a?b=c", "title": " Big\n boots ", "referrer": "https://x.example/", "utm": {"source": "s", "term": ""}}  # fmt: skip
    dialogue = ready(language="ru-RU", page=page)
    message = taken(dialogue, say()).message
    assert message.sender.name == "Посетитель 4f2a"
    assert message.sender.profile_url == f"{SITE}/a?b=c"
    assert message.visit is not None
    assert (message.visit.site, message.visit.url, message.visit.title) == (SITE, f"{SITE}/a?b=c", "Big boots")  # fmt: skip
    assert (message.visit.referrer, message.visit.utm) == ("https://x.example/", {"source": "s"})
    profile = {"type": "profile", "name": "  Anna\x00 ", "phone": "+7", "email": None}
    assert dialogue.receive(json.dumps(profile), BEGINNING) == []
    moved = {"type": "page", "url": f"{SITE}/cart", "title": "Cart"}
    assert dialogue.receive(json.dumps(moved), BEGINNING) == []
    message = taken(dialogue, say(2)).message
    assert (message.sender.name, message.sender.phone) == ("Anna", "+7")
    assert message.sender.profile_url == f"{SITE}/cart"
    assert message.visit is not None
    assert message.visit.referrer == "https://x.example/"


def test_operators_are_given_no_link_that_leads_elsewhere() -> None:
    for url in (
        "javascript:alert(1)",
        "https://shop.example.evil.example/",
        "https://shop.example@evil.example/",
        f"{SITE}/a b",
        f"{SITE}/\u202e",
        f"{SITE}/{'x' * 2048}",
        "",
    ):
        message = taken(ready(page={"url": url}), say()).message
        assert message.sender.profile_url is None, url
        assert message.visit is not None
        assert message.visit.url is None


def test_pages_clocks_may_be_wrong() -> None:
    for ahead in (-timedelta(days=400), timedelta(), timedelta(hours=3)):
        theirs = BEGINNING + int(ahead.total_seconds() * 1_000_000)
        dialogue = ready(now=spelled(theirs))
        hour = 3_600 * 1_000_000
        assert taken(dialogue, say(at=spelled(theirs))).message.sent_at == BEGINNING
        assert taken(dialogue, say(at=spelled(theirs - hour))).message.sent_at == BEGINNING - hour
        assert taken(dialogue, say(at=spelled(theirs + hour))).message.sent_at == BEGINNING
        late = taken(dialogue, say(at="0001-01-01T00:00:00Z")).message
        assert late.sent_at == BEGINNING - 7 * DAY
    unknown = taken(ready(), say(at="2001-01-01T00:00:00Z")).message
    assert unknown.sent_at == BEGINNING


def test_a_message_that_is_none_is_refused_for_ever() -> None:
    ticket = SEALS.seal(Ticket("another", "f" * 32, "https://b/m", "image/png", 1, None))
    for wrong in (
        {"text": None},
        {"text": ""},
        {"text": " \n"},
        {"text": "x" * 4001},
        {"media_id": "f" * 32},
        {"media_id": ticket},
        {"media_id": session()},
    ):
        (refused,) = frames(ready().receive(say(1, **wrong), BEGINNING))
        assert (refused["type"], refused["id"]) == ("refused", uuid(1)), wrong
        assert (refused["code"], refused["retry_after"]) == ("invalid_fields", None)
    assert taken(ready(), say(text="x" * 4000))


def test_a_file_is_what_the_server_says() -> None:
    for content_type, kind in (
        ("image/png", "picture"),
        ("video/mp4", "video"),
        ("audio/ogg", "audio"),
        ("application/pdf", "file"),
        ("text/html", "file"),
    ):
        ticket = Ticket(VISITOR, "f" * 32, "https://bridge/media/x", content_type, 7, "a.bin")
        take = taken(ready(), say(media_id=SEALS.seal(ticket), text=None))
        content = take.message.content
        assert (content.type, content.media_id, content.media_url) == (kind, "f" * 32, None)
        assert (content.file_name, content.file_size) == ("a.bin", 7)
        assert json.loads(take.shown)["file"] == {
            "url": "https://bridge/media/x", "name": "a.bin", "size": 7, "content_type": content_type,
        }  # fmt: skip


def test_a_visitor_quotes_what_they_were_shown() -> None:
    dialogue = ready([event(1, id="op-1"), event(2, id=uuid(2), by="visitor")])
    assert taken(dialogue, say(reply_to="op-1")).message.reply_to == "op-1"
    assert taken(dialogue, say(reply_to=uuid(2))).message.reply_to == f"{VISITOR}:{uuid(2)}"
    for strange in ("op-2", f"another:{uuid(3)}", ""):
        assert taken(dialogue, say(reply_to=strange)).message.reply_to is None
    dialogue.arrived([event(3, id="op-2")])
    assert taken(dialogue, say(reply_to="op-2")).message.reply_to == "op-2"


def test_an_answer_from_a_list_says_what_amocrm_wants_to_hear() -> None:
    dialogue = ready()
    dialogue.arrived([event(1, buttons=[[Button("Red", None, "row-1")], [Button("Blue", None)]])])
    assert taken(dialogue, say(text="Red", button="Red")).message.content.callback_data == "row-1"
    assert taken(dialogue, say(text="Blue", button="Blue")).message.content.callback_data is None
    assert taken(dialogue, say(text="Red")).message.content.callback_data is None


def test_the_rest() -> None:
    dialogue = ready()
    assert dialogue.receive('{"type":"typing"}', BEGINNING) == [ShowTyping()]
    assert dialogue.receive('{"type":"history","before":9}', BEGINNING) == [Look(9)]
    assert frames(dialogue.receive('{"type":"ping"}', BEGINNING)) == [{"type": "pong"}]
    (older,) = frames(dialogue.looked([event(position) for position in range(1, 52)]))
    assert older["more"]
    assert [one["position"] for one in older["events"]] == list(range(2, 52))
    (older,) = frames(dialogue.looked([event(1)]))
    assert (len(older["events"]), older["more"]) == (1, False)


# --- marks ---


def reported(dialogue: Dialogue, kind: str, position: int) -> list[Output]:
    return dialogue.receive(json.dumps({"type": kind, "position": position}), BEGINNING)


def test_marks_are_for_what_operators_wrote_and_only_go_forward() -> None:
    dialogue = ready([event(1), event(2, by="visitor"), event(4)], after=2)
    dialogue.arrived([event(6), event(8)])
    assert reported(dialogue, "received", 6) == [Report(Mark.DELIVERED, ["e-6", "e-4", "e-1"])]
    assert reported(dialogue, "received", 6) == []
    assert reported(dialogue, "received", 1) == []
    assert reported(dialogue, "read", 4) == [Report(Mark.READ, ["e-4", "e-1"])]
    assert reported(dialogue, "received", 8) == [Report(Mark.DELIVERED, ["e-8"])]


def test_nobody_marks_what_they_were_not_told() -> None:
    dialogue = ready([event(1)])
    assert reported(dialogue, "read", 2**52) == [Report(Mark.READ, ["e-1"])]
    dialogue.arrived([event(5)])
    assert reported(dialogue, "read", 5) == [Report(Mark.READ, ["e-5"])]


# --- any order ---


class Conversation(RuleBasedStateMachine):
    """One visitor's page that loses connections at any frame, a feed, and an operator."""

    def __init__(self) -> None:
        super().__init__()
        self.feed: list[FeedEvent] = []
        self.keys: dict[str, int] = {}
        self.written: list[str] = []
        self.dialogue: Dialogue | None = None
        self.wire: list[dict[str, Any]] = []
        """Told, and not arrived yet."""
        self.session: str | None = None
        self.after: int | None = None
        self.shown: list[dict[str, Any]] = []
        self.outbox: list[str] = []
        self.under_way: str | None = None
        self.is_ready = False
        self.upto = self.count = 0

    # the feed, as its port promises

    def append(self, key: str, body: bytes, gap: int = 1) -> int:
        if key not in self.keys:
            position = (self.feed[-1].position if self.feed else 0) + gap
            self.keys[key] = position
            stored = FeedEvent(position=position, topic=VISITOR, body=body, created_at=0)
            self.feed.append(stored)
        return self.keys[key]

    def perform(self, outputs: Sequence[Output], *, crash: bool = False) -> None:
        for output in outputs:
            if isinstance(output, Tell):
                self.wire.append(json.loads(output.frame))
            elif isinstance(output, Enter) and self.dialogue is not None:
                newest = [] if output.is_new else self.feed[-AT_ONCE - 1 :]
                self.perform(self.dialogue.entered(newest, BEGINNING))
            elif isinstance(output, Take):
                position = self.append(output.message.id, output.shown)
                if crash:
                    self.cut(0)
                    return
                accepted = {"type": "accepted", "id": output.page_id, "position": position}
                self.wire.append(accepted)

    # what happens

    @precondition(lambda self: self.session is not None)
    @rule(count=st.sampled_from([1, 1, 1, 3, 60]), gap=st.integers(1, 3))
    def operator_writes(self, count: int, gap: int) -> None:
        for _ in range(count):
            self.count += 1
            text = Written(
                id=f"op-{self.count}",
                from_="operator",
                at="",
                kind=MessageType.TEXT,
                text=f"op-{self.count}",
            )
            self.append(f"msg_{self.count}", events.encode(text), gap)

    @rule()
    def visitor_writes(self) -> None:
        self.count += 1
        self.outbox.append(uuid(self.count))
        self.written.append(uuid(self.count))
        self.send()

    @precondition(lambda self: self.dialogue is None)
    @rule()
    def connect(self) -> None:
        self.dialogue = make_dialogue()
        greeting = hello(session=self.session, after=self.after)
        self.perform(self.dialogue.receive(greeting, BEGINNING))

    @precondition(lambda self: self.dialogue is not None)
    @rule(limit=st.integers(1, 32))
    def tell(self, limit: int) -> None:
        assert self.dialogue is not None
        position = self.dialogue.position
        newer = [event for event in self.feed if event.position > position][:limit]
        self.perform(self.dialogue.arrived(newer))

    @precondition(lambda self: self.dialogue is not None)
    @rule(arrived=st.integers(0, 80))
    def cut(self, arrived: int) -> None:
        """So many frames still arrive."""
        self.arrive(arrived)
        self.dialogue, self.wire, self.is_ready, self.under_way = None, [], False, None

    @rule(arrived=st.integers(0, 80))
    def arrive(self, arrived: int) -> None:
        for _ in range(arrived):
            if self.wire:
                self.take(self.wire.pop(0))

    @precondition(lambda self: self.is_ready and self.under_way is None and self.outbox)
    @rule()
    def crash_behind_a_message(self) -> None:
        """It is stored, and the server is gone before it says so."""
        assert self.dialogue is not None
        said = say(UUID(self.outbox[0]).int)
        self.perform(self.dialogue.receive(said, BEGINNING), crash=True)

    # the page, as the documentation says

    def send(self) -> None:
        if self.dialogue is not None and self.is_ready and self.outbox and not self.under_way:
            self.under_way = self.outbox[0]
            self.perform(self.dialogue.receive(say(UUID(self.under_way).int), BEGINNING))

    def take(self, frame: dict[str, Any]) -> None:
        if frame["type"] == "welcome":
            self.session, self.upto = frame["session"], frame["position"]
            if frame["reset"]:
                self.shown, self.after = [], None
        elif frame["type"] == "ready":
            missed = sum(event.position <= self.upto for event in self.feed)
            assert len(self.shown) >= min(AT_ONCE, missed)
            self.is_ready = True
            self.send()
        elif frame["type"] == "accepted":
            assert frame["id"] == self.outbox.pop(0)
            self.under_way = None
            self.send()
        else:
            self.shown.append(frame)
            self.after = frame["position"]

    # what must hold

    @invariant()
    def everything_once_and_in_order(self) -> None:
        positions = [frame["position"] for frame in self.shown]
        known = [event.position for event in self.feed]
        begin = known.index(positions[0]) if positions else 0
        assert positions == known[begin : begin + len(positions)]

    @invariant()
    def nothing_is_taken_twice_or_out_of_order(self) -> None:
        ids = [json.loads(event.body)["id"] for event in self.feed]
        taken = [one for one in ids if not one.startswith("op-")]
        assert taken == self.written[: len(taken)]

    def teardown(self) -> None:
        if self.dialogue is None:
            self.connect()
        for _ in range(len(self.feed) + len(self.outbox) + 2):
            self.arrive(len(self.wire))
            self.tell(32)
        assert self.wire == self.outbox == []
        shown = [frame["id"] for frame in self.shown]
        everything = [json.loads(event.body)["id"] for event in self.feed]
        assert shown == everything[len(everything) - len(shown) :]
        assert [one for one in everything if not one.startswith("op-")] == self.written


TestConversation = Conversation.TestCase
