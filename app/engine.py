"""The engine: the one owner of the device.

The life of a request: it awaits one call of `Engine` and so becomes one job -> the job waits in one bounded queue, or
is refused with `QueueFull` before anything was computed for it -> the device's worker takes the oldest job, and with it
those that wait for the same pair and a picture of
the same shape -> a job whose caller has gone, or ran out of time, is skipped -> one
forward pass of each network answers all of them, the gradients begin at the stage that was asked for -> each answer
goes back to its caller's event loop. Only the worker's thread touches a network.
"""

import asyncio
import logging
import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch

from app.errors import EngineFailed, LensError, QueueFull
from app.explain.attention_maps import read_attention_maps
from app.explain.cam import score_gradient
from app.explain.maps import BlockMaps, FloatArray
from app.jobs import Job, JobQueue
from models.names import NetworkName, Stage
from models.pair import NetworkPair
from models.trace import Trace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class NetworkTrace:
    """What one network left behind of one picture, in memory of the CPU.

    Attributes:
        logits: (K,).
        features: each stage's output, (C, H, W).
        blocks: each block's gates; none without attention.
    """

    logits: FloatArray
    features: Mapping[Stage, FloatArray]
    blocks: tuple[BlockMaps, ...]

    @property
    def size_bytes(self) -> int:
        """The memory that the arrays take."""
        gates = sum(gate.values.nbytes for block in self.blocks for gate in block.gates.values())
        return self.logits.nbytes + sum(values.nbytes for values in self.features.values()) + gates


