"""Groups of parameters, the learning-rate schedule, the moving average and initial weights."""

import pytest
import torch
from torch import nn

from models.names import Attention
from models.training.learning.optimisation import (
    MovingAverage,
    clip_gradients,
    group_parameters,
    make_optimiser,
    scale_rate,
)
from models.training.learning.trainee import (
    TraineeShape,
    build_trainee,
    list_gate_parameters,
    list_spatial_gates,
    list_trunk_norms,
)
from models.training.recipes.recipe import OptimiserRecipe, ScheduleName, ScheduleRecipe, SpatialGateRecipe
from models.training.running.errors import TrainingError
from tests.models.training.conftest import make_recipe

pytestmark = pytest.mark.slow


def test_norms_and_biases_have_no_weight_decay_and_the_gates_their_own() -> None:
    gates = SpatialGateRecipe(scale_weight_decay=0.02, kernel_weight_decay=0.03)
    trainee = build_trainee(TraineeShape("resnet18", Attention.CBAM, 3), make_recipe())
    decays = {
        parameter: group["weight_decay"]
        for group in group_parameters(trainee, make_recipe(spatial_gate=gates, optimiser={"weight_decay": 0.01}))
        for parameter in group["params"]  # type: ignore[attr-defined]
    }
    names = {name: decays[parameter] for name, parameter in trainee.named_parameters()}
    assert len(decays) == len(list(trainee.parameters()))
    assert {decay for name, decay in names.items() if name.endswith("SpatialGate.spatial.bn.weight")} == {0.02}
    assert {decay for name, decay in names.items() if name.endswith("SpatialGate.spatial.conv.weight")} == {0.03}
    assert names["network.conv1.weight"] == names["network.fc.weight"] == 0.01
    assert names["network.bn1.weight"] == names["network.fc.bias"] == 0


@pytest.mark.parametrize("name", list(ScheduleName))
def test_learning_rate_rises_to_one_and_falls_to_the_last_factor(name: ScheduleName) -> None:
    recipe = ScheduleRecipe(name=name, warm_up=0.2, first_factor=0.1, last_factor=0.01)
    curve = [scale_rate(step, recipe, total_steps=100) for step in range(101)]
    assert curve[0] == pytest.approx(0.1)
    assert curve[20] == pytest.approx(1)
    assert curve[100] == pytest.approx(0.01)
    assert curve[:21] == sorted(curve[:21])
    assert curve[20:] == sorted(curve[20:], reverse=True)


@pytest.mark.parametrize(("total", "warm_up"), [(1, 0.0), (1, 0.9), (2, 0.5), (4, 0.25)])
def test_learning_rate_is_finite_for_the_shortest_trainings(total: int, warm_up: float) -> None:
    rates = [scale_rate(step, ScheduleRecipe(warm_up=warm_up), total_steps=total) for step in range(total + 1)]
    assert all(0 <= rate <= 1 for rate in rates)


def test_one_cycle_is_torchs_where_that_is_defined() -> None:
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1)
    torchs = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, 1, total_steps=101, pct_start=21 / 101, div_factor=10, final_div_factor=10, cycle_momentum=False
    )
    recipe = ScheduleRecipe(warm_up=0.2, first_factor=0.1, last_factor=0.01)
    for step in range(100):
        assert scale_rate(step, recipe, total_steps=100) == pytest.approx(torchs.get_last_lr()[0], abs=1e-6)
        optimiser.step()
        torchs.step()


def test_average_forgets_its_first_weights_soon() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = MovingAverage(network, 0.999)
    nn.init.zeros_(network.weight)
    average.follow(network, step=0)
    nn.init.ones_(network.weight)
    for step in range(1, 31):
        average.follow(network, step=step)
    assert float(average.module.get_parameter("weight")) > 0.99


def test_average_keeps_its_decay_later() -> None:
    network = nn.Linear(1, 1, bias=False)
    average = MovingAverage(network, 0.9)
    nn.init.zeros_(network.weight)
    average.follow(network, step=0)
    nn.init.ones_(network.weight)
    average.follow(network, step=1000)
    assert float(average.module.get_parameter("weight")) == pytest.approx(0.1)


def test_gradients_are_clipped_to_the_recipes_norm() -> None:
    weight = nn.Parameter(torch.zeros(4))
    weight.grad = torch.full((4,), 10.0)
    clip_gradients([weight], OptimiserRecipe(gradient_clip=2))
    assert float(weight.grad.norm()) == pytest.approx(2)


