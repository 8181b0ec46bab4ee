"""The network that a file is for: its tensors, its metadata and the user's options compared."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from models.checkpoints.architectures import (
    check_torchvision,
    count_classes,
    count_last_rows,
    find_architecture,
    find_torchvision,
)
from models.checkpoints.diagnosis import CheckpointError, ExaminationOptions
from models.checkpoints.gates import list_lookalikes, read_gates
from models.checkpoints.hints import NO_HINTS, Hints
from models.checkpoints.metadata import OwnMetadata
from models.names import Attention, Stem, StridePlacement
from models.networks.zoo import ARCHITECTURES, TORCHVISION, find_stem


@dataclass(frozen=True, slots=True)
class NetworkIdentity:
    """A network by its names.

    Attributes:
        architecture: a key of `models.networks.zoo.ARCHITECTURES`, or `torchvision:` and torchvision's name.
        attention: the attention at the end of each block.
        class_count: the number of classes.
        stride_placement: the convolution of a bottleneck that has the stride.
        warnings: sentences about assumptions that were made.
    """

    architecture: str
    attention: Attention
    class_count: int
    stride_placement: StridePlacement
    warnings: tuple[str, ...]


def identify(
    shapes: Mapping[str, torch.Size],
    *,
    origins: Mapping[str, str],
    stated: OwnMetadata | None,
    options: ExaminationOptions,
    hints: Hints = NO_HINTS,
) -> NetworkIdentity:
    """Find the network that a file is for.

    Args:
        shapes: the file's tensors in our names.
        origins: the file's own names by ours.
        stated: the metadata of a file of ours; it overrides the options.
        options: the user's options.
        hints: what the file's own names tell; the options and the metadata override them.

    Raises:
        CheckpointError: no network fits, or tensors, metadata and options contradict each other.
    """
    warnings: list[str] = []
    named = options.architecture or (stated and stated.architecture) or ""
    if not named:
        named = find_unnamed(shapes, origins) or ""
    is_torchvisions = named.startswith(TORCHVISION)
    class_count = count_last_rows(shapes) if is_torchvisions else count_classes(shapes)
    check_agreement("classes", class_count, None if stated is None else stated.class_count, options.class_count)
    asked = options.attention or hints.attention
    attention = choose_attention(list_lookalikes(read_gates(shapes)), stated, asked, warnings)
    if is_torchvisions:
        # Too many to try: take the name as given; every tensor is checked against it afterwards.
        check_torchvision(named)
        architecture = named
    else:
        check_known(options.architecture)
        architecture = find_architecture(
            shapes,
            attention=attention,
            class_count=class_count,
            origins=origins,
            expected=options.architecture,
            stated=named or None,
        )
    check_agreement("architecture", architecture, None if stated is None else stated.architecture, options.architecture)
    stated_placement = None if stated is None else stated.stride_placement
    warn_of_override("stride placement", stated_placement, options.stride_placement, warnings)
    placement = stated_placement or options.stride_placement
    if placement is None:
        placement = hints.stride_placement or StridePlacement.V1_5
        warnings += hints.warnings
    if stated is None and find_stem(architecture) is Stem.CIFAR:
        warnings.append(
            "The stem is a 3x3 convolution; a stride of 1, no max-pooling and pictures of 32 pixels were assumed, as "
            "in the authors' networks for CIFAR."
        )
    return NetworkIdentity(architecture, attention, class_count, placement, tuple(warnings))


def find_unnamed(shapes: Mapping[str, torch.Size], origins: Mapping[str, str]) -> str | None:
    """The network of a file that names none: one of the zoo, else torchvision's; None if none fits."""
    try:
        attention = list_lookalikes(read_gates(shapes))[0]
        return find_architecture(shapes, attention=attention, class_count=count_classes(shapes), origins=origins)
    except CheckpointError:
        return find_torchvision(shapes, origins=origins)


def check_known(architecture: str | None) -> None:
    """Refuse an unknown architecture."""
    if architecture is not None and architecture not in ARCHITECTURES:
        raise CheckpointError(
            f"architecture {architecture!r} was asked for; choose one of {', '.join(ARCHITECTURES)}, or torchvision: "
            "and torchvision's name"
        )


def check_agreement(what: str, found: object, stated: object, asked: object) -> None:
    """Refuse metadata or an option that the tensors contradict."""
    if stated not in {None, found}:
        raise CheckpointError(f"its metadata says {what} {stated}, its tensors say {found}; convert its source again")
    if asked not in {None, found}:
        raise CheckpointError(f"{what}: {found} in the file, {asked} expected; choose another file or expect {found}")


def choose_attention(
    lookalikes: list[Attention], stated: OwnMetadata | None, asked: Attention | None, warnings: list[str]
) -> Attention:
    """Choose one of the attentions that have the same tensors."""
    names = " or ".join(lookalikes)
    for source, attention in (("its metadata says", stated and stated.attention), ("the option says", asked)):
        if attention is not None and attention not in lookalikes:
            raise CheckpointError(f"{source} attention {attention}, but its tensors are those of {names}")
    if stated is not None:
        warn_of_override("attention", stated.attention, asked, warnings)
        return stated.attention
    if asked is None and Attention.SE in lookalikes:
        warnings.append(
            f"The tensors do not show how a channel gate pools: {names} look alike. {lookalikes[0]} was "
            "assumed; if you know it, say so in a lineup's TOML file."
        )
    return asked or lookalikes[0]


def warn_of_override(what: str, stated: object, asked: object, warnings: list[str]) -> None:
    """Warn that the file's metadata overrides an option."""
    if stated is not None and asked not in {None, stated}:
        warnings.append(f"The file says {what} {stated}; {asked}, which was asked for, was not used.")
