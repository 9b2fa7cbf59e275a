"""The letter that registers a channel says everything that is asked, and nothing leaves that would be refused."""

from dataclasses import replace

import pytest

from chatbridge.protocol.amojo.icon import icon_faults
from chatbridge.protocol.amojo.registration import (
    LANGUAGES,
    Application,
    faults_of,
    write_letter,
)

ICON = b'<svg xmlns="http://www.w3.org/2000/svg" width="14" height="14" viewBox="0 0 14 14"><circle cx="7" cy="7" r="7"/></svg>'
GOOD = Application(
    service_name="Chatbridge",
    hook_url="https://bridge.example.com/location/:scope_id",
    accounts=("11223344", "11334455"),
    email="help@example.com",
    icon=ICON,
    for_everybody=True,
    similar="Other chats",
    unique="Nothing is lost.",
    client_uuid="5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1",
    widget_code="bridge_widget",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_letter_has_every_point_of_the_source_document(language: str) -> None:
    letter = write_letter(GOOD, language)
    numbered = [line for line in letter.splitlines() if line[:2].rstrip(".").isdigit()]
    assert [line[0] for line in numbered] == list("123456")
    for said in (
        "Chatbridge",
        "https://bridge.example.com/location/:scope_id",
        "11223344, 11334455",
        "help@example.com",
        "14x14",
        "Other chats",
        "Nothing is lost.",
        "5d0c1b7a-9f42-4f7e-8a55-2c90f3ab77e1",
        "bridge_widget",
    ):
        assert said in letter
    short = write_letter(
        replace(GOOD, similar=None, unique=None, client_uuid=None, widget_code=None), language
    )
    assert "None" not in short


def test_what_is_right_has_no_faults() -> None:
    assert faults_of(GOOD) == {}


@pytest.mark.parametrize(
    ("change", "member"),
    [
        ({"service_name": "Чаты"}, "service_name"),
        ({"service_name": "7chats"}, "service_name"),
        ({"service_name": ""}, "service_name"),
        ({"hook_url": "http://bridge.example.com/location/:scope_id"}, "hook_url"),
        ({"hook_url": "https://localhost/location/:scope_id"}, "hook_url"),
        ({"hook_url": "https://bridge.example.com/location/"}, "hook_url"),
        ({"hook_url": "https://bridge.example.com/:scope_id/:scope_id"}, "hook_url"),
        ({"hook_url": "https://bridge.example.com/location/:scope_id?a=b"}, "hook_url"),
        ({"hook_url": "https://мост.рф/location/:scope_id"}, "hook_url"),
        ({"hook_url": "https://xn--l1aen.xn--p1ai/location/:scope_id"}, "hook_url"),
        ({"hook_url": "https://[::1/location/:scope_id"}, "hook_url"),
        ({"accounts": ()}, "accounts"),
        ({"accounts": ("11223344", "romashka")}, "accounts"),
        ({"email": "help"}, "email"),
        ({"email": "help@host"}, "email"),
        ({"icon": b""}, "icon"),
        ({"unique": None}, "unique"),
        ({"client_uuid": "romashka"}, "client_uuid"),
    ],
)
def test_what_would_be_refused_is_named(change: dict[str, object], member: str) -> None:
    assert list(faults_of(replace(GOOD, **change))) == [member]  # type: ignore[arg-type]  # a table


def test_good_icons_have_no_faults() -> None:
    assert icon_faults(ICON) == []
    assert icon_faults(ICON.replace(b' width="14" height="14"', b"")) == []
    assert icon_faults(ICON.replace(b'"14"', b'"14px"')) == []


@pytest.mark.parametrize(
    ("icon", "said"),
    [
        (b"", "is missing"),
        (b"\x89PNG\r\n", "is no SVG"),
        (b"<svg></svg>", "its root"),
        (ICON.replace(b'"14"', b'"24"'), "must have width"),
        (ICON.replace(b"0 0 14 14", b"0 0 14 20"), "must be square"),
        (ICON.replace(b' width="14" height="14" viewBox="0 0 14 14"', b""), "must say its size"),
        (ICON.replace(b"<circle", b"<script/><circle"), "<script>"),
        (ICON.replace(b"<circle", b'<circle onload="x()"'), "onload"),
        (
            ICON.replace(b"<circle", b'<circle style="fill:url(https://evil.example)"'),
            "load anything",
        ),
        (
            ICON.replace(b'<circle cx="7" cy="7" r="7"/>', b'<image href="https://a.example"/>'),
            "<image>",
        ),
        (ICON.replace(b'<circle cx="7" cy="7" r="7"/>', b""), "shows nothing"),
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + ICON, "document type"),
        (ICON + b" " * (100 * 1024), "at most"),
    ],
)
def test_bad_icons_are_told_why(icon: bytes, said: str) -> None:
    assert said in "; ".join(icon_faults(icon))
