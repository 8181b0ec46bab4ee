"""The files that name classes."""

from pathlib import Path

import pytest

from models.errors import LineupError
from models.lineups.label_files import read_labels

NAMES = ["cat", "dog, wild", "cow"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "cat\ndog, wild\ncow\n"),
        ("labels.txt", "\ufeffcat\r\ndog, wild\r\n\r\ncow"),
        ("labels.txt", "class\ncat\ndog, wild\ncow\n"),
        ("labels.csv", 'index,name\n0,cat\n1,"dog, wild"\n2,cow\n'),
        ("labels.csv", 'cat,0\n"dog, wild",1\ncow,2\n'),
        ("labels.csv", "2;cow\n0;cat\n1;dog, wild\n"),
        ("labels.csv", 'class_id,class_label\n0,cat\n1,"dog, wild"\n2,cow\n'),
        ("labels.txt", "2 cow\n0 cat\n1 dog, wild\n"),
        ("labels.txt", "0: cat\n1: dog, wild\n2: cow\n"),
        ("config.json", '{"label2id": {"cow": 2, "cat": 0, "dog, wild": 1}}'),
        ("labels.tsv", "0\tcat\n1\tdog, wild\n2\tcow\n"),
        ("labels.json", '["cat", "dog, wild", "cow"]'),
        ("labels.json", '{"0": "cat", "2": "cow", "1": "dog, wild"}'),
        ("labels.json", '{"cow": 2, "cat": 0, "dog, wild": 1}'),
        ("labels.json", '{"0": ["n1", "cat"], "1": ["n2", "dog, wild"], "2": ["n3", "cow"]}'),
        ("config.json", '{"model_type": "resnet", "id2label": {"0": "cat", "1": "dog, wild", "2": "cow"}}'),
        ("labels", '{"id2label": {"0": "cat", "1": "dog, wild", "2": "cow"}}'),
    ],
)
def test_every_form_gives_the_same_classes(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8", newline="")
    assert [(label.index, label.name) for label in read_labels(path)] == list(enumerate(NAMES))


def test_names_with_commas_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("tench, Tinca tinca\ngoldfish, Carassius auratus\n")
    assert [label.name for label in read_labels(path)] == ["tench, Tinca tinca", "goldfish, Carassius auratus"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("labels.txt", "crane\ntench\ncrane\n"),
        ("labels.json", '["crane", "tench", "crane"]'),
        ("imagenet_class_index.json", '{"0": ["n1", "crane"], "1": ["n2", "tench"], "2": ["n3", "crane"]}'),
    ],
)
def test_classes_of_the_same_name_are_told_apart_by_their_index(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    names = ["crane (0)", "tench", "crane (2)"]
    assert [(label.id, label.name) for label in read_labels(path)] == [(name, name) for name in names]


def test_text_above_numbered_names_is_a_heading(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("List of class numbers and names, as used in Keras.\n\n0, tench, Tinca tinca\n1, goldfish\n")
    assert [label.name for label in read_labels(path)] == ["tench, Tinca tinca", "goldfish"]


def test_names_that_are_numbers_stay_names(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("7\n3\n")
    assert [label.name for label in read_labels(path)] == ["7", "3"]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("labels.txt", "", "names no class"),
        (
            "labels.json",
            '[{"index": 0, "id": "a", "name": "cat"}, {"index": 1, "id": "a", "name": "dog"}]',
            "has a more than once; a class is chosen by its identifier",
        ),
        ("labels.csv", "0,cat\n2,dog\n", "no class has the index 1; give each of 0 to 1 once"),
        ("labels.csv", "0,cat\n0,dog\n", "no class has the index 1"),
        ("labels.json", '{"0": "cat", "x": "dog"}', "no class has the index 1"),
        ("labels.json", '{"0": 1.5, "1": "dog"}', "1.5 is no class's name"),
        ("labels.json", '{"0": ', "is not a list of classes"),
        ("labels.json", "[" * 100_000, "is not a list of classes"),
        ("labels.json", "3", "is not a list of classes"),
        ("labels.json", '["cat", "", "dog"]', "the class with the index 1 has no name"),
        ("labels.json", '{"0": "cat", "1": " "}', "the class with the index 1 has no name"),
        ("labels.json", '["cat", "\\ud800"]', "is not a list of classes: .*surrogates not allowed"),
        ("labels.json", '[{"id": 0, "name": "cat"}]', "write a list of names, or names by index"),
        ("labels.csv", '0,"' + "x" * 200_000, "is not a list of classes: field larger"),
    ],
)
def test_errors_name_the_file_and_what_is_wrong(tmp_path: Path, name: str, content: str, sentence: str) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(LineupError, match=sentence) as caught:
        read_labels(path)
    assert str(path) in str(caught.value)
