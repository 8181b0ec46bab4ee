"""Places for work in threads; where all are taken, clients get them in turn."""

import asyncio
from dataclasses import dataclass, field

from app.engine.callers import Caller, present_caller
from app.engine.turns import Turns


@dataclass(slots=True, eq=False)
class Ask:
    """Somebody who waits for a place.

    Attributes:
        caller: who.
        turn: see `Turns.find`.
        given: done when the place is theirs.
    """

    caller: Caller
    turn: int
    given: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class FairPlaces:
    """A number of places, for one event loop.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._turns = Turns()
        self._waiting: list[Ask] = []

    async def take(self) -> None:
        """Wait for a place, and take it; a cancelled caller leaves the line."""
        caller = present_caller.get()
        ask = Ask(caller, self._turns.find(caller, self._waiting))
        self._waiting.append(ask)
        self._give()
        try:
            await ask.given
        except asyncio.CancelledError:
            if ask in self._waiting:
                self._waiting.remove(ask)
            else:
                # It was given in the moment in which its caller left.
                self.give_back()
            raise

    def give_back(self) -> None:
        """Give a place back, to whose turn it is."""
        self._free += 1
        self._give()

    def _give(self) -> None:
        while self._free and self._waiting:
            ask = self._turns.choose(self._waiting)
            self._waiting.remove(ask)
            if not ask.given.cancelled():
                self._free -= 1
                ask.given.set_result(None)
