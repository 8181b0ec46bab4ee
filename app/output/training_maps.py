"""Heat maps of a few fixed pictures while a network is trained, for TensorBoard."""

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from app.explain.cam import compute_heat_map, score_gradient
from app.explain.maps import HeatMap
from app.explain.methods import Method
from app.render.colour_scale import ColourScale
from app.render.overlay import Drawing, Render, draw_map
from models.names import Stage
from models.networks.staged import StagedNetwork
from models.pictures.placement import Placement
from models.pictures.preparation import Preprocessing, normalise

COLORMAP = "viridis"


def draw_training_map(
    network: StagedNetwork, seen: NDArray[np.uint8], class_index: int, preprocessing: Preprocessing
) -> NDArray[np.uint8]:
    """Draw one picture's Grad-CAM at stage 4 for its true class, on a scale of its own.

    Args:
        network: a network in evaluation mode.
        seen: what the network sees, (H, W, 3).
        class_index: the true class.
        preprocessing: the preprocessing of its input.

    Returns:
        The overlay, (H, W, 3); the picture itself where the map has no positive evidence.
    """
    device = next(network.parameters()).device
    batch = torch.from_numpy(normalise(seen, preprocessing))[None].to(device)  # (1, 3, H, W)
    with torch.no_grad():
        features = network.trace(batch, stages={Stage.FOUR}).features[Stage.FOUR]  # (1, C, h, w)
    classes = torch.tensor([class_index], device=device)
    gradient = score_gradient(network, features, stage=Stage.FOUR, class_indices=classes)
    activation, slope = (values[0].detach().float().cpu().numpy() for values in (features, gradient))
    heat_map = compute_heat_map(Method.GRADCAM, activation=activation, gradient=slope)
    return np.asarray(overlay(Image.fromarray(seen), heat_map))


def overlay(picture: Image.Image, heat_map: HeatMap) -> Image.Image:
    """Draw a map over its picture on its own scale; the picture alone where there is no positive evidence."""
    maximum = float(heat_map.values.max())
    if maximum <= 0:
        return picture
    scale = ColourScale(COLORMAP, 0.0, maximum)
    return draw_map(picture, heat_map.values, _place_all(picture), Drawing(Render.OVERLAY, scale))


def _place_all(picture: Image.Image) -> Placement:
    """All of a picture that is the network's input itself."""
    width, height = picture.size
    return Placement(0, 0, width, height, width, height, width, height)
