"""Stopping a training before its end, on a signal or after a time."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

ShouldStop: TypeAlias = Callable[[int], bool]
"""Called after each step with the number of steps done; True stops the training."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def watch(*, minutes: float | None = None) -> Iterator[ShouldStop]:
    """Watch for SIGTERM, SIGINT and a time limit, without interrupting a step.

    A second signal has its usual effect, so pressing Ctrl+C twice stops at once.

    Args:
        minutes: the time limit from now on; None for no limit.
    """
    deadline = None if minutes is None else time.monotonic() + 60 * minutes
    is_signalled = False

    def note(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        nonlocal is_signalled
        is_signalled = True
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    before = {number: signal.signal(number, note) for number in SIGNALS}
    try:
        yield lambda step: is_signalled or (deadline is not None and time.monotonic() >= deadline)  # noqa: ARG005
    finally:
        restore()
