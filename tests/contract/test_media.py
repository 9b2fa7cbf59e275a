"""Files on both databases: what waits for them, what becomes of them, and how long they are kept."""

import asyncio
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatbridge.bridge.attaching import Attachments
from chatbridge.bridge.copying import HELD
from chatbridge.connectors.backend.connector import BackendConnector
from chatbridge.errors import ConfigurationError, MediaNotKept, MediaTooLarge
from chatbridge.media.files import Files
from chatbridge.media.keeping import keep
from chatbridge.model import Content, Link, Message, MessageType, encode_event
from chatbridge.parts.media import MediaParts
from chatbridge.store import journal, media, pending
from chatbridge.store.engine import Store
from chatbridge.store.entries import Draft, Entry
from chatbridge.store.media import Ended, MediaRow, MediaState
from chatbridge.store.partitions import EVERYTHING
from tests.contract.conftest import add_link
from tests.factories import make_draft, make_message, make_messenger
from tests.fakes import BEGINNING, FakeClock
from tests.hosts import make_host
from tests.media import PDF, PNG, FileServer, make_attachments, make_media_parts
from tests.pigeon import PigeonConnector
from tests.processes import free_port, until


class Deliverer:
    """Notes which lanes may go on."""

    partitions = EVERYTHING

    def __init__(self) -> None:
        self.lanes: list[int] = []
        self.told = asyncio.Event()

    def look_up(self, lanes: Iterable[int], *, again: bool) -> None:
        assert again
        self.lanes += lanes
        self.told.set()


@dataclass(frozen=True, kw_only=True)
class House:
    """The parts that have to do with files, and who hears of them."""

    clock: FakeClock
    parts: MediaParts
    attachments: Attachments
    deliverer: Deliverer

    def start(self) -> None:
        self.parts.start(self.deliverer)

    async def copy(self, entry: Entry) -> None:
        self.parts.copier.copy(entry)
        await self.deliverer.told.wait()


@pytest.fixture
async def link(store: Store, files: FileServer) -> Link:
    """A stored link whose messenger gives out files by name as well."""
    return await add_link(store, kind="pigeon", settings={"files_url": files.url})


@pytest.fixture
async def house(store: Store, clock: FakeClock, tmp_path: Path) -> AsyncIterator[House]:
    host = make_host()
    parts = make_media_parts(
        store,
        clock,
        tmp_path,
        allow=("127.0.0.1",),
        max_bytes=100_000,
        connectors={"pigeon": PigeonConnector(host)},
    )
    await host.http.start()
    await parts.open(clock.now())
    yield House(
        clock=clock,
        parts=parts,
        attachments=make_attachments(store, parts),
        deliverer=Deliverer(),
    )
    await parts.stop()
    await host.http.close()


def with_picture(link: str | None = None, **content: str) -> Message:
    picture = Content(type=MessageType.PICTURE, media_url=link, text="look", **content)
    return make_message(content=picture)


def drafted(link: Link, message_id: str, url: str | None = None, **content: str) -> Draft:
    """A message with a picture that is to be copied."""
    body = encode_event(with_picture(url, **content))
    return make_draft(link, message_id, body=body, copy_until=BEGINNING + HELD)


async def accept(store: Store, *drafts: Draft) -> list[Entry]:
    answers = await store.write(journal.accept, drafts, BEGINNING)
    return [answer.entry for answer in answers if answer.entry is not None]


async def loaded(store: Store, entry: Entry) -> Entry:
    """The entry as it waits in the database."""
    ((found,),) = await store.read(pending.load_lanes, [entry.lane], 1)
    return found


async def row_of(store: Store, media_id: bytes) -> MediaRow:
    row = await store.read(media.find, media_id)
    assert row is not None
    return row


