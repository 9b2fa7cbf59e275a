"""A channel's icon: an SVG of 14 by 14 px and at most 100 KB that fits into a circle ("How to start"). Pure.

Whether it looks well in a circle is for eyes; everything else is checked.
"""

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Final

_MOST: Final = 100 * 1024
_SIDE: Final = 14.0
_SVG: Final = "{http://www.w3.org/2000/svg}"
_ACTIVE: Final = frozenset(
    {"script", "foreignobject", "iframe", "image", "use", "a", "animate", "set"}
)
"""Elements that run, load, lead away or move."""
_LENGTH: Final = re.compile(r"\s*([0-9.]+)(px)?\s*")


def icon_faults(data: bytes) -> list[str]:
    """Return what is wrong with an icon, one sentence each."""
    if not data:
        return ["is missing"]
    if len(data) > _MOST:
        return [f"has {len(data):,} bytes; at most {_MOST:,} are taken"]
    if b"<!DOCTYPE" in data.upper() or b"<!ENTITY" in data.upper():
        # Entities could unfold into anything.
        return ["must not have a document type or entities"]
    try:
        root = ET.fromstring(data)  # noqa: S314 - without a document type there is nothing to unfold
    except ET.ParseError as error:
        return [f"is no SVG: {error}"]
    if root.tag != f"{_SVG}svg":
        return ['is no SVG: its root must be <svg xmlns="http://www.w3.org/2000/svg">']
    return [*_size_faults(root), *_content_faults(root)]


def _size_faults(root: ET.Element) -> Iterator[str]:
    for name in ("width", "height"):
        said = root.get(name)
        found = _LENGTH.fullmatch(said or "")
        if said is not None and (found is None or float(found[1]) != _SIDE):
            yield f'must have {name}="14", not {said!r}'
    box = [float(part) for part in re.findall(r"-?[0-9.]+", root.get("viewBox", ""))]
    if len(box) == 4 and box[2] != box[3]:
        yield "must be square: its viewBox is not"
    if root.get("width") is None and len(box) != 4:
        yield 'must say its size: width="14" height="14"'


def _content_faults(root: ET.Element) -> Iterator[str]:
    shapes = 0
    for element in root.iter():
        name = str(element.tag).rpartition("}")[2].lower()
        if name in _ACTIVE:
            yield f"must not have <{name}>"
        shapes += name in {
            "path",
            "circle",
            "ellipse",
            "rect",
            "polygon",
            "polyline",
            "line",
            "text",
        }
        for attribute, value in element.attrib.items():
            key = attribute.rpartition("}")[2].lower()
            if key.startswith("on") or "javascript:" in value.lower():
                yield f"must not have {key}="
            if key in {"href", "style"} and re.search(r"(https?:|data:|//)", value):
                yield f"must not load anything: {key}="
    if not shapes:
        yield "shows nothing"
