"""Every metric, in one table. Labels have few values by construction: never ids, never text from outside."""

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.process_collector import ProcessCollector

from chatbridge.model import Direction

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_DELIVERY_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 86400)

_WAYS = {direction: direction.name.lower() for direction in Direction}


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        """Make every metric, in a registry of its own."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
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
            registry=self.registry,
        )
        self.request_seconds = Histogram(
            "chatbridge_http_request_seconds",
            "Requests answered, by route, method and status",
            ("route", "method", "status"),
            buckets=_SECONDS,
            registry=self.registry,
        )

        self._kept: dict[tuple[object, ...], Any] = {}

    def taken(self, direction: Direction, verdict: str) -> None:
        """Count an accepted draft."""
        self._labelled(self.accepted, _WAYS[direction], verdict).inc()

    def attempted(
        self, direction: Direction, outcome: str, code: str | None, seconds: float
    ) -> None:
        """Count the end of an attempt, `seconds` after acceptance."""
        way = _WAYS[direction]
        self._labelled(self.attempts, way, outcome, code or "").inc()
        if code is None:
            self._labelled(self.delivery_seconds, way).observe(seconds)

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._labelled(self.request_seconds, route, method, status).observe(seconds)

    def _labelled(self, metric: Any, *labels: object) -> Any:
        """Return the series with these labels; looked up once, as the library's own way costs microseconds."""
        key = (id(metric), *labels)
        series = self._kept.get(key)
        if series is None:
            series = self._kept[key] = metric.labels(*labels)
        return series

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self.registry)
