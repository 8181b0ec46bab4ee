"""Soft labels: another network's probabilities for the training pictures, for an auxiliary head."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from models.lineups.card import read_bytes
from models.training.data.store import PictureStore
from models.training.running.errors import TrainingError

ARRAYS = ("picture", "class_index", "probability")


@dataclass(frozen=True, slots=True, eq=False)
class SoftLabels:
    """The soft labels of a store's pictures: the likeliest classes of each.

    Attributes:
        classes: their indices in the other network's list, (P, T).
        probabilities: their probabilities, (P, T); all 0 for a picture that is not in the file.
        class_count: the number of the other network's classes.
        known: the number of the store's pictures that are in the file.
        digest: the file's sha256.
    """

    classes: torch.Tensor
    probabilities: torch.Tensor
    class_count: int
    known: int
    digest: str

    def soften(self, rows: torch.Tensor, *, temperature: float) -> torch.Tensor:
        """The probabilities of some pictures at a temperature, p ** (1 / T), normalised.

        Args:
            rows: the pictures' indices in the store, (N,).
            temperature: T; above 1, unlikely classes weigh more.

        Returns:
            (N, classes) on the CPU; rows of zeros for pictures without soft labels.
        """
        powers = self.probabilities[rows].pow(1 / temperature)  # (N, T)
        powers = powers / powers.sum(dim=1, keepdim=True).clamp(min=1e-12)
        return torch.zeros(len(rows), self.class_count).scatter_add_(1, self.classes[rows], powers)


def read_soft_labels(path: Path, store: PictureStore) -> SoftLabels:
    """Read the soft labels of a store's pictures.

    Args:
        path: an npz file with `picture` (keys, DIRECTORY/FOLDER/FILE), `class_index` (P, T) and `probability` (P, T).
        store: the store whose pictures are looked up.

    Raises:
        LineupError: the file cannot be read.
        TrainingError: the file has other content, or none of the store's pictures.
    """
    arrays = _read_arrays(path)
    pictures, indices, probabilities = (arrays[name] for name in ARRAYS)
    if indices.shape != probabilities.shape or indices.shape[:1] != pictures.shape or indices.ndim != 2:
        raise TrainingError(f"{path}: its arrays' shapes are {[arrays[name].shape for name in ARRAYS]}; see --help")
    if indices.min(initial=0) < 0 or probabilities.min(initial=0) < 0:
        raise TrainingError(f"{path}: a class index or a probability is negative; write the file again")
    places = {str(key): place for place, key in enumerate(pictures)}
    found = np.array([places.get(key, -1) for key in store.keys])
    if not (found >= 0).any():
        raise TrainingError(
            f"{path} has none of the {len(store):,} pictures; its first is called {pictures[0]}, "
            f"the data's first {store.keys[0]}"
        )
    kept = np.where((found >= 0)[:, None], probabilities[found].astype(np.float32), np.float32(0))
    return SoftLabels(
        classes=torch.from_numpy(indices[found].astype(np.int64)),
        probabilities=torch.from_numpy(kept),
        class_count=int(indices.max()) + 1,
        known=int((found >= 0).sum()),
        digest=hashlib.sha256(read_bytes(path)).hexdigest(),
    )


def _read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    read_bytes(path)  # raises an error that names a missing file
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in ARRAYS}
    except (KeyError, ValueError, OSError, EOFError) as error:
        raise TrainingError(f"{path} holds no soft labels: {error}; it needs the arrays {', '.join(ARRAYS)}") from error
