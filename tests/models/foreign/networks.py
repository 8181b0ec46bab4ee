"""Small networks such as users have: plain torch, nothing of ours."""

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from tests.models.foreign.attention import Luuuyi

MakeAttention = Callable[[int], nn.Module]

SIDE = 32
WIDTHS = (8, 16, 24)


class Block(nn.Module):
    """Halves the map; its first convolution works on the larger one."""

    def __init__(self, before: int, channels: int, attention: MakeAttention | None) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.attention = nn.Identity() if attention is None else attention(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu(self.norm(self.conv2(torch.relu(self.conv1(x)))))
        x = self.attention(x)
        return x.clone().relu_()


class SmallNetwork(nn.Module):
    """Three sizes of maps, 16, 8 and 4, and a head that needs exactly 32 pixels and contiguous memory."""

    def __init__(self, attention: MakeAttention | None = None, *, channels: int = 3, classes: int = 5) -> None:
        super().__init__()
        torch.manual_seed(20181008)
        self.layer1 = Block(channels, WIDTHS[0], attention)
        self.layer2 = Block(WIDTHS[0], WIDTHS[1], attention)
        self.layer3 = Block(WIDTHS[1], WIDTHS[2], attention)
        self.fc = nn.Linear(WIDTHS[2] * 4 * 4, classes)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        features = self.layer3(self.layer2(self.layer1(pictures)))
        logits: torch.Tensor = self.fc(features.view(features.size(0), -1))
        return logits


def make_pair() -> tuple[nn.Module, nn.Module]:
    """The same weights without attention and with luuuyi's."""
    return SmallNetwork(), SmallNetwork(Luuuyi)


class Segmenter(nn.Module):
    """An encoder and a decoder with a connection between them, (N, K, H, W)."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.down1 = nn.Conv2d(3, 8, 3, stride=2, padding=1)
        self.down2 = nn.Conv2d(8, 16, 3, stride=2, padding=1)
        self.bottom = nn.Conv2d(16, 16, 3, padding=1)
        self.up1 = nn.ConvTranspose2d(16, 8, 2, stride=2)
        self.merge = nn.Conv2d(16, 8, 3, padding=1)
        self.up2 = nn.ConvTranspose2d(8, classes, 2, stride=2)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        fine = torch.relu(self.down1(pictures))
        deep = torch.relu(self.bottom(torch.relu(self.down2(fine))))
        merged = self.merge(torch.cat([self.up1(deep), fine], dim=1))
        result: torch.Tensor = self.up2(torch.relu(merged))
        return result


class ManyInputs(nn.Module):
    """A picture and a vector come in; a dictionary goes out."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=4)
        self.fc = nn.Linear(8 + 2, 4)

    def forward(self, pictures: torch.Tensor, facts: torch.Tensor) -> dict[str, torch.Tensor]:
        features = functional.relu(self.conv(pictures)).mean((2, 3))
        return {"logits": self.fc(torch.cat([features, facts], dim=1)), "features": features}
