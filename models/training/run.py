"""A whole training, from reading the data to writing all files, of one network or of a lineup."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import TypeAdapter

from models.lineups.card import LINEUP_NAME, MOST_NETWORKS, ClassLabel, name_network
from models.names import Attention, Geometry, NetworkName, Precision
from models.networks.zoo import count_multiply_adds, count_parameters
from models.training.learning.beginning import Beginning, open_beginnings
from models.training.learning.lesson import Lesson
from models.training.learning.log import read_log
from models.training.learning.trainee import TraineeShape
from models.training.learning.trainer import DrawMap, Trainer, TrainingOutput
from models.training.learning.validation import Score
from models.training.material import DataOptions, DataReader
from models.training.recipes.recipe import Recipe
from models.training.records.cards import (
    Circumstances,
    TrainedNetwork,
    format_lineup_card,
    format_model_card,
    name_recipe,
)
from models.training.records.toml_text import format_toml
from models.training.records.weights import STORED_DTYPES, write_weights
from models.training.running.errors import TrainingError
from models.training.running.files import write_file
from models.training.running.origin import find_origin
from models.training.running.processes import Processes, join_processes
from models.training.running.stopping import ShouldStop, watch

LINEUP_CARD = "lineup.toml"
LABELS = "labels.json"
RECIPE = "recipe.toml"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """The options of a training.

    Attributes:
        architecture: a name of `models.networks.zoo`.
        attentions: what the blocks end with, of one network after the other.
        is_lineup: whether the baseline is trained too, before them.
        recipe: how.
        data: with what.
        start: the weights to begin with, see `open_beginnings`; None to begin from scratch.
        output: directory of all files; made where it is not there.
        name: the lineup's; None for the architecture and the number of classes.
        device: auto, cpu, cuda or one with its number.
        precision: in which convolutions and linear layers are stored, fp16 or fp32.
        is_resumed: whether to go on with what is in the output directory.
        has_board: whether to write for TensorBoard.
        draw_map: draws the maps that TensorBoard shows of a few held-out pictures; None for none.
        minutes: the time after which to stop, as on a signal; None for no limit.
        state_minutes: the time between writes of the state within an epoch.
    """

    architecture: str
    attentions: tuple[Attention, ...]
    is_lineup: bool
    recipe: Recipe
    data: DataOptions
    output: Path
    start: str | None = None
    name: str | None = None
    device: str = "auto"
    precision: Precision = Precision.FP16
    is_resumed: bool = False
    has_board: bool = False
    draw_map: DrawMap | None = None
    minutes: float | None = None
    state_minutes: float = 5.0

    @property
    def members(self) -> dict[NetworkName, Attention]:
        """The networks to train, in this order."""
        attentions = (Attention.NONE, *self.attentions) if self.is_lineup else self.attentions
        return {name_network(attention): attention for attention in attentions}

    def check(self) -> None:
        """Refuse what cannot be; raises `TrainingError`."""
        if self.is_lineup and Attention.NONE in self.attentions:
            raise TrainingError(
                "attention is none; a lineup is a network without and with attention: choose --attention"
            )
        if len(self.attentions) > len(set(self.attentions)):
            raise TrainingError("an attention is named twice; give each --attention once")
        if self.is_lineup and not len(self.attentions) < MOST_NETWORKS:
            raise TrainingError(
                f"{len(self.attentions)} attentions and the baseline; a lineup has {MOST_NETWORKS} networks at most"
            )
        if self.name is not None and not re.fullmatch(LINEUP_NAME, self.name):
            raise TrainingError(f"name is {self.name!r}; a lineup's name has letters, digits, dots, dashes and _")
        if self.precision not in STORED_DTYPES:
            raise TrainingError(f"weights are not stored as {self.precision.value}; choose fp16 or fp32")


@dataclass(frozen=True, slots=True)
class TrainingReport:
    """The end of a training.

    Attributes:
        is_finished: False if it was stopped; its state is then in the output directory.
        message: the outcome in sentences.
    """

    is_finished: bool
    message: str


def run_training(options: TrainingOptions, *, tell: Tell, should_stop: ShouldStop | None = None) -> TrainingReport:
    """Run a training; with torchrun, in all processes together.

    Args:
        options: the options.
        tell: receives notes for the user, from one of the processes.
        should_stop: called after each step, with the number of this network's steps; by default, signals and the time
            limit decide.

    Raises:
        LineupError: a file cannot be read.
        TrainingError: anything else that the user can correct is wrong.
    """
    options.check()
    with join_processes(options.device) as processes, watch(minutes=options.minutes) as watched:
        return _Run(options, processes, tell if processes.is_first else _keep_quiet).train(should_stop or watched)


class _Run:
    """One call of `run_training`."""

    def __init__(self, options: TrainingOptions, processes: Processes, tell: Tell) -> None:
        self._options = options
        self._processes = processes
        self._tell = tell
        self._output = TrainingOutput(
            options.output, 60 * options.state_minutes, has_board=options.has_board, draw_map=options.draw_map
        )
        self._prepare_output()
        data = DataReader(options.data, options.recipe, processes=processes, tell=tell).read()
        self._lesson: Lesson = replace(data.lesson, beginnings=self._open_beginnings(len(data.classes)))
        self._circumstances = Circumstances(
            lesson=self._lesson,
            classes=data.classes,
            data=options.data.summarise(),
            unreadable=data.unreadable,
            origin=find_origin(processes.device, process_count=processes.count),
        )

    def train(self, should_stop: ShouldStop) -> TrainingReport:
        """Each network in turn, then what speaks of all."""
        shapes = {member: self._shape(attention) for member, attention in self._options.members.items()}
        self._check_states(shapes)
        self._write_common()
        trained: dict[NetworkName, TrainedNetwork] = {}
        for member, shape in shapes.items():
            trainer = Trainer(self._lesson, shape, processes=self._processes, output=self._output)
            if not trainer.run(should_stop):
                return self._tell_stop(trainer)
            scores = trainer.finish()
            if self._processes.is_first:
                trained[member] = self._write_network(trainer, scores)
        if self._options.is_lineup and self._processes.is_first:
            self._write_lineup(trained)
        return self._tell_scores(trained)

    def _open_beginnings(self, class_count: int) -> dict[Attention, Beginning]:
        options = self._options
        if options.start is None:
            if options.recipe.spatial_gate.renewed:
                raise TrainingError("the recipe renews spatial gates, which needs weights from --start-from")
            return {}
        found = open_beginnings(
            options.start, options.members, architecture=options.architecture, class_count=class_count
        )
        if not all(beginning.has_classifier for beginning in found.values()):
            self._tell(f"{options.start} has other classes: the classifier starts with random weights")
        return found

    def _shape(self, attention: Attention) -> TraineeShape:
        return TraineeShape(
            architecture=self._options.architecture,
            attention=attention,
            class_count=len(self._circumstances.classes),
            auxiliary_count=0 if self._lesson.soft_labels is None else self._lesson.soft_labels.class_count,
        )

    def _prepare_output(self) -> None:
        output = self._options.output
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise TrainingError(f"{output} cannot be made: {error.strerror}; choose another --output") from error

    def _check_states(self, shapes: Mapping[NetworkName, TraineeShape]) -> None:
        """Refuse to overwrite a training without --resume, and tell the user if there is nothing to resume."""
        states = [path for path in (self._output.state_path(shape) for shape in shapes.values()) if path.exists()]
        if states and not self._options.is_resumed:
            raise TrainingError(
                f"{self._options.output} already has a training, {states[0].name}; continue it with --resume, or "
                "choose another --output"
            )
        if self._options.is_resumed and not states:
            self._tell(f"there is no training to resume in {self._options.output}; this one starts at the beginning")
        # No process writes a state before all have looked.
        self._processes.wait()

    def _write_common(self) -> None:
        if not self._processes.is_first:
            return
        labels = TypeAdapter(list[ClassLabel]).dump_json(list(self._circumstances.classes.labels), indent=1)
        write_file(self._options.output / LABELS, labels + b"\n")
        write_file(self._options.output / RECIPE, format_toml(self._options.recipe.model_dump(mode="json")))

    def _write_network(self, trainer: Trainer, scores: Mapping[Geometry, Score]) -> TrainedNetwork:
        """Write a trained network with its model card."""
        shape, network = trainer.shape, trainer.learner.result
        side = self._options.recipe.resolution.value
        trained = TrainedNetwork(
            shape=shape,
            weights=write_weights(
                network,
                shape,
                state=self._output.state_path(shape),
                recipe=name_recipe(self._lesson),
                precision=self._options.precision,
            ),
            scores=scores,
            curve=read_log(self._output.log_path(shape)),
            seconds=trainer.seconds,
            parameters=count_parameters(network),
            multiply_adds=count_multiply_adds(network, height=side, width=side),
            precision=self._options.precision,
        )
        write_file(self._options.output / f"{shape.stem}.md", format_model_card(trained, self._circumstances))
        return trained

    def _write_lineup(self, trained: Mapping[NetworkName, TrainedNetwork]) -> None:
        architecture = re.sub(r"[^A-Za-z0-9._-]", "-", self._options.architecture)
        name = self._options.name or f"{architecture}-{len(self._circumstances.classes)}"
        write_file(self._options.output / LINEUP_CARD, format_lineup_card(name, trained, self._circumstances))

    def _tell_stop(self, trainer: Trainer) -> TrainingReport:
        step, total = trainer.learner.step, self._lesson.sampler.total_steps
        message = (
            f"stopped after step {step:,} of {total:,} of {trainer.shape.stem}; give the same command with --resume "
            "to continue from there"
        )
        return TrainingReport(is_finished=False, message=message)

    def _tell_scores(self, trained: Mapping[NetworkName, TrainedNetwork]) -> TrainingReport:
        lines = [f"{network.weights.path}: {_format_scores(network.scores)}" for network in trained.values()]
        if self._options.is_lineup:
            lines.append(
                f"{self._options.output / LINEUP_CARD}: compare with --lineup {self._options.output / LINEUP_CARD}"
            )
        return TrainingReport(is_finished=True, message="\n".join(lines))


def _format_scores(scores: Mapping[Geometry, Score]) -> str:
    told = [
        f"{name.value} top-1 {100 * score.top1:.2f} %, top-5 {100 * score.top5:.2f} %" for name, score in scores.items()
    ]
    return "; ".join(told) or "trained, not validated"


def _keep_quiet(text: str) -> None:
    """Receives the notes of the other processes and drops them."""
