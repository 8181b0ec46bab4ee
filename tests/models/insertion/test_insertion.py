"""Foreign networks as they are and with CBAM: the same function, real gates, stages that can be explained."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.convnext import CNBlock
from torchvision.models.feature_extraction import NodePathTracer

from models.attention.cbam import Cbam
from models.attention.design import AttentionDesign
from models.insertion import adopt_network, insert_cbam
from models.insertion.tracing import NAME, trace_network
from models.names import Attention, Precision, Stage
from models.networks.graph_network import GraphNetwork
from models.networks.inference import DTYPES, prepare_for_inference
from models.networks.trace import Trace
from models.networks.zoo import build_network
from models.pictures.decoding import decode_picture

pytestmark = pytest.mark.slow

CLASSES = 10

# As a share of the largest logit. The factor is a power of two, so that multiplying by it does not round.
SAME = 1e-5


@dataclass(frozen=True)
class Family:
    """Facts about one of torchvision's networks, found by hand.

    Attributes:
        blocks: the number of attention modules.
        first: the first block's name in a trace, its path, and the parameters before its gates.
        channels: the channels of each stage's output.
        has_head: whether a mean and one linear layer follow stage 4.
        side: the side of stage 4's output for 224 pixels.
        options: the constructor's arguments.
    """

    name: str
    blocks: int
    first: tuple[str, str, tuple[str, ...]]
    channels: tuple[int, int, int, int]
    has_head: bool = True
    side: int = 7
    options: Mapping[str, Any] = field(default_factory=dict)


def weigh(*paths: str) -> tuple[str, ...]:
    return tuple(f"{path}.{kind}" for path in paths for kind in ("bias", "weight"))


RESNET = ("layer1.0", "layer1.0")
REGNET = ("layer1.0", "trunk_output.block1.block1-0", weigh("trunk_output.block1.block1-0.f.c.1"))
INCEPTION = weigh(*(f"inception3a.{name}.bn" for name in ("branch1", "branch2.1", "branch3.1", "branch4.1")))
FAMILIES = (
    Family("resnet18", 8, (*RESNET, weigh("layer1.0.bn2")), (64, 128, 256, 512)),
    Family("resnext50_32x4d", 16, (*RESNET, weigh("layer1.0.bn3")), (256, 512, 1024, 2048)),
    Family("wide_resnet50_2", 16, (*RESNET, weigh("layer1.0.bn3")), (256, 512, 1024, 2048)),
    Family("vgg11_bn", 5, ("layer1.0", "features.2", weigh("features.1")), (128, 256, 512, 512), False, 14),
    Family("vgg11", 5, ("layer1.0", "features.1", weigh("features.0")), (128, 256, 512, 512), False, 14),
    Family("mobilenet_v2", 17, ("layer1.0", "features.1", weigh("features.1.conv.2")), (24, 32, 96, 1280)),
    Family(
        "mobilenet_v3_small", 11, ("layer1.0", "features.1", weigh("features.1.block.2.1")), (16, 24, 48, 576), False
    ),
    Family("efficientnet_b0", 16, ("layer1.0", "features.1.0", weigh("features.1.0.block.2.1")), (24, 40, 112, 1280)),
    Family("efficientnet_v2_s", 40, ("layer1.0", "features.1.0", weigh("features.1.0.block.0.1")), (48, 64, 160, 1280)),
    Family(
        "densenet121",
        58,
        ("layer1.0", "features.denseblock1.denselayer1", ("features.denseblock1.denselayer1.conv2.weight",)),
        (128, 256, 512, 1024),
    ),
    Family(
        "googlenet",
        9,
        ("layer2.0", "inception3a", INCEPTION),
        (192, 480, 832, 1024),
        options={"init_weights": False, "transform_input": True},
    ),
    Family("regnet_y_400mf", 16, REGNET, (48, 104, 208, 440)),
    Family("regnet_x_400mf", 22, REGNET, (32, 64, 160, 400)),
    Family(
        "convnext_tiny", 18, ("layer1.0", "features.1.0", ("features.1.0.layer_scale",)), (96, 192, 384, 768), False
    ),
)


@dataclass(frozen=True)
class Case:
    """One network as torchvision makes it, adopted, and with CBAM."""

    family: Family
    original: nn.Module
    adopted: GraphNetwork
    inserted: GraphNetwork


def build(name: str, **options: Any) -> nn.Module:
    """A torchvision network in which every BatchNorm and scale has an effect."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(5)
        network: nn.Module = getattr(torchvision.models, name)(weights=None, num_classes=CLASSES, **options).eval()
    generator = torch.Generator().manual_seed(7)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean = torch.randn(module.num_features, generator=generator) * 0.2
            module.running_var = torch.rand(module.num_features, generator=generator) + 0.5
            nn.init.uniform_(module.weight, 0.3, 0.9, generator=generator)
            nn.init.uniform_(module.bias, -0.3, 0.3, generator=generator)
        if isinstance(module, CNBlock):
            nn.init.uniform_(module.layer_scale, 0.3, 0.9, generator=generator)
    return network


