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
    """Each part's result, in the parts' order; whatever cores are idle take parts from the front.

    The caller works on them from the end, so that it waits for no busy core but for the part that this one has begun.

    Args:
        work: what is done with a part. Whatever it raises is raised here.
        parts: one after another costs the least where no core is idle.
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
