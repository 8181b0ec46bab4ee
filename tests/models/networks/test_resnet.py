import pytest
import torch
import torchvision

from models.attention.cbam import Cbam
from models.lineups.lineup import Lineup
from models.names import NetworkName, Stage, StridePlacement
from models.networks.resnet import ResNet, ResNetShape


def make_batch(generator: torch.Generator, *, count: int = 2, height: int = 64, width: int = 96) -> torch.Tensor:
    return torch.randn(count, 3, height, width, generator=generator)


@pytest.mark.parametrize("depth", [18, 50])
def test_resnet_equals_torchvision_with_the_same_weights(depth: int, generator: torch.Generator) -> None:
    theirs = getattr(torchvision.models, f"resnet{depth}")(weights=None, num_classes=10).eval()
    ours = ResNet(ResNetShape(depth), class_count=10).eval()
    ours.load_state_dict(theirs.state_dict())
    batch = make_batch(generator)
    with torch.no_grad():
        assert torch.allclose(ours(batch), theirs(batch), rtol=1e-4, atol=1e-4)


def test_resnet_refuses_unknown_depth() -> None:
    with pytest.raises(ValueError, match="depth 19 is not known; choose one of 18, 34, 50, 101"):
        ResNetShape(19)


def test_stride_placement_moves_the_stride_of_a_bottleneck() -> None:
    strides = {}
    for placement in StridePlacement:
        block = ResNet(ResNetShape(50, stride_placement=placement)).stage(Stage.TWO)[0]
        strides[placement] = tuple(block.get_submodule(f"conv{index}").stride[0] for index in (1, 2, 3))  # type: ignore[index]
    assert strides == {StridePlacement.V1: (2, 1, 1), StridePlacement.V1_5: (1, 2, 1)}


@pytest.mark.parametrize("name", ["baseline", "cbam"])
def test_trace_agrees_with_forward(lineup: Lineup, name: NetworkName, generator: torch.Generator) -> None:
    network, batch = lineup.networks[name], make_batch(generator)
    with torch.no_grad():
        assert torch.equal(network.trace(batch).logits, network(batch))


def test_trace_keeps_asked_for_stages_at_their_sizes(lineup: Lineup, generator: torch.Generator) -> None:
    network = lineup.networks["cbam"]
    with torch.no_grad():
        trace = network.trace(make_batch(generator), stages={Stage.ONE, Stage.FOUR})
    assert {stage: tuple(features.shape) for stage, features in trace.features.items()} == {
        Stage.ONE: (2, 64, 16, 24),
        Stage.FOUR: (2, 512, 2, 3),
    }


def test_trace_names_blocks_in_the_order_they_run(generator: torch.Generator) -> None:
    with torch.no_grad():
        trace = (
            ResNet(ResNetShape(50), attention=Cbam, class_count=3)
            .eval()
            .trace(make_batch(generator, height=32, width=32))
        )
    counts = (3, 4, 6, 3)
    assert list(trace.attentions) == [
        f"layer{stage}.{i}" for stage, count in enumerate(counts, 1) for i in range(count)
    ]


def test_trace_of_a_baseline_has_no_gates(lineup: Lineup, generator: torch.Generator) -> None:
    with torch.no_grad():
        assert lineup.networks["baseline"].trace(make_batch(generator)).attentions == {}


@pytest.mark.parametrize("stage", Stage)
def test_resume_completes_the_forward_pass_from_any_stage(
    lineup: Lineup, stage: Stage, generator: torch.Generator
) -> None:
    network = lineup.networks["cbam"]
    with torch.no_grad():
        trace = network.trace(make_batch(generator))
        assert torch.equal(network.resume(trace.features[stage], after=stage), trace.logits)


def test_trace_of_one_picture_does_not_depend_on_its_batch(lineup: Lineup, generator: torch.Generator) -> None:
    network, batch = lineup.networks["cbam"], make_batch(generator, count=4)
    with torch.no_grad():
        together, alone = network.trace(batch), network.trace(batch[2:3])
    assert torch.allclose(together.logits[2:3], alone.logits, atol=1e-4)
    for name, gates in alone.attentions.items():
        both = together.attentions[name].spatial
        assert both is not None
        assert gates.spatial is not None
        assert torch.allclose(both[2:3], gates.spatial, atol=1e-5)


def test_trace_leaves_nothing_on_the_network(lineup: Lineup, generator: torch.Generator) -> None:
    network = lineup.networks["cbam"]
    before = {name: set(vars(module)) for name, module in network.named_modules()}
    with torch.no_grad():
        network.trace(make_batch(generator))
    assert {name: set(vars(module)) for name, module in network.named_modules()} == before
    assert all(not module._forward_hooks for module in network.modules())


def test_lineup_differs_by_attention_alone() -> None:
    baseline = set(ResNet(ResNetShape(18)).state_dict())
    cbam = set(ResNet(ResNetShape(18), attention=Cbam).state_dict())
    assert baseline < cbam
    assert all(".cbam." in name for name in cbam - baseline)
