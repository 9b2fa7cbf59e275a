"""Answers by which the CRM's API refuses."""

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web

from chatbridge.sandbox.records import Json

TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
}
HTML_TITLES = {
    403: "Forbidden",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Temporarily Unavailable",
    504: "Gateway Time-out",
}


class Problem(Exception):
    """The API answers with problem+json."""

    def __init__(self, status: int, detail: str, **more: object) -> None:
        super().__init__(detail)
        self.status = status
        self.body: Json = {
            **more,
            "title": TITLES[status],
            "type": f"https://httpstatus.es/{status}",
            "status": status,
            "detail": detail,
        }

    def response(self) -> web.Response:
        """As problem+json."""
        return web.json_response(
            self.body, status=self.status, content_type="application/problem+json"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrong:
    """One member of one item that is not taken."""

    request_id: str
    code: str
    path: str
    detail: str

    def view(self) -> Json:
        """Without the item that it belongs to."""
        return {"code": self.code, "path": self.path, "detail": self.detail}


def validation(wrongs: Iterable[Wrong]) -> Problem:
    """Refuse a batch: one wrong item fails all of it."""
    items: dict[str, list[Json]] = {}
    for wrong in wrongs:
        items.setdefault(wrong.request_id, []).append(wrong.view())
    errors = [{"request_id": name, "errors": listed} for name, listed in items.items()]
    return Problem(400, "Request validation failed", **{"validation-errors": errors})


def html(status: int) -> web.Response:
    """Answer as the server before the API does: blocked, too many requests, out of order."""
    words = f"{status} {HTML_TITLES[status]}"
    page = (
        f"<html>\r\n<head><title>{words}</title></head>\r\n<body>\r\n"
        f"<center><h1>{words}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
    )
    return web.Response(status=status, text=page, content_type="text/html")
