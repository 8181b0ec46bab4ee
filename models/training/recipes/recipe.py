"""A recipe: all settings of a training except the data and the network.

It is read from TOML, each field can be set on the command line, and it is written beside the weights. Nothing here
imports torch.
"""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.lineups.card import LARGE_RESOLUTIONS, read_bytes
from models.names import Geometry, Resolution
from models.training.running.errors import TrainingError

DEFAULT_RECIPE = Path(__file__).parent / "resnet18_110.toml"

Share = Annotated[float, Field(ge=0, le=1)]
Shape = tuple[Annotated[int, Field(ge=32)], Annotated[int, Field(ge=32)]]
"""Height and width of a batch in pixels."""


class OptimiserName(StrEnum):
    """The names of the optimisers."""

    SGD = "sgd"
    ADAMW = "adamw"


class ScheduleName(StrEnum):
    """The names of the learning-rate schedules."""

    ONE_CYCLE = "one_cycle"
    """Up and down on half cosines (Smith and Topin, 2018; as torch's OneCycleLR)."""
    COSINE = "cosine"
    """Linear warm-up, then down on half a cosine."""


class ComputePrecision(StrEnum):
    """The type in which the networks compute in training; the weights are always float32.

    fp16 is not supported: it would need loss scaling, and bf16 is as fast on all GPUs since 2020.
    """

    FP32 = "fp32"
    BF16 = "bf16"


def _check_resolution(resolution: Resolution) -> Resolution:
    """Refuse a resolution at which no network of the zoo has maps; `models.lineups.card` allows it to users' own."""
    allowed = (Resolution.PIXELS_32, *LARGE_RESOLUTIONS)
    if resolution not in allowed:
        raise ValueError(f"{resolution.value} is not one of {', '.join(str(known.value) for known in allowed)}")
    return resolution


class RecipePart(BaseModel):
    """A frozen part of a recipe that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OptimiserRecipe(RecipePart):
    """The optimiser.

    Attributes:
        name: the optimiser's name.
        learning_rate: the highest learning rate, for the whole batch and any number of processes.
        momentum: SGD's momentum, with Nesterov's correction, or AdamW's first beta.
        weight_decay: the weight decay of matrices and kernels; norms and biases have none.
        gradient_clip: the limit of the L2 norm of all gradients together; none for no limit.
    """

    name: OptimiserName = OptimiserName.SGD
    learning_rate: float = Field(default=0.1, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    gradient_clip: float | None = Field(default=None, gt=0)


class ScheduleRecipe(RecipePart):
    """The learning-rate schedule.

    Attributes:
        name: the schedule's name.
        warm_up: the share of all steps in which the rate rises.
        first_factor, last_factor: the first and the last learning rate, as shares of the highest.
    """

    name: ScheduleName = ScheduleName.ONE_CYCLE
    warm_up: float = Field(default=0.15, ge=0, lt=1)
    first_factor: Share = 0.04
    last_factor: Share = 1e-3


class AugmentationRecipe(RecipePart):
    """The variation of each picture.

    Attributes:
        smallest_area: the smallest share of a picture's area in a crop; the largest is 1.
        aspect: the largest factor between a crop's aspect and the batch's, either way; 1 for equal aspects.
        flip: the probability of swapping left and right.
        brightness, contrast, saturation: the largest change of each, either way, as a share.
        aspect_matching: 0 puts pictures into batches at random; 1 puts the widest ones into the widest batch.
    """

    smallest_area: float = Field(default=0.3, gt=0, le=1)
    aspect: float = Field(default=4 / 3, ge=1, le=4)
    flip: Share = 0.5
    brightness: Share = 0.3
    contrast: Share = 0.3
    saturation: Share = 0.3
    aspect_matching: Share = 0.5


class MixingRecipe(RecipePart):
    """Mixing of two pictures, its probability and strength: MixUp (Zhang et al., 2018), CutMix (Yun et al., 2019)."""

    mixup: Share = 0.0
    mixup_alpha: float = Field(default=0.2, gt=0)
    cutmix: Share = 0.0
    cutmix_alpha: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _check_sum(self) -> "MixingRecipe":
        if self.mixup + self.cutmix > 1:
            raise ValueError("mixup and cutmix are shares of the batches; their sum must be at most 1")
        return self


class Phase(RecipePart):
    """A part of the training with its own sizes.

    Attributes:
        start: the share of all steps at which it begins.
        shapes: (height, width) of batches in pixels; each batch draws one, one listed twice with twice the chance.
    """

    start: Annotated[float, Field(ge=0, lt=1)]
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1)]


class SoftLabelRecipe(RecipePart):
    """A second loss on another network's probabilities (Hinton et al., 2015).

    Attributes:
        weight: the weight of this loss.
        temperature: the divisor of both networks' logits; the loss is multiplied by its square.
    """

    weight: float = Field(default=0.5, ge=0)
    temperature: float = Field(default=2.0, gt=0)


class GateRecipe(RecipePart):
    """Training options of all gates.

    Attributes:
        learning_rate: the highest learning rate; none for the optimiser's. New gates often need a higher one.
        loss_fades_from, loss_fades_to: the shares of all steps at which the gates' losses start to fade and have faded
            out. At the end, the networks' other losses alone decide about the gates.
    """

    learning_rate: float | None = Field(default=None, gt=0)
    loss_fades_from: Share = 1.0
    loss_fades_to: Share = 1.0

    @model_validator(mode="after")
    def _check_order(self) -> "GateRecipe":
        if self.loss_fades_to < self.loss_fades_from:
            raise ValueError("loss_fades_to must not be less than loss_fades_from")
        return self

    def loss_share(self, share: float) -> float:
        """The factor of the gates' losses when a share of all steps is done, 1 to 0."""
        if share < self.loss_fades_from or self.loss_fades_from == 1:
            return 1.0
        length = self.loss_fades_to - self.loss_fades_from
        return max(0.0, (self.loss_fades_to - share) / length) if length else 0.0


