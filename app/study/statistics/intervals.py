"""Confidence intervals of shares: Wilson's over votes, and a bootstrap over people and pictures.

Wilson's interval treats votes as if they were independent. They are not: one person casts many, and many are about one
picture. The bootstrap draws people and pictures again, so it also holds for other people and other pictures.
"""

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t  # type: ignore[import-untyped]

from app.study.statistics.votes import Outcome, Votes

CONFIDENCE_LEVEL = 0.95

RESAMPLES = 2000

SEED = 20181008

BLOCK_WEIGHTS = 2_000_000
"""The number of people's weights that are drawn at once, which limits the memory."""

FEWEST_UNITS = 2
"""The smallest number of people and of pictures of which a bootstrap says anything."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval of a share, 0..1."""

    low: float
    high: float


def estimate_wilson(successes: int, total: int) -> Interval | None:
    """Wilson's score interval of a binomial share; None without votes.

    The shares p for which |k/n - p| <= z sqrt(p (1 - p) / n): E. B. Wilson, "Probable inference, the law of
    succession, and statistical inference", JASA 22 (1927), 209-212.

    Args:
        successes: k, the votes that count.
        total: n, all votes.
    """
    if total == 0:
        return None
    z = NormalDist().inv_cdf((1 + CONFIDENCE_LEVEL) / 2)
    share = successes / total
    shrink = 1 + z**2 / total
    centre = (share + z**2 / (2 * total)) / shrink
    half = z / shrink * math.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    # At the ends rounding would leave 0..1 by an ulp.
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def resample_counts(votes: Votes, *, resamples: int = RESAMPLES, seed: int = SEED) -> NDArray[np.float64]:
    """Count the outcomes again and again, each time with other people and other pictures of the same kind.

    The pigeonhole bootstrap: people and pictures are each drawn with replacement, independently, and a vote counts as
    often as its person times its picture was drawn. A. B. Owen, "The pigeonhole bootstrap", Annals of Applied
    Statistics 1 (2007), 386-411. No bootstrap of two crossed factors is exact (P. McCullagh, Bernoulli 6 (2000),
    285-301); this one errs on the safe side: it counts the chance of single votes three times, so its intervals are up
    to 1.7 times too wide where neither people nor pictures differ.

    Returns:
        (resamples, 4), by `Outcome`.
    """
    rng = np.random.default_rng(seed)
    table = votes.tabulate()  # (4, P, Q)
    at_once = max(1, BLOCK_WEIGHTS // max(1, votes.person_count))
    blocks = [_count_block(rng, table, min(at_once, resamples - start)) for start in range(0, resamples, at_once)]
    return np.concatenate(blocks)


def _count_block(rng: np.random.Generator, table: NDArray[np.float32], resamples: int) -> NDArray[np.float64]:
    outcomes, people, pictures = table.shape
    person_weights = _draw_weights(rng, resamples, people)
    picture_weights = _draw_weights(rng, resamples, pictures)
    by_picture = person_weights @ table.transpose(1, 0, 2).reshape(people, -1)
    by_picture = by_picture.reshape(resamples, outcomes, pictures)  # (B, 4, Q)
    counts: NDArray[np.float64] = np.einsum("bkq,bq->bk", by_picture, picture_weights).astype(np.float64)
    return counts


def estimate_bootstrap(
    votes: Votes, counts: NDArray[np.float64], counted: tuple[Outcome, ...], among: tuple[Outcome, ...]
) -> Interval | None:
    """The interval of a share, over people and pictures; None for too few of either.

    Percentiles alone are too narrow for few units. They are taken further out, by the factor of Student's t over the
    normal: the expanded percentile interval of T. C. Hesterberg, "What teachers should know about the bootstrap", The
    American Statistician 69 (2015), 371-386, with the smaller number of the two kinds of units.

    Args:
        votes: the votes.
        counts: from `resample_counts` of these votes.
        counted: the outcomes in the share's numerator.
        among: those in its denominator.
    """
    units = min(votes.person_count, votes.picture_count)
    totals = counts[:, list(among)].sum(axis=1)
    # Where people cast few votes a draw may have none of these outcomes.
    has_any = totals > 0
    if units < FEWEST_UNITS or not has_any.any():
        return None
    shares = counts[has_any][:, list(counted)].sum(axis=1) / totals[has_any]
    tail = find_tail(units)
    low, high = np.quantile(shares, [tail, 1 - tail])
    return Interval(float(low), float(high))


@cache
def find_tail(units: int) -> float:
    """The share of draws beyond each end of an expanded interval."""
    quantile = student_t.ppf((1 + CONFIDENCE_LEVEL) / 2, units - 1)
    return NormalDist().cdf(-math.sqrt(units / (units - 1)) * float(quantile))


def _draw_weights(rng: np.random.Generator, resamples: int, units: int) -> NDArray[np.float32]:
    """How often each unit is drawn in each resample, (B, U)."""
    drawn = rng.integers(units, size=(resamples, units)) + np.arange(resamples)[:, None] * units
    counts = np.bincount(drawn.ravel(), minlength=resamples * units)
    return counts.reshape(resamples, units).astype(np.float32)
