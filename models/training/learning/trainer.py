"""Training one network from any step: the loop, the log, the state and stopping."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from models.names import Geometry
from models.networks.staged import StagedNetwork
from models.pictures.preparation import Preprocessing
from models.training.data.batches import HostBatch
from models.training.learning.learner import Learner, fork_random
from models.training.learning.lesson import Lesson
from models.training.learning.log import LogRow, TrainingLog
from models.training.learning.state import TrainingIdentity, read_state, write_state
from models.training.learning.trainee import TraineeShape
from models.training.learning.validation import Score
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes
from models.training.running.progress import ProgressBar
from models.training.running.stopping import ShouldStop

DrawMap = Callable[[StagedNetwork, NDArray[np.uint8], int, Preprocessing], NDArray[np.uint8]]
"""Draws a network's map of a picture, (H, W, 3), for a class index; the network is in evaluation mode."""

FIXED_PICTURES = 4
"""The number of held-out pictures whose maps TensorBoard shows."""

LOG_STEPS = 10
"""The number of steps between two rows of the log."""

EPOCH_STATE_SECONDS = 30.0
"""The age of the state on disk, in seconds, from which the end of an epoch writes it again. For an epoch of a few
seconds, writing it each time would take too long."""


@dataclass(frozen=True, slots=True)
class TrainingOutput:
    """Where a training writes, and how often.

    Attributes:
        directory: the directory of all files.
        state_seconds: the time between writes of the state within an epoch, in seconds; the end of an epoch needs a
            shorter one.
        has_board: whether to write for TensorBoard.
        draw_map: draws the maps that TensorBoard shows of a few held-out pictures; None for none.
    """

    directory: Path
    state_seconds: float = 300.0
    has_board: bool = False
    draw_map: DrawMap | None = None

    def state_path(self, shape: TraineeShape) -> Path:
        """The file of a training's state."""
        return self.directory / f"{shape.stem}.state.pt"

    def log_path(self, shape: TraineeShape) -> Path:
        """The file of its log."""
        return self.directory / f"{shape.stem}.csv"


class Meter:
    """Measures the pictures per second, and the time."""

    def __init__(self) -> None:
        self._begin = self._last = time.monotonic()
        self._pictures = 0

    def count(self, pictures: int = 0) -> float:
        """Count pictures; returns the seconds since the last call."""
        before, self._last = self._last, time.monotonic()
        self._pictures += pictures
        return self._last - before

    @property
    def speed(self) -> float:
        """Pictures per second, up to the last call of `count`."""
        return round(self._pictures / (self._last - self._begin), 1)


