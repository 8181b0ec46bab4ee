"""Work in threads: its places, and what a cancelled job stops."""

import asyncio
import threading
import time

import pytest

from app.decoding.threads import Job, JobCancelled, WorkThreads, find_job
from app.engine.callers import Caller, present_caller


def test_cancelled_job_stops_what_it_waits_for_and_never_lets_it_be_used_again() -> None:
    job, stopped = Job(), threading.Event()
    with pytest.raises(JobCancelled), job.watch(stopped.set):
        job.cancel()
    assert stopped.is_set()
    with pytest.raises(JobCancelled), job.watch(stopped.clear):
        raise AssertionError


def test_job_that_is_cancelled_later_stops_nothing() -> None:
    job, stopped = Job(), threading.Event()
    with job.watch(stopped.set):
        pass
    job.cancel()
    assert not stopped.is_set()


def test_work_has_a_job_of_its_own() -> None:
    async def ask() -> list[Job]:
        threads = WorkThreads(limit=2)
        return [await threads.run(find_job) for _ in range(2)]

    first, second = asyncio.run(ask())
    assert first is not second


def test_place_of_a_thread_that_cannot_be_stopped_is_free_when_it_ends() -> None:
    can_end = threading.Event()

    async def leave() -> None:
        threads = WorkThreads(limit=1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await threads.run(can_end.wait)
        second = asyncio.create_task(threads.run(time.monotonic))
        await asyncio.sleep(0.05)
        assert not second.done()
        can_end.set()
        await second

    asyncio.run(leave())


def test_work_whose_caller_leaves_before_it_has_a_place_never_runs() -> None:
    can_end, has_run = threading.Event(), threading.Event()

    async def leave() -> None:
        threads = WorkThreads(limit=1)
        first = asyncio.create_task(threads.run(can_end.wait))
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await threads.run(has_run.set)
        can_end.set()
        await first

    asyncio.run(leave())
    assert not has_run.is_set()


def test_work_sees_its_callers_context() -> None:
    async def ask() -> str:
        present_caller.set(Caller("somebody"))
        return await WorkThreads(limit=1).run(lambda: present_caller.get().client)

    assert asyncio.run(ask()) == "somebody"
