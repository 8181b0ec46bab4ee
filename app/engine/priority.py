"""The priority of the thread that computes: those that answer requests in the meantime come first."""

import os
import sys
import threading

NICENESS_STEP = 10
"""By how much the thread is nicer than its process; the system gives it a tenth of another thread's share."""


def give_way() -> None:
    """Let this thread, and those that it starts, give way to the process's others, where a system can do that.

    On an idle machine nothing changes. On a busy one, a page that takes milliseconds no longer waits for a network
    that computes for a tenth of a second on every core. Linux alone has a priority for each thread.
    """
    if sys.platform == "linux":
        present = os.getpriority(os.PRIO_PROCESS, os.getpid())
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), present + NICENESS_STEP)
