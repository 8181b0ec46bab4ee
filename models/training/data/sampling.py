"""Planning the pictures and the shape of each step, the same for every network of one recipe.

Every random number comes from (seed, epoch, step), so the plan depends neither on earlier training nor on the number
of processes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import groupby

import numpy as np

from models.training.data.store import Integers, PictureStore
from models.training.recipes.recipe import Recipe, Shape

MATCHED_STEPS = 16
"""The number of steps among which pictures are exchanged so that their aspects fit the batches."""


class Stream(IntEnum):
    """The use of random numbers; each use has its own stream."""

    ORDER = 0
    SHAPES = 1
    STEP = 2
    MIXING = 3
    TORCH = 4


def make_generator(recipe: Recipe, stream: Stream, *position: int) -> np.random.Generator:
    """Make the random numbers of one use at one position, (epoch) or (epoch, step)."""
    return np.random.default_rng((recipe.seed, stream, *position))


@dataclass(frozen=True, slots=True, eq=False)
class EpochPlan:
    """The plan of one epoch.

    Attributes:
        rows: each step's pictures, as indices in the store, (S, N).
        shapes: each step's (height, width).
    """

    rows: Integers
    shapes: Sequence[Shape]


@dataclass(frozen=True, slots=True, eq=False)
class Sampler:
    """Plans each epoch of a training.

    Attributes:
        recipe: the recipe.
        store: the pictures.
        class_count: K, the number of classes.
    """

    recipe: Recipe
    store: PictureStore
    class_count: int

    @property
    def epoch_steps(self) -> int:
        """Steps per epoch; pictures that do not fill a batch are left for another epoch."""
        return len(self.store) // self.recipe.batch_size

    @property
    def total_steps(self) -> int:
        """Steps of the whole training."""
        return self.epoch_steps * self.recipe.epochs

    def plan(self, epoch: int) -> EpochPlan:
        """Plan an epoch, counted from 0."""
        generator = make_generator(self.recipe, Stream.ORDER, epoch)
        count = self.epoch_steps * self.recipe.batch_size
        rows = self._draw(generator)[:count].reshape(self.epoch_steps, -1)  # (S, N)
        shapes = self._draw_shapes(epoch)
        for start in range(0, self.epoch_steps, MATCHED_STEPS):
            block = slice(start, start + MATCHED_STEPS)
            rows[block] = self._match(rows[block], shapes[block], generator)
        return EpochPlan(rows, shapes)

    def _draw(self, generator: np.random.Generator) -> Integers:
        """Draw as many indices as there are pictures, in any order, (P,).

        A picture in a class of n pictures has the weight n ** -balance. The indices are drawn at equal distances along
        the cumulative weights (systematic resampling). So each picture comes as often as its weight says, rounded up or
        down; with equal weights, exactly once.
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
        """The group that is balanced: each picture's class, or its folder if it has no class, (P,)."""
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
        """Reorder the pictures, (S, N), so that wider ones tend to be in wider batches."""
        pictures = rows.reshape(-1)  # (S * N,)
        matching = self.recipe.augmentation.aspect_matching
        wideness = np.argsort(np.argsort(self.store.widths[pictures] / self.store.heights[pictures], kind="stable"))
        chance = generator.permutation(len(pictures))
        pictures = pictures[np.argsort(matching * wideness + (1 - matching) * chance, kind="stable")]
        matched = np.empty_like(rows)
        start = 0
        steps = sorted(range(len(shapes)), key=lambda step: shapes[step][1] / shapes[step][0])
        # Batches of the same aspect share their pictures at random, and the order within a batch is random.
        for _, group in groupby(steps, key=lambda step: shapes[step][1] / shapes[step][0]):
            alike = list(group)
            end = start + len(alike) * rows.shape[1]
            matched[alike] = generator.permutation(pictures[start:end]).reshape(len(alike), -1)
            start = end
        return matched
