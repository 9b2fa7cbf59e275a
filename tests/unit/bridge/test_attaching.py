"""What a message says about its file when it is sent."""

from typing import Any

import pytest
from msgspec.structs import replace

from chatbridge.bridge.attaching import attached
from chatbridge.media.links import MediaLinks
from chatbridge.model import Content, MessageType
from chatbridge.store.media import MediaRow, MediaState
from tests.fakes import BEGINNING
from tests.media import PUBLIC_URL

LINKS = MediaLinks(PUBLIC_URL, ["a passphrase"])
ID = bytes(range(16))
URL = "https://files.example/a.png"
LINKED = Content(type=MessageType.PICTURE, media_url=URL, file_name="a.png", text="look")
NAMED = Content(type=MessageType.PICTURE, media_ref="file-1", file_name="a.png", text="look")


def row(state: MediaState, **members: Any) -> MediaRow:
    return MediaRow(id=ID, state=state, created_at=BEGINNING, **members)


def failed(code: str) -> MediaRow:
    return row(MediaState.FAILED, code=code, detail="as it was")


KEPT = row(MediaState.KEPT, content_type="image/png", size=5)


@pytest.mark.parametrize("content", [LINKED, NAMED], ids=["by link", "by name"])
def test_what_is_kept_has_our_link_and_nothing_else(content: Content) -> None:
    sent, note = attached(content, KEPT, LINKS)
    assert sent == Content(
        type=MessageType.PICTURE,
        text="look",
        media_url=LINKS.link(ID, "image/png"),
        content_type="image/png",
        file_name="a.png",
        file_size=5,
    )
    assert note is None


@pytest.mark.parametrize(
    ("content", "found", "left"),
    [
        (LINKED, None, "look\n📎 a.png"),
        (LINKED, row(MediaState.ARRIVING), "look\n📎 a.png"),
        (LINKED, failed("media_forbidden"), "look\n📎 a.png"),
        (LINKED, failed("media_gone"), f"look\n📎 a.png {URL}"),
        (NAMED, None, "look\n📎 a.png"),
        (NAMED, failed("media_forbidden"), "look\n📎 a.png (media_forbidden)"),
        (NAMED, failed("media_gone"), "look\n📎 a.png (media_gone)"),
        (NAMED, failed("media_too_large"), "look\n📎 a.png (media_too_large)"),
        (NAMED, failed("media_unreachable"), "look\n📎 a.png (media_unreachable)"),
        (NAMED, failed("internal"), "look\n📎 a.png (internal)"),
    ],
)
def test_what_has_no_file_says_so_in_text(
    content: Content, found: MediaRow | None, left: str
) -> None:
    sent, note = attached(content, found, LINKS)
    assert sent == Content(type=MessageType.TEXT, text=left)
    assert note is not None
    assert "sent as text" in note


@pytest.mark.parametrize("code", ["media_too_large", "media_unreachable", "internal"])
def test_a_link_with_which_the_far_side_may_have_more_luck_is_passed_on(code: str) -> None:
    sent, note = attached(LINKED, failed(code), LINKS)
    assert sent == LINKED
    assert note == f"not copied ({code}: as it was): the original link was passed on"


def test_a_file_without_a_name_is_a_sign_and_the_reason() -> None:
    sent, _ = attached(replace(NAMED, file_name=None, text=None), failed("media_gone"), LINKS)
    assert sent.text == "📎 (media_gone)"
