"""Lineups of networks for CIFAR's pictures of 32 pixels: their preprocessing, and what to know about their maps.

Files of such networks do not say how their pictures were normalised. CBAM's authors published no training program for
CIFAR; what nearly all others use are the mean and the deviation of the training pictures themselves, which are these.
"""

from pathlib import Path

from models.errors import LineupError
from models.lineups.card import LARGE_RESOLUTIONS, LineupCard
from models.names import Geometry, Resolution, Stem
from models.networks.zoo import find_stem
from models.pictures.preparation import Preprocessing

CIFAR10 = Preprocessing(
    mean=(0.4914, 0.4822, 0.4465),
    standard_deviation=(0.2470, 0.2435, 0.2616),
    geometry=Geometry.WHOLE,
    resolution=Resolution.PIXELS_32,
)
CIFAR100 = Preprocessing(
    mean=(0.5071, 0.4865, 0.4409),
    standard_deviation=(0.2673, 0.2564, 0.2762),
    geometry=Geometry.WHOLE,
    resolution=Resolution.PIXELS_32,
)

CIFAR100_CLASSES = 100

REDUCTION = 8
"""By how much the last stage's map is smaller than the input."""


def find_preprocessing(architecture: str, class_count: int) -> Preprocessing:
    """The preprocessing that a network usually wants: ImageNet's, or CIFAR's where it has CIFAR's stem."""
    if find_stem(architecture) is Stem.IMAGENET:
        return Preprocessing()
    return CIFAR100 if class_count == CIFAR100_CLASSES else CIFAR10


def check_resolution(card: LineupCard, path: Path) -> None:
    """Refuse a card's resolution at which its networks have no maps: 32 pixels are for CIFAR's stem alone.

    Args:
        card: of the lineup.
        path: the card's file.

    Raises:
        LineupError: it names the file and the field.
    """
    if "preprocessing" not in card.model_fields_set:
        return
    is_small = find_stem(card.architecture) is Stem.CIFAR
    allowed = (Resolution.PIXELS_32,) if is_small else LARGE_RESOLUTIONS
    if card.preprocessing.resolution not in allowed:
        raise LineupError(
            f"{path}: preprocessing.resolution is {card.preprocessing.resolution.value}; with the architecture "
            f"{card.architecture} it can be {' or '.join(str(known.value) for known in allowed)}"
        )


def warn_of_cifar(card: LineupCard, *, is_assumed: bool) -> tuple[str, ...]:
    """Warnings for networks with CIFAR's stem: how few positions their maps have, and what was assumed.

    Args:
        card: of the lineup, with its preprocessing.
        is_assumed: whether nobody said how the pictures were normalised.
    """
    if find_stem(card.architecture) is Stem.IMAGENET:
        return ()
    side = card.preprocessing.resolution
    positions = side // REDUCTION
    warnings = [
        f"The networks see {side} x {side} pixels of a square picture. The last stage has {positions} x {positions} "
        "positions: its maps are coarse."
    ]
    if is_assumed:
        name = "CIFAR-100" if card.preprocessing == CIFAR100 else "CIFAR-10"
        warnings.append(
            f"The files do not say how the pictures were normalised; {name}'s mean and deviation were assumed. A TOML "
            "file can state others."
        )
    return tuple(warnings)
