"""Foreign networks run by their graphs: kept results, refused networks, and scaled weights."""

import copy
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from models.insertion import adopt_network, insert_cbam
from models.names import Stage
from models.networks.graph_network import GraphNetwork
from models.networks.trace import Trace

pytestmark = pytest.mark.slow

SIDE = 64
WIDTH = 8


def make_stage(in_channels: int, *, stride: int = 2) -> nn.Sequential:
    stage = nn.Sequential(
        nn.Conv2d(in_channels, WIDTH, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(inplace=True),
    )
    nn.init.constant_(stage.get_parameter("1.weight"), 3.0)  # otherwise little of the picture remains at the end
    return stage


class Small(nn.Module):
    """Four stages, 1/2 to 1/16 of the input; subclasses process the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = make_stage(3), make_stage(WIDTH)
        self.three, self.four = make_stage(WIDTH), make_stage(WIDTH)
        self.branch, self.other = nn.Conv2d(WIDTH, WIDTH, 1), nn.BatchNorm2d(WIDTH)
        self.fc = nn.Linear(WIDTH, 3)
        nn.init.uniform_(self.other.bias, -1, 1)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = self.finish(self.four(self.three(self.two(self.one(batch)))))
        logits: torch.Tensor = self.fc(features.mean(dim=(2, 3)))
        return logits

    def finish(self, features: torch.Tensor) -> Any:
        return features


def spatial_gate(trace: Trace, block: str) -> torch.Tensor:
    gate = trace.attentions[block].spatial
    assert gate is not None
    return gate


def adopt(network: nn.Module) -> GraphNetwork:
    return adopt_network(network, side=SIDE)


@pytest.fixture(autouse=True)
def _seed() -> None:
    torch.manual_seed(5)


@pytest.fixture
def batch(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, 3, 48, 80, generator=generator)


@pytest.fixture(scope="module")
def mobilenet() -> GraphNetwork:
    """A network with gates that depend on their features."""
    network = insert_cbam(torchvision.models.mobilenet_v3_small(num_classes=4), preserve_function=False)
    for name, parameter in network.named_parameters():
        if name.endswith("SpatialGate.spatial.bn.weight"):
            nn.init.ones_(parameter)
    return network.requires_grad_(False)


def test_trace_is_the_same_from_many_threads_at_once(mobilenet: GraphNetwork, generator: torch.Generator) -> None:
    batches = [torch.randn(1, 3, 64, 96, generator=generator) for _ in range(24)]
    expected = [mobilenet.trace(batch) for batch in batches]
    with ThreadPoolExecutor(8) as pool:
        for alone, together in zip(expected, pool.map(mobilenet.trace, batches), strict=True):
            assert torch.equal(together.logits, alone.logits)
            for block in alone.attentions:
                assert torch.equal(spatial_gate(together, block), spatial_gate(alone, block))


def test_adopt_network_does_not_disturb_networks_that_run_meanwhile(
    mobilenet: GraphNetwork, batch: torch.Tensor
) -> None:
    """While fx traces, it replaces the method that calls every module of the process."""
    answers = []

    class Meanwhile(Small):
        def finish(self, features: torch.Tensor) -> Any:
            with ThreadPoolExecutor(1) as pool:
                answers.append(pool.submit(mobilenet, batch).result())
            return features

    adopt(Meanwhile())
    assert len(answers) == 2  # as the network ran, and as it was traced
    assert torch.equal(answers[0], answers[1])


def test_adopt_network_in_many_threads_restores_what_fx_replaces() -> None:
    call, interval = nn.Module.__call__, sys.getswitchinterval()
    sys.setswitchinterval(1e-6)  # otherwise one tracing usually ends before another begins
    try:
        with ThreadPoolExecutor(4) as pool:
            networks = list(pool.map(adopt, [Small() for _ in range(16)]))
    finally:
        sys.setswitchinterval(interval)
    assert nn.Module.__call__ is call
    assert all(network.linear_head is not None for network in networks)


def test_trace_of_one_picture_does_not_depend_on_its_batch(mobilenet: GraphNetwork, batch: torch.Tensor) -> None:
    together, alone = mobilenet.trace(batch), mobilenet.trace(batch[1:])
    assert torch.allclose(together.logits[1:], alone.logits, atol=1e-6)
    for stage in Stage:
        assert torch.allclose(together.features[stage][1:], alone.features[stage], atol=1e-5)


def test_trace_leaves_nothing_on_the_network(mobilenet: GraphNetwork, batch: torch.Tensor) -> None:
    before = {name: set(vars(module)) for name, module in mobilenet.named_modules()}
    mobilenet.trace(batch)
    assert {name: set(vars(module)) for name, module in mobilenet.named_modules()} == before


def test_copy_runs_by_its_own_modules(batch: torch.Tensor) -> None:
    network = adopt(Small())
    expected = network(batch)
    other = copy.deepcopy(network)
    other.get_submodule("two")[1] = nn.Identity()  # type: ignore[operator]
    nn.init.zeros_(other.get_parameter("fc.bias"))
    assert not torch.allclose(other(batch), expected)
    assert torch.equal(network(batch), expected)
    assert other.linear_head is other.get_submodule("fc")


def test_adopted_network_answers_in_evaluation_mode_whatever_the_given_one_is_in(batch: torch.Tensor) -> None:
    given = Small().train()
    network = adopt(given)
    assert given.training
    assert not any(module.training for module in network.modules())
    assert torch.equal(network(batch), given.eval()(batch))


class WithOptions(Small):
    def forward(self, batch: torch.Tensor, *, is_flat: bool = False, scale: float = 2.0) -> torch.Tensor:
        return super().forward(batch.flip(-1) if is_flat else batch) * scale


def test_adopt_network_keeps_the_defaults_of_further_arguments(batch: torch.Tensor) -> None:
    given = WithOptions().eval()
    assert torch.equal(adopt(given)(batch), given(batch))


class WithConstants(Small):
    """Tensors that are not buffers, one of them in `forward` itself."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = torch.tensor([0.1, 0.2, 0.3])[:, None, None]

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return super().forward(torch.mul(batch - self.mean, torch.tensor(0.5)))


def test_constants_move_with_the_network_and_are_no_part_of_its_state(batch: torch.Tensor) -> None:
    given = WithConstants().eval()
    network = adopt(given)
    assert set(network.state_dict()) == set(given.state_dict())
    assert torch.equal(network(batch), given(batch))
    assert {tensor.dtype for tensor in network.to(torch.float64).buffers() if tensor.is_floating_point()} == {
        torch.float64
    }
    assert network(batch.double()).dtype == torch.float64


def test_stages_begin_behind_the_normalisation_of_the_input() -> None:
    network = adopt(WithConstants())
    features = network.trace(torch.zeros(1, 3, 64, 64)).features
    assert [map_.shape[2] for map_ in features.values()] == [32, 16, 8, 4]


class InPlace(Small):
    """Every form of an in-place operation, also on the input and after the end of a stage."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Sequential(nn.Hardtanh(inplace=True), *make_stage(3))
        self.two = nn.Sequential(nn.Hardtanh(inplace=True), *make_stage(WIDTH))

    def finish(self, features: torch.Tensor) -> Any:
        changed = self.branch(features)
        functional.relu(changed, inplace=True)
        changed.add_(0.5)
        torch.relu_(changed)
        functional.elu(changed, 1.0, True)
        changed += features
        return functional.dropout(changed, 0.5, False, True)


def test_operations_in_place_keep_their_meaning_and_no_longer_change_what_is_kept(batch: torch.Tensor) -> None:
    given = InPlace().eval()
    network = adopt(given).requires_grad_(False)
    before, trace = batch.clone(), network.trace(batch)
    kept = {stage: features.clone() for stage, features in trace.features.items()}
    assert kept[Stage.ONE].max() > 1
    assert torch.equal(trace.logits, given(batch.clone()))
    for stage, features in trace.features.items():
        leaf = features.detach().requires_grad_()
        assert torch.equal(network.resume(leaf, after=stage), trace.logits)
    assert torch.equal(batch, before)
    assert all(torch.equal(features, kept[stage]) for stage, features in trace.features.items())
    assert any(getattr(module, "inplace", False) for module in given.modules())


class ChangesItsInput(Small):
    def __init__(self, change: Callable[[torch.Tensor], object]) -> None:
        super().__init__()
        self.change = change

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        self.change(batch)
        return super().forward(batch)


@pytest.mark.parametrize(
    "change",
    [
        nn.Hardtanh(inplace=True),
        torch.relu_,
        lambda batch: batch.mul_(3),
        lambda batch: functional.relu(batch, inplace=True),
        lambda batch: functional.elu(batch, 1.0, True),
    ],
    ids=["module", "function", "method", "by name", "by position"],
)
def test_an_operation_in_place_whose_result_is_not_read_still_counts(
    change: Callable[[torch.Tensor], object], batch: torch.Tensor
) -> None:
    given = ChangesItsInput(change).eval()
    before, logits = batch.clone(), adopt(given)(batch)
    assert torch.equal(batch, before)
    assert torch.equal(logits, given(batch))
    assert not torch.equal(batch, before)


class Aliased(Small):
    def finish(self, features: torch.Tensor) -> Any:
        shortcut = features
        features += self.branch(features)
        return features * shortcut


class Filled(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return features.index_fill_(1, torch.tensor([0]), 0.0).exponential_()


class DataDependent(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return features * 2 if features.mean() > 0 else features


class TwoAnswers(Small):
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return super().forward(batch), batch  # type: ignore[return-value]


class ThreeStages(Small):
    def __init__(self) -> None:
        super().__init__()
        self.four = make_stage(WIDTH, stride=1)


class Classify(Small):
    def __init__(self) -> None:
        super().__init__()
        self.classify = nn.Identity()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Aliased, "the graph of Aliased gives other results than the network; .* x = x \\+ y"),
        (Filled, "exponential_, which works in place and has no other form"),
        (DataDependent, "torch.fx cannot follow DataDependent.forward .* not on the values or the size of its input"),
        (TwoAnswers, "TwoAnswers does not return one tensor of logits"),
        (ThreeStages, "ThreeStages has 3 sizes of convolutional maps .*8 x 8 at four.2.*; 4 stages are explained"),
        (Classify, "attribute 'classify' already exists: 'classify' is reserved in a GraphNetwork"),
    ],
)
def test_adopt_network_refuses_with_the_reason(network: type[nn.Module], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adopt(network())


class FixedSize(Small):
    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = self.four(self.three(self.two(self.one(batch))))
        logits: torch.Tensor = self.fc(functional.avg_pool2d(features, 4).flatten(1))
        return logits


def test_adopt_network_takes_the_side_that_a_network_wants() -> None:
    with pytest.raises(ValueError, match=r"FixedSize does not run on a picture of 224 x 224 .* give the `side`"):
        adopt_network(FixedSize())
    network = adopt(FixedSize())
    # The result of pooling to 4 x 4 positions depends on the map's size.
    assert network.linear_head is None


class Shuffled(nn.Module):
    """Blocks that first widen at the old size, and a VGG group that ends with a pooling."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = make_stage(3)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                make_stage(WIDTH, stride=1), make_stage(WIDTH, stride=stride), nn.Conv2d(WIDTH, WIDTH, 1, bias=False)
            )
            for stride in (1, 2, 2)
        )
        self.group = nn.Sequential(make_stage(WIDTH, stride=1), nn.MaxPool2d(2))
        self.last = make_stage(WIDTH, stride=1)
        self.fc = nn.Linear(WIDTH, 3)

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = self.stem(batch)
        for block in self.blocks:
            features = block(features)
        logits: torch.Tensor = self.fc(self.last(self.group(features)).mean((2, 3)))
        return logits


