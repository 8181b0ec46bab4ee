"""Paired bootstrap intervals: how far a mean difference could lie elsewhere with other pictures of the same kind.

Pictures are drawn again with replacement, each with what both networks had on it; the same seed draws the same ones
for every metric that has a value on all pictures. What is not drawn again are the networks: another seed of the same
training is another lineup, and these intervals know nothing of it.
"""

from collections.abc import Sequence

import numpy as np
from scipy.stats import bootstrap  # type: ignore[import-untyped]

from app.evaluation.results.report import Interval

RESAMPLES = 10_000
CONFIDENCE_LEVEL = 0.95
SEED = 20181008

BATCH_VALUES = 4_000_000
"""Values that are drawn at once, for memory's sake."""


def estimate_mean(values: Sequence[float]) -> Interval:
    """The mean of at least one value, with its percentile interval."""
    sample = np.asarray(values, dtype=np.float64)
    if sample.size < 2:
        return Interval(mean=float(sample.mean()), low=None, high=None)
    # Percentiles: the accelerated interval has no value where all differences are alike, as in a small set they are.
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
