"""Options of an evaluation."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.analysis.options import GeometryOptions
from app.errors import InvalidOption
from app.explain.methods import Method
from models.names import Stage

BLUR_SHARE = 0.1
"""The blur's standard deviation as a share of the input's shorter side: 16 pixels at 160."""


class Fill(StrEnum):
    """The filling of a removed position."""

    BLURRED = "blurred"
    """The picture itself, blurred: its colours without its details."""
    MEAN = "mean"
    """The mean colour of the lineup's preprocessing."""

    @classmethod
    def parse(cls, text: str) -> "Fill":
        """Find the filling of that name; raises `InvalidOption`."""
        if text not in list(cls):
            raise InvalidOption(f"fill is {text!r}; choose one of {', '.join(cls)}", option="fill", allowed=tuple(cls))
        return cls(text)


@dataclass(frozen=True, slots=True)
class FocusOptions:
    """The places of the objects, and how the maps are compared with them.

    Attributes:
        masks: directory with CLASS/NAME.png for CLASS/NAME.jpg, not black where the object is.
        boxes: CSV with a header and the columns file, synset, xmin, ymin, xmax, ymax, in the upright picture's pixels.
        class_map: each class's name in the data, and its index or name in the lineup, one class per line; see
            `app.evaluation.measures.pictures.find_classes`.
        methods: the methods that make the maps.
        stage: the stage whose output the maps explain.
        tolerance_pixels: how far outside the object a map's peak may lie in the pointing game; often 15, 0 is strict.
        fill: the filling of removed positions.
        has_curves: whether deletion and insertion are measured, by far the slowest part.
    """

    masks: Path | None = None
    boxes: Path | None = None
    class_map: Path | None = None
    methods: tuple[Method, ...] = (Method.GRADCAM,)
    stage: Stage = Stage.FOUR
    tolerance_pixels: float = 0
    fill: Fill = Fill.BLURRED
    has_curves: bool = True

    def __post_init__(self) -> None:
        if (self.masks is None) == (self.boxes is None):
            given = "neither is" if self.masks is None else "both are"
            raise InvalidOption(
                f"--focus needs the objects' places, either --masks DIR or --boxes CSV; {given} given",
                option="focus",
            )


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """The pictures of an evaluation, and what is measured.

    Attributes:
        data: directory with one folder per class; with boxes, the directory of the files that they name.
        listing: file that names the pictures, one CLASS/FILE a line; every picture by default.
        geometry: how a picture becomes the input; the lineup's own by default.
        batch_size: pictures per forward pass.
        focus: the options on objects and maps; None to measure accuracy and calibration alone.
    """

    data: Path
    listing: Path | None
    geometry: GeometryOptions
    batch_size: int
    focus: FocusOptions | None = None
