"""A recipe: everything but the data and the network that decides what a training does.

It is read from TOML, every field can be given on the command line, and it is written beside the weights. Nothing here
imports torch.
"""

import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from models.lineups.card import read_bytes
from models.names import Geometry, Resolution
from models.training.running.errors import TrainingError

DEFAULT_RECIPE = Path(__file__).parent / "resnet18_110.toml"

Share = Annotated[float, Field(ge=0, le=1)]
Shape = tuple[Annotated[int, Field(ge=32)], Annotated[int, Field(ge=32)]]
"""Height and width of a batch in pixels."""


class OptimiserName(StrEnum):
    """Which of torch's optimisers."""

    SGD = "sgd"
    ADAMW = "adamw"


class ScheduleName(StrEnum):
    """How the learning rate goes up and down."""

    ONE_CYCLE = "one_cycle"
    """Up and down again on half cosines (Smith and Topin, 2018, as torch's OneCycleLR anneals)."""
    COSINE = "cosine"
    """Up on a line, down on half a cosine."""


class ComputePrecision(StrEnum):
    """The type in which the networks compute in training; the weights are float32 in any case.

    fp16 is not here: it would want its losses scaled, and bf16 is as fast on everything made since 2020.
    """

    FP32 = "fp32"
    BF16 = "bf16"


class RecipePart(BaseModel):
    """A frozen part of a recipe that refuses keys it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class OptimiserRecipe(RecipePart):
    """The optimiser.

    Attributes:
        name: which.
        learning_rate: the highest one, for the whole batch, however many processes share it.
        momentum: SGD's with Nesterov's correction; AdamW's first beta.
        weight_decay: of matrices and kernels; norms and biases have none.
        gradient_clip: the greatest L2 norm of all gradients together; none for no bound.
    """

    name: OptimiserName = OptimiserName.SGD
    learning_rate: float = Field(default=0.1, gt=0)
    momentum: float = Field(default=0.9, ge=0, lt=1)
    weight_decay: float = Field(default=5e-4, ge=0)
    gradient_clip: float | None = Field(default=None, gt=0)


class ScheduleRecipe(RecipePart):
    """The learning rate over the steps.

    Attributes:
        name: which curve.
        warm_up: the share of all steps on which it rises.
        first_factor, last_factor: the first and the last learning rate, as shares of the highest.
    """

    name: ScheduleName = ScheduleName.ONE_CYCLE
    warm_up: float = Field(default=0.15, ge=0, lt=1)
    first_factor: Share = 0.04
    last_factor: Share = 1e-3


class AugmentationRecipe(RecipePart):
    """The variation of each picture.

    Attributes:
        smallest_area: the least share of a picture that a crop shows; the greatest is all of it.
        aspect: by how much a crop's aspect may differ from the batch's either way, as a factor; 1 for not at all.
        flip: how often left and right are exchanged.
        brightness, contrast, saturation: by how much each may be changed either way.
        aspect_matching: 0 puts pictures into batches by chance; 1 puts the widest into the widest batch.
    """

    smallest_area: float = Field(default=0.3, gt=0, le=1)
    aspect: float = Field(default=4 / 3, ge=1, le=4)
    flip: Share = 0.5
    brightness: Share = 0.3
    contrast: Share = 0.3
    saturation: Share = 0.3
    aspect_matching: Share = 0.5


class MixingRecipe(RecipePart):
    """How often and how strongly two pictures become one: MixUp (Zhang et al., 2018), CutMix (Yun et al., 2019)."""

    mixup: Share = 0.0
    mixup_alpha: float = Field(default=0.2, gt=0)
    cutmix: Share = 0.0
    cutmix_alpha: float = Field(default=1.0, gt=0)

    @model_validator(mode="after")
    def _check_sum(self) -> "MixingRecipe":
        if self.mixup + self.cutmix > 1:
            raise ValueError("mixup and cutmix are shares of the batches and are at most 1 together")
        return self


class Phase(RecipePart):
    """A part of the schedule with its own sizes.

    Attributes:
        start: the share of all steps at which it begins.
        shapes: (height, width) of batches; each batch draws one, one that is listed twice twice as often.
    """

    start: Annotated[float, Field(ge=0, lt=1)]
    shapes: Annotated[tuple[Shape, ...], Field(min_length=1)]


class SoftLabelRecipe(RecipePart):
    """A second loss on another network's probabilities (Hinton et al., 2015).

    Attributes:
        weight: of that loss.
        temperature: by which both sides' logits are divided; the loss is multiplied by its square.
    """

    weight: float = Field(default=0.5, ge=0)
    temperature: float = Field(default=2.0, gt=0)


class GateRecipe(RecipePart):
    """What all gates have of their own.

    Attributes:
        learning_rate: the highest one; none for the optimiser's. Fresh gates in a trained network have all to learn.
        loss_fades_from, loss_fades_to: the shares of all steps at which the gates' losses begin to fade and are gone,
            so that what is left of a gate at the end is what the network wants of it.
    """

    learning_rate: float | None = Field(default=None, gt=0)
    loss_fades_from: Share = 1.0
    loss_fades_to: Share = 1.0

    @model_validator(mode="after")
    def _check_order(self) -> "GateRecipe":
        if self.loss_fades_to < self.loss_fades_from:
            raise ValueError("loss_fades_to comes after loss_fades_from")
        return self

    def loss_share(self, share: float) -> float:
        """How much of the gates' losses counts when a share of all steps is done."""
        if share < self.loss_fades_from or self.loss_fades_from == 1:
            return 1.0
        length = self.loss_fades_to - self.loss_fades_from
        return max(0.0, (self.loss_fades_to - share) / length) if length else 0.0


