"""The targets and the loss of a batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional
from torchvision.transforms import v2

from models.training.learning.trainee import TraineeOutput
from models.training.recipes.recipe import MixingRecipe, Recipe, SoftLabelRecipe


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The targets of a batch.

    Attributes:
        classes: the share of each class, (N, K); a row of zeros for a picture without a class.
        auxiliary: the other network's probabilities, (N, A); a row of zeros for a picture that has none; None without
            soft labels.
    """

    classes: torch.Tensor
    auxiliary: torch.Tensor | None = None


def mix(
    pictures: torch.Tensor, targets: Targets, recipe: MixingRecipe, *, chance: np.random.Generator
) -> tuple[torch.Tensor, Targets]:
    """Mix each picture with the previous one, or mix none, with the recipe's probabilities.

    The strength of mixing comes from torch's own generator, as in torchvision.

    Args:
        pictures: (N, 3, H, W), all of one process.
        targets: their targets.
        recipe: the probabilities and strengths.
        chance: the generator that decides how to mix this batch, if at all.
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
    """The loss of a batch, a scalar: the sum for the classes, the soft labels, the teacher and the gates.

    Each part but the last is a mean over the batch, so the mean over processes is that of all pictures. The gates' loss
    is computed from each process's own part of the batch.

    Args:
        answer: the output of the network in training.
        targets: the targets.
        teacher: the teacher's logits, (N, K), or None.
        recipe: the losses' weights.
        done: the share of all steps done; the gates' losses may fade towards the end.
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
    # torch's own smoothing would also add a target for a picture without a class.
    spread = smoothing * classes.sum(dim=1, keepdim=True) / classes.shape[1]  # (N, 1)
    return functional.cross_entropy(logits.float(), (1 - smoothing) * classes + spread)


def _distil(logits: torch.Tensor, probabilities: torch.Tensor, recipe: SoftLabelRecipe) -> torch.Tensor:
    """Cross-entropy with soft labels at a temperature; rows of zeros add nothing."""
    logs = functional.log_softmax(logits.float() / recipe.temperature, dim=1)
    # The gradient of softened logits is smaller by T squared (Hinton et al., 2015, section 2.1).
    return recipe.weight * recipe.temperature**2 * -(probabilities * logs).sum(dim=1).mean()
