"""The processor's cores, which share a single picture's pass, and of which each has its own work when more waits.

torch's threads wait for each other after every operation. That is fast only while they may wait awake: OpenMP lets them
sleep, and wakes them up slowly, as soon as the process has more of its threads than cores, which it has when a second
thread computes with threads of its own. So one thread here may have them, and the others get one core each.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import torch

PASS_PICTURES = 2
"""The most pictures that one core takes through the networks at once: of more, the features leave its cache. With four
clients on two cores, the shipped lineup makes 15 to 16 lineups per second by one, 19 by two, 16 to 17 by four."""


class Cores:
    """Some cores, for the thread that takes them.

    Args:
        count: how many; a single one has no helper.

    Attributes:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: ThreadPoolExecutor | None = None
        self._free = count
        self._changed = threading.Condition()

    @property
    def free(self) -> int:
        """The number of cores whose helper does nothing; with all of them this thread may compute itself."""
        return self._free

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Give this thread all cores in torch, with a helper for each core until the context ends.

        Other threads keep the number that they have, and new ones get the one that they would have got.
        """
        usual = torch.get_num_threads()
        torch.set_num_threads(self.count)
        with ExitStack() as stack:
            if self.count > 1:
                everybody = threading.Barrier(self.count + 1)
                pool = ThreadPoolExecutor(self.count, "cbam-lens-core", _stay_alone, (everybody,))
                self._pool = stack.enter_context(pool)
                for _ in range(self.count):
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

    def lend(self, compute: Callable[[], None]) -> None:
        """Let a helper compute with one core, as soon as one is free.

        Args:
            compute: raises nothing.
        """
        assert self._pool is not None  # noqa: S101  # only while the cores are taken, and there are helpers
        self.wait()
        with self._changed:
            self._free -= 1
        self._pool.submit(compute).add_done_callback(self._give_back)

    def wait(self) -> None:
        """Wait until a helper does nothing; it stays so until this thread lends again."""
        with self._changed:
            self._changed.wait_for(lambda: self._free)

    def _give_back(self, _: object) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify()


def _stay_alone(everybody: threading.Barrier) -> None:
    # The first call gives this thread the number that is usual then, and would undo an earlier choice.
    torch.get_num_threads()
    torch.set_num_threads(1)
    everybody.wait()
