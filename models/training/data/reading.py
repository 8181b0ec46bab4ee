"""Reading all pictures of a training on all cores: decoded, bounded, counted."""

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
"""The share of unreadable pictures that is skipped; more means that something else is wrong."""

CHUNK = 1024
"""Pictures that are read ahead: shards come with their bytes, and not all of these are to wait in memory."""

LONGEST_SIDE = 3
"""How many times the stored shorter side a longer one may have; a strip beyond that is stored smaller."""

USUAL_ASPECT = 1.5
MEMORY_SHARE = 0.9

Item = TypeVar("Item")


class Decoder:
    """Decodes pictures on all cores.

    Args:
        side: the shorter side in pixels at which they are kept.
        process_count: processes of this machine that do the same at the same time.
    """

    def __init__(self, side: int, *, process_count: int = 1) -> None:
        self.side = side
        self.unreadable: list[str] = []
        self._threads = max(1, (os.cpu_count() or 1) // process_count)

    def read(self, pictures: Iterable[EncodedPicture], progress: ProgressBar) -> PictureStore:
        """All pictures that can be read, in their order.

        Raises:
            TrainingError: where more than 1 % cannot be read, or none.
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
            # Sides were rounded to the nearest pixel when the recorded trainings were made; stores stay the same.
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
                f"{len(self.unreadable):,} of {total:,} pictures cannot be read, more than {MOST_UNREADABLE:.0%}; mend "
                f"or remove them: {'; '.join(self.unreadable[:5])}"
            )


def split(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """The items in lists of `size`; the last may be shorter."""
    iterator = iter(items)
    while chunk := list(islice(iterator, size)):
        yield chunk


def check_memory(count: int, side: int) -> None:
    """Refuse more pictures than fit into the memory that is free; raises `TrainingError`."""
    wanted = int(3 * count * side**2 * USUAL_ASPECT)
    free = psutil.virtual_memory().available
    if wanted > MEMORY_SHARE * free:
        raise TrainingError(
            f"{count:,} pictures with a shorter side of {side} want about {wanted / 1e9:.0f} GB of memory, "
            f"{free / 1e9:.0f} are free; store them smaller, --set stored_side=..., or train on fewer"
        )


def sum_sources(
    pictures: Sequence[EncodedPicture], shards: Sequence[str], *, held_out: Iterable[str], side: int
) -> str:
    """A checksum of what a store is made from: files by name, class and size, what is held out, and the stored size."""
    checksum = hashlib.sha256("\n".join((f"{side}", *sorted(held_out))).encode())
    for picture in pictures:
        size = picture.content.stat().st_size if isinstance(picture.content, Path) else len(picture.content)
        checksum.update(f"\n{picture.key}\t{picture.class_index}\t{size}".encode())
    for shard in shards:
        path = Path(shard)
        checksum.update(f"\n{path.name}\t{path.stat().st_size if path.exists() else shard}".encode())
    return checksum.hexdigest()
