"""The interface of whatever computes: this process's device, or networks in other processes."""

from abc import ABC, abstractmethod

from app.engine.work import AnswerType, Work


class Engine(ABC):
    """Computes work; each piece is accepted or refused as a whole."""

    @property
    @abstractmethod
    def is_ready(self) -> bool:
        """Whether work is accepted and computed, and every lineup has answered a first picture."""

    @property
    @abstractmethod
    def has_failed(self) -> bool:
        """Whether a lineup could not answer its first picture."""

    @property
    @abstractmethod
    def waiting(self) -> int:
        """How much work waits."""

    @abstractmethod
    def close(self) -> None:
        """Accept no more work, finish what waits, and end what was started for it."""

    @abstractmethod
    async def submit(self, work: Work[AnswerType]) -> AnswerType:
        """The answer to one piece of work.

        Raises:
            QueueFull: when too much work waits.
            EngineFailed: when the computation failed.
        """
