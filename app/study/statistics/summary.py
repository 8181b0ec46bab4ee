"""The results of a study: shares with their intervals, sign tests, and the pictures in order."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from app.study.statistics.intervals import (
    Interval,
    estimate_bootstrap,
    estimate_wilson,
    resample_counts,
)
from app.study.statistics.sign_test import SignTest, compare_signs
from app.study.statistics.votes import Outcome, Votes

DECIDED = (Outcome.FIRST, Outcome.SECOND)
"""The outcomes that prefer one network."""


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the votes.

    Attributes:
        votes: the votes that count.
        total: all votes among which they are.
        over_votes: Wilson's interval, as if votes were independent; None without votes.
        over_people_and_pictures: the bootstrap's; None for fewer than two people or pictures.
    """

    votes: int
    total: int
    over_votes: Interval | None
    over_people_and_pictures: Interval | None

    @property
    def share(self) -> float | None:
        """0..1; None without votes."""
        return self.votes / self.total if self.total else None


@dataclass(frozen=True, slots=True)
class Summary:
    """The results of some people's votes.

    Attributes:
        people: the number of people.
        votes: the number of votes.
        shares: the share of each outcome among all votes, in the order of `Outcome`.
        preference: the second network's share among the votes that prefer one.
        signs: the sign tests over people and over pictures.
    """

    people: int
    votes: int
    shares: tuple[Share, ...]
    preference: Share
    signs: tuple[SignTest, ...]


@dataclass(frozen=True, slots=True)
class PictureVotes:
    """One picture's votes.

    Attributes:
        picture: its number, from 0.
        counts: the votes by `Outcome`.
        preference: the second network's share among the votes that prefer one; its interval is over votes, which are
            of different people here.
    """

    picture: int
    counts: tuple[int, ...]
    preference: Share


def summarise(votes: Votes) -> Summary:
    """Summarise votes."""
    counts = resample_counts(votes) if len(votes) else np.zeros((0, len(Outcome)))
    every = tuple(Outcome)

    def take(counted: Outcome, among: tuple[Outcome, ...]) -> Share:
        hits, total = votes.count(counted), sum(votes.count(outcome) for outcome in among)
        bootstrap = estimate_bootstrap(votes, counts, (counted,), among)
        return Share(hits, total, estimate_wilson(hits, total), bootstrap)

    return Summary(
        people=votes.person_count,
        votes=len(votes),
        shares=tuple(take(outcome, every) for outcome in every),
        preference=take(Outcome.SECOND, DECIDED),
        signs=(compare_signs(votes, "people"), compare_signs(votes, "pictures")),
    )


def choose_people(votes: Votes, chosen: Collection[int]) -> Votes:
    """The votes of some people alone, by their numbers."""
    kept = np.isin(votes.people, sorted(chosen))
    present, people = np.unique(votes.people[kept], return_inverse=True)
    return Votes(people, votes.pictures[kept], votes.outcomes[kept], len(present), votes.picture_count)


def rank_pictures(votes: Votes) -> tuple[PictureVotes, ...]:
    """Every picture's votes: those where the second network is preferred most come first, those without votes last."""
    counts = votes.tabulate().sum(axis=1).astype(int).T  # (Q, 4)
    rows = []
    for picture, row in enumerate(counts.tolist()):
        hits, total = row[Outcome.SECOND], row[Outcome.FIRST] + row[Outcome.SECOND]
        preference = Share(hits, total, estimate_wilson(hits, total), None)
        rows.append(PictureVotes(picture, tuple(row), preference))
    return tuple(sorted(rows, key=_rank))


def _rank(row: PictureVotes) -> tuple[bool, float, int]:
    share = row.preference.share
    return share is None, -(share or 0.0), -row.preference.total
