"""The network in training: one of the zoo's, with the parts that only training needs."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from models.attention.bam import Bam
from models.attention.cbam import SpatialAttention
from models.attention.module import AttentionModule
from models.insertion.building import build_any_network
from models.lineups.card import name_network
from models.names import Attention, Stage
from models.networks.staged import StagedNetwork
from models.training.learning.beginning import Beginning
from models.training.learning.gate_loss import measure_channel_loss, measure_gate_loss
from models.training.recipes.recipe import ChannelGateRecipe, Recipe, SpatialGateRecipe
from models.training.running.errors import TrainingError

PROBE_PIXELS = 64


class TraineeOutput(NamedTuple):
    """The output of a network in training for one batch.

    It is a tuple so that DistributedDataParallel finds the tensors.

    Attributes:
        logits: the classifier's logits, (N, K).
        auxiliary: the auxiliary head's logits for the other network's classes, (N, A); None without such a head.
        gate_loss: the loss on its spatial gates, a scalar; None if not requested or without such gates.
        channel_loss: the loss on its channel gates, likewise.
    """

    logits: torch.Tensor
    auxiliary: torch.Tensor | None = None
    gate_loss: torch.Tensor | None = None
    channel_loss: torch.Tensor | None = None


@dataclass(frozen=True, slots=True)
class TraineeShape:
    """The network to train.

    Attributes:
        architecture: a name of `models.networks.zoo`.
        attention: the attention at the end of each block.
        class_count: K, the number of classes.
        auxiliary_count: A, the number of classes of the auxiliary head; 0 for none.
    """

    architecture: str
    attention: Attention
    class_count: int
    auxiliary_count: int = 0

    @property
    def member(self) -> str:
        """Its name in a lineup, and in its files' names."""
        return name_network(self.attention)

    @property
    def stem(self) -> str:
        """The first part of its file names."""
        return f"{self.architecture.replace(':', '_')}_{self.member}_{self.class_count}"


class Trainee(nn.Module):
    """A network with an auxiliary head on its last stage's pooled features, which is dropped after training.

    Args:
        network: one of the zoo's.
        auxiliary_count: the number of classes of the auxiliary head; 0 for none.
        recipe: the recipe with the gates' losses, and whether BatchNorms keep their statistics; None for neither.
    """

    def __init__(self, network: StagedNetwork, *, auxiliary_count: int, recipe: Recipe | None = None) -> None:
        super().__init__()
        self.network = network
        self.spatial_gate = SpatialGateRecipe() if recipe is None else recipe.spatial_gate
        self.channel_gate = ChannelGateRecipe() if recipe is None else recipe.channel_gate
        self._frozen_norms: list[nn.Module] = []
        if recipe is not None and recipe.freeze_statistics:
            self._frozen_norms += list_trunk_norms(network)
        if self.spatial_gate.freeze_statistics:
            self._frozen_norms += list_spatial_norms(network)
        self.auxiliary: nn.Linear | None = None
        if auxiliary_count:
            with torch.no_grad():
                trace = network.eval().trace(torch.zeros(1, 3, PROBE_PIXELS, PROBE_PIXELS), stages={Stage.FOUR})
            self.auxiliary = nn.Linear(trace.features[Stage.FOUR].shape[1], auxiliary_count)

    def forward(self, batch: torch.Tensor) -> TraineeOutput:
        """The output for a normalised batch, (N, 3, H, W)."""
        trace = self.network.trace(batch, stages={Stage.FOUR})
        auxiliary = gate_loss = channel_loss = None
        if self.auxiliary is not None:
            auxiliary = self.auxiliary(trace.features[Stage.FOUR].mean(dim=(2, 3)))  # (N, C) -> (N, A)
        spatial = [block.spatial for block in trace.attentions.values() if block.spatial is not None]
        if spatial and self.spatial_gate.loss_weight:
            gate_loss = measure_gate_loss(spatial, self.spatial_gate)
        channel = [block.channel for block in trace.attentions.values() if block.channel is not None]
        if channel and self.channel_gate.loss_weight:
            channel_loss = measure_channel_loss(channel, self.channel_gate)
        return TraineeOutput(trace.logits, auxiliary, gate_loss, channel_loss)

    def train(self, mode: bool = True) -> "Trainee":  # torch's signature
        """Set training mode, in which frozen BatchNorms still use and keep their statistics."""
        super().train(mode)
        for norm in self._frozen_norms:
            norm.eval()
        return self


def build_trainee(shape: TraineeShape, recipe: Recipe, beginning: Beginning | None = None) -> Trainee:
    """Build a new network on the CPU; layers that it shares with its baseline get the same weights in both.

    Args:
        shape: the network.
        recipe: the recipe with the initial state of its spatial gates.
        beginning: the weights that it starts from; None for random ones.

    Raises:
        TrainingError: the network is not in the zoo, or the weights do not fit.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        try:
            network = build_any_network(shape.architecture, class_count=shape.class_count)
            auxiliary = Trainee(network, auxiliary_count=shape.auxiliary_count).auxiliary
            if shape.attention is not Attention.NONE:
                common = network.state_dict()
                network = build_any_network(
                    shape.architecture, attention=shape.attention, class_count=shape.class_count
                )
                network.load_state_dict(network.state_dict() | common)
        except (KeyError, ValueError) as error:
            raise TrainingError(str(error.args[0])) from error
    trainee = Trainee(network, auxiliary_count=0, recipe=recipe)
    trainee.auxiliary = auxiliary
    for gate in list_spatial_gates(trainee):
        nn.init.constant_(gate.scale, recipe.spatial_gate.initial_scale)
    if beginning is not None:
        beginning.load_into(network, renewed=recipe.spatial_gate.renewed)
    return trainee


class SpatialGateParameters(NamedTuple):
    """The parameters of a spatial gate for which a recipe may have its own settings.

    Attributes:
        kernel: its convolution's kernel.
        scale: its BatchNorm's scale, gamma.
    """

    kernel: nn.Parameter
    scale: nn.Parameter


def list_spatial_gates(module: nn.Module) -> list[SpatialGateParameters]:
    """Every spatial gate's parameters."""
    return [
        SpatialGateParameters(part.get_parameter("spatial.conv.weight"), part.get_parameter("spatial.bn.weight"))
        for part in module.modules()
        if isinstance(part, SpatialAttention)
    ]


def list_gate_parameters(module: nn.Module) -> set[nn.Parameter]:
    """Every parameter of every gate."""
    return {
        parameter
        for part in module.modules()
        if isinstance(part, AttentionModule | Bam)
        for parameter in part.parameters()
    }


def list_spatial_norms(module: nn.Module) -> list[nn.Module]:
    """The BatchNorm of every spatial gate."""
    return [part.spatial.get_submodule("bn") for part in module.modules() if isinstance(part, SpatialAttention)]


def list_trunk_norms(module: nn.Module) -> list[nn.Module]:
    """Every BatchNorm outside of the attention modules."""
    gates = {norm for part in module.modules() if isinstance(part, AttentionModule | Bam) for norm in part.modules()}
    return [part for part in module.modules() if isinstance(part, _BatchNorm) and part not in gates]
