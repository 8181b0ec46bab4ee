"""A bounded queue of jobs for the device, fair between clients, which hands out jobs that can share a pass together.

A job is refused if it would wait too long, by the measured times of those before it. Clients are served in turn, see
`app.engine.turns`.
"""

import math
import threading
import time
from collections.abc import Hashable, Sequence
from concurrent.futures import Future
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple

from app.engine.callers import Caller, present_caller
from app.engine.service_times import ServiceTimes
from app.engine.turns import Turns, line_up
from app.engine.work import AnswerType, Work


@dataclass(slots=True, eq=False)
class Job(Generic[AnswerType]):
    """One piece of work and the future that its caller awaits.

    Attributes:
        work: the work to compute.
        future: the future of the answer.
        context: the caller's context, so that the worker's log lines name the caller's request.
        caller: who waits for it.
        turn: the round in which it is served; the queue sets it.
    """

    work: Work[AnswerType]
    future: Future[AnswerType] = field(default_factory=Future)
    context: Context = field(default_factory=copy_context)
    caller: Caller = field(default_factory=present_caller.get)
    turn: int = 0

    @property
    def batch_key(self) -> Hashable | None:
        """Jobs with equal keys can share a batch; None for a job that cannot."""
        key = self.work.batch_key
        return None if key is None else (type(self.work), key)


class Place(NamedTuple):
    """The place of a job that waits.

    Attributes:
        before: the number of jobs that are served before it.
        seconds: the time until its own begins.
    """

    before: int
    seconds: float


class JobQueue:
    """A queue that serves clients in turn, each one's oldest job first, with other jobs of its batch key.

    Args:
        max_size: the limit of waiting jobs, which bounds their memory.
        max_seconds: the longest time from a job's arrival to its answer; one that would take longer is refused.
    """

    def __init__(self, max_size: int, *, max_seconds: float = math.inf) -> None:
        self.max_size = max_size
        self.max_seconds = max_seconds
        self.times = ServiceTimes()
        self._jobs: list[Job[Any]] = []
        self._turns = Turns()
        self._free_at = 0.0
        self._changed = threading.Condition()
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def seconds(self) -> float:
        """The time that all jobs will take, by what was measured."""
        with self._changed:
            return self._expect(self._jobs)

    def find_place(self, ticket: str) -> Place | None:
        """The place of the first job with that ticket; None if none waits."""
        with self._changed:
            line = line_up(self._jobs)
            for before, job in enumerate(line):
                if ticket and job.caller.ticket == ticket:
                    return Place(before, self._expect(line[:before]))
        return None

    def put(self, *jobs: Job[Any]) -> bool:
        """Add all jobs or none; False if they would come too late, too many wait already, or the queue is closed."""
        with self._changed:
            # A job whose caller has gone must not delay or block a new one.
            self._jobs = [waiting for waiting in self._jobs if not waiting.future.cancelled()]
            if self._is_closed or len(self._jobs) + len(jobs) > self.max_size:
                return False
            for job in jobs:
                job.turn = self._turns.find(job.caller, self._jobs)
                self._jobs.append(job)
            line = line_up(self._jobs)
            last = max(map(line.index, jobs))
            if self._expect(line[: last + 1]) > self.max_seconds and len(line) > len(jobs):
                self._jobs = [waiting for waiting in self._jobs if waiting not in jobs]
                return False
            self._changed.notify()
            return True

    def close(self) -> None:
        """Refuse new jobs; the waiting ones are still handed out."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def take(self, *, batch_size: int, wait_seconds: float) -> list[Job[Any]]:
        """Wait for a job, and take the next one with others that can share its pass.

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
                first = self._take_next()
                if first.future.set_running_or_notify_cancel():
                    taken = [first, *self._take_alike(first, batch_size - 1, wait_seconds)]
                    self._free_at = time.monotonic() + sum(self.times.expect(job.work) for job in taken)
                    return taken

    def _expect(self, jobs: Sequence[Job[Any]]) -> float:
        """The seconds until these jobs are done, the present pass before them."""
        return max(0.0, self._free_at - time.monotonic()) + sum(self.times.expect(job.work) for job in jobs)

    def _take_next(self) -> Job[Any]:
        first = self._turns.choose(self._jobs)
        self._jobs.remove(first)
        return first

    def _take_alike(self, first: Job[Any], count: int, wait_seconds: float) -> list[Job[Any]]:
        alike: list[Job[Any]] = []
        key = first.batch_key
        if key is None:
            return alike
        until = time.monotonic() + wait_seconds
        while True:
            for job in [job for job in line_up(self._jobs) if job.batch_key == key][: count - len(alike)]:
                self._jobs.remove(job)
                if job.future.set_running_or_notify_cancel():
                    alike.append(job)
            left = until - time.monotonic()
            if len(alike) >= count or left <= 0 or self._is_closed:
                return alike
            self._changed.wait(left)
