"""Paired bootstrap intervals: how much a mean difference may vary with other pictures of the same kind.

Pictures are drawn again with replacement, each with its values by both networks; the same seed draws the same ones
for every metric that has a value on all pictures. The networks are not drawn again: another seed of the same
training is another lineup, whose variation these intervals do not include.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap, t  # type: ignore[import-untyped]

from app.evaluation.results.report import Interval

RESAMPLES = 10_000
CONFIDENCE_LEVEL = 0.95
SEED = 20181008

BATCH_VALUES = 4_000_000
"""The number of values that are drawn at once, which limits the memory."""


def estimate_mean(values: Sequence[float]) -> Interval:
    """Estimate the mean of one or more values, with its percentile interval."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < 2:
        return Interval(mean=float(sample.mean()), low=None, high=None)
    # Percentiles: the accelerated interval is undefined if all differences are equal, as they may be in a small set.
    result = bootstrap(
        (sample,),
        np.mean,
        n_resamples=RESAMPLES,
        batch=max(1, BATCH_VALUES // sample.size),
        confidence_level=CONFIDENCE_LEVEL,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(SEED),
    )
    interval = result.confidence_interval
    return Interval(mean=float(sample.mean()), low=float(interval.low), high=float(interval.high))


def estimate_over_seeds(values: Sequence[float]) -> Interval:
    """Estimate the mean over trainings that differ only in their seed, with Student's interval.

    mean +- t * s / sqrt(n). There are too few seeds for a bootstrap, so the interval assumes that they scatter
    normally. It is wide for two or three of them, as it should be: t is 12.7 for two, and 4.3 for three.

    Args:
        values: differences of shares, -1..1, one per seed; the interval ends where these do.
    """
    sample = np.asarray(values, dtype=np.float64)
    mean = float(sample.mean())
    if sample.size < 2:
        return Interval(mean=mean, low=None, high=None)
    quantile = float(t.ppf((1 + CONFIDENCE_LEVEL) / 2, sample.size - 1))
    reach = quantile * float(sample.std(ddof=1)) / float(np.sqrt(sample.size))
    return Interval(mean=mean, low=max(-1.0, mean - reach), high=min(1.0, mean + reach))
