"""What is taken as widget.zip, and the sentence for what is not."""

from typing import Any

import pytest

from chatbridge.sandbox.crm.archive import ArchiveError, read_archive
from tests.sandbox.integrator import CLIENT, MANIFEST, Integrator, widget_zip, zipped
from tests.sandbox.messenger import Desk


def with_widget(**members: Any) -> dict[str, Any]:
    return MANIFEST | {"widget": MANIFEST["widget"] | members}


def test_a_widget_is_read() -> None:
    archive = read_archive(widget_zip())
    assert (archive.version, archive.fields.keys()) == ("1.0.0", {"bridge_state"})
    assert archive.locations == ("settings", "lead_sources", "advanced_settings")
    assert sorted(archive.files) == ["i18n/en.json", "i18n/ru.json", "manifest.json", "script.js"]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"not a zip", "not a zip archive"),
        (zipped({"script.js": ""}), "there is no manifest.json"),
        (zipped({"widget/manifest.json": "{}"}), "root of the archive"),
        (widget_zip("{"), "manifest.json is not JSON"),
        (widget_zip("[]"), "manifest.json is not an object"),
        (widget_zip(b"\xef\xbb\xbf{}"), "byte order mark"),
        (widget_zip(with_widget(version="")), "widget.version"),
        (widget_zip(with_widget(interface_version=1)), "widget.interface_version"),
        (widget_zip(with_widget(locale=[])), "widget.locale"),
        (widget_zip(with_widget(locale=["pt"])), "there is no i18n/pt.json"),
        (widget_zip(files={"i18n/ru.json": "{,}"}), "i18n/ru.json is not JSON"),
        (zipped({"manifest.json": "{}"}), "there is no script.js"),
        (zipped({f"{n}.txt": "" for n in range(501)}), "more than 500 files"),
        (zipped({"zeros": b"\0" * (21 * 2**20)}), "20 MB"),
    ],
)
def test_what_is_wrong_with_an_archive_is_said(content: bytes, named: str) -> None:
    with pytest.raises(ArchiveError, match=named):
        read_archive(content)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(ArchiveError) as refused:
        read_archive(zipped({"manifest.json": "{}"}))
    assert str(refused.value).count(";") == 3


async def test_an_upload_replaces_what_was_there(desk: Desk, integrator: Integrator) -> None:
    refused = await integrator.upload(b"not a zip")
    assert (refused.status, refused.json["error"]["code"]) == (400, "bad_widget")
    assert (await integrator.upload()).json["widget"]["version"] == "1.0.0"
    again = await integrator.upload(widget_zip(with_widget(version="1.0.1")))
    assert again.json["widget"]["version"] == "1.0.1"
    await desk.control("POST", "/integrations", {"client_id": CLIENT, "kind": "external"})
    assert (await integrator.upload()).status == 400
