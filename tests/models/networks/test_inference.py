"""Networks prepared for inference equal the trained ones within stated limits."""

import pytest
import torch
from torch import nn

from models.attention.cbam import Cbam
from models.attention.module import AttentionModule
from models.insertion import adopt_network
from models.insertion.building import build_any_network
from models.lineups.lineup import Lineup
from models.names import Attention, GateKind, NetworkName, Precision, Stage
from models.networks.inference import DTYPES, prepare_for_inference
from models.networks.resnet import ResNet, ResNetShape

pytestmark = pytest.mark.slow

# The limits of each precision: the largest difference of a logit, and of a gate.
BOUNDS = {Precision.FP32: (1e-4, 1e-5), Precision.BF16: (0.5, 0.1), Precision.FP16: (0.05, 0.02)}


@pytest.fixture
def batch(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, 3, 160, 160, generator=generator)


@pytest.mark.parametrize("name", ["baseline", "cbam"])
@pytest.mark.parametrize("precision", Precision)
def test_inference_form_equals_the_trained_network_within_its_bound(
    lineup: Lineup, batch: torch.Tensor, name: NetworkName, precision: Precision
) -> None:
    network = lineup.networks[name]
    prepared = prepare_for_inference(network, precision=precision)
    with torch.no_grad():
        expected, trace = network.trace(batch), prepared.trace(batch.to(DTYPES[precision]))
    logit_bound, gate_bound = BOUNDS[precision]
    assert (expected.logits - trace.logits.float()).abs().max() <= logit_bound
    for block, gates in expected.attentions.items():
        rough = trace.attentions[block]
        for exact_gate, rough_gate in ((gates.spatial, rough.spatial), (gates.channel, rough.channel)):
            assert exact_gate is not None
            assert rough_gate is not None
            assert (exact_gate - rough_gate.float()).abs().max() <= gate_bound


@pytest.mark.parametrize("architecture", ["resnet18", "torchvision:mobilenet_v3_small"])
@pytest.mark.parametrize("attention", [Attention.ECA, Attention.COORDINATE, Attention.SIMAM, Attention.TRIPLET])
def test_inference_form_of_other_attention_computes_the_same_gates(
    architecture: str, attention: Attention, generator: torch.Generator
) -> None:
    torch.manual_seed(4)
    network = build_any_network(architecture, attention=attention, class_count=4).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.rand(module.num_features, generator=generator) - 0.5
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
    batch = torch.randn(1, 3, 64, 96, generator=generator)
    prepared = prepare_for_inference(network)
    with torch.no_grad():
        expected, trace = network.trace(batch), prepared.trace(batch)
    torch.testing.assert_close(trace.logits, expected.logits, rtol=1e-4, atol=1e-4)
    for block, gates in expected.attentions.items():
        for kind in GateKind:
            torch.testing.assert_close(
                getattr(trace.attentions[block], kind),
                getattr(gates, kind),
                rtol=1e-4,
                atol=1e-5,
                msg=f"{block} {kind}",
            )
    own = [part for part in prepared.modules() if isinstance(part, AttentionModule)]
    assert own
    assert not [norm for part in own for norm in part.modules() if isinstance(norm, nn.BatchNorm2d)]


@pytest.mark.parametrize("depth", [18, 50])
def test_inference_form_has_no_norm_left_and_the_trained_network_keeps_its_own(depth: int) -> None:
    network = ResNet(ResNetShape(depth), attention=Cbam, class_count=4).eval()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    prepared = prepare_for_inference(network)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in prepared.modules())
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_inference_form_is_exact_where_the_statistics_are_not_the_defaults(generator: torch.Generator) -> None:
    """Set BatchNorm statistics; initial ones, 0 and 1, would hide a folding that ignores them."""
    network = ResNet(ResNetShape(50), attention=Cbam, class_count=4).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.rand(module.num_features, generator=generator) - 0.5
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
            nn.init.uniform_(module.weight, 0.5, 1.0, generator=generator)
            nn.init.uniform_(module.bias, -0.2, 0.2, generator=generator)
    batch = torch.randn(1, 3, 96, 64, generator=generator)
    with torch.no_grad():
        expected, trace = network.trace(batch), prepare_for_inference(network).trace(batch)
    for stage in Stage:
        scale = expected.features[stage].abs().max()
        assert (expected.features[stage] - trace.features[stage]).abs().max() <= 1e-5 * scale
    assert (expected.logits - trace.logits).abs().max() <= 1e-5 * expected.logits.abs().max()


def test_inference_form_refuses_a_network_in_training_mode() -> None:
    with pytest.raises(ValueError, match="call eval"):
        prepare_for_inference(ResNet(ResNetShape(18), class_count=2).train())


def test_optimised_lineup_keeps_the_parameter_counts_of_the_trained_one(lineup: Lineup) -> None:
    assert lineup.optimise().parameter_counts == lineup.parameter_counts


class PreActivation(nn.Module):
    """Named like a residual network, but each `bn` runs before its `conv`: names do not show what may be folded."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 8, 3, padding=1)
        for stage in range(1, 5):
            self.add_module(f"bn{stage}", nn.BatchNorm2d(8))
            self.add_module(f"conv{stage}", nn.Conv2d(8, 8, 3, stride=2, padding=1))
        self.fc = nn.Linear(8, 3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        hidden = self.stem(batch)
        for stage in range(1, 5):
            norm, convolution = self.get_submodule(f"bn{stage}"), self.get_submodule(f"conv{stage}")
            hidden = convolution(torch.relu(norm(hidden)))
        logits: torch.Tensor = self.fc(hidden.mean(dim=(2, 3)))
        return logits


def test_inference_form_of_anothers_network_folds_by_its_graph(generator: torch.Generator) -> None:
    torch.manual_seed(5)
    original = PreActivation().eval()
    for module in original.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, mean=1)
            nn.init.normal_(module.bias)
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        assert torch.allclose(prepare_for_inference(adopt_network(original))(batch), original(batch), atol=1e-5)
