"""The votes of a study as arrays, and their counts per person and picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

IntArray: TypeAlias = NDArray[np.int64]


class Outcome(IntEnum):
    """What a vote says about the two networks, whatever side each was on."""

    FIRST = 0
    """The first network's map is better."""
    SECOND = 1
    """The second network's map is better."""
    EQUAL = 2
    CANNOT_TELL = 3


@dataclass(frozen=True, slots=True, eq=False)
class Votes:
    """Votes of people about pictures, each person at most once about each picture.

    Attributes:
        people, pictures: the numbers of each vote's person and picture, (N,), from 0.
        outcomes: values of `Outcome`, (N,).
        person_count: the number of people; each has at least one vote.
        picture_count: the number of pictures, also of those without votes.
    """

    people: IntArray
    pictures: IntArray
    outcomes: IntArray
    person_count: int
    picture_count: int

    def __len__(self) -> int:
        return len(self.outcomes)

    def count(self, outcome: Outcome) -> int:
        """The number of votes with this outcome."""
        return int(np.count_nonzero(self.outcomes == outcome))

    def tabulate(self) -> NDArray[np.float32]:
        """The number of votes per outcome, person and picture, (4, P, Q)."""
        table = np.zeros((len(Outcome), self.person_count, self.picture_count), dtype=np.float32)
        np.add.at(table, (self.outcomes, self.people, self.pictures), 1)
        return table


def collect_votes(ballots: Sequence[tuple[str, int, Outcome]], picture_count: int) -> Votes:
    """Collect votes, and number their people.

    Args:
        ballots: each vote's person, picture (from 0) and outcome.
        picture_count: the number of pictures.
    """
    numbers = {person: number for number, person in enumerate(dict.fromkeys(person for person, _, _ in ballots))}
    rows = [(numbers[person], picture, int(outcome)) for person, picture, outcome in ballots]
    people, pictures, outcomes = np.array(rows, dtype=np.int64).reshape(-1, 3).T
    return Votes(people, pictures, outcomes, len(numbers), picture_count)
