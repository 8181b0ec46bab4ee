"""Which pictures each step sees, and at which shape: the same for every network of one recipe.

Every random number comes from (seed, epoch, step), so that neither what was trained before nor how many processes
share the work changes anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

import numpy as np

from models.training.data.store import Integers, PictureStore
from models.training.recipes.recipe import Recipe, Shape

MATCHED_STEPS = 16
"""Steps among which pictures are exchanged so that their aspects fit the batches'."""


class Stream(IntEnum):
    """The use of a random number: each use has numbers of its own."""

    ORDER = 0
    SHAPES = 1
    STEP = 2
    MIXING = 3
    TORCH = 4


def make_generator(recipe: Recipe, stream: Stream, *position: int) -> np.random.Generator:
    """The random numbers of one use at one position, (epoch) or (epoch, step)."""
    return np.random.default_rng((recipe.seed, stream, *position))


@dataclass(frozen=True, slots=True, eq=False)
class EpochPlan:
    """One epoch's work.

    Attributes:
        rows: each step's pictures, as their places in the store, (S, N).
        shapes: each step's (height, width).
    """

    rows: Integers
    shapes: Sequence[Shape]


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Plans each epoch of a training.

    Attributes:
        recipe: what decides.
        store: the pictures.
        class_count: K.
    """

    recipe: Recipe
    store: PictureStore
    class_count: int

    @property
    def epoch_steps(self) -> int:
        """Steps an epoch; the pictures that do not fill a batch are left for another."""
        return len(self.store) // self.recipe.batch_size

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.epoch_steps * self.recipe.epochs

    def plan(self, epoch: int) -> EpochPlan:
        """The work of an epoch, counted from 0."""
        generator = make_generator(self.recipe, Stream.ORDER, epoch)
        count = self.epoch_steps * self.recipe.batch_size
        rows = self._draw(generator)[:count].reshape(self.epoch_steps, -1)  # (S, N)
        shapes = self._draw_shapes(epoch)
        for start in range(0, self.epoch_steps, MATCHED_STEPS):
            block = slice(start, start + MATCHED_STEPS)
            rows[block] = self._match(rows[block], shapes[block], generator)
        return EpochPlan(rows, shapes)

    def _draw(self, generator: np.random.Generator) -> Integers:
        """As many places as there are pictures, in any order, (P,).

        A picture of a class of n has the weight n ** -balance. The places are drawn at equal distances along the
        weights' sum (systematic resampling), so that each picture comes as often as its weight says, rounded up or
        down: with equal weights exactly once.
        """
        classes = self._group()
        weights = np.bincount(classes, minlength=self.class_count)[classes] ** -float(self.recipe.balance)  # (P,)
        order = generator.permutation(len(classes))
        ends = np.cumsum(weights[order])
        marks = (np.arange(len(classes)) + generator.random()) * (ends[-1] / len(classes))
        places = np.minimum(np.searchsorted(ends, marks, side="right"), len(classes) - 1)
        drawn: Integers = generator.permutation(order[places])
        return drawn

    def _group(self) -> Integers:
        """What is balanced: each picture's class, or for one without its folder, counted behind the classes, (P,)."""
        groups = self.store.classes.copy()
        rows = np.flatnonzero(groups < 0)
        folders = [self.store.keys[row].rpartition("/")[0] for row in rows]
        if folders:
            groups[rows] = self.class_count + np.unique(folders, return_inverse=True)[1]
        return groups

    def _draw_shapes(self, epoch: int) -> list[Shape]:
        generator = make_generator(self.recipe, Stream.SHAPES, epoch)
        shapes = []
        for step in range(self.epoch_steps):
            choices = self.recipe.shapes_at((epoch * self.epoch_steps + step) / self.total_steps)
            shapes.append(choices[generator.integers(len(choices))])
        return shapes

    def _match(self, rows: Integers, shapes: Sequence[Shape], generator: np.random.Generator) -> Integers:
        """The same pictures, (S, N), with the wider ones rather in the wider batches."""
        pictures = rows.reshape(-1)  # (S * N,)
        matching = self.recipe.augmentation.aspect_matching
        wideness = np.argsort(np.argsort(self.store.widths[pictures] / self.store.heights[pictures], kind="stable"))
        chance = generator.permutation(len(pictures))
        pictures = pictures[np.argsort(matching * wideness + (1 - matching) * chance, kind="stable")]
        matched = np.empty_like(rows)
        start = 0
        steps = sorted(range(len(shapes)), key=lambda step: shapes[step][1] / shapes[step][0])
        # Batches of one aspect share their pictures by chance, and within a batch the order says nothing.
        for _, group in groupby(steps, key=lambda step: shapes[step][1] / shapes[step][0]):
            alike = list(group)
            end = start + len(alike) * rows.shape[1]
            matched[alike] = generator.permutation(pictures[start:end]).reshape(len(alike), -1)
            start = end
        return matched
