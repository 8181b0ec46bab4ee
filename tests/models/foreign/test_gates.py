import pytest
import torch
from torch import nn
from torchvision.models import efficientnet_b0

from models.attention.cbam import Cbam
from models.attention.gates import BlockAttention
from models.foreign.description import InputForm, Reading
from models.foreign.examination import examine
from models.foreign.gates import group_gates, read_factor, read_output
from models.names import GateKind, Resolution
from models.pictures.preparation import Preprocessing
from tests.models.foreign.attention import IMPLEMENTATIONS, LuuuyiChannelAttention
from tests.models.foreign.networks import SIDE, WIDTHS, SmallNetwork

FORM = InputForm(preprocessing=Preprocessing(resolution=Resolution.PIXELS_32))


class Hooked:
    """What hooks on the sigmoids of the user's own module see: the reference for what is found without them."""

    def __init__(self, network: nn.Module) -> None:
        self.seen: list[torch.Tensor] = []
        self.network = network.eval()

    def run(self, batch: torch.Tensor) -> list[torch.Tensor]:
        handles = [
            module.register_forward_hook(lambda _, __, answer: self.seen.append(answer.clone()))
            for module in self.network.modules()
            if isinstance(module, nn.Sigmoid)
        ]
        with torch.no_grad():
            self.network(batch)
        for handle in handles:
            handle.remove()
        return self.seen


@pytest.fixture
def batch(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, 3, SIDE, SIDE, generator=generator)


@pytest.mark.parametrize("name", IMPLEMENTATIONS)
def test_gates_of_known_implementations_are_found(name: str, batch: torch.Tensor) -> None:
    examined = examine(SmallNetwork(IMPLEMENTATIONS[name]), Reading(), FORM)
    with torch.no_grad():
        trace = examined.network.trace(batch)
    assert list(trace.attentions) == ["layer1.attention", "layer2.attention", "layer3.attention"]
    for channels, side, gates in zip(WIDTHS, (16, 8, 4), trace.attentions.values(), strict=True):
        assert gates.channel is not None
        assert gates.spatial is not None
        assert gates.channel.shape == (2, channels)
        assert gates.spatial.shape == (2, side, side)
        for values in (gates.channel, gates.spatial):
            assert 0 < values.min() < values.max() < 1


@pytest.mark.parametrize("name", ["luuuyi", "external", "ultralytics", "in place"])
def test_found_gates_are_the_values_that_hooks_see(name: str, batch: torch.Tensor) -> None:
    network = SmallNetwork(IMPLEMENTATIONS[name])
    trace = examine(network, Reading(), FORM).network.trace(batch)
    seen = Hooked(network).run(batch)
    found = [part for gates in trace.attentions.values() for part in (gates.channel, gates.spatial)]
    assert len(found) == len(seen) == 6
    for part, value in zip(found, seen, strict=True):
        assert part is not None
        assert torch.allclose(part.flatten(), value.flatten(), atol=1e-6)


def test_our_own_attention_in_another_network_is_found(batch: torch.Tensor) -> None:
    class Ours(nn.Module):
        def __init__(self, channels: int) -> None:
            super().__init__()
            self.cbam = Cbam(channels)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            refined, _ = self.cbam(x)
            result: torch.Tensor = refined
            return result

    network = SmallNetwork(Ours)
    trace = examine(network, Reading(), FORM).network.trace(batch)
    assert list(trace.attentions) == [f"layer{number}.attention.cbam" for number in (1, 2, 3)]
    expected: list[BlockAttention] = []
    cbam = network.get_submodule("layer1.attention.cbam")
    handle = cbam.register_forward_hook(lambda _, __, answer: expected.append(answer[1]))
    network.eval()(batch)
    handle.remove()
    found = trace.attentions["layer1.attention.cbam"]
    assert found.channel is not None
    assert expected[0].channel is not None
    assert torch.equal(found.channel, expected[0].channel)


@pytest.mark.slow
def test_squeeze_and_excitation_of_torchvision_is_found() -> None:
    examined = examine(efficientnet_b0(num_classes=3), Reading(), InputForm())
    assert len(examined.blocks) == 16
    trace = examined.network.trace(torch.zeros(1, 3, 224, 224))
    assert all(gates.spatial is None and gates.channel is not None for gates in trace.attentions.values())


