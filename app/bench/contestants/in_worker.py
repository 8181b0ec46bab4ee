"""Computations in the engine's worker, which has torch's cores; another thread with them would slow both down."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from app.engine.engine import Engine
from app.engine.work import Work
from models.lineups.lineup import Lineup

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True, eq=False)
class AnyWork(Work[Answer]):
    """A function's call.

    Attributes:
        function: the function.
    """

    function: Callable[[], Answer]

    def compute(self) -> Answer:
        """Call it."""
        return self.function()


@dataclass(frozen=True, slots=True)
class Worker:
    """A running engine's worker.

    Attributes:
        engine: the engine.
        lineup: any lineup of the engine's device.
    """

    engine: Engine
    lineup: Lineup

    async def run(self, function: Callable[[], Answer]) -> Answer:
        """Call a function in the worker."""
        return await self.engine.submit(AnyWork(self.lineup, function))

    def wait_for(self, function: Callable[[], Answer]) -> Answer:
        """Likewise, outside of any event loop."""
        return asyncio.run(self.run(function))


class Timed(Protocol):
    """A computation that times itself."""

    def time(self) -> Mapping[str, float]:
        """One run: milliseconds by figure."""
        ...


@dataclass(frozen=True, slots=True)
class InWorker:
    """A contestant whose runs take place in the worker.

    Attributes:
        timed: the computation.
        worker: the worker.
    """

    timed: Timed
    worker: Worker

    async def measure(self) -> Mapping[str, float]:
        """See `Contestant.measure`."""
        return await self.worker.run(self.timed.time)
