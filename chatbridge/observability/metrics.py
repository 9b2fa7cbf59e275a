"""Every metric, in one table. Labels have few values by construction: never ids, never text from outside."""

from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
    multiprocess,
)
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from chatbridge.model import Direction

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment's name for the folder of `Metrics`. prometheus_client looks for it too, when it is imported, and then keeps
every value in files there."""

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_DELIVERY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 86400)

_WAYS = {direction: direction.name.lower() for direction in Direction}


class _Series(dict[tuple[object, ...], Any]):
    """The series of a metric by the values of its labels."""

    def __init__(self, metric: Any) -> None:
        super().__init__()
        self._metric = metric

    def __missing__(self, labels: tuple[object, ...]) -> Any:
        series = self[labels] = self._metric.labels(*labels)
        return series


class Metrics:
    """The metrics of one server, or of one of the workers that make up a server."""

    def __init__(self, folder: str | None = None) -> None:
        """Make every metric, in a registry of its own.

        Args:
            folder: where the workers of a server keep their values, None if there is one process.

        """
        self.registry = self._shown = CollectorRegistry()
        self.shared = folder is not None
        if folder is None:
            ProcessCollector(registry=self.registry)
            GCCollector(registry=self.registry)
        else:
            self._shown = CollectorRegistry()
            multiprocess.MultiProcessCollector(self._shown, folder)  # type: ignore[no-untyped-call]  # theirs
        self.accepted = Counter(
            "chatbridge_accepted_total",
            "Messages taken, by direction and verdict (new, repeated, reused)",
            ("direction", "verdict"),
            registry=self.registry,
        )
        self.attempts = Counter(
            "chatbridge_delivery_attempts_total",
            "Attempts to deliver, by direction, outcome and error code",
            ("direction", "outcome", "code"),
            registry=self.registry,
        )
        self.delivery_seconds = Histogram(
            "chatbridge_delivery_seconds",
            "From acceptance to delivery",
            ("direction",),
            buckets=_DELIVERY_SECONDS,
            registry=self.registry,
        )
        self.unknown_events = Counter(
            "chatbridge_unknown_events_total",
            "Signed callbacks that were kept but not relayed, by kind",
            ("kind",),
            registry=self.registry,
        )
        self.callbacks_refused = Counter(
            "chatbridge_callbacks_refused_total",
            "Callbacks with a wrong address or signature",
            registry=self.registry,
        )
        self.in_memory = Gauge(
            "chatbridge_pending_in_memory",
            "Undelivered messages in memory",
            multiprocess_mode="livesum",
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "chatbridge_http_request_seconds",
            "Requests answered, by route, method and status",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )

        # Series by their labels: the library's own way to them costs microseconds.
        self._taken = _Series(self.accepted)
        self._attempted = _Series(self.attempts)
        self._delivered = _Series(self.delivery_seconds)
        self._answered = _Series(self.request_seconds)

    def taken(self, direction: Direction, verdict: str) -> None:
        """Count an accepted draft."""
        self._taken[_WAYS[direction], verdict].inc()

    def attempted(
        self, direction: Direction, outcome: str, code: str | None, seconds: float
    ) -> None:
        """Count the end of an attempt, `seconds` after acceptance."""
        way = _WAYS[direction]
        self._attempted[way, outcome, code or ""].inc()
        if code is None:
            self._delivered[way,].observe(seconds)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._answered[route, method, status].observe(seconds)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format, of all workers together."""
        return generate_latest(self._shown)
