"""The optimiser, the learning-rate schedule and the moving average of weights."""

import math
from collections.abc import Iterable
from functools import partial

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.training.learning.trainee import list_gate_parameters, list_spatial_gates
from models.training.recipes.recipe import OptimiserName, OptimiserRecipe, Recipe, ScheduleName, ScheduleRecipe

SECOND_BETA = 0.999


def make_optimiser(trainee: nn.Module, recipe: Recipe, *, is_fused: bool) -> torch.optim.Optimizer:
    """Make the optimiser, with groups of parameters that share weight decay and learning rate.

    Args:
        trainee: the network in training.
        recipe: the recipe.
        is_fused: whether to update all parameters in one kernel, which is faster on a GPU.
    """
    groups = group_parameters(trainee, recipe)
    options = recipe.optimiser
    if options.name is OptimiserName.ADAMW:
        betas = (options.momentum, SECOND_BETA)
        return torch.optim.AdamW(groups, lr=options.learning_rate, betas=betas, fused=is_fused)
    return torch.optim.SGD(
        groups,
        lr=options.learning_rate,
        momentum=options.momentum,
        nesterov=options.momentum > 0,
        fused=is_fused,
    )


def group_parameters(trainee: nn.Module, recipe: Recipe) -> list[dict[str, object]]:
    """Group parameters by their weight decay and learning rate.

    Norms and biases have no decay. Spatial gates have their own decay if the recipe gives one, and all gates may have
    their own learning rate. The first group is the trunk's.
    """
    gates = recipe.spatial_gate
    own: dict[nn.Parameter, float] = {}
    for gate in list_spatial_gates(trainee):
        own[gate.scale] = gates.scale_weight_decay
        if gates.kernel_weight_decay is not None:
            own[gate.kernel] = gates.kernel_weight_decay
    rates = dict.fromkeys(list_gate_parameters(trainee), recipe.gates.learning_rate or recipe.optimiser.learning_rate)
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in trainee.parameters():
        usual = recipe.optimiser.weight_decay if parameter.ndim > 1 else 0.0
        key = own.get(parameter, usual), rates.get(parameter, recipe.optimiser.learning_rate)
        groups.setdefault(key, []).append(parameter)
    return [{"params": parameters, "weight_decay": decay, "lr": rate} for (decay, rate), parameters in groups.items()]


def clip_gradients(parameters: Iterable[nn.Parameter], recipe: OptimiserRecipe) -> None:
    """Clip the L2 norm of all gradients together to the recipe's limit."""
    if recipe.gradient_clip is not None:
        nn.utils.clip_grad_norm_(parameters, recipe.gradient_clip)


def make_schedule(optimiser: torch.optim.Optimizer, recipe: ScheduleRecipe, *, total_steps: int) -> LambdaLR:
    """Make the learning-rate schedule over the steps."""
    return LambdaLR(optimiser, partial(scale_rate, recipe=recipe, total_steps=total_steps))


def scale_rate(step: int, recipe: ScheduleRecipe, *, total_steps: int) -> float:
    """The learning rate at a step, as a share of the highest one.

    The curves are those of torch's OneCycleLR, and of LinearLR followed by CosineAnnealingLR. torch's OneCycleLR is not
    used because it divides by zero if the rise takes one step, as in a short trial of a recipe.
    """
    rise = recipe.warm_up * total_steps
    if step < rise:
        share = step / rise
        if recipe.name is ScheduleName.ONE_CYCLE:
            share = (1 - math.cos(math.pi * share)) / 2
        return recipe.first_factor + (1 - recipe.first_factor) * share
    share = min(1.0, (step - rise) / (total_steps - rise))
    return recipe.last_factor + (1 - recipe.last_factor) * (1 + math.cos(math.pi * share)) / 2


class MovingAverage(AveragedModel):
    """The moving average of a network's weights and BatchNorm statistics (EMA); frozen, in evaluation mode.

    Args:
        network: the network to average.
        decay: the share of the old average that remains after a step; it rises to this value at first, so that the
            first weights soon lose their influence.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        super().__init__(network, use_buffers=True)
        self.decay = decay
        self.eval().requires_grad_(False)

    def follow(self, network: nn.Module, *, step: int) -> None:
        """Add the weights after a step, counted from 0."""
        # The caller counts: reading torch's own counter would wait for the GPU.
        decay = min(self.decay, (1 + step) / (10 + step))
        self.multi_avg_fn = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.update_parameters(network)
