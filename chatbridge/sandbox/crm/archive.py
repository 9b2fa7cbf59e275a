"""Reading widget.zip, as leniently as amoCRM does for private integrations. Pure: bytes in, values out."""

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import orjson

from chatbridge.sandbox.records import Json

FILES = 500
BYTES = 20 * 2**20
BOM = b"\xef\xbb\xbf"


class ArchiveError(ValueError):
    """The archive is refused; the text names every fault."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """A widget: its files by path, and the parts of its manifest that the account needs."""

    files: dict[str, bytes]
    manifest: Json

    @property
    def version(self) -> str:
        """As the manifest says, or empty."""
        return str(self._widget.get("version", ""))

    @property
    def locations(self) -> tuple[str, ...]:
        """Where the widget wants to be, without the suffixes `-0` and `-1`."""
        listed = self.manifest.get("locations")
        return tuple(
            str(one).removesuffix("-0").removesuffix("-1")
            for one in (listed if isinstance(listed, list) else ())
        )

    @property
    def fields(self) -> Json:
        """Return the settings that the manifest asks for, by code."""
        fields = self.manifest.get("settings")
        return (
            {code: one for code, one in fields.items() if isinstance(one, dict)}
            if isinstance(fields, dict)
            else {}
        )

    def missing(self, settings: Json) -> list[str]:
        """Codes of required settings that are not given."""
        return [
            code
            for code, one in self.fields.items()
            if one.get("required") is True and settings.get(code) in (None, "")
        ]

    def view(self) -> Json:
        """As the control API shows it."""
        return {
            "version": self.version,
            "locations": self.locations,
            "fields": self.fields,
            "name": self._widget.get("name"),
            "short_description": self._widget.get("short_description"),
            "advanced_title": _member(self.manifest, "advanced").get("title"),
            "files": sorted(self.files),
        }

    @property
    def _widget(self) -> Json:
        return _member(self.manifest, "widget")


def read_archive(content: bytes) -> Archive:
    """Read an uploaded widget.zip. Raises ArchiveError."""
    files = _unpacked(content)
    if "manifest.json" not in files:
        deeper = next((name for name in files if name.endswith("/manifest.json")), None)
        hint = f": it lies in {deeper}, files belong to the root of the archive" if deeper else ""
        raise ArchiveError(f"there is no manifest.json{hint}")
    manifest = _json(files, "manifest.json")
    archive = Archive(files=files, manifest=manifest)
    faults = list(_faults(archive))
    if faults:
        raise ArchiveError("; ".join(faults))
    return archive


def _faults(archive: Archive) -> list[str]:
    widget, faults = _member(archive.manifest, "widget"), []
    if not archive.version:
        faults.append("manifest.json: widget.version is missing")
    if widget.get("interface_version") != 2:
        faults.append("manifest.json: widget.interface_version must be 2")
    if "script.js" not in archive.files:
        faults.append("there is no script.js")
    languages = widget.get("locale")
    if not isinstance(languages, list) or not languages:
        faults.append("manifest.json: widget.locale names no language")
        languages = []
    for language in languages:
        name = f"i18n/{language}.json"
        try:
            _json(archive.files, name)
        except ArchiveError as error:
            faults.append(str(error))
    return faults


def _unpacked(content: bytes) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [one for one in archive.infolist() if not one.is_dir()]
            if len(entries) > FILES or sum(one.file_size for one in entries) > BYTES:
                raise ArchiveError(f"more than {FILES} files or {BYTES // 2**20} MB")
            return {one.filename: archive.read(one) for one in entries}
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ArchiveError(f"this is not a zip archive that can be read: {error}") from None


def _json(files: dict[str, bytes], name: str) -> Json:
    content = files.get(name)
    if content is None:
        raise ArchiveError(f"there is no {name}")
    if content.startswith(BOM):
        raise ArchiveError(f"{name} begins with a byte order mark")
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise ArchiveError(f"{name} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ArchiveError(f"{name} is not an object")
    return value


def _member(value: Json, name: str) -> dict[str, Any]:
    member = value.get(name)
    return member if isinstance(member, dict) else {}
