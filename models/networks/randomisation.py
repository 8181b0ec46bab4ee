"""A network that has forgotten what it learned, from its last layer towards its first.

Source: Adebayo et al., *Sanity Checks for Saliency Maps*, NeurIPS 2018: the cascading randomisation. A map that stays
the same when the weights behind it are random shows the picture's edges, not what the network learned.
"""

import copy
from collections.abc import Sequence
from enum import IntEnum

import torch

from models.names import Stage
from models.networks.staged import Gates, StagedNetwork

SEED = 20181008
PROBE_SIDE_PIXELS = 64


class Randomisation(IntEnum):
    """How much of a network is random: everything behind a stage, or all of it."""

    CLASSIFIER = 1
    STAGE_FOUR = 2
    STAGE_THREE = 3
    STAGE_TWO = 4
    STAGE_ONE = 5
    EVERYTHING = 6

    @property
    def kept(self) -> Stage | None:
        """The last stage that is as it was learned; None where at most the stem is."""
        return Stage(len(Stage) + 1 - self) if self <= len(Stage) else None


def randomise(network: StagedNetwork, extent: Randomisation) -> StagedNetwork:
    """A copy of a network with part of its weights random, the same in every call.

    Each weight tensor is drawn anew from a normal distribution with its own mean and standard deviation, so that the
    activations keep their order of size: what was learned is where the values stand, not how large they are.

    Args:
        network: in evaluation mode; it is left as it is.
        extent: how much of it.
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
    """The parameters that `extent` speaks of, found by what the rest of the forward pass depends on.

    That way a network need not say which of its modules belong to which stage. The gradients are of a probe, and are
    thrown away.
    """
    parameters = list(network.requires_grad_().parameters())
    if extent is Randomisation.EVERYTHING:
        return parameters
    probe = torch.zeros(1, 3, PROBE_SIDE_PIXELS, PROBE_SIDE_PIXELS, device=parameters[0].device, dtype=network.dtype)
    with torch.enable_grad():
        if extent.kept is None:
            logits = _run_stages(network, network.run_stem(probe).detach())
        else:
            with torch.no_grad():
                features = network.trace(probe, stages={extent.kept}).features[extent.kept]
            logits = network.resume(features, after=extent.kept)
        # The stub does not know that what is unused has no gradient.
        gradients: Sequence[torch.Tensor | None] = torch.autograd.grad(logits.sum(), parameters, allow_unused=True)
    return [parameter for parameter, gradient in zip(parameters, gradients, strict=True) if gradient is not None]


def _run_stages(network: StagedNetwork, features: torch.Tensor) -> torch.Tensor:
    for stage in Stage:
        features = network.run_stage(stage, features, Gates())
    return network.classify(features)
