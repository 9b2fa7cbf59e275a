"""Files: messengers upload them, and whoever has a link fetches them."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

import structlog
from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http import HttpProcessingError

from chatbridge import errors
from chatbridge.errors import MediaNotKept, MediaTooLarge, NotFound
from chatbridge.media.kinds import SHOWN, UNKNOWN
from chatbridge.media.names import disposition
from chatbridge.observability.logging import REQUEST_ID
from chatbridge.store import media
from chatbridge.store.media import MediaRow, MediaState
from chatbridge.web.answers import HEADERS
from chatbridge.web.endpoint import Call
from chatbridge.web.media_schemas import UploadOut, UploadQuery
from chatbridge.web.services import SERVICES, Services

log = structlog.get_logger()

_SILENCE: Final = 30.0
"""Seconds within which more of an upload has to come."""
_CHUNK: Final = 64 * 1024
_RANGE: Final = re.compile(r"bytes=(\d*)-(\d*)")
_FOR_EVER: Final = "private, max-age=31536000, immutable"
"""What is behind a link never changes."""
_HARMLESS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
}


async def upload_file(call: Call[web.Request]) -> UploadOut:
    """Keep a file that a messenger sends, as the body or as the first file of a form."""
    query: UploadQuery = call.query
    request = call.body
    name, chunks = query.file_name, _body(request)
    if request.content_type == "multipart/form-data":
        form, part = await _first_file(request)
        name, chunks = query.file_name or part.filename, _part(form, part)
    try:
        upload = await call.services.uploads.take(call.messenger, chunks, file_name=name)
    except MediaTooLarge as error:
        raise errors.BodyTooLarge(f"{error}.".capitalize()) from error
    return UploadOut.model_validate(upload)


async def get_file(request: web.Request) -> web.StreamResponse:
    """Give out a file, or a range of it."""
    services = request.app[SERVICES]
    row = await _row(services, request.match_info["signed"])
    size, etag = row.size or 0, f'"{row.id.hex()}"'
    headers = _headers(row) | {"ETag": etag}
    if etag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    span = _span(request, size, etag)
    if span is None:
        return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
    begin, end = span
    if partial := (begin, end) != (0, size):
        headers["Content-Range"] = f"bytes {begin}-{end - 1}/{size}"
    response = web.StreamResponse(status=206 if partial else 200, headers=headers)
    response.content_length = end - begin
    if request.method == "HEAD" or begin == end:
        await response.prepare(request)
        return response
    return await _send(request, response, services.files.read(row.id, begin, end))


async def _send(
    request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    piece: bytes | None = await anext(pieces)  # before anything is said: it may not be there
    await response.prepare(request)
    try:
        while piece is not None:
            await response.write(piece)
            piece = await anext(pieces, None)
    except MediaNotKept as error:
        # The length is said already: to break off is the only way to say that it is not all.
        log.warning("file_broke_off", reason=str(error))
        response.force_close()
        if request.transport is not None:
            request.transport.abort()
    return response


async def _row(services: Services, signed: str) -> MediaRow:
    media_id = services.media_links.read(signed)
    row = None if media_id is None else await services.store.read(media.find, media_id)
    if row is None or row.state is not MediaState.KEPT:
        raise NotFound("There is no such file, or it is no longer kept.")
    return row


def _headers(row: MediaRow) -> dict[str, str]:
    shown = row.content_type in SHOWN
    own = HEADERS | _HARMLESS | {"X-Request-Id": REQUEST_ID.get() or ""}
    return own | {
        # What a browser could take for a page is given out as bytes and nothing else.
        "Content-Type": row.content_type if shown and row.content_type else UNKNOWN,
        "Content-Disposition": disposition(row.file_name, shown=shown),
        "Cache-Control": _FOR_EVER,
        "Accept-Ranges": "bytes",
    }


def _span(request: web.Request, size: int, etag: str) -> tuple[int, int] | None:
    """Return the bytes that are asked for, None if there are none such (RFC 9110, 14.2).

    Several ranges, and what is no range of bytes, get the whole file.
    """
    wanted = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if wanted is None or request.headers.get("If-Range", etag) != etag:
        return 0, size
    first, last = wanted.groups()
    if not first:
        return (max(0, size - int(last)), size) if last and int(last) and size else None
    begin, end = int(first), min(size, int(last) + 1 if last else size)
    return (begin, end) if begin < end else None


async def _first_file(request: web.Request) -> tuple[MultipartReader, BodyPartReader]:
    try:
        form = await request.multipart()
        while (part := await form.next()) is not None:
            if isinstance(part, BodyPartReader) and part.filename is not None:
                return form, part
    except (ValueError, HttpProcessingError, ConnectionError) as error:
        raise errors.InvalidFields("The form cannot be read.") from error
    raise errors.InvalidFields("The form has no file.")


async def _body(request: web.Request) -> AsyncIterator[bytes]:
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise errors.UnsupportedMediaType("Send the file as it is, not compressed.")
    async for chunk in _patiently(request.content.readany):
        yield chunk


async def _part(form: MultipartReader, part: BodyPartReader) -> AsyncIterator[bytes]:
    async for chunk in _patiently(lambda: part.read_chunk(_CHUNK)):
        yield chunk
    try:
        await form.next()
    except ValueError as error:
        # Without the line that ends a part, nobody knows whether the file is whole.
        raise errors.InvalidFields("The form broke off within the file.") from error


async def _patiently(read: Callable[[], Awaitable[bytes]]) -> AsyncIterator[bytes]:
    try:
        while True:
            async with asyncio.timeout(_SILENCE):
                chunk = await read()
            if not chunk:
                return
            yield chunk
    except TimeoutError as error:
        raise errors.RequestTooSlow from error
    except (ConnectionError, HttpProcessingError, web.RequestPayloadError) as error:
        raise errors.MalformedRequest("The body broke off before its end.") from error
