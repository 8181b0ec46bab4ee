import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from models.checkpoints.architectures import build_shapes
from models.checkpoints.diagnosis import DEFAULT_OPTIONS, Container, ExaminationOptions, GateState, Layout
from models.checkpoints.examination import Checkpoint, examine
from models.checkpoints.hints import NO_HINTS, Hints, read_hints
from models.checkpoints.identity import identify
from models.checkpoints.layouts import KERNEL, RULES, recognise_layout, rename, rename_all
from models.checkpoints.translation import translate
from models.checkpoints.writing import write_checkpoint
from models.names import Attention, StridePlacement
from models.networks.zoo import build_network
from tests.models.checkpoints.foreign import CLASS_COUNT, FOREIGN, fill, make_foreign, save_authors

pytestmark = pytest.mark.slow

TOLERANCE = 1e-5
BLOCK_COUNT = 8


@dataclass(frozen=True)
class Visitor:
    """A foreign network, its logits, and the examination of its file."""

    layout: str
    checkpoint: Checkpoint
    batch: torch.Tensor
    logits: torch.Tensor


@pytest.fixture(scope="module", params=FOREIGN)
def visitor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    path = tmp_path_factory.mktemp("foreign") / f"{request.param}.pth"
    network = make_foreign(request.param, path)
    batch = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        logits = network(batch)
    yield Visitor(request.param, examine(path), batch, logits)
    path.unlink()


def run_ours(checkpoint: Checkpoint, tensors: dict[str, torch.Tensor], batch: torch.Tensor) -> torch.Tensor:
    diagnosis = checkpoint.diagnosis
    network = build_network(
        diagnosis.architecture, attention=diagnosis.attention, class_count=diagnosis.class_count
    ).eval()
    network.load_state_dict(tensors, strict=True)
    with torch.no_grad():
        return network(batch)  # type: ignore[no-any-return]


def test_examine_gives_our_network_the_same_logits_for_every_layout(visitor: Visitor) -> None:
    ours = run_ours(visitor.checkpoint, visitor.checkpoint.tensors, visitor.batch)
    assert 0.1 < visitor.logits.abs().max() < 10
    torch.testing.assert_close(ours, visitor.logits, rtol=0, atol=TOLERANCE)


def test_exchanged_planes_change_the_logits_by_far_more_than_the_tolerance_in_every_layout(visitor: Visitor) -> None:
    exchanged = {
        name: tensor.flip(1) if name.endswith(f"{KERNEL}weight") else tensor
        for name, tensor in visitor.checkpoint.tensors.items()
    }
    ours = run_ours(visitor.checkpoint, exchanged, visitor.batch)
    assert (ours - visitor.logits).abs().max() > 1000 * TOLERANCE


def test_examine_names_layout_network_and_state_of_every_layout(visitor: Visitor) -> None:
    diagnosis = visitor.checkpoint.diagnosis
    assert diagnosis.layout == visitor.layout
    assert (diagnosis.architecture, diagnosis.attention, diagnosis.class_count) == (
        "resnet18",
        Attention.CBAM,
        CLASS_COUNT,
    )
    assert diagnosis.stride_placement is StridePlacement.V1_5
    assert diagnosis.container is (Container.TORCH_LEGACY if visitor.layout == "authors" else Container.TORCH_ZIP)
    assert diagnosis.is_trained
    assert diagnosis.gates is GateState.TRAINED


CHANGES = {
    "authors": (0, 0, 0, 0),
    "pytorchcv": (202, 0, 0, 0),
    "timm": (8 * BLOCK_COUNT, BLOCK_COUNT, 2 * BLOCK_COUNT, 2 * BLOCK_COUNT),
    "luuuyi": (3 * BLOCK_COUNT, BLOCK_COUNT, 2 * BLOCK_COUNT, 7 * BLOCK_COUNT),
    "elbuco1": (6 * BLOCK_COUNT, 0, 0, 4 * BLOCK_COUNT),
}
"""The number of renamed, swapped, reshaped and added tensors."""


