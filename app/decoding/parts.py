"""The request for a decoding, and what comes back: the picture for the screen and the pixels that networks see."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel

from models.names import Geometry, Resolution
from models.pictures.decoding import decode_reduced
from models.pictures.fitting import shrink
from models.pictures.placement import place
from models.pictures.preparation import resize_seen
from models.pictures.samples import ValueRange


@dataclass(frozen=True, slots=True)
class Input:
    """How a picture becomes the networks' input; see `place`."""

    geometry: Geometry
    resolution: Resolution
    crop_share: float


@dataclass(frozen=True, slots=True)
class DecodingRequest:
    """What is wanted of a picture.

    Attributes:
        max_pixels: the largest width times height.
        shorter_side: the shorter side that is enough, in pixels; None for the picture's own size.
        longer_side: the limit of the returned picture's longer side in pixels; None for no limit.
        input: how the networks see it; None if only the picture is wanted.
    """

    max_pixels: int
    shorter_side: int | None = None
    longer_side: int | None = None
    input: Input | None = None


@dataclass(frozen=True, slots=True, eq=False)
class DecodedParts:
    """A decoded picture, cut down to what is wanted of it.

    Attributes:
        width, height: the upright picture's own size in pixels.
        values: the file's values that became black and white, where it has more than 8 bits; None otherwise.
        pages: the number of pages in its file, of which it is the first.
        picture: upright RGB within `longer_side`; None beside an input that was made from a reduced copy, which is too
            small for the screen.
        seen: the pixels of the networks' input, (H, W, 3); None if no input was wanted.
    """

    width: int
    height: int
    values: ValueRange | None
    pages: int
    picture: Image.Image | None
    seen: NDArray[np.uint8] | None


class Order(BaseModel):
    """A message to a decoding process; the upload is in its file.

    Attributes:
        size_bytes: the upload's size.
        seconds: the time on a core after which the system ends the process.
        request: what is wanted.
    """

    size_bytes: int
    seconds: float
    request: DecodingRequest


Decoder = Callable[[bytes, DecodingRequest], DecodedParts]


def decode_parts(data: bytes, request: DecodingRequest) -> DecodedParts:
    """Decode a picture in this process; raises as `decode_reduced`."""
    decoded = decode_reduced(data, max_pixels=request.max_pixels, shorter_side=request.shorter_side)
    seen = None
    if (wanted := request.input) is not None:
        placement = place(
            decoded.width,
            decoded.height,
            geometry=wanted.geometry,
            resolution=wanted.resolution,
            crop_share=wanted.crop_share,
        )
        seen = resize_seen(decoded.image, placement)
    picture: Image.Image | None = decoded.image
    if seen is not None and decoded.is_reduced:
        picture = None
    elif request.longer_side is not None:
        picture = shrink(decoded.image, request.longer_side)
    return DecodedParts(decoded.width, decoded.height, decoded.values, decoded.pages, picture, seen)


DECODER: ContextVar[Decoder] = ContextVar("DECODER", default=decode_parts)
"""The decoder of the running work: in this process, unless `WorkThreads` has another.

A picture is drawn deep inside of figures and archives, and it travels between processes, so that it holds none.
"""
