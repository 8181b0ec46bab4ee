"""The processor's cores, which a single picture's pass shares, and of which each takes a part of a batch.

torch's threads wait for each other after every operation. That is fast only while they may wait awake: OpenMP lets them
sleep, and wakes them up slowly, as soon as the process has more of its threads than cores, which it has when a second
thread computes with threads of its own. So one thread here may have them, and the others get one core each.
"""

import math
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from typing import TypeVar

import torch

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")

PASS_PICTURES = 2
"""The most pictures that one core takes through the networks at once: of more, the features leave its cache. With four
clients on two cores, the shipped lineup makes 15 to 16 lineups per second by one, 19 by two, 16 to 17 by four."""


class Cores:
    """Some cores, for the thread that takes them.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._pool: ThreadPoolExecutor | None = None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Give this thread all cores in torch, with a helper for each core until the context ends.

        Other threads keep the number that they have, and new ones get the one that they would have got.
        """
        usual = torch.get_num_threads()
        torch.set_num_threads(self._count)
        with ExitStack() as stack:
            if self._count > 1:
                everybody = threading.Barrier(self._count + 1)
                pool = ThreadPoolExecutor(self._count, "cbam-lens-core", _stay_alone, (everybody,))
                self._pool = stack.enter_context(pool)
                for _ in range(self._count):
                    pool.submit(int)
                everybody.wait()
            # The last call decides for threads that have not computed yet.
            reset = threading.Thread(target=torch.set_num_threads, args=(usual,))
            reset.start()
            reset.join()
            try:
                yield
            finally:
                self._pool = None

    def share(self, compute: Callable[[Sequence[Piece]], Sequence[Answer]], batch: Sequence[Piece]) -> Sequence[Answer]:
        """Compute a batch's answers, in its order; side by side where there is work for every core.

        Args:
            compute: makes the answers to a part of the batch.
            batch: the work.

        Raises:
            Exception: what `compute` raises, once every part has ended.
        """
        if self._pool is None or len(batch) < self._count:
            return compute(batch)
        size = min(PASS_PICTURES, math.ceil(len(batch) / self._count))
        parts = [self._pool.submit(compute, batch[first : first + size]) for first in range(0, len(batch), size)]
        wait(parts)
        return [answer for part in parts for answer in part.result()]


def _stay_alone(everybody: threading.Barrier) -> None:
    # The first call gives this thread the number that is usual then, and would undo an earlier choice.
    torch.get_num_threads()
    torch.set_num_threads(1)
    everybody.wait()
