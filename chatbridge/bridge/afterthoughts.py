"""Takes what clients do to messages that are there already: they change them, and react to them."""

from collections.abc import Callable

from msgspec.structs import replace

from chatbridge.bridge.accepting import Acceptor, entry_key
from chatbridge.bridge.directory import Directory
from chatbridge.bridge.uploading import Uploads
from chatbridge.clock import Clock
from chatbridge.errors import IdReused, NotEditable, NotFound
from chatbridge.ids import fingerprint
from chatbridge.model import (
    MEDIA_TYPES,
    Content,
    Direction,
    Edit,
    Event,
    Kind,
    Message,
    MessageType,
    Messenger,
    Person,
    Reaction,
    Signing,
    decode_message,
    encode_content,
)
from chatbridge.store.engine import Store
from chatbridge.store.entries import ConversationKey, Verdict
from chatbridge.store.far_ids import FarName
from chatbridge.store.targets import Target, find_target


class Afterthoughts:
    """Edits and reactions of clients."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        directory: Directory,
        acceptor: Acceptor,
        uploads: Uploads,
        new_id: Callable[[], str],
    ) -> None:
        """Take them through `acceptor`; `new_id` names those that have no name; files may be of `uploads`."""
        self._store, self._clock, self._directory = store, clock, directory
        self._acceptor, self._uploads, self._new_id = acceptor, uploads, new_id

    async def edit(
        self, messenger: Messenger, message_id: str, content: Content, *, name: str | None, at: int
    ) -> None:
        """Take new content of a client's message; when this returns it is on disk.

        Args:
            messenger: who says so.
            message_id: the messenger's id of the message.
            content: all of the new content; only a file that stays as it is may be left out.
            name: an id of this edit; the same again is the same edit.
            at: when it was made.

        Raises:
            NotFound: the messenger has sent no such message.
            NotEditable: it is an operator's.
            InvalidFields: the content names a file that is none.
            StoreUnavailable: it was not stored.

        """
        target = await self._target(messenger, message_id)
        if target.direction is not Direction.TO_AMOJO:
            raise NotEditable
        await self._uploads.check(messenger, content)
        conversation_id = target.conversation.external_id or ""
        if self._is_modern(target):
            edit: Event = Edit(
                message_id=message_id,
                conversation_id=conversation_id,
                edited_at=at,
                content=content,
            )
        else:
            text = f"✎ {content.text or ''}".strip()
            # A file that stays as it is was sent before; a message cannot do without one.
            bare = (
                content.type in MEDIA_TYPES
                and content.media_url is content.media_id is content.media_ref is None
            )
            kind = MessageType.TEXT if bare else content.type
            edit = self._follow_up(target, replace(content, type=kind, text=text), at)
        key = entry_key(messenger, Direction.TO_AMOJO, Kind.EDIT, name or self._new_id())
        await self._take(target, edit, key, said=encode_content(content))

    async def react(
        self,
        messenger: Messenger,
        message_id: str,
        client: Person,
        *,
        emoji: str | None,
        removed: bool,
        name: str | None,
        at: int,
    ) -> None:
        """Take a client's reaction to a message of either side, or its end; when this returns it is on disk.

        Raises:
            NotFound: the messenger knows no such message.
            StoreUnavailable: it was not stored.

        """
        target = await self._target(messenger, message_id)
        own, conversation = target.direction is Direction.TO_AMOJO, target.conversation
        if self._is_modern(target):
            reaction: Event = Reaction(
                message_id=target.message_id if own else None,
                amojo_message_id=None if own else target.message_id,
                conversation_id=conversation.external_id,
                amojo_conversation_id=conversation.amojo_id,
                reacted_at=at,
                by=client,
                emoji=emoji,
                removed=removed,
            )
        else:
            text = f"{'↩ ' if removed else ''}{emoji or '👍'}"
            content = Content(type=MessageType.TEXT, text=text)
            reaction = self._follow_up(target, content, at, client)
        key = entry_key(messenger, Direction.TO_AMOJO, Kind.REACTION, name or self._new_id())
        await self._take(target, reaction, key, said=f"{client.id} {emoji} {removed}".encode())

    async def _target(self, messenger: Messenger, message_id: str) -> Target:
        keys = [
            entry_key(messenger, direction, Kind.MESSAGE, message_id) for direction in Direction
        ]
        target = await self._store.read(find_target, keys, FarName(messenger.id, message_id))
        if target is None:
            raise NotFound(f"This messenger has no message {message_id!r}.")
        return target

    def _is_modern(self, target: Target) -> bool:
        link = self._directory.link_by_id(target.conversation.link_id)
        return self._directory.channel(link.channel_id).signing is Signing.CURRENT

    def _follow_up(
        self, target: Target, content: Content, at: int, client: Person | None = None
    ) -> Message:
        """Return a message that says the same, for the generation of 2017, which knows nothing but messages."""
        return Message(
            id=f"{target.message_id[:200]}-{self._new_id()}",
            conversation_id=target.conversation.external_id,
            sent_at=at,
            sender=client or decode_message(target.body or b"").sender,
            content=content,
        )

    async def _take(self, target: Target, event: Event, key: bytes, *, said: bytes) -> None:
        conversation = target.conversation
        verdict = await self._acceptor.take(
            event,
            direction=Direction.TO_AMOJO,
            conversation=ConversationKey(
                link_id=conversation.link_id,
                external_id=conversation.external_id,
                amojo_id=conversation.amojo_id,
            ),
            message_id=target.message_id,
            key=key,
            digest=fingerprint(target.message_id, said),
            row=conversation,
        )
        if verdict is Verdict.REUSED:
            raise IdReused("This id was used before for something else.")
