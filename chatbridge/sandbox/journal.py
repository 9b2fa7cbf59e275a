"""The list of requests received, for developers to look at."""

from collections import deque

from chatbridge.sandbox.records import Json
from chatbridge.sandbox.state import Publish

ROWS = 500
BODY_CHARACTERS = 20_000  # 500 bodies of 5 MB would not fit into anybody's memory


class Journal:
    """The newest rows, in order of their number."""

    def __init__(self, publish: Publish) -> None:
        self._publish = publish
        self._count = 0
        self._rows: deque[Json] = deque(maxlen=ROWS)

    def add(self, *, body: bytes, **row: str | float | None) -> None:
        """Add a row: at, method, path, status, error, scope_id, kind ("call" or "download")."""
        self._count += 1
        text = body[: 4 * BODY_CHARACTERS].decode(errors="replace")[:BODY_CHARACTERS]
        entry: Json = {"n": self._count, **row, "body_text": text}
        self._rows.append(entry)
        self._publish("request", lambda: entry)

    def rows(self) -> list[Json]:
        """Return the rows, oldest first."""
        return list(self._rows)

    def clear(self) -> None:
        """Forget the rows; numbers go on."""
        self._rows.clear()
