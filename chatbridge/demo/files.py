"""Files that the client sends: kept in a temporary folder and served by a link, as a messenger would."""

import mimetypes
import secrets
from collections import OrderedDict
from pathlib import Path
from typing import Any, Final

from aiohttp import BodyPartReader, web

LARGEST: Final = 20 * 1024 * 1024
_KEPT: Final = 100
_SHOWN: Final = frozenset({"image", "audio", "video"})


class Files:
    """The last hundred files."""

    def __init__(self) -> None:
        """Begin without a folder; `open` gives one."""
        self._folder = Path()
        self._names: OrderedDict[str, str] = OrderedDict()

    def open(self, folder: Path) -> None:
        """Keep files in this folder."""
        self._folder = folder

    async def keep(self, part: BodyPartReader) -> dict[str, Any] | None:
        """Store an uploaded file; return its description, None if it is too large."""
        file_id, size = secrets.token_hex(8), 0
        with (self._folder / file_id).open("wb") as out:
            while chunk := await part.read_chunk(256 * 1024):
                size += len(chunk)
                if size > LARGEST:
                    break
                out.write(chunk)
        if size > LARGEST:
            (self._folder / file_id).unlink()
            return None
        name = Path(part.filename or "file").name
        self._names[file_id] = name
        while len(self._names) > _KEPT:
            (self._folder / self._names.popitem(last=False)[0]).unlink()
        return {"id": file_id, "file_name": name, "file_size": size, "type": kind_of(name)}

    def serve(self, file_id: str) -> web.FileResponse:
        """Return a file; what is not a picture, sound or film is only ever downloaded."""
        if file_id not in self._names:
            raise web.HTTPNotFound
        media_type = _media_type(self._names[file_id])
        disposition = "inline" if media_type.partition("/")[0] in _SHOWN else "attachment"
        headers = {
            "Content-Type": media_type,
            "Content-Disposition": disposition,
            "X-Content-Type-Options": "nosniff",
        }
        return web.FileResponse(self._folder / file_id, headers=headers)


def kind_of(name: str) -> str:
    """Return the message type that fits a file's name."""
    kind = _media_type(name).partition("/")[0]
    return {"image": "picture", "video": "video", "audio": "audio"}.get(kind, "file")


def _media_type(name: str) -> str:
    guessed = mimetypes.guess_type(name)[0] or ""
    safe = guessed.partition("/")[0] in _SHOWN and "svg" not in guessed
    return guessed if safe else "application/octet-stream"
