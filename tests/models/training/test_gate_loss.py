"""The loss on uninformative gates."""

import numpy as np
import pytest
import torch

from app.evaluation.measures.gates import GateStatistics
from models.names import Attention
from models.training.learning.gate_loss import measure_channel_loss, measure_gate_loss
from models.training.learning.targets import Targets, measure_loss
from models.training.learning.trainee import TraineeOutput, TraineeShape, build_trainee
from models.training.recipes.recipe import ChannelGateRecipe, SpatialGateRecipe
from tests.models.training.conftest import make_recipe

GATES = SpatialGateRecipe(loss_weight=2, least_deviation=0.1, most_explained=0.25)


def make_gate(*, position: float, picture: float, count: int = 64) -> torch.Tensor:
    """Gates of 8x8 positions around 0.5: a map shared by all pictures plus one for each, with given deviations."""
    chance = torch.Generator().manual_seed(3)
    common = torch.randn(1, 8, 8, generator=chance)
    own = torch.randn(count, 8, 8, generator=chance)
    return 0.5 + position * (common - common.mean()) / common.std() + picture * own


def test_gate_that_looks_at_the_picture_costs_nothing() -> None:
    assert float(measure_gate_loss([make_gate(position=0, picture=0.2)], GATES)) == 0


def test_flat_gate_costs_one_and_has_a_gradient_that_is_a_number() -> None:
    gate = torch.full((4, 8, 8), 0.5).requires_grad_()
    loss = measure_gate_loss([gate], GATES)
    (gradient,) = torch.autograd.grad(loss, gate)
    assert float(loss.detach()) == pytest.approx(1, abs=1e-2)
    assert torch.isfinite(gradient).all()


def test_gate_of_position_alone_costs_what_is_above_the_bound() -> None:
    assert float(measure_gate_loss([make_gate(position=0.2, picture=0)], GATES)) == pytest.approx(0.75, abs=1e-4)


def test_loss_of_several_blocks_is_their_mean() -> None:
    gates = [make_gate(position=0.2, picture=0), make_gate(position=0, picture=0.2)]
    assert float(measure_gate_loss(gates, GATES)) == pytest.approx(0.375, abs=1e-4)


def test_share_that_is_held_down_is_the_one_that_evaluate_reports() -> None:
    gate = make_gate(position=0.1, picture=0.1)
    statistics = GateStatistics()
    for values in gate.numpy():
        statistics.add(values.astype(np.float32))
    explained = statistics.summarise().explained
    assert explained is not None
    none_allowed = SpatialGateRecipe(loss_weight=1, least_deviation=0.01, most_explained=0)
    assert float(measure_gate_loss([gate], none_allowed)) == pytest.approx(explained, abs=1e-5)


def test_loss_wakes_a_gate_that_is_flat() -> None:
    recipe = make_recipe(spatial_gate=GATES.model_copy(update={"initial_scale": 0.001}))
    shape = TraineeShape(architecture="resnet18", attention=Attention.CBAM, class_count=3)
    trainee = build_trainee(shape, recipe).train()
    torch.manual_seed(0)
    batch = torch.randn(4, 3, 64, 64)
    optimiser = torch.optim.SGD(trainee.parameters(), lr=0.05, momentum=0.9)
    costs = []
    for _ in range(8):
        answer = trainee(batch)
        assert answer.gate_loss is not None
        costs.append(float(answer.gate_loss.detach()))
        answer.gate_loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    assert costs[0] > 0.9
    assert costs[-1] < costs[0] / 2


@pytest.mark.parametrize(
    ("attention", "weight", "is_there"),
    [(Attention.CBAM, 1.0, True), (Attention.CBAM, 0.0, False), (Attention.NONE, 1.0, False)],
)
def test_only_a_network_with_gates_whose_recipe_asks_for_it_has_the_loss(
    attention: Attention, weight: float, *, is_there: bool
) -> None:
    recipe = make_recipe(spatial_gate=SpatialGateRecipe(loss_weight=weight))
    shape = TraineeShape(architecture="resnet18", attention=attention, class_count=3)
    answer = build_trainee(shape, recipe).train()(torch.randn(2, 3, 64, 64))
    assert (answer.gate_loss is not None) is is_there


def test_loss_of_the_gates_is_added_by_its_weight() -> None:
    logits, classes = torch.tensor([[2.0, 0.0, -1.0]]), torch.eye(3)[:1]
    recipe = make_recipe(spatial_gate=GATES)
    plain = measure_loss(TraineeOutput(logits), Targets(classes), None, recipe)
    with_gates = measure_loss(TraineeOutput(logits, gate_loss=torch.tensor(0.3)), Targets(classes), None, recipe)
    assert float(with_gates - plain) == pytest.approx(0.6)


def test_channel_gate_that_weighs_every_picture_alike_costs_one_and_one_that_does_not_nothing() -> None:
    recipe = ChannelGateRecipe(loss_weight=1, least_deviation=0.04)
    same = torch.linspace(0, 1, 8).expand(16, 8)
    chance = torch.Generator().manual_seed(2)
    moving = 0.5 + 0.1 * torch.randn(16, 8, generator=chance)
    assert float(measure_channel_loss([same], recipe)) == pytest.approx(1, abs=1e-2)
    assert float(measure_channel_loss([moving], recipe)) == 0
    assert float(measure_channel_loss([same, moving], recipe)) == pytest.approx(0.5, abs=1e-2)


@pytest.mark.parametrize("attention", [Attention.SE, Attention.CBAM])
def test_channel_loss_is_of_every_network_with_such_gates(attention: Attention) -> None:
    recipe = make_recipe(channel_gate=ChannelGateRecipe(loss_weight=1))
    shape = TraineeShape(architecture="resnet18", attention=attention, class_count=3)
    answer = build_trainee(shape, recipe).train()(torch.randn(2, 3, 64, 64))
    assert answer.channel_loss is not None
    assert answer.gate_loss is None