def open_gates(network: nn.Module, *, among: str = "") -> None:
    """Make every gate depend on its features, as after training."""
    generator = torch.Generator().manual_seed(11)
    for path, module in network.named_modules():
        if isinstance(module, Cbam) and path.startswith(among):
            nn.init.normal_(module.get_parameter("ChannelGate.mlp.3.weight"), std=0.05, generator=generator)
            nn.init.constant_(module.get_parameter("SpatialGate.spatial.bn.weight"), 0.5)


def gates_of(trace: Trace, block: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A block's channel gate and spatial gate."""
    gates = trace.attentions[block]
    assert gates.channel is not None
    assert gates.spatial is not None
    return gates.channel, gates.spatial


def gap(found: torch.Tensor, expected: torch.Tensor) -> float:
    """The largest difference, as a share of the largest value."""
    return float((found - expected).abs().max() / expected.abs().max())


def has_in_place(family: Family) -> bool:
    """Whether torchvision's own network has in-place modules; the copies have none."""
    return family.name not in {"googlenet", "convnext_tiny"}


LARGEST = {"wide_resnet50_2", "resnext50_32x4d", "vgg11_bn", "vgg11", "efficientnet_v2_s", "densenet121"}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(family, marks=pytest.mark.slow if family.name in LARGEST else (), id=family.name)
        for family in FAMILIES
    ],
)
def case(request: pytest.FixtureRequest) -> Iterator[Case]:
    family: Family = request.param
    with torch.random.fork_rng():
        torch.manual_seed(3)
        original = build(family.name, **family.options)
        case = Case(family, original, adopt_network(original), insert_cbam(original))
    for network in (case.adopted, case.inserted):
        network.requires_grad_(False)
    with torch.no_grad():
        yield case


@pytest.fixture
def photograph(motorcycle: bytes) -> torch.Tensor:
    """A photograph as a network's input that is not square, (1, 3, 128, 160)."""
    picture = decode_picture(motorcycle, max_pixels=10**6).resize((160, 128))
    values = torch.from_numpy(np.array(picture)).permute(2, 0, 1) / 255  # (3, H, W)
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return ((values - mean[:, None, None]) / deviation[:, None, None])[None]


def test_adopt_network_computes_what_the_network_computes(case: Case, photograph: torch.Tensor) -> None:
    expected = case.original(photograph)
    assert expected.std() > 0
    assert gap(case.adopted(photograph), expected) <= SAME
    assert case.adopted.insertion is None
    assert case.adopted.block_paths == {}


def test_adopt_network_keeps_the_parameter_names(case: Case) -> None:
    assert list(case.adopted.state_dict()) == list(case.original.state_dict())