def test_examine_counts_what_it_changed_for_every_layout(visitor: Visitor) -> None:
    diagnosis = visitor.checkpoint.diagnosis
    assert CHANGES[visitor.layout] == (
        len(diagnosis.renamed),
        len(diagnosis.swapped),
        len(diagnosis.reshaped),
        len(diagnosis.added),
    )


def test_examine_lists_what_lies_around_the_authors_weights(tmp_path: Path) -> None:
    make_foreign("authors", tmp_path / "model.pth.tar")
    diagnosis = examine(tmp_path / "model.pth.tar").diagnosis
    assert diagnosis.unwrapped == ("state_dict", "module.")
    assert diagnosis.dropped == ("epoch", "arch", "best_prec1", "optimizer")


def test_written_weights_come_back_byte_by_byte(visitor: Visitor, tmp_path: Path) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    write_checkpoint(visitor.checkpoint, first)
    again = examine(first)
    assert again.diagnosis.layout is Layout.OWN
    write_checkpoint(again, second)
    before, after = load_file(first), load_file(second)
    assert before.keys() == after.keys() == visitor.checkpoint.tensors.keys()
    for name, tensor in visitor.checkpoint.tensors.items():
        assert before[name].numpy().tobytes() == after[name].numpy().tobytes() == tensor.numpy().tobytes()
        assert after[name].dtype == tensor.dtype


@pytest.mark.parametrize(
    ("architecture", "maker"),
    [
        ("resnet18", torchvision.models.resnet18),
        ("resnet50", torchvision.models.resnet50),
    ],
)
def test_examine_recognises_torchvisions_networks_as_plain(
    architecture: str, maker: type[nn.Module], tmp_path: Path
) -> None:
    with torch.device("meta"):
        shapes = maker(num_classes=3).state_dict()
    tensors = {name: torch.zeros(()).expand(tensor.shape) for name, tensor in shapes.items()}  # a small file
    torch.save(tensors, tmp_path / "plain.pth")
    diagnosis = examine(tmp_path / "plain.pth").diagnosis
    assert (diagnosis.layout, diagnosis.architecture) == (Layout.PLAIN, architecture)
    assert (diagnosis.attention, diagnosis.class_count) == (Attention.NONE, 3)
    assert diagnosis.gates is GateState.NONE
    assert not diagnosis.renamed


def test_examine_gives_our_network_the_logits_of_torchvisions(tmp_path: Path) -> None:
    network = fill(torchvision.models.resnet50(num_classes=4), torch.Generator().manual_seed(3))
    torch.save({"model": network.state_dict(), "epoch": 1}, tmp_path / "plain.pth")
    batch = torch.randn(1, 3, 96, 128, generator=torch.Generator().manual_seed(4))
    checkpoint = examine(tmp_path / "plain.pth")
    with torch.no_grad():
        torch.testing.assert_close(
            run_ours(checkpoint, checkpoint.tensors, batch), network(batch), rtol=1e-5, atol=TOLERANCE
        )


