"""Checks that tensors fit a network: names, shapes and values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from models.checkpoints.diagnosis import CheckpointError

SHOWN_NAMES = 4
"""The most names of one kind that a message lists; it counts the others."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """The differences between tensors and a network; empty if they fit.

    Attributes:
        missing: names that only the network has.
        surplus: names that only the file has.
        misshaped: names that both have, with different shapes; each is a phrase with the shapes.
    """

    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    misshaped: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.missing) + len(self.surplus) + len(self.misshaped)

    def __str__(self) -> str:
        parts = (("missing", self.missing), ("surplus", self.surplus), ("misshaped", self.misshaped))
        return "; ".join(f"{kind}: {list_some(names)}" for kind, names in parts if names)


def list_some(names: Iterable[str]) -> str:
    """The first few names, and the number of others."""
    names = list(names)
    rest = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return f"{', '.join(names[:SHOWN_NAMES])}{rest}"


def compare_shapes(
    expected: Mapping[str, torch.Size], found: Mapping[str, torch.Size], *, origins: Mapping[str, str] | None = None
) -> Misfit:
    """Find where `found` differs from `expected`.

    Args:
        expected: the network's tensors.
        found: the file's, in our names.
        origins: the file's own names by ours, for messages; equal names may be left out.
    """
    origins = origins or {}
    return Misfit(
        missing=tuple(name for name in expected if name not in found),
        surplus=tuple(origins.get(name, name) for name in found if name not in expected),
        misshaped=tuple(
            f"{origins.get(name, name)} is {tuple(found[name])}, the network needs {tuple(shape)}"
            for name, shape in expected.items()
            if name in found and found[name] != shape
        ),
    )


def find_problems(
    expected: Mapping[str, torch.Size], found: Mapping[str, torch.Tensor], *, origins: Mapping[str, str] | None = None
) -> str:
    """List the reasons why tensors do not fit a network, with names: misfits, and values that are not finite.

    Args:
        expected: the network's tensors.
        found: the file's, in our names.
        origins: the file's own names by ours.

    Returns:
        A phrase; empty if they fit.
    """
    misfit = compare_shapes(expected, read_shapes(found), origins=origins)
    problems = [str(misfit)] if misfit else []
    if infinite := [(origins or {}).get(name, name) for name, tensor in found.items() if not is_finite(tensor)]:
        problems.append(f"not finite: {list_some(infinite)}")
    return "; ".join(problems)


def check_tensors(path: Path, *, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that do not fit their network.

    Raises:
        CheckpointError: a tensor is missing, surplus, misshaped or has a value that is not finite.
    """
    if problems := find_problems(read_shapes(expected), found):
        raise CheckpointError(f"{path} does not fit its network: {problems}")


def read_shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    """Each tensor's shape."""
    return {name: tensor.shape for name, tensor in tensors.items()}


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether every value is a finite number."""
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