PairTrace = Mapping[NetworkName, NetworkTrace]


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be explained.

    Attributes:
        stage: whose output.
        class_index: the class, 0..K-1; None for the one that the baseline ranks first.
    """

    stage: Stage
    class_index: int | None


@dataclass(frozen=True, slots=True, eq=False)
class PairGradient:
    """The gradients of one class score with respect to one stage's output.

    Attributes:
        class_index: the class, 0..K-1.
        gradients: each network's, (C, H, W).
    """

    class_index: int
    gradients: Mapping[NetworkName, FloatArray]


@dataclass(frozen=True, slots=True, eq=False)
class PictureWork:
    """A picture to trace, (3, H, W), by which pair, and what to explain on it, or nothing."""

    pair: NetworkPair
    values: FloatArray
    question: Question | None


@dataclass(frozen=True, slots=True, eq=False)
class TraceWork:
    """A picture that was traced before, by which pair, and what to explain on it."""

    pair: NetworkPair
    traces: PairTrace
    question: Question


EngineWork = PictureWork | TraceWork
PictureAnswer = tuple[PairTrace, PairGradient | None]


class Engine:
    """The one worker of a device, behind a bounded queue; every pair that is served goes through it.

    Args:
        queue_size: how many jobs may wait.
        batch_size: the most pictures of one forward pass.
        batch_wait_seconds: how long the first picture of a batch waits for others.
    """

    def __init__(self, *, queue_size: int, batch_size: int = 8, batch_wait_seconds: float = 0.0) -> None:
        self._queue: JobQueue[EngineWork] = JobQueue(queue_size)
        self._batch_size = batch_size
        self._batch_wait_seconds = batch_wait_seconds
        self._worker = threading.Thread(target=self._live, name="cbam-lens-engine", daemon=True)
        self._seconds_per_job = 0.1
        self._is_accepting = False

    @property
    def is_ready(self) -> bool:
        """Whether jobs are taken and answered."""
        return self._is_accepting and self._worker.is_alive()

    @property
    def waiting(self) -> int:
        """How many jobs wait."""
        return len(self._queue)

    def start(self) -> None:
        """Start the worker."""
        self._is_accepting = True
        self._worker.start()

    def close(self) -> None:
        """Refuse new jobs, answer the waiting ones, end the worker."""
        self._is_accepting = False
        self._queue.close()
        if self._worker.is_alive():
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

    def _live(self) -> None:
        """The worker: take jobs until the queue is closed and empty."""
        while jobs := self._queue.take(batch_size=self._batch_size, wait_seconds=self._batch_wait_seconds):
            start = time.perf_counter()
            self._answer(jobs)
            elapsed = (time.perf_counter() - start) / len(jobs)
            self._seconds_per_job += 0.1 * (elapsed - self._seconds_per_job)

    def _answer(self, jobs: Sequence[Job[EngineWork]]) -> None:
        try:
            for job, answer in zip(jobs, self._compute([job.work for job in jobs]), strict=True):
                job.future.set_result(answer)
        except Exception as error:
            if len(jobs) > 1:
                # One bad picture must not take the others of its batch with it.
                for job in jobs:
                    self._answer([job])
            else:
                jobs[0].future.set_exception(_explain_failure(error))

    def _compute(self, works: Sequence[EngineWork]) -> Sequence[object]:
        first = works[0]
        if isinstance(first, TraceWork):
            return [_answer_question(first.pair, first.traces, first.question)]
        return self._compute_pictures(cast("Sequence[PictureWork]", works))

    def _compute_pictures(self, works: Sequence[PictureWork]) -> list[PictureAnswer]:
        # The queue hands out jobs of one kind together: one pair, one shape.
        pair = works[0].pair
        batch = torch.stack([torch.from_numpy(work.values) for work in works])  # (N, 3, H, W)
        if pair.device.type == "cuda":
            batch = batch.pin_memory()
        batch = batch.to(pair.device, non_blocking=True, memory_format=torch.channels_last)
        traced = {name: _trace_network(pair, name, batch) for name in NetworkName}
        pictures = [{name: traces[position] for name, traces in traced.items()} for position in range(len(works))]
        return [
            (traces, None if work.question is None else _answer_question(pair, traces, work.question))
            for work, traces in zip(works, pictures, strict=True)
        ]


def _answer_question(pair: NetworkPair, traces: PairTrace, question: Question) -> PairGradient:
    class_index = question.class_index
    if class_index is None:
        class_index = int(traces[NetworkName.BASELINE].logits.argmax())
    gradients = {
        name: _differentiate(pair, name, trace.features[question.stage], question.stage, class_index)
        for name, trace in traces.items()
    }
    return PairGradient(class_index, gradients)


def _trace_network(pair: NetworkPair, name: NetworkName, batch: torch.Tensor) -> list[NetworkTrace]:
    """One forward pass; one trace a picture."""
    network = pair.networks[name]
    with torch.no_grad():
        trace = network.trace(batch.to(network.dtype))
    # One transfer a tensor for the whole batch, and one wait for the device.
    trace = _to_cpu(trace)
    if not torch.isfinite(trace.logits).all():
        raise EngineFailed(f"the {name} network answered with values that are not finite; check its weights")
    return [
        NetworkTrace(
            logits=_to_array(trace.logits[position]),
            features={stage: _to_array(features[position]) for stage, features in trace.features.items()},
            blocks=read_attention_maps(trace, position=position),
        )
        for position in range(len(batch))
    ]


def _to_cpu(trace: Trace) -> Trace:
    def move(tensor: torch.Tensor) -> torch.Tensor:
        return tensor.to("cpu", torch.float32, non_blocking=True)

    moved = Trace(
        logits=move(trace.logits),
        features={stage: move(features) for stage, features in trace.features.items()},
        attentions={name: gates.map(move) for name, gates in trace.attentions.items()},
    )
    if trace.logits.is_cuda:
        torch.cuda.current_stream(trace.logits.device).synchronize()
    return moved


def _differentiate(
    pair: NetworkPair, name: NetworkName, features: FloatArray, stage: Stage, class_index: int
) -> FloatArray:
    network = pair.networks[name]
    # The trace's arrays are shared and not writable; torch wants its own copy.
    batch = torch.tensor(features, device=pair.device, dtype=network.dtype)[None]  # (1, C, H, W)
    classes = torch.tensor([class_index], device=pair.device)
    return _to_array(score_gradient(network, batch, stage=stage, class_indices=classes)[0])


def _to_array(tensor: torch.Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().float().cpu().contiguous().numpy()
    array.flags.writeable = False
    return array


def _explain_failure(error: Exception) -> LensError:
    if isinstance(error, LensError):
        return error
    logger.error("the engine could not compute a job", exc_info=error)
    failure = EngineFailed("the networks could not be computed on this picture; the server's log says why")
    failure.__cause__ = error
    return failure
