"""Turns between clients: each is served once in every round, and people before long series.

Start-time fair queueing (Goyal, Vin and Cheng, SIGCOMM 1996) with every piece of work of one length: a client that
sends a hundred pictures delays another one by one picture at most. Nothing here imports torch.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from app.engine.callers import Caller, Urgency

SERIES_TURN = 8
"""Every eighth turn is a series' while people wait for single pictures, so that a series never stands still."""


class Waiting(Protocol):
    """What waits for its turn."""

    @property
    def caller(self) -> Caller:
        """Who waits."""

    @property
    def turn(self) -> int:
        """The round in which it is served, see `Turns.find`."""


AnyWaiting = TypeVar("AnyWaiting", bound=Waiting)


class Turns:
    """Decides who is next."""

    def __init__(self) -> None:
        self._rounds = dict.fromkeys(Urgency, 0)
        self._count = 0

    def find(self, caller: Caller, waiting: Iterable[Waiting]) -> int:
        """The first round in which the caller has nothing else that waits."""
        last = max((other.turn for other in waiting if _line_of(other.caller) == _line_of(caller)), default=-1)
        return max(self._rounds[caller.urgency], last + 1)

    def choose(self, waiting: Iterable[AnyWaiting]) -> AnyWaiting:
        """The next one, whose turn is now; of one at least."""
        line = line_up(waiting)
        self._count += 1
        series = [other for other in line if other.caller.urgency is Urgency.LATER]
        first = series[0] if series and self._count % SERIES_TURN == 0 else line[0]
        self._rounds[first.caller.urgency] = first.turn
        return first


def line_up(waiting: Iterable[AnyWaiting]) -> Sequence[AnyWaiting]:
    """The order in which they are served, but for the turns of series in between."""
    return sorted(waiting, key=lambda other: (other.caller.urgency, other.turn))


def _line_of(caller: Caller) -> tuple[str, Urgency]:
    """What takes turns: a client's single pictures are one line, its series another."""
    return caller.client, caller.urgency
