"""Deep Feature Factorization: the parts of a picture that a network treats alike, found without a class.

A stage's features, (C, H, W), are factorised into k concepts: each has a direction in the channels and a place in the
picture. They answer another question than a heat map, which is about one class.

Source: Collins, Achanta and Süsstrunk, *Deep Feature Factorization for Concept Discovery*, ECCV 2018, as the grad-cam
package computes it (`pytorch_grad_cam.feature_factorization`).
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.explain.maps import FloatArray

SEED = 0
"""The package's: one picture has one factorisation."""


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """The concepts of one network's features.

    Attributes:
        directions: (k, C), each concept as a vector of the features, in their units.
        places: (k, H, W), at least 0: how much of each concept is at each position.
        weights: (k,), at least 0: how much one unit of each concept adds to the features.
    """

    directions: FloatArray
    places: FloatArray
    weights: FloatArray

    @property
    def shares(self) -> FloatArray:
        """Each concept's part of all that the features are made of, (k,), which add up to 1."""
        amounts = self._amounts
        shares: FloatArray = amounts / (amounts.sum() or 1)
        return shares

    @property
    def _amounts(self) -> FloatArray:
        """The sum of what each concept adds to the features, (k,)."""
        amounts: FloatArray = self.weights * self.places.sum(axis=(1, 2))
        return amounts

    def take(self, order: Sequence[int]) -> "Factors":
        """The same concepts in another order."""
        chosen = list(order)
        return Factors(self.directions[chosen], self.places[chosen], self.weights[chosen])

    def sort(self) -> "Factors":
        """The same concepts, the largest first."""
        return self.take(np.argsort(-self._amounts, kind="stable").tolist())


def match_places(first: FloatArray, second: FloatArray) -> list[int]:
    """Order a network's concepts so that they lie where another's do.

    Args:
        first: the places of the other's concepts, (k, H, W).
        second: the places of the concepts to order, (k, H, W).

    Returns:
        For each of `first` the concept of `second` that belongs to it, so that the sum of their cosines is largest.
    """
    from scipy.optimize import (  # type: ignore[import-untyped]  # noqa: PLC0415  # as in `factorise`
        linear_sum_assignment,
    )

    rows, columns = (places.reshape(len(places), -1) for places in (first, second))
    rows, columns = (flat / (np.linalg.norm(flat, axis=1, keepdims=True) + 1e-12) for flat in (rows, columns))
    _, order = linear_sum_assignment(rows @ columns.T, maximize=True)
    return [int(index) for index in order]


def factorise(features: FloatArray, count: int) -> Factors:
    """Factorise one stage's output into non-negative parts; each channel is first moved to begin at 0.

    scikit-learn is imported by the first call: with SciPy it takes 100 MB, which a server that is never asked for
    concepts does without.

    Args:
        features: (C, H, W).
        count: k, the number of concepts, at most C and H*W.
    """
    from sklearn.decomposition import NMF  # noqa: PLC0415  # see above
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415

    channels, height, width = features.shape
    values = features.reshape(channels, height * width)
    offset = values.min(axis=1, keepdims=True)  # (C, 1)
    model = NMF(n_components=count, init="random", random_state=SEED)
    with warnings.catch_warnings():
        # The package stops after 200 rounds too; what is left then does not show in a picture.
        warnings.simplefilter("ignore", ConvergenceWarning)
        directions = model.fit_transform(values - offset)  # (C, k)
    return Factors(
        directions=(directions + offset).T.astype(np.float32),
        places=model.components_.reshape(count, height, width).astype(np.float32),
        weights=directions.sum(axis=0).astype(np.float32),
    )