@pytest.mark.parametrize(
    ("layout", "old", "new"),
    [
        (Layout.PYTORCHCV, "features.init_block.conv.bn.running_var", "bn1.running_var"),
        (Layout.PYTORCHCV, "features.stage3.unit23.body.conv3.conv.weight", "layer3.22.conv3.weight"),
        (Layout.PYTORCHCV, "features.stage2.unit1.body.conv1.bn.bias", "layer2.0.bn1.bias"),
        (Layout.PYTORCHCV, "features.stage2.unit1.identity_conv.bn.bias", "layer2.0.downsample.1.bias"),
        (Layout.TIMM, "layer1.0.se.channel.fc2.weight", "layer1.0.cbam.ChannelGate.mlp.3.weight"),
        (Layout.TIMM, "layer1.0.attn.spatial.conv.bn.bias", "layer1.0.cbam.SpatialGate.spatial.bn.bias"),
        (Layout.LUUUYI, "layer4.2.ca.fc1.weight", "layer4.2.cbam.ChannelGate.mlp.1.weight"),
        (Layout.LUUUYI, "layer4.2.ca.fc2.weight", "layer4.2.cbam.ChannelGate.mlp.3.weight"),
        (Layout.LUUUYI, "ca.fc1.weight", "ca.fc1.weight"),
        (
            Layout.ELBUCO1,
            "layer1.0.my.own.channel_attention.bottleneck.2.bias",
            "layer1.0.cbam.ChannelGate.mlp.3.bias",
        ),
        (Layout.ELBUCO1, "layer2.0.shortcut.1.weight", "layer2.0.downsample.1.weight"),
        (Layout.ELBUCO1, "cbam.channel_attention.bottleneck.2.bias", "cbam.channel_attention.bottleneck.2.bias"),
        (Layout.EFFICIENTNET, "_conv_stem.weight", "conv1.weight"),
        (Layout.EFFICIENTNET, "_bn1.running_var", "bn_head.running_var"),
        (Layout.EFFICIENTNET, "layer3.2._bn1.running_var", "layer3.2.bn_depthwise.running_var"),
        (Layout.EFFICIENTNET, "layer3.2._expand_conv.weight", "layer3.2.conv_expand.weight"),
        (Layout.TRANSFORMERS, "resnet.embedder.embedder.normalization.running_var", "bn1.running_var"),
        (Layout.TRANSFORMERS, "resnet.encoder.stages.3.layers.1.layer.2.convolution.weight", "layer4.1.conv3.weight"),
        (
            Layout.TRANSFORMERS,
            "resnet.encoder.stages.1.layers.0.shortcut.normalization.bias",
            "layer2.0.downsample.1.bias",
        ),
        (Layout.TRANSFORMERS, "classifier.1.bias", "fc.bias"),
        (Layout.AUTHORS, "layer1.0.conv1.weight", "layer1.0.conv1.weight"),
    ],
)
def test_rename_knows_each_layouts_names(layout: Layout, old: str, new: str) -> None:
    assert rename(old, RULES[layout]) == new


@pytest.mark.parametrize(("count", "last", "first_of_stage_three"), [(16, "layer4.4", 5), (21, "layer4.5", 7)])
def test_blocks_counted_through_the_network_are_placed_in_their_stages(
    count: int, last: str, first_of_stage_three: int
) -> None:
    names = [f"_blocks.{number}._bn2.weight" for number in range(count)]
    ours = rename_all(names, RULES[Layout.EFFICIENTNET])
    assert ours[names[0]] == "layer1.0.bn_project.weight"
    assert ours[names[first_of_stage_three]] == "layer3.0.bn_project.weight"
    assert ours[names[-1]] == f"{last}.bn_project.weight"
    assert len(set(ours.values())) == count


def test_blocks_of_a_network_of_another_depth_keep_their_numbers() -> None:
    assert list(
        rename_all(["_blocks.1._bn2.weight", "_blocks.6._bn2.weight"], RULES[Layout.EFFICIENTNET]).values()
    ) == [
        "_blocks.1._bn2.weight",
        "_blocks.6._bn2.weight",
    ]


@pytest.mark.parametrize("layout", sorted(set(RULES) - {Layout.OWN}))
def test_recognise_layout_finds_each_by_its_own_names(layout: Layout) -> None:
    names = {
        Layout.AUTHORS: "layer1.0.cbam.SpatialGate.spatial.conv.weight",
        Layout.PYTORCHCV: "features.init_block.conv.conv.weight",
        Layout.TIMM: "layer1.0.se.spatial.conv.conv.weight",
        Layout.LUUUYI: "layer1.0.sa.conv1.weight",
        Layout.ELBUCO1: "layer1.0.cbam.spatial_attention.conv.weight",
        Layout.EFFICIENTNET: "_conv_stem.weight",
        Layout.PLAIN: "layer1.0.conv1.weight",
    }
    assert recognise_layout(["conv1.weight", names[layout], "fc.weight"]) is layout


