from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from models.checkpoints.checking import check_tensors
from models.checkpoints.diagnosis import CheckpointError, ExaminationOptions, GateState, Layout
from models.checkpoints.examination import examine
from models.checkpoints.gates import has_learnt, judge_gates, measure_scales
from models.checkpoints.writing import write_checkpoint
from models.errors import LineupError
from models.names import Attention, StridePlacement
from models.networks.zoo import build_network
from tests.lineups import RESNET18_110
from tests.models.checkpoints.conftest import Tensors

pytestmark = pytest.mark.slow

OWN = {
    "format": "cbam-lens",
    "architecture": "mobilenet_0.7",
    "attention": "cbam-parallel",
    "class_count": "5",
    "stride_placement": "v1",
    "trained": "true",
    "recipe": "90 epochs",
}


def write(path: Path, tensors: Tensors, **metadata: str) -> Path:
    save_file(tensors, path, metadata=metadata)
    return path


@pytest.mark.parametrize(
    ("name", "attention", "gates"),
    [
        ("resnet18_baseline_110", Attention.NONE, GateState.NONE),
        ("resnet18_cbam_110", Attention.CBAM, GateState.TRAINED),
    ],
)
def test_examine_recognises_the_shipped_lineup_as_ours(name: str, attention: Attention, gates: GateState) -> None:
    diagnosis = examine(RESNET18_110.parent / f"{name}.safetensors").diagnosis
    assert (diagnosis.layout, diagnosis.architecture, diagnosis.class_count) == (Layout.OWN, "resnet18", 110)
    assert (diagnosis.attention, diagnosis.gates, diagnosis.is_trained) == (attention, gates, True)
    assert not diagnosis.warnings


def test_examine_takes_from_metadata_what_tensors_cannot_tell(weights: Tensors, tmp_path: Path) -> None:
    diagnosis = examine(write(tmp_path / "own.safetensors", weights, **OWN)).diagnosis
    assert diagnosis.layout is Layout.OWN
    assert diagnosis.attention is Attention.CBAM_PARALLEL
    assert diagnosis.stride_placement is StridePlacement.V1
    assert (diagnosis.is_trained, diagnosis.recipe) == (True, "90 epochs")


def test_examine_believes_a_file_that_says_that_it_is_untrained(weights: Tensors, tmp_path: Path) -> None:
    path = write(tmp_path / "own.safetensors", weights, **OWN | {"trained": "false"})
    diagnosis = examine(path).diagnosis
    assert (diagnosis.is_trained, diagnosis.gates) == (False, GateState.UNTRAINED)
    assert "not trained" in diagnosis.warnings[0]


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({"architecture": "resnet18"}, "its metadata says architecture resnet18, its tensors say mobilenet_0.7"),
        ({"class_count": "7"}, "its metadata says classes 7"),
        ({"class_count": "many"}, "its metadata is not valid: class_count"),
        ({"attention": "telepathy"}, "its metadata is not valid: attention"),
        ({"stride_placement": "v2"}, "its metadata is not valid: stride_placement"),
    ],
)
def test_examine_refuses_metadata_that_contradicts_the_tensors(
    metadata: dict[str, str], sentence: str, weights: Tensors, tmp_path: Path
) -> None:
    path = write(tmp_path / "own.safetensors", weights, **OWN | metadata)
    with pytest.raises(CheckpointError, match=sentence):
        examine(path)


def test_examine_refuses_a_file_that_says_trained_and_has_seen_nothing(tmp_path: Path) -> None:
    fresh = build_network("mobilenet_0.7", attention=Attention.CBAM, class_count=5).state_dict()
    with pytest.raises(CheckpointError, match="says trained, but no BatchNorm has seen a batch"):
        examine(write(tmp_path / "own.safetensors", fresh, **OWN))
    diagnosis = examine(write(tmp_path / "own.safetensors", fresh, **OWN | {"trained": "false"})).diagnosis
    assert (diagnosis.is_trained, diagnosis.gates) == (False, GateState.UNTRAINED)


