"""ResNet-18 with CBAM as five projects build it, each with its own names, planes, biases and pooling.

Written from the names in their files and from the description of their modules; torchvision is not asked.
"""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

REDUCTION = 16
CLASS_COUNT = 7


def mean_and_maximum(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both over channels, (N, 1, H, W)."""
    return features.mean(dim=1, keepdim=True), features.amax(dim=1, keepdim=True)


class AuthorsAttention(nn.Module):
    """Linear with bias; maximum, mean; convolution without bias, BatchNorm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.ChannelGate = nn.Module()
        self.ChannelGate.mlp = nn.Sequential(
            nn.Flatten(), nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )
        self.SpatialGate = nn.Module()
        self.SpatialGate.spatial = nn.Sequential(
            OrderedDict(conv=nn.Conv2d(2, 1, 7, padding=3, bias=False), bn=nn.BatchNorm2d(1, momentum=0.01))
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        mlp: Any = self.ChannelGate.mlp
        size = features.shape[2:]
        gate = mlp(functional.avg_pool2d(features, size)) + mlp(functional.max_pool2d(features, size))
        features = features * torch.sigmoid(gate)[:, :, None, None]
        mean, maximum = mean_and_maximum(features)
        spatial: Any = self.SpatialGate.spatial
        return features * torch.sigmoid(spatial(torch.cat((maximum, mean), dim=1)))


class PytorchcvAttention(nn.Module):
    """The authors' module with other names."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.ch_gate = nn.Module()
        self.ch_gate.mlp = nn.Sequential(
            OrderedDict(fc1=nn.Linear(channels, hidden), activ=nn.ReLU(), fc2=nn.Linear(hidden, channels))
        )
        self.sp_gate = nn.Module()
        self.sp_gate.conv = conv_block(2, 1, 7)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        mlp: Any = self.ch_gate.mlp
        gate = mlp(features.mean(dim=(2, 3))) + mlp(features.amax(dim=(2, 3)))
        features = features * torch.sigmoid(gate)[:, :, None, None]
        mean, maximum = mean_and_maximum(features)
        convolution: Any = self.sp_gate.conv
        return features * torch.sigmoid(convolution(torch.cat((maximum, mean), dim=1)))


class TimmAttention(nn.Module):
    """1x1 convolutions without bias; mean, maximum; convolution without bias, BatchNorm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.channel = nn.Module()
        self.channel.fc1 = nn.Conv2d(channels, hidden, 1, bias=False)
        self.channel.fc2 = nn.Conv2d(hidden, channels, 1, bias=False)
        self.spatial = nn.Module()
        self.spatial.conv = conv_block(2, 1, 7)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        channel: Any = self.channel
        gate = sum(
            channel.fc2(functional.relu(channel.fc1(pooled)))
            for pooled in (features.mean((2, 3), keepdim=True), features.amax((2, 3), keepdim=True))
        )
        features = features * torch.sigmoid(torch.as_tensor(gate))
        convolution: Any = self.spatial.conv
        return features * torch.sigmoid(convolution(torch.cat(mean_and_maximum(features), dim=1)))


class LuuuyiChannelAttention(nn.Module):
    """1x1 convolutions without bias; the gate alone."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.fc = nn.Sequential(
            nn.Conv2d(channels, hidden, 1, bias=False), nn.ReLU(), nn.Conv2d(hidden, channels, 1, bias=False)
        )

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        mean, maximum = functional.adaptive_avg_pool2d(features, 1), functional.adaptive_max_pool2d(features, 1)
        return torch.sigmoid(self.fc(mean) + self.fc(maximum))


class LuuuyiSpatialAttention(nn.Module):
    """Mean, maximum; convolution without bias, no BatchNorm; the gate alone."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 1, 7, padding=3, bias=False)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.conv1(torch.cat(mean_and_maximum(features), dim=1)))


class Elbuco1Attention(nn.Module):
    """Linear with bias; maximum, mean; convolution with bias, no BatchNorm."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // REDUCTION
        self.channel_attention = nn.Module()
        self.channel_attention.bottleneck = nn.Sequential(
            nn.Linear(channels, hidden), nn.ReLU(), nn.Linear(hidden, channels)
        )
        self.spatial_attention = nn.Module()
        self.spatial_attention.conv = nn.Conv2d(2, 1, 7, padding=3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        bottleneck: Any = self.channel_attention.bottleneck
        gate = bottleneck(features.mean(dim=(2, 3))) + bottleneck(features.amax(dim=(2, 3)))
        features = torch.sigmoid(gate)[:, :, None, None] * features
        mean, maximum = mean_and_maximum(features)
        convolution: Any = self.spatial_attention.conv
        return torch.sigmoid(convolution(torch.cat((maximum, mean), dim=1))) * features


def conv_block(in_channels: int, out_channels: int, kernel_size: int, *, stride: int = 1) -> nn.Sequential:
    """A convolution and its BatchNorm with the names of pytorchcv and timm."""
    convolution = nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=False)
    return nn.Sequential(OrderedDict(conv=convolution, bn=nn.BatchNorm2d(out_channels)))


class Block(nn.Module):
    """A basic block by torchvision's names; `attach` adds a project's attention, `refine` applies it."""

    def __init__(self, in_channels: int, channels: int, stride: int, attach: Callable[["Block", int], None]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)
        if stride != 1 or in_channels != channels:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, channels, 1, stride=stride, bias=False), nn.BatchNorm2d(channels)
            )
        attach(self, channels)

    def refine(self, features: torch.Tensor) -> torch.Tensor:
        parts: dict[str, nn.Module] = dict(self.named_children())
        if "ca" in parts:
            features = parts["ca"](features) * features
            return torch.as_tensor(parts["sa"](features) * features)
        attention = next((parts[name] for name in ("cbam", "se", "attention") if name in parts), nn.Identity())
        return torch.as_tensor(attention(features))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        hidden = functional.relu(self.bn1(self.conv1(features)))
        hidden = self.refine(self.bn2(self.conv2(hidden)))
        return functional.relu(hidden + (self.downsample(features) if hasattr(self, "downsample") else features))


class TorchvisionLike(nn.Module):
    """ResNet-18 by torchvision's names; its last pooling is 7x7, so that it needs 224 x 224 pixels."""

    def __init__(self, attach: Callable[[Block, int], None]) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        channels = 64
        for number, width in enumerate((64, 128, 256, 512), start=1):
            blocks = [Block(channels, width, 1 if number == 1 else 2, attach), Block(width, width, 1, attach)]
            self.add_module(f"layer{number}", nn.Sequential(*blocks))
            channels = width
        self.fc = nn.Linear(512, CLASS_COUNT)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = functional.max_pool2d(functional.relu(self.bn1(self.conv1(batch))), 3, stride=2, padding=1)
        for number in range(1, 5):
            features = self.get_submodule(f"layer{number}")(features)
        return self.fc(functional.avg_pool2d(features, 7).flatten(1))  # type: ignore[no-any-return]


class AuthorsBam(nn.Module):
    """BAM by the authors' names and in their order; its pooling is a square of the map's height."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        hidden = channels // 16
        self.channel_att, self.spatial_att = nn.Module(), nn.Module()
        self.channel_att.gate_c = nn.Sequential(
            OrderedDict(
                flatten=nn.Flatten(),
                gate_c_fc_0=nn.Linear(channels, hidden),
                gate_c_bn_1=nn.BatchNorm1d(hidden),
                gate_c_relu_1=nn.ReLU(),
                gate_c_fc_final=nn.Linear(hidden, channels),
            )
        )
        parts: OrderedDict[str, nn.Module] = OrderedDict(
            gate_s_conv_reduce0=nn.Conv2d(channels, hidden, 1),
            gate_s_bn_reduce0=nn.BatchNorm2d(hidden),
            gate_s_relu_reduce0=nn.ReLU(),
        )
        for index in range(2):
            parts[f"gate_s_conv_di_{index}"] = nn.Conv2d(hidden, hidden, 3, padding=4, dilation=4)
            parts[f"gate_s_bn_di_{index}"] = nn.BatchNorm2d(hidden)
            parts[f"gate_s_relu_di_{index}"] = nn.ReLU()
        parts["gate_s_conv_final"] = nn.Conv2d(hidden, 1, 1)
        self.spatial_att.gate_s = nn.Sequential(parts)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        pooled = functional.avg_pool2d(features, features.size(2), stride=features.size(2))
        channel = self.channel_att.get_submodule("gate_c")(pooled)[:, :, None, None].expand_as(features)
        spatial = self.spatial_att.get_submodule("gate_s")(features).expand_as(features)
        return torch.as_tensor((1 + torch.sigmoid(channel * spatial)) * features)


class CifarNetwork(TorchvisionLike):
    """ResNet-18 as the authors make it for CIFAR: 3x3 stem without pooling, at the end a mean of 4x4 positions."""

    def __init__(self, attach: Callable[[Block, int], None], *, has_bam: bool = False) -> None:
        super().__init__(attach)
        self.conv1 = nn.Conv2d(3, 64, 3, stride=1, padding=1, bias=False)
        self.bams = {number: f"bam{number}" for number in (1, 2, 3)} if has_bam else {}
        for number, name in self.bams.items():
            self.add_module(name, AuthorsBam(32 * 2**number))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = functional.relu(self.bn1(self.conv1(batch)))
        for number in range(1, 5):
            features = self.get_submodule(f"layer{number}")(features)
            if number in self.bams:
                features = self.get_submodule(self.bams[number])(features)
        return self.fc(functional.avg_pool2d(features, 4).flatten(1))  # type: ignore[no-any-return]


class PytorchcvUnit(nn.Module):
    """A basic block by pytorchcv's names."""

    def __init__(self, in_channels: int, channels: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            OrderedDict(
                conv1=conv_block(in_channels, channels, 3, stride=stride),
                activ=nn.ReLU(),
                conv2=conv_block(channels, channels, 3),
            )
        )
        if stride != 1 or in_channels != channels:
            self.identity_conv = conv_block(in_channels, channels, 1, stride=stride)
        self.cbam = PytorchcvAttention(channels)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        identity = self.identity_conv(features) if hasattr(self, "identity_conv") else features
        return functional.relu(self.cbam(self.body(features)) + identity)


class PytorchcvNetwork(nn.Module):
    """ResNet-18 by pytorchcv's names."""

    def __init__(self) -> None:
        super().__init__()
        start = nn.Sequential(
            OrderedDict(conv=conv_block(3, 64, 7, stride=2), activ=nn.ReLU(), pool=nn.MaxPool2d(3, 2, 1))
        )
        parts: OrderedDict[str, nn.Module] = OrderedDict(init_block=start)
        channels = 64
        for number, width in enumerate((64, 128, 256, 512), start=1):
            units: OrderedDict[str, nn.Module] = OrderedDict(
                unit1=PytorchcvUnit(channels, width, 1 if number == 1 else 2), unit2=PytorchcvUnit(width, width, 1)
            )
            parts[f"stage{number}"] = nn.Sequential(units)
            channels = width
        parts["final_pool"] = nn.AvgPool2d(7, stride=1)
        self.features = nn.Sequential(parts)
        self.output = nn.Linear(512, CLASS_COUNT)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return self.output(self.features(batch).flatten(1))  # type: ignore[no-any-return]


def attach_luuuyi(block: Block, channels: int) -> None:
    """luuuyi's two modules are in the block itself."""
    block.ca, block.sa = LuuuyiChannelAttention(channels), LuuuyiSpatialAttention()


def attach_as(name: str, attention: type[nn.Module]) -> Callable[[Block, int], None]:
    """Attention in an attribute of the block."""
    return lambda block, channels: block.add_module(name, attention(channels))


def fill(network: nn.Module, generator: torch.Generator) -> nn.Module:
    """Set random weights and BatchNorm statistics, none at its initial value, with logits of order 1."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            fan_in = module.weight[0].numel()
            module.weight.data = torch.randn(module.weight.shape, generator=generator) / fan_in**0.5
            if module.bias is not None:
                module.bias.data = torch.randn(module.bias.shape, generator=generator) / 2
        elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=generator)
            module.bias.data = torch.randn(module.bias.shape, generator=generator) / 4
            module.running_mean = torch.randn(module.weight.shape, generator=generator) / 4
            module.running_var = 0.5 + torch.rand(module.weight.shape, generator=generator)
            module.num_batches_tracked = torch.tensor(100)
    return network.eval()


def save_authors(network: nn.Module, path: Path) -> None:
    """Save as the authors' training program of 2018: DataParallel, an optimiser, and the format of that time."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9)
    checkpoint = {
        "epoch": 90,
        "arch": "resnet",
        "state_dict": OrderedDict((f"module.{name}", tensor) for name, tensor in network.state_dict().items()),
        "best_prec1": torch.tensor(77.622),
        "optimizer": optimizer.state_dict(),
    }
    torch.save(checkpoint, path, _use_new_zipfile_serialization=False)


def save_plainly(network: nn.Module, path: Path) -> None:
    """Save the state dict alone."""
    torch.save(network.state_dict(), path)


def save_wrapped(network: nn.Module, path: Path) -> None:
    """Save a dict that names the network."""
    torch.save({"epoch": 3, "arch": "resnet18", "state_dict": network.state_dict()}, path)


Maker = Callable[[], nn.Module]
Saver = Callable[[nn.Module, Path], None]

FOREIGN: dict[str, tuple[Maker, Saver]] = {
    "authors": (lambda: TorchvisionLike(attach_as("cbam", AuthorsAttention)), save_authors),
    "pytorchcv": (PytorchcvNetwork, save_plainly),
    "timm": (lambda: TorchvisionLike(attach_as("se", TimmAttention)), save_wrapped),
    "luuuyi": (lambda: TorchvisionLike(attach_luuuyi), save_wrapped),
    "elbuco1": (lambda: TorchvisionLike(attach_as("attention", Elbuco1Attention)), save_plainly),
}
"""Each layout's network, and its project's way of saving it."""


def make_foreign(layout: str, path: Path, *, seed: int = 1) -> nn.Module:
    """A layout's network, filled and saved; returns the network itself."""
    make, save = FOREIGN[layout]
    network = fill(make(), torch.Generator().manual_seed(seed))
    save(network, path)
    return network


CIFAR: dict[str, Maker] = {
    "none": lambda: CifarNetwork(lambda block, channels: None),
    "cbam": lambda: CifarNetwork(attach_as("cbam", AuthorsAttention)),
    "bam": lambda: CifarNetwork(lambda block, channels: None, has_bam=True),
}
"""The authors' networks for CIFAR by their attention."""


def make_cifar(attention: str, path: Path, *, seed: int = 1) -> nn.Module:
    """One of the authors' networks for CIFAR, filled and saved as they save it; returns the network itself."""
    network = fill(CIFAR[attention](), torch.Generator().manual_seed(seed))
    save_authors(network, path)
    return network
