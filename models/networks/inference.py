"""Preparing networks for inference: the same function, but faster.

BatchNorm in evaluation mode is a scale and a shift per channel. After a convolution, both can be folded into its
weights and bias, exactly up to rounding. Convolutions on a CPU are faster with the channels innermost in memory.
"""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from models.attention.module import AttentionModule
from models.names import Precision
from models.networks.graph_network import GraphNetwork
from models.networks.staged import StagedNetwork

DTYPES = {Precision.FP32: torch.float32, Precision.BF16: torch.bfloat16, Precision.FP16: torch.float16}


def prepare_for_inference(network: StagedNetwork, *, precision: Precision = Precision.FP32) -> StagedNetwork:
    """Make a copy of a network for answering requests.

    Args:
        network: a network in evaluation mode; it is not changed.
        precision: the type of weights and activations.

    Returns:
        The same function with every BatchNorm folded into the convolution before it, channels innermost, and frozen
        parameters. Foreign networks whose operations are not known are frozen and otherwise stay as they are: their
        code may depend on the order of the values in memory.

    Raises:
        ValueError: the network is in training mode, in which BatchNorm depends on the batch.
    """
    if network.training:
        raise ValueError("the network is in training mode; call eval() first")
    prepared = copy.deepcopy(network)
    if not prepared.is_known:
        return prepared.to(DTYPES[precision]).requires_grad_(False)
    if isinstance(prepared, GraphNetwork):
        # A foreign network's modules may not run in the order of their definition; the graph has the order.
        for convolution, norm in prepared.norms:
            _fold(prepared, convolution, norm)
        folded_by_name: list[nn.Module] = [
            part for module in prepared.modules() if isinstance(module, AttentionModule) for part in module.modules()
        ]
    else:
        folded_by_name = list(prepared.modules())
    for module in folded_by_name:
        _fold_children(module)
    return prepared.to(DTYPES[precision]).to(memory_format=torch.channels_last).requires_grad_(False)


def _fold(network: nn.Module, convolution: str, norm: str) -> None:
    """Fold one BatchNorm into the convolution before it, both by name."""
    first, second = network.get_submodule(convolution), network.get_submodule(norm)
    if not isinstance(first, nn.Conv2d) or not isinstance(second, nn.BatchNorm2d):
        raise TypeError(f"{convolution} and {norm} are not a convolution and its BatchNorm")
    network.set_submodule(convolution, fuse_conv_bn_eval(first, second))
    network.set_submodule(norm, nn.Identity())


def _fold_children(module: nn.Module) -> None:
    """Fold each BatchNorm that directly follows a convolution: `bn1` after `conv1`, or the next one in a sequence."""
    children = dict(module.named_children())
    followers = dict(pairwise(children)) if isinstance(module, nn.Sequential) else {}
    for name, child in children.items():
        follower = followers.get(name, name.replace("conv", "bn"))
        norm = children.get(follower)
        if isinstance(child, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            setattr(module, name, fuse_conv_bn_eval(child, norm))
            setattr(module, follower, nn.Identity())
