"""Keeping an engine's worker busy, so that tests decide about the queue."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fastapi.testclient import TestClient

from app.analysis.lenses import Lenses
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


@dataclass(frozen=True, slots=True)
class HeldServer:
    """A server in this process whose engine's worker is busy; its queue was empty when that began.

    Attributes:
        client: the server's.
        engine: the server's.
        release: let the worker go on.
    """

    client: TestClient
    engine: DeviceEngine
    release: Callable[[], None]

    def wait_for(self, count: int) -> None:
        """Wait until so many works are in the queue."""
        assert self.client.portal is not None
        self.client.portal.call(wait_for_queue, self.engine, count)


async def wait_for_queue(engine: DeviceEngine, count: int) -> None:
    """Give way to whatever else the event loop has to do, until so many works are in the queue."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while engine.waiting != count:
            await asyncio.sleep(0)


@contextmanager
def hold_server(client: TestClient) -> Iterator[HeldServer]:
    """Keep the worker of a client's running server busy until it is released, at the latest when the block ends."""
    lenses: Lenses = client.app.state.lenses  # type: ignore[attr-defined]
    engine = lenses.engine
    assert isinstance(engine, DeviceEngine)
    assert client.portal is not None
    release = client.portal.call(hold, engine, lenses.default.lineup)
    try:
        yield HeldServer(client, engine, release)
    finally:
        release()