def test_stages_end_before_the_block_that_halves_the_map_and_before_pooling(batch: torch.Tensor) -> None:
    network = adopt(Shuffled())
    assert network.linear_head is network.get_submodule("fc")
    trace = network.trace(batch)
    stem, blocks, group = (network.get_submodule(name) for name in ("stem", "blocks", "group"))
    expected = blocks[0](stem(batch))  # type: ignore[index]
    for stage, run in zip((Stage.ONE, Stage.TWO, Stage.THREE), (None, blocks[1], blocks[2]), strict=True):  # type: ignore[index]
        expected = expected if run is None else run(expected)
        if stage is Stage.THREE:
            expected = group[0](expected)  # type: ignore[index]
        assert torch.equal(trace.features[stage], expected)
    assert trace.features[Stage.FOUR].shape == (2, WIDTH, 3, 5)


class PreActivation(Small):
    """A BatchNorm before the convolution of the same number, and one after a map that is also used elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.bn1, self.conv1 = nn.BatchNorm2d(WIDTH), nn.Conv2d(WIDTH, WIDTH, 1)

    def finish(self, features: torch.Tensor) -> Any:
        hidden = self.branch(self.conv1(self.bn1(features).relu()))
        return self.other(hidden) + hidden


def test_norms_are_the_pairs_that_may_become_one_convolution() -> None:
    network = adopt(PreActivation())
    assert network.norms == tuple((f"{stage}.0", f"{stage}.1") for stage in ("one", "two", "three", "four"))


def test_norms_leave_out_a_pair_with_attention_between() -> None:
    network = insert_cbam(Small(), points=["two.0"], side=SIDE)
    assert ("two.0", "two.1") not in network.norms
    assert ("one.0", "one.1") in network.norms


class SharedGain(Small):
    """One parameter that several stages use, which fx reads once."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.5))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        features = self.two(self.one(batch * self.gain) * self.gain) * self.gain
        logits: torch.Tensor = self.fc((self.four(self.three(features)) * self.gain).mean((2, 3)))
        return logits


