"""The pictures among a folder's files, and a sentence about the others."""

import logging
from collections.abc import Iterable
from pathlib import Path

from models.pictures.formats import PICTURE_SUFFIXES

logger = logging.getLogger(__name__)

MOST_NAMED = 5


def is_picture_name(path: Path) -> bool:
    """Whether a file's suffix is that of a format that is read."""
    return path.suffix.lower() in PICTURE_SUFFIXES


def choose_pictures(paths: Iterable[Path]) -> list[Path]:
    """The files among the paths that are pictures by their suffixes, sorted; a warning names the others."""
    files = sorted(path for path in paths if path.is_file())
    if sentence := explain_skipped(files):
        logger.warning("%s", sentence)
    return [path for path in files if is_picture_name(path)]


def explain_skipped(files: Iterable[Path]) -> str:
    """A sentence about the files that are no pictures by their suffixes; empty if there are none.

    Hidden files are left out of it: systems write them unasked.
    """
    others = [path.name for path in files if not is_picture_name(path) and not path.name.startswith(".")]
    if not others:
        return ""
    named = ", ".join(others[:MOST_NAMED]) + (", ..." if len(others) > MOST_NAMED else "")
    noun = "file is skipped: its suffix is" if len(others) == 1 else "files are skipped: their suffixes are"
    return f"{len(others):,} {noun} not of a picture format that is read: {named}"
