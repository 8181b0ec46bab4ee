"""A bounded queue of jobs for the device, which hands out jobs that can share a pass together."""

import threading
import time
from collections import deque
from collections.abc import Hashable
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Generic

from app.engine.work import AnswerType, Work


@dataclass(slots=True, eq=False)
class Job(Generic[AnswerType]):
    """One piece of work and the future that its caller awaits.

    Attributes:
        work: the work to compute.
        future: the future of the answer.
        context: the caller's context, so that the worker's log lines name the caller's request.
    """

    work: Work[AnswerType]
    future: Future[AnswerType] = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)

    @property
    def batch_key(self) -> Hashable | None:
        """Jobs with equal keys can share a batch; None for a job that cannot."""
        key = self.work.batch_key
        return None if key is None else (type(self.work), key)


class JobQueue:
    """A queue that serves the oldest job first, together with other jobs of its batch key.

    Args:
        max_size: the limit of waiting jobs.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._jobs: deque[Job[Any]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, *jobs: Job[Any]) -> bool:
        """Add all jobs or none; False if too many wait already or the queue is closed."""
        with self._changed:
            # A job whose caller has gone must not block a new one.
            if len(self._jobs) + len(jobs) > self.max_size:
                self._jobs = deque(waiting for waiting in self._jobs if not waiting.future.cancelled())
            if self._is_closed or len(self._jobs) + len(jobs) > self.max_size:
                return False
            self._jobs.extend(jobs)
            self._changed.notify()
            return True

    def close(self) -> None:
        """Refuse new jobs; the waiting ones are still handed out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, *, batch_size: int, wait_seconds: float) -> list[Job[Any]]:
        """Wait for a job, and take the oldest one with others that can share its pass.

        Args:
            batch_size: the limit of jobs.
            wait_seconds: the time to wait for more such jobs if there are fewer.

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

    def _take_alike(self, first: Job[Any], count: int, wait_seconds: float) -> list[Job[Any]]:
        alike: list[Job[Any]] = []
        key = first.batch_key
        if key is None:
            return alike
        until = time.monotonic() + wait_seconds
        while True:
            for job in [job for job in self._jobs if job.batch_key == key][: count - len(alike)]:
                self._jobs.remove(job)
                if job.future.set_running_or_notify_cancel():
                    alike.append(job)
            left = until - time.monotonic()
            if len(alike) >= count or left <= 0 or self._is_closed:
                return alike
            self._changed.wait(left)
