"""Concepts as images."""

from PIL import Image

from app.analysis.concepts import Concepts
from app.output.drawing import find_mark
from app.render.concepts import draw_concepts
from app.render.png import encode_png
from app.render.writing import write_mark
from models.names import NetworkName


def draw_network_concepts(concepts: Concepts, name: NetworkName, *, opacity: float, max_side: int) -> Image.Image:
    """Draw one network's concepts over the picture, with at most `max_side` pixels per side."""
    analysis = concepts.analysis
    places = [concept.place.values for concept in concepts.networks[name]]
    drawn = draw_concepts(analysis.picture(max_side=max_side), places, analysis.placement, opacity=opacity)
    mark = find_mark(analysis)
    if mark is not None:
        write_mark(drawn, mark)
    return drawn


def encode_concepts(concepts: Concepts, name: NetworkName, *, opacity: float, max_side: int) -> bytes:
    """The same as PNG."""
    return encode_png(draw_network_concepts(concepts, name, opacity=opacity, max_side=max_side))