class ChannelGateRecipe(RecipePart):
    """Training options of the channel gates.

    Attributes:
        loss_weight: the weight of the loss on gates that are the same for every picture; 0 for no such loss.
        least_deviation: the standard deviation of a channel's gate over a batch's pictures from which there is no loss.
        initial_deviation: the same at the start, see `models/training/learning/gate_start.py`; 0 to leave gates as they
            are.
    """

    loss_weight: float = Field(default=0.0, ge=0)
    least_deviation: float = Field(default=0.03, gt=0, le=0.5)
    initial_deviation: float = Field(default=0.0, ge=0, le=0.25)


class SpatialGateRecipe(RecipePart):
    """Training options of the spatial gates; padding and kernel size are the architecture's.

    Attributes:
        initial_scale: the initial scale (gamma) of their BatchNorms; 0 makes every gate a flat 0.5 at first.
        scale_weight_decay: the weight decay of this scale.
        kernel_weight_decay: the weight decay of their kernels; none for the optimiser's.
        renewed: parts of the network ("layer4") whose spatial gates are reset if a training starts from weights.
        loss_weight: the weight of the loss on uninformative gates, see `models/training/learning/gate_loss.py`; 0 for
            no such loss.
        least_deviation: the standard deviation of a gate over positions from which it does not count as flat.
        most_explained: the largest share of a gate's variance that the batch's mean map may explain without a loss.
        initial_deviation: the standard deviation of a gate over positions at the start, see
            `models/training/learning/gate_start.py`; 0 to leave gates as they are.
        freeze_statistics: whether their BatchNorms keep the statistics of the start. With `initial_deviation` these are
            measured, and gates are then the same in training and afterwards: a running mean lags behind kernels that
            learn fast, which cost 4 points of accuracy at the end of 250 steps.
    """

    initial_scale: float = 0.0
    scale_weight_decay: float = Field(default=0.0, ge=0)
    kernel_weight_decay: float | None = Field(default=None, ge=0)
    renewed: tuple[str, ...] = ()
    loss_weight: float = Field(default=0.0, ge=0)
    least_deviation: float = Field(default=0.05, gt=0, le=0.5)
    most_explained: Share = 0.25
    initial_deviation: float = Field(default=0.0, ge=0, le=0.25)
    freeze_statistics: bool = False


