"""The sign test: whether more people, or more pictures, lean to one network than chance would have."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from app.study.statistics.votes import Outcome, Votes

Unit = Literal["people", "pictures"]


@dataclass(frozen=True, slots=True)
class SignTest:
    """The result of a sign test.

    Attributes:
        unit: what leans.
        first, second: the number of units with more votes for the first network, and for the second.
        ties: the number of those with as many for both; the test leaves them out.
        p_value: two-sided and exact; 1 where nothing leans.
    """

    unit: Unit
    first: int
    second: int
    ties: int
    p_value: float


def compare_signs(votes: Votes, unit: Unit) -> SignTest:
    """Test whether units lean to one network.

    Each unit counts once, however many votes it has. Over pictures the test speaks of other pictures and these people;
    over people, of other people and these pictures.

    Args:
        votes: the votes.
        unit: people or pictures; those without votes count neither way.
    """
    units, count = (votes.people, votes.person_count) if unit == "people" else (votes.pictures, votes.picture_count)
    lean = np.zeros(count, dtype=np.int64)
    np.add.at(lean, units[votes.outcomes == Outcome.FIRST], 1)
    np.add.at(lean, units[votes.outcomes == Outcome.SECOND], -1)
    has_votes = np.bincount(units, minlength=count) > 0
    first, second = int((lean > 0).sum()), int((lean < 0).sum())
    ties = int((lean[has_votes] == 0).sum())
    return SignTest(unit, first, second, ties, compute_p_value(first, second))


def compute_p_value(first: int, second: int) -> float:
    """The probability of a split at least as uneven, if each of first + second units were a fair coin's throw."""
    total = first + second
    tail = sum(math.comb(total, count) for count in range(min(first, second) + 1))
    # Whole numbers: a float would overflow from a thousand units on.
    return min(1.0, float(2 * tail / (1 << total)))
