"""The pictures of the recorded evaluations: a few come with the program, the others lie where somebody has the data."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from app.errors import InvalidOption
from app.pages.evidence.store import DIRECTORY, read_record

SHIPPED_PICTURES = DIRECTORY / "pictures"
"""Pictures whose licence lets us ship them, as DATA/FILE like those of everybody's own folders."""


def find_picture(data: str, file: str, folders: Sequence[Path]) -> Path | None:
    """Find the file of a recorded picture.

    Args:
        data: the name of the data's folder, as recorded.
        file: the picture's path in that folder, as recorded.
        folders: the folders that may have DATA/FILE; the pictures that come with the program are looked for last.

    Returns:
        The file, or None where it is not at hand or is not one of those that differ most in any record: an address
        must not open other files.
    """
    if (data, file) not in list_extremes():
        return None
    paths = (folder / data / file for folder in (*folders, SHIPPED_PICTURES))
    return next((path for path in paths if path.is_file()), None)


def read_picture(address: str, folders: Sequence[Path]) -> bytes:
    """Read a recorded picture by its address, DATA/FILE; raises `InvalidOption` where it is not at hand."""
    data, _, file = address.partition("/")
    path = find_picture(data, file, folders)
    if path is None:
        raise InvalidOption(
            f"evidence is {address!r}; choose a picture that the evidence page of this server shows", option="evidence"
        )
    return path.read_bytes()


@cache
def list_extremes(directory: Path = DIRECTORY) -> frozenset[tuple[str, str]]:
    """The pictures that differ most in any record, each by its data's name and its file."""
    records = [record for path in sorted(directory.glob("*.json")) if (record := read_record(path)) is not None]
    return frozenset(
        (record.data, picture.file)
        for record in records
        if record.focus is not None
        for contrast in record.focus.maps[0].contrasts.values()
        for picture in (*contrast.helped, *contrast.hurt)
    )
