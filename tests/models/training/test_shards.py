"""WebDataset shards are read like folders."""

import io
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch

from models.training.data.classes import ClassList, make_class_list
from models.training.data.listing import Exclusion
from models.training.data.shards import read_shards
from models.training.material import DataOptions, DataReader
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from tests.conftest import encode, make_picture
from tests.models.training.conftest import make_recipe, write_pictures

HAS_LIBRARY = pytest.mark.usefixtures("library")


@pytest.fixture
def library() -> None:
    pytest.importorskip("webdataset", reason="webdataset is optional: uv sync --extra train")


@pytest.fixture
def classes() -> ClassList:
    return make_class_list(None, folders=["blue", "red"], aliases={}, card_aliases={})


def write_shard(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w") as shard:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            shard.addfile(entry, io.BytesIO(content))


@HAS_LIBRARY
def test_shards_give_pictures_with_the_class_of_folder_name_or_index(tmp_path: Path, classes: ClassList) -> None:
    picture = encode(make_picture(40, 30), "JPEG")
    write_shard(tmp_path / "train-0000.tar", {"x/red/a.jpg": picture, "x/red/b.jpg": picture, "x/other/c.jpg": picture})
    write_shard(tmp_path / "train-0001.tar", {"d.png": picture, "d.cls": b"0", "e.jpg": picture, "e.txt": b"red\n"})
    exclusion = Exclusion({"red/b.jpg"})
    found = list(read_shards([str(tmp_path / "train-{0000..0001}.tar")], classes, exclusion))
    assert [(entry.key, entry.class_index) for entry in found] == [("x/red/a.jpg", 1), ("d.png", 0), ("e.jpg", 1)]
    assert found[0].read() == picture
    exclusion.check(classes)


@HAS_LIBRARY
@pytest.mark.parametrize(
    ("files", "reason"),
    [({"a.cls": b"0"}, "has no picture"), ({"a.jpg": b"x"}, "has no class"), (None, "cannot be read")],
)
def test_shard_that_does_not_fit_is_named(
    tmp_path: Path, classes: ClassList, files: dict[str, bytes] | None, reason: str
) -> None:
    path = tmp_path / "train.tar"
    if files is not None:
        write_shard(path, files)
    with pytest.raises(TrainingError, match=rf"train\.tar.*{reason}"):
        list(read_shards([str(path)], classes, Exclusion()))


@HAS_LIBRARY
def test_shards_and_folders_are_one_training(tmp_path: Path) -> None:
    folders = write_pictures(tmp_path / "folders", count=4)
    picture = encode(make_picture(40, 30), "JPEG")
    write_shard(tmp_path / "a.tar", {f"shard/red/{number}.jpg": picture for number in range(5)})
    (tmp_path / "labels.txt").write_text("blue\ngreen\nred\n")
    options = DataOptions(
        directories=(folders,),
        shards=(str(tmp_path / "a.tar"),),
        labels=tmp_path / "labels.txt",
        cache=tmp_path / "cache",
    )
    processes = Processes(torch.device("cpu"))
    first, again = (DataReader(options, make_recipe(), processes=processes, tell=print).read() for _ in range(2))
    store = first.lesson.sampler.store
    assert np.bincount(store.classes).tolist() == [4, 4, 9]
    assert store.keys[-1] == "shard/red/4.jpg"
    assert again.lesson.sampler.store.digest == store.digest


def test_shards_without_the_library_name_the_command(monkeypatch: pytest.MonkeyPatch, classes: ClassList) -> None:
    monkeypatch.setitem(sys.modules, "webdataset", None)
    with pytest.raises(TrainingError, match="uv sync --extra train"):
        list(read_shards(["x.tar"], classes, Exclusion()))
