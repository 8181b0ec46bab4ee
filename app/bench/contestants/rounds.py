"""Contestants take turns, so that what else the machine does meets all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from app.bench.results.statistics import Samples, merge

RUNS_PER_TURN = 3

TURN_SECONDS = 1.0
"""After which a turn ends with the run that is under way."""


class Contestant(Protocol):
    """Something that is timed."""

    async def measure(self) -> Mapping[str, float]:
        """One run: milliseconds by figure."""
        ...


async def run_rounds(contestants: Sequence[Contestant], rounds: int, advance: Callable[[], None]) -> Samples:
    """Time every contestant in every round.

    Args:
        contestants: who takes turns.
        rounds: how many turns each has.
        advance: called after every round.

    Returns:
        Milliseconds by figure.
    """
    samples: Samples = {}
    for number in range(rounds):
        # Forwards and backwards by turns: nobody is always behind the same neighbour.
        for contestant in contestants if number % 2 == 0 else reversed(contestants):
            await _take_turn(contestant, samples)
        advance()
    return samples


async def _take_turn(contestant: Contestant, samples: Samples) -> None:
    # The first run finds the neighbour's data in the caches; it is not counted.
    await contestant.measure()
    start = time.perf_counter()
    for _ in range(RUNS_PER_TURN):
        merge(samples, await contestant.measure())
        if time.perf_counter() - start > TURN_SECONDS:
            return
