"""VGG-16 with BatchNorm; attention is a constructor argument.

Source: Simonyan and Zisserman, *Very Deep Convolutional Networks*, ICLR 2015, table 1, column D. The network has no
residual branch, so CBAM comes at the end of each of the five groups of convolutions, before the pooling that follows.
The paper uses VGG-16 for detection and gives no figure for classification.

Parameter names are torchvision's; attention is in `cbam.0` to `cbam.4`.
"""

from typing import cast

import torch
from torch import nn

from models.attention.gates import BlockAttention
from models.attention.module import AttentionFactory, choose_at
from models.names import Stage
from models.networks.staged import Gates, StagedNetwork, initialise

GROUPS: tuple[tuple[int, int], ...] = ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
"""The channels and the number of convolutions of each group."""

STAGE_GROUPS = {Stage.ONE: (0, 1), Stage.TWO: (2,), Stage.THREE: (3,), Stage.FOUR: (4,)}

HEAD_POSITIONS = 7
"""The classifier needs a map of 7 x 7 positions; adaptive pooling makes one of any size."""

HIDDEN_WIDTH = 4096


class Vgg(StagedNetwork):
    """A VGG-16 that can be traced without hooks.

    Stage 4 ends before the last pooling, at 1/16 of the input. The Grad-CAM paper explains this layer.

    Args:
        attention: makes each group's attention from its number of channels, or None for the baseline.
        class_count: K, the number of classes.
    """

    def __init__(self, *, attention: AttentionFactory | None = None, class_count: int = 1000) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self._bounds: list[tuple[int, int]] = []
        channels = 3
        for width, convolution_count in GROUPS:
            start = len(layers)
            for _ in range(convolution_count):
                layers += [nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
                channels = width
            self._bounds.append((start, len(layers)))
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.avgpool = nn.AdaptiveAvgPool2d(HEAD_POSITIONS)
        self.classifier = nn.Sequential(
            nn.Linear(channels * HEAD_POSITIONS**2, HIDDEN_WIDTH),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(HIDDEN_WIDTH, HIDDEN_WIDTH),
            nn.ReLU(),
            nn.Dropout(),
            nn.Linear(HIDDEN_WIDTH, class_count),
        )
        self.cbam: nn.ModuleDict | None = None
        if attention is not None:
            self.cbam = nn.ModuleDict()
            for stage, groups in STAGE_GROUPS.items():
                own = choose_at(attention, stage)
                if own is not None:
                    self.cbam.update({str(group): own(GROUPS[group][0]) for group in groups})
        initialise(self)

    def list_gate_scales(self) -> dict[str, str]:
        """See `StagedNetwork.list_gate_scales`; a group ends with a BatchNorm and a ReLU."""
        groups = () if self.cbam is None else tuple(self.cbam)
        return {f"cbam.{group}": f"features.{self._bounds[int(group)][1] - 2}" for group in groups}

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """No operation: the first group comes first."""
        return batch

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: Gates) -> torch.Tensor:
        """The stage's groups of convolutions, `layer1.0` and so on; a pooling comes before each but the first."""
        for position, group in enumerate(STAGE_GROUPS[stage]):
            start, end = self._bounds[group]
            for index in range(start - 1 if group else start, end):
                features = self.features[index](features)
            if self.cbam is not None and str(group) in self.cbam:
                name = f"layer{stage.value}.{position}"
                features, computed = self.cbam[str(group)](features, gates.find_change(name))
                gates[name] = cast("BlockAttention", computed)
        return features

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        """Logits, (N, K): the last pooling, a pooling to 7 x 7 positions, and three linear layers."""
        pooled = self.avgpool(self.features[-1](features))  # (N, 512, 7, 7)
        return cast("torch.Tensor", self.classifier(pooled.flatten(start_dim=1)))
