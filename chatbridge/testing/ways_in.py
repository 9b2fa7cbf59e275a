"""What clients do reaches amoCRM."""

import pytest

from chatbridge.model import MEDIA_TYPES, MessageType
from chatbridge.testing.crm import Row
from chatbridge.testing.far_side import Said, Sent
from chatbridge.testing.needs import needs
from chatbridge.testing.shop import ANNA, BORIS, CLARA, Shop
from chatbridge.testing.things import TEXTS, check_file, said_of, words


class ClientsWrite:
    """Tests of the way from a client to an operator."""

    async def test_what_a_client_sends(self, shop: Shop, type_in: MessageType) -> None:
        can = shop.far_side.can
        said = said_of(type_in, captions=can.captions)
        sent = await shop.far_side.client_sends(ANNA, said)
        row = await shop.arrived(sent)
        assert row["type"] == type_in, f"the message is a {type_in}, amoCRM got a {row['type']}"
        assert row["text"] == (said.text or ""), "text of the message"
        assert row["author"]["name"] == ANNA.name, "Message.sender.name is the client's name"
        chat = await shop.crm.find_chat(shop.scope_id, sent.conversation_id)
        assert chat is not None
        assert chat["person"]["client_id"] == sent.client_id, "Message.sender.id is the client's id"
        await _check_content(shop, row, said, sent)

    @pytest.mark.parametrize("words_of", TEXTS)
    async def test_a_clients_words_arrive_as_they_are(self, shop: Shop, words_of: str) -> None:
        row = await shop.arrived(await shop.client_says(ANNA, TEXTS[words_of]))
        assert row["text"] == TEXTS[words_of], "plain text is handed in as the client wrote it"

    async def test_a_clients_longest_text_arrives_whole(self, shop: Shop) -> None:
        text = words(shop.far_side.can.longest_text)
        assert (await shop.arrived(await shop.client_says(ANNA, text)))["text"] == text

    @needs("repeats")
    async def test_what_the_messenger_tells_twice_is_taken_once(self, shop: Shop) -> None:
        first = await shop.client_says(ANNA, "Only once")
        await shop.far_side.repeats_last()
        await shop.arrived(first)
        await shop.far_side.repeats_last()
        # It comes behind the repeats, so they have been taken by the time it is there.
        await shop.arrived(await shop.client_says(ANNA, "Something else"))
        assert await shop.said_by_clients(first) == ["Only once", "Something else"], (
            "a message that is told again must have the same Message.id"
        )

    async def test_what_clients_send_stays_in_order(self, shop: Shop) -> None:
        said: dict[str, list[str]] = {}
        last: dict[str, Sent] = {}
        for number in range(8):
            for client in (ANNA, BORIS, CLARA):
                text = f"{client.name} {number}"
                said.setdefault(client.name, []).append(text)
                last[client.name] = await shop.client_says(client, text)
        for name, sent in last.items():
            await shop.arrived(sent)
            assert await shop.said_by_clients(sent) == said[name], (
                "hand a conversation's messages in one after the other, each once the one before it was taken"
            )

    @needs("edits")
    async def test_a_client_corrects_a_message(self, shop: Shop) -> None:
        sent = await shop.client_says(ANNA, "Two pieces")
        await shop.arrived(sent)
        await shop.far_side.client_edits(sent, "Three pieces")
        await shop.shows(sent.conversation_id, sent.message_id, text="Three pieces", edited=True)
        await shop.far_side.client_edits(sent, "Four pieces")
        await shop.shows(sent.conversation_id, sent.message_id, text="Four pieces")

    @needs("reactions")
    async def test_a_client_reacts_and_takes_it_back(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        reply = await shop.operator_says(sent, "We have it")
        seen = await shop.reached(ANNA, "We have it")
        await shop.stepped(reply["id"], "accepted")
        for ours, theirs in ((sent.message_id, sent.message_id), (seen.id, reply["id"])):
            await shop.far_side.client_reacts(ANNA, ours, "👍")
            await shop.reacted(sent, theirs, ["👍"])
            await shop.far_side.client_reacts(ANNA, ours, None)
            await shop.reacted(sent, theirs, [])

    @needs("replies")
    async def test_a_client_answers_a_certain_message(self, shop: Shop) -> None:
        sent = await shop.greeted_by(ANNA)
        reply = await shop.operator_says(sent, "Red or blue?")
        seen = await shop.reached(ANNA, "Red or blue?")
        await shop.stepped(reply["id"], "accepted")
        for ours, theirs in ((seen.id, reply["id"]), (sent.message_id, sent.message_id)):
            answer = await shop.client_says(ANNA, f"About {ours}", reply_to=ours)
            row = await shop.arrived(answer)
            assert row["reply_to"], f"Message.reply_to names {ours}, amoCRM got no quote"
            quoted = row["reply_to"]["message"]
            assert theirs in {quoted.get("id"), quoted.get("msgid")}, (
                f"the quoted message is {theirs}, amoCRM got {quoted}"
            )


async def _check_content(shop: Shop, row: Row, said: Said, sent: Sent) -> None:
    if said.location is not None:
        got = (row["location"]["lat"], row["location"]["lon"])
        assert got == pytest.approx((said.location.lat, said.location.lon), abs=1e-5)
    if said.contact is not None:
        assert row["contact"]["phone"] == said.contact.phone
        assert row["contact"]["name"] == said.contact.name
    if said.type in MEDIA_TYPES and said.file is not None:
        check_file(await shop.crm.download(row["media"]), said.file.data)
    if sent.file_name is not None:
        assert row["file_name"] == sent.file_name, "Content.file_name"
