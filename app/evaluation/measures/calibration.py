"""Calibration: are 80 % of the answers with P = 0.8 right?

Sources: Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017, equations 2 and 3; Kumar et al., *Verified
Uncertainty Calibration*, NeurIPS 2019, definition 5.2.
"""

from collections.abc import Sequence

import numpy as np

from app.evaluation.results.report import Calibration, ReliabilityBin

BIN_COUNT = 15
"""As in the paper."""


def measure_calibration(confidences: Sequence[float], is_right: Sequence[bool]) -> Calibration:
    """Compute the expected calibration error and its table.

    ECE = sum over bins of |bin| / n * | accuracy(bin) - mean confidence(bin) |, with `BIN_COUNT` bins of equal width,
    each open at its lower end.

    Args:
        confidences: P of the top guess for each picture, 0..1.
        is_right: whether the top guess is the true class.
    """
    confidence, right = np.asarray(confidences, dtype=np.float64), np.asarray(is_right, dtype=np.float64)
    indices = np.clip(np.ceil(confidence * BIN_COUNT).astype(int) - 1, 0, BIN_COUNT - 1)  # (n,)
    counts = np.bincount(indices, minlength=BIN_COUNT)  # (15,)
    sums = [np.bincount(indices, weights=values, minlength=BIN_COUNT) for values in (confidence, right)]
    gaps = np.abs(sums[0] - sums[1])
    return Calibration(
        error=float(gaps.sum() / max(1, len(confidence))),
        bins=[
            ReliabilityBin(
                lower=index / BIN_COUNT,
                upper=(index + 1) / BIN_COUNT,
                pictures=int(count),
                confidence=float(sums[0][index] / count) if count else None,
                accuracy=float(sums[1][index] / count) if count else None,
            )
            for index, count in enumerate(counts)
        ],
    )


def measure_corrected_error(confidences: Sequence[float], is_right: Sequence[bool]) -> float:
    """Compute the calibration error without what chance adds to it: few pictures have gaps even if P is perfect.

    The root mean square of |accuracy - mean confidence| over `BIN_COUNT` bins of equally many pictures, with the
    variance of each bin's accuracy taken off, a (1 - a) / (n - 1); 0 where that is more than the gaps.

    Args:
        confidences: P of the top guess for each picture, 0..1; two pictures at least.
        is_right: whether the top guess is the true class.
    """
    confidence, right = np.asarray(confidences, dtype=np.float64), np.asarray(is_right, dtype=np.float64)
    count = len(confidence)
    bins = np.array_split(np.argsort(confidence, kind="stable"), max(1, min(BIN_COUNT, count // 2)))
    square = 0.0
    for chosen in bins:
        accuracy = right[chosen].mean()
        chance = accuracy * (1 - accuracy) / (len(chosen) - 1)
        square += len(chosen) / count * float((accuracy - confidence[chosen].mean()) ** 2 - chance)
    return float(np.sqrt(max(0.0, square)))
