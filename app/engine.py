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

from app.computation import alter, answer_question, compute_pictures, forget, open_block
from app.errors import EngineFailed, LensError, QueueFull
from app.explain.maps import FloatArray, OpenBlock
from app.jobs import Job, JobQueue
from app.work import (
    AlteredAnswer,
    AlteredWork,
    EngineWork,
    ForgottenAnswer,
    ForgottenWork,
    NetworkTrace,
    OpenedWork,
    PairGradient,
    PairTrace,
    PictureAnswer,
    PictureWork,
    Question,
    TraceWork,
)
from models.interventions import Intervention
from models.pair import NetworkPair
from models.randomisation import Randomisation

logger = logging.getLogger(__name__)


class Engine:
    """The one worker of a device, behind a bounded queue; every pair that is served goes through it.

    Args:
        queue_size: how many jobs may wait.
        batch_size: the most pictures of one forward pass.
        batch_wait_seconds: how long the first picture of a batch waits for others.
        observe_batch: told how many pictures went through the networks together; None for nobody.

    Attributes:
        has_failed: whether a pair did not answer its first picture.
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
        self.has_failed = False

    @property
    def is_ready(self) -> bool:
        """Whether jobs are taken and answered, and every pair has answered a first one."""
        return self._is_accepting and self._worker.is_alive() and not self._unwarmed and not self.has_failed

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

    async def trace(self, pair: NetworkPair, values: FloatArray) -> PairTrace:
        """One forward pass of both networks.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        answer = await self._submit(PictureWork(pair, values, None), kind=(id(pair), *values.shape))
        return cast("PictureAnswer", answer)[0]

    async def differentiate(self, pair: NetworkPair, traces: PairTrace, question: Question) -> PairGradient:
        """Both networks' gradients on a picture that was traced before.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("PairGradient", await self._submit(TraceWork(pair, traces, question), kind=None))

    async def trace_and_differentiate(
        self, pair: NetworkPair, values: FloatArray, question: Question
    ) -> tuple[PairTrace, PairGradient]:
        """`trace` and `differentiate` as one job, so that a request is taken or refused as a whole.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).
            question: what is to be explained.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        answer = await self._submit(PictureWork(pair, values, question), kind=(id(pair), *values.shape))
        return cast("tuple[PairTrace, PairGradient]", answer)

    async def trace_altered(
        self,
        pair: NetworkPair,
        values: FloatArray,
        interventions: tuple[Intervention, ...],
        question: Question | None,
    ) -> tuple[NetworkTrace, FloatArray | None]:
        """One forward pass of the network with attention, its gates changed, and the gradient where one is wanted.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).
            interventions: what is done to the gates.
            question: what is to be explained, with a class; None for the trace alone.

        Returns:
            The trace, and d logit / d features of the question's stage, (C, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("AlteredAnswer", await self._submit(AlteredWork(pair, values, question, interventions), kind=None))

    async def trace_forgotten(
        self, pair: NetworkPair, values: FloatArray, question: Question, extent: Randomisation
    ) -> ForgottenAnswer:
        """Both networks' features and gradients after part of their weights became random.

        Args:
            pair: the networks; they are left as they are.
            values: a normalised picture, (3, H, W).
            question: what is to be explained, with a class.
            extent: how much of each network is random.

        Returns:
            The question's stage's output and d logit / d output by network, each (C, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("ForgottenAnswer", await self._submit(ForgottenWork(pair, values, question, extent), kind=None))

    async def open_block(
        self, pair: NetworkPair, values: FloatArray, block: str, interventions: tuple[Intervention, ...]
    ) -> OpenBlock:
        """What the attention of one block saw and did.

        Args:
            pair: the networks.
            values: a normalised picture, (3, H, W).
            block: the block's name, one of the network's.
            interventions: what is done to the gates.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return cast("OpenBlock", await self._submit(OpenedWork(pair, values, block, interventions), kind=None))

    async def _submit(self, work: EngineWork, *, kind: tuple[int, ...] | None) -> object:
        if not self._is_accepting:
            raise QueueFull("the server is shutting down; try again in a moment", retry_after_seconds=5)
        job = Job(work, kind)
        if not self._queue.put(job):
            seconds = max(1, math.ceil(self._queue.max_size * self._seconds_per_job))
            raise QueueFull(
                f"{self._queue.max_size} requests are waiting, which is the limit; try again in {seconds} s",
                retry_after_seconds=seconds,
            )
        # Cancelling the await cancels the future, and the worker skips the job.
        return await asyncio.wrap_future(job.future)

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
            self.has_failed = True
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
                jobs[0].future.set_exception(_explain_failure(error))
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
