"""Statistics over measurements."""

import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

Samples: TypeAlias = dict[str, list[float]]
"""Measured values by figure, each in the figure's own unit."""


def median(values: Sequence[float]) -> float:
    """The middle value, or the mean of the two in the middle."""
    return statistics.median(values)


def percentile(values: Sequence[float], share: float) -> float:
    """The percentile of `share`, 0..100, interpolated between neighbours."""
    return float(np.percentile(values, share))


def ratio(value: float | None, reference: float | None) -> float | None:
    """The value divided by the reference; None if either was not measured or the reference is 0."""
    if value is None or not reference:
        return None
    return value / reference


def merge(samples: Samples, more: Mapping[str, float]) -> None:
    """Add one measurement to each figure."""
    for key, value in more.items():
        samples.setdefault(key, []).append(value)
