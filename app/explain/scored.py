"""Score-CAM: a channel counts by the class's score of the picture that shows through its activation.

Source: Wang et al., *Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks*, CVPR Workshops
2020, as the grad-cam package computes it: the weights are a softmax over the scores, and no baseline is subtracted.
"""

from collections.abc import Sequence

import torch
from torch.nn import functional

from app.explain.maps import FloatArray
from models.attention.interventions import Intervention
from models.networks.staged import StagedNetwork

PASS_PIXELS = 8 * 224 * 224
"""The pixels of the masked pictures that go through a network together, which bounds the memory."""

FLATNESS = 1e-8
"""The package's guard against a channel with one value everywhere."""


def count_together(height: int, width: int) -> int:
    """The number of masked pictures of a size, in pixels, that share a pass."""
    return max(1, PASS_PIXELS // (height * width))


@torch.no_grad()
def score_channels(
    network: StagedNetwork,
    picture: torch.Tensor,
    activations: torch.Tensor,
    *,
    class_index: int,
    interventions: Sequence[Intervention] = (),
) -> torch.Tensor:
    """Score the picture under the mask of each activation.

    A mask is an activation, enlarged to the picture bilinearly from corner to corner, and scaled to 0..1.

    Args:
        network: the network.
        picture: the normalised picture, (1, 3, H, W).
        activations: some channels of a stage's output, (M, h, w).
        class_index: the class, 0..K-1.
        interventions: changes to the gates, the same as when the activations were computed.

    Returns:
        The class's logit for each channel, (M,).
    """
    size = picture.shape[2:]
    masks = functional.interpolate(activations[None], size=size, mode="bilinear", align_corners=True)[0]  # (M, H, W)
    low, high = masks.amin(dim=(1, 2), keepdim=True), masks.amax(dim=(1, 2), keepdim=True)
    masks = (masks - low) / (high - low + FLATNESS)
    masked = (picture * masks[:, None]).to(network.dtype)  # (M, 3, H, W)
    logits = network.trace(masked, stages=(), interventions=interventions).logits
    return logits[:, class_index].float()


def weigh_channels(scores: FloatArray) -> FloatArray:
    """The channels' weights, (C, 1, 1), which add up to 1: the softmax of their scores, (C,)."""
    weights: FloatArray = torch.from_numpy(scores).softmax(dim=0).numpy()[:, None, None]
    return weights
