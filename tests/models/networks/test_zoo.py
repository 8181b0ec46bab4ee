"""Every architecture with every attention: sizes against the paper's table, traces, gates."""

import pytest
import torch

from models.attention.cbam import Cbam
from models.attention.design import DESIGNS, AttentionDesign
from models.lineups.lineup import Lineup
from models.names import Attention, ChannelPooling, GateOrder, NetworkName, SpatialPooling, Stage, Stem, StridePlacement
from models.networks.counting import count_network, read_recorded_counts
from models.networks.paper import ABLATION_TOP1_ERRORS, PAPER_TABLE
from models.networks.staged import StagedNetwork
from models.networks.zoo import ARCHITECTURES, build_network, count_multiply_adds, count_parameters, find_stem

pytestmark = pytest.mark.slow

LARGE = frozenset({"vgg16_bn", "resnet101", "resnext101_32x4d"})
SMALL_ARCHITECTURES = [name for name in ARCHITECTURES if name not in LARGE]


def build_on_meta(architecture: str, attention: Attention, placement: StridePlacement) -> StagedNetwork:
    with torch.device("meta"):
        return build_network(architecture, attention=attention, stride_placement=placement).eval()


@pytest.mark.parametrize(
    ("architecture", "parameters"),
    [("resnet18", 11_779_392), ("resnet34", 21_960_468), ("resnet50", 28_089_624), ("resnet101", 49_330_172)],
)
def test_parameters_with_cbam_equal_the_authors_to_the_unit(architecture: str, parameters: int) -> None:
    assert count_parameters(build_on_meta(architecture, Attention.CBAM, StridePlacement.V1_5)) == parameters


@pytest.mark.parametrize(("architecture", "attention"), PAPER_TABLE)
def test_parameters_equal_the_papers_to_its_last_digit(architecture: str, attention: Attention) -> None:
    millions = count_parameters(build_on_meta(architecture, attention, StridePlacement.V1)) / 1e6
    # The table has two decimals: half a unit of the last one, plus a float's rounding.
    assert millions == pytest.approx(PAPER_TABLE[architecture, attention].parameters_millions, abs=0.00501)


@pytest.mark.parametrize(
    ("architecture", "attention"),
    [pytest.param(*key, marks=pytest.mark.slow if key[0] in LARGE else ()) for key in PAPER_TABLE],
)
def test_multiply_adds_are_the_papers_within_one_percent_or_say_why(architecture: str, attention: Attention) -> None:
    count = count_network(architecture, attention)
    billions = PAPER_TABLE[architecture, attention].multiply_adds_billions
    assert count.multiply_adds_v1 / 1e9 == pytest.approx(billions, rel=0.01)
    is_as_in_the_paper = count.multiply_adds / 1e9 == pytest.approx(billions, rel=0.01)
    assert is_as_in_the_paper or "stride on the first 1x1" in count.remark


@pytest.mark.parametrize("architecture", ["resnet18", "resnet50"])
def test_overhead_of_cbam_in_multiply_adds_is_the_papers(architecture: str) -> None:
    ours = {
        attention: count_network(architecture, attention).multiply_adds_v1 / 1e9
        for attention in (Attention.NONE, Attention.CBAM)
    }
    paper = {attention: PAPER_TABLE[architecture, attention].multiply_adds_billions for attention in ours}
    overhead = ours[Attention.CBAM] - ours[Attention.NONE]
    assert overhead == pytest.approx(paper[Attention.CBAM] - paper[Attention.NONE], abs=0.001)


def test_vgg_says_why_the_paper_has_no_figure() -> None:
    (count,) = (
        row for row in read_recorded_counts() if row.architecture == "vgg16_bn" and row.attention is Attention.CBAM
    )
    assert count.paper is None
    assert "detection" in count.remark


def test_build_network_refuses_unknown_name() -> None:
    with pytest.raises(KeyError, match="choose one of resnet18"):
        build_network("resnet19")


@pytest.mark.parametrize("architecture", SMALL_ARCHITECTURES)
@pytest.mark.parametrize(
    "attention", [Attention.NONE, pytest.param(Attention.SE, marks=pytest.mark.slow), Attention.CBAM]
)
def test_every_network_traces_four_stages_and_resumes_from_each(
    architecture: str, attention: Attention, generator: torch.Generator
) -> None:
    network = build_network(architecture, attention=attention, class_count=5).eval()
    # CIFAR's stem leaves the map as large as the input, the others a quarter of it.
    height, width = (16, 24) if find_stem(architecture) is Stem.CIFAR else (64, 96)
    batch = torch.randn(2, 3, height, width, generator=generator)
    with torch.no_grad():
        trace = network.trace(batch)
        assert torch.equal(network(batch), trace.logits)
        for stage in Stage:
            assert torch.equal(network.resume(trace.features[stage], after=stage), trace.logits)
    assert [tuple(trace.features[stage].shape[2:]) for stage in Stage] == [(16, 24), (8, 12), (4, 6), (2, 3)]
    assert bool(trace.attentions) is (attention is not Attention.NONE)


def test_vgg_traces_the_groups_before_their_pooling(generator: torch.Generator) -> None:
    network = build_network("vgg16_bn", attention=Attention.CBAM, class_count=5).eval()
    with torch.no_grad():
        trace = network.trace(torch.randn(1, 3, 64, 96, generator=generator))
        for stage in Stage:
            assert torch.allclose(network.resume(trace.features[stage], after=stage), trace.logits, rtol=1e-4)
    sizes = [tuple(trace.features[stage].shape[1:]) for stage in Stage]
    assert sizes == [(128, 32, 48), (256, 16, 24), (512, 8, 12), (512, 4, 6)]
    assert list(trace.attentions) == ["layer1.0", "layer1.1", "layer2.0", "layer3.0", "layer4.0"]
    assert network.linear_head is None


