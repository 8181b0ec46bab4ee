"""The maps that TensorBoard shows of a network that is being trained."""

import numpy as np
import torch

from app.explain.cam import WEIGHTINGS
from app.explain.maps import HeatMap
from app.explain.methods import Method
from app.output.training_maps import draw_training_map, overlay
from models.lineups.lineup import Lineup
from models.names import Stage
from models.pictures.preparation import Preprocessing, normalise
from tests.conftest import make_picture

PREPROCESSING = Preprocessing()


def test_map_is_bright_where_grad_cam_is_and_leaves_the_network_as_it_was(lineup: Lineup) -> None:
    network = lineup.networks["cbam"]
    seen = np.asarray(make_picture(160, 128))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    drawn = draw_training_map(network, seen, 3, PREPROCESSING)
    assert drawn.shape == seen.shape
    assert drawn.dtype == np.uint8
    assert (drawn != seen).any()
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all((before[name] == value).all() for name, value in network.state_dict().items())

    batch = torch.from_numpy(normalise(seen, PREPROCESSING))[None]
    features = network.trace(batch, stages={Stage.FOUR}).features[Stage.FOUR].clone().requires_grad_()
    logit = network.resume(features, after=Stage.FOUR)[0, 3]
    gradient = torch.autograd.grad(logit, features)[0]
    cam = WEIGHTINGS[Method.GRADCAM](model=torch.nn.Linear(1, 1), target_layers=[])
    values = np.maximum(cam.get_cam_image(None, None, None, features.detach().numpy(), gradient.numpy(), False)[0], 0)
    # Viridis ends in yellow: red and green are high where the map is.
    warmth = (drawn.astype(float) - seen / 2)[..., :2].sum(axis=2)
    rows, columns = (side // size for side, size in zip(warmth.shape, values.shape, strict=True))
    means = warmth.reshape(values.shape[0], rows, values.shape[1], columns).mean(axis=(1, 3))
    assert np.corrcoef(means.ravel(), values.ravel())[0, 1] > 0.8


def test_picture_itself_is_shown_without_positive_evidence() -> None:
    picture = make_picture(64, 64)
    shown = overlay(picture, HeatMap(np.zeros((2, 2), np.float32)))
    assert (np.asarray(shown) == np.asarray(picture)).all()
