"""The curve of the class's P when the hottest positions go first, or come first.

Source: Petsiuk et al., *RISE*, BMVC 2018. Two deviations: what is removed are the map's own positions, each with the
pixels that it stands for, and not single pixels, whose order between positions would be the interpolation's; and both
curves have the same filling, where RISE deletes to gray and inserts into a blurred picture.

The area is by the trapezoidal rule over the share of positions, so that it is a mean P, 0..1. A network that gives a
higher P to whole pictures has larger areas of both kinds: read them beside P.
"""

import zlib
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from pytorch_grad_cam.metrics.perturbation_confidence import PerturbationConfidenceMetric
from pytorch_grad_cam.utils.model_targets import ClassifierOutputSoftmaxTarget
from torch.nn import functional
from torchvision.transforms.functional import gaussian_blur

from app.evaluation.measures.localisation import Values, silent_values
from app.evaluation.results.metrics import Metric
from app.evaluation.results.options import Fill
from app.explain.maps import HeatMap
from models.networks.staged import StagedNetwork

LARGEST_STEPS = 32
"""Steps of a curve at most; a map of fewer positions has one step a position: 25 for 5 x 5."""

BLUR_SHARE = 0.1
"""Standard deviation of the blur as a share of the input's shorter side: 16 pixels at 160."""

CURVE_METRICS = (Metric.DELETION, Metric.INSERTION)


def fill_picture(picture: torch.Tensor, fill: Fill) -> torch.Tensor:
    """The filling of a removed position.

    Args:
        picture: normalised, (3, H, W).
        fill: how.
    """
    if fill is Fill.MEAN:
        return torch.zeros_like(picture)
    height, width = picture.shape[1:]
    deviation = BLUR_SHARE * min(height, width)
    # Three deviations to each side; an odd number of pixels, and less than the picture on each side of the centre.
    reach = min(round(3 * deviation), min(height, width) - 1)
    blurred: torch.Tensor = gaussian_blur(picture, [2 * reach + 1, 2 * reach + 1], [deviation, deviation])
    return blurred


@dataclass(frozen=True, slots=True, eq=False)
class Removable:
    """A picture whose positions can be removed.

    Attributes:
        name: what the order of positions without evidence is drawn from.
        values: the networks' normalised input, (3, H, W).
        filling: what stands where a position was removed, (3, H, W).
        class_index: the class whose P is followed.
    """

    name: str
    values: torch.Tensor
    filling: torch.Tensor
    class_index: int


def order_positions(heat_map: HeatMap, *, name: str) -> NDArray[np.int64]:
    """The map's positions, the hottest first, as indices into its values row by row.

    Positions of one value, above all those without evidence, follow in an order that was drawn for the picture: it
    is the same for both networks, and has no side or corner that comes first in all pictures.

    Args:
        heat_map: (H, W).
        name: the picture's name.
    """
    values = heat_map.values.ravel()  # (H*W,)
    drawn = np.random.default_rng(zlib.crc32(name.encode())).permutation(values.size)
    return np.lexsort((drawn, -values))


def measure_curves(network: StagedNetwork, picture: Removable, heat_map: HeatMap) -> Values:
    """Deletion and insertion areas of one map, in one forward pass over all steps.

    Args:
        network: the network whose map it is.
        picture: what it was shown.
        heat_map: (H, W).

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
    # Both curves lead from the whole picture to the filling or back: these two are computed once.
    mixtures = np.concatenate((is_kept, ~is_kept[1:-1])).reshape(-1, *heat_map.shape)  # (2 * S, H, W)
    probabilities = _follow(network, picture, mixtures)
    deletion = probabilities[: len(counts)]
    insertion = np.concatenate((deletion[-1:], probabilities[len(counts) :], deletion[:1]))
    share = counts / order.size
    return {
        Metric.DELETION: float(np.trapezoid(deletion, share)),
        Metric.INSERTION: float(np.trapezoid(insertion, share)),
    }


def _follow(network: StagedNetwork, picture: Removable, is_kept: NDArray[np.bool_]) -> NDArray[np.float64]:
    """P of the class for each mixture of picture and filling, (N,); `is_kept` is (N, H, W)."""
    masks = torch.from_numpy(is_kept[:, None].astype(np.float32))  # (N, 1, H, W)
    masks = functional.interpolate(masks, size=picture.values.shape[1:], mode="nearest")[:, 0]
    kept, replaced = picture.values.cpu(), picture.filling.cpu()
    # The package mixes picture by picture and asks each picture's target; which picture it is does not matter to us.
    metric = PerturbationConfidenceMetric(lambda _, mask: kept * mask + replaced * (1 - mask))
    scores = metric(
        picture.values.expand(len(masks), -1, -1, -1),
        masks.numpy(),
        [ClassifierOutputSoftmaxTarget(picture.class_index)] * len(masks),
        lambda batch: network(batch.to(network.dtype)).float(),
        return_diff=False,
    )
    return np.asarray(scores, dtype=np.float64)
