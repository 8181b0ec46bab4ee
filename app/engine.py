"""The engine: the one owner of the device.

The life of a request: it awaits one call of `Engine` and so becomes one job -> the job waits in one bounded queue, or
is refused with `QueueFull` before anything was computed for it -> the device's worker takes it, skipping a job whose
caller has gone or ran out of time -> the answer goes back to the caller's event loop. Only the worker's thread touches
a network.
"""

import asyncio
import logging
import math
import queue
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

import torch

from app.errors import EngineFailed, LensError, QueueFull
from app.explain.attention_maps import read_attention_maps
from app.explain.cam import score_gradient
from app.explain.maps import BlockMaps, FloatArray
from models.names import NetworkName, Stage
from models.pair import NetworkPair

logger = logging.getLogger(__name__)

Result = TypeVar("Result")


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
        gates = sum(block.channel.values.nbytes + block.spatial.values.nbytes for block in self.blocks)
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


class Engine:
    """A pair on its device, behind a bounded queue.

    Args:
        pair: the networks.
        queue_size: how many jobs may wait.
    """

    def __init__(self, pair: NetworkPair, *, queue_size: int) -> None:
        self.pair = pair
        self._jobs: queue.Queue[tuple[Future[Any], Callable[[], Any]] | None] = queue.Queue(maxsize=queue_size)
        self._worker = threading.Thread(target=self._work, name="cbam-lens-engine", daemon=True)
        self._typical_seconds = 0.1
        self._is_accepting = False

    @property
    def is_ready(self) -> bool:
        """Whether jobs are taken and answered."""
        return self._is_accepting and self._worker.is_alive()

    def start(self) -> None:
        """Start the worker."""
        self._is_accepting = True
        self._worker.start()

    def close(self) -> None:
        """Refuse new jobs, answer the waiting ones, end the worker."""
        self._is_accepting = False
        if self._worker.is_alive():
            self._jobs.put(None)
            self._worker.join()

    async def trace(self, values: FloatArray) -> PairTrace:
        """One forward pass of both networks.

        Args:
            values: a normalised picture, (3, H, W).

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return await self._submit(lambda: self._trace(values))

    async def differentiate(self, traces: PairTrace, question: Question) -> PairGradient:
        """Both networks' gradients on a picture that was traced before.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """
        return await self._submit(lambda: self._differentiate(traces, question))

    async def trace_and_differentiate(self, values: FloatArray, question: Question) -> tuple[PairTrace, PairGradient]:
        """`trace` and `differentiate` as one job, so that a request is taken or refused as a whole.

        Args:
            values: a normalised picture, (3, H, W).
            question: what is to be explained.

        Raises:
            QueueFull: when too many jobs wait.
            EngineFailed: when the computation went wrong.
        """

        def compute() -> tuple[PairTrace, PairGradient]:
            traces = self._trace(values)
            return traces, self._differentiate(traces, question)

        return await self._submit(compute)

    async def _submit(self, compute: Callable[[], Result]) -> Result:
        if not self._is_accepting:
            raise QueueFull("the server is shutting down; try again in a moment", retry_after_seconds=5)
        future: Future[Result] = Future()
        try:
            self._jobs.put_nowait((future, compute))
        except queue.Full as error:
            seconds = max(1, math.ceil(self._jobs.maxsize * self._typical_seconds))
            raise QueueFull(
                f"{self._jobs.maxsize} jobs are waiting, which is the limit; try again in {seconds} s",
                retry_after_seconds=seconds,
            ) from error
        # Cancelling the await cancels the future, and the worker skips it.
        return await asyncio.wrap_future(future)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, compute = job
            if not future.set_running_or_notify_cancel():
                continue
            start = time.perf_counter()
            try:
                future.set_result(compute())
            except LensError as error:
                future.set_exception(error)
            except Exception as error:
                logger.exception("the engine could not compute a job")
                failure = EngineFailed("the networks could not be computed on this picture; the server's log says why")
                failure.__cause__ = error
                future.set_exception(failure)
            self._typical_seconds += 0.1 * (time.perf_counter() - start - self._typical_seconds)

    def _trace(self, values: FloatArray) -> PairTrace:
        batch = torch.from_numpy(values)[None].to(self.pair.device)  # (1, 3, H, W)
        return {name: _trace_network(self.pair, name, batch) for name in NetworkName}

    def _differentiate(self, traces: PairTrace, question: Question) -> PairGradient:
        class_index = question.class_index
        if class_index is None:
            class_index = int(traces[NetworkName.BASELINE].logits.argmax())
        gradients = {
            name: _differentiate_network(self.pair, name, trace.features[question.stage], question.stage, class_index)
            for name, trace in traces.items()
        }
        return PairGradient(class_index, gradients)


def _trace_network(pair: NetworkPair, name: NetworkName, batch: torch.Tensor) -> NetworkTrace:
    with torch.no_grad():
        trace = pair.networks[name].trace(batch)
    if not torch.isfinite(trace.logits).all():
        raise EngineFailed(f"the {name} network answered with values that are not finite; check its weights")
    return NetworkTrace(
        logits=_to_array(trace.logits[0]),
        features={stage: _to_array(features[0]) for stage, features in trace.features.items()},
        blocks=read_attention_maps(trace),
    )


def _differentiate_network(
    pair: NetworkPair, name: NetworkName, features: FloatArray, stage: Stage, class_index: int
) -> FloatArray:
    # The trace's arrays are shared and not writable; torch wants its own copy.
    batch = torch.tensor(features, device=pair.device)[None]  # (1, C, H, W)
    classes = torch.tensor([class_index], device=pair.device)
    return _to_array(score_gradient(pair.networks[name], batch, stage=stage, class_indices=classes)[0])


def _to_array(tensor: torch.Tensor) -> FloatArray:
    array: FloatArray = tensor.detach().float().cpu().contiguous().numpy()
    array.flags.writeable = False
    return array
