"""Training that starts from weights: the parts that are kept and the parts that are reset."""

from pathlib import Path

import pytest
import torch

from models.errors import LineupError
from models.names import Attention, NetworkName
from models.networks.zoo import build_network
from models.training.learning.beginning import open_beginnings
from models.training.learning.trainee import TraineeShape, build_trainee
from models.training.running.errors import TrainingError
from tests.models.training.conftest import make_recipe

CBAM_ALONE = {"cbam": Attention.CBAM}
BOTH = {"baseline": Attention.NONE, "cbam": Attention.CBAM}


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with baseline.pth and cbam.pth, of three classes, with no value at its initial one."""
    directory = tmp_path_factory.mktemp("weights")
    generator = torch.Generator().manual_seed(3)
    for attention, name in ((Attention.NONE, "baseline"), (Attention.CBAM, "cbam")):
        state = build_network("resnet18", attention=attention, class_count=3).state_dict()
        moved = {
            key: value + 0.01 * torch.rand(value.shape, generator=generator) if value.is_floating_point() else value
            for key, value in state.items()
        }
        torch.save(moved, directory / f"{name}.pth")
    return directory


def build(weights: Path, *, class_count: int = 3, **changes: object) -> dict[str, torch.Tensor]:
    """The state of a CBAM network that starts from the weights."""
    found = open_beginnings(
        str(weights / "cbam.pth"), CBAM_ALONE, architecture="resnet18", class_count=class_count
    )  # fmt: skip
    shape = TraineeShape("resnet18", Attention.CBAM, class_count)
    return build_trainee(shape, make_recipe(**changes), found[Attention.CBAM]).network.state_dict()


def test_everything_is_taken_over(weights: Path) -> None:
    given = torch.load(weights / "cbam.pth", weights_only=True)
    state = build(weights)
    assert state.keys() == given.keys()
    assert [name for name, value in given.items() if not torch.equal(state[name], value)] == []


def test_renewed_gates_begin_anew_at_the_level_they_had(weights: Path) -> None:
    given = torch.load(weights / "cbam.pth", weights_only=True)
    state = build(weights, spatial_gate={"renewed": ["layer3", "layer4"], "initial_scale": 0.5})
    changed = {name for name, value in given.items() if not torch.equal(state[name], value)}
    gates = [f"layer{stage}.{block}.cbam.SpatialGate.spatial" for stage in (3, 4) for block in (0, 1)]
    parts = ("conv.weight", "bn.weight", "bn.running_mean", "bn.running_var")
    assert changed == {f"{gate}.{part}" for gate in gates for part in parts}
    assert {float(state[f"{gate}.bn.weight"]) for gate in gates} == {0.5}


def test_other_classes_get_a_fresh_classifier(weights: Path) -> None:
    given = torch.load(weights / "cbam.pth", weights_only=True)
    state = build(weights, class_count=7)
    changed = {name for name, value in given.items() if not torch.equal(state[name], value)}
    assert changed == {"fc.weight", "fc.bias"}
    assert state["fc.weight"].shape == (7, 512)


def test_lineup_begins_with_each_member_and_leaves_the_baseline_without_gates(weights: Path) -> None:
    text = f"mine={weights / 'baseline.pth'},{weights / 'cbam.pth'}"
    found = open_beginnings(text, BOTH, architecture="resnet18", class_count=3)
    recipe = make_recipe(spatial_gate={"renewed": ["layer4"]})
    for attention, file in ((Attention.NONE, "baseline.pth"), (Attention.CBAM, "cbam.pth")):
        trainee = build_trainee(TraineeShape("resnet18", attention, 3), recipe, found[attention])
        given = torch.load(weights / file, weights_only=True)
        assert torch.equal(trainee.network.state_dict()["conv1.weight"], given["conv1.weight"])
        assert file in found[attention].provenance


@pytest.mark.parametrize(
    ("members", "architecture", "file", "reason"),
    [
        (CBAM_ALONE, "resnet18", "baseline.pth", "has resnet18 with attention none, but resnet18 with attention cbam"),
        (CBAM_ALONE, "resnet34", "cbam.pth", "but resnet34 with attention cbam is to be trained; give its weights"),
        (BOTH, "resnet18", "cbam.pth", "--start-from of several networks is a lineup"),
    ],
)
def test_weights_of_another_network_are_refused(
    weights: Path, members: dict[NetworkName, Attention], architecture: str, file: str, reason: str
) -> None:
    with pytest.raises(TrainingError, match=reason):
        open_beginnings(str(weights / file), members, architecture=architecture, class_count=3)


def test_gates_that_are_not_there_cannot_be_renewed(weights: Path) -> None:
    with pytest.raises(TrainingError, match=r"renewed names layer9, which has no spatial gate"):
        build(weights, spatial_gate={"renewed": ["layer3", "layer9"]})


def test_fresh_gates_go_into_a_network_without_and_leave_its_function(weights: Path) -> None:
    text = f"{weights / 'baseline.pth'}+cbam"
    found = open_beginnings(text, CBAM_ALONE, architecture="resnet18", class_count=3)[Attention.CBAM]
    assert "new gates" in found.provenance
    shape = TraineeShape("resnet18", Attention.CBAM, 3)
    recipe = make_recipe(spatial_gate={"initial_scale": 0.5})
    network = build_trainee(shape, recipe, found).network.eval()
    baseline = build_network("resnet18", class_count=3).eval()
    baseline.load_state_dict(torch.load(weights / "baseline.pth", weights_only=True))
    batch = torch.linspace(-1, 1, 3 * 64 * 64).reshape(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(network(batch), baseline(batch), rtol=1e-5, atol=1e-5)


def test_fresh_gates_are_not_put_beside_others(weights: Path) -> None:
    with pytest.raises(LineupError, match="already has attention, cbam"):
        open_beginnings(f"{weights / 'cbam.pth'}+se", CBAM_ALONE, architecture="resnet18", class_count=3)
