"""Samples of any number type to 8 bits.

Values of more than 8 bits have no agreed black and white, except that pictures of unsigned numbers may use their whole
range. Others are scaled between robust extremes, so that a single bright pixel does not blank the rest.
"""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.pictures.bands import list_bands

PERCENTS = (0.1, 99.9)
"""The percentiles that become black and white."""

USED_SHARE = 0.5
"""Unsigned numbers that reach beyond this share of their range are taken to use all of it, as photographs do."""

SAMPLE_COUNT = 4_000_000
"""The extremes of a larger picture are found from about so many values, evenly spread."""

HUGE = 1e30
"""Larger magnitudes mean no value; files that say so in no tag use float's largest number."""

NODATA = (-9999.0, -99999.0, -32767.0, -32768.0, -2147483648.0)
"""Numbers that mean no value where no tag says so, if the others are far from them."""


@dataclass(frozen=True, slots=True)
class ValueRange:
    """The file's values that became black and white."""

    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.low:.6g} to {self.high:.6g}"


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Decoded samples.

    Attributes:
        colour: (H, W, 1) grey or (H, W, 3) RGB, of any real type.
        bits: the bits of a sample, of which unsigned numbers use the lowest.
        alpha: opacity, (H, W), of the same type; None if all is opaque.
        is_premultiplied: whether colours are multiplied by the opacity.
        is_inverted: whether 0 is white.
        nodata: the value that means none; None if the file gives none.
    """

    colour: NDArray[Any]
    bits: int
    alpha: NDArray[Any] | None = None
    is_premultiplied: bool = False
    is_inverted: bool = False
    nodata: float | None = None

    @property
    def full_range(self) -> ValueRange:
        """From black to white by the type alone."""
        return ValueRange(0.0, 1.0 if self.colour.dtype.kind == "f" else float(2**self.bits - 1))


@dataclass(frozen=True, slots=True, eq=False)
class Scaled:
    """Samples of 8 bits.

    Attributes:
        image: grey or RGB.
        alpha: opacity, grey; None if all is opaque.
        values: the range that was taken; None for 8 bits and less, whose range is fixed.
    """

    image: Image.Image
    alpha: Image.Image | None
    values: ValueRange | None


def scale_samples(samples: Samples) -> Scaled:
    """Scale samples to 8 bits; not-a-number and nodata become transparent, and infinity black or white."""
    is_fixed = samples.bits <= 8 and samples.colour.dtype.kind in "bu"
    taken = samples.full_range if is_fixed else find_range(samples)
    height, width, channels = samples.colour.shape
    image = Image.new("L" if channels == 1 else "RGB", (width, height))
    alpha: Image.Image | None = None
    sentinel = None if is_fixed and samples.nodata is None else _find_nodata(samples)
    for top, bottom in list_bands(width, height):
        part = None if samples.alpha is None else samples.alpha[top:bottom]
        rows = replace(samples, colour=samples.colour[top:bottom], alpha=part)
        colour, opacity = _scale_rows(rows, taken, sentinel)
        image.paste(Image.fromarray(colour[:, :, 0] if channels == 1 else colour), (0, top))
        if alpha is None and (opacity < 255).any():
            alpha = Image.new("L", (width, height), 255)
        if alpha is not None:
            alpha.paste(Image.fromarray(opacity), (0, top))
    return Scaled(image, alpha, None if is_fixed else taken)


def find_range(samples: Samples) -> ValueRange:
    """The values that become black and white: the 0.1 and 99.9 percentiles of the finite ones.

    Unsigned numbers that reach beyond half of their range, and colours multiplied by opacity, take the whole range.
    """
    if samples.is_premultiplied:
        return samples.full_range
    values = _pick(samples)
    if not values.size:
        return samples.full_range
    low, high = (float(value) for value in np.percentile(values, PERCENTS, method="nearest"))
    if samples.colour.dtype.kind in "bu" and high > USED_SHARE * samples.full_range.high:
        return samples.full_range
    if low == high:
        low, high = float(values.min()), float(values.max())
    return ValueRange(low, high)


def _pick(samples: Samples) -> NDArray[np.float64]:
    """Evenly spread finite values that mean something."""
    # Not reshaped, which would copy the colours where opacity lies between them.
    values = samples.colour.flat[:: max(1, math.ceil(samples.colour.size / SAMPLE_COUNT))].astype(np.float64)
    values = values[np.isfinite(values) & (np.abs(values) < HUGE)]
    sentinel = _find_nodata(samples)
    return values if sentinel is None else values[values != sentinel]


def _find_nodata(samples: Samples) -> float | None:
    """The number that means no value: the file's own, or a usual one far below all others."""
    if samples.nodata is not None or samples.colour.dtype.kind in "bu":
        return samples.nodata
    lowest = float(np.fmin.reduce(samples.colour, axis=None))
    if lowest not in NODATA:
        return None
    others = samples.colour[np.isfinite(samples.colour) & (samples.colour != lowest)]
    if not others.size:
        return None
    near, far = float(others.min()), float(others.max())
    return lowest if near - lowest > far - near else None


def _scale_rows(
    samples: Samples, taken: ValueRange, sentinel: float | None
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Scale some rows; returns their colours, (R, W, C), and their opacity, (R, W)."""
    is_short = samples.colour.dtype.kind != "f" and samples.bits <= 16
    values: NDArray[Any] = samples.colour.astype(np.float32 if is_short else np.float64)  # (R, W, C)
    alpha = np.full(values.shape[:2], 255, dtype=np.uint8)
    missing = np.isnan(values) | ((np.abs(values) >= HUGE) & np.isfinite(values))
    if sentinel is not None:
        missing |= values == sentinel
    if samples.alpha is not None:
        opacity = np.clip(samples.alpha.astype(values.dtype) / samples.full_range.high, 0, 1)  # (R, W)
        alpha[:] = np.round(np.nan_to_num(opacity) * 255)
        if samples.is_premultiplied:
            values = np.divide(values, opacity[..., None], out=np.zeros_like(values), where=opacity[..., None] > 0)
    alpha[missing.any(axis=2)] = 0
    span = taken.high - taken.low
    # A picture of one value has no black and white of its own: it becomes grey.
    scaled = (values - taken.low) / span if span > 0 else np.full_like(values, 0.5)
    scaled = np.nan_to_num(scaled, nan=1.0, posinf=1.0, neginf=0.0).clip(0, 1)
    return np.round((1 - scaled if samples.is_inverted else scaled) * 255).astype(np.uint8), alpha
