"""A gate from two planes, a maximum and a mean: CBAM's spatial gate, and each of triplet attention's three."""

from collections import OrderedDict
from typing import cast

import torch
from torch import nn
from torch.nn import functional

from models.attention.gates import change_gate
from models.names import GateChange


class PlaneGate(nn.Module):
    """M(F) = sigmoid(BN(conv([MaxPool(F); AvgPool(F)]))), both pooled over the first axis of a picture's features.

    The names of its parts, `spatial.conv` and `spatial.bn`, are those of the authors' releases of CBAM and of triplet
    attention.

    Args:
        kernel_size: the convolution's side in positions; odd.
        planes: the number of planes that the convolution is given.
    """

    def __init__(self, *, kernel_size: int, planes: int = 2) -> None:
        super().__init__()
        convolution = nn.Conv2d(planes, 1, kernel_size, padding=kernel_size // 2, bias=False)
        self.spatial = nn.Sequential(OrderedDict(conv=convolution, bn=nn.BatchNorm2d(1, momentum=0.01)))

    def gate(self, features: torch.Tensor, change: GateChange | None = None) -> torch.Tensor:
        """The gate alone, changed where that is asked for; dropped maxima are a plane of zeros.

        Args:
            features: (N, C, H, W), any size; another order of C, H and W makes a gate of the last two.
            change: what is done to the gate.

        Returns:
            (N, H, W), in 0..1.
        """
        # Maximum before mean: the authors' releases; CBAM's paper lists the mean first in its equation 3.
        maximum, mean = features.amax(dim=1), features.mean(dim=1)
        if change is GateChange.DROP_MAX:
            maximum = torch.zeros_like(maximum)
        return self.close(torch.stack((maximum, mean), dim=1), change)

    def close(self, planes: torch.Tensor, change: GateChange | None) -> torch.Tensor:
        """The gate of pooled planes: (N, planes, H, W) -> (N, H, W)."""
        return change_gate(torch.sigmoid(self.spatial(planes))[:, 0], change)

    def weigh(self, features: torch.Tensor) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """The part of the mean's and of the maximum's plane at each position, (N, H, W) each, up to a common factor."""
        weight = cast("torch.Tensor", self.spatial.get_submodule("conv").weight)  # (1, 2, k, k)
        planes = (features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True))  # (N, 1, H, W) each
        padding = weight.shape[-1] // 2
        # The kernel's first plane is the maximum's.
        mean, maximum = (
            functional.conv2d(plane, weight[:, index : index + 1], padding=padding)[:, 0]
            for plane, index in zip(planes, (1, 0), strict=True)
        )
        return mean, maximum
