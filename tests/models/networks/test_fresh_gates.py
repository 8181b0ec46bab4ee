"""Adding attention to trained networks of the zoo without changing their output."""

import pytest
import torch

from models.attention.cbam import Cbam
from models.names import Attention
from models.networks.fresh_gates import load_with_fresh_gates
from models.networks.zoo import build_network
from tests.models.networks.known_answers import fill_by_rule, make_picture

pytestmark = pytest.mark.slow

ATTENTIONS = (
    Attention.SE,
    Attention.CBAM,
    Attention.CHANNEL_BOTH,
    Attention.CBAM_CONV1X1_K3,
    Attention.ECA,
    Attention.COORDINATE,
    Attention.TRIPLET,
)


@pytest.mark.parametrize("attention", ATTENTIONS)
@pytest.mark.parametrize("architecture", ["efficientnet_lite0", "mobilenet_0.7", "resnet18", "resnet50"])
def test_fresh_gates_leave_the_function_as_it_is(architecture: str, attention: Attention) -> None:
    baseline = build_network(architecture, class_count=4).eval()
    fill_by_rule(baseline)
    network = build_network(architecture, attention=attention, class_count=4).eval()
    load_with_fresh_gates(network, baseline)
    with torch.no_grad():
        expected, trace = baseline(make_picture(65, 70)), network.trace(make_picture(65, 70))
    assert expected.std() > 0.01
    torch.testing.assert_close(trace.logits, expected, rtol=1e-5, atol=1e-5)
    kinds = [(block.channel, block.spatial, block.row, block.column) for block in trace.attentions.values()]
    gates = [gate for block in kinds for gate in block if gate is not None]
    assert len(gates) >= 8
    assert all(bool((gate == 0.5).all()) for gate in gates)


def test_new_gates_of_simam_change_the_function_and_no_weight() -> None:
    baseline = build_network("resnet18", class_count=4).eval()
    fill_by_rule(baseline)
    network = build_network("resnet18", attention=Attention.SIMAM, class_count=4).eval()
    load_with_fresh_gates(network, baseline)
    weights = baseline.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in network.state_dict().items())
    with torch.no_grad():
        assert not torch.allclose(network(make_picture(65, 70)), baseline(make_picture(65, 70)), rtol=0.01)


@pytest.mark.parametrize(
    ("attention", "names"),
    [
        (Attention.ECA, ["conv.weight"]),
        (Attention.COORDINATE, ["conv_h.weight", "conv_w.bias"]),
        (Attention.TRIPLET, [f"{gate}.spatial.bn.weight" for gate in ("ChannelGateH", "ChannelGateW", "SpatialGate")]),
    ],
)
def test_fresh_gates_of_other_attention_learn_from_the_first_step(attention: Attention, names: list[str]) -> None:
    baseline = build_network("resnet18", class_count=4)
    fill_by_rule(baseline)
    network = build_network("resnet18", attention=attention, class_count=4).eval()
    load_with_fresh_gates(network, baseline)
    network(make_picture(65, 70))[0, 0].backward()
    last = [network.get_parameter(f"layer2.0.cbam.{name}") for name in names]
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in last)


def test_fresh_gates_learn_from_the_first_step() -> None:
    baseline = build_network("efficientnet_lite0", class_count=4)
    fill_by_rule(baseline)
    network = build_network("efficientnet_lite0", attention=Attention.CBAM, class_count=4).eval()
    load_with_fresh_gates(network, baseline)
    network(make_picture(65, 70))[0, 0].backward()
    last = [network.get_parameter(f"layer2.0.cbam.{name}") for name in ("ChannelGate.mlp.3.weight",)]
    last.append(network.get_parameter("layer2.0.cbam.SpatialGate.spatial.bn.weight"))
    assert all(parameter.grad is not None and bool(parameter.grad.any()) for parameter in last)


@pytest.mark.parametrize("architecture", ["efficientnet_lite1", "mobilenet_1.0", "resnet34", "vgg16_bn"])
def test_every_attention_module_has_weights_that_make_up_for_it(architecture: str) -> None:
    with torch.device("meta"):
        network = build_network(architecture, attention=Attention.CBAM, class_count=4)
    scales = network.list_gate_scales()
    modules = {name for name, module in network.named_modules() if isinstance(module, Cbam)}
    assert set(scales) == modules
    assert all(list(network.get_submodule(path).parameters()) for path in scales.values())
