"""What Prometheus is told: counts and times, and nothing of what clients sent."""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

TIMES = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds
SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)  # rows


class Metrics:
    """A registry of its own: several servers may be in one process. Workers of one server count in files of one folder,
    which the environment names, and each tells the sum.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter("trivium_requests", "Requests to /predict", ["status"], registry=self.registry)
        self.rows = Counter("trivium_rows", "Rows that were asked for", ["outcome"], registry=self.registry)
        self.refused = Counter("trivium_refused", "Requests that got no answers", ["reason"], registry=self.registry)
        self.seconds = Histogram("trivium_request_seconds", "From the header of a request to its answer", buckets=TIMES,
                                 registry=self.registry)
        self.batch = Histogram("trivium_batch_rows", "Rows that were answered together", buckets=SIZES,
                               registry=self.registry)
        self.queue = Gauge("trivium_queued_rows", "Rows that wait or are at work", registry=self.registry,
                           multiprocess_mode="livesum")

    def text(self) -> bytes:
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self.registry)
        every = CollectorRegistry()
        MultiProcessCollector(every)
        return generate_latest(every)
