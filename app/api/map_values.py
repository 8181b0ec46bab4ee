"""Heat maps as numbers, which the browser draws in any colours without another request."""

import base64
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from app.analysis.comparison import Comparison
from app.api.schemas import ApiModel
from app.explain.maps import HeatMap
from app.explain.methods import Method
from models.names import NetworkName

STEPS = 65_535
"""The number of steps from 0 to a map's maximum; a value is a whole number of them, in two bytes."""

UNITS = dict.fromkeys(Method, "logit") | {Method.EIGENCAM: "activation", Method.SCORECAM: "activation"}
"""The unit of a map's values: a gradient of the logit times an activation, or an activation alone."""


class MapValues(ApiModel):
    """One network's heat map."""

    height: int = Field(description="The number of rows of the stage's map.")
    width: int
    min: float
    max: float
    steps: str = Field(description="Row by row, 65535 for the maximum: unsigned 16-bit, little-endian, base64.")


class MapRowValues(ApiModel):
    """Every network's heat map for one class."""

    class_index: int
    class_name: str
    networks: dict[str, MapValues] = Field(
        description="By network; for one with changed gates, the map with learned gates follows under `NAME.learned`."
    )


class MapsAnswer(ApiModel):
    """The numbers that a browser needs to draw the maps over the picture."""

    picture_width: int
    picture_height: int
    box: tuple[float, float, float, float] = Field(description="Left, upper, right, lower in the picture's pixels.")
    units: str
    titles: dict[str, str] = Field(description="The maps' names for people, in their order.")
    rows: tuple[MapRowValues, ...]


def build_maps_answer(comparisons: Sequence[Comparison]) -> MapsAnswer:
    """Build the heat maps of one picture for one or more classes.

    Args:
        comparisons: comparisons of one analysis, with one method and stage.
    """
    first = comparisons[0]
    placement = first.analysis.placement
    return MapsAnswer(
        picture_width=placement.picture_width,
        picture_height=placement.picture_height,
        box=placement.box,
        units=UNITS[first.method],
        titles={
            name_map(name, as_learned=old): title_map(first, name, as_learned=old) for name, old in list_maps(first)
        },
        rows=tuple(_build_row_values(comparison) for comparison in comparisons),
    )


def _build_row_values(comparison: Comparison) -> MapRowValues:
    label = comparison.target.label
    return MapRowValues(
        class_index=label.index,
        class_name=label.name,
        networks={
            name_map(name, as_learned=old): pack_values(comparison.find_map(name, as_learned=old))
            for name, old in list_maps(comparison)
        },
    )


def list_maps(comparison: Comparison) -> list[tuple[NetworkName, bool]]:
    """Every map to draw, in the lineup's order: a network, and whether it is its map before its gates were changed."""
    return [
        (name, as_learned)
        for name in comparison.names
        for as_learned in ((False, True) if comparison.is_altered(name) else (False,))
    ]


def name_map(name: NetworkName, *, as_learned: bool) -> str:
    """A map's name on the page; no network's own name has a point in it."""
    return f"{name}.learned" if as_learned else name


def title_map(comparison: Comparison, name: NetworkName, *, as_learned: bool) -> str:
    """A map's name for people."""
    title = comparison.analysis.card.title_network(name)
    return f"{title} as learned" if as_learned else title


def pack_values(heat_map: HeatMap) -> MapValues:
    """Pack a heat map's values as steps of its maximum; a map without evidence is all zero."""
    height, width = heat_map.shape
    steps = np.rint(heat_map.values.astype(np.float64) * (STEPS / (heat_map.maximum or 1)))
    return MapValues(
        height=height,
        width=width,
        min=heat_map.minimum,
        max=heat_map.maximum,
        steps=base64.b64encode(steps.astype("<u2").tobytes()).decode("ascii"),
    )
