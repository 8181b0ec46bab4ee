"""The classes of a training, and which folder means which of them. Nothing here imports torch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from models.lineups.card import ClassLabel, name_classes, read_labels
from models.training.running.errors import TrainingError


@dataclass(frozen=True, slots=True)
class ClassList:
    """The classes in index order.

    Attributes:
        labels: each class.
        folders: class index by the name of a folder: identifiers, names and aliases.
        aliases: the other names of folders, as they were given.
    """

    labels: tuple[ClassLabel, ...]
    folders: Mapping[str, int]
    aliases: Mapping[str, str]

    def __len__(self) -> int:
        return len(self.labels)


def make_class_list(
    path: Path | None, *, folders: Iterable[str], aliases: Mapping[str, str], card_aliases: Mapping[str, str]
) -> ClassList:
    """The classes of a training.

    Args:
        path: JSON or text, see `read_labels`; None to make one class of each folder.
        folders: names of the folders that there are.
        aliases: class names by folders that mean a class under another name.
        card_aliases: the same of a card, which may speak of classes that are not among these.

    Raises:
        LineupError: for a list that cannot be read.
        TrainingError: for an alias of no class, and where there are no two classes.
    """
    others = {**card_aliases, **aliases}
    labels = name_classes(sorted(set(folders) - others.keys())) if path is None else read_labels(path)
    if len(labels) < 2:
        raise TrainingError(f"{len(labels)} classes; a training needs two or more folders of pictures")
    known = {label.name: label.index for label in labels} | {label.id: label.index for label in labels}
    if strange := [f"{alias}={name}" for alias, name in aliases.items() if name not in known]:
        raise TrainingError(f"alias {', '.join(strange)} means no class; the classes are {', '.join(list(known)[:10])}")
    used = {alias: name for alias, name in others.items() if name in known}
    return ClassList(labels, known | {alias: known[name] for alias, name in used.items()}, used)


def parse_aliases(texts: Iterable[str]) -> dict[str, str]:
    """Class names by folder, each given as `FOLDER=CLASS`; raises `TrainingError`."""
    aliases = {}
    for text in texts:
        folder, equals, name = text.partition("=")
        if not (folder and equals and name):
            raise TrainingError(f"alias {text!r}; write FOLDER=CLASS, for example Faces_easy=Faces")
        aliases[folder] = name
    return aliases