async def test_a_message_waits_until_its_file_is_there(
    store: Store, link: Link, house: House, files: FileServer
) -> None:
    house.start()
    (entry,) = await accept(store, drafted(link, "m-1", files.link("png", "a.png")))
    assert entry.due_at == (await loaded(store, entry)).due_at == BEGINNING + HELD
    house.clock.advance(1)
    await house.copy(entry)
    assert house.deliverer.lanes == [entry.lane]
    assert (await loaded(store, entry)).due_at == house.clock.now()
    row = await row_of(store, entry.key)
    assert (row.state, row.content_type, row.size) == (MediaState.KEPT, "image/png", len(PNG))
    assert row.file_name == "a.png"


async def test_what_was_accepted_twice_is_wanted_once(store: Store, link: Link) -> None:
    (entry,) = await accept(store, drafted(link, "m-1", "https://a.example/a"))
    twice = [
        drafted(link, "m-1", "https://a.example/a"),
        drafted(link, "m-1", "https://a.example/a"),
    ]
    assert await accept(store, *twice) == []
    assert (await row_of(store, entry.key)).state is MediaState.WANTED
    again = [
        drafted(link, "m-2", "https://a.example/a"),
        drafted(link, "m-2", "https://a.example/a"),
    ]
    assert len(await accept(store, *again)) == 1


async def test_a_copy_is_tried_a_few_times(store: Store, link: Link, house: House) -> None:
    house.start()
    (entry,) = await accept(store, drafted(link, "m-1", f"http://127.0.0.1:{free_port()}/a.png"))
    house.parts.copier.copy(entry)
    for _ in range(3):
        await house.clock.somebody_sleeps(2)  # one looks now and then for what may be left to do
        house.clock.advance(6)
    await house.deliverer.told.wait()
    row = await row_of(store, entry.key)
    assert (row.state, row.code) == (MediaState.FAILED, "media_unreachable")
    assert row.file_name == "a.png"


@pytest.mark.parametrize("named", [False, True], ids=["by link", "by name"])
async def test_what_a_dead_process_was_copying_is_copied(
    store: Store, link: Link, house: House, files: FileServer, *, named: bool
) -> None:
    where = {"media_ref": "png"} if named else {"url": files.link("png")}
    (entry,) = await accept(store, drafted(link, "m-1", **where))
    house.clock.advance(31)  # on PostgreSQL another node might still be at it
    house.start()
    await house.deliverer.told.wait()
    assert (await row_of(store, entry.key)).state is MediaState.KEPT
    assert len(files.asked) == 1


async def test_what_breaks_off_on_its_way_from_a_connector_is_tried_again(
    store: Store, link: Link, house: House, files: FileServer
) -> None:
    house.start()
    (entry,) = await accept(store, drafted(link, "m-1", media_ref="cut"))
    house.parts.copier.copy(entry)
    for _ in range(3):
        await house.clock.somebody_sleeps(2)  # one looks now and then for what may be left to do
        house.clock.advance(6)
    await house.deliverer.told.wait()
    row = await row_of(store, entry.key)
    assert (row.state, row.code) == (MediaState.FAILED, "media_unreachable")
    assert len(files.asked) == 4


async def test_a_file_at_a_private_address_is_not_fetched_for_a_connector(
    store: Store, house: House
) -> None:
    house.start()
    link = await add_link(store, kind="pigeon", settings={"files_url": "http://127.0.0.2:1"})
    (entry,) = await accept(store, drafted(link, "m-1", media_ref="png"))
    await house.copy(entry)
    row = await row_of(store, entry.key)
    assert (row.state, row.code) == (MediaState.FAILED, "media_forbidden")


@pytest.mark.parametrize("ref", ["large", "endless"])
async def test_what_a_connector_gives_is_bounded(
    store: Store, link: Link, house: House, ref: str
) -> None:
    house.start()
    (entry,) = await accept(store, drafted(link, "m-1", media_ref=ref))
    await house.copy(entry)
    row = await row_of(store, entry.key)
    assert (row.state, row.code) == (MediaState.FAILED, "media_too_large")


