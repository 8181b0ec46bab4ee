"""What the C library does with free memory, where that can be told to it: by glibc, on Linux."""

import ctypes
import sys
from collections.abc import Callable
from typing import cast

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's malloc.h."""

KEPT_BYTES = 64 * 2**20
"""What each part of the heap keeps for its next use."""

LARGEST_KEPT_BYTES = 32 * 2**20
"""The largest piece that comes out of the heap, by glibc's own limit; larger ones go back to the system at once."""


def keep_memory() -> None:
    """Keep the memory of one pass for the next one.

    By default most of it goes back to the system after each layer, and comes again page by page: 11,000 pages per
    picture of the shipped lineup, a quarter of its time on a core.
    """
    tell = _find("mallopt")
    if tell is not None:
        tell(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES)
        tell(M_TRIM_THRESHOLD, KEPT_BYTES)


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
