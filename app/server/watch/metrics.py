"""Counts and times for `/metrics`, in Prometheus's text format."""

from collections.abc import Callable, Iterable, Iterator

import psutil
import torch
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

MEDIA_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

BATCH_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 32)

Reading = tuple[str, str, Callable[[], float]]
"""A number's name, its description and the function that reads it."""


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "cbam_lens_requests", "Answered requests.", ["method", "route", "status"], registry=self._registry
        )
        self._request_seconds = Histogram(
            "cbam_lens_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._step_seconds = Histogram(
            "cbam_lens_step_seconds",
            "Time of an answer's steps: decode, networks, maps, render.",
            ["step"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._batch_size = Histogram(
            "cbam_lens_batch_size", "Pictures per forward pass.", buckets=BATCH_SIZES, registry=self._registry
        )

    def count_request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def time_step(self, step: str, seconds: float) -> None:
        """Record the time of a step."""
        self._step_seconds.labels(step).observe(seconds)

    def count_batch(self, size: int) -> None:
        """Record the size of a batch."""
        self._batch_size.observe(size)

    def watch(self, *, gauges: Iterable[Reading] = (), counters: Iterable[Reading] = ()) -> None:
        """Add numbers that are read at each request for the metrics.

        Args:
            gauges: numbers that go up and down.
            counters: numbers that only grow.
        """
        self._registry.register(_Readings(tuple(gauges), tuple(counters)))

    def format(self) -> bytes:
        """Format all metrics for Prometheus."""
        return generate_latest(self._registry)


class _Readings(Collector):
    def __init__(self, gauges: tuple[Reading, ...], counters: tuple[Reading, ...]) -> None:
        self._gauges = gauges
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        for name, description, read in self._gauges:
            yield GaugeMetricFamily(name, description, value=read())
        for name, description, read in self._counters:
            yield CounterMetricFamily(name, description, value=read())


def read_process_memory() -> float:
    """This process's resident memory in bytes."""
    return float(psutil.Process().memory_info().rss)


def read_device_memory() -> float:
    """The memory that torch holds on CUDA devices, in bytes; 0 without such a device."""
    return float(sum(torch.cuda.memory_allocated(index) for index in range(torch.cuda.device_count())))
