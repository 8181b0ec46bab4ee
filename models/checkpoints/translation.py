"""A layout's tensors as ours: the same function, our names and shapes."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from models.checkpoints.checking import list_some
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.layouts import KERNEL, NORM, LayoutRules, rename_all

NORM_EPSILON = 1e-5
"""That of every `nn.BatchNorm2d` here."""

POOLED_PLANES = 2

HEAD = re.compile(r"fc\.(\d{1,2})\.(weight|bias)")
"""A linear layer in a sequence at the end of a residual network."""

WEIGHT_TYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64)
"""Kept as they are: a network loads each as float32."""


@dataclass(slots=True)
class Translation:
    """Tensors in our names and what was done to them.

    Attributes:
        tensors: by our names.
        origins: the file's name of each that was renamed.
        swapped: kernels whose two input planes changed places.
        reshaped: 1x1 convolutions that became linear layers.
        added: what the file does not have and what does not change the function.
    """

    tensors: dict[str, torch.Tensor]
    origins: dict[str, str]
    swapped: list[str] = field(default_factory=list)
    reshaped: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)

    def add(self, name: str, tensor: torch.Tensor) -> None:
        """A tensor that the file has not, unless it has it after all."""
        if name not in self.tensors:
            self.tensors[name] = tensor
            self.added.append(name)


def translate(tensors: Mapping[str, torch.Tensor], rules: LayoutRules) -> Translation:
    """Rename, reshape, swap and add until the tensors say in our network what they say in their own.

    Raises:
        CheckpointError: for two tensors by one name, and for a tensor of another kind than weights are.
    """
    translation = carry_over(tensors, rules)
    translation.tensors = {name: check_kind(name, tensor) for name, tensor in translation.tensors.items()}
    if rules.has_convolved_mlp:
        flatten_convolutions(translation)
    if rules.has_mean_first:
        swap_planes(translation)
    if rules.may_lack_mlp_bias:
        add_biases(translation)
    if not rules.has_spatial_norm:
        add_norms(translation)
    return translation


def carry_over(tensors: Mapping[str, torch.Tensor], rules: LayoutRules) -> Translation:
    """The same tensors by our names."""
    names = name_head(rename_all(tensors, rules))
    by_new_name: dict[str, list[str]] = {}
    for old, new in names.items():
        by_new_name.setdefault(new, []).append(old)
    for new, old_names in by_new_name.items():
        if len(old_names) > 1:
            raise CheckpointError(f"{list_some(old_names)} are all {new} here; the file holds more than one network")
    return Translation(
        tensors={names[old]: tensor for old, tensor in tensors.items()},
        origins={new: old for old, new in names.items() if new != old},
    )


def name_head(names: Mapping[str, str]) -> dict[str, str]:
    """Name a head that is a sequence with one linear layer, such as dropout and `fc.1`, as the layer alone."""
    places = {match[1] for new in names.values() if (match := HEAD.fullmatch(new))}
    if len(places) != 1:
        return dict(names)
    return {old: HEAD.sub(r"fc.\2", new) for old, new in names.items()}


def check_kind(name: str, tensor: torch.Tensor) -> torch.Tensor:
    """A weight in its own type, a counter as int64; raises `CheckpointError` for anything else."""
    is_counter = name.endswith(".num_batches_tracked")
    if tensor.layout != torch.strided or not (is_counter or tensor.dtype in WEIGHT_TYPES):
        raise CheckpointError(f"{name} is of type {tensor.dtype} and {tensor.layout}, not a plain tensor of weights")
    return tensor.detach().to(torch.int64) if is_counter else tensor.detach()


def flatten_convolutions(translation: Translation) -> None:
    """1x1 convolutions of one position, (out, in, 1, 1), as the linear layers, (out, in), that they are."""
    for name, tensor in translation.tensors.items():
        if ".ChannelGate.mlp." in name and tensor.shape[2:] == (1, 1):
            translation.tensors[name] = tensor.flatten(start_dim=1)
            translation.reshaped.append(name)


def swap_planes(translation: Translation) -> None:
    """Kernels for (mean, maximum), (1, 2, k, k), as kernels for (maximum, mean)."""
    for name, tensor in translation.tensors.items():
        if name.endswith(f"{KERNEL}weight") and tensor.shape[1:2] == (POOLED_PLANES,):
            translation.tensors[name] = tensor.flip(1)
            translation.swapped.append(name)


def add_biases(translation: Translation) -> None:
    """Zeros where the channel gate's layers have no biases."""
    for name, tensor in list(translation.tensors.items()):
        if ".ChannelGate.mlp." in name and name.endswith(".weight"):
            translation.add(name.removesuffix("weight") + "bias", torch.zeros(tensor.shape[:1]))


def add_norms(translation: Translation) -> None:
    """A BatchNorm that, in evaluation, hands on what the spatial convolution computes.

    It computes (x - mean) / sqrt(variance + epsilon) * weight + bias: with mean 0 and variance 1 the weight
    sqrt(1 + epsilon) makes that x + bias.
    """
    for name in [name for name in translation.tensors if name.endswith(f"{KERNEL}weight")]:
        norm = name.removesuffix(f"{KERNEL}weight") + NORM
        translation.add(f"{norm}weight", torch.full((1,), math.sqrt(1 + NORM_EPSILON)))
        translation.add(f"{norm}bias", torch.zeros(1))
        translation.add(f"{norm}running_mean", torch.zeros(1))
        translation.add(f"{norm}running_var", torch.ones(1))
