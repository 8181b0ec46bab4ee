"""The concepts of a picture: arrays, rows and images."""

from typing import Any

from PIL import Image

from app.analysis.comparison import Prediction
from app.analysis.concepts import Concept, Concepts
from app.explain.maps import FloatArray
from app.output.concepts import draw_network_concepts
from models.names import NetworkName, Stage

IMAGE_SIDE_PIXELS = 1024


class PictureConcepts:
    """The parts of a picture that each network treats alike, found without a class (Collins et al., ECCV 2018).

    Concept 0 of the baseline is its largest one. The other networks' concepts are ordered so that each lies, as far as
    possible, where the baseline's of the same number does; they need not mean the same.

    Args:
        concepts: the concepts.

    Attributes:
        concepts: the same, with the picture and its place.
    """

    def __init__(self, concepts: Concepts) -> None:
        self.concepts = concepts

    @property
    def stage(self) -> Stage:
        """The stage whose features were divided."""
        return self.concepts.stage

    @property
    def places(self) -> dict[NetworkName, tuple[FloatArray, ...]]:
        """How much of each concept is at each position, by network: (H, W) float32, at least 0, read-only."""
        return {name: tuple(concept.place.values for concept in found) for name, found in self._items}

    @property
    def shares(self) -> dict[NetworkName, tuple[float, ...]]:
        """Each concept's part of all of the network's concepts, 0..1, by network."""
        return {name: tuple(concept.share for concept in found) for name, found in self._items}

    @property
    def predictions(self) -> dict[NetworkName, tuple[tuple[Prediction, ...], ...]]:
        """Each concept's three likeliest classes, by network: `.label.name`, `.probability`; empty but at stage 4."""
        return {name: tuple(concept.predictions for concept in found) for name, found in self._items}

    def image(self, network: NetworkName | None = None, *, opacity: float = 0.7) -> Image.Image:
        """Draw each position in the colour of its strongest concept, with the concepts' numbers from 1.

        Args:
            network: by name; None for the last one.
            opacity: of the colours over the picture, 0..1.

        Returns:
            RGB, its longer side at most 1,024 pixels.

        Raises:
            KeyError: for an unknown network.
        """
        name = self.concepts.analysis.card.last if network is None else network
        return draw_network_concepts(self.concepts, name, opacity=opacity, max_side=IMAGE_SIDE_PIXELS)

    def rows(self) -> list[dict[str, Any]]:
        """One row per network and concept, for a table: `pandas.DataFrame(concepts.rows())`."""
        return [
            {
                "network": name,
                "concept": number,
                "share": concept.share,
                "first": concept.predictions[0].label.name if concept.predictions else None,
                "first_probability": concept.predictions[0].probability if concept.predictions else None,
            }
            for name, found in self._items
            for number, concept in enumerate(found, start=1)
        ]

    @property
    def _items(self) -> list[tuple[NetworkName, tuple[Concept, ...]]]:
        return list(self.concepts.networks.items())

    def __repr__(self) -> str:
        count = len(next(iter(self.concepts.networks.values())))
        return f"<{count} concepts at stage {self.stage.value} of {', '.join(self.concepts.networks)}>"
