"""Score-CAM: known answers, and a comparison with the grad-cam package's own class."""

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from app.explain.cam import compute_heat_map
from app.explain.maps import FloatArray
from app.explain.methods import METHOD_HELP, Method
from app.explain.scored import PASS_PIXELS, count_together, score_channels, weigh_channels
from models.lineups.card import SHIPPED_LINEUP
from models.lineups.lineup import load_lineup
from models.names import Stage
from models.networks.resnet import ResNet, ResNetShape
from models.networks.staged import StagedNetwork
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def network() -> ResNet:
    torch.manual_seed(7)
    return ResNet(ResNetShape(18), class_count=5).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.randn(1, 3, 48, 64, generator=torch.Generator().manual_seed(8))


def explain(network: StagedNetwork, picture: torch.Tensor, class_index: int, together: int) -> FloatArray:
    with torch.no_grad():
        features = network.trace(picture).features[Stage.ONE][0]
    parts = [
        score_channels(network, picture, part, class_index=class_index) for part in torch.split(features, together)
    ]
    weights = weigh_channels(torch.cat(parts).numpy())
    return compute_heat_map(Method.SCORECAM, activation=features.numpy(), gradient=weights).values


@pytest.mark.filterwarnings("ignore:.*UpsamplingBilinear2d")
@pytest.mark.parametrize("together", [1, 7, 64])
def test_map_equals_the_package_s(network: ResNet, picture: torch.Tensor, together: int) -> None:
    """Whatever number of masked pictures shares a pass."""
    explainer = pytorch_grad_cam.ScoreCAM(network, [network.stage(Stage.ONE)[-1]])
    maps: list[FloatArray] = []
    original = explainer.get_cam_image

    def record(*args: object) -> FloatArray:
        maps.append(original(*args))
        return maps[-1]

    explainer.get_cam_image = record
    explainer(picture, [ClassifierOutputTarget(3)])
    theirs = np.maximum(maps[0][0], 0)
    ours = explain(network, picture, 3, together)
    assert ours.max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5 * theirs.max())


def test_weights_are_the_softmax_of_the_scores() -> None:
    weights = weigh_channels(np.log(np.array([1, 2, 5], dtype=np.float32)))
    np.testing.assert_allclose(weights, np.array([1 / 8, 2 / 8, 5 / 8])[:, None, None], rtol=1e-6)


class SumOfRed(StagedNetwork):
    """A network whose only score is the sum of the picture's first channel."""

    def __init__(self) -> None:
        super().__init__()
        self.nothing = torch.nn.Parameter(torch.zeros(1))

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        return batch

    def run_stage(self, stage: Stage, features: torch.Tensor, gates: object) -> torch.Tensor:
        return features

    def classify(self, features: torch.Tensor) -> torch.Tensor:
        return features[:, 0].sum(dim=(1, 2))[:, None]


def test_channel_scores_what_shows_through_its_mask() -> None:
    picture = torch.zeros(1, 3, 2, 2)
    picture[0, 0] = torch.tensor([[1.0, 2.0], [4.0, 8.0]])
    activations = torch.tensor([[[0.0, 5.0], [0.0, 0.0]], [[-1.0, -1.0], [1.0, 1.0]]])
    scores = score_channels(SumOfRed(), picture, activations, class_index=0)
    np.testing.assert_allclose(scores.numpy(), [2, 12], rtol=1e-6)


def test_silent_channel_shows_nothing() -> None:
    picture = torch.ones(1, 3, 4, 4)
    assert score_channels(SumOfRed(), picture, torch.zeros(1, 2, 2), class_index=0).tolist() == [0.0]


@pytest.mark.parametrize(("size", "count"), [((224, 224), 8), ((32, 32), 392), ((448, 896), 1), ((9000, 9000), 1)])
def test_pictures_of_a_pass_are_bounded_by_their_pixels(size: tuple[int, int], count: int) -> None:
    assert count_together(*size) == count
    assert count == 1 or count * size[0] * size[1] <= PASS_PIXELS


def test_cost_in_the_help_and_the_documentation_is_the_shipped_lineup_s() -> None:
    batch = torch.zeros(1, 3, 64, 64)
    counts = dict.fromkeys(Stage, 0)
    for network in load_lineup(SHIPPED_LINEUP).networks.values():
        with torch.no_grad():
            for stage, features in network.trace(batch).features.items():
                counts[stage] += features.shape[1]
    first, second, third, fourth = (f"{count:,}" for count in counts.values())
    told = f"at stage 1, {second} at stage 2, {third} at stage 3 and {fourth} at stage 4"
    assert f"{first} passes {told}" in METHOD_HELP
    assert f"{first} {told}" in " ".join((ROOT / "docs/page.md").read_text().split())
