"""Probabilities from logits. Every P that the program shows or answers comes from here. Nothing here imports torch."""

from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Activation(StrEnum):
    """How logits become probabilities."""

    SOFTMAX = "softmax"
    """Of several classes one is right."""
    SIGMOID = "sigmoid"
    """Each class is right or not by itself: networks with several labels a picture, or with one class alone."""


def find_probabilities(
    logits: NDArray[Any], temperature: float = 1.0, activation: Activation = Activation.SOFTMAX
) -> NDArray[np.float64]:
    """Compute softmax(logits / temperature) over the last axis, or the sigmoid of each.

    A temperature above 1 makes a network less sure, one below 1 surer. It never changes the order of the classes.
    Source: Guo et al., *On Calibration of Modern Neural Networks*, ICML 2017, section 4.2.

    Args:
        logits: one score per class, (..., K).
        temperature: a positive number; 1 for a network that was not calibrated.
        activation: the function.

    Returns:
        (..., K), 0..1; of softmax with a sum of 1.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    if activation is Activation.SIGMOID:
        # tanh does not overflow.
        return np.asarray(0.5 * (1 + np.tanh(scaled / 2)))
    powers = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float64] = powers / powers.sum(axis=-1, keepdims=True)
    return probabilities


LIKELIEST_CLASSES = 100
EXPONENT = 0.1
"""M and gamma, as in the paper."""


def score_fit(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    """Score how well a network's classes fit a picture, by the generalised entropy of their probabilities.

    score = - mean over the M likeliest classes of p ** gamma * (1 - p) ** gamma

    It is 0 if one class has all the probability, and falls as more classes share it. Source: Liu et al., *GEN: Pushing
    the Limits of Softmax-Based Out-of-Distribution Detection*, CVPR 2023, equation 5. The paper has a sum in place of
    the mean.

    Args:
        probabilities: each class's P, (..., K).

    Returns:
        (...), -0.88..0; higher means a better fit.
    """
    count = min(LIKELIEST_CLASSES, probabilities.shape[-1])
    likeliest = np.sort(np.asarray(probabilities, dtype=np.float64), axis=-1)[..., -count:]  # (..., M)
    scores: NDArray[np.float64] = -((likeliest * (1 - likeliest)) ** EXPONENT).mean(axis=-1)
    return scores
