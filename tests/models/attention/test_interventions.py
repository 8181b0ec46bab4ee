"""Changed gates: each change against gates computed by hand, scopes, and the rest of the forward pass."""

import pytest
import torch
import torchvision

from models.attention.cbam import Cbam
from models.attention.design import AttentionDesign
from models.attention.factory import find_factory
from models.attention.interventions import (
    ALLOWED_CHANGES,
    BlockChange,
    Intervention,
    find_change,
    list_allowed_changes,
    list_scopes,
    parse_interventions,
)
from models.insertion import insert_cbam
from models.insertion.building import build_any_network
from models.lineups.lineup import Lineup
from models.names import Attention, ChannelPooling, GateChange, GateKind, Stage

BLOCKS = ("layer1.0", "layer1.1", "layer2.0", "layer10.0")


@pytest.fixture
def features(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, 8, 5, 6, generator=generator)


@pytest.fixture
def attention() -> Cbam:
    torch.manual_seed(3)
    attention = Cbam(8, AttentionDesign(reduction=2, kernel_size=3)).eval()
    assert attention.SpatialGate is not None
    torch.nn.init.ones_(attention.SpatialGate.spatial.get_parameter("bn.weight"))
    return attention.requires_grad_(False)


def test_neutral_gates_are_their_own_mean_everywhere(attention: Cbam, features: torch.Tensor) -> None:
    _, learned = attention(features)
    _, changed = attention(features, BlockChange(channel=GateChange.NEUTRAL))
    assert torch.allclose(changed.channel, learned.channel.mean(dim=1, keepdim=True).expand(2, 8))
    _, changed = attention(features, BlockChange(spatial=GateChange.NEUTRAL))
    assert torch.allclose(changed.spatial, learned.spatial.mean(dim=(1, 2), keepdim=True).expand(2, 5, 6))
    assert torch.equal(changed.channel, learned.channel)


def test_inverted_spatial_gate_is_one_minus_the_gate_and_is_applied(attention: Cbam, features: torch.Tensor) -> None:
    refined, learned = attention(features)
    other, changed = attention(features, BlockChange(spatial=GateChange.INVERT))
    assert torch.allclose(changed.spatial, 1 - learned.spatial)
    assert torch.allclose(refined + other, features * learned.channel[:, :, None, None], atol=1e-6)


def test_dropped_maxima_leave_the_mean_alone(attention: Cbam, features: torch.Tensor) -> None:
    assert attention.ChannelGate is not None
    assert attention.SpatialGate is not None
    _, changed = attention(features, BlockChange(channel=GateChange.DROP_MAX))
    assert torch.allclose(changed.channel, torch.sigmoid(attention.ChannelGate.mlp(features.mean(dim=(2, 3)))))
    gated = features * attention.ChannelGate.gate(features)[:, :, None, None]
    planes = torch.stack((torch.zeros(2, 5, 6), gated.mean(dim=1)), dim=1)
    _, changed = attention(features, BlockChange(spatial=GateChange.DROP_MAX))
    assert torch.allclose(changed.spatial, torch.sigmoid(attention.SpatialGate.spatial(planes))[:, 0], atol=1e-6)


def test_a_gate_of_maxima_alone_keeps_them(features: torch.Tensor) -> None:
    attention = Cbam(8, AttentionDesign(channel=ChannelPooling.MAXIMUM, spatial=None, reduction=2)).eval()
    _, learned = attention(features)
    _, changed = attention(features, BlockChange(channel=GateChange.DROP_MAX))
    assert torch.equal(changed.channel, learned.channel)


def test_scopes_are_all_stages_and_blocks() -> None:
    assert list_scopes(BLOCKS) == ["all", "stage1", "stage2", "stage10", *BLOCKS]


