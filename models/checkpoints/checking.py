"""Whether tensors fit a network: every name, every shape, every value."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from models.checkpoints.diagnosis import CheckpointError

SHOWN_NAMES = 4
"""How many names of a kind a message lists; the rest is a number."""


@dataclass(frozen=True, slots=True)
class Misfit:
    """Where tensors and a network differ; empty where they fit.

    Attributes:
        missing: names that the network has and the file has not.
        surplus: names that the file has and the network has not.
        misshaped: names that both have with different shapes, each as a phrase that gives the shapes.
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
    """The first few names and how many more there are."""
    names = list(names)
    rest = f" and {len(names) - SHOWN_NAMES:,} more" if len(names) > SHOWN_NAMES else ""
    return f"{', '.join(names[:SHOWN_NAMES])}{rest}"


def compare_shapes(
    expected: Mapping[str, torch.Size], found: Mapping[str, torch.Size], *, origins: Mapping[str, str] | None = None
) -> Misfit:
    """Where `found` differs from `expected`.

    Args:
        expected: the network's tensors.
        found: the file's, in our names.
        origins: the file's own names by ours, for messages; where they are the same one may be left out.
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
    """The reasons why tensors do not fit a network: each kind of misfit with names, values that are not finite.

    Args:
        expected: the network's tensors.
        found: the file's, in our names.
        origins: the file's own names by ours.

    Returns:
        A phrase; empty where they fit.
    """
    misfit = compare_shapes(expected, read_shapes(found), origins=origins)
    problems = [str(misfit)] if misfit else []
    if infinite := [(origins or {}).get(name, name) for name, tensor in found.items() if not is_finite(tensor)]:
        problems.append(f"not finite: {list_some(infinite)}")
    return "; ".join(problems)


def check_tensors(path: Path, *, expected: Mapping[str, torch.Tensor], found: Mapping[str, torch.Tensor]) -> None:
    """Refuse weights that do not fit.

    Raises:
        CheckpointError: when a tensor is missing, surplus, misshaped or holds a value that is not finite.
    """
    if problems := find_problems(read_shapes(expected), found):
        raise CheckpointError(f"{path} does not fit its network: {problems}")


def read_shapes(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Size]:
    """Each tensor's shape."""
    return {name: tensor.shape for name, tensor in tensors.items()}


def is_finite(tensor: torch.Tensor) -> bool:
    """Whether every value is a finite number."""
    return not tensor.is_floating_point() or bool(torch.isfinite(tensor).all())
