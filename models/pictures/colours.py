"""Converting any picture's colours to 8-bit RGB."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def convert_to_rgb(image: Image.Image) -> Image.Image:
    """Convert a picture to 8-bit RGB, with transparency over white."""
    if image.mode in ("I;16", "I;16L", "I;16B", "I;16N", "I", "F"):
        image = _gray_to_8_bit(image)
    if image.has_transparency_data:
        layered = image.convert("RGBA")
        ground = Image.new("RGB", layered.size, "white")
        ground.paste(layered, mask=layered.getchannel("A"))
        return ground
    return image.convert("RGB")


def _gray_to_8_bit(image: Image.Image) -> Image.Image:
    """Convert grey of more than 8 bits: 16 bits by the full range, other types by the picture's own extremes."""
    values: NDArray[np.float32] = np.nan_to_num(np.asarray(image, dtype=np.float32))
    is_16_bit = image.mode.startswith("I;16") or (image.mode == "I" and 0 <= values.min() <= values.max() <= 65535)
    low, high = (0.0, 65535.0) if is_16_bit else (float(values.min()), float(values.max()))
    span = high - low if high > low else 1.0
    scaled = np.round((values - low) * (255.0 / span)).clip(0, 255)
    return Image.fromarray(scaled.astype(np.uint8))
