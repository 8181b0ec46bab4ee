"""`cbam-lens evaluate`: accuracy of both networks on a folder of class folders."""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from pydantic import BaseModel
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from app.errors import InvalidOption, LensError
from app.explain.image_input import decode_picture, prepare_input
from app.explain.maps import FloatArray
from app.explain.placement import place
from app.loading import load_chosen_pair
from app.options import GeometryOptions
from app.settings import Settings
from models.names import Geometry, NetworkName, Resolution
from models.pair import NetworkPair

console = Console(stderr=True)

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"})

CHUNK_BATCHES = 4
"""Batches that are decoded together; pictures of one shape within them share a forward pass."""


@dataclass(frozen=True, slots=True)
class EvaluationOptions:
    """What to measure on.

    Attributes:
        data: directory with one folder a class.
        listing: file that names the pictures, one CLASS/FILE a line; every picture by default.
        geometry: how a picture becomes the input; the pair's own by default.
        batch_size: pictures a forward pass.
    """

    data: Path
    listing: Path | None
    geometry: GeometryOptions
    batch_size: int


@dataclass(frozen=True, slots=True)
class LabelledPicture:
    """A file and the class that its folder says."""

    path: Path
    class_index: int


class NetworkAccuracy(BaseModel):
    """How often the right class was the first, or among the first five; shares in 0..1."""

    top1: float
    top5: float
    top1_count: int
    top5_count: int


class Evaluation(BaseModel):
    """What was measured, on what."""

    pair: str
    geometry: Geometry
    resolution: Resolution
    pictures: int
    unreadable: list[str]
    networks: dict[NetworkName, NetworkAccuracy]


def run_evaluation(settings: Settings, options: EvaluationOptions) -> Evaluation:
    """Measure both networks, with a progress bar on standard error.

    Args:
        settings: which pair, where.
        options: on which pictures.

    Raises:
        InvalidOption: for a folder that is no class of the pair, or no picture at all.
        OSError: when the directory or the list cannot be read.
        PairError: when the networks cannot be loaded.
    """
    pair = load_chosen_pair(settings)
    pictures = list_pictures(pair, options.data, options.listing)
    geometry = options.geometry.geometry or pair.card.preprocessing.geometry
    resolution = options.geometry.resolution or pair.card.preprocessing.resolution
    reader = PictureReader(pair, geometry, resolution, settings.max_picture_pixels)
    ranks: dict[NetworkName, list[int]] = {name: [] for name in NetworkName}
    with _progress() as progress:
        task = progress.add_task("evaluating", total=len(pictures))
        for batch, classes in reader.read_batches(pictures, options.batch_size):
            for name in NetworkName:
                ranks[name] += rank_classes(pair, name, batch, classes)
            done = len(ranks[NetworkName.BASELINE]) + len(reader.unreadable)
            progress.update(task, completed=done)
    for line in reader.unreadable:
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    return Evaluation(
        pair=pair.card.name,
        geometry=geometry,
        resolution=resolution,
        pictures=len(pictures) - len(reader.unreadable),
        unreadable=reader.unreadable,
        networks={name: _summarise(values) for name, values in ranks.items()},
    )


def list_pictures(pair: NetworkPair, data: Path, listing: Path | None) -> list[LabelledPicture]:
    """The pictures to measure on, each with its class.

    Raises:
        InvalidOption: for a folder that is no class of the pair, or no picture at all.
        OSError: when the directory or the list cannot be read.
    """
    if listing is not None:
        names = [line.strip() for line in listing.read_text().splitlines() if line.strip()]
        paths = [data / name for name in names]
    else:
        paths = sorted(path for path in data.glob("*/*") if path.suffix.lower() in PICTURE_SUFFIXES)
    if not paths:
        raise InvalidOption(f"{listing or data} names no pictures; give a folder of class folders", option="DATA")
    classes = _index_folders(pair)
    unknown = sorted({path.parent.name for path in paths} - classes.keys())
    if unknown:
        raise InvalidOption(
            f"{len(unknown)} folders are no class of {pair.card.name}: {', '.join(unknown[:10])}; "
            "leave them out with --list, or choose the pair that knows them",
            option="DATA",
        )
    return [LabelledPicture(path, classes[path.parent.name]) for path in paths]


