"""Probabilities from logits. Every P that the program shows or answers comes from here. Nothing here imports torch."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def find_probabilities(logits: NDArray[Any], temperature: float = 1.0) -> NDArray[np.float64]:
    """Compute softmax(logits / temperature) over the last axis.

    A temperature above 1 makes a network less sure, one below 1 surer. It never changes the order of the classes.
    Source: Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017, section 4.2.

    Args:
        logits: one score per class, (..., K).
        temperature: a positive number; 1 for a network that was not calibrated.

    Returns:
        (..., K), 0..1, with a sum of 1.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities
