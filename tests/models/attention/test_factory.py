"""What holds for every attention that stands in blocks."""

import pytest
import torch
from torch import nn

from models.attention.cbam import Cbam
from models.attention.design import DESIGNS, AttentionDesign
from models.attention.factory import FACTORIES, find_factory
from models.attention.gates import BlockAttention
from models.attention.interventions import BlockChange
from models.attention.module import AttentionModule
from models.attention.places import PLACED, find_base
from models.names import Attention, GateKind, SpatialPooling

IN_BLOCKS = [attention for attention in Attention if attention not in (Attention.NONE, Attention.BAM, Attention.OWN)]

SHAPES = [(1, 32, 1, 1), (3, 32, 7, 7), (2, 32, 5, 14)]


def make(attention: Attention, channels: int = 32) -> AttentionModule:
    """A module in evaluation mode with random weights, whose gates are not flat."""
    torch.manual_seed(3)
    factory = find_factory(attention)
    assert factory is not None
    module = factory(channels)
    assert isinstance(module, AttentionModule)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            nn.init.normal_(part.weight)
            nn.init.normal_(part.bias)
    return module.eval().requires_grad_(False)


def list_gates(gates: BlockAttention) -> dict[GateKind, torch.Tensor]:
    found = {kind: getattr(gates, kind.value) for kind in GateKind}
    return {kind: gate for kind, gate in found.items() if gate is not None}


def test_every_attention_but_bam_stands_in_blocks() -> None:
    assert set(DESIGNS) | set(FACTORIES) | {name for names in PLACED.values() for name in names.values()} == set(
        Attention
    ) - {Attention.BAM, Attention.OWN}
    assert not set(DESIGNS) & set(FACTORIES)
    with pytest.raises(ValueError, match="stands between the stages"):
        find_factory(Attention.BAM)
    assert find_factory(Attention.NONE) is None


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("attention", IN_BLOCKS)
def test_gates_have_their_kinds_shape_and_range_at_any_size(
    attention: Attention, shape: tuple[int, int, int, int], generator: torch.Generator
) -> None:
    refined, gates = make(attention)(torch.randn(shape, generator=generator) * 10)
    count, channels, height, width = shape
    shapes = {
        GateKind.SPATIAL: (count, height, width),
        GateKind.CHANNEL: (count, channels),
        GateKind.JOINT: (count, height, width),
        GateKind.ROW: (count, channels, height, 1),
        GateKind.COLUMN: (count, channels, 1, width),
    }
    assert refined.shape == shape
    found = list_gates(gates)
    assert found
    for kind, gate in found.items():
        assert gate.shape == shapes[kind]
        assert 0 <= gate.min() <= gate.max() <= 1


@pytest.mark.parametrize("attention", IN_BLOCKS)
def test_pictures_of_a_batch_do_not_change_each_other(attention: Attention, generator: torch.Generator) -> None:
    features = torch.randn(3, 32, 6, 4, generator=generator)
    module = make(attention)
    together, of_all = module(features)
    alone, of_one = module(features[1:2])
    torch.testing.assert_close(together[1:2], alone)
    for kind, gate in list_gates(of_one).items():
        torch.testing.assert_close(getattr(of_all, kind.value)[1:2], gate)


@pytest.mark.parametrize("attention", IN_BLOCKS)
def test_gates_depend_on_the_picture(attention: Attention, generator: torch.Generator) -> None:
    # 128 channels make 8 hidden units, of which some are active.
    _, gates = make(attention, 128)(torch.randn(2, 128, 6, 4, generator=generator))
    assert all(not torch.allclose(gate[0], gate[1], atol=1e-4) for gate in list_gates(gates).values())


@pytest.mark.parametrize("attention", IN_BLOCKS)
def test_opened_module_tells_what_came_in_and_out(attention: Attention, generator: torch.Generator) -> None:
    features = torch.randn(2, 32, 6, 4, generator=generator)
    module = make(attention)
    refined, gates = module(features, BlockChange(is_opened=True))
    assert module(features)[1].inside is None
    assert gates.inside is not None
    assert torch.equal(gates.inside.before, features)
    assert torch.equal(gates.inside.after, refined)


@pytest.mark.parametrize("attention", [name for name in IN_BLOCKS if find_base(name) is not Attention.SIMAM])
def test_neutral_module_divides_by_its_factor_exactly(attention: Attention, generator: torch.Generator) -> None:
    module = make(attention)
    assert module.keeps_function
    features = torch.randn(2, 32, 6, 4, generator=generator)
    factor = module.neutralise()
    refined, gates = module(features)
    assert torch.equal(refined * factor, features)
    assert all(bool((gate == gate.flatten()[0]).all()) for gate in list_gates(gates).values())


def test_a_reduction_is_that_of_named_designs() -> None:
    (wide, narrow) = (find_factory(Attention.SE, reduction=reduction)(32) for reduction in (4, None))  # type: ignore[misc]
    own = find_factory(AttentionDesign(reduction=2), reduction=4)(32)  # type: ignore[misc]
    hidden = [module.get_parameter("ChannelGate.mlp.1.weight").shape[0] for module in (wide, narrow, own)]
    assert hidden == [8, 2, 16]


def test_a_design_of_ones_own_is_made_like_a_named_one() -> None:
    module = find_factory(AttentionDesign(channel=None, spatial=SpatialPooling.CONVOLUTION))(8)  # type: ignore[misc]
    assert isinstance(module, Cbam)
    assert module.ChannelGate is None
