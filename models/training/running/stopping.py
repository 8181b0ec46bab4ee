"""When a training stops before its end: on a signal, or when its time is up."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeAlias

ShouldStop: TypeAlias = Callable[[int], bool]
"""Asked after each step, with the number of steps done."""

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def watch(*, minutes: float | None = None) -> Iterator[ShouldStop]:
    """Notice SIGTERM and SIGINT, and the end of a time, without breaking off a step.

    A second signal does what it always did: whoever is in a hurry presses Ctrl+C twice.

    Args:
        minutes: from now on; None for any time.
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