class Recipe(RecipePart):
    """All settings of a training except the data and the network.

    Attributes:
        name: the recipe's name.
        seed: the seed; every random number comes from it, the epoch and the step.
        epochs: the number of epochs; each shows as many pictures as there are.
        batch_size: pictures per step, in all processes together.
        precision: the type in which the networks compute.
        class_weight: the weight of the loss on the pictures' classes, which may stand beside a teacher's loss; pictures
            without a class have no such loss.
        label_smoothing: the share of each label that is spread over all classes.
        freeze_statistics: whether all BatchNorms except the gates' keep the statistics of the initial weights; the
            spatial gates have their own field.
        averaging: the decay per step of the weights' moving average (EMA); 0 for no average.
        statistics_batches: the number of batches for estimating the BatchNorm statistics again at the end; 0 to keep
            those of the training.
        balance: 0 shows each picture equally often; 1 shows each class, or unlabelled folder, equally often.
        mean, standard_deviation: the normalisation of the networks' input per RGB channel, for values in 0..1;
            ImageNet's by default.
        stored_side: the shorter side in pixels of the pictures in memory.
        resolution: the shorter side in pixels for validation; the lineup's card has it too.
        crop_share: the share of the resized picture's shorter side that a centre crop sees in validation; 0.875 where
            224 pixels of 256 are usual. The lineup's card has it too.
        geometries: the geometries for validation; the card has the first.
        validation_epochs: the number of epochs between validations; the last epoch is always followed by one.
        teacher_side: the shorter side in pixels to which smaller batches are enlarged for a teacher; none to give it
            the network's batch. A teacher with a fixed input size uses that size.
        optimiser, schedule, augmentation, mixing, auxiliary, teacher, gates, channel_gate, spatial_gate: see their
            classes. `auxiliary` is for `--soft-labels` and `teacher` for `--teacher`; they have no effect without these
            options.
        phases: the phases in the order of their starts; the first starts at 0.
    """

    name: str = Field(min_length=1, max_length=64)
    seed: int = Field(default=1, ge=0)
    epochs: int = Field(ge=1)
    batch_size: int = Field(ge=2)
    precision: ComputePrecision = ComputePrecision.BF16
    class_weight: float = Field(default=1.0, ge=0)
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.1
    freeze_statistics: bool = False
    averaging: Annotated[float, Field(ge=0, lt=1)] = 0.0
    statistics_batches: int = Field(default=0, ge=0)
    balance: Share = 0.0
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    standard_deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    stored_side: int = Field(default=256, ge=32)
    resolution: Annotated[Resolution, AfterValidator(_check_resolution)] = Resolution.PIXELS_224
    crop_share: float = Field(default=1.0, gt=0, le=1)
    geometries: Annotated[tuple[Geometry, ...], Field(min_length=1)] = (Geometry.CENTER_CROP, Geometry.WHOLE)
    validation_epochs: int = Field(default=1, ge=1)
    optimiser: OptimiserRecipe = OptimiserRecipe()
    schedule: ScheduleRecipe = ScheduleRecipe()
    augmentation: AugmentationRecipe = AugmentationRecipe()
    mixing: MixingRecipe = MixingRecipe()
    auxiliary: SoftLabelRecipe = SoftLabelRecipe()
    teacher: SoftLabelRecipe = SoftLabelRecipe()
    teacher_side: int | None = Field(default=None, ge=32)
    gates: GateRecipe = GateRecipe()
    channel_gate: ChannelGateRecipe = ChannelGateRecipe()
    spatial_gate: SpatialGateRecipe = SpatialGateRecipe()
    phases: Annotated[tuple[Phase, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _check_phases(self) -> "Recipe":
        starts = [phase.start for phase in self.phases]
        if starts[0] != 0 or sorted(set(starts)) != starts:
            raise ValueError(f"phases start at {starts}; the first must start at 0, each other one after the previous")
        return self

    @model_validator(mode="after")
    def _check_statistics(self) -> "Recipe":
        if (self.freeze_statistics or self.spatial_gate.freeze_statistics) and self.statistics_batches:
            raise ValueError("freeze_statistics keeps the statistics that statistics_batches would replace; choose one")
        return self

    def shapes_at(self, share: float) -> tuple[Shape, ...]:
        """The shapes to draw from after a share of all steps."""
        return next(phase.shapes for phase in reversed(self.phases) if phase.start <= share)


def read_recipe(path: Path = DEFAULT_RECIPE, *, changes: Iterable[str] = ()) -> Recipe:
    """Read a recipe from its TOML file.

    Args:
        path: the file.
        changes: changes as `FIELD=VALUE` with a TOML value, for example `optimiser.learning_rate=0.2`; a text needs no
            quotes.

    Raises:
        LineupError: the file cannot be read.
        TrainingError: the file, or the file with the changes, is not a valid recipe.
    """
    try:
        table = tomllib.loads(read_bytes(path).decode())
        for change in changes:
            _change(table, change)
        return Recipe.model_validate(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is not a TOML file: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors())
        raise TrainingError(f"{path} is not a valid recipe with these changes: {problems}") from error


def _change(table: dict[str, Any], change: str) -> None:
    """Set a field in a recipe's table, given as `optimiser.learning_rate=0.2`."""
    field, equals, text = change.partition("=")
    *parents, last = field.strip().split(".")
    if not equals or not last:
        raise TrainingError(f"{change!r} changes no field; write FIELD=VALUE, for example optimiser.learning_rate=0.2")
    for name in parents:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise TrainingError(f"{field}: {name} has no fields of its own; give all of it, {name}=...")
    table[last] = _parse_value(text.strip())


def _parse_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
