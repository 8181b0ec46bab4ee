"""Class activation maps of any class at any stage.

The grad-cam package weights the channels; the activations and gradients come from our traces. There are no hooks, and
nothing is stored on a network, so one network can serve many requests at once.

Sources: Selvaraju et al., *Grad-CAM*, ICCV 2017, and the papers that the package cites for its other classes.
"""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from app.explain.contrast import contrast_scores
from app.explain.maps import FloatArray, HeatMap
from app.explain.methods import Method
from app.explain.weightings import import_weightings
from models.attention.interventions import Intervention
from models.names import Stage
from models.networks.staged import StagedNetwork

if TYPE_CHECKING:
    from pytorch_grad_cam.base_cam import BaseCAM

WEIGHTINGS = import_weightings()

EIGEN_METHODS = frozenset({Method.EIGENCAM, Method.EIGENGRADCAM})

LARGEST_FULL_DECOMPOSITION = 1_024
"""The largest number of positions for which the package computes the decomposition.

It computes all H*W left singular vectors, although it uses only one right vector: (H*W)^2 floats, which take 4 MB at
this limit, and 2.5 GB and seconds at stage 1 of a `whole` picture at resolution 448.
"""


def score_gradient(  # noqa: PLR0913  # what the gradient depends on
    network: StagedNetwork,
    features: torch.Tensor,
    *,
    stage: Stage,
    class_indices: torch.Tensor,
    interventions: Sequence[Intervention] = (),
    batch: torch.Tensor | None = None,
    against: torch.Tensor | None = None,
) -> torch.Tensor:
    """Compute the gradient of each picture's class score with respect to one stage's output.

    If only a mean over positions and one linear layer follow the last stage, the gradient is that layer's weight row
    divided by H*W and needs no backward pass. Otherwise the graph begins at `features`; the parameters are frozen and
    get no gradients.

    Args:
        network: the network that computed `features`.
        features: the output of `stage`, (N, C, H, W), without a graph.
        stage: the stage.
        class_indices: the class of each picture, (N,), whole numbers in 0..K-1.
        interventions: changes to the gates after the stage, the same as when `features` were computed.
        batch: the pictures, (N, 3, H, W), for networks that need them again, see `StagedNetwork.resume`.
        against: the classes that each picture's class is contrasted with, (N, M), for Finer-CAM; None for the class's
            own logit.

    Returns:
        d score / d features, (N, C, H, W).
    """
    if against is None and stage is Stage.FOUR and network.linear_head is not None:
        height, width = features.shape[2:]
        rows = network.linear_head.weight.detach()[class_indices]  # (N, C)
        return (rows / (height * width))[:, :, None, None].expand_as(features)
    with torch.enable_grad():
        leaf = features.detach().requires_grad_()
        logits = network.resume(leaf, after=stage, interventions=interventions, batch=batch)  # (N, K)
        if against is None:
            score = logits.gather(1, class_indices[:, None]).sum()
        else:
            score = contrast_scores(logits, class_indices, against).sum()
        return torch.autograd.grad(score, leaf)[0]


def compute_heat_map(method: Method, *, activation: FloatArray, gradient: FloatArray) -> HeatMap:
    """Compute one picture's map by one method: relu of the method's weighted sum over channels.

    Args:
        method: the weighting method.
        activation: one stage's output, (C, H, W).
        gradient: d score / d activation, (C, H, W); for Score-CAM the channels' weights, (C, 1, 1), see
            `app.explain.scored`.

    Returns:
        The map, (H, W), in the method's own units.
    """
    if method is Method.SCORECAM:
        return HeatMap(np.maximum((gradient * activation).sum(axis=0), 0).astype(np.float32))
    batch, gradients = activation[None], gradient[None]  # (1, C, H, W)
    height, width = activation.shape[1:]
    if method in EIGEN_METHODS and height * width > LARGEST_FULL_DECOMPOSITION:
        values = _project(batch[0] if method is Method.EIGENCAM else (gradients * batch)[0])
    else:
        values = _weighting(method).get_cam_image(None, None, None, batch, gradients, False)[0]
    return HeatMap(np.maximum(values, 0).astype(np.float32))


def _project(activation: FloatArray) -> FloatArray:
    """(C, H, W) -> (H, W): the projection on the first principal component, as in the package, but by a thin SVD."""
    channels, height, width = activation.shape
    positions = activation.reshape(channels, height * width).T  # (H*W, C)
    positions = positions - positions.mean(axis=0)
    _, _, components = np.linalg.svd(positions, full_matrices=False)
    projection: FloatArray = (positions @ components[0]).reshape(height, width)
    return projection


@cache
def _weighting(method: Method) -> "BaseCAM":
    # The package's classes need a model for its evaluation mode and its device; without target layers they set no
    # hooks, and `get_cam_image` uses its arguments alone.
    return WEIGHTINGS[method](model=nn.Linear(1, 1), target_layers=[])