def test_translate_adds_a_norm_that_hands_on_what_it_gets(generator: torch.Generator) -> None:
    prefix = "layer1.0.cbam.SpatialGate.spatial."
    kernel, bias = torch.randn(1, 2, 7, 7, generator=generator), torch.tensor([0.25])
    tensors = {"layer1.0.a.spatial_attention.conv.weight": kernel, "layer1.0.a.spatial_attention.conv.bias": bias}
    translation = translate(tensors, RULES[Layout.ELBUCO1])
    assert torch.equal(translation.tensors[f"{prefix}conv.weight"], kernel)
    norm = nn.BatchNorm2d(1).eval()
    state = {name.removeprefix(f"{prefix}bn."): tensor for name, tensor in translation.tensors.items() if "bn" in name}
    norm.load_state_dict(state, strict=False)
    values = torch.randn(1, 1, 9, 9, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(norm(values), values + 0.25, rtol=3e-7, atol=3e-7)
    # Without the epsilon in its weight, the error would be half of it.
    assert norm.weight.item() - 1 == pytest.approx(norm.eps / 2, rel=0.05)


def test_a_pooled_plane_that_no_kernel_has_is_left_for_the_identity_to_refuse() -> None:
    kernel = torch.ones(1, 1, 7, 7)
    translation = translate({"layer1.0.se.spatial.conv.conv.weight": kernel}, RULES[Layout.TIMM])
    assert not translation.swapped


RECORDED = json.loads((Path(__file__).parent / "pytorchcv_names.json").read_text())
"""Names and shapes of networks of pytorchcv 0.0.74, without the counters."""


@pytest.mark.parametrize(
    ("recorded", "architecture", "attention"),
    [
        ("bam_resnet18", "resnet18", Attention.BAM),
        ("seresnet18", "resnet18", Attention.SE),
        ("mobilenet_w1", "mobilenet_1.0", Attention.NONE),
    ],
)
def test_pytorchcvs_recorded_names_are_read_each_in_its_place(
    recorded: str, architecture: str, attention: Attention, tmp_path: Path
) -> None:
    # Every tensor has its own number, by which it is known afterwards.
    tensors = {
        name: torch.tensor(float(number)).expand(shape)
        for number, (name, shape) in enumerate(RECORDED[recorded].items())
    }
    torch.save(tensors, tmp_path / f"{recorded}.pth")
    found = examine(tmp_path / f"{recorded}.pth")
    assert found.diagnosis.layout is Layout.PYTORCHCV
    assert (found.diagnosis.architecture, found.diagnosis.attention) == (architecture, attention)
    assert not [warning for warning in found.diagnosis.warnings if "cannot be told" in warning]
    by_number = {int(tensor.flatten()[0]): name for name, tensor in found.tensors.items() if "num_batches" not in name}
    assert len(by_number) == len(tensors)
    order = list(tensors)
    renamed = {order[number]: name for number, name in by_number.items()}
    assert renamed == rename_all(tensors, RULES[Layout.PYTORCHCV])
    for name, ours in EXPECTED[recorded].items():
        assert renamed[name] == ours


EXPECTED = {
    "bam_resnet18": {
        "features.init_block.conv.conv.weight": "conv1.weight",
        "features.stage1.unit2.res_unit.body.conv2.bn.bias": "layer1.1.bn2.bias",
        "features.stage2.unit1.bam.ch_att.init_fc.bn.running_var": "bam1.channel_att.gate_c.gate_c_bn_1.running_var",
        "features.stage3.unit1.bam.sp_att.dil_convs.conv2.bn.bias": "bam2.spatial_att.gate_s.gate_s_bn_di_1.bias",
        "features.stage4.unit1.bam.sp_att.final_conv.bias": "bam3.spatial_att.gate_s.gate_s_conv_final.bias",
        "features.stage4.unit1.res_unit.identity_conv.conv.weight": "layer4.0.downsample.0.weight",
        "output.bias": "fc.bias",
    },
    "seresnet18": {
        "features.stage2.unit1.se.conv1.weight": "layer2.0.cbam.ChannelGate.mlp.1.weight",
        "features.stage4.unit2.se.conv2.bias": "layer4.1.cbam.ChannelGate.mlp.3.bias",
    },
    "mobilenet_w1": {
        "features.init_block.bn.weight": "bn1.weight",
        "features.stage1.unit1.dw_conv.conv.weight": "layer1.0.depthwise.conv.weight",
        "features.stage2.unit2.pw_conv.bn.bias": "layer1.2.pointwise.bn.bias",
        "features.stage3.unit1.dw_conv.conv.weight": "layer2.0.depthwise.conv.weight",
        "features.stage4.unit6.pw_conv.conv.weight": "layer3.5.pointwise.conv.weight",
        "features.stage5.unit2.pw_conv.conv.weight": "layer4.1.pointwise.conv.weight",
    },
}


BOTTLENECK = "features.stage1.unit1.body.conv3.conv.weight"


@pytest.mark.parametrize(
    ("names", "file_name", "attention", "placement"),
    [
        ([BOTTLENECK], "resnet50-0633-b00d1c8e.pth", None, StridePlacement.V1),
        ([BOTTLENECK], "weights.pth", None, StridePlacement.V1),
        ([BOTTLENECK], "resnet50b-0638-8a5473ef.pth", None, StridePlacement.V1_5),
        ([BOTTLENECK], "resnet50base.pth", None, StridePlacement.V1),
        ([BOTTLENECK, "features.stage1.unit1.se.conv1.weight"], "se.pth", Attention.SE, StridePlacement.V1),
        ([BOTTLENECK, "features.stage1.unit1.se.conv1.weight"], "seresnet50b.pth", Attention.SE, StridePlacement.V1_5),
        ([BOTTLENECK, "features.stage1.unit1.cbam.ch_gate.mlp.fc1.bias"], "a.pth", None, StridePlacement.V1_5),
        ([BOTTLENECK, "features.stage2.unit1.bam.ch_att.final_fc.bias"], "a.pth", None, StridePlacement.V1_5),
        (["features.stage1.unit1.se.conv1.weight"], "seresnet18.pth", Attention.SE, None),
        (["features.stage1.unit1.body.conv2.conv.weight"], "resnet18.pth", None, None),
    ],
)
def test_read_hints_tells_what_pytorchcvs_names_imply(
    names: list[str], file_name: str, attention: Attention | None, placement: StridePlacement | None
) -> None:
    hints = read_hints(Layout.PYTORCHCV, names, file_name)
    assert (hints.attention, hints.stride_placement) == (attention, placement)
    is_open = placement is not None and not any("bam." in name for name in names)
    assert bool(hints.warnings) is is_open
    assert read_hints(Layout.PLAIN, names, file_name) == NO_HINTS


def test_identify_takes_what_is_asked_for_before_what_names_imply() -> None:
    shapes = build_shapes("resnet50", Attention.SE, 5)
    hints = Hints(Attention.SE, StridePlacement.V1, ("by the name",))
    implied = identify(shapes, origins={}, stated=None, options=DEFAULT_OPTIONS, hints=hints)
    assert (implied.attention, implied.stride_placement) == (Attention.SE, StridePlacement.V1)
    assert implied.warnings == ("by the name",)
    options = ExaminationOptions(attention=Attention.CHANNEL_MAX, stride_placement=StridePlacement.V1_5)
    asked = identify(shapes, origins={}, stated=None, options=options, hints=hints)
    assert (asked.attention, asked.stride_placement) == (Attention.CHANNEL_MAX, StridePlacement.V1_5)
    assert not asked.warnings


def test_examine_reads_the_authors_bam_as_they_save_it(tmp_path: Path) -> None:
    network = fill(build_network("resnet18", attention=Attention.BAM, class_count=4), torch.Generator().manual_seed(3))
    save_authors(network, tmp_path / "RESNET18_BAM_model_best.pth.tar")
    checkpoint = examine(tmp_path / "RESNET18_BAM_model_best.pth.tar")
    diagnosis = checkpoint.diagnosis
    assert (diagnosis.layout, diagnosis.architecture) == (Layout.AUTHORS, "resnet18")
    assert (diagnosis.attention, diagnosis.class_count) == (Attention.BAM, 4)
    assert diagnosis.gates is GateState.TRAINED
    assert diagnosis.unwrapped == ("state_dict", "module.")
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(4))
    with torch.no_grad():
        assert torch.equal(run_ours(checkpoint, checkpoint.tensors, batch), network(batch))
