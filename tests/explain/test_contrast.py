"""Finer-CAM: known answers, and a comparison with the grad-cam package's own class."""

import numpy as np
import pytest
import pytorch_grad_cam
import torch
from pytorch_grad_cam.utils.model_targets import FinerWeightedTarget

from app.explain.cam import compute_heat_map, score_gradient
from app.explain.contrast import CONTRASTED_CLASSES, contrast_scores, find_similar_classes
from app.explain.maps import FloatArray
from app.explain.methods import Method
from models.names import Stage
from models.networks.resnet import ResNet, ResNetShape
from models.networks.staged import StagedNetwork

CLASSES = 6


@pytest.fixture(scope="module")
def network() -> ResNet:
    torch.manual_seed(5)
    return ResNet(ResNetShape(18), class_count=CLASSES).eval().requires_grad_(False)


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(6))


def explain(network: StagedNetwork, picture: torch.Tensor, class_index: int, against: tuple[int, ...]) -> FloatArray:
    with torch.no_grad():
        features = network.trace(picture).features[Stage.THREE]
    gradient = score_gradient(
        network,
        features,
        stage=Stage.THREE,
        class_indices=torch.tensor([class_index]),
        against=torch.tensor([against]),
    )
    return compute_heat_map(Method.FINERCAM, activation=features[0].numpy(), gradient=gradient[0].numpy()).values


def explain_by_the_package(network: ResNet, picture: torch.Tensor, **question: object) -> FloatArray:
    """The package's map before it scales each map by its own extremes."""
    explainer = pytorch_grad_cam.FinerCAM(network, [network.stage(Stage.THREE)[-1]])
    maps: list[FloatArray] = []
    original = explainer.base_cam.get_cam_image

    def record(*args: object) -> FloatArray:
        maps.append(original(*args))
        return maps[-1]

    explainer.base_cam.get_cam_image = record
    explainer(picture.clone().requires_grad_(), **question)
    positive: FloatArray = np.maximum(maps[0][0], 0)
    return positive


def test_map_of_the_top_guess_equals_the_package_s_default(network: ResNet, picture: torch.Tensor) -> None:
    logits = network(picture)[0].numpy()
    top = int(logits.argmax())
    against = find_similar_classes({"only": logits}, top)
    assert len(against) == CONTRASTED_CLASSES
    ours = explain(network, picture, top, against)
    theirs = explain_by_the_package(network, picture)
    assert ours.max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6 * theirs.max())


@pytest.mark.parametrize("against", [(4,), (3, 4)])
def test_map_against_chosen_classes_equals_the_package(
    network: ResNet, picture: torch.Tensor, against: tuple[int, ...]
) -> None:
    ours = explain(network, picture, 2, against)
    theirs = explain_by_the_package(network, picture, targets=[FinerWeightedTarget(2, list(against), 1.0)])
    assert ours.max() > 0
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-6 * theirs.max())


def test_contrast_is_the_class_s_logit_minus_the_others_weighted_by_their_probability() -> None:
    logits = torch.tensor([[5.0, 1.0, 1.0 + float(np.log(3))]])
    score = contrast_scores(logits, torch.tensor([0]), torch.tensor([[1, 2]]))
    # The second class is three times as likely as the first: 5 - 1/4 * 1 - 3/4 * (1 + log 3).
    assert score.item() == pytest.approx(4 - 0.75 * float(np.log(3)))


def test_contrast_with_a_class_of_no_probability_does_not_vanish() -> None:
    """The package's 1e-9 would blank this map."""
    logits = torch.tensor([[90.0, -90.0]])
    assert contrast_scores(logits, torch.tensor([0]), torch.tensor([[1]])).item() == pytest.approx(180.0)


def test_similar_classes_are_the_nearest_by_all_networks_together() -> None:
    logits = {
        "one": np.array([9.0, 8.0, 0.0, 7.0, 1.0], dtype=np.float32),
        "two": np.array([9.0, 2.0, 8.0, 7.0, 1.0], dtype=np.float32),
    }
    assert find_similar_classes(logits, 0) == (3, 1, 2)
    # For a class that is not ranked first, a likelier one may be the nearest.
    assert find_similar_classes(logits, 1) == (2, 3, 0)


def test_only_class_has_no_similar_ones() -> None:
    assert find_similar_classes({"only": np.zeros(1, dtype=np.float32)}, 0) == ()
