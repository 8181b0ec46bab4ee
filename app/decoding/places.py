"""Places for work in threads; where all are taken, clients get them in turn, and none of several has them all."""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from app.engine.callers import Caller, present_caller
from app.engine.turns import Turns

PRESENT_SECONDS = 10.0
"""For so long after its last wish for a place a client counts as one of those who are here."""


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

    A client has half of them at most while others are here, since what runs in a thread cannot be made to leave: two
    pictures that take seconds would let everybody wait.

    Args:
        count: how many.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._turns = Turns()
        self._waiting: list[Ask] = []
        self._taken: Counter[str] = Counter()
        self._seen: OrderedDict[str, float] = OrderedDict()

    async def take(self) -> Caller:
        """Wait for a place, and take it; a cancelled caller leaves the line.

        Returns:
            Whose place it is, for `give_back`.
        """
        caller = present_caller.get()
        self._see(caller)
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
                self.give_back(caller)
            raise
        return caller

    def give_back(self, caller: Caller) -> None:
        """Give a place back, to whose turn it is.

        Args:
            caller: whose it was.
        """
        self._taken[caller.client] -= 1
        if not self._taken[caller.client]:
            del self._taken[caller.client]
        self._give()

    def _see(self, caller: Caller) -> None:
        now = asyncio.get_running_loop().time()
        self._seen[caller.client] = now
        self._seen.move_to_end(caller.client)
        while now - next(iter(self._seen.values())) > PRESENT_SECONDS:
            self._seen.popitem(last=False)

    def _give(self) -> None:
        while self._taken.total() < self._count:
            share = self._count if len(self._seen) == 1 else max(1, self._count // 2)
            waiting = [ask for ask in self._waiting if self._taken[ask.caller.client] < share]
            if not waiting:
                return
            ask = self._turns.choose(waiting)
            self._waiting.remove(ask)
            if not ask.given.cancelled():
                self._taken[ask.caller.client] += 1
                ask.given.set_result(None)
