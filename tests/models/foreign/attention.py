"""Attention as others write it, by the structure of their published code, for networks that nobody here has seen.

Sources: Jongchan/attention-module, luuuyi/CBAM.PyTorch, elbuco1/CBAM, huggingface/pytorch-image-models (`CbamModule`),
xmu-xiaoma666/External-Attention-pytorch (`CBAMBlock`) and ultralytics/ultralytics (`CBAM`).
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional


def pool_channels(features: torch.Tensor) -> torch.Tensor:
    return torch.cat([features.mean(1, keepdim=True), features.amax(1, keepdim=True)], dim=1)


class AuthorsChannelGate(nn.Module):
    """A function's sigmoid of (N, C), which views make (N, C, H, W)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, channels // 4), nn.ReLU(), nn.Linear(channels // 4, channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pooled = functional.avg_pool2d(x, x.shape[2:]), functional.max_pool2d(x, x.shape[2:])
        total = self.mlp(pooled[0]) + self.mlp(pooled[1])
        scale = torch.sigmoid(total).unsqueeze(2).unsqueeze(3).expand_as(x)
        return x * scale


class AuthorsSpatialGate(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.spatial = nn.Sequential(nn.Conv2d(2, 1, 7, padding=3, bias=False), nn.BatchNorm2d(1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        scale = functional.sigmoid(self.spatial(pool_channels(x)))
        return x * scale


class LuuuyiChannelAttention(nn.Module):
    """Answers the gate, which the block multiplies."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.avg_pool = nn.AdaptiveAvgPool2d(1)
        self.max_pool = nn.AdaptiveMaxPool2d(1)
        self.fc = nn.Sequential(
            nn.Conv2d(channels, channels // 4, 1, bias=False),
            nn.ReLU(),
            nn.Conv2d(channels // 4, channels, 1, bias=False),
        )
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate: torch.Tensor = self.sigmoid(self.fc(self.avg_pool(x)) + self.fc(self.max_pool(x)))
        return gate


class LuuuyiSpatialAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.sigmoid = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate: torch.Tensor = self.sigmoid(self.conv1(pool_channels(x)))
        return gate


class Luuuyi(nn.Module):
    """As in its `BasicBlock`: the two multiply in the block itself."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca = LuuuyiChannelAttention(channels)
        self.sa = LuuuyiSpatialAttention()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.ca(x) * x
        result: torch.Tensor = self.sa(x) * x
        return result


class Elbuco1ChannelAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.linear = nn.Sequential(
            nn.Linear(channels, channels // 4), nn.ReLU(inplace=True), nn.Linear(channels // 4, channels)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        batch, channels, _, _ = x.size()
        maximum = functional.adaptive_max_pool2d(x, output_size=1)
        average = functional.adaptive_avg_pool2d(x, output_size=1)
        output = self.linear(maximum.view(batch, channels)) + self.linear(average.view(batch, channels))
        return functional.sigmoid(output.view(batch, channels, 1, 1)) * x


class Elbuco1SpatialAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.sigmoid(self.conv(pool_channels(x))) * x


class TimmGate(nn.Module):
    """`create_act_layer("sigmoid")`, which works in place where it may."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.sigmoid_()


class TimmChannelAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // 4, 1, bias=False)
        self.act = nn.ReLU(inplace=True)
        self.fc2 = nn.Conv2d(channels // 4, channels, 1, bias=False)
        self.gate = TimmGate()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        average = self.fc2(self.act(self.fc1(x.mean((2, 3), keepdim=True))))
        maximum = self.fc2(self.act(self.fc1(x.amax((2, 3), keepdim=True))))
        result: torch.Tensor = x * self.gate(average + maximum)
        return result


class TimmSpatialAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.gate = TimmGate()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x * self.gate(self.conv(pool_channels(x)))
        return result


class UltralyticsChannelAttention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Conv2d(channels, channels, 1)
        self.act = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x * self.act(self.fc(self.pool(x)))
        return result


class UltralyticsSpatialAttention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.cv1 = nn.Conv2d(2, 1, 7, padding=3, bias=False)
        self.act = nn.Sigmoid()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x * self.act(self.cv1(pool_channels(x)))
        return result


class ExternalAttention(nn.Module):
    """`CBAMBlock`: its own residual around the two."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca = LuuuyiChannelAttention(channels)
        self.sa = LuuuyiSpatialAttention()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        out = x * self.ca(x)
        result: torch.Tensor = out * self.sa(out) + x
        return result


class InPlace(nn.Module):
    """The same multiplied in place, as some write it to save memory."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca = LuuuyiChannelAttention(channels)
        self.sa = LuuuyiSpatialAttention()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.clone()
        x *= self.ca(x)
        x *= self.sa(x)
        return x


def chain(channel: nn.Module, spatial: nn.Module) -> nn.Module:
    return nn.Sequential(channel, spatial)


IMPLEMENTATIONS: dict[str, Callable[[int], nn.Module]] = {
    "authors": lambda channels: chain(AuthorsChannelGate(channels), AuthorsSpatialGate()),
    "luuuyi": Luuuyi,
    "elbuco1": lambda channels: chain(Elbuco1ChannelAttention(channels), Elbuco1SpatialAttention()),
    "timm": lambda channels: chain(TimmChannelAttention(channels), TimmSpatialAttention()),
    "external": ExternalAttention,
    "ultralytics": lambda channels: chain(UltralyticsChannelAttention(channels), UltralyticsSpatialAttention()),
    "in place": InPlace,
}
