"""Held-out pictures: how many of each class, the same ones every time, and what cannot be split."""

from pathlib import Path

import pytest

from app.errors import InvalidOption
from app.trial.split import hold_out, list_given
from models.lineups.label_files import name_classes
from models.training.data.classes import ClassList

CLASSES = ("cat", "cow", "dog")


def split(data: Path, share: float, listing: Path) -> Path:
    return hold_out(data, share, listing, folders=CLASSES)


def write_folders(directory: Path, **counts: int) -> Path:
    for folder, count in counts.items():
        (directory / folder).mkdir(parents=True)
        for number in range(count):
            (directory / folder / f"{number:03}.png").touch()
        (directory / folder / "notes.txt").touch()
    return directory


def read(listing: Path) -> list[str]:
    return listing.read_text().splitlines()


def count_by_class(lines: list[str]) -> dict[str, int]:
    return {folder: sum(line.startswith(f"{folder}/") for line in lines) for folder in sorted({*map(first, lines)})}


def first(line: str) -> str:
    return line.split("/", maxsplit=1)[0]


def test_every_class_gives_its_share_and_at_least_one(tmp_path: Path) -> None:
    data = write_folders(tmp_path / "data", cat=20, dog=10, cow=2)
    lines = read(split(data, 0.2, tmp_path / "out" / "list.txt"))
    assert count_by_class(lines) == {"cat": 4, "cow": 1, "dog": 2}
    assert all((data / line).is_file() for line in lines)
    assert not [line for line in lines if line.endswith(".txt")]


def test_every_class_keeps_one_to_train_with(tmp_path: Path) -> None:
    data = write_folders(tmp_path / "data", cat=3, dog=2)
    assert count_by_class(read(split(data, 0.99, tmp_path / "list.txt"))) == {"cat": 2, "dog": 1}


def test_list_depends_on_the_names_alone_and_is_kept(tmp_path: Path) -> None:
    data, other = (write_folders(tmp_path / name, cat=30) for name in ("data", "other"))
    listing = split(data, 0.2, tmp_path / "list.txt")
    lines = read(listing)
    assert lines == read(split(other, 0.2, tmp_path / "again.txt"))
    assert lines != sorted(f"cat/{number:03}.png" for number in range(6))
    assert read(split(data, 0.5, listing)) == lines


@pytest.mark.parametrize("share", [0, 1, -0.1, 1.5])
def test_share_out_of_range_is_refused(tmp_path: Path, share: float) -> None:
    with pytest.raises(InvalidOption, match="choose a share between 0 and 1"):
        split(write_folders(tmp_path / "data", cat=4), share, tmp_path / "list.txt")


@pytest.mark.parametrize("count", [0, 1])
def test_class_with_too_few_pictures_is_named(tmp_path: Path, count: int) -> None:
    data = write_folders(tmp_path / "data", cat=4, dog=count)
    with pytest.raises(InvalidOption, match=rf"dog has {count} pictures; a class needs 2 or more"):
        split(data, 0.2, tmp_path / "list.txt")
    assert not (tmp_path / "list.txt").exists()


def test_folders_of_no_class_are_left_alone(tmp_path: Path) -> None:
    data = write_folders(tmp_path / "data", cat=10, unicorn=1)
    assert count_by_class(read(split(data, 0.2, tmp_path / "list.txt"))) == {"cat": 2}


def test_given_pictures_are_those_of_the_classes_and_of_the_list(tmp_path: Path) -> None:
    classes = ClassList(name_classes(CLASSES), {name: index for index, name in enumerate(CLASSES)}, {})
    data = write_folders(tmp_path / "data", cat=2, dog=1, unicorn=3)
    everything = list_given(data, None, tmp_path / "all.txt", classes=classes)
    assert read(everything) == ["cat/000.png", "cat/001.png", "dog/000.png"]
    (tmp_path / "given.txt").write_text("dog/000.png\nunicorn/000.png\n")
    some = list_given(data, tmp_path / "given.txt", tmp_path / "some.txt", classes=classes)
    assert read(some) == ["dog/000.png"]
