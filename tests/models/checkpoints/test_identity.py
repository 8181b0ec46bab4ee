from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from models.attention.design import AttentionDesign
from models.checkpoints.architectures import build_shapes
from models.checkpoints.diagnosis import DEFAULT_OPTIONS, CheckpointError, ExaminationOptions
from models.checkpoints.examination import examine
from models.checkpoints.identity import NetworkIdentity, identify
from models.checkpoints.metadata import OwnMetadata
from models.names import Attention, StridePlacement
from models.networks.zoo import ARCHITECTURES, build_network
from tests.models.checkpoints.conftest import Tensors

pytestmark = pytest.mark.slow

LOOKALIKES = {
    Attention.CBAM: {Attention.CBAM, Attention.CBAM_SPATIAL_FIRST, Attention.CBAM_PARALLEL},
    Attention.NONE: {Attention.NONE, Attention.SIMAM, Attention.SIMAM_LAST_STAGE, Attention.SIMAM_LAST_TWO_STAGES},
    Attention.CHANNEL_BOTH: {Attention.SE, Attention.CHANNEL_MAX, Attention.CHANNEL_BOTH},
}
"""Attentions that look alike, by the one that is assumed."""

Shapes = dict[str, torch.Size]


def shape(architecture: str, attention: Attention = Attention.NONE, *, class_count: int = 5) -> Shapes:
    return dict(build_shapes(architecture, attention, class_count))


def find(
    shapes: Shapes, options: ExaminationOptions = DEFAULT_OPTIONS, *, stated: OwnMetadata | None = None
) -> NetworkIdentity:
    return identify(shapes, origins={}, stated=stated, options=options)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("attention", [Attention.NONE, Attention.CBAM])
def test_identify_finds_every_architecture(architecture: str, attention: Attention) -> None:
    identity = find(shape(architecture, attention))
    assert (identity.architecture, identity.attention, identity.class_count) == (architecture, attention, 5)
    assert identity.stride_placement is StridePlacement.V1_5


@pytest.mark.parametrize("attention", Attention)
def test_identify_finds_every_attention_or_the_one_that_looks_like_it(attention: Attention) -> None:
    shapes = shape("resnet18", attention)
    assumed = next((first for first, group in LOOKALIKES.items() if attention in group), attention)
    identity = find(shapes)
    assert identity.attention is assumed
    assert bool(identity.warnings) == (assumed is Attention.CHANNEL_BOTH)
    told = find(shapes, ExaminationOptions(attention=attention))
    assert told.attention is attention
    assert not told.warnings


def test_build_shapes_is_what_the_network_has() -> None:
    network = build_network("resnet18", attention=Attention.CBAM_CONV1X1_K3, class_count=3)
    assert shape("resnet18", Attention.CBAM_CONV1X1_K3, class_count=3) == {
        name: tensor.shape for name, tensor in network.state_dict().items()
    }


def own(**changes: Any) -> OwnMetadata:
    stated = {"architecture": "resnet50", "attention": Attention.CBAM, "class_count": 5} | changes
    return OwnMetadata(**stated)


