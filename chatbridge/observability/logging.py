"""Logs as events with fields: one formatter for everything, for machines or for people.

Event names are static and in snake_case. Ids are logged; texts, phone numbers, addresses of webhooks and secrets are not.
"""

import logging
import sys
from contextvars import ContextVar
from functools import partial
from typing import Final

import structlog
from aiohttp.http_exceptions import HttpProcessingError

REQUEST_ID: Final[ContextVar[str | None]] = ContextVar("request_id", default=None)
"""The request that is being answered; every line of the log about it carries its id."""

_ROOT: Final = logging.getLogger()


def is_debugging() -> bool:
    """Return whether debug lines are wanted: on the hot path even a line that is dropped costs too much."""
    return _ROOT.isEnabledFor(logging.DEBUG)


def _add_request_id(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    request_id = REQUEST_ID.get()
    if request_id is not None:
        event.setdefault("request_id", request_id)
    return event


def configure(*, form: str, level: str, worker: int | None = None) -> None:
    """Set up logging of the process: ours and that of libraries, to standard error.

    Args:
        form: json or console.
        level: the least that is written.
        worker: stands in every line, for one of several processes.

    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        _add_request_id,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if worker is not None:
        shared.append(partial(_of_worker, worker))
    renderer: structlog.typing.Processor
    if form == "json":
        shared.append(structlog.processors.format_exc_info)
        renderer = structlog.processors.JSONRenderer()
    else:
        # Plain tracebacks: the pretty ones print local variables, and with them secrets and texts.
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("aiohttp.server").addFilter(_is_worth_a_line)
    # aiohttp's own access log prints whole addresses; web.middlewares writes one line per request instead.
    for name in ("aiohttp.access", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _of_worker(
    number: int, logger: object, method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    del logger, method
    return {**event, "worker": number}


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Drop what aiohttp says of bytes that are not HTTP: it quotes them, keys included, and anybody can send them."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
