"""Choosing a temperature and a threshold."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar  # type: ignore[import-untyped]
from scipy.special import logsumexp  # type: ignore[import-untyped]
from scipy.stats import rankdata  # type: ignore[import-untyped]

from app.errors import InvalidOption
from models.probabilities import find_probabilities

LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE = 0.05, 20.0

DIGITS = 4

SEED = 20181008

PARTS = 10
"""Each part tests a temperature that the others have chosen."""

Indices = NDArray[np.int64]
Scores = NDArray[np.float64]


class Halves(NamedTuple):
    """The indices of the pictures on which something is chosen, and of those on which it is tested."""

    choosing: Indices
    testing: Indices


def split_halves(count: int, *, what: str) -> Halves:
    """Split pictures into halves at random, always in the same way.

    Args:
        count: the number of pictures.
        what: their name for an error.

    Raises:
        InvalidOption: for fewer than two pictures.
    """
    order = _shuffle(count, what=what)
    return Halves(np.sort(order[: count // 2]), np.sort(order[count // 2 :]))


def split_parts(count: int, *, what: str) -> list[Indices]:
    """Split pictures into `PARTS` parts at random, always in the same way; into fewer if they are fewer.

    Args:
        count: the number of pictures.
        what: their name for an error.

    Raises:
        InvalidOption: for fewer than two pictures.
    """
    return [np.sort(part) for part in np.array_split(_shuffle(count, what=what), min(PARTS, count))]


def _shuffle(count: int, *, what: str) -> Indices:
    if count < 2:
        raise InvalidOption(
            f"{what}: {count} readable pictures; some choose and others test, so give two or more", option="DATA"
        )
    return np.random.default_rng(SEED).permutation(count)


def measure_loss(logits: NDArray[Any], classes: Indices, temperature: float) -> float:
    """Compute the mean negative log-likelihood of the true classes, in nats.

    Args:
        logits: (N, K).
        classes: (N,).
        temperature: a positive number.
    """
    scaled = logits.astype(np.float64) / temperature
    truth = scaled[np.arange(len(classes)), classes]  # (N,)
    return float((logsumexp(scaled, axis=1) - truth).mean())


def choose_temperature(logits: NDArray[Any], classes: Indices) -> float:
    """Choose the temperature of the least negative log-likelihood.

    Args:
        logits: (N, K).
        classes: (N,).

    Returns:
        Rounded to four digits.

    Raises:
        InvalidOption: if the loss has no minimum between 0.05 and 20, for example because every answer is right.
    """
    found = minimize_scalar(
        lambda logarithm: measure_loss(logits, classes, float(np.exp(logarithm))),
        bounds=(np.log(LOWEST_TEMPERATURE), np.log(HIGHEST_TEMPERATURE)),
        method="bounded",
        options={"xatol": 1e-5},
    )
    temperature = float(np.exp(found.x))
    limits = (LOWEST_TEMPERATURE, HIGHEST_TEMPERATURE)
    if min(measure_loss(logits, classes, limit) for limit in limits) <= found.fun:
        raise InvalidOption(
            f"no temperature between {LOWEST_TEMPERATURE:g} and {HIGHEST_TEMPERATURE:g} is the best for these "
            f"{len(classes)} pictures; give more pictures, on which the network is neither always right nor always "
            "wrong",
            option="DATA",
        )
    return round(temperature, DIGITS)


def cross_fit(logits: NDArray[Any], classes: Indices, parts: Sequence[Indices]) -> Scores:
    """Compute each picture's P of its top guess, (N,), at a temperature that was chosen without the picture's part.

    So every picture tests, and no picture tests what it has chosen.

    Args:
        logits: (N, K).
        classes: (N,).
        parts: of the pictures, see `split_parts`.

    Raises:
        InvalidOption: see `choose_temperature`.
    """
    confidences = np.empty(len(classes))
    for part in parts:
        others = np.setdiff1d(np.arange(len(classes)), part)
        temperature = choose_temperature(logits[others], classes[others])
        confidences[part] = find_probabilities(logits[part], temperature).max(axis=1)
    return confidences


def choose_threshold(known: Scores, share: float) -> float:
    """Choose the threshold below which this share of the known pictures lies.

    Args:
        known: the scores of pictures of known classes, (N,).
        share: 0..1.

    Returns:
        Rounded to four digits.
    """
    return round(float(np.quantile(known, share)), DIGITS)


def measure_separation(known: Scores, outside: Scores) -> float:
    """Compute the AUROC: how often a known picture has a higher score than an outside one, 0..1; ties count half.

    Args:
        known: (N,).
        outside: (M,).
    """
    ranks = rankdata(np.concatenate((known, outside)))  # (N + M,)
    count = len(known)
    return float((ranks[:count].sum() - count * (count + 1) / 2) / (count * len(outside)))