class Trainer:
    """Trains one network.

    Args:
        lesson: the lesson.
        shape: the network to build.
        processes: the processes that compute.
        output: where the training writes.

    Attributes:
        learner: the network and its optimiser.
        seconds: the time spent on its steps, over all starts.
        scores: the last measured accuracy.

    Raises:
        TrainingError: the network is not known, the state belongs to another training, the processes cannot share a
            batch evenly, or they have read different states.
    """

    def __init__(self, lesson: Lesson, shape: TraineeShape, *, processes: Processes, output: TrainingOutput) -> None:
        self.shape = shape
        self.learner = Learner(lesson, shape, processes)
        self.seconds = 0.0
        self.scores: dict[Geometry, Score] = {}
        self._lesson = lesson
        self._processes = processes
        self._output = output
        self._saved = time.monotonic()
        self._identity = TrainingIdentity(
            {**lesson.identify(), "network": shape.architecture, "attention": shape.attention.value}
        )
        state = read_state(output.state_path(shape), self._identity, device=processes.device)
        if state is not None:
            self.seconds = state["seconds"]
            self.learner.restore(state)
        self._check_agreement()

    @property
    def is_finished(self) -> bool:
        """Whether all steps are done."""
        return self.learner.step >= self._lesson.sampler.total_steps

    def run(self, should_stop: ShouldStop) -> bool:
        """Train to the end, or until `should_stop` says so; the state is then on disk.

        Args:
            should_stop: called after each step.

        Returns:
            Whether the training is finished.
        """
        sampler, step = self._lesson.sampler, self.learner.step
        bar = ProgressBar(self.shape.stem, total=sampler.total_steps, done=step, is_shown=self._processes.is_first)
        log = self._open_log()
        is_stopped = False
        with fork_random(self._processes.device), bar:
            while not self.is_finished and not is_stopped:
                is_stopped = self._run_epoch(log, bar, should_stop)
        self._processes.wait()
        if log is not None:
            log.close()
        return self.is_finished

    def finish(self) -> dict[Geometry, Score]:
        """Estimate the final BatchNorm statistics; returns the accuracy of the kept weights."""
        self.learner.estimate_statistics()
        self.scores = self._validate()
        return self.scores

    def _run_epoch(self, log: TrainingLog | None, bar: ProgressBar, should_stop: ShouldStop) -> bool:
        """Train the rest of the current epoch; returns whether it was stopped."""
        steps, total = self._lesson.sampler.epoch_steps, self._lesson.recipe.epochs
        epoch, first_step = divmod(self.learner.step, steps)
        title = f"{self.shape.stem}, epoch {epoch + 1} of {total}"
        meter = Meter()
        for batch in self.learner.loader.load(epoch, first_step=first_step):
            self.learner.learn(epoch, batch)
            self.seconds += meter.count(self._lesson.recipe.batch_size)
            bar.advance(title)
            is_last = batch.step + 1 == steps
            if is_last or (batch.step + 1) % LOG_STEPS == 0:
                self._note(log, batch, meter, is_last=is_last)
                meter = Meter()
            is_stopped = self._processes.has_any(flag=should_stop(self.learner.step))
            if is_stopped or self.is_finished or self._is_due(EPOCH_STATE_SECONDS if is_last else None):
                self._save()
            if is_stopped:
                return True
        return False

    def _note(self, log: TrainingLog | None, batch: HostBatch, meter: Meter, *, is_last: bool) -> None:
        """Write a row of the log; at the end of an epoch, with the accuracy."""
        loss = self.learner.take_loss()  # waits for the GPU, so that the time covers all steps
        self.seconds += meter.count()
        epoch = self.learner.step // self._lesson.sampler.epoch_steps
        is_due = epoch % self._lesson.recipe.validation_epochs == 0 or self.is_finished
        scores = self._validate() if is_last and is_due else {}
        if log is None:
            return
        height, width = batch.shape
        log.add(
            LogRow(
                step=self.learner.step,
                epoch=round(self.learner.step / self._lesson.sampler.epoch_steps, 4),
                learning_rate=self.learner.learning_rate,
                loss=loss,
                height=height,
                width=width,
                pictures_per_second=meter.speed,
                scores=scores,
            )
        )
        if is_last and is_due:
            log.add_maps(self.learner.step, self._draw_maps())

    def _validate(self) -> dict[Geometry, Score]:
        """Accuracy of the weights that will be kept; empty without validation pictures."""
        if self._lesson.validation is None:
            return {}
        with _evaluating(self.learner.result) as network:
            return self._lesson.validation.measure(
                network, preprocessing=self._lesson.preprocessing, processes=self._processes
            )

    def _draw_maps(self) -> dict[str, NDArray[np.uint8]]:
        """The maps of the fixed pictures by the weights that will be kept; empty if none are wanted."""
        draw, validation = self._output.draw_map, self._lesson.validation
        if draw is None or validation is None or not self._output.has_board:
            return {}
        with _evaluating(self.learner.result) as network:
            return {
                f"maps/{number}, class {class_index}": draw(network, seen, class_index, self._lesson.preprocessing)
                for number, (seen, class_index) in enumerate(validation.list_fixed(FIXED_PICTURES), 1)
            }

    def _open_log(self) -> TrainingLog | None:
        if not self._processes.is_first:
            return None
        return TrainingLog(
            self._output.log_path(self.shape),
            geometries=() if self._lesson.validation is None else self._lesson.recipe.geometries,
            done=self.learner.step,
            board=self._output.directory / "tensorboard" / self.shape.stem if self._output.has_board else None,
        )

    def _check_agreement(self) -> None:
        """Refuse to start if the processes of several machines have read different states."""
        steps = self._processes.add(torch.tensor(self.learner.step, device=self._processes.device))
        if int(steps) != self.learner.step * self._processes.count:
            raise TrainingError(
                "the processes have read different states of the training; give an --output that all machines share"
            )

    def _is_due(self, seconds: float | None) -> bool:
        """Whether the state on disk is older than this, or than the output's limit."""
        limits = [self._output.state_seconds] if seconds is None else [self._output.state_seconds, seconds]
        return time.monotonic() - self._saved >= min(limits)

    def _save(self) -> None:
        """Write the state of the first process, whose BatchNorm statistics are used."""
        self._saved = time.monotonic()
        if self._processes.is_first:
            state = {"seconds": self.seconds, **self.learner.state}
            write_state(self._output.state_path(self.shape), self._identity, state)


@contextmanager
def _evaluating(network: StagedNetwork) -> Iterator[StagedNetwork]:
    """Put a network into evaluation mode for a while."""
    trained = [module for module in network.modules() if module.training]
    network.eval()
    try:
        yield network
    finally:
        # Not `network.train()`: frozen BatchNorms were not in training mode.
        for module in trained:
            module.training = True
