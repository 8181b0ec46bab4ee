"""Options of an evaluation."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from app.analysis.options import GeometryOptions
from app.errors import InvalidOption
from app.explain.methods import Method
from models.names import Stage


class Fill(StrEnum):
    """The filling of a removed position."""

    BLURRED = "blurred"
    """The picture itself, blurred: its colours without what is on it."""
    MEAN = "mean"
    """The mean colour of the lineup's preprocessing."""

    @classmethod
    def parse(cls, text: str) -> "Fill":
        """The filling of that name; raises `InvalidOption`."""
        if text not in list(cls):
            raise InvalidOption(f"fill is {text!r}; choose one of {', '.join(cls)}", option="fill", allowed=tuple(cls))
        return cls(text)


@dataclass(frozen=True, slots=True)
class FocusOptions:
    """Where the objects are, and how the maps are compared with them.

    Attributes:
        masks: directory with CLASS/NAME.png for CLASS/NAME.jpg, not black where the object is.
        boxes: CSV with a header and the columns file, synset, xmin, ymin, xmax, ymax, in the upright picture's pixels.
        class_map: what the data calls a class, and the lineup's index or name for it, one a line; see
            `app.evaluation.measures.pictures.find_classes`.
        methods: how the maps are made.
        stage: whose output they explain.
        tolerance_pixels: how far outside the object its peak may lie in the pointing game; 15 is usual, 0 is strict.
        fill: what stands where a position was removed.
        has_curves: whether deletion and insertion are measured, the most expensive part by far.
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
                f"--focus needs to know where the objects are, by --masks DIR or by --boxes CSV; {given} given",
                option="focus",
            )


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """The pictures to measure on.

    Attributes:
        data: directory with one folder a class; with boxes, the directory of the files that these name.
        listing: file that names the pictures, one CLASS/FILE a line; every picture by default.
        geometry: how a picture becomes the input; the lineup's own by default.
        batch_size: pictures a forward pass.
        focus: where the objects are; None to measure accuracy and calibration alone.
    """

    data: Path
    listing: Path | None
    geometry: GeometryOptions
    batch_size: int
    focus: FocusOptions | None = None
