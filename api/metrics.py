"""What operators watch, in Prometheus' format: requests, the append queue, how far who is behind.

Each process counts for itself; with several workers give each its own port, or read them apart.
"""

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from projections.lag import Lag

SECONDS: Final = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The figures of one process."""

    def __init__(self, waiting: Callable[[], int], waiting_seconds: Callable[[], float]) -> None:
        """`waiting` and `waiting_seconds`: length of the append queue, age of its oldest."""
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "loanbook_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "loanbook_request_seconds",
            "From the first byte of a request to the last of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.in_flight = self._gauge("loanbook_requests_in_flight", "Requests being answered.")
        length = self._gauge("loanbook_append_queue_commands", "Commands in the append queue.")
        length.set_function(waiting)
        age = self._gauge("loanbook_append_queue_age_seconds", "Age of the oldest of them.")
        age.set_function(waiting_seconds)
        self._behind = Gauge(
            "loanbook_events_behind",
            "Events that were recorded and not yet applied or published.",
            ["reader", "shard"],
            registry=self.registry,
        )
        self._counted: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[tuple[str, str], Histogram] = {}

    def _gauge(self, name: str, says: str) -> Gauge:
        return Gauge(name, says, registry=self.registry)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        counter = self._counted.get((method, route, status))
        if counter is None:
            counter = self._requests.labels(method, route, str(status))
            self._counted[method, route, status] = counter
        counter.inc()
        timer = self._timed.get((method, route))
        if timer is None:
            timer = self._timed[method, route] = self._seconds.labels(method, route)
        timer.observe(seconds)

    def text(self, lags: Iterable[Lag]) -> bytes:
        """Write everything out, with how far the readers of the record are behind."""
        self._behind.clear()
        for lag in lags:
            self._behind.labels(lag.reader, str(lag.shard)).set(lag.events_behind)
        return generate_latest(self.registry)