def test_adamw_takes_its_first_beta_from_the_momentum() -> None:
    recipe = make_recipe(optimiser={"name": "adamw", "momentum": 0.8})
    optimiser = make_optimiser(nn.Linear(2, 2), recipe, is_fused=False)
    assert isinstance(optimiser, torch.optim.AdamW)
    assert optimiser.param_groups[0]["betas"][0] == 0.8


def test_members_begin_with_the_same_weights_but_for_the_gates() -> None:
    recipe = make_recipe(spatial_gate=SpatialGateRecipe(initial_scale=0.5))
    baseline, cbam = (
        build_trainee(TraineeShape("resnet18", attention, 3, 7), recipe)
        for attention in (Attention.NONE, Attention.CBAM)
    )
    first, second = baseline.state_dict(), cbam.state_dict()
    assert first.keys() < second.keys()
    assert all(value.equal(second[name]) for name, value in first.items())
    assert {float(gate.scale.detach()) for gate in list_spatial_gates(cbam)} == {0.5}
    assert not list_spatial_gates(baseline)


def test_trainee_answers_with_an_auxiliary_head_of_its_own() -> None:
    trainee = build_trainee(TraineeShape("vgg16_bn", Attention.NONE, 3, 7), make_recipe())
    answer = trainee.eval()(torch.zeros(2, 3, 32, 32))
    assert answer.logits.shape == (2, 3)
    assert answer.auxiliary.shape == (2, 7)


def test_unknown_network_is_named() -> None:
    with pytest.raises(TrainingError, match="architecture 'resnet19' is not known"):
        build_trainee(TraineeShape("resnet19", Attention.NONE, 3), make_recipe())


def test_gates_have_their_own_learning_rate_and_the_trunk_comes_first() -> None:
    recipe = make_recipe(gates={"learning_rate": 0.004}, optimiser={"name": "adamw", "learning_rate": 0.0001})
    trainee = build_trainee(TraineeShape("resnet18", Attention.CBAM, 3), recipe)
    optimiser = make_optimiser(trainee, recipe, is_fused=False)
    rates = {parameter: group["lr"] for group in optimiser.param_groups for parameter in group["params"]}
    names = {name: rates[parameter] for name, parameter in trainee.named_parameters()}
    assert optimiser.param_groups[0]["lr"] == 0.0001
    assert {rate for name, rate in names.items() if ".cbam." in name} == {0.004}
    assert {rate for name, rate in names.items() if ".cbam." not in name} == {0.0001}


def test_gates_learn_as_fast_as_the_rest_by_default() -> None:
    recipe = make_recipe()
    trainee = build_trainee(TraineeShape("resnet18", Attention.CBAM, 3), recipe)
    assert {group["lr"] for group in group_parameters(trainee, recipe)} == {0.05}


@pytest.mark.parametrize(
    ("attention", "count"),
    [(Attention.ECA, 8), (Attention.COORDINATE, 8 * 8), (Attention.SIMAM, 0), (Attention.TRIPLET, 8 * 9)],
)
def test_other_attention_is_trained_as_gates_are(attention: Attention, count: int) -> None:
    trainee = build_trainee(TraineeShape("resnet18", attention, 3), make_recipe())
    names = {id(parameter): name for name, parameter in trainee.network.named_parameters()}
    gates = {names[id(parameter)] for parameter in list_gate_parameters(trainee)}
    assert gates == {name for name in names.values() if ".cbam." in name}
    assert len(gates) == count
    assert len(list_trunk_norms(trainee)) == 20
    output = trainee.train()(torch.rand(2, 3, 64, 64))
    output.logits.square().sum().backward()
    assert not [name for name, parameter in trainee.network.named_parameters() if parameter.grad is None]


def test_bam_is_trained_as_gates_are_and_its_norms_are_not_the_trunks() -> None:
    trainee = build_trainee(TraineeShape("resnet18", Attention.BAM, 3), make_recipe())
    names = {id(parameter): name for name, parameter in trainee.network.named_parameters()}
    gates = {names[id(parameter)] for parameter in list_gate_parameters(trainee)}
    assert gates == {name for name in names.values() if name.startswith("bam")}
    paths = {module: path for path, module in trainee.network.named_modules()}
    assert not [paths[norm] for norm in list_trunk_norms(trainee) if paths[norm].startswith("bam")]
    assert len(list_trunk_norms(trainee)) == 20
    output = trainee.train()(torch.zeros(2, 3, 64, 64))
    output.logits.sum().backward()
    assert not [name for name, parameter in trainee.network.named_parameters() if parameter.grad is None]
