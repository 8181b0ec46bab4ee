"""The memory of what is kept, found by looking at it."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass

import numpy as np

OBJECT_BYTES = 300
"""About the memory of an object beside its values: its header, its fields and its name."""


def measure_bytes(value: object) -> int:
    """The approximate memory of arrays, and of dataclasses, mappings and sequences that hold them."""
    if isinstance(value, np.ndarray):
        return OBJECT_BYTES + value.nbytes
    if isinstance(value, Mapping):
        return OBJECT_BYTES + sum(map(measure_bytes, value.values()))
    if isinstance(value, tuple | list):
        return OBJECT_BYTES + sum(map(measure_bytes, value))
    if is_dataclass(value):
        return OBJECT_BYTES + sum(measure_bytes(getattr(value, field.name)) for field in fields(value))
    return 0
