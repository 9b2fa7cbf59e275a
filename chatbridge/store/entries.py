"""The values that travel between the journal and those who fill it and deliver from it."""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from chatbridge.model import Direction, Event, FailureReason, Mark, decode_event


class ConversationKey(Struct, frozen=True, kw_only=True, gc=False):
    """How a conversation was named: by the messenger's id, by amoCRM's, or by both."""

    link_id: int
    external_id: str | None
    amojo_id: str | None
    client_ref_id: str | None = None
    """amoCRM's id of the client, where an operator writes first."""


class ConversationRow(Struct, frozen=True, gc=False):
    """A conversation as stored."""

    id: int
    link_id: int
    external_id: str | None
    amojo_id: str | None
    client_ref_id: str | None = None


class Naming(NamedTuple):
    """Both sides' ids of one conversation."""

    link_id: int
    external_id: str
    amojo_id: str


class ReceiptRow(NamedTuple):
    """A mark that an operator's message gets: how far it has come at the messenger."""

    entry_id: int
    mark: Mark
    at: int
    reason: FailureReason | None = None
    text: str | None = None


class Draft(Struct, frozen=True, kw_only=True, gc=False):
    """Something to accept. A `key` is accepted once; `digest` tells a repeat of it from a reuse."""

    conversation: ConversationKey
    direction: Direction
    kind: str
    key: bytes
    digest: bytes
    message_id: str
    body: bytes
    received_at: int
    event: Event | None = None
    """What `body` says, where it is at hand."""
    row: ConversationRow | None = None
    """Its conversation as stored, where it is known already."""
    receipt: ReceiptRow | None = None
    """What it tells, if it tells how far a message has come: it is accepted only if that is news."""
    copy_until: int | None = None
    """If it names a file that has to be copied first: when it goes on in any case."""
    upload: bytes | None = None
    """The uploaded file that it names."""
    recovery: int | None = None
    """The recovery that found it missing, if one did."""

    @property
    def is_plain(self) -> bool:
        """Return whether there is nothing to look up or to decide, and nothing else to write."""
        return (
            self.row is not None
            and self.receipt is None
            and self.copy_until is None
            and self.upload is None
            and self.recovery is None
        )


class Entry(Struct, frozen=True, eq=False, gc=False):
    """A journal entry that is still to deliver."""

    id: int
    lane: int
    """The number of the line in which it keeps its order."""
    conversation_id: int
    external_id: str | None
    """The messenger's id of the conversation."""
    amojo_id: str | None
    """amoCRM's id of the conversation, where known when the entry was read."""
    client_ref_id: str | None
    """amoCRM's id of the client, if amoCRM began the conversation: with it the messenger's ids are bound to amoCRM's."""
    link_id: int
    direction: Direction
    kind: str
    key: bytes
    message_id: str
    body: bytes
    received_at: int
    attempts: int
    """Made so far."""
    since: int
    """When its schedule began: acceptance, or the last release."""
    due_at: int
    event: Event | None = None
    """What `body` says, if it was accepted a moment ago; `read` tells it in any case."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.key == other.key and self._place == other._place

    def __hash__(self) -> int:
        return self.id

    @property
    def _place(self) -> tuple[int, int, int, int, int]:
        return self.id, self.conversation_id, self.attempts, self.since, self.due_at

    def read(self) -> Event:
        """Return the event that `body` holds."""
        return self.event or decode_event(self.kind, self.body)


def lane_of(conversation_id: int, direction: int) -> int:
    """Return the lane of a conversation and direction."""
    return conversation_id * 2 + direction


class Verdict(StrEnum):
    """What became of a draft."""

    NEW = "new"
    REPEATED = "repeated"
    REUSED = "reused"


class Acceptance(Struct, frozen=True, kw_only=True, gc=False):
    """The answer to a draft; `entry` is there if it is new."""

    verdict: Verdict
    lane: int
    entry: Entry | None = None
    behind: bool = False
    """Whether another node may have accepted something of its lane that is still waiting."""


class OutcomeKind(StrEnum):
    """How an attempt ended. The words are stored."""

    DELIVERED = "delivered"
    RETRY = "retry"
    PARKED = "parked"
    RELEASED = "released"


class Outcome(Struct, frozen=True, kw_only=True, gc=False):
    """The end of one attempt to deliver an entry."""

    entry: Entry
    kind: OutcomeKind
    signed_at: int
    answered_at: int
    code: str | None = None
    detail: str | None = None
    far_id: str | None = None
    names: tuple[str, ...] = ()
    """What a messenger calls an operator's message: all ids that it may be named by; the first is `far_id`."""
    far_conversation_id: str | None = None
    """The far side's id of the conversation, where its answer told."""
    due_at: int | None = None
    """When to try again, for RETRY."""
    reason: FailureReason | None = None
    """Why it failed, where the messenger said so."""
    words: str | None = None
    """The same in its words, for the operator."""
    waiting: bool = False
    """Whether it was delivered into a feed, from which the messenger has not fetched it yet."""
    follow_up: Draft | None = None
    """What is to be accepted, in the same conversation, by the transaction that records it."""

    @property
    def is_plain(self) -> bool:
        """Return whether there is nothing more to say than that it was delivered."""
        return (
            self.kind is OutcomeKind.DELIVERED
            and self.far_conversation_id is None
            and not self.names
            and self.follow_up is None
        )


class JournalRow(NamedTuple):
    """What is written of a new entry; its number comes from the database."""

    conversation_id: int
    direction: int
    kind: str
    key: bytes
    digest: bytes
    message_id: str
    body: bytes
    received_at: int
    stored_at: int

    @property
    def lane(self) -> int:
        """Return the lane in which the entry waits."""
        return lane_of(self.conversation_id, self.direction)


class Written(NamedTuple):
    """What became of a new journal row."""

    id: int
    behind: bool
    """Whether entries of its lane were waiting before, some of which this node may not have heard of."""


class AttemptRow(NamedTuple):
    """What is written of an attempt."""

    entry_id: int
    number: int
    outcome: str
    signed_at: int
    answered_at: int
    recorded_at: int
    code: str | None
    detail: str | None
    far_id: str | None
