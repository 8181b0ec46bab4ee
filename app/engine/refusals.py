"""The refusals of work that would wait too long, in the same words for every engine."""

import math

from app.errors import QueueFull


def refuse_number(limit: int, seconds: float) -> QueueFull:
    """The error for one more than `limit` waiting requests, which together take `seconds`."""
    again = _come_back(seconds)
    return QueueFull(f"{limit} requests are waiting, the limit; try again in {again} s", retry_after_seconds=again)


def refuse_wait(count: int, seconds: float, limit: float) -> QueueFull:
    """The error for a request that `count` others precede, so that its answer would take `seconds`, over `limit`."""
    again = _come_back(seconds)
    return QueueFull(
        f"{count} requests are waiting, and the answer would take about {seconds:.0f} s; the limit is {limit:g} s; try "
        f"again in {again} s",
        retry_after_seconds=again,
    )


def _come_back(seconds: float) -> int:
    """The time until half of those who wait now are served, in whole seconds."""
    return max(1, math.ceil(seconds / 2))
