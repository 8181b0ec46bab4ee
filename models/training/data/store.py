"""The store of all training pictures, decoded once, in memory."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from models.training.running.errors import TrainingError

Pixels: TypeAlias = NDArray[np.uint8]
Integers: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class PictureStore:
    """Pictures of any sizes in one array.

    Attributes:
        keys: each picture's key, see `EncodedPicture`.
        classes: each picture's class, (P,); -1 without a class.
        heights, widths: in pixels, (P,).
        pixels: all of them, row by row, RGB innermost, (the sum of 3 * H * W,) uint8.
        starts: the index in `pixels` at which each begins, (P,).
    """

    keys: tuple[str, ...]
    classes: Integers
    heights: Integers
    widths: Integers
    pixels: Pixels
    starts: Integers = field(init=False)

    def __post_init__(self) -> None:
        sizes = 3 * self.heights * self.widths
        object.__setattr__(self, "starts", np.cumsum(sizes) - sizes)

    def __len__(self) -> int:
        return len(self.keys)

    def picture(self, row: int) -> Pixels:
        """One picture, (H, W, 3), without a copy."""
        height, width, start = int(self.heights[row]), int(self.widths[row]), int(self.starts[row])
        return self.pixels[start : start + 3 * height * width].reshape(height, width, 3)

    @property
    def digest(self) -> str:
        """A checksum of the pictures' keys, classes and sizes."""
        checksum = hashlib.sha256("\n".join(self.keys).encode())
        for values in (self.classes, self.heights, self.widths):
            checksum.update(values.tobytes())
        return checksum.hexdigest()

    @classmethod
    def gather(cls, keys: Sequence[str], classes: Sequence[int], pictures: list[Pixels]) -> "PictureStore":
        """Make a store of pictures, (H, W, 3) each; the list is emptied meanwhile, to avoid a second copy of all."""
        heights = np.array([picture.shape[0] for picture in pictures], dtype=np.int64)
        widths = np.array([picture.shape[1] for picture in pictures], dtype=np.int64)
        pixels = np.empty(int((3 * heights * widths).sum()), dtype=np.uint8)
        end = len(pixels)
        while pictures:
            values = pictures.pop().reshape(-1)
            pixels[end - len(values) : end] = values
            end -= len(values)
        return cls(tuple(keys), np.asarray(classes, dtype=np.int64), heights, widths, pixels)


@dataclass(frozen=True, slots=True)
class StoreFile:
    """A store on disk, for the next start and for other processes, which share its memory.

    Attributes:
        path: a safetensors file.
        source: a checksum of the store's sources, see `sum_sources`.
    """

    path: Path
    source: str

    def read(self) -> tuple[PictureStore, list[str]] | None:
        """Read the store and the names of unreadable pictures; None if there is no file or it has other pictures.

        Raises:
            TrainingError: the file is damaged.
        """
        if not self.path.exists():
            return None
        try:
            # torch maps the file; numpy would read all of it.
            with safe_open(self.path, framework="pt") as file:
                metadata = file.metadata()
                if metadata["source"] != self.source:
                    return None
                tensors = {name: file.get_tensor(name).numpy() for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, KeyError, TypeError) as error:
            raise TrainingError(f"{self.path} is damaged: {error}; delete it and it will be made again") from error
        return PictureStore(keys=tuple(json.loads(metadata["keys"])), **tensors), json.loads(metadata["unreadable"])

    def write(self, store: PictureStore, unreadable: Sequence[str]) -> None:
        """Write a store; the file appears in one step."""
        names = ("classes", "heights", "widths", "pixels")
        metadata = {"source": self.source, "keys": json.dumps(store.keys), "unreadable": json.dumps(unreadable)}
        draft = self.path.with_name(f".{self.path.name}.draft")
        try:
            save_file({name: torch.from_numpy(getattr(store, name)) for name in names}, draft, metadata=metadata)
            draft.replace(self.path)
        except (OSError, SafetensorError) as error:
            draft.unlink(missing_ok=True)
            raise TrainingError(f"{self.path} cannot be written: {error}; make room or leave --cache out") from error
