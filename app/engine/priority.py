"""Priorities: whoever answers requests comes before whoever computes, and long work comes last.

Linux alone has a priority for each thread; elsewhere nothing here has an effect. What has given way cannot take that
back, unless its user is root.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

NICENESS_STEP = 10
"""By how much what computes is nicer than its process: the system gives it a tenth of another thread's share."""

LONG_NICENESS_STEP = 5
"""By how much long work is nicer still: it gets a third of the share of other work."""

LONG_SECONDS = 1.0
"""The time on a core after which work is long."""

LOOK_SECONDS = 0.25


def give_way() -> None:
    """Let this thread, and those that it starts, give way to the process's others.

    On an idle machine nothing changes. On a busy one, a page that takes milliseconds no longer waits for a network
    that computes for a tenth of a second on every core.
    """
    _be_nicer(threading.get_native_id(), NICENESS_STEP)


@contextmanager
def giving_way_when_long(seconds: float = LONG_SECONDS) -> Iterator[threading.Event]:
    """Let this process, which has no other threads, give way once more if the context takes it long.

    Args:
        seconds: the time on a core that is long.

    Yields:
        Set when it has given way.
    """
    gave_way, is_over = threading.Event(), threading.Event()

    def look() -> None:
        start = time.process_time()
        while not is_over.wait(LOOK_SECONDS):
            if time.process_time() - start >= seconds:
                _be_nicer(os.getpid(), LONG_NICENESS_STEP)
                gave_way.set()
                return

    watcher = threading.Thread(target=look, name="cbam-lens-watcher")
    watcher.start()
    try:
        yield gave_way
    finally:
        is_over.set()
        watcher.join()


def _be_nicer(thread: int, step: int) -> None:
    if sys.platform == "linux":
        present = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, thread, present + step)