class Swish(nn.Module):
    """Its sigmoid has the size of the features, so it is no gate."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x * torch.sigmoid(x)
        squeezed: torch.Tensor = self.squeeze(x.mean((2, 3), keepdim=True))
        return x + squeezed * torch.sigmoid(squeezed)


def test_activation_functions_are_no_gates() -> None:
    assert examine(SmallNetwork(Swish), Reading(), FORM).blocks == ()


class Unused(LuuuyiChannelAttention):
    """Computes a gate that nothing is multiplied with."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        super().forward(x)
        return x


def test_sigmoid_that_multiplies_nothing_is_no_gate() -> None:
    assert examine(SmallNetwork(Unused), Reading(), FORM).blocks == ()


class ChannelOnly(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.ca = LuuuyiChannelAttention(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x * self.ca(x)
        return result


def test_gates_that_do_not_follow_each_other_are_blocks_of_their_own() -> None:
    assert examine(SmallNetwork(ChannelOnly), Reading(), FORM).blocks == tuple(
        f"layer{number}.attention" for number in (1, 2, 3)
    )


class Doubled(nn.Module):
    """Two channel gates in one module."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = LuuuyiChannelAttention(channels)
        self.second = LuuuyiChannelAttention(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x * self.first(x)
        result: torch.Tensor = x * self.second(x)
        return result


def test_blocks_of_one_path_are_numbered() -> None:
    blocks = examine(SmallNetwork(Doubled), Reading(), FORM).blocks
    assert blocks[:2] == ("layer1.attention", "layer1.attention-2")


def test_opened_block_has_its_features_before_and_after(batch: torch.Tensor) -> None:
    for name in ("luuuyi", "in place", "authors"):
        network = examine(SmallNetwork(IMPLEMENTATIONS[name]), Reading(), FORM).network
        gates = network.trace(batch, opened="layer2.attention").attentions["layer2.attention"]
        assert gates.inside is not None
        assert gates.channel is not None
        assert gates.spatial is not None
        product = gates.inside.before * gates.channel[:, :, None, None] * gates.spatial[:, None]
        assert torch.allclose(product, gates.inside.after, atol=1e-5)
        assert network.trace(batch).attentions["layer2.attention"].inside is None


@pytest.mark.parametrize(
    ("gate", "expected"),
    [
        (torch.rand(2, 4, 1, 1), (GateKind.CHANNEL, (2, 4))),
        (torch.rand(1, 4, 1, 1), (GateKind.CHANNEL, (2, 4))),
        (torch.rand(2, 4, 1, 1).expand(2, 4, 3, 5), (GateKind.CHANNEL, (2, 4))),
        (torch.rand(2, 1, 3, 5), (GateKind.SPATIAL, (2, 3, 5))),
        (torch.rand(2, 1, 3, 5).expand(2, 4, 3, 5), (GateKind.SPATIAL, (2, 3, 5))),
        (torch.rand(2, 4, 3, 5), None),
        (torch.rand(2, 4, 3, 1), None),
        (torch.rand(2, 1, 1, 1), None),
        (torch.rand(4), None),
    ],
)
def test_factor_is_read_by_its_shape(gate: torch.Tensor, expected: tuple[GateKind, tuple[int, ...]] | None) -> None:
    read = read_factor(gate, torch.rand(2, 4, 3, 5))
    assert (None if read is None else (read[0], tuple(read[1].shape))) == expected


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (torch.rand(2, 4), (GateKind.CHANNEL, (2, 4))),
        (torch.rand(2, 4, 1, 1), (GateKind.CHANNEL, (2, 4))),
        (torch.rand(2, 3, 5), (GateKind.SPATIAL, (2, 3, 5))),
        (torch.rand(2, 1, 3, 5), (GateKind.SPATIAL, (2, 3, 5))),
        (torch.rand(2, 4, 3, 5), None),
        ((torch.rand(2, 4),), None),
    ],
)
def test_named_output_is_read_by_its_shape(output: object, expected: tuple[GateKind, tuple[int, ...]] | None) -> None:
    read = read_output(output)
    assert (None if read is None else (read[0], tuple(read[1].shape))) == expected


def test_no_gate_is_no_block() -> None:
    assert group_gates([]) == {}
