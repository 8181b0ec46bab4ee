import copy
import threading
from collections import OrderedDict
from typing import Any

import pytest
import torch
from torch import nn

from app.explain.cam import score_gradient
from models.foreign.description import InputForm, Reading
from models.foreign.examination import Examined, examine
from models.foreign.network import ForeignNetwork
from models.foreign.recording import Recording, record
from models.names import Resolution, Stage
from models.networks.inference import prepare_for_inference
from models.networks.randomisation import Randomisation, find_parameters, randomise
from models.pictures.preparation import Preprocessing
from tests.models.foreign.attention import Luuuyi
from tests.models.foreign.networks import SIDE, ManyInputs, Segmenter, SmallNetwork

FORM = InputForm(preprocessing=Preprocessing(resolution=Resolution.PIXELS_32))
GREY = InputForm(
    preprocessing=Preprocessing(mean=(0.1,) * 3, standard_deviation=(0.3,) * 3, resolution=Resolution.PIXELS_28),
    channels=1,
)


def examine_small(**reading: Any) -> Examined:
    return examine(SmallNetwork(Luuuyi), Reading(**reading), FORM)


def watch_small() -> ForeignNetwork:
    network = examine_small().network
    assert isinstance(network, ForeignNetwork)
    return network


@pytest.fixture
def batch(generator: torch.Generator) -> torch.Tensor:
    return torch.randn(2, 3, SIDE, SIDE, generator=generator)


def test_logits_are_the_users_own(batch: torch.Tensor) -> None:
    network = SmallNetwork(Luuuyi)
    watched = examine(network, Reading(), FORM).network
    with torch.no_grad():
        assert torch.equal(watched(batch), network.eval()(batch))


def test_users_module_is_not_touched(batch: torch.Tensor) -> None:
    network = SmallNetwork(Luuuyi).train()
    before = copy.deepcopy(network.state_dict())
    watched = examine(network, Reading(), FORM).network
    watched.trace(batch)
    assert network.training
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert not any(parameter.requires_grad for parameter in watched.parameters())


def test_maps_are_the_modules_outputs_before_anything_changes_them_in_place(batch: torch.Tensor) -> None:
    class Changing(SmallNetwork):
        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            features = self.layer1(pictures)
            kept.append(features.clone())
            features.zero_()
            result: torch.Tensor = self.fc(self.layer3(self.layer2(features)).flatten(1))
            return result

    kept: list[torch.Tensor] = []
    trace = examine(Changing(), Reading(), FORM).network.trace(batch)
    assert torch.equal(trace.features[Stage.TWO], kept[-1])
    assert trace.features[Stage.TWO].abs().max() > 0


@pytest.mark.parametrize("stage", [Stage.TWO, Stage.THREE, Stage.FOUR])
def test_gradient_is_that_of_hooks_on_the_users_module(batch: torch.Tensor, stage: Stage) -> None:
    network = SmallNetwork(Luuuyi).eval()
    watched = examine(network, Reading(), FORM).network
    features = watched.trace(batch).features[stage]
    found = score_gradient(watched, features, stage=stage, class_indices=torch.tensor([1, 3]), batch=batch)

    seen: list[torch.Tensor] = []
    layer = {Stage.TWO: network.layer1, Stage.THREE: network.layer2, Stage.FOUR: network.layer3}[stage]
    handle = layer.register_forward_hook(lambda _, __, answer: seen.append(answer))
    logits = network(batch)
    handle.remove()
    (expected,) = torch.autograd.grad(logits[0, 1] + logits[1, 3], seen[0])
    assert torch.allclose(features, seen[0])
    assert torch.allclose(found, expected, atol=1e-6)
    assert found.abs().max() > 0


def test_gradient_passes_beside_a_skip_connection(batch: torch.Tensor) -> None:
    network = Segmenter().eval()
    watched = examine(network, Reading(score=lambda output: output.mean((2, 3))), FORM).network
    features = watched.trace(batch).features[Stage.FOUR]
    found = score_gradient(watched, features, stage=Stage.FOUR, class_indices=torch.tensor([0, 0]), batch=batch)
    seen: list[torch.Tensor] = []
    handle = network.bottom.register_forward_hook(lambda _, __, answer: seen.append(answer))
    (expected,) = torch.autograd.grad(network(batch).mean((2, 3))[:, 0].sum(), seen)
    handle.remove()
    assert torch.allclose(found, expected, atol=1e-7)


