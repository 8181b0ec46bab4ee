"""Losses and mixed labels."""

import math

import numpy as np
import pytest
import torch

from models.training.learning.targets import Targets, measure_loss, mix
from models.training.learning.trainee import TraineeOutput
from models.training.recipes.recipe import MixingRecipe, SoftLabelRecipe
from tests.models.training.conftest import make_recipe

LOGITS = torch.tensor([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]])
CLASSES = torch.eye(3)[:2]


def test_loss_of_known_logits_is_the_cross_entropy() -> None:
    loss = measure_loss(TraineeOutput(LOGITS, None), Targets(CLASSES), None, make_recipe(label_smoothing=0))
    expected = -torch.log_softmax(LOGITS, 1).diagonal()[:2].mean()
    assert float(loss) == pytest.approx(float(expected))


def test_soft_labels_change_the_loss_and_pictures_without_them_do_not() -> None:
    recipe = make_recipe(auxiliary=SoftLabelRecipe(weight=0.5, temperature=2))
    auxiliary = torch.zeros(2, 4)
    plain = measure_loss(TraineeOutput(LOGITS, auxiliary), Targets(CLASSES), None, recipe)
    soft = torch.tensor([[0.7, 0.3, 0, 0], [0, 0, 0, 0]])
    taught = measure_loss(TraineeOutput(LOGITS, auxiliary), Targets(CLASSES, soft), None, recipe)
    # Flat logits over 4 classes have the cross-entropy ln 4 with any labels; half of the batch has none.
    assert float(taught - plain) == pytest.approx(0.5 * 2**2 * math.log(4) / 2)


def test_teacher_that_agrees_leaves_no_gradient() -> None:
    logits = LOGITS.clone().requires_grad_()
    recipe = make_recipe(label_smoothing=0, teacher=SoftLabelRecipe(weight=1, temperature=3))
    (with_teacher,) = torch.autograd.grad(
        measure_loss(TraineeOutput(logits, None), Targets(CLASSES), LOGITS, recipe), logits
    )
    (alone,) = torch.autograd.grad(measure_loss(TraineeOutput(logits, None), Targets(CLASSES), None, recipe), logits)
    assert with_teacher.numpy() == pytest.approx(alone.numpy(), abs=1e-6)


@pytest.mark.parametrize("kind", ["mixup", "cutmix"])
def test_mixing_mixes_pictures_and_both_kinds_of_labels_alike(kind: str) -> None:
    pictures = torch.arange(3.0)[:, None, None, None].expand(3, 3, 16, 16).contiguous()
    targets = Targets(torch.eye(3), torch.tensor([[1.0, 0], [0, 0], [0, 1.0]]))
    recipe = MixingRecipe.model_validate({kind: 1.0, f"{kind}_alpha": 1.0})
    torch.manual_seed(4)
    mixed, labels = mix(pictures, targets, recipe, chance=np.random.default_rng(0))
    share = float(labels.classes[1, 1])
    assert 0 < share < 1
    assert labels.classes[1].tolist() == pytest.approx([1 - share, share, 0])
    assert labels.auxiliary is not None
    assert labels.auxiliary[1].tolist() == pytest.approx([1 - share, 0])
    assert float(mixed[1].mean()) == pytest.approx(share, abs=1e-5)


def test_nothing_is_mixed_where_the_recipe_says_so() -> None:
    pictures, targets = torch.rand(2, 3, 4, 4), Targets(CLASSES)
    assert mix(pictures, targets, MixingRecipe(), chance=np.random.default_rng(0)) == (pictures, targets)


def test_picture_of_no_class_costs_nothing_and_a_smoothed_one_what_it_did() -> None:
    recipe = make_recipe(label_smoothing=0.1)
    expected = torch.nn.functional.cross_entropy(LOGITS, CLASSES, label_smoothing=0.1)
    both = measure_loss(TraineeOutput(LOGITS), Targets(CLASSES), None, recipe)
    assert float(both) == pytest.approx(float(expected))
    first = torch.nn.functional.cross_entropy(LOGITS[:1], CLASSES[:1], label_smoothing=0.1)
    unlabelled = CLASSES * torch.tensor([[1.0], [0.0]])
    assert float(measure_loss(TraineeOutput(LOGITS), Targets(unlabelled), None, recipe)) == pytest.approx(
        float(first) / 2
    )


def test_classes_have_the_weight_of_the_recipe() -> None:
    plain, third = (
        float(measure_loss(TraineeOutput(LOGITS), Targets(CLASSES), None, make_recipe(class_weight=weight)))
        for weight in (1.0, 0.3)
    )
    assert third == pytest.approx(0.3 * plain)


@pytest.mark.parametrize(("done", "share"), [(0.0, 1), (0.79, 1), (0.85, 0.5), (0.9, 0), (1.0, 0)])
def test_losses_of_the_gates_fade_out_before_the_end(done: float, share: float) -> None:
    changes = {
        "gates": {"loss_fades_from": 0.8, "loss_fades_to": 0.9},
        "spatial_gate": {"loss_weight": 2},
        "channel_gate": {"loss_weight": 3},
    }
    recipe = make_recipe(**changes)
    output = TraineeOutput(LOGITS, gate_loss=torch.tensor(0.5), channel_loss=torch.tensor(0.25))
    plain = measure_loss(TraineeOutput(LOGITS), Targets(CLASSES), None, recipe, done=done)
    found = measure_loss(output, Targets(CLASSES), None, recipe, done=done)
    assert float(found - plain) == pytest.approx(share * (2 * 0.5 + 3 * 0.25), abs=1e-5)


def test_losses_of_the_gates_stay_where_no_end_is_given() -> None:
    assert make_recipe().gates.loss_share(1.0) == 1
