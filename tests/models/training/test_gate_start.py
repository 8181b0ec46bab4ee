import pytest
import torch

from models.names import Attention
from models.networks.zoo import build_network
from models.training.learning.gate_start import start_gates
from tests.models.training.conftest import make_recipe


@pytest.mark.parametrize("attention", [Attention.CBAM, Attention.SE, Attention.CBAM_CONV1X1_K7, Attention.CHANNEL_MAX])
def test_gates_start_with_the_recipes_deviations_and_a_mean_of_a_half(
    generator: torch.Generator, attention: Attention
) -> None:
    torch.manual_seed(1)
    network = build_network("efficientnet_lite0", attention=attention, class_count=10).eval()
    pictures = torch.randn(8, 3, 64, 64, generator=generator)
    recipe = make_recipe(channel_gate={"initial_deviation": 0.03}, spatial_gate={"initial_deviation": 0.05})
    start_gates(network, pictures, recipe)
    with torch.inference_mode():
        blocks = network.trace(pictures).attentions.values()
    for block in blocks:
        assert block.channel is not None
        # No gate is dead, and each picture has its own.
        assert block.channel.var(dim=0, unbiased=False).mean().sqrt() == pytest.approx(0.03, rel=0.2)
        assert block.channel.mean() == pytest.approx(0.5, abs=0.01)
        if block.spatial is not None and block.spatial.shape[1] > 2:
            assert block.spatial.var(dim=(1, 2)).mean().sqrt() == pytest.approx(0.05, rel=0.35)
            assert block.spatial.mean() == pytest.approx(0.5, abs=0.03)


def test_kind_without_a_deviation_stays_as_it_is(generator: torch.Generator) -> None:
    network = build_network("efficientnet_lite0", attention=Attention.CBAM, class_count=10).eval()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    recipe = make_recipe(channel_gate={"initial_deviation": 0.02})
    start_gates(network, torch.randn(4, 3, 64, 64, generator=generator), recipe)
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(".ChannelGate." in name for name in changed)
