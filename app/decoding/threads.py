"""Threads for decoding, drawing and encoding: at most one per core, whoever leaves meanwhile, and in turn."""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any, ParamSpec, TypeVar

from app.decoding.parts import DECODER, Decoder, decode_parts
from app.decoding.places import FairPlaces
from app.engine.callers import Caller
from app.engine.priority import give_way

logger = logging.getLogger(__name__)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class JobCancelled(Exception):
    """The job's caller has left."""


class Job:
    """A piece of work in a thread, and what it waits for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._is_cancelled = False
        self._stop: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Stop what the thread waits for, now and later; the thread itself runs on to its end."""
        with self._lock:
            self._is_cancelled = True
            if self._stop is not None:
                self._stop()

    @contextmanager
    def watch(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` from the canceller's thread if the job is cancelled inside of the context.

        Raises:
            JobCancelled: the job was cancelled, before or inside.
        """
        with self._lock:
            if self._is_cancelled:
                raise JobCancelled
            self._stop = stop
        try:
            yield
        finally:
            with self._lock:
                self._stop = None
                is_cancelled = self._is_cancelled
            # Even where nothing failed: what was stopped just after its last step must not be used again.
            if is_cancelled:
                raise JobCancelled


_JOB: ContextVar[Job] = ContextVar("_JOB")


def find_job() -> Job:
    """The job of the running thread; a new one, which nobody cancels, outside of any."""
    return _JOB.get(None) or Job()


class WorkThreads:
    """Runs work in threads, for one event loop, to which they give way as the engine does.

    Args:
        decoder: the decoder of pictures inside of the work.
        limit: the number of threads at once; by default one per core, because decoding and drawing take a core and a
            picture's memory each.
    """

    def __init__(self, decoder: Decoder = decode_parts, *, limit: int | None = None) -> None:
        self._decoder = decoder
        count = limit or os.cpu_count() or 1
        self._places = FairPlaces(count)
        self._pool = ThreadPoolExecutor(count, "cbam-lens-work", initializer=give_way)

    async def run(self, work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run work in a thread.

        A cancelled caller leaves at once, and the decoding that the thread waits for is killed. The place is free when
        the thread has ended, not when the caller has left: a thread cannot be killed.
        """
        job = Job()
        caller = await self._places.take()
        running = asyncio.create_task(self._run(job, caller, partial(work, *args, **kwargs)))
        try:
            return await asyncio.shield(running)
        except asyncio.CancelledError:
            running.add_done_callback(_note_end)
            job.cancel()
            raise

    async def _run(self, job: Job, caller: Caller, work: Callable[[], Result]) -> Result:
        # They are this task's own, and the thread gets a copy.
        _JOB.set(job)
        DECODER.set(self._decoder)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, copy_context().run, work)
        finally:
            self._places.give_back(caller)


def _note_end(running: asyncio.Task[Any]) -> None:
    """Take the error of work that nobody waits for, which asyncio would report as forgotten."""
    error = None if running.cancelled() else running.exception()
    if error is not None and not isinstance(error, JobCancelled):
        logger.info("work whose client had left failed: %r", error)