class ChannelGateRecipe(RecipePart):
    """What is asked of the channel gates.

    Attributes:
        loss_weight: of the loss on gates that are the same for every picture; 0 for none.
        least_deviation: of a channel's gate over a batch's pictures, from which it is not called the same.
    """

    loss_weight: float = Field(default=0.0, ge=0)
    least_deviation: float = Field(default=0.03, gt=0, le=0.5)


class SpatialGateRecipe(RecipePart):
    """Training options of the spatial gates; padding and kernel size are the architecture's.

    Attributes:
        initial_scale: the first value of their BatchNorm's scale (gamma); 0 makes every first gate a flat 0.5.
        scale_weight_decay: of that scale.
        kernel_weight_decay: of their kernels; none for the optimiser's.
        renewed: parts of the network ("layer4") whose spatial gates begin anew where a training starts from weights.
        loss_weight: of the loss on gates that tell nothing, see `models/training/learning/gate_loss.py`; 0 for none.
        least_deviation: of a gate over positions, from which it is not called flat.
        most_explained: the share of a gate's variance that the batch's mean map may have.
    """

    initial_scale: float = 0.0
    scale_weight_decay: float = Field(default=0.0, ge=0)
    kernel_weight_decay: float | None = Field(default=None, ge=0)
    renewed: tuple[str, ...] = ()
    loss_weight: float = Field(default=0.0, ge=0)
    least_deviation: float = Field(default=0.05, gt=0, le=0.5)
    most_explained: Share = 0.25


class Recipe(RecipePart):
    """Everything but the data and the network that decides what a training does.

    Attributes:
        name: its own.
        seed: what every random number comes from, together with the epoch and the step.
        epochs: how often as many pictures are shown as there are.
        batch_size: pictures a step, in all processes together.
        precision: the type in which the networks compute.
        class_weight: of the loss on the pictures' own classes, beside a teacher's; those without one have none.
        label_smoothing: the share of each label that is spread over all classes.
        freeze_statistics: whether all BatchNorms but the gates' keep the statistics of the weights that are begun with.
        averaging: decay of the weights' moving average (EMA) per step; 0 for none.
        statistics_batches: batches on which BatchNorm's statistics are taken anew at the end; 0 to keep those of the
            training.
        balance: 0 shows each picture equally often, 1 each class, and each folder of pictures without one.
        mean, standard_deviation: of the networks' input per RGB channel, for values in 0..1; ImageNet's usual ones.
        stored_side: the shorter side in pixels at which pictures wait in memory.
        resolution: the shorter side at which is validated, and that the lineup's card names.
        geometries: how is validated; the card names the first.
        validation_epochs: after how many epochs each time; after the last one in any case.
        teacher_side: the shorter side in pixels to which smaller batches are enlarged for a teacher; none to show it
            what the network sees. One that has one size has its own.
        optimiser, schedule, augmentation, mixing, auxiliary, teacher, gates, channel_gate, spatial_gate: see there.
            `auxiliary` speaks of the soft labels of `--soft-labels`, `teacher` of the networks of `--teacher`; without
            these options neither does anything.
        phases: in the order of their starts; the first begins at 0.
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
    resolution: Resolution = Resolution.PIXELS_224
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
            raise ValueError(f"phases start at {starts}; the first starts at 0 and each later than the one before")
        return self

    @model_validator(mode="after")
    def _check_statistics(self) -> "Recipe":
        if self.freeze_statistics and self.statistics_batches:
            raise ValueError("freeze_statistics keeps the statistics that statistics_batches takes anew; choose one")
        return self

    def shapes_at(self, share: float) -> tuple[Shape, ...]:
        """The shapes to draw from when a share of all steps is done."""
        return next(phase.shapes for phase in reversed(self.phases) if phase.start <= share)


def read_recipe(path: Path = DEFAULT_RECIPE, *, changes: Iterable[str] = ()) -> Recipe:
    """A recipe from its TOML file.

    Args:
        path: the file.
        changes: `FIELD=VALUE` with a value as TOML has it, for example `optimiser.learning_rate=0.2`; a text needs no
            quotes.

    Raises:
        LineupError: for a file that cannot be read.
        TrainingError: for one that is no recipe, and for a change that makes none.
    """
    try:
        table = tomllib.loads(read_bytes(path).decode())
        for change in changes:
            _change(table, change)
        return Recipe.model_validate(table)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} is no TOML file: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, entry['loc']))}: {entry['msg']}" for entry in error.errors())
        raise TrainingError(f"{path} is no recipe, with what was changed in it: {problems}") from error


def _change(table: dict[str, Any], change: str) -> None:
    """Set a field, given as `optimiser.learning_rate=0.2`, in a recipe's table."""
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
