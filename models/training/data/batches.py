"""Batches of a plan, prepared ahead of the network: threads cut crops, the device does the rest."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch

from models.pictures.preparation import Preprocessing
from models.training.data.augmentation import normalise, resample, vary_colours
from models.training.data.sampling import Sampler, Stream, make_generator
from models.training.data.store import Integers
from models.training.data.variation import Variation, draw_variation
from models.training.recipes.recipe import Shape

AHEAD = 3
"""The number of batches that wait for the network."""

THREADS = 2


@dataclass(frozen=True, slots=True, eq=False)
class HostBatch:
    """One process's part of a step's batch, in main memory.

    Attributes:
        step: the step of the epoch.
        shape: height and width of the network's input.
        rows: the pictures' indices in the store, (N,).
        canvas: each crop in the upper left corner, (N, H, W, 3) uint8.
        variation: the random draws.
    """

    step: int
    shape: Shape
    rows: torch.Tensor
    canvas: torch.Tensor
    variation: Variation


@dataclass(frozen=True, slots=True, eq=False)
class Loader:
    """Loads batches.

    Attributes:
        sampler: plans which pictures are shown.
        device: the network's device.
        part: this process's part of each step's pictures.
        preprocessing: the preprocessing of the networks' input.
    """

    sampler: Sampler
    device: torch.device
    part: slice
    preprocessing: Preprocessing

    def load(self, epoch: int, *, first_step: int = 0) -> Iterator[HostBatch]:
        """Yield the batches of an epoch, beginning at a step."""
        plan = self.sampler.plan(epoch)
        steps = iter(range(first_step, len(plan.shapes)))
        waiting: deque[Future[HostBatch]] = deque()
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                while True:
                    for step in steps:
                        waiting.append(pool.submit(self._cut, epoch, step, plan.rows[step], plan.shapes[step]))
                        if len(waiting) > AHEAD:
                            break
                    if not waiting:
                        return
                    yield waiting.popleft().result()
            finally:
                # A stop within an epoch must not wait for batches that nobody uses.
                pool.shutdown(wait=False, cancel_futures=True)

    def augment(self, batch: HostBatch) -> torch.Tensor:
        """Turn a batch into the network's input, (N, 3, H, W) float32, on its device."""
        drawn = (batch.variation.boxes[:, 2:], batch.variation.flips, batch.variation.colours)
        uploads = (batch.canvas, *(torch.from_numpy(values) for values in drawn))
        # Non-blocking: a GPU is a few steps behind.
        canvas, sizes, flips, colours = (values.to(self.device, non_blocking=True) for values in uploads)
        pictures = resample(canvas, sizes=sizes, flips=flips, shape=batch.shape)
        return normalise(vary_colours(pictures, colours), self.preprocessing)

    def _cut(self, epoch: int, step: int, rows: Integers, shape: Shape) -> HostBatch:
        """Draw the variation of the whole step, then copy this process's crops."""
        store = self.sampler.store
        variation = draw_variation(
            make_generator(self.sampler.recipe, Stream.STEP, epoch, step),
            heights=store.heights[rows],
            widths=store.widths[rows],
            shape=shape,
            recipe=self.sampler.recipe.augmentation,
        ).take(self.part)
        rows = rows[self.part]
        _, _, height, width = variation.boxes.max(axis=0)
        size = (len(rows), int(height), int(width), 3)
        # Pinned memory is copied to a GPU while it computes. Values beside a crop have no weight and may be anything.
        canvas = torch.empty(size, dtype=torch.uint8, pin_memory=self.device.type == "cuda")
        values = canvas.numpy()
        boxes = variation.boxes.tolist()
        for place, (row, (top, left, crop_height, crop_width)) in enumerate(zip(rows.tolist(), boxes, strict=True)):
            crop = store.picture(row)[top : top + crop_height, left : left + crop_width]
            values[place, :crop_height, :crop_width] = crop
        return HostBatch(step, shape, torch.from_numpy(rows), canvas, variation)
