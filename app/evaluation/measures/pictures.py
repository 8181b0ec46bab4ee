"""The pictures of an evaluation, read on all cores and grouped in batches of one shape."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np

from app.errors import InvalidOption, LensError
from app.explain.maps import FloatArray
from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution
from models.pictures.decoding import decode_picture
from models.pictures.folders import choose_pictures
from models.pictures.placement import Placement, place
from models.pictures.preparation import prepare_input

CHUNK_BATCHES = 4
"""The number of batches that are decoded together; pictures of one shape among them share a forward pass."""


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A file, and its true class by its folder or its box."""

    path: Path
    class_index: int


@dataclass(frozen=True, slots=True, eq=False)
class PictureBatch:
    """Pictures of one shape as the networks' input.

    Attributes:
        values: the networks' input, (N, 3, H, W).
        pictures: the pictures.
        placements: where the input lies on each picture.
    """

    values: FloatArray
    pictures: tuple[LabelledPicture, ...]
    placements: tuple[Placement, ...]

    @property
    def classes(self) -> list[int]:
        """The true class of each picture."""
        return [picture.class_index for picture in self.pictures]


_Input = tuple[FloatArray, LabelledPicture, Placement]


def list_pictures(
    lineup: Lineup, data: Path, listing: Path | None, *, masks: Path | None = None, class_map: Path | None = None
) -> list[LabelledPicture]:
    """List the pictures to measure, each with its true class.

    Args:
        lineup: the lineup that knows the classes.
        data: directory with one folder a class.
        listing: file that names the pictures, one CLASS/FILE a line; every picture by default.
        masks: directory of masks, which are not listed as pictures even if it is `data` itself.
        class_map: see `find_classes`.

    Raises:
        InvalidOption: for a folder that is not a class of the lineup, or no pictures at all.
        OSError: when the directory or a list cannot be read.
    """
    if listing is not None:
        paths = [data / name for name in read_listing(listing)]
    else:
        found = choose_pictures(data.glob("*/*"))
        # If pictures and masks share a directory, its PNG files are the masks.
        is_shared = masks is not None and masks.resolve() == data.resolve()
        paths = [path for path in found if not (is_shared and path.suffix.lower() == ".png")]
    if not paths:
        raise InvalidOption(f"{listing or data} names no pictures; give a folder of class folders", option="DATA")
    classes = find_classes(lineup, class_map)
    unknown = sorted({path.parent.name for path in paths} - classes.keys())
    if unknown:
        raise InvalidOption(
            f"{len(unknown)} folders are not classes of {lineup.card.name}: {', '.join(unknown[:10])}; "
            "leave them out with --list, or choose the lineup that knows them",
            option="DATA",
        )
    return [LabelledPicture(path, classes[path.parent.name]) for path in paths]


def read_listing(listing: Path) -> list[str]:
    """Read the names in a list, one per line; empty lines are skipped."""
    return [line.strip() for line in listing.read_text().splitlines() if line.strip()]


def find_classes(lineup: Lineup, class_map: Path | None = None) -> dict[str, int]:
    """The class index of each name that data may use: identifiers, names, the card's aliases and a map's identifiers.

    Args:
        lineup: the lineup that knows the classes.
        class_map: text file with one class a line: its name in the data, a space, and the lineup's index or name
            for it, as in `n02129604 292`.

    Raises:
        InvalidOption: for a line that names no class of the lineup.
    """
    classes = {label.name: label.index for label in lineup.labels} | {label.id: label.index for label in lineup.labels}
    classes |= {alias: classes[name] for alias, name in lineup.card.folder_aliases.items()}
    if class_map is None:
        return classes
    mapped = {}
    for line in read_listing(class_map):
        identifier, _, name = line.partition(" ")
        name = name.strip()
        is_index = name.isdecimal() and int(name) < len(lineup.labels)
        if name not in classes and not is_index:
            raise InvalidOption(
                f"{class_map} maps {identifier} to {name!r}, which is no class of {lineup.card.name}; give an index "
                f"from 0 to {len(lineup.labels) - 1} or a class's name",
                option="class-map",
            )
        mapped[identifier] = classes[name] if name in classes else int(name)
    return classes | mapped


class PictureReader:
    """Decodes pictures on all cores, ahead of the networks, and groups those of one shape.

    Args:
        lineup: the lineup, for its preprocessing.
        geometry: how a picture becomes the input.
        resolution: the input's shorter side in pixels.
        max_pixels: the largest width times height that may be decoded.
    """

    def __init__(self, lineup: Lineup, geometry: Geometry, resolution: Resolution, max_pixels: int) -> None:
        self.unreadable: list[str] = []
        self._preprocessing = lineup.card.preprocessing
        self._geometry = geometry
        self._resolution = resolution
        self._max_pixels = max_pixels

    def read_batches(self, pictures: Sequence[LabelledPicture], batch_size: int) -> Iterator[PictureBatch]:
        """Yield every readable picture, in batches; the others are listed in `unreadable`."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(pictures), batch_size * CHUNK_BATCHES):
                chunk = pictures[start : start + batch_size * CHUNK_BATCHES]
                inputs = [entry for entry in pool.map(self._read, chunk) if entry is not None]
                yield from _group(inputs, batch_size)

    def _read(self, picture: LabelledPicture) -> _Input | None:
        try:
            image = decode_picture(picture.path.read_bytes(), max_pixels=self._max_pixels)
        except (LensError, OSError) as error:
            self.unreadable.append(f"{picture.path}: {error}")
            return None
        placement = place(
            image.width,
            image.height,
            geometry=self._geometry,
            resolution=self._resolution,
            crop_share=self._preprocessing.crop_share,
        )
        return prepare_input(image, placement, self._preprocessing), picture, placement


def _group(inputs: list[_Input], batch_size: int) -> Iterator[PictureBatch]:
    inputs.sort(key=lambda entry: entry[0].shape)
    for _, same_shape in groupby(inputs, key=lambda entry: entry[0].shape):
        entries = list(same_shape)
        for start in range(0, len(entries), batch_size):
            values, pictures, placements = zip(*entries[start : start + batch_size], strict=True)
            yield PictureBatch(np.stack(values), pictures, placements)
