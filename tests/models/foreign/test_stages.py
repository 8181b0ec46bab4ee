import pytest
import torch
from torch import nn
from torchvision.models import mobilenet_v2, resnet50, vgg16_bn

from models.foreign.description import InputForm, Reading
from models.foreign.examination import examine
from models.foreign.network import ForeignNetwork
from models.foreign.recording import record
from models.foreign.stages import CallRecording, find_stages
from models.names import Stage
from tests.models.foreign.networks import Segmenter, SmallNetwork


def find(network: nn.Module, side: int) -> dict[str, int]:
    watched = ForeignNetwork(network, Reading(), InputForm())
    recording = CallRecording()
    with torch.no_grad(), record(recording):
        watched.module(torch.zeros(1, 3, side, side))
    return {path: stage.value for path, stage in find_stages(watched.module, recording.calls).items()}


@pytest.mark.slow(every=True)
@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (resnet50, ["layer1", "layer2", "layer3", "layer4"]),
        (mobilenet_v2, ["features.3", "features.6", "features.13", "features"]),
        (vgg16_bn, ["features.12", "features.22", "features.32", "features.42"]),
    ],
)
def test_stages_of_torchvision_are_the_last_maps_before_each_halving(
    make: type[nn.Module], expected: list[str]
) -> None:
    assert list(find(make(num_classes=3), 64)) == expected


def test_three_sizes_are_the_last_three_stages() -> None:
    assert find(SmallNetwork(), 32) == {"layer1": 2, "layer2": 3, "layer3": 4}


def test_stages_of_a_segmentation_are_the_encoders() -> None:
    assert find(Segmenter(), 32) == {"down1": 3, "bottom": 4}


def test_spatial_gate_is_no_stage() -> None:
    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Conv2d(3, 4, 3, padding=1)
            self.gate = nn.Conv2d(4, 1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.body(x)
            return (x * torch.sigmoid(self.gate(x))).mean((2, 3))

    assert find(Late(), 16) == {"body": 4}


def test_module_that_runs_twice_is_no_stage() -> None:
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
            self.relu = nn.ReLU()
            self.down = nn.Conv2d(4, 4, 3, stride=2, padding=1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = self.relu(self.conv(x))
            x = self.relu(self.down(x))
            return x.mean((2, 3))

    assert find(Shared(), 16) == {"conv": 3, "down": 4}


def test_pooled_maps_are_no_stage() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.MaxPool2d(2), nn.AdaptiveAvgPool2d(3), nn.Flatten())
    assert find(network, 16) == {"0": 4}


def test_network_without_maps_is_refused() -> None:
    flat = nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 4))
    with pytest.raises(ValueError, match="no module of Sequential answers a map"):
        find(flat, 32)


def test_deepest_stage_is_always_the_fourth() -> None:
    assert set(
        examine(nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()), Reading(), InputForm()).stages
    ) == {Stage.FOUR}
