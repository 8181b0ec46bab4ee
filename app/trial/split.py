"""Holding pictures out of a training, to measure its networks on them."""

import hashlib
from collections.abc import Collection, Iterable
from pathlib import Path

from app.errors import InvalidOption
from models.pictures.folders import is_picture_name
from models.training.data.classes import ClassList
from models.training.data.listing import list_validation, shorten
from models.whole_files import draft_beside

FEWEST_PICTURES = 2
"""Of a class: one to train with and one to measure with."""


def hold_out(directory: Path, share: float, listing: Path, *, folders: Collection[str]) -> Path:
    """Write the list of held-out pictures, one CLASS/FILE per line, unless it is there.

    In every class the same share is held out, at least one picture. A hash of a picture's name decides about it, so
    that the list does not depend on the order of the files; it is kept, so that a resumed training has the same one.

    Args:
        directory: the folder with one folder of pictures per class.
        share: the share of each class's pictures, 0..1, without the ends.
        listing: the list's file.
        folders: the names of the folders that are classes; others are not trained with, and not measured.

    Raises:
        InvalidOption: a class has too few pictures, or the share is out of range.
        OSError: the directory cannot be read, or the list cannot be written.
    """
    if listing.exists():
        return listing
    if not 0 < share < 1:
        raise InvalidOption(f"--hold-out is {share:g}; choose a share between 0 and 1, such as 0.2", option="hold-out")
    lines: list[str] = []
    for folder in sorted(path for path in directory.iterdir() if path.is_dir() and path.name in folders):
        names = [f"{folder.name}/{path.name}" for path in folder.iterdir() if is_picture_name(path)]
        if len(names) < FEWEST_PICTURES:
            raise InvalidOption(
                f"{folder} has {len(names)} pictures; a class needs {FEWEST_PICTURES} or more, to train with some and "
                "to measure with the others: add pictures, or move the folder away",
                option="data",
            )
        count = min(max(1, round(share * len(names))), len(names) - 1)
        lines += sorted(sorted(names, key=_hash)[:count])
    return _write(listing, lines)


def list_given(directory: Path, given: Path | None, listing: Path, *, classes: ClassList) -> Path:
    """Write the list of the pictures of a folder that are measured, unless it is there.

    An evaluation refuses folders of no class; a training skips them. With the list, both see the same pictures.

    Args:
        directory: the folder with one folder of pictures per class.
        given: a list of those to use, one CLASS/FILE per line; None for all.
        listing: the file of the list that is written.
        classes: the classes of the training.

    Raises:
        LineupError: the given list cannot be read.
        OSError: the list cannot be written.
        TrainingError: there are no pictures, or some are missing.
    """
    if listing.exists():
        return listing
    return _write(listing, (shorten(picture.key) for picture in list_validation(directory, given, classes)))


def _write(listing: Path, lines: Iterable[str]) -> Path:
    listing.parent.mkdir(parents=True, exist_ok=True)
    with draft_beside(listing) as draft:
        draft.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return listing


def _hash(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()