async def test_a_file_that_its_messengers_connector_does_not_give_is_gone(
    store: Store, clock: FakeClock, link: Link, tmp_path: Path
) -> None:
    for number, connectors in enumerate(({}, {"pigeon": BackendConnector(make_host())})):
        parts = make_media_parts(store, clock, tmp_path, connectors=connectors)
        deliverer = Deliverer()
        await parts.open(clock.now())
        parts.start(deliverer)
        (entry,) = await accept(store, drafted(link, f"m-{number}", media_ref="png"))
        parts.copier.copy(entry)
        await deliverer.told.wait()
        await parts.stop()
        row = await row_of(store, entry.key)
        assert (row.state, row.code) == (MediaState.FAILED, "media_gone")
        assert "png" not in (row.detail or "")


async def test_who_sends_before_the_copy_is_there_waits_for_it(
    store: Store, link: Link, house: House, files: FileServer
) -> None:
    house.start()
    message = with_picture(files.link("png", "a.png"))
    (entry,) = await accept(store, drafted(link, "m-1", files.link("png", "a.png")))
    sent, note = await house.attachments.attach(entry, message)
    assert note is None
    assert sent.content.media_url == house.parts.links.link(entry.key, "image/png")
    assert house.deliverer.lanes == [entry.lane]


async def test_a_copy_that_keeps_a_delivery_waiting_is_given_up(
    store: Store, link: Link, house: House, files: FileServer
) -> None:
    house.start()
    files.held = asyncio.Event()
    message = with_picture(files.link("png", "a.png"))
    (entry,) = await accept(store, drafted(link, "m-1", files.link("png", "a.png")))
    sending = asyncio.create_task(house.attachments.attach(entry, message))
    await files.first_byte.wait()
    await house.clock.somebody_sleeps(2)  # one looks now and then for what may be left to do
    house.clock.advance(60)
    sent, note = await sending
    assert sent.content.media_url == files.link("png", "a.png")
    assert "media_unreachable" in (note or "")
    files.held.set()
    await house.deliverer.told.wait()
    assert (await row_of(store, entry.key)).state is MediaState.FAILED


async def test_what_ended_once_has_ended(store: Store, link: Link) -> None:
    (entry,) = await accept(store, drafted(link, "m-1", "https://a.example/a.png"))
    failed = Ended(state=MediaState.FAILED, code="media_gone", detail="HTTP 404")
    kept = Ended(state=MediaState.KEPT, content_type="image/png", size=5)
    await store.write(media.end, entry.key, failed, BEGINNING + 1)
    await store.write(media.end, entry.key, kept, BEGINNING + 2)
    row = await row_of(store, entry.key)
    assert (row.state, row.ended_at) == (MediaState.FAILED, BEGINNING + 1)
    assert (await loaded(store, entry)).due_at == BEGINNING + 1


# --- how long files are kept ----------------------------------------------------------------------


async def bytes_of(*pieces: bytes) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


async def read(files: Files, media_id: bytes) -> bytes:
    return b"".join([piece async for piece in files.read(media_id, 0, 20_000_000)])


async def test_old_files_go_and_so_do_unnamed_uploads(
    store: Store, link: Link, house: House, files: FileServer
) -> None:
    house.start()
    parts, clock, messenger = house.parts, house.clock, make_messenger()
    named = await parts.uploads.take(messenger, bytes_of(PDF), file_name="a.pdf")
    unnamed = await parts.uploads.take(messenger, bytes_of(PDF), file_name="b.pdf")
    await store.write(media.use, [bytes.fromhex(named.id)], clock.now())
    (entry,) = await accept(store, drafted(link, "m-1", files.link("png")))
    await house.copy(entry)
    assert await parts.retention.remove_page() == 0
    clock.advance(24 * 3600 + 1)
    assert await parts.retention.remove_page() == 1
    assert await store.read(media.find, bytes.fromhex(unnamed.id)) is None
    with pytest.raises(MediaNotKept):
        await read(parts.files, bytes.fromhex(unnamed.id))
    assert await read(parts.files, entry.key) == PNG
    clock.advance(30 * 24 * 3600)
    assert await parts.retention.remove_page() == 2
    assert await parts.retention.remove_page() == 0
    assert await store.read(media.find, entry.key) is None
    with pytest.raises(MediaNotKept):
        await read(parts.files, entry.key)


