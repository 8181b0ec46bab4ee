"""BAM against its equation worked out by hand, its gates, its place in a network and its parameters."""

import pytest
import torch
from torch import nn

from models.attention.bam import Bam
from models.attention.interventions import BlockChange
from models.insertion import insert_cbam
from models.insertion.building import build_any_network
from models.names import Attention, Stage
from models.networks.inference import prepare_for_inference
from models.networks.resnet import ResNet
from models.networks.staged import StagedNetwork
from models.networks.zoo import build_network, count_parameters

CHANNELS = 32


@pytest.fixture
def features(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, CHANNELS, 6, 9, generator=generator)


@pytest.fixture
def bam() -> Bam:
    torch.manual_seed(3)
    return fill(Bam(CHANNELS)).eval().requires_grad_(False)  # type: ignore[return-value]


def fill(module: nn.Module) -> nn.Module:
    """BatchNorms that have seen something."""
    for part in module.modules():
        if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d):
            nn.init.normal_(part.running_mean)  # type: ignore[arg-type]
            nn.init.uniform_(part.running_var, 0.5, 2)  # type: ignore[arg-type]
    return module


def test_branches_that_are_constants_give_the_gate_of_the_authors_code(features: torch.Tensor) -> None:
    bam = Bam(CHANNELS).eval().requires_grad_(False)
    for part in (bam.channel_att.gate_c.gate_c_fc_final, bam.spatial_att.gate_s.gate_s_conv_final):
        nn.init.zeros_(part.weight)  # type: ignore[arg-type, union-attr]
    nn.init.constant_(bam.channel_att.gate_c.gate_c_fc_final.bias, 2.0)  # type: ignore[arg-type, union-attr]
    nn.init.constant_(bam.spatial_att.gate_s.gate_s_conv_final.bias, -0.5)  # type: ignore[arg-type, union-attr]
    refined, gates = bam(features)
    # 1 + sigmoid(2 * -0.5); the paper's sum would be 1 + sigmoid(2 - 0.5).
    torch.testing.assert_close(refined, features * 1.2689414)
    torch.testing.assert_close(gates.channel, torch.full((2, CHANNELS), 0.8807971))
    torch.testing.assert_close(gates.spatial, torch.full((2, 6, 9), 0.3775407))
    torch.testing.assert_close(gates.joint, torch.full((2, 6, 9), 0.2689414))


def test_gates_are_the_branches_and_the_mean_of_the_applied_gate(bam: Bam, features: torch.Tensor) -> None:
    refined, gates = bam(features)
    channel, spatial = torch.logit(gates.channel.double()), torch.logit(gates.spatial.double())
    applied = torch.sigmoid(channel[:, :, None, None] * spatial[:, None])
    torch.testing.assert_close(gates.joint.double(), applied.mean(dim=1), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(refined.double(), features.double() * (1 + applied), rtol=1e-4, atol=1e-5)
    assert gates.spatial.std() > 0.001
    assert gates.channel.std() > 0.001


def test_dilated_convolutions_see_eight_positions_far_and_no_further(bam: Bam, features: torch.Tensor) -> None:
    wide = torch.zeros(1, CHANNELS, 1, 31)
    dotted = wide.clone()
    dotted[..., 15] = 100.0
    changed = (bam.spatial_att(dotted) - bam.spatial_att(wide))[0, 0].abs() > 1e-6
    seen = changed.nonzero().flatten().tolist()
    assert set(seen) <= {7, 11, 15, 19, 23}
    assert {7, 23} <= set(seen)
    assert bam.spatial_att(features).shape == (2, 6, 9)


def test_an_opened_module_tells_what_came_in_and_out(bam: Bam, features: torch.Tensor) -> None:
    assert bam(features)[1].inside is None
    refined, gates = bam(features, BlockChange(is_opened=True))
    assert torch.equal(gates.inside.before, features)
    assert torch.equal(gates.inside.after, refined)


@pytest.mark.parametrize(("architecture", "parameters"), [("resnet18", 11_712_503), ("resnet50", 25_915_099)])
def test_parameters_with_bam_are_the_published_ones_to_the_unit(architecture: str, parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(build_network(architecture, attention=Attention.BAM)) == parameters


@pytest.fixture(scope="module", params=["resnet18", "resnet50"])
def network(request: pytest.FixtureRequest) -> StagedNetwork:
    torch.manual_seed(5)
    return fill(build_network(request.param, attention=Attention.BAM, class_count=5)).eval()  # type: ignore[return-value]


def test_modules_stand_behind_the_first_three_stages(network: StagedNetwork, generator: torch.Generator) -> None:
    batch = torch.randn(2, 3, 64, 96, generator=generator)
    with torch.no_grad():
        trace = network.trace(batch)
        assert torch.equal(network(batch), trace.logits)
        for stage in Stage:
            assert torch.equal(network.resume(trace.features[stage], after=stage), trace.logits)
    assert list(trace.attentions) == ["layer1.bam", "layer2.bam", "layer3.bam"]
    assert [tuple(gates.joint.shape) for gates in trace.attentions.values()] == [(2, 16, 24), (2, 8, 12), (2, 4, 6)]  # type: ignore[union-attr]


def test_the_form_that_answers_requests_computes_the_same(network: StagedNetwork, generator: torch.Generator) -> None:
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        torch.testing.assert_close(prepare_for_inference(network)(batch), network(batch), rtol=1e-4, atol=1e-4)


def test_the_networks_of_a_lineup_differ_by_bam_alone() -> None:
    with torch.device("meta"):
        plain, other = (build_network("resnet18", attention=name) for name in (Attention.NONE, Attention.BAM))
    own = {name for name in other.state_dict() if name not in plain.state_dict()}
    assert isinstance(other, ResNet)
    assert own == {name for name in other.state_dict() if name.startswith(("bam1.", "bam2.", "bam3."))}


def test_the_names_are_those_of_the_authors_release() -> None:
    names = [name for name in Bam(CHANNELS).state_dict() if not name.endswith("num_batches_tracked")]
    norm = ("weight", "bias", "running_mean", "running_var")
    channel = "channel_att.gate_c.gate_c_"
    spatial = "spatial_att.gate_s.gate_s_"
    assert names == [
        *(f"{channel}fc_0.{part}" for part in norm[:2]),
        *(f"{channel}bn_1.{part}" for part in norm),
        *(f"{channel}fc_final.{part}" for part in norm[:2]),
        *(f"{spatial}conv_reduce0.{part}" for part in norm[:2]),
        *(f"{spatial}bn_reduce0.{part}" for part in norm),
        *(f"{spatial}conv_di_0.{part}" for part in norm[:2]),
        *(f"{spatial}bn_di_0.{part}" for part in norm),
        *(f"{spatial}conv_di_1.{part}" for part in norm[:2]),
        *(f"{spatial}bn_di_1.{part}" for part in norm),
        *(f"{spatial}conv_final.{part}" for part in norm[:2]),
    ]


@pytest.mark.parametrize("architecture", ["mobilenet_1.0", "vgg16_bn", "efficientnet_lite0", "torchvision:resnet50"])
def test_networks_that_are_not_residual_refuse_it(architecture: str) -> None:
    with pytest.raises(ValueError, match="between the stages of a residual network"):
        build_any_network(architecture, attention=Attention.BAM)


def test_it_cannot_be_put_into_a_foreign_network() -> None:
    with pytest.raises(ValueError, match="between the stages of a residual network"):
        insert_cbam(nn.Sequential(nn.Conv2d(3, 4, 3)), attention=Attention.BAM)
