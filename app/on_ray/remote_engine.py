"""The engine of an application whose networks are in other processes."""

import asyncio
import copy
import logging
import math
import time
from typing import Any

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, DeploymentUnavailableError
from ray.serve.handle import DeploymentHandle

from app.engine.engine import Engine
from app.engine.job_queue import Place
from app.engine.refusals import refuse_number, refuse_wait
from app.engine.service_times import ServiceTimes
from app.engine.work import AnswerType, Work
from app.errors import EngineFailed, LensError, QueueFull
from app.on_ray.wire import pack

ATTEMPTS = 2
"""Work is sent once more if its replica dies, and then given up: a picture that kills replicas must not kill all."""

RECOVERY_SECONDS = 5
"""The time for Retry-After while a replica starts."""

WATCH_SECONDS = 1.0
READY_SECONDS = 5.0

logger = logging.getLogger(__name__)


class RemoteEngine(Engine):
    """Sends work to the replicas that have the networks, through Ray Serve's bounded queue.

    Args:
        handle: the handle of the `LineupReplica` deployment.
        queue_size: the limit of this process's waiting work, for the refusals' text.
        queue_seconds: the longest time from a piece of work's arrival to its answer; one that would take longer is
            refused.
    """

    def __init__(self, handle: DeploymentHandle, *, queue_size: int, queue_seconds: float = math.inf) -> None:
        self._handle = handle
        self._queue_size = queue_size
        self._queue_seconds = queue_seconds
        self._times = ServiceTimes()
        self._waiting: list[Work[Any]] = []
        self._answered_at = -math.inf
        self._is_ready = False

    @property
    def is_ready(self) -> bool:
        """Whether a replica answered the last health check."""
        return self._is_ready

    @property
    def has_failed(self) -> bool:
        """False: Ray Serve replaces replicas that fail."""
        return False

    @property
    def waiting(self) -> int:
        """The amount of this process's work that waits or is computed."""
        return len(self._waiting)

    def find_place(self, ticket: str) -> Place | None:  # noqa: ARG002  # the replicas' queues are Ray Serve's
        """None: the place is not known."""
        return None

    def close(self) -> None:
        """Do nothing: Ray Serve ends the replicas, which other processes use too."""

    async def submit(self, work: Work[AnswerType]) -> AnswerType:
        """See `Engine.submit`; work is sent again if its replica dies, since its answer is always the same.

        Raises:
            QueueFull: when too much work waits, and when replicas die faster than they answer.
            EngineFailed: when the computation failed.
        """
        begin = time.monotonic()
        own, seconds = self._expect(work), self._expect(*self._waiting, work)
        if self._waiting and seconds > self._queue_seconds:
            raise refuse_wait(len(self._waiting), seconds, self._queue_seconds)
        self._waiting.append(work)
        try:
            answer = await self._send(work)
        finally:
            self._waiting.remove(work)
        self._answered_at = time.monotonic()
        # The time was that of all that waited, whichever replicas computed it.
        share = (self._answered_at - begin) * own / seconds
        # Alone, most of it is the way to a replica and back, which others do not wait for.
        self._times.learn(work, min(share, own) if own == seconds else share)
        if isinstance(answer, LensError):
            raise answer
        if isinstance(answer, BaseException):
            raise EngineFailed("the networks could not process this picture; the server's log says why")
        # Ray's arrays lie in shared memory, which they would block as long as the analysis is kept.
        return copy.deepcopy(answer)

    async def watch(self) -> None:
        """Check regularly whether a replica is ready, until this is cancelled."""
        while True:
            try:
                self._is_ready = await asyncio.wait_for(self._handle.is_ready.remote(), READY_SECONDS)
            except BackPressureError:
                # An overloaded replica is alive.
                self._is_ready = True
            except TimeoutError:
                # The question waits behind the work, which may take longer.
                self._is_ready = time.monotonic() - self._answered_at < READY_SECONDS
                if not self._is_ready:
                    logger.warning("no replica has answered for %g s", READY_SECONDS)
            except (RayError, DeploymentUnavailableError) as error:
                logger.warning("no replica is ready: %s", type(error).__name__)
                self._is_ready = False
            await asyncio.sleep(WATCH_SECONDS)

    def _expect(self, *line: Work[Any]) -> float:
        """The seconds until all of that is done, by what was measured with as much before it."""
        return sum(self._times.expect(work) for work in line)

    async def _send(self, work: Work[AnswerType]) -> AnswerType | BaseException:
        """Send the work, and return its answer or its error."""
        packed = pack(work)
        for _ in range(ATTEMPTS):
            try:
                answer: AnswerType | BaseException = await self._handle.answer.remote(packed)
            except BackPressureError as error:
                raise refuse_number(self._queue_size, self._expect(*self._waiting)) from error
            except DeploymentUnavailableError as error:
                raise _refuse() from error
            except RayTaskError as error:
                raise EngineFailed("the networks could not process this picture; the server's log says why") from error
            except RayError as error:
                logger.warning(
                    "a replica died with its work (%s); the work is sent to another one", type(error).__name__
                )
            else:
                return answer
        raise _refuse()


def _refuse() -> QueueFull:
    return QueueFull(
        f"the networks are restarting; try again in {RECOVERY_SECONDS} s",
        retry_after_seconds=RECOVERY_SECONDS,
    )
