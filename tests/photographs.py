"""Photographs for tests, from scikit-image: tests of numbers and of words do not depend on the gallery."""

from functools import cache
from importlib import resources

FILES = {"motorcycle": "motorcycle_left.png", "cat": "chelsea.png", "rocket": "rocket.jpg"}


@cache
def read_photograph(name: str) -> bytes:
    """Read a photograph's file: `motorcycle` has 741 x 500 pixels, `cat` 451 x 300, `rocket` 640 x 427."""
    return resources.files("skimage.data").joinpath(FILES[name]).read_bytes()
