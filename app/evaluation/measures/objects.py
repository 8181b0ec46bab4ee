"""The places of the objects: masks beside the pictures, or boxes in a table."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from app.errors import InvalidOption
from app.evaluation.measures.pictures import LabelledPicture
from app.evaluation.measures.seen import BoolArray
from models.pictures.decoding import decode_reduced
from models.pictures.errors import PictureError

BOX_COLUMNS = ("file", "synset", "xmin", "ymin", "xmax", "ymax")

Box = tuple[float, float, float, float]


class ObjectSource(Protocol):
    """A source of the objects' places."""

    @property
    def kind(self) -> str:
        """Its name in a report."""

    def read(self, picture: LabelledPicture, width: int, height: int) -> BoolArray:
        """The object's mask, (height, width), for an upright picture of that size."""


@dataclass(frozen=True, slots=True)
class MaskFolder:
    """Masks, DIRECTORY/CLASS/NAME.png for a picture CLASS/NAME.jpg, of the upright picture's size.

    Attributes:
        directory: the folder of the masks' class folders.
        kind: its name in a report.
    """

    directory: Path
    kind: str = "masks"

    def check(self, pictures: Iterable[LabelledPicture]) -> None:
        """Check every mask's header before anything is computed.

        Raises:
            InvalidOption: for a mask that is missing, is not a picture or has not its picture's size.
        """
        paths = [(picture.path, self._find(picture)) for picture in pictures]
        if missing := [mask for _, mask in paths if not mask.is_file()]:
            raise _refuse(
                f"{len(missing)} masks are missing, the first is {missing[0]}; each picture CLASS/NAME.jpg needs "
                "CLASS/NAME.png there; leave the others out with --list"
            )
        for path, mask in paths:
            size, mask_size = _read_size(path), _read_size(mask)
            if mask_size is None:
                raise _refuse(f"{mask} is not a picture; write a PNG of the picture's size, not black on the object")
            if size is not None and size != mask_size:
                raise _refuse(
                    f"{mask} has {mask_size[0]} x {mask_size[1]} pixels and its picture {size[0]} x {size[1]}; make "
                    "the mask as large as the upright picture"
                )

    def read(self, picture: LabelledPicture, width: int, height: int) -> BoolArray:
        """See `ObjectSource.read`; raises `InvalidOption` for a mask that is damaged."""
        path = self._find(picture)
        try:
            with Image.open(path) as mask:
                values = np.asarray(mask.convert("L")) > 0
        except (OSError, SyntaxError, ValueError) as error:
            raise _refuse(f"{path} is damaged ({error}); write it again") from error
        if values.shape != (height, width):
            raise _refuse(f"{path} has {values.shape[1]} x {values.shape[0]} pixels, its picture {width} x {height}")
        return values

    def _find(self, picture: LabelledPicture) -> Path:
        return self.directory / picture.path.parent.name / f"{picture.path.stem}.png"


@dataclass(frozen=True, slots=True, eq=False)
class BoxTable:
    """Boxes from a CSV file; the object is the area that its class's boxes cover together.

    Attributes:
        boxes: left, upper, right, lower in the upright picture's pixels, by the picture's file name.
        classes: each picture's class in the table, that of its first box. Boxes of other classes are ignored.
        kind: its name in a report.
    """

    boxes: Mapping[str, tuple[Box, ...]]
    classes: Mapping[str, str]
    kind: str = "boxes"

    @classmethod
    def open(cls, path: Path) -> "BoxTable":
        """Read the boxes of a file.

        Raises:
            InvalidOption: for a file that is not such a table.
            OSError: for a file that cannot be read.
        """
        boxes: dict[str, tuple[Box, ...]] = {}
        classes: dict[str, str] = {}
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if missing := [column for column in BOX_COLUMNS if column not in (reader.fieldnames or ())]:
                raise _refuse(f"{path} has no column {', '.join(missing)}; its header names {', '.join(BOX_COLUMNS)}")
            for row in reader:
                box = _read_box(row, f"{path}, line {reader.line_num}")
                if classes.setdefault(row["file"], row["synset"]) == row["synset"]:
                    boxes[row["file"]] = (*boxes.get(row["file"], ()), box)
        return cls(boxes, classes)

    def list_pictures(self, data: Path, classes: Mapping[str, int], names: Sequence[str]) -> list[LabelledPicture]:
        """List the pictures of classes that the lineup knows.

        Args:
            data: the directory of the files.
            classes: the class index of each name that the table may use.
            names: the files' names.

        Raises:
            InvalidOption: when no picture is left.
        """
        if missing := [name for name in names if name not in self.classes]:
            raise _refuse(f"{len(missing)} pictures of the list have no box, the first is {missing[0]}; leave them out")
        pictures = [
            LabelledPicture(data / name, classes[self.classes[name]]) for name in names if self.classes[name] in classes
        ]
        if not pictures:
            raise _refuse(
                f"none of the {len(names)} pictures is of a class that the lineup knows; choose the lineup that knows "
                "them, or translate their names with --class-map"
            )
        return pictures

    def read(self, picture: LabelledPicture, width: int, height: int) -> BoolArray:
        """See `ObjectSource.read`: the mask covers the pixels whose centre lies in a box."""
        rows, columns = np.arange(height)[:, None] + 0.5, np.arange(width)[None, :] + 0.5
        inside = np.zeros((height, width), dtype=bool)
        for left, upper, right, lower in self.boxes[picture.path.name]:
            inside |= (columns >= left) & (columns < right) & (rows >= upper) & (rows < lower)
        return inside


def _read_box(row: Mapping[str, str], place: str) -> Box:
    try:
        left, upper, right, lower = (float(row[column]) for column in BOX_COLUMNS[2:])
    except (TypeError, ValueError) as error:
        raise _refuse(f"{place}: a box needs four numbers, {', '.join(BOX_COLUMNS[2:])}") from error
    if not (left < right and upper < lower):
        raise _refuse(f"{place}: the box {left:g}, {upper:g}, {right:g}, {lower:g} is empty; xmin < xmax, ymin < ymax")
    return left, upper, right, lower


def _read_size(path: Path) -> tuple[int, int] | None:
    """Read width and height of an upright picture; None for a file that is not a picture."""
    try:
        picture = decode_reduced(path.read_bytes(), max_pixels=None, shorter_side=1)
    except (PictureError, OSError):
        # The evaluation itself reports pictures that cannot be read.
        return None
    return picture.width, picture.height


def _refuse(message: str) -> InvalidOption:
    return InvalidOption(message, option="objects")
