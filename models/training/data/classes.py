"""The classes of a training, and their folders. Nothing here imports torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.lineups.card import ClassLabel
from models.lineups.label_files import name_classes, read_labels
from models.training.running.errors import TrainingError


@dataclass(frozen=True, slots=True)
class ClassList:
    """The classes in index order.

    Attributes:
        labels: each class.
        folders: class index by folder name; identifiers, names and aliases are folder names.
        aliases: class names by further folder names, as given.
    """

    labels: tuple[ClassLabel, ...]
    folders: Mapping[str, int]
    aliases: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.labels)


def make_class_list(
    path: Path | None, *, folders: Iterable[str], aliases: Mapping[str, str], card_aliases: Mapping[str, str]
) -> ClassList:
    """Make the list of classes of a training.

    Args:
        path: a JSON or text file, see `read_labels`; None to make each folder a class.
        folders: the names of the folders in the data.
        aliases: class names by folders that are called differently.
        card_aliases: the same from a card, which may also name classes that are not in the list.

    Raises:
        LineupError: the list cannot be read.
        TrainingError: an alias names no class, or there are fewer than two classes.
    """
    others = {**card_aliases, **aliases}
    labels = name_classes(sorted(set(folders) - others.keys())) if path is None else read_labels(path)
    if len(labels) < 2:
        raise TrainingError(f"{len(labels)} classes; a training needs two or more folders of pictures")
    known = {label.name: label.index for label in labels} | {label.id: label.index for label in labels}
    if strange := [f"{alias}={name}" for alias, name in aliases.items() if name not in known]:
        raise TrainingError(f"alias {', '.join(strange)} names no class; the classes are {', '.join(list(known)[:10])}")
    used = {alias: name for alias, name in others.items() if name in known}
    return ClassList(labels, known | {alias: known[name] for alias, name in used.items()}, used)


def parse_aliases(texts: Iterable[str]) -> dict[str, str]:
    """Parse aliases, each given as `FOLDER=CLASS`, to class names by folder; raises `TrainingError`."""
    aliases = {}
    for text in texts:
        folder, equals, name = text.partition("=")
        if not (folder and equals and name):
            raise TrainingError(f"alias {text!r}; write FOLDER=CLASS, for example Faces_easy=Faces")
        aliases[folder] = name
    return aliases
