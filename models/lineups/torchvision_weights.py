"""torchvision's published weights, which are downloaded only if the user asks for them by name."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.error import URLError
from urllib.parse import urlsplit

import torch
from torchvision import models as torchvision_models
from torchvision.models import WeightsEnum

from models.errors import LineupError
from models.lineups.card import ClassLabel
from models.lineups.label_files import name_classes


@dataclass(frozen=True, slots=True, eq=False)
class PublishedWeights:
    """Weights that torchvision publishes.

    Attributes:
        name: the network and version, such as `resnet50, IMAGENET1K_V1`.
        tensors: the tensors, by torchvision's parameter names.
        labels: the classes in index order.
    """

    name: str
    tensors: dict[str, torch.Tensor]
    labels: tuple[ClassLabel, ...]


def fetch_weights(name: str, *, version: str = "") -> PublishedWeights:
    """Get torchvision's weights from its cache on this machine, or download them into it.

    Args:
        name: torchvision's name of the network.
        version: the version of the weights; empty for the first one, whose recipe is close to the papers'.

    Raises:
        LineupError: the name is unknown, or the weights can be neither found nor downloaded.
    """
    chosen = _choose(name, version)
    try:
        tensors = chosen.get_state_dict(progress=True, check_hash=True)
    except (URLError, OSError, RuntimeError) as error:
        raise LineupError(
            f"the weights of torchvision:{name} are not on this machine and could not be downloaded ({error}); on a "
            f"connected machine, fetch {chosen.url}, and put it into {torch.hub.get_dir()}/checkpoints here"
        ) from error
    return PublishedWeights(f"{name}, {chosen.name}", dict(tensors), _name_uniquely(chosen.meta["categories"]))


def want_weights(name: str, *, version: str = "") -> None:
    """Raise `LineupError` for weights that are not on this machine, with where to put them."""
    chosen = _choose(name, version)
    place = Path(torch.hub.get_dir()) / "checkpoints" / PurePosixPath(urlsplit(chosen.url).path).name
    if not place.is_file():
        raise LineupError(
            f"not on this machine: the weights of torchvision:{name}, and nothing is fetched offline; get {chosen.url} "
            f"and put it at {place}"
        )


def list_imagenet_classes() -> tuple[ClassLabel, ...]:
    """ImageNet's 1,000 classes by torchvision's names; if two share a name, the second has its index appended."""
    return _name_uniquely(torchvision_models.ResNet18_Weights.IMAGENET1K_V1.meta["categories"])


def _choose(name: str, version: str) -> WeightsEnum:
    try:
        versions = {weights.name: weights for weights in torchvision_models.get_model_weights(name)}
    except ValueError as error:
        raise LineupError(f"torchvision has no weights for {name!r}: {error}") from error
    if version and version not in versions:
        raise LineupError(f"torchvision has no weights {version} for {name}; choose one of {', '.join(versions)}")
    return versions[version] if version else next(iter(versions.values()))


def _name_uniquely(names: Sequence[str]) -> tuple[ClassLabel, ...]:
    seen: Counter[str] = Counter()
    unique = []
    for index, name in enumerate(names):
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({index})")
    return name_classes(unique)
