"""Accuracy on held-out pictures, which are prepared exactly like an upload."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict

from models.names import Geometry, Resolution
from models.networks.staged import StagedNetwork
from models.pictures import placement
from models.pictures.decoding import decode_picture
from models.pictures.errors import PictureError
from models.pictures.preparation import Preprocessing, resize_seen
from models.training.data.augmentation import normalise
from models.training.data.listing import EncodedPicture
from models.training.running.errors import TrainingError
from models.training.running.processes import Processes

BATCH_SIZE = 64

TOP = 5


class Score(BaseModel):
    """Top-1 and top-5 accuracy; shares in 0..1."""

    model_config = ConfigDict(frozen=True)

    pictures: int
    top1: float
    top5: float


@dataclass(frozen=True, slots=True, eq=False)
class ValidationBatch:
    """A batch of pictures of one shape.

    Attributes:
        pictures: the pictures, (N, 3, H, W) uint8.
        classes: their class indices, (N,).
    """

    pictures: torch.Tensor
    classes: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class ValidationSet:
    """Held-out pictures, ready for a network.

    Attributes:
        name: their display name.
        batches: the batches, by the geometry of their preparation.
    """

    name: str
    batches: Mapping[Geometry, Sequence[ValidationBatch]]

    @classmethod
    def read(
        cls,
        name: str,
        pictures: Sequence[EncodedPicture],
        geometries: Sequence[Geometry],
        resolution: Resolution,
        *,
        crop_share: float = 1.0,
    ) -> "ValidationSet":
        """Decode held-out pictures on all cores; raises `TrainingError` if one cannot be read.

        Args:
            name: their display name.
            pictures: the held-out pictures.
            geometries: the geometries of the networks' input.
            resolution: its shorter side.
            crop_share: see `models.pictures.preparation.Preprocessing`.
        """

        def prepare(picture: EncodedPicture) -> list[NDArray[np.uint8]]:
            try:
                image = decode_picture(picture.read(), max_pixels=None)
            except (PictureError, OSError, MemoryError) as error:
                raise TrainingError(f"{picture.key} cannot be validated: {error}; remove it from the list") from error
            return [_resize(image, geometry, resolution, crop_share) for geometry in geometries]

        with ThreadPoolExecutor() as pool:
            prepared = list(pool.map(prepare, pictures))
        classes = [picture.class_index for picture in pictures]
        return cls(
            name,
            {
                geometry: _group([views[place] for views in prepared], classes)
                for place, geometry in enumerate(geometries)
            },
        )

    def list_fixed(self, count: int) -> list[tuple[NDArray[np.uint8], int]]:
        """List a few pictures, evenly over all in the first geometry, each with its class index; always the same.

        Args:
            count: the number of pictures; fewer where there are fewer.

        Returns:
            The pictures, (H, W, 3), as the network sees them.
        """
        batches = next(iter(self.batches.values()))
        pairs = [(batch, row) for batch in batches for row in range(len(batch.classes))]
        kept = min(count, len(pairs))
        chosen = [pairs[len(pairs) * place // kept] for place in range(kept)]
        return [(batch.pictures[row].permute(1, 2, 0).numpy(), int(batch.classes[row])) for batch, row in chosen]

    def measure(
        self, network: StagedNetwork, *, preprocessing: Preprocessing, processes: Processes
    ) -> dict[Geometry, Score]:
        """Measure a network's accuracy by geometry, in float32; every process takes its share of the batches.

        Args:
            network: a network in evaluation mode, on the process's device.
            preprocessing: the preprocessing of its input.
            processes: the processes that measure.
        """
        return {
            geometry: _measure(network, batches, preprocessing, processes) for geometry, batches in self.batches.items()
        }


def _resize(image: Image.Image, geometry: Geometry, resolution: Resolution, crop_share: float) -> NDArray[np.uint8]:
    width, height = image.size
    placed = placement.place(width, height, geometry=geometry, resolution=resolution, crop_share=crop_share)
    return resize_seen(image, placed)


def _group(views: Sequence[NDArray[np.uint8]], classes: Sequence[int]) -> list[ValidationBatch]:
    """Group pictures into batches of one shape each."""
    by_shape: dict[tuple[int, ...], list[int]] = {}
    for place, view in enumerate(views):
        by_shape.setdefault(view.shape, []).append(place)
    batches = []
    for places in by_shape.values():
        for start in range(0, len(places), BATCH_SIZE):
            part = places[start : start + BATCH_SIZE]
            pictures = torch.from_numpy(np.stack([views[place] for place in part])).permute(0, 3, 1, 2)  # (N, 3, H, W)
            batches.append(ValidationBatch(pictures, torch.tensor([classes[place] for place in part])))
    return batches


@torch.no_grad()
def _measure(
    network: StagedNetwork,
    batches: Sequence[ValidationBatch],
    preprocessing: Preprocessing,
    processes: Processes,
) -> Score:
    counts = torch.zeros(3, dtype=torch.int64, device=processes.device)  # pictures, top-1 hits, top-5 hits
    for place, batch in enumerate(batches):
        if place % processes.count != processes.rank:
            continue
        pictures = normalise(batch.pictures.to(processes.device).float() / 255, preprocessing)
        classes = batch.classes.to(processes.device)
        logits = network(pictures)  # (N, K)
        ranks = (logits > logits.gather(1, classes[:, None])).sum(dim=1)  # (N,)
        counts += torch.stack((torch.tensor(len(ranks), device=ranks.device), (ranks < 1).sum(), (ranks < TOP).sum()))
    pictures_count, first, among = processes.add(counts).tolist()
    return Score(pictures=pictures_count, top1=first / pictures_count, top5=among / pictures_count)
