"""Crops, flips and colours of a whole batch at once, on the training device.

torchvision's transforms draw one crop and one colour factor for a whole batch, and calling them picture by picture
leaves a GPU waiting. Its functions for batches (grey values, normalisation) are used here.
"""

import torch
from torchvision.transforms.v2 import functional

from models.pictures.preparation import Preprocessing
from models.training.recipes.recipe import Shape


def resample(canvas: torch.Tensor, *, sizes: torch.Tensor, flips: torch.Tensor, shape: Shape) -> torch.Tensor:
    """Resample each crop to the batch's shape, with the triangular filter of antialiased BILINEAR.

    Pillow and torchvision use the same filter. It is separable and linear: out = D @ crop @ A^T, with one matrix per
    picture for the height and one for the width. Crops of any size take two batched products; the second also flips.

    Args:
        canvas: each crop in the upper left corner of its canvas, with any values beside it, (N, H, W, 3) uint8.
        sizes: each crop's height and width, (N, 2).
        flips: whether left and right are swapped, (N,).
        shape: height h and width w of the result.

    Returns:
        (N, 3, h, w) float32 in 0..1.
    """
    count, canvas_height, canvas_width, _ = canvas.shape
    height, width = shape
    none = torch.zeros_like(flips)
    down = weigh(sizes[:, 0], none, length=canvas_height, samples=height)  # (N, h, H)
    across = weigh(sizes[:, 1], flips, length=canvas_width, samples=width)  # (N, w, W)
    rows = down @ canvas.reshape(count, canvas_height, -1).float()  # (N, h, H) @ (N, H, W * 3) -> (N, h, W * 3)
    planes = rows.view(count, height, canvas_width, 3).permute(0, 3, 1, 2)  # (N, 3, h, W)
    pixels = planes.reshape(count, 3 * height, canvas_width) @ across.transpose(1, 2)  # (N, 3 * h, w)
    return pixels.view(count, 3, height, width) / 255


def weigh(sizes: torch.Tensor, flips: torch.Tensor, *, length: int, samples: int) -> torch.Tensor:
    """The weight of each pixel along a crop's side in each sample.

    Args:
        sizes: the sides in pixels, (N,).
        flips: whether the samples run backwards, (N,).
        length: pixels of the canvas along this side; pixels beyond a crop have weight 0.
        samples: the number of samples per side.

    Returns:
        (N, samples, length); each row sums to 1.
    """
    scale = sizes[:, None, None] / samples  # (N, 1, 1) pixels per sample
    sample = torch.arange(samples, device=sizes.device)[None]  # (1, samples)
    sample = torch.where(flips[:, None], samples - 1 - sample, sample)  # (N, samples)
    centre = (sample[:, :, None] + 0.5) * scale
    pixel = torch.arange(length, device=sizes.device)[None, None]
    # Enlarging interpolates between two pixels; shrinking averages the pixels that become one.
    weights = (1 - (pixel + 0.5 - centre).abs() / scale.clamp(min=1)).clamp(min=0)
    weights = weights * (pixel < sizes[:, None, None])
    return weights / weights.sum(dim=2, keepdim=True)


def vary_colours(pictures: torch.Tensor, factors: torch.Tensor) -> torch.Tensor:
    """Change brightness, contrast and saturation of each picture, in this order, as torchvision's `adjust_*` do.

    Args:
        pictures: (N, 3, H, W) in 0..1.
        factors: factors of brightness, contrast and saturation, (N, 3); 1 changes nothing.
    """
    brightness, contrast, saturation = factors.to(pictures.dtype)[:, :, None, None, None].unbind(1)  # (N, 1, 1, 1)
    pictures = (pictures * brightness).clamp(0, 1)
    mean = functional.rgb_to_grayscale(pictures).mean(dim=(1, 2, 3), keepdim=True)  # (N, 1, 1, 1)
    pictures = torch.lerp(mean, pictures, contrast).clamp(0, 1)
    return torch.lerp(functional.rgb_to_grayscale(pictures), pictures, saturation).clamp(0, 1)


def normalise(pictures: torch.Tensor, preprocessing: Preprocessing) -> torch.Tensor:
    """Normalise pictures in 0..1, (N, 3, H, W), with the channels innermost in memory."""
    mean, deviation = list(preprocessing.mean), list(preprocessing.standard_deviation)
    normalised: torch.Tensor = functional.normalize(pictures, mean=mean, std=deviation)
    return normalised.contiguous(memory_format=torch.channels_last)
