"""Class activation maps: known answers, and a comparison with the grad-cam package used in its own way."""

import copy

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from app.explain import cam
from app.explain.cam import WEIGHTINGS, compute_heat_map, score_gradient
from app.explain.maps import FloatArray
from app.explain.methods import Method
from models.lineups.lineup import Lineup
from models.names import Geometry, NetworkName, Resolution, Stage
from models.networks.resnet import ResNet, ResNetShape
from models.networks.staged import StagedNetwork
from models.pictures.decoding import decode_picture
from models.pictures.placement import place
from models.pictures.preparation import prepare_input

PACKAGE = {
    Method.GRADCAM: pytorch_grad_cam.GradCAM,
    Method.GRADCAM_PLUS_PLUS: pytorch_grad_cam.GradCAMPlusPlus,
    Method.XGRADCAM: pytorch_grad_cam.XGradCAM,
    Method.HIRESCAM: pytorch_grad_cam.HiResCAM,
    Method.LAYERCAM: pytorch_grad_cam.LayerCAM,
    Method.EIGENCAM: pytorch_grad_cam.EigenCAM,
    Method.EIGENGRADCAM: pytorch_grad_cam.EigenGradCAM,
    Method.GRADCAM_ELEMENTWISE: pytorch_grad_cam.GradCAMElementWise,
}
"""The package's class for each method, by its name and not from the program's table."""


@pytest.fixture(scope="module")
def batch(lineup: Lineup, motorcycle: bytes) -> torch.Tensor:
    """A photograph as the lineup's own input, (1, 3, 160, 160)."""
    picture = decode_picture(motorcycle, max_pixels=10_000_000)
    placement = place(*picture.size, geometry=Geometry.CENTER_CROP, resolution=Resolution.PIXELS_160)
    return torch.from_numpy(prepare_input(picture, placement, lineup.card.preprocessing))[None]


def explain(network: StagedNetwork, batch: torch.Tensor, method: Method, stage: Stage, class_index: int) -> FloatArray:
    """Our map."""
    with torch.no_grad():
        features = network.trace(batch, stages={stage}).features[stage]
    gradient = score_gradient(network, features, stage=stage, class_indices=torch.tensor([class_index]))
    return compute_heat_map(method, activation=features[0].numpy(), gradient=gradient[0].numpy()).values


def explain_with_hooks(
    network: StagedNetwork, batch: torch.Tensor, method: Method, stage: Stage, class_index: int
) -> FloatArray:
    """The package's map, from hooks and a whole backward pass, before it scales each map by its own extremes."""
    assert isinstance(network, ResNet)
    blocks = network.stage(stage)
    with PACKAGE[method](model=network, target_layers=[blocks[-1]]) as explainer:
        maps: list[FloatArray] = []
        original = explainer.get_cam_image

        def record(*args: object) -> FloatArray:
            maps.append(original(*args))
            return maps[-1]

        explainer.get_cam_image = record
        explainer(input_tensor=batch.clone().requires_grad_(), targets=[ClassifierOutputTarget(class_index)])
    positive: FloatArray = np.maximum(maps[0][0], 0)
    return positive


@pytest.mark.parametrize("name", ["baseline", "cbam"])
@pytest.mark.parametrize(
    "stage", [pytest.param(stage, marks=() if stage is Stage.FOUR else pytest.mark.slow) for stage in Stage]
)
@pytest.mark.parametrize("method", PACKAGE)
def test_heat_map_equals_the_package_run_its_own_way(
    lineup: Lineup, batch: torch.Tensor, name: NetworkName, stage: Stage, method: Method
) -> None:
    ours = explain(lineup.networks[name], batch, method, stage, class_index=2)
    theirs = explain_with_hooks(lineup.networks[name], batch, method, stage, class_index=2)
    assert ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 1e-5 * max(1.0, float(theirs.max()))


@pytest.mark.parametrize("name", ["baseline", "cbam"])
def test_score_gradient_at_the_last_stage_equals_autograd(
    lineup: Lineup, batch: torch.Tensor, name: NetworkName
) -> None:
    network = lineup.networks[name]
    with torch.no_grad():
        features = network.trace(batch).features[Stage.FOUR]
    leaf = features.clone().requires_grad_()
    expected = torch.autograd.grad(network.resume(leaf, after=Stage.FOUR)[0, 7], leaf)[0]
    closed = score_gradient(network, features, stage=Stage.FOUR, class_indices=torch.tensor([7]))
    assert torch.allclose(closed, expected, rtol=1e-6, atol=1e-9)


