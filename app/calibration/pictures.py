"""The pictures of a calibration, and the networks' logits for them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.calibration.options import CalibrationOptions
from app.errors import InvalidOption
from app.evaluation.measures.answers import trace_batch
from app.evaluation.measures.objects import BoxTable
from app.evaluation.measures.pictures import (
    LabelledPicture,
    PictureReader,
    find_classes,
    list_pictures,
    read_listing,
)
from app.explain.maps import FloatArray
from models.lineups.lineup import Lineup
from models.names import NetworkName
from models.pictures.folders import choose_pictures
from models.progress import make_progress

OUTSIDE = -1
"""The class index of a picture of none of the classes."""


@dataclass(frozen=True, slots=True, eq=False)
class Logits:
    """The networks' logits for some pictures, in the order of the pictures' paths.

    Attributes:
        values: each network's logits, (N, K).
        classes: the true class of each picture, (N,); `OUTSIDE` for none.
        unreadable: the pictures that could not be read, with the reasons.
    """

    values: Mapping[NetworkName, FloatArray]
    classes: NDArray[np.int64]
    unreadable: tuple[str, ...]


def list_known(lineup: Lineup, options: CalibrationOptions) -> list[LabelledPicture]:
    """List the pictures of known classes, by their folders or by a table of boxes.

    Raises:
        InvalidOption: for an unknown class, and for no pictures at all.
        OSError: when a directory, a list or a table cannot be read.
    """
    if options.boxes is None:
        return list_pictures(lineup, options.data, options.listing, class_map=options.class_map)
    table = BoxTable.open(options.boxes)
    names = read_listing(options.listing) if options.listing else sorted(table.classes)
    return table.list_pictures(options.data, find_classes(lineup, options.class_map), names)


def list_outside(place: Path) -> list[LabelledPicture]:
    """List the pictures of none of the classes.

    Args:
        place: a directory, with all directories below it; or a text file with one path per line, relative to it.

    Raises:
        InvalidOption: for no pictures at all.
        OSError: when it cannot be read.
    """
    if place.is_dir():
        paths = choose_pictures(place.rglob("*"))
    else:
        paths = [place.parent / name for name in read_listing(place)]
    if not paths:
        raise InvalidOption(
            f"{place} names no pictures; give a folder of pictures of none of the classes", option="outside"
        )
    return [LabelledPicture(path, OUTSIDE) for path in paths]


def compute_logits(lineup: Lineup, pictures: Sequence[LabelledPicture], *, max_pixels: int, batch_size: int) -> Logits:
    """Run every network over pictures in the lineup's own geometry, with a progress bar on standard error.

    Args:
        lineup: the networks.
        pictures: the pictures.
        max_pixels: the largest width times height that may be decoded.
        batch_size: pictures per forward pass.
    """
    preprocessing = lineup.card.preprocessing
    reader = PictureReader(lineup, preprocessing.geometry, preprocessing.resolution, max_pixels)
    parts: dict[NetworkName, list[FloatArray]] = {name: [] for name in lineup.names}
    done: list[LabelledPicture] = []
    with make_progress() as progress:
        task = progress.add_task("calibrating", total=len(pictures))
        for batch in reader.read_batches(pictures, batch_size):
            for name in lineup.names:
                parts[name].append(trace_batch(lineup, name, batch, ()).logits.float().cpu().numpy())
            done += batch.pictures
            progress.update(task, completed=len(done) + len(reader.unreadable))
    # Batches group pictures by shape; the order by path does not depend on the batches' size.
    order = sorted(range(len(done)), key=lambda index: done[index].path)
    return Logits(
        values={name: _join(values, len(lineup.labels))[order] for name, values in parts.items()},
        classes=np.array([done[index].class_index for index in order], dtype=np.int64),
        unreadable=tuple(sorted(reader.unreadable)),
    )


def _join(values: Sequence[FloatArray], class_count: int) -> FloatArray:
    return np.concatenate([np.empty((0, class_count), dtype=np.float32), *values])