def test_stages_may_share_a_parameter(batch: torch.Tensor) -> None:
    given = SharedGain().eval()
    network = adopt(given)
    trace = network.trace(batch)
    assert torch.equal(trace.logits, given(batch))
    assert torch.equal(network.resume(trace.features[Stage.TWO], after=Stage.TWO), trace.logits)


class Sigmoid(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return torch.sigmoid(self.branch(features))


class Silu(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return functional.silu(self.branch(features))


class UsedTwice(Small):
    def finish(self, features: torch.Tensor) -> Any:
        hidden = self.branch(features)
        return functional.relu(hidden) + hidden


class CalledTwice(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return torch.relu(self.branch(self.branch(features)))


class SqueezeExcitation(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return features * features.mean((2, 3), keepdim=True)


class BothFactors(Small):
    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(1.5))

    def finish(self, features: torch.Tensor) -> Any:
        hidden = self.branch(features)
        return hidden * self.gain + hidden


class PlusNumber(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return self.branch(features) + 1


class WithoutWeight(Small):
    def __init__(self) -> None:
        super().__init__()
        self.other = nn.BatchNorm2d(WIDTH, affine=False)

    def finish(self, features: torch.Tensor) -> Any:
        return self.other(features).relu()


class ComputedWeight(Small):
    def __init__(self) -> None:
        super().__init__()
        self.branch = parametrizations.weight_norm(self.branch)

    def finish(self, features: torch.Tensor) -> Any:
        return self.branch(features).relu()


@pytest.mark.parametrize(
    ("network", "point", "reason"),
    [
        (Sigmoid, "sigmoid", "sigmoid does not pass a factor on"),
        (Silu, "silu", "silu does not pass a factor on"),
        (UsedTwice, "relu", "branch is also used elsewhere"),
        (CalledTwice, "relu", "the weights of branch_1 are also used elsewhere"),
        (SqueezeExcitation, "mul", "mul is a product of two computed maps"),
        (BothFactors, "add", "both factors of a product would be scaled"),
        (PlusNumber, "add", "add does not pass a factor on"),
        (WithoutWeight, "relu", "other has no weight of its own"),
        (ComputedWeight, "relu", "branch has no weight of its own"),
    ],
)
def test_insertion_says_why_a_place_cannot_be_made_up_for(
    network: type[nn.Module], point: str, reason: str, batch: torch.Tensor
) -> None:
    given = network().eval()
    inserted = insert_cbam(given, points=[point], side=SIDE)
    assert inserted.insertion is not None
    assert [(place.is_exact, place.reason, place.scaled) for place in inserted.insertion.points] == [
        (False, reason, ())
    ]
    trace = inserted.trace(batch)
    assert set(spatial_gate(trace, "layer4.0").flatten().tolist()) == {0.5}
    assert not torch.allclose(trace.logits, given(batch), rtol=1e-2)


class Concatenated(Small):
    def finish(self, features: torch.Tensor) -> Any:
        joined = torch.cat((self.branch(features).relu(), functional.avg_pool2d(self.other(features), 3, 1, 1)), dim=1)
        return joined[:, 2:10]


class Summed(Small):
    def finish(self, features: torch.Tensor) -> Any:
        return functional.leaky_relu(self.branch(features) * 3 + self.other(features))


class LayerScaled(BothFactors):
    def finish(self, features: torch.Tensor) -> Any:
        return self.gain * torch.sigmoid(self.branch(features)) + features


@pytest.mark.parametrize(
    ("network", "point", "scaled"),
    [
        (Concatenated, "cat", ("branch.bias", "branch.weight", "other.bias", "other.weight")),
        (Summed, "leaky_relu", ("branch.bias", "branch.weight", "other.bias", "other.weight")),
        (LayerScaled, "mul", ("gain",)),
        (Small, "four.2", ("four.1.bias", "four.1.weight")),
    ],
)
def test_insertion_makes_up_for_its_gates_through_what_carries_a_factor(
    network: type[nn.Module], point: str, scaled: tuple[str, ...], batch: torch.Tensor
) -> None:
    given = network().eval()
    inserted = insert_cbam(given, points=[point], side=SIDE)
    assert inserted.insertion is not None
    assert inserted.insertion.points[0].scaled == scaled
    assert inserted.insertion.is_exact
    assert torch.allclose(inserted(batch), given(batch), rtol=1e-5, atol=1e-6)
    assert inserted.trace(batch).attentions


def test_insert_cbam_wants_points_for_blocks_that_it_does_not_know() -> None:
    with pytest.raises(ValueError, match=r"the blocks of UsedTwice are not known; .* such as one\.1, two\.1, three\.1"):
        insert_cbam(UsedTwice(), side=SIDE)
