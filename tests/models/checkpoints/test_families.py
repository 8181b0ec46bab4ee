"""Files of torchvision's other families, of heads in sequences, and in several parts."""

import json
from pathlib import Path

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from models.checkpoints.architectures import COUNTER, TORCHVISION_SIZES
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.examination import examine

CLASSES = 7


def make_weights(name: str, count: int = CLASSES) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = torchvision.models.get_model(name, weights=None, num_classes=count).state_dict()
    return weights


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v3_small",
        "squeezenet1_1",
        *(
            pytest.param(name, marks=pytest.mark.slow(every=True))
            for name in ("efficientnet_b0", "densenet121", "regnet_y_400mf", "convnext_tiny", "wide_resnet50_2")
        ),
    ],
)
def test_network_of_torchvision_is_found_by_its_tensors(name: str, tmp_path: Path) -> None:
    path = tmp_path / "weights.pth"
    weights = make_weights(name)
    torch.save(weights, path)
    checkpoint = examine(path)
    assert checkpoint.diagnosis.architecture == f"torchvision:{name}"
    assert checkpoint.diagnosis.class_count == CLASSES
    assert checkpoint.tensors.keys() == weights.keys()


@pytest.mark.slow(rare=True)
@pytest.mark.parametrize("name", TORCHVISION_SIZES)
def test_sizes_are_torchvisions(name: str) -> None:
    options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    network = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **options)
    assert TORCHVISION_SIZES[name] == len([key for key in network.state_dict() if not key.endswith(COUNTER)])


def test_network_with_too_few_sizes_of_maps_says_which_it_looks_like(tmp_path: Path) -> None:
    torch.save(make_weights("alexnet", 2), tmp_path / "alexnet.pth")
    with pytest.raises(CheckpointError, match="looks like torchvision:alexnet: AlexNet has 3 sizes"):
        examine(tmp_path / "alexnet.pth")


def name_head(weights: dict[str, torch.Tensor], places: tuple[int, ...]) -> dict[str, torch.Tensor]:
    """The weights with the head as a sequence, with linear layers in these places."""
    rest = {name: tensor for name, tensor in weights.items() if not name.startswith("fc.")}
    for place in places:
        rest |= {f"fc.{place}.{part}": weights[f"fc.{part}"] for part in ("weight", "bias")}
    return rest


def test_head_in_a_sequence_is_the_head(tmp_path: Path) -> None:
    weights = make_weights("resnet18")
    torch.save(name_head(weights, (1,)), tmp_path / "dropout.pth")
    checkpoint = examine(tmp_path / "dropout.pth")
    assert checkpoint.diagnosis.architecture == "resnet18"
    assert torch.equal(checkpoint.tensors["fc.weight"], weights["fc.weight"])
    assert ("fc.1.weight", "fc.weight") in checkpoint.diagnosis.renamed


def test_head_of_several_layers_is_refused_by_its_name(tmp_path: Path) -> None:
    torch.save(name_head(make_weights("resnet18"), (0, 3)), tmp_path / "mlp.pth")
    with pytest.raises(CheckpointError, match=r"its head is a network of its own \(fc.0 and fc.3\)"):
        examine(tmp_path / "mlp.pth")


def write_parts(folder: Path) -> Path:
    """A network in two files; their index."""
    weights = {name: tensor.contiguous() for name, tensor in make_weights("resnet18").items()}
    names = list(weights)
    parts = {"model-00001-of-00002.safetensors": names[:60], "model-00002-of-00002.safetensors": names[60:]}
    for file, own in parts.items():
        save_file({name: weights[name] for name in own}, folder / file)
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {name: file for file in parts for name in parts[file]}}))
    return index


def test_network_in_several_files_is_read_by_its_index(tmp_path: Path) -> None:
    index = write_parts(tmp_path)
    assert examine(index).diagnosis.architecture == "resnet18"
    with pytest.raises(CheckpointError, match=r"one of 2 parts of a network; give model\.safetensors\.index\.json"):
        examine(tmp_path / "model-00001-of-00002.safetensors")
    name, second = "conv1.weight", tmp_path / "model-00002-of-00002.safetensors"
    learned = examine(index).tensors[name]
    save_file({**load_file(second), name: torch.zeros_like(learned)}, second)
    assert torch.equal(examine(index).tensors[name], learned)
    second.unlink()
    with pytest.raises(CheckpointError, match=r"its part model-00002-of-00002\.safetensors cannot be read"):
        examine(index)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"weight_map": {"a": "../secret.safetensors"}}', "which is not beside it"),
        ('{"weight_map": {"a": "/etc/passwd"}}', "which is not beside it"),
        ('{"weight_map": {"a": 3}}', "which is not beside it"),
        ('{"weight_map": {"a": "x\\u0000.safetensors"}}', "which is not beside it"),
        ('{"weight_map": {"a": "x\\ud800.safetensors"}}', "which is not beside it"),
        ('{"weight_map": []}', "without a weight_map"),
        ('{"weights": {}}', "without a weight_map"),
        ("{", "without a weight_map"),
    ],
)
def test_wrong_index_is_refused(content: str, sentence: str, tmp_path: Path) -> None:
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(content)
    with pytest.raises(CheckpointError, match=sentence):
        examine(index)


@pytest.mark.parametrize(("bias", "is_trained"), [(0.0, False), (0.1, True)])
def test_network_without_batchnorm_is_trained_if_its_biases_moved(
    bias: float, is_trained: bool, tmp_path: Path
) -> None:
    weights = make_weights("squeezenet1_1")
    torch.save(
        {name: value + bias if name.endswith("bias") else value for name, value in weights.items()}, tmp_path / "s.pth"
    )
    assert examine(tmp_path / "s.pth").diagnosis.is_trained is is_trained
