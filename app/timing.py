"""Where a request's time went, for the `Server-Timing` header."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Timings:
    """Milliseconds by the name of the step; steps of one name add up."""

    def __init__(self) -> None:
        self.milliseconds: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Count what runs inside as part of `step`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            elapsed = (time.perf_counter() - start) * 1000
            self.milliseconds[step] = self.milliseconds.get(step, 0.0) + elapsed

    def header(self) -> str:
        """The value of a `Server-Timing` header (W3C Server Timing), durations in milliseconds."""
        return ", ".join(f"{step};dur={duration:.1f}" for step, duration in self.milliseconds.items())
