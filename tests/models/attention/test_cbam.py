"""CBAM's two equations against values computed by hand."""

import math

import pytest
import torch

from models.attention.cbam import Cbam, ChannelAttention, SpatialAttention
from models.attention.design import AttentionDesign

# Channel 0 has mean 2.5 and maximum 4, channel 1 mean 1 and maximum 3.
FEATURES = torch.tensor([[[[1.0, 2.0], [3.0, 4.0]], [[0.0, 1.0], [3.0, 0.0]]]])


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def make_channel_attention() -> ChannelAttention:
    """Hidden = relu(a - b); outputs = (hidden + 0.5, -hidden)."""
    attention = ChannelAttention(2, reduction=2)
    attention.load_state_dict(
        {
            "mlp.1.weight": torch.tensor([[1.0, -1.0]]),
            "mlp.1.bias": torch.tensor([0.0]),
            "mlp.3.weight": torch.tensor([[1.0], [-1.0]]),
            "mlp.3.bias": torch.tensor([0.5, 0.0]),
        }
    )
    return attention


def make_spatial_attention(*, maximum_weight: float, mean_weight: float) -> SpatialAttention:
    """Only the kernel's centre has weight; the BatchNorm is the identity except for its epsilon."""
    attention = SpatialAttention().eval()
    kernel = torch.zeros(1, 2, 7, 7)
    kernel[0, 0, 3, 3], kernel[0, 1, 3, 3] = maximum_weight, mean_weight
    attention.spatial.get_submodule("conv").load_state_dict({"weight": kernel})
    torch.nn.init.ones_(attention.spatial.get_parameter("bn.weight"))
    return attention


def test_channel_attention_matches_equation_worked_by_hand() -> None:
    refined, gate = make_channel_attention()(FEATURES)
    # mean: hidden = 2.5 - 1 = 1.5 -> (2.0, -1.5); maximum: hidden = 4 - 3 = 1 -> (1.5, -1.0).
    expected = [sigmoid(2.0 + 1.5), sigmoid(-1.5 - 1.0)]
    assert gate[0].tolist() == pytest.approx(expected, abs=1e-6)
    assert refined[0, 0, 1, 1].item() == pytest.approx(4 * expected[0], abs=1e-6)
    assert refined[0, 1, 1, 0].item() == pytest.approx(3 * expected[1], abs=1e-6)


def test_spatial_attention_matches_equation_worked_by_hand() -> None:
    refined, gate = make_spatial_attention(maximum_weight=1.0, mean_weight=-2.0)(FEATURES)
    # At (1, 0) the channels are 3 and 3: maximum 3, mean 3; at (1, 1) they are 4 and 0: maximum 4, mean 2.
    scale = 1 / math.sqrt(1 + 1e-5)
    assert gate[0, 1, 0].item() == pytest.approx(sigmoid((3 - 6) * scale), abs=1e-6)
    assert gate[0, 1, 1].item() == pytest.approx(sigmoid((4 - 4) * scale), abs=1e-6)
    assert refined[0, 0, 1, 0].item() == pytest.approx(3 * sigmoid((3 - 6) * scale), abs=1e-6)


def test_spatial_attention_stacks_maximum_before_mean() -> None:
    _, by_maximum = make_spatial_attention(maximum_weight=1.0, mean_weight=0.0)(FEATURES)
    scale = 1 / math.sqrt(1 + 1e-5)
    assert by_maximum[0, 1, 1].item() == pytest.approx(sigmoid(4 * scale), abs=1e-6)


def test_cbam_gates_channels_before_positions() -> None:
    cbam = Cbam(2, AttentionDesign(reduction=2)).eval()
    cbam.ChannelGate = make_channel_attention()
    cbam.SpatialGate = make_spatial_attention(maximum_weight=1.0, mean_weight=0.0)
    refined, gates = cbam(FEATURES)
    after_channel = FEATURES * gates.channel[:, :, None, None]
    scale = 1 / math.sqrt(1 + 1e-5)
    assert torch.allclose(gates.spatial, torch.sigmoid(after_channel.amax(dim=1) * scale), atol=1e-6)
    assert torch.allclose(refined, after_channel * gates.spatial[:, None], atol=1e-6)


def test_cbam_spatial_gate_is_flat_half_before_training(generator: torch.Generator) -> None:
    _, gates = Cbam(32).eval()(torch.randn(2, 32, 9, 5, generator=generator))
    assert torch.equal(gates.spatial, torch.full((2, 9, 5), 0.5))


@pytest.mark.parametrize("shape", [(1, 32, 1, 1), (3, 32, 7, 7), (2, 32, 5, 14)])
def test_cbam_keeps_shape_and_gate_range_at_any_size(
    shape: tuple[int, int, int, int], generator: torch.Generator
) -> None:
    refined, gates = Cbam(32).eval()(torch.randn(shape, generator=generator) * 10)
    count, channels, height, width = shape
    assert refined.shape == shape
    assert gates.channel.shape == (count, channels)
    assert gates.spatial.shape == (count, height, width)
    for gate in (gates.channel, gates.spatial):
        assert gate.min() >= 0
        assert gate.max() <= 1


def test_cbam_names_its_tensors_as_the_authors_release_does() -> None:
    assert {name for name, _ in Cbam(64).named_parameters()} == {
        "ChannelGate.mlp.1.weight",
        "ChannelGate.mlp.1.bias",
        "ChannelGate.mlp.3.weight",
        "ChannelGate.mlp.3.bias",
        "SpatialGate.spatial.conv.weight",
        "SpatialGate.spatial.bn.weight",
        "SpatialGate.spatial.bn.bias",
    }
