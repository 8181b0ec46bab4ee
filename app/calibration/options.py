"""Options of a calibration."""

from dataclasses import dataclass
from pathlib import Path

from app.errors import InvalidOption


@dataclass(frozen=True, slots=True)
class CalibrationOptions:
    """The pictures of a calibration.

    Attributes:
        data: directory with one folder per class; with boxes, the directory of the files that they name.
        listing: file that names the pictures; every picture by default.
        boxes: CSV that names each picture's class, with the columns file, synset, xmin, ymin, xmax, ymax.
        class_map: see `app.evaluation.measures.pictures.find_classes`.
        outside: pictures of none of the classes: a directory, or a list; None to choose no threshold.
        false_alarms: the share of the known pictures below the threshold, on the half on which it is chosen.
        batch_size: pictures per forward pass.
        is_written: whether the result goes into the weight files and cards.
    """

    data: Path
    listing: Path | None = None
    boxes: Path | None = None
    class_map: Path | None = None
    outside: Path | None = None
    false_alarms: float = 0.1
    batch_size: int = 32
    is_written: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.false_alarms < 1:
            raise InvalidOption(
                f"false-alarms is {self.false_alarms:g}; give a share between 0 and 1, such as 0.1",
                option="false-alarms",
            )