class PictureReader:
    """Decodes pictures on all cores, ahead of the networks, and groups those of one shape.

    Args:
        pair: for its preprocessing.
        geometry: how a picture becomes the input.
        resolution: its shorter side in pixels.
        max_pixels: width times height that may be decoded.
    """

    def __init__(self, pair: NetworkPair, geometry: Geometry, resolution: Resolution, max_pixels: int) -> None:
        self.unreadable: list[str] = []
        self._preprocessing = pair.card.preprocessing
        self._geometry = geometry
        self._resolution = resolution
        self._max_pixels = max_pixels

    def read_batches(
        self, pictures: Sequence[LabelledPicture], batch_size: int
    ) -> Iterator[tuple[FloatArray, list[int]]]:
        """Batches, (N, 3, H, W), and their classes."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for start in range(0, len(pictures), batch_size * CHUNK_BATCHES):
                chunk = pictures[start : start + batch_size * CHUNK_BATCHES]
                inputs = [entry for entry in pool.map(self._read, chunk) if entry is not None]
                yield from _group(inputs, batch_size)

    def _read(self, picture: LabelledPicture) -> tuple[FloatArray, int] | None:
        try:
            image = decode_picture(picture.path.read_bytes(), max_pixels=self._max_pixels)
        except (LensError, OSError) as error:
            self.unreadable.append(f"{picture.path}: {error}")
            return None
        placement = place(image.width, image.height, geometry=self._geometry, resolution=self._resolution)
        return prepare_input(image, placement, self._preprocessing), picture.class_index


def rank_classes(pair: NetworkPair, name: NetworkName, batch: FloatArray, classes: Sequence[int]) -> list[int]:
    """The place of each picture's true class in one network's order; 0 is the first."""
    with torch.no_grad():
        logits = pair.networks[name](torch.from_numpy(batch).to(pair.device))  # (N, K)
    truth = torch.tensor(classes, device=pair.device)
    score = logits.gather(1, truth[:, None])  # (N, 1)
    ranks: list[int] = (logits > score).sum(dim=1).tolist()
    return ranks


def tabulate_evaluation(evaluation: Evaluation) -> Table:
    """An evaluation for the terminal."""
    title = f"{evaluation.pair}: {evaluation.pictures:,} pictures, {evaluation.geometry.value} at "
    title += f"{evaluation.resolution.value}"
    table = Table("network", "top-1", "top-5", title=title)
    for name, accuracy in evaluation.networks.items():
        table.add_row(
            name.value,
            f"{accuracy.top1:.2%} ({accuracy.top1_count:,})",
            f"{accuracy.top5:.2%} ({accuracy.top5_count:,})",
        )
    if evaluation.unreadable:
        table.caption = f"{len(evaluation.unreadable)} pictures could not be read and were left out"
    return table


def _group(inputs: list[tuple[FloatArray, int]], batch_size: int) -> Iterator[tuple[FloatArray, list[int]]]:
    inputs.sort(key=lambda entry: entry[0].shape)
    for _, same_shape in groupby(inputs, key=lambda entry: entry[0].shape):
        entries = list(same_shape)
        for start in range(0, len(entries), batch_size):
            batch = entries[start : start + batch_size]
            yield np.stack([values for values, _ in batch]), [index for _, index in batch]


def _index_folders(pair: NetworkPair) -> dict[str, int]:
    """Class index by folder name: identifiers, names and the card's aliases."""
    classes = {label.name: label.index for label in pair.labels} | {label.id: label.index for label in pair.labels}
    return classes | {alias: classes[name] for alias, name in pair.card.folder_aliases.items()}


def _summarise(ranks: Sequence[int]) -> NetworkAccuracy:
    top1, top5 = sum(rank < 1 for rank in ranks), sum(rank < 5 for rank in ranks)
    count = max(1, len(ranks))
    return NetworkAccuracy(top1=top1 / count, top5=top5 / count, top1_count=top1, top5_count=top5)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
    )
