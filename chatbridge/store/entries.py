"""The values that travel between the journal and those who fill it and deliver from it."""

from dataclasses import dataclass
from enum import StrEnum

from chatbridge.model import Direction
from chatbridge.store.conversations import ConversationKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Something to accept. A `key` is accepted once; `digest` tells a repeat of it from a reuse."""

    conversation: ConversationKey
    direction: Direction
    kind: str
    key: bytes
    digest: bytes
    message_id: str
    body: bytes
    received_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A journal entry that is still to deliver."""

    id: int
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

    @property
    def lane(self) -> int:
        """Return the number of the line in which this entry keeps its order."""
        return lane_of(self.conversation_id, self.direction)


def lane_of(conversation_id: int, direction: Direction) -> int:
    """Return the lane of a conversation and direction."""
    return conversation_id * 2 + direction


class Verdict(StrEnum):
    """What became of a draft."""

    NEW = "new"
    REPEATED = "repeated"
    REUSED = "reused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The answer to a draft; `entry` is there if it is new."""

    verdict: Verdict
    entry: Entry | None = None


class OutcomeKind(StrEnum):
    """How an attempt ended. The words are stored."""

    DELIVERED = "delivered"
    RETRY = "retry"
    PARKED = "parked"
    RELEASED = "released"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
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
