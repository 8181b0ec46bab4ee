"""The duration of a request's steps, for the `Server-Timing` header."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Timings:
    """Milliseconds by the step's name; steps with the same name add up.

    Args:
        observe: called with each step's name and its seconds; None for no call.
    """

    def __init__(self, observe: Callable[[str, float], None] | None = None) -> None:
        self.milliseconds: dict[str, float] = {}
        self._observe = observe

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the time of the `with` block to `step`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - start
            self.milliseconds[step] = self.milliseconds.get(step, 0.0) + 1000 * seconds
            if self._observe is not None:
                self._observe(step, seconds)

    def header(self) -> str:
        """The value of a `Server-Timing` header (W3C Server Timing), durations in milliseconds."""
        return ", ".join(f"{step};dur={duration:.1f}" for step, duration in self.milliseconds.items())