def test_examine_reads_averaged_weights_when_asked(weights: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "both.pth"
    averaged = weights | {"fc.bias": torch.full((5,), 7.0)}
    torch.save({"state_dict": weights, "state_dict_ema": averaged}, path)
    assert examine(path, ExaminationOptions(use_ema=True)).tensors["fc.bias"].tolist() == [7.0] * 5
    plain = examine(path)
    assert torch.equal(plain.tensors["fc.bias"], weights["fc.bias"])
    assert "averaged" in plain.diagnosis.warnings[0]


def test_examine_adds_the_counters_that_old_files_lack(weights: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "old.pth"
    old = {name: tensor for name, tensor in weights.items() if not name.endswith("num_batches_tracked")}
    torch.save(old, path, _use_new_zipfile_serialization=False)
    checkpoint = examine(path)
    assert set(checkpoint.diagnosis.added) == weights.keys() - old.keys()
    assert all(checkpoint.tensors[name] == 0 for name in checkpoint.diagnosis.added)
    network = build_network("mobilenet_0.7", attention=Attention.CBAM, class_count=5)
    network.load_state_dict(checkpoint.tensors, strict=True)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_examine_keeps_the_type_of_the_weights(dtype: torch.dtype, weights: Tensors, tmp_path: Path) -> None:
    path = tmp_path / "half.pth"
    torch.save({name: t.to(dtype) if t.is_floating_point() else t for name, t in weights.items()}, path)
    assert examine(path).tensors["fc.weight"].dtype == dtype


def test_examine_gives_tensors_that_outlive_the_file(weights: Tensors, saved: Path) -> None:
    tensors = examine(saved).tensors
    with saved.open("r+b") as file:  # in place, because mapped tensors would change with the file
        file.write(bytes(saved.stat().st_size))
    for name, tensor in tensors.items():
        assert torch.equal(tensor, weights[name])
        assert tensor.is_contiguous()
        assert not tensor.requires_grad


def put(name: str, tensor: torch.Tensor) -> Callable[[Tensors], None]:
    return lambda weights: weights.update({name: tensor})


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (put("fc.bias", torch.full((5,), torch.nan)), r"not finite: module\.fc\.bias|not finite: fc\.bias"),
        (put("fc.bias", torch.tensor([0, 0, torch.inf, 0, 0])), r"does not fit mobilenet_0.7: not finite: fc\.bias"),
        (put("fc.bias", torch.ones(5, dtype=torch.int32)), r"fc\.bias is of type torch\.int32"),
        (put("fc.bias", torch.ones(5, dtype=torch.complex64)), r"ComplexFloatStorage|complex"),
        (put("centre", torch.ones(5)), r"differs in 1: surplus: centre"),
        (put("a\n\x1b[31mb", torch.ones(5)), r"surplus: a\\n\\x1b\[31mb$"),
        (put("a" * 10**5, torch.ones(5)), r"surplus: a{1000,2000}$"),
        (put("bn1.num_batches_tracked", torch.ones(2, dtype=torch.int64)), r"misshaped: bn1\.num_batches_tracked"),
        (put("bn9.num_batches_tracked", torch.tensor(1)), r"surplus: bn9\.num_batches_tracked"),
    ],
)
def test_examine_names_the_tensor_that_cannot_be(
    change: Callable[[Tensors], None], sentence: str, weights: Tensors, tmp_path: Path
) -> None:
    path = tmp_path / "odd.pth"
    change(weights)
    torch.save({f"module.{name}": tensor for name, tensor in weights.items()}, path)
    with pytest.raises(CheckpointError, match=sentence) as caught:
        examine(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_examine_refuses_two_tensors_for_one_place(tmp_path: Path) -> None:
    path = tmp_path / "twins.pth"
    torch.save(
        {"features.init_block.conv.conv.weight": torch.ones(1), "conv1.weight": torch.ones(1)},
        path,
    )
    with pytest.raises(
        CheckpointError, match=r"init_block\.conv\.conv\.weight, conv1\.weight are all conv1\.weight here"
    ):
        examine(path)


GATE = "layer1.0.cbam."


@pytest.mark.parametrize(
    ("tensors", "is_trained", "state"),
    [
        ({"conv1.weight": 1.0}, True, GateState.NONE),
        ({f"{GATE}SpatialGate.spatial.bn.weight": 0.0, f"{GATE}ChannelGate.mlp.3.weight": 1.0}, True, "untrained"),
        ({f"{GATE}SpatialGate.spatial.bn.weight": -0.1, f"{GATE}ChannelGate.mlp.3.weight": 0.0}, True, "trained"),
        ({f"{GATE}SpatialGate.spatial.bn.weight": 1.0}, False, GateState.UNTRAINED),
        ({f"{GATE}ChannelGate.mlp.3.weight": 0.0}, True, GateState.UNTRAINED),
        ({f"{GATE}ChannelGate.mlp.3.weight": 0.1}, True, GateState.TRAINED),
        ({f"{GATE}conv.weight": 0.0}, True, GateState.UNTRAINED),
        ({f"{GATE}conv.weight": 0.1}, True, GateState.TRAINED),
        ({"cbam.4.conv.weight": 0.1}, True, GateState.TRAINED),
        ({f"{GATE}conv_h.weight": 0.0, f"{GATE}conv_w.weight": 0.0}, True, GateState.UNTRAINED),
        ({f"{GATE}conv_h.weight": 0.0, f"{GATE}conv_w.weight": 0.1}, True, GateState.TRAINED),
        ({f"{GATE}SpatialGate.spatial.bn.weight": 0.0, f"{GATE}ChannelGateW.spatial.bn.weight": 0.1}, True, "trained"),
    ],
)
def test_judge_gates_looks_at_their_scales(tensors: dict[str, float], is_trained: bool, state: GateState) -> None:
    values = {name: torch.full((1,), value) for name, value in tensors.items()}
    assert judge_gates(values, is_trained=is_trained) == state


@pytest.mark.parametrize(("is_trained", "state"), [(True, GateState.TRAINED), (False, GateState.UNTRAINED)])
def test_judge_gates_takes_simams_for_as_trained_as_their_network(is_trained: bool, state: GateState) -> None:
    tensors = {"conv1.weight": torch.ones(1)}
    assert judge_gates(tensors, is_trained=is_trained, attention=Attention.SIMAM) is state


@pytest.mark.parametrize(
    "attention",
    [Attention.ECA, Attention.COORDINATE, Attention.SIMAM, Attention.TRIPLET, Attention.SE_LAST_STAGE],
)
def test_written_file_of_other_attention_is_read_as_it_was(attention: Attention, tmp_path: Path) -> None:
    network = build_network("mobilenet_0.7", attention=attention, class_count=5)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.constant_(module.get_buffer("running_mean"), 0.1)
    torch.save(network.state_dict(), tmp_path / "theirs.pth")
    checkpoint = examine(tmp_path / "theirs.pth", ExaminationOptions(attention=attention))
    write_checkpoint(checkpoint, tmp_path / "ours.safetensors")
    found = examine(tmp_path / "ours.safetensors")
    assert (found.diagnosis.layout, found.diagnosis.architecture) == (Layout.OWN, "mobilenet_0.7")
    assert (found.diagnosis.attention, found.diagnosis.gates) == (attention, GateState.TRAINED)
    assert found.diagnosis.warnings == ()
    assert all(torch.equal(tensor, found.tensors[name]) for name, tensor in network.state_dict().items())


def test_examine_says_that_gates_at_their_start_show_nothing(weights: Tensors, tmp_path: Path) -> None:
    flat = {name: torch.zeros(1) for name in weights if name.endswith("SpatialGate.spatial.bn.weight")}
    torch.save(weights | flat, tmp_path / "flat.pth")
    diagnosis = examine(tmp_path / "flat.pth").diagnosis
    assert (diagnosis.is_trained, diagnosis.gates, diagnosis.spatial_scale) == (True, GateState.UNTRAINED, (0, 0))
    assert diagnosis.warnings == (
        "The gates are not trained: they are the same everywhere, and their maps mean nothing.",
    )


def test_measure_scales_gives_the_range_of_the_spatial_ones() -> None:
    scales = {
        f"layer1.{block}.cbam.SpatialGate.spatial.bn.weight": torch.tensor([v]) for block, v in enumerate((2, -1))
    }
    assert measure_scales(scales | {"bn1.weight": torch.tensor([9])}) == (-1, 2)
    assert measure_scales({"bn1.weight": torch.tensor([9])}) is None


@pytest.mark.parametrize(
    ("mean", "variance", "is_learnt"), [((0, 0), (1, 1), False), ((0, 0.1), (1, 1), True), ((0, 0), (1, 2), True)]
)
def test_has_learnt_is_true_once_a_norm_has_seen_a_batch(
    mean: tuple[float, ...], variance: tuple[float, ...], is_learnt: bool
) -> None:
    tensors = {"bn1.running_mean": torch.tensor(mean), "bn1.running_var": torch.tensor(variance)}
    assert has_learnt(tensors) is is_learnt


def test_check_tensors_refuses_as_a_lineup_does(tmp_path: Path) -> None:
    expected = {"a": torch.empty(2, device="meta"), "b": torch.empty(1, device="meta")}
    found = {"b": torch.tensor([torch.nan]), "c": torch.ones(1)}
    with pytest.raises(LineupError, match=r"x\.pth does not fit its network: missing: a; surplus: c; not finite: b$"):
        check_tensors(Path("x.pth"), expected=expected, found=found)
    check_tensors(Path("x.pth"), expected=expected, found={"a": torch.ones(2), "b": torch.ones(1)})
