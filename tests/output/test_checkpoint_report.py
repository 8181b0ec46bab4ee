import io
import json
from pathlib import Path

import pytest
from rich.console import Console
from safetensors.torch import load_file

from app.output.checkpoint_report import (
    convert_file,
    inspect_file,
    summarise_names,
    summarise_renames,
    tabulate_diagnosis,
)
from models.checkpoints.diagnosis import (
    CheckpointError,
    Container,
    Diagnosis,
    ExaminationOptions,
    GateState,
    Layout,
)
from models.names import Attention, StridePlacement
from tests.models.checkpoints.foreign import CLASS_COUNT, make_foreign


@pytest.fixture(scope="module")
def timm_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doctor") / "timm [v1].pth"
    make_foreign("timm", path)
    return path


def render(diagnosis: Diagnosis) -> str:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(tabulate_diagnosis(diagnosis))
    return console.export_text()


def test_convert_file_writes_what_inspect_file_says(timm_file: Path, tmp_path: Path) -> None:
    output = tmp_path / "ours.safetensors"
    found = inspect_file(timm_file)
    converted = convert_file(timm_file, output)
    assert converted.output == output
    assert converted.model_copy(update={"output": None, "output_sha256": None}) == found
    own = inspect_file(output)
    assert (own.layout, own.sha256) == (Layout.OWN, converted.output_sha256)
    assert (own.architecture, own.attention, own.class_count) == ("resnet18", Attention.CBAM, CLASS_COUNT)
    assert not any((own.renamed, own.swapped, own.reshaped, own.added, own.dropped, own.warnings))
    assert len(load_file(output)) == 202


def test_convert_file_refuses_an_output_before_it_reads(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"does not end in \.safetensors"):
        convert_file(tmp_path / "nothing.pth", tmp_path / "out.pth")


def test_convert_file_writes_nothing_for_a_file_that_it_refuses(timm_file: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="classes: 7 in the file, 1000 expected"):
        convert_file(timm_file, tmp_path / "out.safetensors", ExaminationOptions(class_count=1000))
    assert not list(tmp_path.iterdir())


def test_tabulate_diagnosis_says_each_change_once_by_pattern(timm_file: Path) -> None:
    lines = [line.strip() for line in render(inspect_file(timm_file)).splitlines()]
    assert any("timm [v1].pth (torch zip)" in line for line in lines)
    assert "renamed    8 tensors: se.channel.fc1 -> cbam.ChannelGate.mlp.1" in lines
    assert "swapped    8 tensors: layer*.*.cbam.SpatialGate.spatial.conv.weight" in lines
    assert "left out   epoch, arch" in lines
    assert len(lines) < 25


def test_diagnosis_is_json_and_back(timm_file: Path) -> None:
    diagnosis = inspect_file(timm_file)
    text = diagnosis.model_dump_json(indent=2)
    assert json.loads(text)["layout"] == "timm"
    assert Diagnosis.model_validate_json(text) == diagnosis


def test_tabulate_diagnosis_shows_warnings_recipe_and_output() -> None:
    diagnosis = Diagnosis(
        path=Path("a.pth"),
        sha256="0" * 64,
        container=Container.SAFETENSORS,
        layout=Layout.PLAIN,
        architecture="resnet50",
        attention=Attention.NONE,
        class_count=1000,
        stride_placement=StridePlacement.V1,
        is_trained=False,
        gates=GateState.NONE,
        recipe="90 epochs\x1b[2J",
        warnings=("The network is not trained.",),
        output=Path("b.safetensors"),
        output_sha256="f" * 64,
    )
    text = render(diagnosis)
    assert "resnet50, no attention, 1,000 classes, stride v1" in text
    for part in ("network untrained", r"90 epochs\x1b[2J", "The network is not trained.", "b.safetensors, sha256 ffff"):
        assert part in text


def test_summarise_renames_leaves_out_what_both_names_share() -> None:
    renamed = [
        ("layer1.0.ca.fc1.weight", "layer1.0.cbam.ChannelGate.mlp.1.weight"),
        ("layer4.11.ca.fc1.weight", "layer4.11.cbam.ChannelGate.mlp.1.weight"),
        ("features.stage2.unit3.body.conv1.bn.bias", "layer2.2.bn1.bias"),
        ("output.bias", "fc.bias"),
    ]
    assert summarise_renames(renamed) == [
        "2 tensors: ca.fc1 -> cbam.ChannelGate.mlp.1",
        "1 tensor: features.stage*.unit*.body.conv1.bn -> layer*.*.bn1",
        "1 tensor: output -> fc",
    ]


def test_summarise_names_counts_blocks_together() -> None:
    names = ["layer1.0.bn1.num_batches_tracked", "layer3.22.bn1.num_batches_tracked", "bn1.num_batches_tracked"]
    assert summarise_names(names) == [
        "2 tensors: layer*.*.bn1.num_batches_tracked",
        "1 tensor: bn1.num_batches_tracked",
    ]
