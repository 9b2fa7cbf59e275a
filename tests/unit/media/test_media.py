"""What files are, how they are called, and the links by which they are fetched."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbridge.media.kinds import UNKNOWN, content_type_of, extension_of, fits
from chatbridge.media.links import MediaLinks
from chatbridge.media.names import disposition, harmless_name, name_in
from chatbridge.model import MessageType
from tests.media import HTML, JPEG, MP3, MP4, OGG, PDF, PNG, PUBLIC_URL, SVG, WEBP

TYPES = [
    (PNG, "image/png"),
    (JPEG, "image/jpeg"),
    (WEBP, "image/webp"),
    (PDF, "application/pdf"),
    (OGG, "audio/ogg"),
    (MP3, "audio/mpeg"),
    (MP4, "video/mp4"),
    (HTML, "text/html"),
    (b"\xef\xbb\xbf  <HTML>", "text/html"),
    (SVG, "image/svg+xml"),
    (b'<?xml version="1.0"?><svg/>', "image/svg+xml"),
    (b'<?xml version="1.0"?><a/>', "text/xml"),
    ("Прайс\n".encode(), "text/plain"),
    ("я".encode() * 5000, "text/plain"),
    (b"\xff\xfe\0a", UNKNOWN),
    (b"", UNKNOWN),
]


@pytest.mark.parametrize(("data", "content_type"), TYPES)
def test_a_file_is_what_it_begins_with(data: bytes, content_type: str) -> None:
    assert content_type_of(data) == content_type


@given(st.binary(max_size=9000))
def test_any_bytes_are_something(data: bytes) -> None:
    assert "/" in content_type_of(data)


@pytest.mark.parametrize(
    ("kind", "content_type", "well"),
    [
        (MessageType.PICTURE, "image/png", True),
        (MessageType.PICTURE, "text/html", False),
        (MessageType.PICTURE, "image/svg+xml", False),
        (MessageType.PICTURE, UNKNOWN, False),
        (MessageType.VOICE, "audio/ogg", True),
        (MessageType.VOICE, "video/webm", True),
        (MessageType.VOICE, UNKNOWN, True),
        (MessageType.VOICE, "application/pdf", False),
        (MessageType.VIDEO, "audio/ogg", False),
        (MessageType.STICKER, "application/gzip", True),
        (MessageType.FILE, "text/html", True),
    ],
)
def test_a_message_carries_what_its_type_says(
    kind: MessageType, content_type: str, *, well: bool
) -> None:
    assert fits(kind, content_type) is well


@pytest.mark.parametrize(
    ("name", "harmless"),
    [
        ("a.png", "a.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\a.exe", "a.exe"),
        ("..", None),
        ("", None),
        (None, None),
        ("a\r\nSet-Cookie: x", "aSet-Cookie x"),
        ("evil\u202egnp.exe", "evilgnp.exe"),
        ('"><img>', "img"),
        ("Прайс №1.pdf", "Прайс №1.pdf"),
        ("x" * 300 + ".tar", "x" * 196 + ".tar"),
        (".htaccess", "htaccess"),
    ],
)
def test_a_name_means_nothing_but_a_name(name: str | None, harmless: str | None) -> None:
    assert harmless_name(name) == harmless


@given(st.text())
def test_any_name_becomes_harmless(name: str) -> None:
    kept = harmless_name(name)
    assert kept is None or (
        kept.isprintable() and not set(kept) & set('/\\"<>') and kept not in {".", ".."}
    )
    assert disposition(kept, shown=False).isascii()


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://a.example/x/%D0%9F.pdf?sig=1", "П.pdf"),
        ("https://a.example", None),
        ("https://a.example/..%2f..%2fpasswd", "passwd"),
        ("https://[::1", None),
    ],
)
def test_a_link_ends_with_a_name(url: str, name: str | None) -> None:
    assert name_in(url) == name


LINKS = MediaLinks(PUBLIC_URL + "/", ["new key", "old key"])


@given(st.binary(min_size=16, max_size=16))
def test_a_link_leads_to_its_file(media_id: bytes) -> None:
    link = LINKS.link(media_id, "image/jpeg")
    assert link.startswith(f"{PUBLIC_URL}/media/")
    assert link.endswith(".jpg")
    assert LINKS.read_url(link) == media_id
    assert MediaLinks(PUBLIC_URL, ["other key"]).read_url(link) is None
    old = MediaLinks(PUBLIC_URL, ["old key"]).link(media_id, UNKNOWN)
    assert LINKS.read_url(old) == media_id


@given(st.data())
def test_a_changed_link_leads_nowhere(data: st.DataObject) -> None:
    name = LINKS.link(b"x" * 16, UNKNOWN).rpartition("/")[2]
    place = data.draw(st.integers(0, len(name) - 2))  # the last sign has two bits to spare
    sign = data.draw(st.characters(codec="utf-8"))
    changed = name[:place] + sign + name[place + 1 :]
    assert LINKS.read(changed) is None or changed == name


@pytest.mark.parametrize("name", ["", ".", "AAAA", "A" * 43, "Ж" * 43, "x" * 10_000])
def test_what_is_no_link_leads_nowhere(name: str) -> None:
    assert LINKS.read(name) is None
    assert LINKS.read_url(f"https://other.example/media/{name}") is None


def test_names_end_as_their_types_do() -> None:
    ends = {"image/jpeg": ".jpg", "application/pdf": ".pdf", UNKNOWN: "", "x/none": ""}
    assert {content_type: extension_of(content_type) for content_type in ends} == ends
