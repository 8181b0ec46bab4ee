"""Finer-CAM: why this class and not those that the network nearly chose.

Source: Zhang et al., *Finer-CAM: Spotting the Difference Reveals Finer Details for Visual Explanation*, CVPR 2025.
"""

from collections.abc import Mapping

import numpy as np
import torch

from app.explain.maps import FloatArray
from models.names import NetworkName

CONTRASTED_CLASSES = 3
"""The number of similar classes, as in the package."""

STRENGTH = 1.0
"""The paper's alpha: the weight of the other classes' scores."""


def contrast_scores(logits: torch.Tensor, class_indices: torch.Tensor, against: torch.Tensor) -> torch.Tensor:
    """Each picture's score of its class against others: sum_j w_j (y_c - alpha y_j), with w = softmax(y_j) over them.

    The package divides each p_j by their sum plus 1e-9; the weights here are the same without that term, which would
    blank the map of a contrast with a class whose P is smaller.

    Args:
        logits: (N, K).
        class_indices: the explained classes, (N,).
        against: the classes to contrast with, (N, M), M at least 1.

    Returns:
        (N,), in logits.
    """
    own = logits.gather(1, class_indices[:, None])  # (N, 1)
    others = logits.gather(1, against)  # (N, M)
    weights = others.softmax(dim=1)  # with their gradient, as in the package
    return (weights * (own - STRENGTH * others)).sum(dim=1)


def find_similar_classes(logits: Mapping[NetworkName, FloatArray], class_index: int) -> tuple[int, ...]:
    """Find the classes whose scores are nearest to a class's, the same for all networks.

    For the class that is ranked first these are the next-likeliest ones. With one network the choice is the package's;
    with several, by the mean of their logits, so that all maps answer one question.

    Args:
        logits: each network's logits, (K,).
        class_index: the class, 0..K-1.

    Returns:
        At most `CONTRASTED_CLASSES` indices, the nearest first; none for a network of one class.
    """
    mean = np.mean(list(logits.values()), axis=0)  # (K,)
    order = np.argsort(np.abs(mean - mean[class_index]), kind="stable")
    return tuple(int(index) for index in order if index != class_index)[:CONTRASTED_CLASSES]
