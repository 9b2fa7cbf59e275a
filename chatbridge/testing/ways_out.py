"""What operators do reaches clients."""

import re
from typing import Any

import pytest

from chatbridge.connectors.capabilities import Capabilities
from chatbridge.connectors.fallback import adapt
from chatbridge.model import MEDIA_TYPES, Content, Message, MessageType, Person
from chatbridge.testing.far_side import File, Seen
from chatbridge.testing.needs import needs
from chatbridge.testing.shop import ANNA, BORIS, CLARA, Shop
from chatbridge.testing.things import CAPTION, CARD, FILES, PLACE, TEXTS, check_file, words

_LARGE = 3_000_000
"""Bytes of a file that is neither in one packet nor in one piece of a stream."""


class OperatorsWrite:
    """Tests of the way from an operator to a client."""

    @pytest.mark.parametrize("type_out", list(MessageType))
    async def test_what_an_operator_sends(self, shop: Shop, type_out: MessageType) -> None:
        sent = await shop.greeted_by(ANNA)
        message = await _message_of(shop, type_out)
        await shop.operator_says(sent, message.pop("text", ""), **message)
        if type_out in MEDIA_TYPES:
            await shop.reads_of(ANNA, CAPTION)
        (seen, *_) = await shop.seen(ANNA, 1)
        expected = _expected(type_out, shop.capabilities)
        assert seen.type == expected, (
            f"a {type_out} is sent as {expected} (capabilities.types), the client sees a {seen.type}"
        )
        _check_content(type_out, seen)

    @pytest.mark.parametrize("words_of", TEXTS)
    async def test_an_operators_words_arrive_as_they_are(self, shop: Shop, words_of: str) -> None:
        await shop.operator_says(await shop.greeted_by(ANNA), TEXTS[words_of])
        (seen,) = await shop.seen(ANNA, 1)
        assert seen.text == TEXTS[words_of], (
            "an operator's text is plain text: whatever the messenger would read as a format has to be escaped or switched off"
        )

    async def test_an_operators_long_texts_arrive_whole(self, shop: Shop) -> None:
        longest = shop.far_side.can.longest_text
        sent = await shop.greeted_by(ANNA)
        fits, too_long = words(longest), words(2 * longest + 100)
        for text in (fits, too_long, "The end"):
            await shop.operator_says(sent, text)
        await shop.reached(ANNA, "The end")
        first, *rest = shop.texts(ANNA)
        assert first == fits, f"a text of {longest} characters is sent as one message"
        assert _letters("".join(text or "" for text in rest)) == _letters(too_long + "The end"), (
            "a text beyond the messenger's limit is sent as several messages, in order, with nothing lost"
        )

    async def test_what_operators_send_stays_in_order(self, shop: Shop) -> None:
        clients = {client: await shop.greeted_by(client) for client in (ANNA, BORIS, CLARA)}
        for number in range(6):
            for client, sent in clients.items():
                await shop.operator_says(sent, f"{client.name} {number}")
        for client in clients:
            await shop.seen(client, 6)
            assert shop.texts(client) == [f"{client.name} {number}" for number in range(6)]

    async def test_an_operator_answers_a_certain_message(self, shop: Shop) -> None:
        sent = await shop.client_says(ANNA, "Is the red one there?")
        row = await shop.arrived(sent)
        await shop.operator_says(sent, "It is", reply_to=row["id"])
        (seen,) = await shop.seen(ANNA, 1)
        if shop.capabilities.quotes:
            assert seen.reply_to == sent.message_id, (
                "Message.reply_to is the id of the quoted message"
            )
            assert seen.text == "It is"
        else:
            assert seen.text == "> Is the red one there?\nIt is"

    async def test_an_operator_answers_their_own_message(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        row = await shop.operator_says(sent, "We have it")
        await shop.reached(ANNA, "We have it")
        await shop.operator_says(sent, "In blue", reply_to=row["id"])
        first, second, *_ = await shop.seen(ANNA, 2)
        if shop.capabilities.quotes:
            assert second.reply_to == first.id, (
                "the ids that the messenger gives are returned as Taken.message_ids, and names_messages is set"
            )
        else:
            assert second.text == "> We have it\nIn blue"

    async def test_an_operator_reacts(self, shop: Shop) -> None:
        sent = await shop.client_says(ANNA, "Thanks")
        row = await shop.arrived(sent)
        await shop.crm.operator_reacts(row["id"], "❤")
        if shop.capabilities.reactions:
            await shop.reaction_seen(ANNA, sent, "❤")
        else:
            await shop.reached(ANNA, "❤")

    async def test_an_operator_sends_buttons(self, shop: Shop) -> None:
        buttons = {"mode": "inline", "buttons": [[{"text": "Yes"}, {"text": "No"}]]}
        await shop.operator_says(await shop.greeted_by(ANNA), "Is it right?", markup=buttons)
        (seen,) = await shop.seen(ANNA, 1)
        if shop.capabilities.buttons:
            assert (seen.text, seen.buttons) == ("Is it right?", ("Yes", "No"))
        else:
            assert seen.text == "Is it right?\n▫ Yes\n▫ No"

    async def test_an_operator_types(self, shop: Shop) -> None:
        """Whether clients see it or not: it keeps nothing that follows from arriving, and is no fault."""
        sent = await shop.greeted_by(ANNA)
        await shop.operator_types(sent)
        await shop.operator_says(sent, "Here it is")
        await shop.reached(ANNA, "Here it is")

    async def test_a_large_file_arrives_whole(self, shop: Shop) -> None:
        size = min(shop.capabilities.max_bytes or _LARGE, _LARGE)
        file = File("report.pdf", "application/pdf", _pdf(size))
        sent = await shop.greeted_by(ANNA)
        link = await shop.crm.attach(file)
        names = {"type": MessageType.FILE, "media": link, "file_name": file.name}
        await shop.operator_says(sent, "", **names, file_size=size)
        (seen,) = await shop.seen(ANNA, 1)
        check_file(seen.file, file.data)

    @needs("file_limit")
    async def test_a_file_beyond_the_limit_comes_as_a_link(self, shop: Shop) -> None:
        limit = shop.far_side.can.file_limit or 0
        assert shop.capabilities.max_bytes == limit, (
            "Abilities.file_limit is capabilities.max_bytes"
        )
        file = File("film.pdf", "application/pdf", _pdf(limit + 1))
        sent = await shop.greeted_by(ANNA)
        link = await shop.crm.attach(file)
        names = {"type": MessageType.FILE, "media": link, "file_name": file.name}
        await shop.operator_says(sent, "", **names, file_size=limit + 1)
        (seen,) = await shop.seen(ANNA, 1)
        found = re.search(r"https?://\S+", seen.text or "")
        assert found, f"the client sees no link to the file but {seen.text!r}"
        check_file(await shop.crm.download(found[0]), file.data)

    async def test_the_operator_sees_that_it_arrived(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        row = await shop.operator_says(sent, "It is on its way")
        await shop.reached(ANNA, "It is on its way")
        if not shop.capabilities.reports:
            await shop.marked(sent, row["id"], 1)

    @needs("reads")
    async def test_the_operator_sees_that_it_was_read(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        row = await shop.operator_says(sent, "It is ready")
        await shop.far_side.client_reads(ANNA, await shop.reached(ANNA, "It is ready"))
        await shop.marked(sent, row["id"], 2)

    async def test_an_operator_writes_first(self, shop: Shop) -> None:
        """To a phone number. Where that cannot be, the operator is told so: it neither waits nor vanishes."""
        row = await shop.crm.operator_begins(shop.scope_id, ANNA.phone, "Your order is here")
        if shop.far_side.can.begun_by_operators:
            await shop.reached(ANNA, "Your order is here")
        else:
            await shop.failed(row["chat_id"], row["id"])


async def _message_of(shop: Shop, kind: MessageType) -> dict[str, Any]:
    """Return an operator's message of this type."""
    if kind is MessageType.TEXT:
        return {"text": "Yes, it is"}
    if kind is MessageType.LOCATION:
        return {"type": kind, "location": {"lat": PLACE.lat, "lon": PLACE.lon}}
    if kind is MessageType.CONTACT:
        return {"type": kind, "contact": {"name": CARD.name, "phone": CARD.phone}}
    file = FILES[kind]
    return {
        "type": kind,
        "text": CAPTION,
        "media": await shop.crm.attach(file),
        "file_name": file.name,
        "file_size": len(file.data),
    }


def _expected(kind: MessageType, can: Capabilities) -> MessageType:
    """Return the type as which a message is sent."""
    file = FILES.get(kind)
    content = Content(
        type=kind,
        content_type=file.content_type if file else None,
        file_size=len(file.data) if file else None,
    )
    somebody = Person()
    message = Message(id="", conversation_id="", sent_at=0, sender=somebody, content=content)
    return adapt(message, can).message.content.type


def _check_content(kind: MessageType, seen: Seen) -> None:
    text = seen.text or ""
    if kind is MessageType.TEXT:
        assert text == "Yes, it is"
    if seen.type in MEDIA_TYPES:
        check_file(seen.file, FILES[kind].data)
    if kind is MessageType.LOCATION:
        assert seen.location == PLACE if seen.type == kind else str(PLACE.lat) in text
    if kind is MessageType.CONTACT:
        assert seen.contact == CARD if seen.type == kind else CARD.phone in text


def _pdf(size: int) -> bytes:
    """Return a file of this size whose pieces all differ."""
    start = b"%PDF-1.7\n"
    body = b"".join(b"%09d\n" % number for number in range(size // 10 + 1))
    return (start + body)[:size]


def _letters(text: str) -> str:
    """Return a text without the white space at which it may be cut."""
    return "".join(text.split())
