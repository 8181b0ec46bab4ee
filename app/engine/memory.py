"""The engine's memory: what the C library does with what is free, and pages for what is kept. Both need Linux.

A pass takes and frees tens of megabytes, a picture's results stay for an hour. Where both lie in one heap, results end
up between the pieces that the next pass needs, and the heap grows for some thousand pictures.
"""

import ctypes
import math
import mmap
import os
import sys
from collections.abc import Callable, Sequence
from typing import cast

import numpy as np

from app.explain.maps import FloatArray

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
"""Of glibc's malloc.h."""

KEPT_BYTES = 64 * 2**20
"""What each part of the heap keeps for its next use."""

LARGEST_KEPT_BYTES = 32 * 2**20
"""The largest piece that comes out of the heap, by glibc's own limit; larger ones go back to the system at once."""

SMALLEST_PAGED_BYTES = 64 * 2**10
"""Sixteen pages; of the last one half is lost on average."""


def keep_memory() -> None:
    """Keep the memory of one pass for the next one, of any thread.

    By default most of it goes back to the system after each layer, and comes again page by page: 11,000 pages per
    picture of the shipped lineup, a quarter of its time on a core.
    """
    tell = _find("mallopt")
    if tell is not None:
        tell(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        tell(M_TRIM_THRESHOLD, KEPT_BYTES)
        # By default each thread has a heap of its own, with free memory that no other thread can use.
        tell(M_ARENA_MAX, os.cpu_count() or 1)


def allocate_kept(shape: Sequence[int]) -> FloatArray:
    """A new array, float32, whose values are not set yet: on pages of its own, or in the heap if it is small."""
    size_bytes = 4 * math.prod(shape)
    if sys.platform != "linux" or size_bytes < SMALLEST_PAGED_BYTES:
        return np.empty(shape, np.float32)
    pages = mmap.mmap(-1, size_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    array: FloatArray = np.frombuffer(pages, np.float32).reshape(shape)
    return array


def give_back_memory() -> None:
    """Give the C library's free memory back to the system.

    After the shipped lineup was loaded, this is 70 of 930 MB.
    """
    trim = _find("malloc_trim")
    if trim is not None:
        trim(0)


def _find(name: str) -> Callable[..., int] | None:
    function = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    return cast("Callable[..., int] | None", function)
