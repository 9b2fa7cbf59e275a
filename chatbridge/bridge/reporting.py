"""Tells messengers that asked for it what became of their clients' messages on the way to amoCRM.

The event is accepted in the transaction that records the outcome (`store/pending.settle`): no crash comes between them.
"""

from collections.abc import Callable

from chatbridge.bridge.directory import Directory
from chatbridge.connectors.base import Notice
from chatbridge.ids import fingerprint
from chatbridge.model import Direction, Kind, Mark, Messenger, Report, encode_event
from chatbridge.store.entries import ConversationKey, ConversationRow, Draft, Outcome, OutcomeKind


class Reporting:
    """Makes the reports."""

    def __init__(self, *, directory: Directory, wants: Callable[[Messenger, Notice], bool]) -> None:
        """Report to messengers that want it."""
        self._directory, self._wants = directory, wants
        self._known: dict[str, tuple[Messenger, bool]] = {}
        """Who wants it: asked for every message, and answered from here."""

    def follow_up(self, outcome: Outcome, amojo_conversation_id: str | None) -> Draft | None:
        """Return the report of an outcome that is final, None if nobody asked for one."""
        entry = outcome.entry
        if entry.direction is not Direction.TO_AMOJO or entry.kind != Kind.MESSAGE:
            return None
        link = self._directory.find_link_by_id(entry.link_id)
        if link is None or not self._is_wanted(self._directory.messenger(link.messenger_id)):
            return None
        return _draft(outcome, amojo_conversation_id or entry.amojo_id)

    def _is_wanted(self, messenger: Messenger) -> bool:
        known = self._known.get(messenger.id)
        if known is None or known[0] is not messenger:
            wanted = self._wants(messenger, Notice.MESSAGE_STATUS)
            known = self._known[messenger.id] = messenger, wanted
        return known[1]


def _draft(outcome: Outcome, amojo_conversation_id: str | None) -> Draft:
    entry, delivered = outcome.entry, outcome.kind is OutcomeKind.DELIVERED
    report = Report(
        message_id=entry.message_id,
        mark=Mark.DELIVERED if delivered else Mark.FAILED,
        ended_at=outcome.answered_at,
        conversation_id=entry.external_id,
        amojo_message_id=outcome.far_id,
        amojo_conversation_id=amojo_conversation_id,
        code=outcome.code,
        detail=None if delivered else outcome.detail,
    )
    # One for each attempt that ends it: what is released comes to an end again.
    key = fingerprint(Kind.REPORT, str(entry.id), str(entry.attempts))
    return Draft(
        conversation=ConversationKey(
            link_id=entry.link_id, external_id=entry.external_id, amojo_id=entry.amojo_id
        ),
        direction=Direction.TO_MESSENGER,
        kind=Kind.REPORT,
        key=key,
        digest=key,
        message_id=entry.message_id,
        body=encode_event(report),
        received_at=outcome.answered_at,
        row=ConversationRow(
            entry.conversation_id,
            entry.link_id,
            entry.external_id,
            entry.amojo_id,
            entry.client_ref_id,
        ),
    )