def test_score_gradient_serves_a_batch_with_a_class_each(lineup: Lineup, generator: torch.Generator) -> None:
    network = lineup.networks["cbam"]
    with torch.no_grad():
        features = network.trace(torch.randn(3, 3, 64, 64, generator=generator)).features[Stage.TWO]
    classes = torch.tensor([3, 90, 41])
    together = score_gradient(network, features, stage=Stage.TWO, class_indices=classes)
    for position, class_index in enumerate(classes):
        alone = score_gradient(network, features[position, None], stage=Stage.TWO, class_indices=class_index[None])
        assert torch.allclose(together[position], alone[0], rtol=1e-3, atol=1e-7)
        assert alone.abs().max() > 0


def test_score_gradient_leaves_no_gradient_on_the_network(lineup: Lineup, batch: torch.Tensor) -> None:
    # Frozen parameters would get none whatever is done.
    network = copy.deepcopy(lineup.networks["cbam"]).requires_grad_()
    explain(network, batch, Method.GRADCAM, Stage.ONE, class_index=5)
    assert {parameter.grad for parameter in network.parameters()} == {None}


def test_gradcam_of_a_mean_pooling_classifier_is_its_weighted_sum() -> None:
    """Before a mean over H*W positions and a linear layer, alpha is the weight over H*W (Selvaraju et al., 2017)."""
    network = ResNet(ResNetShape(18), class_count=2).eval().requires_grad_(False)
    torch.nn.init.zeros_(network.fc.weight)
    network.fc.weight[1, :2] = torch.tensor([2.0, -1.0])
    features = torch.zeros(1, 512, 2, 2)
    features[0, 0] = torch.tensor([[1.0, 2.0], [3.0, 0.0]])
    features[0, 1] = torch.tensor([[4.0, 0.0], [2.0, 1.0]])
    gradient = score_gradient(network, features, stage=Stage.FOUR, class_indices=torch.tensor([1]))
    heat_map = compute_heat_map(Method.GRADCAM, activation=features[0].numpy(), gradient=gradient[0].numpy())
    # relu(2/4 * A_0 - 1/4 * A_1)
    assert heat_map.values.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_heat_map_without_positive_evidence_is_zero_and_says_so() -> None:
    activation = np.ones((3, 4, 4), dtype=np.float32)
    heat_map = compute_heat_map(Method.GRADCAM, activation=activation, gradient=-activation)
    assert not heat_map.has_evidence
    assert heat_map.values.max() == 0


def test_every_method_has_the_weighting_of_its_name() -> None:
    # Finer-CAM and Score-CAM have tests of their own.
    assert {*PACKAGE, Method.FINERCAM, Method.SCORECAM} == set(Method)
    # Not the same objects: ours are imported apart, without the package's libraries.
    named = PACKAGE | {Method.FINERCAM: pytorch_grad_cam.GradCAM}
    assert {method: kind.__name__ for method, kind in WEIGHTINGS.items()} == {
        method: kind.__name__ for method, kind in named.items()
    }


@pytest.mark.parametrize("method", [Method.EIGENCAM, Method.EIGENGRADCAM])
def test_eigen_methods_agree_on_both_sides_of_the_bound(
    lineup: Lineup, batch: torch.Tensor, method: Method, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = lineup.networks["baseline"]
    # Stage 1 has 40 x 40 positions, which is beyond the bound.
    monkeypatch.setattr(cam, "LARGEST_FULL_DECOMPOSITION", 40 * 40)
    by_package = explain(network, batch, method, Stage.ONE, class_index=2)
    monkeypatch.setattr(cam, "LARGEST_FULL_DECOMPOSITION", 0)
    by_thin_decomposition = explain(network, batch, method, Stage.ONE, class_index=2)
    assert np.abs(by_package - by_thin_decomposition).max() <= 1e-4 * max(1.0, float(by_package.max()))


@pytest.mark.parametrize("method", Method)
def test_compute_heat_map_is_the_same_in_every_run(method: Method) -> None:
    rng = np.random.default_rng(3)
    activation, gradient = rng.standard_normal((2, 16, 5, 7)).astype(np.float32)
    first, second = (compute_heat_map(method, activation=activation, gradient=gradient) for _ in range(2))
    assert np.array_equal(first.values, second.values)
    assert first.values.shape == (5, 7)
