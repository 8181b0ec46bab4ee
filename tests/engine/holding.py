"""Keeping an engine's worker busy, so that tests decide about the queue."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from fastapi.testclient import TestClient

from app.engine.device_engine import DeviceEngine
from app.engine.work import Work
from models.lineups.lineup import Lineup

PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True, eq=False)
class HoldingWork(Work[bool]):
    """Work that lasts until it is released.

    Attributes:
        has_begun: set by the worker.
        is_released: awaited by the worker.
    """

    has_begun: threading.Event
    is_released: threading.Event

    def compute(self) -> bool:
        """Whether it was released in time."""
        self.has_begun.set()
        return self.is_released.wait(PATIENCE_SECONDS)


async def hold(engine: DeviceEngine, lineup: Lineup) -> Callable[[], None]:
    """Keep the worker of a started engine busy until the answer is called; the queue is then empty."""
    work = HoldingWork(lineup, threading.Event(), threading.Event())
    engine.submit_together([work])
    assert await asyncio.to_thread(work.has_begun.wait, PATIENCE_SECONDS)
    return work.is_released.set


def hold_server(client: TestClient, lineup: Lineup) -> Callable[[], None]:
    """The same for the engine of a server in this process, whose client is entered."""
    assert client.portal is not None
    return client.portal.call(hold, find_engine(client), lineup)


def find_engine(client: TestClient) -> DeviceEngine:
    """The engine of a server in this process."""
    engine: DeviceEngine = client.app.state.lenses.engine  # type: ignore[attr-defined]
    return engine


def wait_for_work(client: TestClient, count: int) -> None:
    """Wait until that much work waits in the engine's queue."""
    until = monotonic() + PATIENCE_SECONDS
    while find_engine(client).waiting < count:
        assert monotonic() < until, f"{find_engine(client).waiting} wait, not {count}"
        threading.Event().wait(0.01)
