"""Pictures that Python programs have, as the bytes that the lens decodes: files stay as they are, others become PNG."""

from os import PathLike
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps

from app.render.png import encode_png
from models.pictures.errors import InvalidPicture

PictureSource: TypeAlias = str | PathLike[str] | bytes | Image.Image | NDArray[np.generic] | torch.Tensor
"""Everything that `read_picture` takes."""

CHANNELS = (1, 3, 4)
"""Grey, RGB, and RGB with alpha."""

PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA", "I;16"})
"""Pillow's modes that PNG keeps as they are."""

UNSCALED_MODES = frozenset({"I", "F"})
"""Pillow's modes whose black and white are not known."""


def read_picture(picture: PictureSource) -> bytes:
    """Make the bytes of a picture file.

    Args:
        picture: one of these.

            - a path to a file of any known format, or the bytes of one
            - a Pillow picture; its EXIF orientation and its colour profile are applied, as for a file
            - an array, (H, W), (H, W, 1), (H, W, 3) or (H, W, 4): grey, RGB or RGBA; uint8 in 0..255, or floating
              point in 0..1, which is rounded to 8 bits
            - a tensor, (C, H, W) or (1, C, H, W) with C of 1, 3 or 4, on any device; values as of an array. It must not
              be normalised.

    Raises:
        InvalidPicture: for a shape, dtype or range that is none of these; the message says which is wanted.
        TypeError: for another type.
        OSError: for a file that cannot be read.
    """
    match picture:
        case bytes() | bytearray() | memoryview():
            return bytes(picture)
        case str() | PathLike():
            return Path(picture).expanduser().read_bytes()
        case Image.Image():
            return encode_png(_make_savable(picture))
        case torch.Tensor():
            return encode_png(_from_array(_to_array(picture)))
        case np.ndarray():
            return encode_png(_from_array(picture))
    raise TypeError(f"a picture is a path, bytes, a Pillow picture, an array or a tensor; got {type(picture).__name__}")


def _make_savable(picture: Image.Image) -> Image.Image:
    """The upright picture in a mode that PNG has, with the colour profile that it brings."""
    if picture.mode in UNSCALED_MODES:
        raise InvalidPicture(
            f"the picture's mode is {picture.mode!r}, which does not say what is black and white; convert it to an "
            "array of floating point in 0..1"
        )
    try:
        upright = ImageOps.exif_transpose(picture)
        return upright if upright.mode in PNG_MODES else upright.convert("RGB")
    except OSError as error:  # Pillow reads a file's pixels now
        raise InvalidPicture(f"the picture cannot be read: {error}; open it elsewhere and save it again") from error


def _to_array(tensor: torch.Tensor) -> NDArray[np.generic]:
    """(C, H, W) or (1, C, H, W) -> (H, W, C)."""
    shape = tuple(tensor.shape)
    if len(shape) == 4 and shape[0] == 1:
        tensor = tensor[0]
    if tensor.ndim != 3 or tensor.shape[0] not in CHANNELS:
        raise InvalidPicture(
            f"a tensor has the shape (C, H, W) or (1, C, H, W) with C of 1, 3 or 4; got {shape}; give one picture, "
            "channels first"
        )
    if tensor.dtype == torch.bfloat16:
        tensor = tensor.float()  # numpy has no such type
    array: NDArray[np.generic] = tensor.detach().cpu().permute(1, 2, 0).numpy()
    return array


def _from_array(array: NDArray[np.generic]) -> Image.Image:
    if array.ndim not in (2, 3) or array.size == 0 or (array.ndim == 3 and array.shape[2] not in CHANNELS):
        raise InvalidPicture(
            f"an array has the shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4); got {array.shape}; give one picture, "
            "channels last"
        )
    pixels = _to_bytes(array)
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]  # (H, W)
    return Image.fromarray(np.ascontiguousarray(pixels))


def _to_bytes(array: NDArray[np.generic]) -> NDArray[np.uint8]:
    """The values in 0..255."""
    if array.dtype == np.uint8:
        return array.astype(np.uint8, copy=False)
    if not np.issubdtype(array.dtype, np.floating):
        raise InvalidPicture(f"values are uint8 or floating point; got {array.dtype}; divide by the value of white")
    values = array.astype(np.float64)
    low, high = float(values.min()), float(values.max())
    if not (low >= 0 and high <= 1):  # also for NaN
        raise InvalidPicture(
            f"floating-point values lie in 0..1; got {low:.4g} to {high:.4g}; divide by 255, or give the picture "
            "before it is normalised"
        )
    scaled: NDArray[np.uint8] = np.rint(values * 255).astype(np.uint8)
    return scaled
