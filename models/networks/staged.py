"""The base class of every network: a stem, four stages and a classifier, traced without hooks."""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import torch
from torch import nn

from models.attention.gates import BlockAttention
from models.attention.interventions import BlockChange, Intervention, find_change
from models.names import Stage
from models.networks.trace import Trace


class Gates(dict[str, BlockAttention]):
    """Each block's gates by the block's name; stages add theirs while they run, and look up changes here.

    Args:
        interventions: changes to the computed gates.
        opened: the block whose features before and after attention are kept too.
    """

    def __init__(self, interventions: Sequence[Intervention] = (), *, opened: str | None = None) -> None:
        super().__init__()
        self._interventions = interventions
        self._opened = opened

    def find_change(self, block: str) -> BlockChange | None:
        """The change of a block's gates; None for no change."""
        if block == self._opened:
            return replace(find_change(self._interventions, block), is_opened=True)
        return find_change(self._interventions, block) if self._interventions else None


ALL_STAGES = frozenset(Stage)


class StagedNetwork(nn.Module):
    """A classifier that returns the values that others get from hooks.

    A forward pass stores nothing on the network, so one network serves any number of requests at once. Subclasses run
    their parts; those that end in a mean over positions and one linear layer also define `linear_head`.

    Attributes:
        probe_side: the side in pixels of a small square picture that the network accepts.
        is_known: whether the names and the order of its layers are known, so that they may be folded and laid out anew.
    """

    probe_side: int = 64
    is_known: bool = True

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """The layers before stage 1: (N, 3, H, W) -> (N, C, H', W')."""
        raise NotImplementedError

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: Gates) -> torch.Tensor:
        """One stage's output, (N, C, H, W); the stage's blocks add their gates to `gates`."""
        raise NotImplementedError

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), from the last stage's output, (N, C, H, W)."""
        raise NotImplementedError

    @property
    def linear_head(self) -> nn.Linear | None:
        """The last layer, if only a mean over positions is between it and stage 4; else None.

        With it, d logit / d stage 4 is a row of weights divided by H*W, and needs no backward pass.
        """
        return None

    def list_gate_scales(self) -> Mapping[str, str]:
        """The path of a module that scales the gated features, by the path of the attention module that gates them.

        It comes before the gates, with at most a ReLU between, or after them. Nothing else reads its output.
        """
        return {}

    @property
    def dtype(self) -> torch.dtype:
        """The dtype of the weights; the input must have the same one."""
        return next(self.parameters()).dtype

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K), for a normalised batch, (N, 3, H, W)."""
        return self.trace(batch, stages=()).logits

    def trace(
        self,
        batch: torch.Tensor,
        *,
        stages: Collection[Stage] = ALL_STAGES,
        interventions: Sequence[Intervention] = (),
        opened: str | None = None,
    ) -> Trace:
        """Run one forward pass and keep the values that the program shows; nothing is stored on the network.

        Args:
            batch: normalised pictures, (N, 3, H, W).
            stages: the stages whose outputs are kept.
            interventions: changes to the learned gates; the trace has the changed gates.
            opened: the block whose features before and after attention are kept.

        Returns:
            The logits, the kept features and every block's gates.
        """
        features = self.run_stem(batch)
        kept: dict[Stage, torch.Tensor] = {}
        gates = Gates(interventions, opened=opened)
        for stage in Stage:
            features = self.run_stage(stage, features, gates)
            if stage in stages:
                kept[stage] = features
        return Trace(logits=self.classify(features), features=kept, attentions=gates)

    def resume(
        self,
        features: torch.Tensor,
        *,
        after: Stage | None,
        interventions: Sequence[Intervention] = (),
        batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Run the rest of the forward pass.

        Args:
            features: the output of stage `after`, (N, C, H, W).
            after: the stage; None for the output of the stem.
            interventions: changes to the gates.
            batch: the pictures that the features are of, (N, 3, H, W), for networks that cannot begin at a stage; those
                here can, and do without it.

        Returns:
            Logits, (N, K).
        """
        del batch
        gates = Gates(interventions)
        for stage in Stage:
            if after is None or stage > after:
                features = self.run_stage(stage, features, gates)
        return self.classify(features)


def initialise(network: nn.Module) -> None:
    """Initialise the weights of a network whose convolutions are followed by ReLU.

    Source: He et al., *Delving Deep into Rectifiers*, 2015, by the number of outgoing connections. In a grouped
    convolution each input goes to the outputs of one group only.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            height, width = module.kernel_size
            outgoing = height * width * module.out_channels // module.groups
            nn.init.normal_(module.weight, std=math.sqrt(2 / outgoing))


def list_beside(network: nn.Module, attention: str, other: str) -> dict[str, str]:
    """The path of another module in the same block, by the path of each attention module."""
    paths = [name.removesuffix(attention) for name, _ in network.named_modules() if name.endswith(f".{attention}")]
    return {f"{path}{attention}": f"{path}{other}" for path in paths}
