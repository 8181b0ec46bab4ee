import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from models.errors import LineupError
from models.lineups.lineup import Lineup, load_lineup
from tests.lineups import RESNET18_110

Tensors = dict[str, torch.Tensor]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped lineup's card in a directory of its own."""
    shutil.copytree(RESNET18_110.parent, tmp_path, dirs_exist_ok=True)
    return tmp_path / RESNET18_110.name


def damage(card: Path, change: Callable[[Tensors], None]) -> None:
    """Change the CBAM network's tensors and update the card's checksum."""
    path = card.parent / "resnet18_cbam_110.safetensors"
    tensors = load_file(path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    change(tensors)
    save_file(tensors, path)
    after = hashlib.sha256(path.read_bytes()).hexdigest()
    card.write_text(card.read_text().replace(before, after))


def test_load_lineup_gives_frozen_networks_in_evaluation_mode(lineup: Lineup) -> None:
    for name, parameters in (("baseline", 11_232_942), ("cbam", 11_322_822)):
        network = lineup.networks[name]
        assert lineup.parameter_counts[name] == parameters
        assert not network.training
        assert not any(parameter.requires_grad for parameter in network.parameters())
        assert all(parameter.dtype == torch.float32 for parameter in network.parameters())
    assert len(lineup.labels) == 110


def test_load_lineup_has_living_gates(lineup: Lineup, generator: torch.Generator) -> None:
    with torch.no_grad():
        trace = lineup.networks["cbam"].trace(torch.randn(1, 3, 160, 160, generator=generator))
    assert len(trace.attentions) == 8
    assert max(gates.spatial.std().item() for gates in trace.attentions.values() if gates.spatial is not None) > 0.05


def test_load_lineup_refuses_a_file_with_another_checksum(copy: Path) -> None:
    path = copy.parent / "resnet18_baseline_110.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(LineupError, match=r"resnet18_baseline_110\.safetensors: its sha256 is"):
        load_lineup(copy)


def remove_gate(tensors: Tensors) -> None:
    del tensors["layer2.0.cbam.SpatialGate.spatial.conv.weight"]


def add_tensor(tensors: Tensors) -> None:
    tensors["layer9.weight"] = torch.zeros(2)


def reshape_classifier(tensors: Tensors) -> None:
    tensors["fc.weight"] = torch.zeros(100, 512)


def put_nan(tensors: Tensors) -> None:
    tensors["layer1.0.conv1.weight"][0, 0, 0, 0] = torch.nan


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (remove_gate, r"missing: layer2\.0\.cbam\.SpatialGate\.spatial\.conv\.weight"),
        (add_tensor, r"surplus: layer9\.weight"),
        (reshape_classifier, r"misshaped: fc\.bias is \(110,\), the network needs \(100,\)"),
        (put_nan, r"not finite: layer1\.0\.conv1\.weight"),
    ],
)
def test_load_lineup_names_the_tensor_that_does_not_fit(
    copy: Path, change: Callable[[Tensors], None], sentence: str
) -> None:
    damage(copy, change)
    with pytest.raises(LineupError, match=sentence):
        load_lineup(copy)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            'architecture = "resnet18"',
            'architecture = "resnet19"',
            "architecture 'resnet19' was asked for; choose one of resnet18",
        ),
        ('geometry = "whole"', 'geometry = "stretch"', "center_crop"),
        ("resolution = 224", "resolution = 225", "160"),
        ("[networks.cbam]", "[networks.other]", "networks"),
        ("trained = true", "trained = = true", "is not a lineup's card"),
        ('labels = "labels_110.json"', 'labels = "nothing.json"', "cannot be read"),
        (
            'labels = "labels_110.json"',
            'labels = "resnet18_110.toml"',
            "toml names 92; give the list that it was trained with",
        ),
    ],
)
def test_load_lineup_says_what_is_wrong_with_a_card(copy: Path, old: str, new: str, sentence: str) -> None:
    text = copy.read_text()
    assert old in text
    copy.write_text(text.replace(old, new))
    with pytest.raises(LineupError, match=sentence):
        load_lineup(copy)


def test_load_lineup_refuses_classes_out_of_order(copy: Path) -> None:
    path = copy.parent / "labels_110.json"
    path.write_text(path.read_text().replace('"index": 3,', '"index": 4,', 1))
    with pytest.raises(LineupError, match="indices must be 0, 1, 2"):
        load_lineup(copy)


def test_load_lineup_refuses_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(LineupError, match="cannot be read: No such file or directory; check the path"):
        load_lineup(tmp_path / "lineup.toml")
