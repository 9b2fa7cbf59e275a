"""Files: what operators attach, and the downloads amoCRM makes of what clients send."""

import asyncio
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import aiohttp
from aiohttp import BodyPartReader, web

from chatbridge.sandbox.journal import Journal
from chatbridge.sandbox.switches import Switches

UPLOAD_BYTES = 50 * 2**20
UPLOADS = 200
DOWNLOAD_BYTES = 50 * 2**20
DOWNLOADS_WAITING = 1_000
DOWNLOAD_DEADLINE_S = 30
# Types a browser may show. SVG is missing on purpose: it can carry scripts.
SHOWN = frozenset(
    [
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "image/avif",
        "audio/mpeg",
        "audio/ogg",
        "audio/mp4",
        "audio/wav",
        "audio/x-wav",
        "audio/webm",
        "audio/aac",
        "video/mp4",
        "video/webm",
        "video/ogg",
        "video/quicktime",
    ]
)


class UploadError(ValueError):
    """An upload was refused; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A stored file."""

    id: str
    name: str
    size: int
    path: Path


class Media:
    """Uploads in a temporary folder, and background downloads."""

    def __init__(
        self,
        public_url: str,
        switches: Switches,
        journal: Journal,
        *,
        now: Callable[[], float],
        new_id: Callable[[], str],
    ) -> None:
        self._public_url = public_url.rstrip("/")
        self._switches = switches
        self._journal = journal
        self._now = now
        self._new_id = new_id
        self._http: aiohttp.ClientSession
        self._folder: Path
        self._uploads: dict[str, Upload] = {}
        self._downloads: set[asyncio.Task[None]] = set()
        self._lines = asyncio.Semaphore(4)

    def open(self, http: aiohttp.ClientSession, folder: Path) -> None:
        """Take the client to download with and the folder for uploads."""
        self._http = http
        self._folder = folder

    async def close(self) -> None:
        """Stop the downloads."""
        for download in self._downloads:
            download.cancel()
        await asyncio.gather(*self._downloads, return_exceptions=True)

    async def store(self, part: BodyPartReader) -> Upload:
        """Keep an uploaded file. Raises UploadError when it is larger than 50 MB."""
        upload_id, size = self._new_id(), 0
        path = self._folder / upload_id
        try:
            with await asyncio.to_thread(path.open, "wb") as file:
                while chunk := await part.read_chunk(2**16):
                    size += await asyncio.to_thread(file.write, chunk)
                    if size > UPLOAD_BYTES:
                        break
        finally:
            if not part.at_eof():
                path.unlink()
        if size > UPLOAD_BYTES:
            raise UploadError("the file is larger than 50 MB")
        name = Path((part.filename or "file").replace("\\", "/")).name[:200] or "file"
        self._uploads[upload_id] = Upload(id=upload_id, name=name, size=size, path=path)
        if len(self._uploads) > UPLOADS:
            self._uploads.pop(next(iter(self._uploads))).path.unlink(missing_ok=True)
        return self._uploads[upload_id]

    def url(self, upload: Upload) -> str:
        """Public address of an upload."""
        return f"{self._public_url}/attachments/{upload.id}/{quote(upload.name, safe='')}"

    def serve(self, upload_id: str, name: str) -> web.FileResponse:
        """Answer GET /attachments/{id}/{name}. Raises HTTPNotFound."""
        upload = self._uploads.get(upload_id)
        if upload is None or upload.name != name:
            raise web.HTTPNotFound
        kind = mimetypes.guess_type(upload.name)[0] or ""
        if kind in SHOWN:
            return web.FileResponse(upload.path, headers={"Content-Type": kind})
        headers = {"Content-Type": "application/octet-stream", "Content-Disposition": "attachment"}
        return web.FileResponse(upload.path, headers=headers)

    def clear(self) -> None:
        """Forget all uploads."""
        for upload in self._uploads.values():
            upload.path.unlink(missing_ok=True)
        self._uploads.clear()

    def fetch(self, url: str, scope_id: str) -> None:
        """Download a link in the background, as amoCRM does; the journal tells how it went."""
        waiting = len(self._downloads) < DOWNLOADS_WAITING
        if url and waiting and self._switches.is_("media_download", "on"):
            task = asyncio.create_task(
                self._download(url, scope_id), name=f"download for {scope_id}"
            )
            self._downloads.add(task)
            task.add_done_callback(self._downloads.discard)

    async def _download(self, url: str, scope_id: str) -> None:
        at, status, error = self._now(), None, None
        try:
            async with (
                self._lines,
                asyncio.timeout(DOWNLOAD_DEADLINE_S),
                self._http.get(url) as answer,
            ):
                status = answer.status
                error = await self._problem(answer)
        except TimeoutError:
            error = f"no complete answer within {DOWNLOAD_DEADLINE_S} s"
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            error = f"not downloaded: {str(problem) or type(problem).__name__}"
        self._journal.add(
            kind="download", at=at, method="GET", path=url, status=status, error=error,
            scope_id=scope_id, body=b"",
        )  # fmt: skip

    async def _problem(self, answer: aiohttp.ClientResponse) -> str | None:
        if answer.status != web.HTTPOk.status_code:
            return f"answered {answer.status}"
        size = 0
        async for chunk in answer.content.iter_chunked(2**16):
            size += len(chunk)
            if size > DOWNLOAD_BYTES:
                return "larger than 50 MB"
        return None
