"""A v2 and a v1 callback with every member that is documented ("Chats webhooks"), ids invented."""

import copy
from typing import Any

Wire = dict[str, Any]

CHAT = "dddddddd-0000-4111-8222-eeeeeeeeeeee"
CLIENT = "f0f0f0f0-0000-4111-8222-000000000001"
OPERATOR = "f0f0f0f0-0000-4111-8222-000000000002"
MARKUP = {
    "mode": "inline",
    "buttons": [[{"text": "Accept"}, {"text": "Site", "url": "https://example.org"}]],
}
TEMPLATE = {
    "id": 701,
    "external_id": "tpl-offer",
    "content": "Offer for order {{lead.id}}",
    "params": [{"key": "{{lead.id}}", "value": "42"}],
}
FULL: Wire = {
    "account_id": "66666666-7777-4888-9999-aaaaaaaaaaaa",
    "time": 1736847061,
    "message": {
        "receiver": {
            "id": CLIENT,
            "name": "Ann",
            "client_id": "cust-1",
            "phone": "+79000000001",
            "email": "",
        },
        "sender": {"id": OPERATOR, "name": "Kate"},
        "conversation": {"id": CHAT, "client_id": "conv-1"},
        "source": {"external_id": "line-1"},
        "timestamp": 1736847060,
        "msec_timestamp": 1736847060500,
        "message": {
            "id": "bbbbbbbb-0000-4111-8222-cccccccccccc",
            "type": "picture",
            "text": "Offer for order 42",
            "markup": MARKUP,
            "tag": "",
            "media": "https://amojo.example/attachments/p.jpg",
            "thumbnail": "https://amojo.example/attachments/p_320x200.jpg",
            "file_name": "p.jpg",
            "file_size": 20480,
            "media_group_id": "album-1",
            "template": TEMPLATE,
        },
    },
}
FLAT: Wire = {
    "receiver": "cust-1",
    "conversation_id": "conv-1",
    "msec_timestamp": 1531000060123,
    "type": "picture",
    "text": "",
    "media": "https://amojo.example/attachments/p.jpg",
    "thumbnail": "https://amojo.example/attachments/p_320x200.jpg",
    "file_name": "p.jpg",
    "file_size": 20480,
}


def changed(hook: Wire, path: str, value: object) -> Wire:
    """Return a copy with one member set, or left out where the value is `...`."""
    result = copy.deepcopy(hook)
    *parents, name = path.split(".")
    place = result
    for parent in parents:
        place = place[parent]
    if value is ...:
        del place[name]
    else:
        place[name] = value
    return result
