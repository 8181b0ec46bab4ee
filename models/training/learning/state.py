"""A training's state on disk, from which it continues as if it had not been stopped."""

import io
import json
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from models.training.running.errors import TrainingError
from models.training.running.files import write_file

MOST_DIFFERENCES = 8


@dataclass(frozen=True, slots=True)
class TrainingIdentity:
    """The facts that must be the same when a training is resumed.

    Attributes:
        values: the recipe's fields, the network and checksums of the data, by name.
    """

    values: Mapping[str, Any]

    def compare(self, other: Mapping[str, Any]) -> list[str]:
        """List the differences from another identity, in words."""
        mine, theirs = dict(_flatten(self.values)), dict(_flatten(other))
        return [
            f"{name} was {theirs.get(name, 'not given')}, is {mine.get(name, 'not given')}"
            for name in sorted(mine.keys() | theirs.keys())
            if mine.get(name) != theirs.get(name)
        ]


def write_state(path: Path, identity: TrainingIdentity, state: Mapping[str, Any]) -> None:
    """Write a state: tensors, numbers, texts and containers of them; raises `TrainingError`."""
    buffer = io.BytesIO()
    torch.save({"identity": json.dumps(identity.values), **state}, buffer)
    write_file(path, buffer.getvalue())


def read_state(path: Path, identity: TrainingIdentity, *, device: torch.device) -> dict[str, Any] | None:
    """Read the state in a file; None if there is no file.

    Raises:
        TrainingError: the file is damaged, or has the state of another training.
    """
    if not path.exists():
        return None
    try:
        # Loading makes only tensors and plain values.
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        stored = json.loads(state.pop("identity"))
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise TrainingError(f"{path} is not the state of a training: {reason}; delete it to start again") from error
    if differences := identity.compare(stored):
        more = f" and {len(differences) - MOST_DIFFERENCES} more" if len(differences) > MOST_DIFFERENCES else ""
        raise TrainingError(
            f"{path} is of another training: {'; '.join(differences[:MOST_DIFFERENCES])}{more}; give the same options, "
            "or another --output"
        )
    return state


def _flatten(values: object, name: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, Mapping):
        for key, value in values.items():
            yield from _flatten(value, f"{name}.{key}" if name else str(key))
    else:
        yield name, values
