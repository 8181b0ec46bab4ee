"""One drawing on several cores."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

HELPERS = ThreadPoolExecutor(max(1, (os.cpu_count() or 1) - 1), "cbam-lens-helper")
"""One for each core beside the caller's own. They start when they are needed, with their first caller's priority."""


def share_out(work: Callable[[Part], Result], parts: Sequence[Part]) -> Sequence[Result]:
    """Do a piece of work on each part, and return the results in the parts' order.

    Idle cores take parts from the front, and the caller from the end. It waits only for parts that others have begun.

    Args:
        work: what is done with a part, in any thread. Whatever it raises is raised here.
        parts: the parts; with few large ones, cores are idle at the end.
    """
    if len(parts) == 1:
        return [work(parts[0])]
    helped = [HELPERS.submit(work, part) for part in parts]
    own: list[Result] = []
    try:
        for part, future in zip(reversed(parts), reversed(helped), strict=True):
            if not future.cancel():
                break
            own.append(work(part))
        return [future.result() for future in helped[: len(parts) - len(own)]] + own[::-1]
    finally:
        for future in helped:
            future.cancel()
