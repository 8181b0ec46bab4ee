"""Randomising a network's weights, from the last layer towards the first.

Source: Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018, cascading randomisation. A map that stays the
same with random weights shows the picture's edges, not what the network learned.
"""

import copy
from collections.abc import Sequence
from enum import IntEnum

import torch

from models.names import Stage
from models.networks.staged import StagedNetwork

SEED = 20181008


class Randomisation(IntEnum):
    """The random part of a network: everything after a stage, or all of it."""

    CLASSIFIER = 1
    STAGE_FOUR = 2
    STAGE_THREE = 3
    STAGE_TWO = 4
    STAGE_ONE = 5
    EVERYTHING = 6

    @property
    def kept(self) -> Stage | None:
        """The last stage that keeps its learned weights; None if no stage does."""
        return Stage(len(Stage) + 1 - self) if self <= len(Stage) else None


def randomise(network: StagedNetwork, extent: Randomisation) -> StagedNetwork:
    """Make a copy of a network with part of its weights random, the same in every call.

    Each weight tensor is drawn again from a normal distribution with its own mean and standard deviation, so that the
    activations keep their order of magnitude. Only the learned arrangement of the values is lost.

    Args:
        network: a network in evaluation mode; it is not changed.
        extent: the part to randomise.
    """
    forgetful = copy.deepcopy(network)
    generator = torch.Generator().manual_seed(SEED)
    with torch.no_grad():
        for parameter in find_parameters(forgetful, extent):
            learned = parameter.float()
            spread = learned.std(correction=0) if learned.numel() > 1 else learned.abs().mean()
            drawn = torch.randn(parameter.shape, generator=generator).to(parameter.device)
            parameter.copy_(learned.mean() + spread * drawn)
    return forgetful.requires_grad_(False)


def find_parameters(network: StagedNetwork, extent: Randomisation) -> list[torch.nn.Parameter]:
    """Find the parameters of `extent`: those on which the rest of the forward pass depends.

    So a network need not declare which of its modules belong to which stage. The gradients come from a test input and
    are discarded.
    """
    parameters = list(network.requires_grad_().parameters())
    if extent is Randomisation.EVERYTHING:
        return parameters
    side = network.probe_side
    probe = torch.zeros(1, 3, side, side, device=parameters[0].device, dtype=network.dtype)
    with torch.enable_grad():
        if extent.kept is None:
            features = network.run_stem(probe).detach()
        else:
            with torch.no_grad():
                # A network that lacks the stage keeps nothing before the next one.
                features = network.trace(probe, stages={extent.kept}).features.get(extent.kept, probe)
        logits = network.resume(features, after=extent.kept, batch=probe)
        # torch's type stub does not say that the gradient of an unused parameter is None.
        gradients: Sequence[torch.Tensor | None] = torch.autograd.grad(logits.sum(), parameters, allow_unused=True)
    return [parameter for parameter, gradient in zip(parameters, gradients, strict=True) if gradient is not None]
