import hashlib
import os
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.torch import load_file

from models.checkpoints import writing
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.examination import Checkpoint, examine
from models.checkpoints.writing import write_checkpoint


@pytest.fixture
def checkpoint(saved: Path) -> Checkpoint:
    return examine(saved)


def test_write_checkpoint_says_in_texts_which_network_it_is(checkpoint: Checkpoint, tmp_path: Path) -> None:
    output = tmp_path / "out.safetensors"
    digest = write_checkpoint(checkpoint, output)
    assert digest == hashlib.sha256(output.read_bytes()).hexdigest()
    with safe_open(output, framework="pt") as file:
        assert file.metadata() == {
            "format": "cbam-lens",
            "architecture": "mobilenet_0.7",
            "attention": "cbam",
            "class_count": "5",
            "stride_placement": "v1.5",
            "trained": "true",
            "source": "layout authors, file small.pth",
        }
    assert load_file(output).keys() == checkpoint.tensors.keys()


def test_write_checkpoint_hands_the_recipe_on(checkpoint: Checkpoint, tmp_path: Path) -> None:
    told = Checkpoint(checkpoint.diagnosis.model_copy(update={"recipe": "90 “epochs”"}), checkpoint.tensors)
    write_checkpoint(told, tmp_path / "out.safetensors")
    assert examine(tmp_path / "out.safetensors").diagnosis.recipe == "90 “epochs”"


def test_write_checkpoint_writes_the_same_bytes_every_time(checkpoint: Checkpoint, tmp_path: Path) -> None:
    digests = {write_checkpoint(checkpoint, tmp_path / f"{number}.safetensors") for number in range(4)}
    assert len(digests) == 1


def test_write_checkpoint_replaces_another_file_and_leaves_nothing_beside_it(
    checkpoint: Checkpoint, tmp_path: Path
) -> None:
    output = tmp_path / "out.safetensors"
    output.write_bytes(b"older")
    write_checkpoint(checkpoint, output)
    assert examine(output).diagnosis.architecture == "mobilenet_0.7"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.safetensors", "small.pth"]


def test_write_checkpoint_leaves_the_older_file_when_it_fails(
    checkpoint: Checkpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    output = tmp_path / "out.safetensors"
    output.write_bytes(b"older")
    monkeypatch.setattr(writing, "save_file", fail)
    with pytest.raises(CheckpointError, match="cannot be written: No space left on device; choose another place"):
        write_checkpoint(checkpoint, output)
    assert output.read_bytes() == b"older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.safetensors", "small.pth"]


def test_write_checkpoint_follows_the_umask(checkpoint: Checkpoint, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_checkpoint(checkpoint, tmp_path / "out.safetensors")
    finally:
        os.umask(before)
    assert (tmp_path / "out.safetensors").stat().st_mode & 0o777 == 0o640


def test_write_checkpoint_refuses_another_kind_of_name(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"out\.pth does not end in \.safetensors; choose a name that does"):
        write_checkpoint(checkpoint, tmp_path / "out.pth")


@pytest.mark.parametrize("link", ["same", "symbolic", "hard"])
def test_write_checkpoint_refuses_to_overwrite_its_source(checkpoint: Checkpoint, tmp_path: Path, link: str) -> None:
    source = tmp_path / "source.safetensors"
    write_checkpoint(checkpoint, source)
    own, output = examine(source), tmp_path / "out.safetensors"
    if link == "symbolic":
        output.symlink_to(source)
    elif link == "hard":
        output.hardlink_to(source)
    else:
        output = tmp_path / "." / "source.safetensors"
    with pytest.raises(CheckpointError, match="is the source of the weights; choose another name"):
        write_checkpoint(own, output)


def test_write_checkpoint_refuses_a_directory_that_is_not_there(checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be written: No such file or directory"):
        write_checkpoint(checkpoint, tmp_path / "nowhere" / "out.safetensors")