def test_network_cannot_resume_without_its_pictures(batch: torch.Tensor) -> None:
    watched = examine_small().network
    with pytest.raises(ValueError, match="give the batch"):
        watched.resume(watched.trace(batch).features[Stage.FOUR], after=Stage.FOUR)


def test_passes_in_several_threads_do_not_mix(generator: torch.Generator) -> None:
    watched = examine_small().network
    pictures = torch.randn(8, 1, 3, SIDE, SIDE, generator=generator)
    expected = [watched.trace(picture) for picture in pictures]
    found: dict[int, Any] = {}
    barrier = threading.Barrier(len(pictures))

    def trace(index: int) -> None:
        barrier.wait()
        for _ in range(5):
            found[index] = watched.trace(pictures[index])

    threads = [threading.Thread(target=trace, args=[index]) for index in range(len(pictures))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, trace_alone in enumerate(expected):
        assert torch.equal(found[index].features[Stage.FOUR], trace_alone.features[Stage.FOUR])
        assert found[index].attentions.keys() == trace_alone.attentions.keys()


def test_error_in_a_pass_leaves_nothing_behind(batch: torch.Tensor) -> None:
    watched = examine_small().network
    expected = watched.trace(batch)
    with pytest.raises(RuntimeError):
        watched.trace(batch[:, :2])
    again = watched.trace(batch)
    assert again.attentions.keys() == expected.attentions.keys()
    assert torch.equal(again.logits, expected.logits)


def test_recording_ends_with_its_context(batch: torch.Tensor) -> None:
    class Counting(Recording):
        calls = 0

        def note(self, path: str, answer: object) -> None:
            self.calls += 1

    watched, counting = watch_small(), Counting()
    with record(counting):
        watched.run(batch)
    calls = counting.calls
    watched.run(batch)
    assert counting.calls == calls > 10


def test_copies_for_inference_and_for_the_sanity_check_are_watched_too(batch: torch.Tensor) -> None:
    watched = examine_small().network
    prepared = prepare_for_inference(watched)
    assert torch.equal(prepared.trace(batch).logits, watched.trace(batch).logits)
    changed = randomise(prepared, Randomisation.STAGE_FOUR)
    assert not torch.allclose(changed.trace(batch).logits, watched.trace(batch).logits)
    kept = changed.trace(batch).features
    assert torch.equal(kept[Stage.THREE], watched.trace(batch).features[Stage.THREE])
    assert not torch.equal(kept[Stage.FOUR], watched.trace(batch).features[Stage.FOUR])


@pytest.mark.parametrize(
    ("extent", "expected"),
    [(Randomisation.CLASSIFIER, {"fc"}), (Randomisation.STAGE_FOUR, {"layer3", "fc"}),
     (Randomisation.STAGE_ONE, {"layer1", "layer2", "layer3", "fc"})],
)  # fmt: skip
def test_random_part_is_what_comes_after_a_stage(extent: Randomisation, expected: set[str]) -> None:
    watched = examine_small().network
    parameters = {id(parameter) for parameter in find_parameters(watched, extent)}
    names = {name.split(".")[1] for name, parameter in watched.named_parameters() if id(parameter) in parameters}
    assert names == expected


def test_grey_network_sees_pillows_grey(generator: torch.Generator) -> None:
    class Grey(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 4, 3, padding=1)

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            seen.append(pictures)
            features: torch.Tensor = self.conv(pictures)
            return features.mean((2, 3))

    seen: list[torch.Tensor] = []
    watched = examine(Grey(), Reading(), GREY).network
    values = torch.rand(1, 3, 28, 28, generator=generator)
    watched((values - 0.1) / 0.3)
    grey = 0.299 * values[:, 0] + 0.587 * values[:, 1] + 0.114 * values[:, 2]
    assert seen[-1].shape == (1, 1, 28, 28)
    assert torch.allclose(seen[-1][:, 0], (grey - 0.1) / 0.3, atol=1e-6)


def test_pictures_reach_the_network_with_contiguous_memory(batch: torch.Tensor) -> None:
    network = SmallNetwork()
    watched = examine(network, Reading(), FORM).network
    assert torch.allclose(watched(batch.to(memory_format=torch.channels_last)), network.eval()(batch), atol=1e-6)


def test_head_chooses_among_inputs_and_outputs(batch: torch.Tensor) -> None:
    network = ManyInputs().eval()
    facts = torch.tensor([[1.0, -1.0]])

    def head(module: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = module(pictures, facts.expand(len(pictures), 2))["logits"]
        return logits

    watched = examine(network, Reading(head=head), FORM).network
    assert torch.equal(watched(batch), network(batch, facts.expand(2, 2))["logits"])


def test_stages_can_be_named() -> None:
    examined = examine_small(stages=["layer1.conv1", "layer2"])
    assert isinstance(examined.network, ForeignNetwork)
    assert examined.network.stages == {"layer1.conv1": Stage.THREE, "layer2": Stage.FOUR}
    assert examined.stages == (Stage.THREE, Stage.FOUR)


def test_gates_can_be_named(batch: torch.Tensor) -> None:
    gates = {"first": ["layer1.attention.ca", "layer1.attention.sa.sigmoid"], "second": "layer2.attention.sa"}
    network = examine_small(gates=gates).network
    found, named = examine_small().network.trace(batch), network.trace(batch)
    assert list(named.attentions) == ["first", "second"]
    first, second, expected = (
        named.attentions["first"], named.attentions["second"], found.attentions["layer1.attention"]
    )  # fmt: skip
    assert first.channel is not None
    assert first.spatial is not None
    assert expected.channel is not None
    assert expected.spatial is not None
    assert torch.equal(first.channel, expected.channel)
    assert torch.equal(first.spatial, expected.spatial)
    assert second.channel is None


def test_empty_gates_are_none() -> None:
    assert examine_small(gates={}).blocks == ()


class Wrong(nn.Module):
    """Answers whatever it is told to."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.answer = answer

    def forward(self, pictures: torch.Tensor) -> Any:
        return self.answer(self.conv(pictures))


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (lambda features: features, r"Wrong answers \(2, 4, 30, 30\) for two pictures.*score="),
        (lambda features: {"logits": features}, "Wrong answers dict.*head="),
        (lambda features: features.mean((0, 2, 3))[None], r"answers \(1, 4\) for two pictures"),
        (lambda features: features.no_such_thing, "does not run on pictures of 3 x 32 x 32.*no_such_thing"),
    ],
)
def test_network_of_another_answer_is_refused_with_the_remedy(answer: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        examine(Wrong(answer), Reading(), FORM)


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        ({"stages": []}, "stages has 0 paths"),
        ({"stages": ["layer1"] * 2}, "four different ones"),
        ({"stages": ["layer9"]}, "'layer9', which runs 0 times.*layer1, layer2, layer3, fc"),
        ({"stages": ["layer1.attention.ca.fc"]}, "runs 2 times"),
        ({"stages": ["layer1.attention.ca"]}, r"answers \(2, 8, 1, 1\); a stage's output"),
        ({"stages": ["fc"]}, r"answers \(2, 5\)"),
        ({"gates": {"a": "no.such"}}, "'no.such' for 'a', and there is no such module"),
        ({"gates": {"a": "layer1"}}, "no module of 'a' answers a gate"),
        ({"gates": {"a": "fc"}}, "a gate's lie in 0..1"),
    ],
)
def test_wrong_name_is_refused_with_the_remedy(reading: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        examine_small(**reading)


def test_network_that_keeps_its_last_map_is_refused_with_the_remedy(batch: torch.Tensor) -> None:
    network = SmallNetwork()
    network.last = network.layer1(batch)
    with pytest.raises(ValueError, match=r"detach\(\) or delete"):
        examine(network, Reading(), FORM)


def test_module_without_parameters_is_no_network() -> None:
    with pytest.raises(ValueError, match="has no parameters"):
        examine(nn.ReLU(), Reading(), FORM)


def test_fixed_size_is_found_out() -> None:
    assert examine_small().is_fixed_size
    free = nn.Sequential(OrderedDict(conv=nn.Conv2d(3, 4, 3), pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten()))
    assert not examine(free, Reading(), FORM).is_fixed_size


def test_compiled_network_is_unwrapped(batch: torch.Tensor) -> None:
    network = SmallNetwork(Luuuyi)
    compiled: Any = torch.compile(network)
    assert torch.equal(examine(compiled, Reading(), FORM).network(batch), network.eval()(batch))
