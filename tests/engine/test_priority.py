"""What computes gives way to what answers requests, and long work to both."""

import asyncio
import os
import subprocess
import sys
import threading
from dataclasses import dataclass

import psutil
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.decoding.parts import DecodingRequest
from app.decoding.processes import DecodingProcesses
from app.decoding.threads import WorkThreads
from app.engine.device_engine import DeviceEngine
from app.engine.priority import LONG_NICENESS_STEP, NICENESS_STEP
from app.engine.work import Work
from models.lineups.lineup import Lineup
from tests.decoding.pictures import encode

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux alone has a priority for each thread")


def read_niceness() -> int:
    """That of the calling thread."""
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@dataclass(frozen=True, slots=True, eq=False)
class NicenessWork(Work[tuple[int, int]]):
    """The niceness of the worker, and of a thread that it starts, as torch starts its own."""

    def compute(self) -> tuple[int, int]:
        """Read both."""
        found: list[int] = []
        thread = threading.Thread(target=lambda: found.append(read_niceness()))
        thread.start()
        thread.join()
        return read_niceness(), found[0]


@pytest.mark.parametrize(("gives_way", "step"), [(True, NICENESS_STEP), (False, 0)])
def test_worker_and_its_threads_are_nicer_than_the_process_where_they_shall_be(
    lineup: Lineup, *, gives_way: bool, step: int
) -> None:
    engine = DeviceEngine(queue_size=4)
    engine.start(gives_way=gives_way)
    before = read_niceness()
    expected = min(19, before + step)
    assert asyncio.run(engine.submit(NicenessWork(lineup))) == (expected, expected)
    assert read_niceness() == before
    engine.close()


def test_servers_engine_gives_way(local_client: TestClient) -> None:
    lenses = local_client.app.state.lenses  # type: ignore[attr-defined]
    assert local_client.portal is not None
    answer = local_client.portal.call(lenses.engine.submit, NicenessWork(lenses.default.lineup))
    assert answer[0] == min(19, read_niceness() + NICENESS_STEP)


def test_work_in_threads_gives_way_as_the_engine_does() -> None:
    before = read_niceness()
    assert asyncio.run(WorkThreads(limit=1).run(read_niceness)) == min(19, before + NICENESS_STEP)
    assert read_niceness() == before


def test_decoding_processes_give_way_as_the_engine_does() -> None:
    processes = DecodingProcesses()
    before = set(psutil.Process().children(recursive=True))
    try:
        request = DecodingRequest(max_pixels=10_000)
        processes.decode(encode(Image.new("RGB", (9, 9)), "PNG"), request, seconds=20)
        found = set(psutil.Process().children(recursive=True)) - before
        assert len(found) == 2
        assert {process.nice() for process in found} == {min(19, read_niceness() + NICENESS_STEP)}
    finally:
        processes.close()


LONG_WORK = """
import os, sys, time
from app.engine.priority import giving_way_when_long

before = os.getpriority(os.PRIO_PROCESS, 0)
with giving_way_when_long(float(sys.argv[1])) as gave_way:
    while time.process_time() < 1:
        pass
print(gave_way.is_set(), os.getpriority(os.PRIO_PROCESS, 0) - before)
"""


@pytest.mark.parametrize(("seconds", "answer"), [("0.2", f"True {LONG_NICENESS_STEP}"), ("100", "False 0")])
def test_process_gives_way_once_more_if_its_work_is_long(seconds: str, answer: str) -> None:
    command = [sys.executable, "-c", LONG_WORK, seconds]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603  # our own program
    assert done.stdout.strip() == answer