def test_insert_cbam_computes_what_the_network_computed(case: Case, photograph: torch.Tensor) -> None:
    trace = case.inserted.trace(photograph)
    assert gap(trace.logits, case.original(photograph)) <= SAME
    for block in trace.attentions:
        assert {value for gate in gates_of(trace, block) for value in gate.flatten().tolist()} == {0.5}


def test_insert_cbam_reports_each_block_and_what_makes_up_for_it(case: Case, photograph: torch.Tensor) -> None:
    report = case.inserted.insertion
    assert report is not None
    assert report.is_exact
    assert len(report.points) == case.family.blocks
    first = report.points[0]
    assert (first.name, first.path, first.scaled) == case.family.first
    assert {point.name: point.path for point in report.points} == case.inserted.block_paths
    trace = case.inserted.trace(photograph)
    assert {block: gates_of(trace, block)[0].shape[1] for block in trace.attentions} == {
        point.name: point.channels for point in report.points
    }


def test_insert_cbam_leaves_the_given_network_as_it_was(case: Case, photograph: torch.Tensor) -> None:
    # The adopted network is a copy from before the insertion.
    before, after = case.adopted.state_dict(), case.original.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(value, before[name]) for name, value in after.items())
    assert any(getattr(module, "inplace", False) for module in case.original.modules()) == has_in_place(case.family)


def test_inserted_gates_are_in_the_path_once_they_differ(case: Case, photograph: torch.Tensor) -> None:
    network = copy.deepcopy(case.inserted)
    open_gates(network)
    assert gap(network(photograph), case.original(photograph)) > 1e-3


def test_stages_have_the_sizes_of_the_family(case: Case) -> None:
    features = case.inserted.trace(torch.zeros(1, 3, 224, 224)).features
    last = case.family.side
    assert [tuple(map_.shape[1:]) for map_ in features.values()] == [
        (channels, last * factor, last * factor)
        for channels, factor in zip(case.family.channels, (8, 4, 2, 1), strict=True)
    ]


def test_resume_and_gradients_work_from_every_stage(case: Case, photograph: torch.Tensor) -> None:
    network = case.inserted
    before = photograph.clone()
    trace = network.trace(photograph)
    kept = {stage: features.clone() for stage, features in trace.features.items()}
    for stage, features in trace.features.items():
        leaf = features.detach().requires_grad_()
        with torch.enable_grad():
            logits = network.resume(leaf, after=stage)
            gradient = torch.autograd.grad(logits[0, 3], leaf)[0]
        assert torch.equal(logits, trace.logits)
        assert gradient.abs().max() > 0
        assert bool(gradient.isfinite().all())
        if stage is Stage.FOUR and network.linear_head is not None:
            row = network.linear_head.weight[3] / (features.shape[2] * features.shape[3])
            assert torch.allclose(gradient[0], row[:, None, None].expand_as(gradient[0]), atol=1e-7)
    assert torch.equal(photograph, before)
    assert all(torch.equal(features, kept[stage]) for stage, features in trace.features.items())


def test_linear_head_is_there_where_a_mean_and_one_layer_follow_stage_4(case: Case) -> None:
    head = case.adopted.linear_head
    assert (head is not None) == case.family.has_head
    assert head is None or head is [module for module in case.adopted.modules() if isinstance(module, nn.Linear)][-1]


def test_inference_form_computes_what_the_network_computes(case: Case, photograph: torch.Tensor) -> None:
    network = copy.deepcopy(case.inserted)
    open_gates(network)
    prepared = prepare_for_inference(network)
    expected, trace = network.trace(photograph), prepared.trace(photograph)
    assert gap(trace.logits, expected.logits) <= 1e-3
    assert (prepared.linear_head is not None) == case.family.has_head
    assert list(trace.attentions) == list(expected.attentions)


