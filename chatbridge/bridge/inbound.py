"""The door through which connectors hand in what clients do: the same use cases that the messenger API has."""

from collections.abc import AsyncIterator

from chatbridge.bridge.afterthoughts import Afterthoughts
from chatbridge.bridge.intake import Intake
from chatbridge.bridge.marks import Marking, Marks
from chatbridge.bridge.typing import TypingRelay
from chatbridge.bridge.uploading import Uploads
from chatbridge.connectors.host import Upload
from chatbridge.errors import RequestRefused
from chatbridge.model import Content, FailureReason, Mark, Message, Messenger, Person


class ClientDoor:
    """Implements `connectors.host.Inbound`, which says what each method promises."""

    def __init__(
        self,
        *,
        intake: Intake,
        afterthoughts: Afterthoughts,
        marks: Marks,
        typing: TypingRelay,
        uploads: Uploads,
    ) -> None:
        """Hand on to these."""
        self._intake, self._afterthoughts, self._marks = intake, afterthoughts, marks
        self._typing, self._uploads = typing, uploads

    async def message(self, messenger: Messenger, message: Message) -> None:
        """Take a client's message."""
        # A far side that tells again may tell more by then (a new name of the sender): the id alone decides.
        said = message.id.encode()
        await self._intake.client_message(messenger, message, scope_id=None, said=said)

    async def edit(
        self, messenger: Messenger, message_id: str, content: Content, *, name: str, at: int
    ) -> None:
        """Take new content of a client's message."""
        await self._afterthoughts.edit(messenger, message_id, content, name=name, at=at)

    async def reaction(
        self,
        messenger: Messenger,
        message_id: str,
        client: Person,
        *,
        emoji: str | None,
        removed: bool,
        name: str,
        at: int,
    ) -> None:
        """Take a client's reaction."""
        await self._afterthoughts.react(
            messenger, message_id, client, emoji=emoji, removed=removed, name=name, at=at
        )

    async def mark(
        self,
        messenger: Messenger,
        message_id: str,
        mark: Mark,
        *,
        at: int,
        reason: FailureReason | None = None,
        text: str | None = None,
    ) -> bool:
        """Take what became of an operator's message."""
        return await self._marks.report(messenger, message_id, Marking(mark, at, reason, text))

    async def typing(
        self, messenger: Messenger, conversation_id: str, client_id: str, *, milliseconds: int
    ) -> None:
        """Pass on that a client types."""
        try:
            link = self._intake.link_for(messenger, None)
        except RequestRefused:
            return
        self._typing.client_types(link, conversation_id, client_id, duration=milliseconds)

    async def upload(
        self, messenger: Messenger, chunks: AsyncIterator[bytes], *, file_name: str | None
    ) -> Upload:
        """Keep a file."""
        return await self._uploads.take(messenger, chunks, file_name=file_name)
