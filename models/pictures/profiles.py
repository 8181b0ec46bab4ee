"""ICC colour profiles: colours as sRGB shows them, which is what networks were trained on and screens expect."""

import io
import logging
from collections.abc import Callable
from functools import lru_cache, partial

import numpy as np
from PIL import Image, ImageCms

logger = logging.getLogger(__name__)

_SPACES = {b"RGB ": "RGB", b"GRAY": "L", b"CMYK": "CMYK"}
"""Pillow's mode for the colour space that a profile's header names (ICC.1:2022, 7.2.6)."""

KEPT_PROFILE_BYTES = 16_384

NEARLY_EQUAL = 1
"""A profile that moves no colour by more levels is sRGB under another name, and is left out as browsers do."""


Conversion = Callable[[Image.Image], Image.Image]
"""Makes RGB of a picture."""


def choose_conversion(mode: str, profile: bytes) -> Conversion | None:
    """The conversion of colours by their profile to sRGB.

    A profile that is broken or for other colours is left out: it costs no pixels.

    Args:
        mode: Pillow's name of the colours: L, RGB or CMYK, without opacity.
        profile: the profile's bytes.

    Returns:
        None where the profile is left out.
    """
    space = _SPACES.get(profile[16:20])
    if space is None or (space != mode and (space, mode) != ("RGB", "L")):
        return None
    try:
        # Most pictures have one of a few profiles of some kB; large ones are not worth keeping.
        is_srgb = _is_known_srgb if len(profile) <= KEPT_PROFILE_BYTES else _is_srgb
        if is_srgb(profile, space):
            return None
        transform = _build_transform(profile, space)
    except (ImageCms.PyCMSError, OSError, ValueError) as error:
        logger.info("a picture's colour profile cannot be used and is left out: %s", error)
        return None
    return lambda image: _apply(transform, image if image.mode == space else image.convert(space))


def choose_lab_conversion() -> Conversion:
    """The conversion of CIE L*a*b* (D50, Pillow's mode LAB)."""
    lab = ImageCms.createProfile("LAB")
    return partial(_apply, ImageCms.buildTransform(lab, ImageCms.createProfile("sRGB"), "LAB", "RGB"))


def _prefer_perceptual(profile: bytes) -> bytes:
    """The profile without its colorimetric table where it has a perceptual one, which browsers prefer.

    Little CMS takes the perceptual table for any intent whose own is missing.
    """
    count = min(int.from_bytes(profile[128:132], "big"), (len(profile) - 132) // 12)
    places = {profile[start : start + 4]: start for start in range(132, 132 + 12 * count, 12)}
    if b"A2B0" not in places or b"A2B1" not in places:
        return profile
    start = places[b"A2B1"]
    return profile[:start] + b"none" + profile[start + 4 :]


def _apply(transform: ImageCms.ImageCmsTransform, image: Image.Image) -> Image.Image:
    converted = ImageCms.applyTransform(image, transform)
    if converted is None:  # only where it works in place
        raise ValueError("the colours were not converted")
    return converted


def _build_transform(profile: bytes, space: str) -> ImageCms.ImageCmsTransform:
    """What takes colours of a profile to sRGB; raises `PyCMSError` for a broken profile."""
    return ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(_prefer_perceptual(profile))),
        ImageCms.createProfile("sRGB"),
        space,
        "RGB",
        # Browsers map no black points, which Little CMS does for the perceptual intent.
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
    )


def _is_srgb(profile: bytes, space: str) -> bool:
    """Whether a profile leaves colours as they are."""
    if space == "CMYK":
        return False
    steps = np.linspace(0, 255, 18).round().astype(np.uint8)
    if space == "L":
        colours = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    else:
        grid = np.stack(np.meshgrid(steps, steps, steps), axis=-1)  # (18, 18, 18, 3)
        colours = Image.fromarray(np.ascontiguousarray(grid.reshape(-1, 18, 3)))
    before = np.asarray(colours.convert("RGB"), dtype=np.int16)
    after = np.asarray(_apply(_build_transform(profile, space), colours), dtype=np.int16)
    return int(np.abs(after - before).max()) <= NEARLY_EQUAL


_is_known_srgb = lru_cache(maxsize=64)(_is_srgb)