def test_inserted_network_runs_in_another_type(case: Case) -> None:
    # Without a GPU, float16 convolutions take seconds.
    precision = Precision.FP16 if case.family.name in {"resnet18", "googlenet"} else Precision.BF16
    prepared = prepare_for_inference(case.inserted, precision=precision)
    trace = prepared.trace(torch.zeros(2, 3, 64, 96, dtype=DTYPES[precision]))
    assert trace.logits.shape == (2, CLASSES)
    assert {features.dtype for features in trace.features.values()} == {DTYPES[precision]}


def test_adopted_network_holds_no_tensor_of_one_device(case: Case) -> None:
    """A tensor in the graph that did not move with the network would cause an error here."""
    moved = copy.deepcopy(case.inserted).to("meta")
    assert moved(torch.zeros(2, 3, 224, 224, device="meta")).shape == (2, CLASSES)


@pytest.mark.parametrize("architecture", ["resnet18", "resnext50_32x4d", "vgg16_bn"])
def test_inserted_network_has_the_keys_of_the_network_from_here(architecture: str) -> None:
    with torch.device("meta"):
        ours = build_network(architecture, attention=Attention.CBAM, class_count=CLASSES)
        theirs = insert_cbam(getattr(torchvision.models, architecture)(num_classes=CLASSES))
    assert set(theirs.state_dict()) == set(ours.state_dict())


def test_inserted_resnet_with_weights_from_here_gives_the_same_trace(photograph: torch.Tensor) -> None:
    ours = build_network("resnet18", attention=Attention.CBAM, class_count=CLASSES).eval()
    open_gates(ours)
    theirs = insert_cbam(build("resnet18"))
    theirs.load_state_dict(ours.state_dict())
    with torch.no_grad():
        expected, trace = ours.trace(photograph), theirs.trace(photograph)
    assert gap(trace.logits, expected.logits) <= SAME
    for stage in Stage:
        assert gap(trace.features[stage], expected.features[stage]) <= SAME
    for block in expected.attentions:
        for gate, expected_gate in zip(gates_of(trace, block), gates_of(expected, block), strict=True):
            assert torch.allclose(gate, expected_gate, atol=1e-5)


def test_every_inserted_block_matters_by_itself(photograph: torch.Tensor) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(6)
        inserted = insert_cbam(build("resnet18"))
    with torch.no_grad():
        expected = inserted(photograph)
        for path in inserted.block_paths.values():
            network = copy.deepcopy(inserted)
            open_gates(network, among=f"{path}.")
            assert gap(network(photograph), expected) > 100 * SAME, path


@pytest.mark.parametrize(
    ("attention", "factor"),
    [
        (Attention.SE, 2),
        (Attention.CBAM_PARALLEL, 4),
        (Attention.CBAM_SPATIAL_FIRST, 4),
        (Attention.ECA, 2),
        (Attention.COORDINATE, 4),
        (Attention.TRIPLET, 2),
        (AttentionDesign(channel=None, kernel_size=3), 2),
    ],
)
def test_insert_cbam_makes_up_for_as_many_gates_as_the_design_has(
    attention: Attention | AttentionDesign, factor: int, photograph: torch.Tensor
) -> None:
    original = build("resnet18")
    network = insert_cbam(original, attention=attention)
    weights = [net.get_parameter("layer1.0.bn2.weight") for net in (original, network)]
    assert torch.equal(weights[1], weights[0] * factor)
    with torch.no_grad():
        assert gap(network(photograph), original(photograph)) <= SAME


def test_inserted_simam_changes_the_function_and_the_report_says_why(photograph: torch.Tensor) -> None:
    original = build("resnet18")
    network = insert_cbam(original, attention=Attention.SIMAM)
    assert network.insertion is not None
    assert not network.insertion.is_exact
    assert len(network.insertion.points) == 8
    assert {point.reason for point in network.insertion.points} == {
        "SimAm has no weights, so that its gate cannot be neutral"
    }
    weights = original.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        assert gap(network(photograph), original(photograph)) > 100 * SAME
        attentions = network.trace(photograph).attentions
    assert all(gates.joint is not None and gates.joint.std() > 0.001 for gates in attentions.values())


