"""The worker gives way to the process's other threads where it shall."""

import asyncio
import os
import sys
import threading
from dataclasses import dataclass

import pytest
from fastapi.testclient import TestClient

from app.engine.device_engine import DeviceEngine
from app.engine.priority import NICENESS_STEP
from app.engine.work import Work
from models.lineups.lineup import Lineup

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
