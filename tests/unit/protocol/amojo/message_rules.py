"""The rules of amojo for a body that publishes a client's message, written down apart from the code that makes it.

Source: "Chats API reference", sending a message. The service checks types strictly: an id that is a number is refused.
"""

from typing import Any

Wire = dict[str, Any]

ALWAYS = {"type": str, "text": str}
MEDIA = {"media": str, "file_name": str, "file_size": int}
LENGTH = {"media_duration": int}
KINDS: dict[str, tuple[set[str], dict[str, type]]] = {
    # type: (members it needs, members it may have)
    "text": ({"text"}, {}),
    "picture": ({"media", "file_name", "file_size"}, MEDIA),
    "file": ({"media", "file_name", "file_size"}, MEDIA),
    "video": ({"media", "file_name", "file_size"}, MEDIA | LENGTH),
    "voice": ({"media"}, MEDIA | LENGTH),
    "audio": ({"media"}, MEDIA | LENGTH),
    "sticker": ({"media"}, MEDIA | {"sticker_id": str}),
    "location": ({"location"}, {"location": dict}),
    "contact": ({"contact"}, {"contact": dict}),
}
PAYLOAD = {
    "timestamp": int,
    "msec_timestamp": int,
    "msgid": str,
    "conversation_id": str,
    "conversation_ref_id": str,
    "silent": bool,
    "source": dict,
    "sender": dict,
    "message": dict,
    "reply_to": dict,
}
PERSON = {
    "id": str,
    "ref_id": str,
    "name": str,
    "avatar": str,
    "profile": dict,
    "profile_link": str,
}


def check_new_message(body: Wire) -> None:
    assert set(body) == {"event_type", "payload"}
    assert body["event_type"] == "new_message"
    payload = body["payload"]
    needed = {"timestamp", "msec_timestamp", "msgid", "conversation_id", "sender", "message"}
    check_members(payload, needed, PAYLOAD)
    assert payload["msec_timestamp"] // 1000 == payload["timestamp"]
    check_sender(payload["sender"])
    check_content(payload["message"])
    if "source" in payload:
        check_members(payload["source"], {"external_id"}, {"external_id": str})
    if "reply_to" in payload:
        check_members(payload["reply_to"], {"message"}, {"message": dict})
        check_members(payload["reply_to"]["message"], {"msgid"}, {"msgid": str})


def check_sender(sender: Wire) -> None:
    check_members(sender, {"id", "name"}, PERSON)
    if "profile" in sender:
        check_members(sender["profile"], set(), {"phone": str, "email": str})
        assert sender["profile"], "an empty profile is left out"


def check_content(message: Wire) -> None:
    needed, may_have = KINDS[message["type"]]
    check_members(message, {"type"} | needed, ALWAYS | may_have)
    if "location" in message:
        both = {"lat": float, "lon": float}
        check_members(message["location"], set(both), both)
    if "contact" in message:
        both = {"name": str, "phone": str}
        check_members(message["contact"], set(both), both)


def check_members(wire: Wire, needed: set[str], allowed: dict[str, type]) -> None:
    assert needed <= set(wire), f"missing: {needed - set(wire)}"
    assert set(wire) <= set(allowed), f"unknown here: {set(wire) - set(allowed)}"
    for name, value in wire.items():
        assert type(value) is allowed[name], f"{name} is {value!r}"
        if allowed[name] is int:
            assert value >= 0, f"{name} is {value!r}"
