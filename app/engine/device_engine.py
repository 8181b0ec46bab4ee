"""The engine of this process, which alone uses the device.

The steps of a request: its work becomes one job -> the job waits in a bounded queue, or is refused with `QueueFull`
before any computation -> the device's worker takes the oldest job, and other jobs that can share its pass -> a job
whose caller has gone is skipped -> the work's class computes the batch: on a processor with all cores if nothing else
waits, else with one, beside others -> each answer goes back to its caller's event loop. Only the worker and its helpers
use the networks.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from app.engine.cores import PASS_PICTURES, Cores
from app.engine.engine import Engine
from app.engine.job_queue import Job, JobQueue, Place
from app.engine.priority import give_way
from app.engine.refusals import refuse_number, refuse_wait
from app.engine.work import AnswerType, PictureWork, Work
from app.errors import EngineFailed, LensError, QueueFull
from models.lineups.lineup import Lineup

logger = logging.getLogger(__name__)


class DeviceEngine(Engine):
    """A bounded queue and one worker for a device, which all served lineups share.

    Args:
        queue_size: the limit of waiting jobs.
        queue_seconds: the longest time from a job's arrival to its answer; one that would take longer is refused.
        batch_size: the limit of pictures per forward pass.
        batch_wait_seconds: the time that the first picture of a batch waits for others.
        threads: the processor's cores for the worker; one for another device, whose batches are not divided.
        observe_batch: called with the number of jobs of each batch; None for no call.
    """

    def __init__(  # noqa: PLR0913  # its settings, most of which have a default
        self,
        *,
        queue_size: int,
        queue_seconds: float = math.inf,
        batch_size: int = 8,
        batch_wait_seconds: float = 0.0,
        threads: int = 1,
        observe_batch: Callable[[int], None] | None = None,
    ) -> None:
        self._queue = JobQueue(queue_size, max_seconds=queue_seconds)
        self._batch_size = batch_size
        self._batch_wait_seconds = batch_wait_seconds
        self._observe_batch = observe_batch
        self._cores = Cores(threads)
        self._gives_way = False
        self._worker = self._make_worker()
        self._current: Sequence[Job[Any]] = ()
        self._is_accepting = False
        self._unwarmed: Sequence[Lineup] = ()
        self._has_failed = False

    @property
    def is_ready(self) -> bool:
        """See `Engine.is_ready`."""
        return self._is_accepting and self._worker.is_alive() and not self._unwarmed and not self._has_failed

    @property
    def has_failed(self) -> bool:
        """See `Engine.has_failed`."""
        return self._has_failed

    @property
    def waiting(self) -> int:
        """The number of waiting jobs."""
        return len(self._queue)

    def find_place(self, ticket: str) -> Place | None:
        """See `Engine.find_place`."""
        return self._queue.find_place(ticket)

    def find_seconds(self, kind: type[Work[Any]], lineup: Lineup) -> float | None:
        """See `Engine.find_seconds`."""
        return self._queue.times.recall(kind, lineup)

    def start(self, *, warm_up: Sequence[Lineup] = (), gives_way: bool = False) -> None:
        """Start the worker.

        Args:
            warm_up: lineups that compute a blank picture first: torch's first pass takes longer than others.
            gives_way: whether the worker gives way to the process's other threads, which answer requests.
        """
        self._unwarmed = warm_up
        self._gives_way = gives_way
        self._is_accepting = True
        self._worker.start()

    def close(self) -> None:
        """Refuse new jobs, finish the waiting ones and end the worker."""
        self._is_accepting = False
        self._queue.close()
        # A dying worker starts its replacement before it exits.
        while self._worker.is_alive():
            self._worker.join()

    async def submit(self, work: Work[AnswerType]) -> AnswerType:
        """See `Engine.submit`; cancelling the await drops the work."""
        (answer,) = self.submit_together([work])
        return await answer

    def submit_together(self, batch: Sequence[Work[AnswerType]]) -> list[asyncio.Future[AnswerType]]:
        """Submit several pieces of work, which are accepted or refused together.

        All of them enter the queue before the worker takes the first one, so that they share passes where they can.

        Returns:
            One future per piece of work; cancelling it drops the work.

        Raises:
            QueueFull: when too much work waits.
        """
        if not self._is_accepting:
            raise QueueFull("the server is shutting down; try again in a moment", retry_after_seconds=5)
        jobs = [Job(work) for work in batch]
        if not self._queue.put(*jobs):
            raise self._refuse()
        # Cancelling an await cancels the job's future, and the worker skips the job.
        return [asyncio.wrap_future(job.future) for job in jobs]

    def _refuse(self) -> QueueFull:
        if len(self._queue) >= self._queue.max_size:
            return refuse_number(self._queue.max_size, self._queue.seconds)
        return refuse_wait(len(self._queue), self._queue.seconds, self._queue.max_seconds)

    def _make_worker(self) -> threading.Thread:
        return threading.Thread(target=self._live, name="cbam-lens-engine", daemon=True)

    def _live(self) -> None:
        """Run the worker until the queue is closed and empty; if it dies, start another one."""
        try:
            if self._gives_way:
                # First: the threads that torch starts for its worker inherit this.
                give_way()
            with self._cores.taken():
                self._warm_up()
                self._work()
        except BaseException:
            self._bury(self._current, "the engine's worker died; another one replaces it")
            self._worker = self._make_worker()
            self._worker.start()

    def _warm_up(self) -> None:
        try:
            for lineup in self._unwarmed:
                side = lineup.card.preprocessing.resolution.value
                work = PictureWork(lineup, np.zeros((3, side, side), dtype=np.float32))
                work.compute()
                # The second one takes as long as those of clients will.
                start = time.perf_counter()
                work.compute()
                self._queue.times.learn(work, time.perf_counter() - start)
        except Exception:
            logger.exception("a lineup could not compute its first picture; the server does not become ready")
            self._has_failed = True
        self._unwarmed = ()

    def _work(self) -> None:
        while jobs := self._take():
            self._current = jobs
            if self._may_take_all(jobs):
                self._answer_timed(jobs)
            else:
                self._lend(jobs)
            self._current = ()

    def _take(self) -> Sequence[Job[Any]]:
        """Take the next jobs once a core is free for them."""
        self._cores.wait()
        limit = self._batch_size if self._cores.count == 1 else min(self._batch_size, PASS_PICTURES)
        return self._queue.take(batch_size=limit, wait_seconds=self._batch_wait_seconds)

    def _may_take_all(self, jobs: Sequence[Job[Any]]) -> bool:
        """Whether nothing else is computed or waits, so that every core can work on the same."""
        if self._cores.count == 1:
            return True
        return len(jobs) == 1 and self._cores.free == self._cores.count and not len(self._queue)

    def _lend(self, jobs: Sequence[Job[Any]]) -> None:
        """Let cores compute side by side, so few jobs on each that none stays without work."""
        size = min(PASS_PICTURES, math.ceil((len(jobs) + len(self._queue)) / self._cores.free))
        for first in range(0, len(jobs), size):
            self._cores.lend(partial(self._answer_beside, jobs[first : first + size]))

    def _answer_beside(self, jobs: Sequence[Job[Any]]) -> None:
        """Answer on one core while others compute."""
        try:
            self._answer_timed(jobs, cores=self._cores.count)
        except BaseException:
            self._bury(jobs, "the computation of some jobs died")

    def _answer_timed(self, jobs: Sequence[Job[Any]], *, cores: int = 1) -> None:
        start = time.perf_counter()
        self._answer(jobs)
        # The queue moves on as much faster as cores compute side by side.
        self._queue.times.learn(jobs[0].work, (time.perf_counter() - start) / len(jobs) / cores)

    def _bury(self, jobs: Sequence[Job[Any]], sentence: str) -> None:
        """Answer those for whom an error of the program left no answer."""
        logger.critical(sentence, exc_info=True)
        for job in jobs:
            if not job.future.done():
                job.future.set_exception(EngineFailed("the computation was interrupted; send the picture again"))

    def _answer(self, jobs: Sequence[Job[Any]]) -> None:
        try:
            # All work of a batch has one class, and one lineup.
            answers = type(jobs[0].work).compute_together([job.work for job in jobs])
        except Exception as error:
            half = len(jobs) // 2
            if isinstance(error, torch.OutOfMemoryError):
                self._make_room(half)
            if not half:
                jobs[0].future.set_exception(jobs[0].context.run(_explain_failure, error))
                return
            # One bad picture must not fail the rest of its batch.
            self._answer(jobs[:half])
            self._answer(jobs[half:])
            return
        if self._observe_batch is not None:
            self._observe_batch(len(jobs))
        for job, answer in zip(jobs, answers, strict=True):
            job.future.set_result(answer)

    def _make_room(self, batch_size: int) -> None:
        """Release torch's cached device memory, and take smaller batches from now on."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if 0 < batch_size < self._batch_size:
            logger.warning(
                "the device's memory was too small for a batch; the limit is %d pictures from now on", batch_size
            )
            self._batch_size = batch_size


def _explain_failure(error: Exception) -> LensError:
    if isinstance(error, LensError):
        return error
    logger.error("the engine could not compute a job", exc_info=error)
    if isinstance(error, torch.OutOfMemoryError):
        sentence = "the device's memory is too small for this picture now; try again, or choose a smaller resolution"
    else:
        sentence = "the networks could not process this picture; the server's log says why"
    failure = EngineFailed(sentence)
    failure.__cause__ = error
    return failure
