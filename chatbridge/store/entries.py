"""The values that travel between the journal and those who fill it and deliver from it."""

from enum import StrEnum
from typing import NamedTuple

from msgspec import Struct

from chatbridge.model import Direction, Message, decode_message


class ConversationKey(Struct, frozen=True, kw_only=True, gc=False):
    """How a conversation was named: by the messenger's id, by amoCRM's, or by both."""

    link_id: int
    external_id: str | None
    amojo_id: str | None


class ConversationRow(Struct, frozen=True, gc=False):
    """A conversation as stored."""

    id: int
    link_id: int
    external_id: str | None
    amojo_id: str | None


class Naming(NamedTuple):
    """Both sides' ids of one conversation."""

    link_id: int
    external_id: str
    amojo_id: str


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
    message: Message | None = None
    """What `body` says, where it is at hand."""
    row: ConversationRow | None = None
    """Its conversation as stored, where it is known already."""


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
    message: Message | None = None
    """What `body` says, if it was accepted a moment ago; `read` tells it in any case."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Entry) and self.key == other.key and self._place == other._place

    def __hash__(self) -> int:
        return self.id

    @property
    def _place(self) -> tuple[int, int, int, int, int]:
        return self.id, self.conversation_id, self.attempts, self.since, self.due_at

    def read(self) -> Message:
        """Return the message that `body` holds."""
        return self.message or decode_message(self.body)


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
    far_conversation_id: str | None = None
    """amoCRM's id of the conversation, where its answer told."""
    due_at: int | None = None
    """When to try again, for RETRY."""

    @property
    def is_plain(self) -> bool:
        """Return whether there is nothing more to say than that it was delivered."""
        return self.kind is OutcomeKind.DELIVERED and self.far_conversation_id is None


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
