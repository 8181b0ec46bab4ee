"""Contestants take turns, so that other load on the machine affects all of them alike."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from app.bench.results.statistics import Samples, merge

RUNS_PER_TURN = 3

TURN_SECONDS = 1.0
"""A turn ends with the first run that finishes after this time."""


class Contestant(Protocol):
    """A computation that is timed."""

    async def measure(self) -> Mapping[str, float]:
        """One run: milliseconds by figure."""
        ...


async def run_rounds(contestants: Sequence[Contestant], rounds: int, advance: Callable[[], None]) -> Samples:
    """Time every contestant in every round.

    Args:
        contestants: the contestants.
        rounds: the number of turns of each.
        advance: called after every round.

    Returns:
        Milliseconds by figure.
    """
    samples: Samples = {}
    for number in range(rounds):
        # The order alternates, so that no contestant always runs after the same one.
        for contestant in contestants if number % 2 == 0 else reversed(contestants):
            await _take_turn(contestant, samples)
        advance()
    return samples


async def _take_turn(contestant: Contestant, samples: Samples) -> None:
    # The first run finds the previous contestant's data in the caches; it is not counted.
    await contestant.measure()
    start = time.perf_counter()
    for _ in range(RUNS_PER_TURN):
        merge(samples, await contestant.measure())
        if time.perf_counter() - start > TURN_SECONDS:
            return
