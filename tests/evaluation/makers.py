"""Hand-made objects, maps and rows."""

from collections.abc import Mapping

import numpy as np

from app.evaluation.measures.seen import BoolArray, SeenObject
from app.evaluation.results.metrics import Metric
from app.evaluation.results.rows import FocusRow, MapRow
from app.explain.maps import HeatMap
from app.explain.methods import Method
from models.names import Stage
from models.pictures.placement import Placement


def make_mask(height: int, width: int, *, rows: slice, columns: slice) -> BoolArray:
    """A rectangle."""
    mask = np.zeros((height, width), dtype=bool)
    mask[rows, columns] = True
    return mask


def see_whole(mask: BoolArray) -> tuple[SeenObject, Placement]:
    """A picture that the networks saw as a whole."""
    height, width = mask.shape
    placement = Placement(0, 0, width, height, width, height, width, height)
    return SeenObject.cut(mask, placement), placement


def make_map(values: object) -> HeatMap:
    """A heat map of numbers or Booleans."""
    return HeatMap(np.asarray(values, dtype=np.float32))


def make_row(
    file: str,
    *,
    baseline: Mapping[Metric, float | None],
    cbam: Mapping[Metric, float | None],
    right: tuple[bool, bool] = (True, True),
    class_name: str = "ant",
) -> FocusRow:
    """One picture; the object covers a quarter."""
    return FocusRow(
        file=file,
        class_name=class_name,
        method=Method.GRADCAM,
        stage=Stage.FOUR,
        height=5,
        width=5,
        object_share=0.25,
        hidden_share=0.125,
        has_centre=True,
        networks={
            name: MapRow(is_right=is_right, is_silent=values.get(Metric.SHARE_INSIDE) is None, values=values)
            for name, is_right, values in zip(("baseline", "cbam"), right, (baseline, cbam), strict=True)
        },
    )
