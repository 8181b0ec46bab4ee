"""Reading all pictures of a training on all cores, with limits on memory and on unreadable pictures."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
import psutil
from PIL import Image

from models.pictures.decoding import decode_reduced
from models.pictures.errors import PictureError
from models.pictures.fitting import fit_size
from models.training.data.listing import EncodedPicture
from models.training.data.store import PictureStore, Pixels
from models.training.running.errors import TrainingError
from models.training.running.progress import ProgressBar

MOST_UNREADABLE = 0.01
"""The largest share of unreadable pictures to skip; a larger one has another cause."""

CHUNK = 1024
"""The number of pictures read ahead: those from shards come with their bytes, which must not fill the memory."""

LONGEST_SIDE = 3
"""The limit of a longer side, as a multiple of the stored shorter side; a longer picture is stored smaller."""

USUAL_ASPECT = 1.5
MEMORY_SHARE = 0.9

Item = TypeVar("Item")


class Decoder:
    """Decodes pictures on all cores.

    Args:
        side: the stored shorter side in pixels.
        process_count: the number of processes on this machine that decode at the same time.
    """

    def __init__(self, side: int, *, process_count: int = 1) -> None:
        self.side = side
        self.unreadable: list[str] = []
        self._threads = max(1, (os.cpu_count() or 1) // process_count)

    def read(self, pictures: Iterable[EncodedPicture], progress: ProgressBar) -> PictureStore:
        """Read all readable pictures, in their order.

        Raises:
            TrainingError: more than 1 % of the pictures cannot be read, or none can.
        """
        keys: list[str] = []
        classes: list[int] = []
        kept: list[Pixels] = []
        with ThreadPoolExecutor(self._threads) as pool:
            for chunk in split(pictures, CHUNK):
                for picture, pixels in zip(chunk, pool.map(self._decode, chunk), strict=True):
                    progress.advance()
                    if pixels is not None:
                        keys.append(picture.key)
                        classes.append(picture.class_index)
                        kept.append(pixels)
        self._check(len(kept))
        return PictureStore.gather(keys, classes, kept)

    def _decode(self, picture: EncodedPicture) -> Pixels | None:
        try:
            # Rounded to the nearest pixel as in the recorded trainings, so that stores stay the same.
            image = decode_reduced(picture.read(), max_pixels=None, shorter_side=self.side, round_size=round).image
        except (PictureError, OSError, MemoryError) as error:
            self.unreadable.append(f"{picture.key}: {error}")
            return None
        size = fit_size(image.width, image.height, longer=LONGEST_SIDE * self.side, shorter=self.side)
        return np.asarray(image.resize(size, Image.Resampling.BILINEAR))

    def _check(self, readable: int) -> None:
        self.unreadable.sort()
        total = readable + len(self.unreadable)
        if len(self.unreadable) > MOST_UNREADABLE * total:
            raise TrainingError(
                f"{len(self.unreadable):,} of {total:,} pictures cannot be read, more than {MOST_UNREADABLE:.0%}; "
                f"repair or remove them: {'; '.join(self.unreadable[:5])}"
            )


def split(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Split the items into lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def check_memory(count: int, side: int) -> None:
    """Refuse more pictures than fit into free memory; raises `TrainingError`."""
    wanted = int(3 * count * side**2 * USUAL_ASPECT)
    free = psutil.virtual_memory().available
    if wanted > MEMORY_SHARE * free:
        raise TrainingError(
            f"{count:,} pictures with a shorter side of {side} need about {wanted / 1e9:.0f} GB of memory, "
            f"{free / 1e9:.0f} are free; store them smaller, --set stored_side=..., or train on fewer"
        )


def sum_sources(
    pictures: Sequence[EncodedPicture], shards: Sequence[str], *, held_out: Iterable[str], side: int
) -> str:
    """A checksum of a store's sources: files by name, class and size, held-out pictures, and the stored size."""
    checksum = hashlib.sha256("\n".join((f"{side}", *sorted(held_out))).encode())
    for picture in pictures:
        size = picture.content.stat().st_size if isinstance(picture.content, Path) else len(picture.content)
        checksum.update(f"\n{picture.key}\t{picture.class_index}\t{size}".encode())
    for shard in shards:
        path = Path(shard)
        checksum.update(f"\n{path.name}\t{path.stat().st_size if path.exists() else shard}".encode())
    return checksum.hexdigest()