@pytest.mark.parametrize(
    ("stated", "options", "sentence"),
    [
        (
            None,
            ExaminationOptions(class_count=7),
            "classes: 5 in the file, 7 expected; choose another file or expect 5",
        ),
        (None, ExaminationOptions(architecture="resnet18"), "architecture: resnet50 in the file, resnet18 expected"),
        (
            None,
            ExaminationOptions(architecture="resnet19"),
            "'resnet19' was asked for; choose one of resnet18, resnet34",
        ),
        (
            None,
            ExaminationOptions(attention=Attention.SE),
            "the option says attention se, but its tensors are those of cbam",
        ),
        (own(class_count=7), DEFAULT_OPTIONS, "its metadata says classes 7, its tensors say 5"),
        (own(architecture="resnet18"), DEFAULT_OPTIONS, "its metadata says architecture resnet18, its tensors say"),
        (own(attention=Attention.SE), DEFAULT_OPTIONS, "its metadata says attention se, but its tensors are those of"),
    ],
)
def test_identify_refuses_what_the_tensors_contradict(
    stated: OwnMetadata | None, options: ExaminationOptions, sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        find(shape("resnet50", Attention.CBAM), options, stated=stated)


def test_identify_takes_the_files_word_before_the_options_and_says_so() -> None:
    stated = own(attention=Attention.CBAM_PARALLEL, stride_placement=StridePlacement.V1)
    options = ExaminationOptions(attention=Attention.CBAM, stride_placement=StridePlacement.V1_5)
    identity = find(shape("resnet50", Attention.CBAM), options, stated=stated)
    assert (identity.attention, identity.stride_placement) == (Attention.CBAM_PARALLEL, StridePlacement.V1)
    assert [warning.split(";")[0] for warning in identity.warnings] == [
        "The file says attention cbam-parallel",
        "The file says stride placement v1",
    ]


def test_identify_takes_the_stride_placement_that_is_asked_for() -> None:
    options = ExaminationOptions(stride_placement=StridePlacement.V1)
    assert find(shape("resnet50"), options).stride_placement is StridePlacement.V1


def remove_two(shapes: Shapes) -> None:
    del shapes["layer1.0.bn1.weight"], shapes["layer1.0.bn1.bias"]


def add_many(shapes: Shapes) -> None:
    shapes.update({f"layer5.{number}.weight": torch.Size((1,)) for number in range(30)})


def shrink_stem(shapes: Shapes) -> None:
    shapes["conv1.weight"] = torch.Size((64, 3, 5, 5))


def remove_head(shapes: Shapes) -> None:
    del shapes["fc.weight"]


def flatten_head(shapes: Shapes) -> None:
    shapes["fc.weight"] = torch.Size((512,))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            remove_two,
            "nearest is resnet34 with attention none differs in 2: "
            r"missing: layer1\.0\.bn1\.weight, layer1\.0\.bn1\.bias$",
        ),
        (add_many, r"differs in 30: surplus: layer5\.0\.weight, .*, layer5\.3\.weight and 26 more$"),
        (
            shrink_stem,
            r"misshaped: conv1\.weight is \(64, 3, 5, 5\), the network needs \(64, 3, 7, 7\)$",
        ),
        (remove_head, r"no last layer \(fc\.weight or classifier\.6\.weight\)"),
        (flatten_head, "no last layer"),
    ],
)
def test_identify_names_the_nearest_network_and_what_differs(change: Callable[[Shapes], None], sentence: str) -> None:
    shapes = shape("resnet34")
    change(shapes)
    with pytest.raises(CheckpointError, match=sentence):
        find(shapes)


def test_identify_names_the_files_own_names() -> None:
    shapes = shape("resnet18")
    shapes["layer1.0.se.fc1.weight"] = torch.Size((1,))
    with pytest.raises(CheckpointError, match=r"surplus: features\.strange\.weight$"):
        identify(
            shapes,
            origins={"layer1.0.se.fc1.weight": "features.strange.weight"},
            stated=None,
            options=DEFAULT_OPTIONS,
        )


@pytest.mark.parametrize(
    ("kernel", "sentence"),
    [
        ((1, 1, 7, 7), r"kernels are \(1, 1, 7, 7\); CBAM's are \(1, 2, 7, 7\)"),
        ((1, 2, 7, 5), r"kernels are \(1, 2, 7, 5\)"),
        ((1, 2, 5, 5), "see 5 x 5 positions, with a channel gate before them; no known attention has this form"),
    ],
)
def test_identify_refuses_spatial_gates_that_no_network_here_has(kernel: tuple[int, ...], sentence: str) -> None:
    shapes = {
        name: torch.Size(kernel) if name.endswith("SpatialGate.spatial.conv.weight") else size
        for name, size in shape("resnet18", Attention.CBAM).items()
    }
    with pytest.raises(CheckpointError, match=sentence):
        find(shapes)


def test_examine_names_the_file_and_the_difference_in_one_line(weights: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "cut.pth"
    del weights["layer1.0.depthwise.cbam.SpatialGate.spatial.bn.weight"]
    torch.save(weights, path)
    with pytest.raises(CheckpointError) as caught:
        examine(path)
    assert str(caught.value).startswith(f"{path}: no network here has these")
    assert "nearest is mobilenet_0.7 with attention cbam differs in 1: missing: layer1.0.depthwise" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_reduction_of_its_own_is_named_by_its_shapes() -> None:
    network = build_network("resnet18", attention=AttentionDesign(reduction=8), class_count=5)
    shapes = {name: tensor.shape for name, tensor in network.state_dict().items()}
    with pytest.raises(
        CheckpointError, match=r"misshaped: .*ChannelGate\.mlp\.1\.weight is \(8, 64\).*needs \(4, 64\)"
    ):
        find(shapes)
