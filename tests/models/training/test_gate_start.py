import pytest
import torch

from models.names import Attention
from models.networks.zoo import build_network
from models.training.learning.gate_start import start_gates
from models.training.recipes.recipe import ChannelGateRecipe, Phase, Recipe, SpatialGateRecipe


def make_recipe(*, channel: float, spatial: float) -> Recipe:
    return Recipe(
        name="start",
        epochs=1,
        batch_size=8,
        phases=(Phase(start=0, shapes=((64, 64),)),),
        channel_gate=ChannelGateRecipe(initial_deviation=channel),
        spatial_gate=SpatialGateRecipe(initial_deviation=spatial),
    )


@pytest.mark.parametrize("attention", [Attention.CBAM, Attention.SE, Attention.CBAM_CONV1X1_K7, Attention.CHANNEL_MAX])
def test_gates_start_with_the_recipes_deviations_and_a_mean_of_a_half(
    generator: torch.Generator, attention: Attention
) -> None:
    torch.manual_seed(1)
    network = build_network("efficientnet_lite0", attention=attention, class_count=10).eval()
    pictures = torch.randn(8, 3, 64, 64, generator=generator)
    start_gates(network, pictures, make_recipe(channel=0.03, spatial=0.05))
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
    start_gates(network, torch.randn(4, 3, 64, 64, generator=generator), make_recipe(channel=0.02, spatial=0.0))
    changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert all(".ChannelGate." in name for name in changed)
