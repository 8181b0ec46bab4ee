"""The targets of a batch, and the loss of the answers."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional
from torchvision.transforms import v2

from models.training.learning.trainee import TraineeOutput
from models.training.recipes.recipe import MixingRecipe, Recipe, SoftLabelRecipe


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The target of each picture of a batch.

    Attributes:
        classes: the share of each class, (N, K), with rows of zeros for pictures of no known class.
        auxiliary: the other network's probabilities, (N, A), with rows of zeros where they are not known; None
            without soft labels.
    """

    classes: torch.Tensor
    auxiliary: torch.Tensor | None = None


def mix(
    pictures: torch.Tensor, targets: Targets, recipe: MixingRecipe, *, chance: np.random.Generator
) -> tuple[torch.Tensor, Targets]:
    """Mix each picture with the one before it, or none, as the recipe's shares say.

    How much of which is drawn from torch's own generator, as torchvision does it.

    Args:
        pictures: (N, 3, H, W), all of one process.
        targets: theirs.
        recipe: how often and how strongly.
        chance: whether to mix this batch at all.
    """
    drawn = chance.random()
    if drawn < recipe.cutmix:
        transform: v2.Transform = v2.CutMix(alpha=recipe.cutmix_alpha)
    elif drawn < recipe.cutmix + recipe.mixup:
        transform = v2.MixUp(alpha=recipe.mixup_alpha)
    else:
        return pictures, targets
    parts = [targets.classes] if targets.auxiliary is None else [targets.classes, targets.auxiliary]
    mixed, labels = transform(pictures, torch.cat(parts, dim=1))  # (N, K + A)
    classes, *auxiliary = labels.split([part.shape[1] for part in parts], dim=1)
    return mixed.contiguous(memory_format=torch.channels_last), Targets(classes, *auxiliary)


def measure_loss(
    answer: TraineeOutput,
    targets: Targets,
    teacher: torch.Tensor | None,
    recipe: Recipe,
    *,
    done: float = 0.0,
) -> torch.Tensor:
    """The loss of a batch, a scalar: that of the classes, of the soft labels, of the teacher and of the gates.

    Each but the last is a mean over the batch, so that the mean over processes is that of all pictures; the gates' is
    of each process's own part.

    Args:
        answer: what the trained network says.
        targets: what is right.
        teacher: the teacher's logits, (N, K), or None.
        recipe: the losses' weights.
        done: the share of all steps that are done, at whose end the gates' losses may fade.
    """
    loss = recipe.class_weight * _measure_classes(answer.logits, targets.classes, recipe.label_smoothing)
    if answer.auxiliary is not None and targets.auxiliary is not None:
        loss = loss + _distil(answer.auxiliary, targets.auxiliary, recipe.auxiliary)
    share = recipe.gates.loss_share(done)
    if answer.gate_loss is not None and share:
        loss = loss + share * recipe.spatial_gate.loss_weight * answer.gate_loss
    if answer.channel_loss is not None and share:
        loss = loss + share * recipe.channel_gate.loss_weight * answer.channel_loss
    if teacher is not None:
        probabilities = torch.softmax(teacher.float() / recipe.teacher.temperature, dim=1)
        loss = loss + _distil(answer.logits, probabilities, recipe.teacher)
    return loss


def _measure_classes(logits: torch.Tensor, classes: torch.Tensor, smoothing: float) -> torch.Tensor:
    """Cross-entropy with the classes' shares; rows of zeros add nothing."""
    # What torch's own smoothing would spread over the classes of a picture that has none is left out.
    spread = smoothing * classes.sum(dim=1, keepdim=True) / classes.shape[1]  # (N, 1)
    return functional.cross_entropy(logits.float(), (1 - smoothing) * classes + spread)


def _distil(logits: torch.Tensor, probabilities: torch.Tensor, recipe: SoftLabelRecipe) -> torch.Tensor:
    """Cross-entropy with soft labels at a temperature; rows of zeros add nothing."""
    logs = functional.log_softmax(logits.float() / recipe.temperature, dim=1)
    # The gradient of softened logits is smaller by T squared (Hinton et al., 2015, section 2.1).
    return recipe.weight * recipe.temperature**2 * -(probabilities * logs).sum(dim=1).mean()
