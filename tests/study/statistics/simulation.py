"""Simulated studies whose truth is known: people and pictures differ, and each vote has its own chance."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm  # type: ignore[import-untyped]

from app.study.statistics.votes import Outcome, Votes

NEUTRAL = 0.2
"""The share of votes for `equal`, whoever is asked about whatever."""


@dataclass(frozen=True, slots=True)
class SimulatedStudies:
    """Studies of one population.

    Attributes:
        people, pictures, each: how many there are, and how many pictures each person sees.
        lean: the population's lean to the second network, in standard deviations of a vote.
        person_spread, picture_spread: how much people and pictures differ in it.
    """

    people: int = 200
    pictures: int = 40
    each: int = 10
    lean: float = 0.4
    person_spread: float = 0.5
    picture_spread: float = 0.8

    @property
    def preference(self) -> float:
        """The true share for the second network among votes that prefer one, over all people and pictures."""
        spread = np.sqrt(1 + self.person_spread**2 + self.picture_spread**2)
        return float(norm.cdf(self.lean / spread))

    def draw(self, rng: np.random.Generator) -> Votes:
        """Draw the votes of one study: other people and other pictures each time."""
        person_leans = rng.normal(0, self.person_spread, (self.people, 1))
        picture_leans = rng.normal(0, self.picture_spread, self.pictures)
        shown = np.argsort(rng.random((self.people, self.pictures)), axis=1)[:, : self.each]
        leans = self.lean + person_leans + picture_leans[shown] + rng.normal(0, 1, shown.shape)
        preferred = np.where(leans > 0, Outcome.SECOND, Outcome.FIRST)
        outcomes = np.where(rng.random(shown.shape) < NEUTRAL, Outcome.EQUAL, preferred)
        people = np.repeat(np.arange(self.people), self.each)
        return Votes(people, shown.ravel(), outcomes.ravel(), self.people, self.pictures)