def test_mobilenet_has_attention_behind_each_of_its_26_convolutions(generator: torch.Generator) -> None:
    network = build_network("mobilenet_1.0", attention=Attention.CBAM, class_count=5).eval()
    with torch.no_grad():
        attentions = network.trace(torch.randn(1, 3, 64, 64, generator=generator)).attentions
    assert len(attentions) == 26
    assert list(attentions)[:3] == ["layer1.0.depthwise", "layer1.0.pointwise", "layer1.1.depthwise"]


@pytest.mark.parametrize("attention", [name for name, design in DESIGNS.items() if design is not None])
def test_every_attention_of_a_block_gives_the_gates_of_its_design(
    attention: Attention, generator: torch.Generator
) -> None:
    design = DESIGNS[attention]
    assert design is not None
    network = build_network("resnet18", attention=attention, class_count=3).eval()
    with torch.no_grad():
        gates = network.trace(torch.randn(2, 3, 64, 64, generator=generator)).attentions["layer2.1"]
    assert (gates.channel is not None) is (design.channel is not None)
    assert (gates.spatial is not None) is (design.spatial is not None)
    if gates.channel is not None:
        assert gates.channel.shape == (2, 128)
    if gates.spatial is not None:
        assert gates.spatial.shape == (2, 8, 8)


def test_a_design_of_ones_own_is_built_like_a_named_one(generator: torch.Generator) -> None:
    design = AttentionDesign(channel=None, spatial=SpatialPooling.CONVOLUTION, kernel_size=5)
    network = build_network("resnet18", attention=design, class_count=3).eval()
    with torch.no_grad():
        gates = network.trace(torch.randn(1, 3, 64, 64, generator=generator)).attentions["layer1.0"]
    assert gates.channel is None
    assert gates.spatial is not None


@pytest.mark.parametrize("broken", [{"channel": None, "spatial": None}, {"kernel_size": 4}, {"reduction": 0}])
def test_a_design_without_meaning_is_refused(broken: dict[str, int | None]) -> None:
    with pytest.raises(ValueError, match=r"has none|the second odd"):
        AttentionDesign(**broken)  # type: ignore[arg-type]


def test_every_row_of_the_ablations_can_be_built() -> None:
    assert set(ABLATION_TOP1_ERRORS) == set(DESIGNS) == set(Attention) - {Attention.BAM, Attention.OWN}


class TestOrder:
    """The three orders of the two gates, compared with each gate alone."""

    @pytest.fixture
    def features(self, generator: torch.Generator) -> torch.Tensor:
        return torch.randn(2, 8, 5, 6, generator=generator)

    @staticmethod
    def make(order: GateOrder) -> Cbam:
        torch.manual_seed(3)
        attention = Cbam(8, AttentionDesign(order=order, reduction=2, kernel_size=3)).eval()
        assert attention.SpatialGate is not None
        torch.nn.init.ones_(attention.SpatialGate.spatial.get_parameter("bn.weight"))
        return attention

    @pytest.mark.parametrize("order", GateOrder)
    def test_gates_see_what_the_order_says(self, features: torch.Tensor, order: GateOrder) -> None:
        attention = self.make(order)
        assert attention.ChannelGate is not None
        assert attention.SpatialGate is not None
        with torch.no_grad():
            refined, gates = attention(features)
            channel_first, spatial_first = attention.ChannelGate.gate(features), attention.SpatialGate.gate(features)
            channel_seen = features * spatial_first[:, None] if order is GateOrder.SPATIAL_FIRST else features
            spatial_seen = features * channel_first[:, :, None, None] if order is GateOrder.CHANNEL_FIRST else features
            assert torch.allclose(gates.channel, attention.ChannelGate.gate(channel_seen))
            assert torch.allclose(gates.spatial, attention.SpatialGate.gate(spatial_seen))
        assert torch.allclose(refined, features * gates.channel[:, :, None, None] * gates.spatial[:, None])

    @pytest.mark.parametrize("pooling", ChannelPooling)
    def test_channel_gate_sees_what_its_pooling_says(self, features: torch.Tensor, pooling: ChannelPooling) -> None:
        torch.manual_seed(4)
        attention = Cbam(8, AttentionDesign(channel=pooling, spatial=None, reduction=2)).eval()
        assert attention.ChannelGate is not None
        mlp = attention.ChannelGate.mlp
        with torch.no_grad():
            gate = attention.ChannelGate.gate(features)
            average, maximum = mlp(features.mean(dim=(2, 3))), mlp(features.amax(dim=(2, 3)))
        expected = {
            ChannelPooling.AVERAGE: average,
            ChannelPooling.MAXIMUM: maximum,
            ChannelPooling.BOTH: average + maximum,
        }
        assert torch.allclose(gate, torch.sigmoid(expected[pooling]))


@pytest.mark.parametrize("name", ["baseline", "cbam"])
def test_card_states_the_multiply_adds_that_are_counted(lineup: Lineup, name: NetworkName) -> None:
    side = lineup.card.preprocessing.resolution
    counted = count_multiply_adds(lineup.networks[name], height=side, width=side)
    assert lineup.card.networks[name].multiply_adds == lineup.multiply_adds[name] == counted
