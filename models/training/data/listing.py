"""Which files a training reads: folders of classes, without what is held out. Nothing here imports torch."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from models.lineups.card import read_bytes
from models.training.data.classes import ClassList
from models.training.running.errors import TrainingError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"})


NO_CLASS = -1
"""The class index of a picture of no class of the list."""


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """A picture as it comes, and its class.

    Attributes:
        key: DIRECTORY/FOLDER/FILE, the same wherever the directory lies; what lists and soft labels know it by.
        class_index: its class, or `NO_CLASS`.
        content: its file, or the file's bytes.
    """

    key: str
    class_index: int
    content: Path | bytes = field(repr=False)

    def read(self) -> bytes:
        """The file's bytes; raises OSError."""
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()


class Exclusion:
    """Pictures that are held out; it remembers which of them were met.

    Args:
        entries: each as FOLDER/FILE.
    """

    def __init__(self, entries: Collection[str] = ()) -> None:
        self.entries = frozenset(entries)
        self.met: set[str] = set()

    @classmethod
    def read(cls, paths: Collection[Path]) -> "Exclusion":
        """The entries of lists with one FOLDER/FILE a line; raises `LineupError` and `TrainingError`."""
        entries: set[str] = set()
        for path in paths:
            lines = read_lines(path)
            if wrong := [line for line in lines if line.count("/") != 1]:
                raise TrainingError(f"{path}: {wrong[0]!r} is no FOLDER/FILE; write one a line, relative to --data")
            entries.update(lines)
        return cls(entries)

    def covers(self, key: str) -> bool:
        """Whether the picture of this key is held out."""
        entry = shorten(key)
        if entry not in self.entries:
            return False
        self.met.add(entry)
        return True

    def check(self, classes: ClassList, *, others: Collection[str] = ()) -> None:
        """Refuse a list that does not fit what was read; raises `TrainingError`.

        Args:
            classes: whose folders were read.
            others: folders of no class that were read too.
        """
        folders = classes.folders.keys() | set(others)
        expected = {entry for entry in self.entries if entry.split("/")[0] in folders}
        if missing := sorted(expected - self.met):
            raise TrainingError(
                f"{len(missing):,} of {len(expected):,} pictures to hold out are nowhere in the data, {missing[0]} "
                "first; a list that does not fit holds nothing out: give the one of these directories"
            )


def shorten(key: str) -> str:
    """FOLDER/FILE of a key."""
    return "/".join(key.split("/")[-2:])


def read_lines(path: Path) -> list[str]:
    """The lines of a text file that have text; raises `LineupError` and `TrainingError`."""
    try:
        text = read_bytes(path).decode()
    except UnicodeDecodeError as error:
        raise TrainingError(f"{path} is no text file: {error}; give a list with one CLASS/FILE a line") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def list_folders(directories: Sequence[Path]) -> list[str]:
    """The names of all folders in some directories, each once; raises `TrainingError`."""
    names: set[str] = set()
    for directory in directories:
        if not directory.is_dir():
            raise TrainingError(f"{directory} is no directory; give one with one folder of pictures a class")
        names |= {path.name for path in directory.iterdir() if path.is_dir() and not path.name.startswith(".")}
    return sorted(names)


def list_pictures(directories: Sequence[Path], classes: ClassList, exclusion: Exclusion) -> list[EncodedPicture]:
    """The pictures of all classes in some directories, without those that are held out.

    Folders of no class are left out; `list_strangers` tells them.

    Raises:
        TrainingError: for two pictures of one key.
    """
    pictures: dict[str, EncodedPicture] = {}
    for directory in directories:
        for folder in sorted(set(list_folders([directory])) & classes.folders.keys()):
            for path in sorted((directory / folder).iterdir()):
                key = f"{directory.resolve().name}/{folder}/{path.name}"
                if path.suffix.lower() not in PICTURE_SUFFIXES or exclusion.covers(key):
                    continue
                if key in pictures:
                    raise TrainingError(f"{key} is in two of the directories; rename one of them")
                pictures[key] = EncodedPicture(key, classes.folders[folder], path)
    return list(pictures.values())


def list_unlabelled(
    directories: Sequence[Path], exclusion: Exclusion, *, known: Sequence[EncodedPicture]
) -> list[EncodedPicture]:
    """The pictures of all folders in some directories, of no class, without those that are held out.

    Raises:
        TrainingError: for two pictures of one key, `known` ones among them.
    """
    keys = {picture.key for picture in known}
    pictures = []
    for directory in directories:
        for folder in list_folders([directory]):
            for path in sorted((directory / folder).iterdir()):
                key = f"{directory.resolve().name}/{folder}/{path.name}"
                if path.suffix.lower() not in PICTURE_SUFFIXES or exclusion.covers(key):
                    continue
                if key in keys:
                    raise TrainingError(f"{key} is in two of the directories; rename one of them")
                keys.add(key)
                pictures.append(EncodedPicture(key, NO_CLASS, path))
    return pictures


def list_strangers(directories: Sequence[Path], classes: ClassList) -> list[str]:
    """The folders that are no class of the list."""
    return sorted(set(list_folders(directories)) - classes.folders.keys())


def list_validation(directory: Path, listing: Path | None, classes: ClassList) -> list[EncodedPicture]:
    """The pictures to validate on.

    Args:
        directory: one folder a class.
        listing: names them, one FOLDER/FILE a line; None for all that are of a class.
        classes: what the folders mean; lines of other folders are left out.

    Raises:
        TrainingError: where there is none.
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
    """Refuse pictures that are trained and validated on; raises `TrainingError`."""
    paths = {picture.content.resolve() for picture in training if isinstance(picture.content, Path)}
    both = [entry.key for entry in validation if isinstance(entry.content, Path) and entry.content.resolve() in paths]
    if both:
        raise TrainingError(
            f"{len(both):,} pictures would be trained and validated on, {both[0]} first; hold them out with --exclude"
        )