def test_insert_cbam_without_attention_is_the_adopted_network() -> None:
    network = insert_cbam(build("resnet18"), attention=Attention.NONE)
    assert network.insertion is None
    assert network.block_paths == {}


def test_insert_cbam_can_leave_gates_and_weights_in_their_usual_state(photograph: torch.Tensor) -> None:
    original = build("resnet18")
    network = insert_cbam(original, preserve_function=False)
    assert network.insertion is not None
    assert not network.insertion.is_exact
    assert {point.reason for point in network.insertion.points} == {"preserving the function was not requested"}
    for name, value in original.state_dict().items():
        assert torch.equal(network.state_dict()[name], value)
    with torch.no_grad():
        channel, _ = gates_of(network.trace(photograph), "layer1.0")
    assert channel.std() > 0


def test_points_put_attention_where_they_say(photograph: torch.Tensor) -> None:
    original = build("resnet18")
    network = insert_cbam(original, points=["layer4.0.bn1", "layer2.0.relu_1", "layer2.0.bn2"])
    report = network.insertion
    assert report is not None
    assert [(point.name, point.path, point.is_exact) for point in report.points] == [
        ("layer2.0", "layer2.0.bn2", True),
        ("layer2.1", "layer2.0.relu_1", True),
        ("layer4.0", "layer4.0.bn1", True),
    ]
    assert report.points[1].scaled == weigh("layer2.0.bn2", "layer2.0.downsample.1")
    assert isinstance(network.get_submodule("layer2.0.cbam_1"), Cbam)
    with torch.no_grad():
        assert gap(network(photograph), original(photograph)) <= SAME


def test_points_that_cannot_be_made_up_for_are_reported_with_the_reason(photograph: torch.Tensor) -> None:
    network = insert_cbam(build("resnet18"), points=["layer1.0.relu_1", "layer1.1.bn2"])
    assert network.insertion is not None
    first, second = network.insertion.points
    assert (first.is_exact, first.scaled) == (False, ())
    assert first.reason == "maxpool is also used elsewhere"
    assert second.is_exact
    with torch.no_grad():
        assert gates_of(network.trace(photograph), "layer1.0")[1].shape == (1, 32, 40)


@pytest.mark.parametrize(
    ("points", "message"),
    [
        (["layer1.0.bn3"], "no operation 'layer1.0.bn3'; there are layer1.0.bn"),
        (["nonsense"], "no operation 'nonsense'; there are layer1.0.bn2"),
        (["fc"], r"'fc' gives \(1, 10\); attention needs computed maps"),
        (["batch"], "attention needs computed maps"),
        (["layer1.0.bn2", "avgpool"], "'avgpool' is after the last stage"),
    ],
)
def test_points_that_are_no_place_for_attention_are_refused(points: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        insert_cbam(build("resnet18"), points=points)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "densenet121"])
def test_operations_have_the_names_that_torchvision_gives_them(name: str) -> None:
    network, tracer = build(name), NodePathTracer()
    tracer.trace(network)
    ours = trace_network(network, side=64)
    assert [node.meta[NAME] for node in ours.graph.nodes][1:-1] == list(tracer.node_to_qualname.values())[1:]


@pytest.mark.parametrize(("name", "found"), [("vit_b_16", "0 sizes"), ("swin_t", "2 sizes")])
def test_vision_transformers_are_refused(name: str, found: str) -> None:
    with torch.device("meta"):
        network = getattr(torchvision.models, name)(weights=None)
        for make in (adopt_network, insert_cbam):
            with pytest.raises(ValueError, match=f"{found} of convolutional maps .* a vision transformer does not"):
                make(network)


def test_networks_from_here_are_refused() -> None:
    with pytest.raises(ValueError, match="ResNet can already be traced"):
        insert_cbam(build_network("resnet18"))
