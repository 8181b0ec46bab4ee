"""How long each kind of work takes, as measured, from which the queue tells how long a new one would wait."""

from collections.abc import Hashable
from typing import Any

from app.engine.work import Work
from models.lineups.lineup import Lineup

FIRST_GUESS_SECONDS = 0.1
"""Before anything of a kind was measured."""

NEWEST_SHARE = 0.2
"""The weight of the newest measurement in the running mean."""


class ServiceTimes:
    """The running mean of the time per piece of work, for each kind and lineup."""

    def __init__(self) -> None:
        self._seconds: dict[Hashable, float] = {}

    def expect(self, work: Work[Any]) -> float:
        """The seconds that a piece of work will take."""
        return self._seconds.get(_kind_of(work), FIRST_GUESS_SECONDS)

    def recall(self, kind: type[Work[Any]], lineup: Lineup) -> float | None:
        """The seconds of a kind of work with a lineup; None before anything was measured."""
        return self._seconds.get((kind, lineup.card.name))

    def learn(self, work: Work[Any], seconds: float) -> None:
        """Take in a measurement.

        Args:
            work: what was computed.
            seconds: the time; of a batch, each one's share.
        """
        kind = _kind_of(work)
        before = self._seconds.get(kind)
        self._seconds[kind] = seconds if before is None else before + NEWEST_SHARE * (seconds - before)


def _kind_of(work: Work[Any]) -> Hashable:
    return type(work), work.lineup.card.name
