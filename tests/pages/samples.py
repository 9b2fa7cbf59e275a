"""Files and messages of every kind for the pages to draw."""

import io
import struct
import wave
import zlib
from typing import Any

HOSTILE = "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>"


def png(width: int = 64, height: int = 48) -> bytes:
    rows = (b"\0" + bytes((90, 140, 200)) * width) * height

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def wav(seconds: int = 2) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as sound:
        sound.setparams((1, 1, 8000, 0, "NONE", ""))
        sound.writeframes(b"\x80" * 8000 * seconds)
    return buffer.getvalue()


FILES = {
    "p.png": (png(), "image/png"),
    "s.wav": (wav(), "audio/wav"),
    "v.mp4": (b"\0\0\0\x18ftypmp42", "video/mp4"),
    "d.pdf": (b"%PDF-1.4", "application/pdf"),
}


def every_type(base: str) -> list[dict[str, Any]]:
    """Contents of the nine types in the sandbox's spelling; `base` is where FILES are served."""
    return [
        {"type": "text", "text": "Is it in stock?"},
        {
            "type": "picture",
            "media": f"{base}/p.png/p.png",
            "file_name": "p.png",
            "text": "caption",
        },
        {"type": "file", "media": f"{base}/d.pdf/d.pdf", "file_name": "d.pdf", "file_size": 90112},
        {
            "type": "video",
            "media": f"{base}/v.mp4/v.mp4",
            "file_name": "v.mp4",
            "media_duration": 12,
        },
        {"type": "voice", "media": f"{base}/s.wav/s.wav", "media_duration": 7},
        {
            "type": "audio",
            "media": f"{base}/s.wav/s.wav",
            "file_name": "song.wav",
            "media_duration": 185,
        },
        {"type": "sticker", "media": f"{base}/p.png/p.png"},
        {"type": "location", "location": {"lat": 55.75222, "lon": 37.61556}},
        {"type": "contact", "contact": {"name": "Boris Ivanov", "phone": "+79160000000"}},
    ]


def for_demo(content: dict[str, Any]) -> dict[str, Any]:
    """The same content in the demo messenger's spelling."""
    names = {"media": "media_url", "media_duration": "duration"}
    return {names.get(key, key): value for key, value in content.items()}
