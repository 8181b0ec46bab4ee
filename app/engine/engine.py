"""The engine: the one owner of the device.

The life of a request: it awaits one call of `Engine` and so becomes one job -> the job waits in one bounded queue, or
is refused with `QueueFull` before anything was computed for it -> the device's worker takes the oldest job, and with it
those that wait for the same pair and a picture of the same shape -> a job whose caller has gone, or ran out of time, is
skipped -> one forward pass of each network answers all of them, the gradients begin at the stage that was asked for ->
each answer goes back to its caller's event loop. Only the worker's thread touches a network.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np
import torch

from app.engine.answerer import Answerer
from app.engine.computation import alter, answer_question, compute_pictures, forget, open_block
from app.engine.job_queue import Job, JobQueue
from app.engine.work import (
    AlteredWork,
    EngineWork,
    ForgottenWork,
    OpenedWork,
    PictureAnswer,
    PictureWork,
    TraceWork,
)
from app.errors import EngineFailed, LensError, QueueFull
from models.lineups.pair import NetworkPair

logger = logging.getLogger(__name__)


class Engine(Answerer):
    """The one worker of a device, behind a bounded queue; every pair that is served goes through it.

    Args:
        queue_size: how many jobs may wait.
        batch_size: the most pictures of one forward pass.
        batch_wait_seconds: how long the first picture of a batch waits for others.
        observe_batch: told how many pictures went through the networks together; None for nobody.
    """

    def __init__(
        self,
        *,
        queue_size: int,
        batch_size: int = 8,
        batch_wait_seconds: float = 0.0,
        observe_batch: Callable[[int], None] | None = None,
    ) -> None:
        self._queue: JobQueue[EngineWork] = JobQueue(queue_size)
        self._batch_size = batch_size
        self._batch_wait_seconds = batch_wait_seconds
        self._observe_batch = observe_batch
        self._worker = self._make_worker()
        self._current: Sequence[Job[EngineWork]] = ()
        self._seconds_per_job = 0.1
        self._is_accepting = False
        self._unwarmed: Sequence[NetworkPair] = ()
        self._has_failed = False

    @property
    def is_ready(self) -> bool:
        """Whether jobs are taken and answered, and every pair has answered a first one."""
        return self._is_accepting and self._worker.is_alive() and not self._unwarmed and not self._has_failed

    @property
    def has_failed(self) -> bool:
        """Whether a pair did not answer its first picture."""
        return self._has_failed

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    def start(self, *, warm_up: Sequence[NetworkPair] = ()) -> None:
        """Start the worker.

        Args:
            warm_up: pairs that see a picture before any job: what torch makes at the first one is made then.
        """
        self._unwarmed = warm_up
        self._is_accepting = True
        self._worker.start()

    def close(self) -> None:
        """Refuse new jobs, answer the waiting ones, end the worker."""
        self._is_accepting = False
        self._queue.close()
        # One that dies meanwhile has begun another before it is gone.
        while self._worker.is_alive():
            self._worker.join()

    async def submit(self, work: EngineWork) -> object:
        """See `Answerer.submit`; cancelling the await gives the work up."""
        (job,) = self._queue_up(work)
        # Cancelling the await cancels the future, and the worker skips the job.
        return await asyncio.wrap_future(job.future)

    def submit_together(self, works: Sequence[EngineWork]) -> list[asyncio.Future[object]]:
        """Several works that are taken or refused as one, and each one's answer to be awaited or given up.

        They wait side by side before the worker sees the first of them, so that those of one kind share a pass.

        Raises:
            QueueFull: when too many works wait.
        """
        return [asyncio.wrap_future(job.future) for job in self._queue_up(*works)]

    def _queue_up(self, *works: EngineWork) -> list[Job[EngineWork]]:
        if not self._is_accepting:
            raise QueueFull("the server is shutting down; try again in a moment", retry_after_seconds=5)
        jobs = [Job(work, _find_kind(work)) for work in works]
        if not self._queue.put(*jobs):
            seconds = max(1, math.ceil(self._queue.max_size * self._seconds_per_job))
            raise QueueFull(
                f"{self._queue.max_size} requests are waiting, which is the limit; try again in {seconds} s",
                retry_after_seconds=seconds,
            )
        return jobs

    def _make_worker(self) -> threading.Thread:
        return threading.Thread(target=self._live, name="cbam-lens-engine", daemon=True)

    def _live(self) -> None:
        """The worker: work until the queue is closed and empty; where it dies, another one goes on."""
        try:
            self._warm_up()
            self._work()
        except BaseException:
            logger.critical("the engine's worker died; another one goes on", exc_info=True)
            for job in self._current:
                if not job.future.done():
                    job.future.set_exception(EngineFailed("the computation was broken off; send the picture again"))
            self._worker = self._make_worker()
            self._worker.start()

    def _warm_up(self) -> None:
        try:
            for pair in self._unwarmed:
                side = pair.card.preprocessing.resolution.value
                compute_pictures([PictureWork(pair, np.zeros((3, side, side), dtype=np.float32), None)])
        except Exception:
            logger.exception("a pair did not answer its first picture; the server does not become ready")
            self._has_failed = True
        self._unwarmed = ()

    def _work(self) -> None:
        while jobs := self._queue.take(batch_size=self._batch_size, wait_seconds=self._batch_wait_seconds):
            start = time.perf_counter()
            self._current = jobs
            self._answer(jobs)
            self._current = ()
            elapsed = (time.perf_counter() - start) / len(jobs)
            self._seconds_per_job += 0.1 * (elapsed - self._seconds_per_job)

    def _answer(self, jobs: Sequence[Job[EngineWork]]) -> None:
        try:
            answers = self._compute([job.work for job in jobs])
        except Exception as error:
            half = len(jobs) // 2
            if isinstance(error, torch.OutOfMemoryError):
                self._make_room(half)
            if not half:
                jobs[0].future.set_exception(jobs[0].context.run(_explain_failure, error))
                return
            # One bad picture must not take the others of its batch with it.
            self._answer(jobs[:half])
            self._answer(jobs[half:])
            return
        if self._observe_batch is not None:
            self._observe_batch(len(jobs))
        for job, answer in zip(jobs, answers, strict=True):
            job.future.set_result(answer)

    def _make_room(self, batch_size: int) -> None:
        """Give back what torch keeps of the device's memory, and take fewer pictures at once from now on."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if 0 < batch_size < self._batch_size:
            logger.warning("the device's memory was too small for a batch; the most is %d from now on", batch_size)
            self._batch_size = batch_size

    def _compute(self, works: Sequence[EngineWork]) -> Sequence[object]:
        match works[0]:
            case TraceWork(pair, traces, question):
                return [answer_question(pair, traces, question)]
            case AlteredWork() as work:
                return [alter(work)]
            case ForgottenWork() as work:
                return [forget(work)]
            case OpenedWork() as work:
                return [open_block(work)]
            case _:
                # The queue hands out jobs of one kind together: one pair, one shape.
                return self._compute_pictures(cast("Sequence[PictureWork]", works))

    def _compute_pictures(self, works: Sequence[PictureWork]) -> list[PictureAnswer]:
        return compute_pictures(works)


def _find_kind(work: EngineWork) -> tuple[int, ...] | None:
    """What must be alike for works to share a pass: the pair and the picture's shape; None for a work by itself."""
    return (id(work.pair), *work.values.shape) if isinstance(work, PictureWork) else None


def _explain_failure(error: Exception) -> LensError:
    if isinstance(error, LensError):
        return error
    logger.error("the engine could not compute a job", exc_info=error)
    if isinstance(error, torch.OutOfMemoryError):
        sentence = "the device's memory is too small for this picture at present; try again, or a smaller resolution"
    else:
        sentence = "the networks could not be computed on this picture; the server's log says why"
    failure = EngineFailed(sentence)
    failure.__cause__ = error
    return failure
