"""Those who wait for a map of many forward passes: how long, and how they hear of the progress."""

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import NamedTuple

from app.engine.callers import present_caller


class Passes(NamedTuple):
    """How far a map is.

    Attributes:
        done: the forward passes that were computed.
        total: all that the map needs.
    """

    done: int
    total: int


class PassWatcher(ABC):
    """Hears of the passes of the maps that are computed."""

    @abstractmethod
    def note(self, passes: Passes) -> None:
        """Some more were computed for the present caller."""

    @abstractmethod
    def end(self) -> None:
        """The present caller's map is done, or given up."""


class Unwatched(PassWatcher):
    """For callers who see no progress."""

    def note(self, passes: Passes) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class PassBoard(PassWatcher):
    """The passes of each request that has a ticket, for pages that ask while they wait."""

    def __init__(self) -> None:
        self._passes: dict[str, Passes] = {}

    def note(self, passes: Passes) -> None:
        """See `PassWatcher.note`."""
        if ticket := present_caller.get().ticket:
            self._passes[ticket] = passes

    def end(self) -> None:
        """See `PassWatcher.end`."""
        self._passes.pop(present_caller.get().ticket, None)

    def find(self, ticket: str) -> Passes | None:
        """The passes of the request with a ticket; None if it computes none."""
        return self._passes.get(ticket)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What the callers of a lens accept.

    Attributes:
        seconds: the longest time for one map; a longer one is refused as soon as that is known.
        watcher: hears of the progress.
    """

    seconds: float = math.inf
    watcher: PassWatcher = field(default_factory=Unwatched)
