"""Deletion and insertion: the curve of P as positions are removed or put back, the hottest first.

Source: Petsiuk et al., *RISE*, BMVC 2018. Two deviations: the map's own positions are removed, each with the
pixels that it covers, not single pixels, whose order within a position would come from interpolation; and both curves
have the same filling, whereas RISE deletes to grey and inserts into a blurred picture.

The area follows the trapezoidal rule over the share of positions, so it is a mean P, 0..1. A network that gives a
higher P to whole pictures has larger areas of both kinds, so read them beside P.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam.metrics.perturbation_confidence import PerturbationConfidenceMetric
from torch.nn import functional
from torchvision.transforms.functional import gaussian_blur

from app.evaluation.measures.localisation import Values, silent_values
from app.evaluation.results.metrics import Metric
from app.evaluation.results.options import BLUR_SHARE, Fill
from app.explain.maps import HeatMap
from models.networks.staged import StagedNetwork
from models.probabilities import Activation, find_probabilities

LARGEST_STEPS = 32
"""The largest number of steps of a curve; a smaller map has one step per position: 25 for 5 x 5."""

CURVE_METRICS = (Metric.DELETION, Metric.INSERTION)


def fill_picture(picture: torch.Tensor, fill: Fill) -> torch.Tensor:
    """Make the filling of removed positions, (3, H, W).

    Args:
        picture: the normalised picture, (3, H, W).
        fill: the kind of filling.
    """
    if fill is Fill.MEAN:
        return torch.zeros_like(picture)
    height, width = picture.shape[1:]
    deviation = BLUR_SHARE * min(height, width)
    # The kernel reaches three deviations to each side, but must be smaller than the picture.
    reach = min(round(3 * deviation), min(height, width) - 1)
    # Two passes with a line each are the same as one with a square, in a fraction of the time.
    blurred: torch.Tensor = picture
    for kernel in ([2 * reach + 1, 1], [1, 2 * reach + 1]):
        blurred = gaussian_blur(blurred, kernel, [deviation, deviation])
    return blurred


@dataclass(frozen=True, slots=True, eq=False)
class Removable:
    """A picture whose positions can be removed.

    Attributes:
        name: the picture's name, which seeds the order of positions of equal value.
        values: the networks' normalised input, (3, H, W).
        filling: the filling of removed positions, (3, H, W).
        class_index: the class whose P is followed.
    """

    name: str
    values: torch.Tensor
    filling: torch.Tensor
    class_index: int


def order_positions(heat_map: HeatMap, *, name: str) -> NDArray[np.int64]:
    """Order a map's positions, the hottest first, as indices into its values row by row.

    Positions of equal value, above all those without evidence, follow in a random order: one order per picture, the
    same for all networks, so that no side or corner comes first in all pictures.

    Args:
        heat_map: (H, W).
        name: the picture's name.
    """
    values = heat_map.values.ravel()  # (H*W,)
    drawn = np.random.default_rng(zlib.crc32(name.encode())).permutation(values.size)
    return np.lexsort((drawn, -values))


def measure_curves(
    network: StagedNetwork,
    picture: Removable,
    heat_map: HeatMap,
    temperature: float = 1.0,
    activation: Activation = Activation.SOFTMAX,
) -> Values:
    """Measure the deletion and insertion areas of one map, in one forward pass over all steps.

    Args:
        network: the network of the map.
        picture: the picture of the map.
        heat_map: (H, W).
        temperature: the network's temperature.
        activation: how logits become probabilities.

    Returns:
        Both areas, 0..1; None for a map without positive evidence, which has no order.
    """
    if not heat_map.has_evidence:
        return silent_values(CURVE_METRICS)
    order = order_positions(heat_map, name=picture.name)
    counts = np.linspace(0, order.size, min(order.size, LARGEST_STEPS) + 1).round().astype(int)  # (S + 1,)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    is_kept = place[None, :] >= counts[:, None]  # (S + 1, H*W); the first row keeps all, the last none
    # Both curves begin and end at the whole picture or the filling; these two are computed once.
    mixtures = np.concatenate((is_kept, ~is_kept[1:-1])).reshape(-1, *heat_map.shape)  # (2 * S, H, W)
    probabilities = _follow(
        network, picture, mixtures, partial(find_probabilities, temperature=temperature, activation=activation)
    )
    deletion = probabilities[: len(counts)]
    insertion = np.concatenate((deletion[-1:], probabilities[len(counts) :], deletion[:1]))
    share = counts / order.size
    return {
        Metric.DELETION: float(np.trapezoid(deletion, share)),
        Metric.INSERTION: float(np.trapezoid(insertion, share)),
    }


def _follow(
    network: StagedNetwork,
    picture: Removable,
    is_kept: NDArray[np.bool_],
    find: Callable[[NDArray[np.float32]], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """P of the class for each mixture of picture and filling, (N,); `is_kept` is (N, H, W)."""
    masks = torch.from_numpy(is_kept[:, None].astype(np.float32))  # (N, 1, H, W)
    masks = functional.interpolate(masks, size=picture.values.shape[1:], mode="nearest")[:, 0]
    kept, replaced = picture.values.cpu(), picture.filling.cpu()

    def find_target(logits: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(find(logits.cpu().numpy()))[..., picture.class_index]

    # The package calls this for each mask; all masks are of one picture, so the first argument is not needed.
    metric = PerturbationConfidenceMetric(lambda _, mask: kept * mask + replaced * (1 - mask))
    scores = metric(
        picture.values.expand(len(masks), -1, -1, -1),
        masks.numpy(),
        [find_target] * len(masks),
        lambda batch: network(batch.to(network.dtype)).float(),
        return_diff=False,
    )
    return np.asarray(scores, dtype=np.float64)
