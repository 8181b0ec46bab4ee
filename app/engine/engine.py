"""The interface of engines: this process's device, or networks in other processes."""

from abc import ABC, abstractmethod
from typing import Any

from app.engine.job_queue import Place
from app.engine.work import AnswerType, Work
from models.lineups.lineup import Lineup


class Engine(ABC):
    """Computes work; each piece of work is accepted or refused as a whole."""

    @property
    @abstractmethod
    def is_ready(self) -> bool:
        """Whether work is accepted, and every lineup has computed a first picture."""

    @property
    @abstractmethod
    def has_failed(self) -> bool:
        """Whether a lineup could not compute its first picture."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """The number of waiting pieces of work."""

    @abstractmethod
    def find_place(self, ticket: str) -> Place | None:
        """The place in the queue of the work with that ticket of a `Caller`; None if none waits or it is not known."""

    def find_seconds(self, kind: type[Work[Any]], lineup: Lineup) -> float | None:  # noqa: ARG002  # no more is known here
        """The seconds that a piece of work of a kind took a lineup, as measured in this process; None without."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Refuse new work, finish the waiting work, and end the workers."""

    @abstractmethod
    async def submit(self, work: Work[AnswerType]) -> AnswerType:
        """Compute one piece of work.

        Raises:
            QueueFull: when too much work waits.
            EngineFailed: when the computation failed.
        """