def test_find_change_takes_the_later_of_two_about_one_gate() -> None:
    interventions = parse_interventions(
        ["all:spatial:neutral", "stage1:spatial:invert", "cbam:layer1.1:channel:drop-max"],
        {"cbam": BLOCKS},
        {"cbam": Attention.CBAM},
    )
    assert find_change(interventions, "layer1.0") == BlockChange(spatial=GateChange.INVERT)
    assert find_change(interventions, "layer1.1") == BlockChange(GateChange.DROP_MAX, GateChange.INVERT)
    assert find_change(interventions, "layer10.0") == BlockChange(spatial=GateChange.NEUTRAL)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("layer9.0:spatial:neutral", "choose one of all, stage1"),
        ("all:temporal:neutral", "choose spatial or channel"),
        ("all:channel:invert", "choose neutral or drop-max"),
        ("all", "choose spatial or channel"),
    ],
)
def test_parse_interventions_says_what_may_be_written(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_interventions([text], {"cbam": BLOCKS}, {"cbam": Attention.CBAM})


@pytest.mark.parametrize(
    ("text", "blocks", "sentence"),
    [
        (
            "all:spatial:neutral",
            {"se": BLOCKS, "cbam": BLOCKS},
            "names no network whose gates can be changed; choose one of se, cbam",
        ),
        ("baseline:all:spatial:neutral", {"se": BLOCKS, "cbam": BLOCKS}, "choose one of se, cbam"),
        ("all:spatial:neutral", {}, "no network of this lineup has gates that can be changed"),
    ],
)
def test_parse_interventions_needs_the_network_where_several_have_gates(
    text: str, blocks: dict[str, tuple[str, ...]], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        parse_interventions([text], blocks, dict.fromkeys(blocks, Attention.CBAM))


def test_parse_interventions_keeps_the_network_that_is_named() -> None:
    texts = ["se:all:channel:neutral", "cbam:stage1:spatial:invert"]
    found = parse_interventions(
        texts, {"se": BLOCKS, "cbam": BLOCKS}, {"se": Attention.CBAM_K3, "cbam": Attention.CBAM}
    )
    assert [intervention.network for intervention in found] == ["se", "cbam"]
    assert [str(intervention) for intervention in found] == texts


@pytest.mark.parametrize("attention", [attention for attention in Attention if attention is not Attention.NONE])
def test_change_is_taken_where_it_has_an_effect_and_refused_elsewhere(
    attention: Attention, generator: torch.Generator
) -> None:
    """Every change of every kind of gate, tried on the module itself, whose gates are not flat."""
    if attention in (Attention.BAM, Attention.OWN):
        assert list_allowed_changes(attention) == {}
        return
    factory = find_factory(attention)
    assert factory is not None
    module = factory(32).eval()
    for name, parameter in module.named_parameters():
        torch.nn.init.normal_(parameter, generator=generator) if "bn" in name else None
    features = torch.randn(1, 32, 8, 8, generator=generator)
    with torch.no_grad():
        _, learned = module(features)
        for kind, changes in ALLOWED_CHANGES.items():
            for change in changes:
                block = BlockChange(**{kind.value: change})  # type: ignore[arg-type]
                gate = getattr(learned, kind.value)
                changed = getattr(module(features, block)[1], kind.value)
                has_effect = gate is not None and not torch.equal(gate, changed)
                assert (change in list_allowed_changes(attention).get(kind, ())) is has_effect, (kind, change)
                text = f"it:all:{kind.value}:{change.value}"
                if has_effect:
                    assert len(parse_interventions([text], {"it": BLOCKS}, {"it": attention})) == 1
                else:
                    with pytest.raises(ValueError, match="would change nothing: it has"):
                        parse_interventions([text], {"it": BLOCKS}, {"it": attention})


def test_interventions_read_back_as_they_are_written() -> None:
    intervention = Intervention("cbam", "stage2", GateKind.SPATIAL, GateChange.NEUTRAL)
    assert parse_interventions([str(intervention)], {"cbam": BLOCKS}, {"cbam": Attention.CBAM}) == (intervention,)


@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_1.0", "torchvision:mobilenet_v3_small"])
def test_every_network_takes_interventions_in_trace_and_resume(architecture: str, generator: torch.Generator) -> None:
    network = build_any_network(architecture, attention=Attention.CBAM, class_count=4).eval()
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    interventions = parse_interventions(
        ["all:channel:neutral"], {"it": list(trace_blocks(network, batch))}, {"it": Attention.CBAM}
    )
    with torch.no_grad():
        learned = network.trace(batch)
        changed = network.trace(batch, interventions=interventions)
        for gates in changed.attentions.values():
            assert gates.channel is not None
            assert gates.channel.std().item() < 1e-6
        assert not torch.equal(learned.features[Stage.ONE], changed.features[Stage.ONE])
        for stage in Stage:
            again = network.resume(changed.features[stage], after=stage, interventions=interventions)
            assert torch.allclose(again, changed.logits, rtol=1e-4, atol=1e-5)


def trace_blocks(network: torch.nn.Module, batch: torch.Tensor) -> list[str]:
    with torch.no_grad():
        return list(network.trace(batch).attentions)  # type: ignore[operator]


def test_interventions_leave_nothing_on_the_network(lineup: Lineup, generator: torch.Generator) -> None:
    network = lineup.networks["cbam"]
    batch = torch.randn(1, 3, 96, 96, generator=generator)
    with torch.no_grad():
        before = network.trace(batch).logits
        network.trace(batch, interventions=[Intervention("cbam", "all", GateKind.SPATIAL, GateChange.INVERT)])
        assert torch.equal(network.trace(batch).logits, before)


def test_inserted_gates_that_are_neutral_already_change_nothing(generator: torch.Generator) -> None:
    network = insert_cbam(torchvision.models.resnet18(weights=None, num_classes=4))
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        changed = network.trace(
            batch, interventions=[Intervention("cbam", "all", GateKind.SPATIAL, GateChange.NEUTRAL)]
        )
        assert torch.equal(changed.logits, network.trace(batch).logits)
