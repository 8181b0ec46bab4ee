"""What waits for the engine, in one bounded queue that can hand out jobs of one kind together."""

import threading
import time
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Work = TypeVar("Work")


@dataclass(slots=True, eq=False)
class Job(Generic[Work]):
    """One request's work and the future that its caller awaits.

    Attributes:
        work: what to compute.
        kind: jobs of one kind can be computed together; None for one that cannot.
        future: the answer.
        context: the caller's, so that what the worker logs of its work names the caller's request.
    """

    work: Work
    kind: Hashable | None
    future: Future[object] = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)


class JobQueue(Generic[Work]):
    """First come, first served, up to a size; jobs of the first one's kind may come along with it.

    Args:
        max_size: how many jobs may wait.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._jobs: deque[Job[Work]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, *jobs: Job[Work]) -> bool:
        """Let jobs wait, all of them or none; False where too many wait already or the queue is closed."""
        with self._changed:
            # A job whose caller has gone takes no place from one that is still wanted.
            if len(self._jobs) + len(jobs) > self.max_size:
                self._jobs = deque(waiting for waiting in self._jobs if not waiting.future.cancelled())
            if self._is_closed or len(self._jobs) + len(jobs) > self.max_size:
                return False
            self._jobs.extend(jobs)
            self._changed.notify()
            return True

    def close(self) -> None:
        """Take no more jobs; those that wait are still handed out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, *, batch_size: int, wait_seconds: float) -> list[Job[Work]]:
        """The oldest job and others of its kind; waits for one.

        Args:
            batch_size: the most jobs.
            wait_seconds: how long to wait for more of the kind when there are fewer.

        Returns:
            Jobs whose callers still wait, marked as running; none once the queue is closed and empty.
        """
        with self._changed:
            while True:
                self._changed.wait_for(lambda: self._jobs or self._is_closed)
                if not self._jobs:
                    return []
                first = self._jobs.popleft()
                if first.future.set_running_or_notify_cancel():
                    return [first, *self._take_alike(first, batch_size - 1, wait_seconds)]

    def _take_alike(self, first: Job[Work], count: int, wait_seconds: float) -> list[Job[Work]]:
        alike: list[Job[Work]] = []
        if first.kind is None:
            return alike
        until = time.monotonic() + wait_seconds
        while True:
            for job in [job for job in self._jobs if job.kind == first.kind][: count - len(alike)]:
                self._jobs.remove(job)
                if job.future.set_running_or_notify_cancel():
                    alike.append(job)
            left = until - time.monotonic()
            if len(alike) >= count or left <= 0 or self._is_closed:
                return alike
            self._changed.wait(left)
