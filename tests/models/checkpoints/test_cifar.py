"""The authors' networks for CIFAR: read from files as they save them, with the same logits."""

from pathlib import Path

import pytest
import torch

from models.checkpoints.diagnosis import GateState, Layout
from models.checkpoints.examination import examine
from models.checkpoints.writing import write_checkpoint
from models.insertion.building import build_any_network
from models.names import Attention, Stage
from tests.models.checkpoints.foreign import CIFAR, CLASS_COUNT, make_cifar

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("attention", CIFAR)
def test_examine_gives_our_network_the_logits_of_the_authors(attention: str, tmp_path: Path) -> None:
    network = make_cifar(attention, tmp_path / "model_best.pth.tar")
    checkpoint = examine(tmp_path / "model_best.pth.tar")
    found = checkpoint.diagnosis
    assert (found.architecture, found.attention, found.class_count) == ("cifar_resnet18", attention, CLASS_COUNT)
    assert found.layout is (Layout.PLAIN if attention == "none" else Layout.AUTHORS)
    assert found.gates is (GateState.NONE if attention == "none" else GateState.TRAINED)
    assert found.unwrapped == ("state_dict", "module.")
    assert "The stem is a 3x3 convolution" in " ".join(found.warnings)
    ours = build_any_network(found.architecture, attention=found.attention, class_count=found.class_count).eval()
    ours.load_state_dict(checkpoint.tensors)
    batch = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(5))
    with torch.no_grad():
        expected = network(batch)
        torch.testing.assert_close(ours(batch), expected, rtol=1e-5, atol=1e-4)
        trace = ours.trace(batch)
    assert expected.std() > 0.1
    assert [tuple(trace.features[stage].shape[2:]) for stage in Stage] == [(32, 32), (16, 16), (8, 8), (4, 4)]


@pytest.mark.parametrize("depth", [18, 34, 50, 101])
@pytest.mark.parametrize("attention", [Attention.NONE, Attention.CBAM, Attention.BAM])
def test_the_stem_tells_a_network_for_cifar_from_one_for_imagenet(
    depth: int, attention: Attention, tmp_path: Path
) -> None:
    for architecture in (f"resnet{depth}", f"cifar_resnet{depth}"):
        with torch.device("meta"):
            network = build_any_network(architecture, attention=attention, class_count=7)
        tensors = {
            name: torch.zeros((), dtype=tensor.dtype).expand(tensor.shape)
            for name, tensor in network.state_dict().items()
        }
        torch.save(tensors, tmp_path / "weights.pth")
        found = examine(tmp_path / "weights.pth").diagnosis
        assert (found.architecture, found.attention) == (architecture, attention)


def test_a_written_file_states_its_network_and_needs_no_warning(tmp_path: Path) -> None:
    make_cifar("bam", tmp_path / "theirs.pth.tar")
    write_checkpoint(examine(tmp_path / "theirs.pth.tar"), tmp_path / "ours.safetensors")
    found = examine(tmp_path / "ours.safetensors").diagnosis
    assert (found.layout, found.architecture, found.attention) == (Layout.OWN, "cifar_resnet18", Attention.BAM)
    assert not found.warnings
