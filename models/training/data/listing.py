"""Listing the files of a training: folders of classes, without held-out pictures. Nothing here imports torch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.lineups.card import read_bytes
from models.pictures.folders import explain_skipped, is_picture_name
from models.training.data.classes import ClassList
from models.training.running.errors import TrainingError

NO_CLASS = -1
"""The class index of a picture without a class of the list."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """An encoded picture and its class.

    Attributes:
        key: DIRECTORY/FOLDER/FILE, which does not depend on the directory's place; lists and soft labels use it.
        class_index: its class, or `NO_CLASS`.
        content: the file's path, or its bytes.
    """

    key: str
    class_index: int
    content: Path | bytes = field(repr=False)

    def read(self) -> bytes:
        """Read the file's bytes; raises OSError."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


class Exclusion:
    """Held-out pictures; it records which of them were found.

    Args:
        entries: held-out pictures, each as FOLDER/FILE.
    """

    def __init__(self, entries: Collection[str] = ()) -> None:
        self.entries = frozenset(entries)
        self.met: set[str] = set()

    @classmethod
    def read(cls, paths: Collection[Path]) -> "Exclusion":
        """Read lists with one FOLDER/FILE per line; raises `LineupError` and `TrainingError`."""
        entries: set[str] = set()
        for path in paths:
            lines = read_lines(path)
            if wrong := [line for line in lines if line.count("/") != 1]:
                raise TrainingError(f"{path}: {wrong[0]!r} is not FOLDER/FILE; write one per line, relative to --data")
            entries.update(lines)
        return cls(entries)

    def covers(self, key: str) -> bool:
        """Whether the picture with this key is held out."""
        entry = shorten(key)
        if entry not in self.entries:
            return False
        self.met.add(entry)
        return True

    def check(self, classes: ClassList, *, others: Collection[str] = ()) -> None:
        """Refuse a list that does not fit the data; raises `TrainingError`.

        Args:
            classes: the classes whose folders were read.
            others: other folders that were read.
        """
        folders = classes.folders.keys() | set(others)
        expected = {entry for entry in self.entries if entry.split("/")[0] in folders}
        if missing := sorted(expected - self.met):
            raise TrainingError(
                f"{len(missing):,} of {len(expected):,} held-out pictures are not in the data, {missing[0]} "
                "first; a list that does not fit holds nothing out: give the list of these directories"
            )


def shorten(key: str) -> str:
    """FOLDER/FILE of a key."""
    return "/".join(key.split("/")[-2:])


def read_lines(path: Path) -> list[str]:
    """Read the lines of a text file that are not empty; raises `LineupError` and `TrainingError`."""
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is not a text file: {error}; give a list with one CLASS/FILE per line") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def list_folders(directories: Sequence[Path]) -> list[str]:
    """List the names of all folders in some directories, each once; raises `TrainingError`."""
    names: set[str] = set()
    for directory in directories:
        if not directory.is_dir():
            raise TrainingError(f"{directory} is not a directory; give one with one folder of pictures per class")
        names |= {path.name for path in directory.iterdir() if path.is_dir() and not path.name.startswith(".")}
    return sorted(names)


def list_pictures(directories: Sequence[Path], classes: ClassList, exclusion: Exclusion) -> list[EncodedPicture]:
    """List the pictures of all classes in some directories, without held-out pictures.

    Folders without a class are skipped; `list_strangers` lists them.

    Raises:
        TrainingError: two pictures have the same key.
    """
    pictures: dict[str, EncodedPicture] = {}
    for directory in directories:
        for folder in sorted(set(list_folders([directory])) & classes.folders.keys()):
            for path in sorted((directory / folder).iterdir()):
                key = f"{directory.resolve().name}/{folder}/{path.name}"
                if not is_picture_name(path) or exclusion.covers(key):
                    continue
                if key in pictures:
                    raise TrainingError(f"{key} is in two of the directories; rename one of them")
                pictures[key] = EncodedPicture(key, classes.folders[folder], path)
    return list(pictures.values())


def list_unlabelled(
    directories: Sequence[Path], exclusion: Exclusion, *, known: Sequence[EncodedPicture]
) -> list[EncodedPicture]:
    """List the pictures of all folders in some directories, without a class and without held-out pictures.

    Raises:
        TrainingError: two pictures have the same key, counting those in `known`.
    """
    keys = {picture.key for picture in known}
    pictures = []
    for directory in directories:
        for folder in list_folders([directory]):
            for path in sorted((directory / folder).iterdir()):
                key = f"{directory.resolve().name}/{folder}/{path.name}"
                if not is_picture_name(path) or exclusion.covers(key):
                    continue
                if key in keys:
                    raise TrainingError(f"{key} is in two of the directories; rename one of them")
                keys.add(key)
                pictures.append(EncodedPicture(key, NO_CLASS, path))
    return pictures


def list_strangers(directories: Sequence[Path], classes: ClassList) -> list[str]:
    """List the folders that are not a class of the list."""
    return sorted(set(list_folders(directories)) - classes.folders.keys())


def explain_skipped_files(directories: Sequence[Path], classes: ClassList) -> str:
    """A sentence about the files in the folders of all classes that are no pictures; empty if there are none."""
    folders = (
        directory / folder
        for directory in directories
        for folder in sorted(set(list_folders([directory])) & classes.folders.keys())
    )
    return explain_skipped(path for folder in folders for path in sorted(folder.iterdir()) if path.is_file())


def list_validation(directory: Path, listing: Path | None, classes: ClassList) -> list[EncodedPicture]:
    """List the validation pictures.

    Args:
        directory: a directory with one folder per class.
        listing: a list of them, one FOLDER/FILE per line; None for all pictures with a class.
        classes: the classes of the folders; lines with other folders are skipped.

    Raises:
        TrainingError: there are no pictures, or some are missing.
    """
    pictures = list_pictures([directory], classes, Exclusion())
    if listing is not None:
        wanted = set(read_lines(listing))
        pictures = [picture for picture in pictures if shorten(picture.key) in wanted]
        known = {line for line in wanted if line.split("/")[0] in classes.folders}
        if len(pictures) < len(known):
            raise TrainingError(
                f"{listing}: {len(known) - len(pictures):,} of its {len(known):,} pictures are not in {directory}; "
                "give the directory that the list is relative to"
            )
    if not pictures:
        raise TrainingError(f"{listing or directory} has no picture of the classes to validate on")
    return pictures


def check_apart(training: Sequence[EncodedPicture], validation: Sequence[EncodedPicture]) -> None:
    """Refuse pictures that are used for both training and validation; raises `TrainingError`."""
    paths = {picture.content.resolve() for picture in training if isinstance(picture.content, Path)}
    both = [entry.key for entry in validation if isinstance(entry.content, Path) and entry.content.resolve() in paths]
    if both:
        raise TrainingError(
            f"{len(both):,} pictures are in both the training and the validation data, {both[0]} first; "
            f"use --exclude to hold them out of the training"
        )
