"""Tiny pictures of three easy classes, and a recipe that takes seconds on a CPU."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from models.training.data.sampling import Sampler
from models.training.data.store import PictureStore
from models.training.recipes.recipe import Phase, Recipe

COLOURS = {"blue": (40, 60, 220), "green": (40, 200, 60), "red": (220, 50, 40)}

SIZES = ((48, 48), (64, 40), (40, 64), (56, 48))
"""Widths and heights of the pictures, in turn."""


def write_pictures(directory: Path, *, count: int, folders: tuple[str, ...] = tuple(COLOURS), start: int = 0) -> Path:
    """A directory with `count` noisy pictures of one colour in each folder."""
    for folder in folders:
        (directory / folder).mkdir(parents=True, exist_ok=True)
        for number in range(start, start + count):
            random = np.random.default_rng((number, sorted(COLOURS).index(folder) if folder in COLOURS else 9))
            width, height = SIZES[number % len(SIZES)]
            values = random.normal(COLOURS.get(folder, (128, 128, 128)), 40, (height, width, 3))
            Image.fromarray(values.clip(0, 255).astype(np.uint8)).save(directory / folder / f"{number:03}.png")
    return directory


def make_recipe(**changes: object) -> Recipe:
    """A small recipe with every kind of randomness in it."""
    fields: dict[str, object] = {
        "name": "tiny",
        "seed": 5,
        "epochs": 2,
        "batch_size": 8,
        "precision": "fp32",
        "averaging": 0.9,
        "stored_side": 48,
        "resolution": 160,
        "geometries": ["center_crop"],
        "balance": 0.5,
        "optimiser": {"learning_rate": 0.05},
        "mixing": {"mixup": 0.3, "cutmix": 0.3},
        "phases": [{"start": 0, "shapes": [[32, 32], [32, 64], [64, 32]]}],
    }
    return Recipe.model_validate(fields | changes)


def make_store(counts: tuple[int, ...] = (12, 12, 12), *, seed: int = 0) -> PictureStore:
    """Pictures in memory, with one colour per class."""
    random = np.random.default_rng(seed)
    keys, classes, pictures = [], [], []
    for class_index, count in enumerate(counts):
        for number in range(count):
            width, height = SIZES[number % len(SIZES)]
            values = random.normal(list(COLOURS.values())[class_index % 3], 40, (height, width, 3))
            keys.append(f"data/{class_index}/{number}.png")
            classes.append(class_index)
            pictures.append(values.clip(0, 255).astype(np.uint8))
    return PictureStore.gather(keys, classes, pictures)


def make_sampler(recipe: Recipe | None = None, store: PictureStore | None = None) -> Sampler:
    """The plan of a tiny training."""
    return Sampler(recipe or make_recipe(), store or make_store(), 3)


def shapes_of(*shapes: tuple[int, int]) -> tuple[Phase, ...]:
    """One phase with these shapes."""
    return (Phase(start=0, shapes=shapes),)


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three classes of 16 pictures."""
    return write_pictures(tmp_path_factory.mktemp("pictures") / "colours", count=16)


@pytest.fixture(autouse=True, scope="package")
def _one_thread() -> Iterator[None]:
    """One thread: tiny batches gain nothing from more, and threads wait for each other on busy cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def one_thread_environment() -> dict[str, str]:
    """The environment that does the same for other processes."""
    return os.environ | {"OMP_NUM_THREADS": "1"}