async def test_a_message_whose_file_is_gone_says_so(store: Store, link: Link, house: House) -> None:
    upload = await house.parts.uploads.take(make_messenger(), bytes_of(PDF), file_name="a.pdf")
    house.clock.advance(2 * 24 * 3600)
    assert await house.parts.retention.remove_page() == 1
    content = Content(type=MessageType.FILE, media_id=upload.id, file_name="a.pdf", text="see")
    (entry,) = await accept(store, make_draft(link, "m-1"))
    sent, note = await house.attachments.attach(entry, make_message(content=content))
    assert sent.content == Content(type=MessageType.TEXT, text="see\n📎 a.pdf")
    assert note is not None


# --- where files are kept -------------------------------------------------------------------------


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server that speaks S3, with a bucket `files`."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            url = f"http://127.0.0.1:{port}"
            until(lambda: answers(url), "S3 answers")
            making = urllib.request.Request(f"{url}/files", method="PUT")
            urllib.request.urlopen(making).close()
            yield url
        finally:
            server.terminate()


def answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url).close()
    except OSError:
        return False
    return True


@pytest.fixture(params=["folder", "s3"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> Files:
    """Where files are kept, each in turn."""
    if request.param == "folder":
        kept = Files(str(tmp_path / "kept"), {})
    else:
        options = {"access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
        url = request.getfixturevalue("s3")
        kept = Files("s3://files/some/prefix", options | {"endpoint": url})
    await kept.open(BEGINNING / 1_000_000)
    return kept


LARGE = os.urandom(1_000_000) * 12
ID = bytes(range(16))


async def test_what_is_kept_is_read_again(place: Files) -> None:
    pieces = [LARGE[begin : begin + 700_000] for begin in range(0, len(LARGE), 700_000)]
    kept = await keep(place, ID, bytes_of(*pieces), max_bytes=20_000_000)
    assert kept.size == len(LARGE)
    assert await read(place, ID) == LARGE
    part = [piece async for piece in place.read(ID, 5_000_000, 5_000_010)]
    assert b"".join(part) == LARGE[5_000_000:5_000_010]
    await keep(place, ID, bytes_of(b"", PNG), max_bytes=1000)
    assert await read(place, ID) == PNG
    await place.delete(ID)
    await place.delete(ID)
    with pytest.raises(MediaNotKept):
        await read(place, ID)


async def test_what_breaks_off_leaves_nothing(place: Files) -> None:
    with pytest.raises(MediaTooLarge):
        await keep(place, ID, bytes_of(LARGE), max_bytes=11_999_999)
    with pytest.raises(MediaNotKept):
        await read(place, ID)


async def test_an_empty_file_is_a_file(place: Files) -> None:
    assert (await keep(place, ID, bytes_of(), max_bytes=5)).size == 0


async def test_a_place_that_is_away_is_said_to_be() -> None:
    options = {"access_key_id": "a", "secret_access_key": "b", "region": "us-east-1"}
    nowhere = Files("s3://files", options | {"endpoint": f"http://127.0.0.1:{free_port()}"})
    with pytest.raises(MediaNotKept):
        await keep(nowhere, ID, bytes_of(PNG), max_bytes=1000)


@pytest.mark.parametrize("url", ["gopher://a/b", "s3://"])
def test_a_place_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="CHATBRIDGE_MEDIA__URL"):
        Files(url, {"nonsense": "x"})


async def test_a_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ConfigurationError, match="CHATBRIDGE_MEDIA__URL"):
        await Files(str(tmp_path / "file" / "below"), {}).open(0)


async def test_what_a_crash_left_half_written_goes(tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    (folder / "ab").mkdir(parents=True)
    for name in ("ab12#1", "ab12"):
        (folder / "ab" / name).write_bytes(b"x")
        os.utime(folder / "ab" / name, (0, 0))
    (folder / "ab" / "ab34#2").write_bytes(b"x")
    now = (folder / "ab" / "ab34#2").stat().st_mtime
    await Files(str(folder), {}).open(now)
    assert sorted(path.name for path in folder.glob("*/*")) == ["ab12", "ab34#2"]
