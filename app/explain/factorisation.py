"""Deep Feature Factorization: the parts of a picture that a network treats alike, found without a class.

A stage's features, (C, H, W), are factorised into k concepts: each has a direction in the channels and a place in the
picture. They answer another question than a heat map, which is about one class.

Source: Collins, Achanta and Süsstrunk, *Deep Feature Factorization for Concept Discovery*, ECCV 2018, as the grad-cam
package computes it (`pytorch_grad_cam.feature_factorization`).
"""

import warnings
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
    """

    directions: FloatArray
    places: FloatArray


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
    )
