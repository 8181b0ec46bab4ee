"""What a pickle of weights claims of its file, and what its calls would answer, as descriptions.

A tensor is a claim on a storage, a storage a claim on bytes of the file. Nothing is imported, called or allocated.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field

from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.pickles import MAX_OPCODES, NUMPY_SCALARS, STORAGE_TYPES

MAX_DIMENSIONS = 8

MAX_NAME_LENGTH = 64

ELEMENT_BYTES = {"Double": 8, "Long": 8, "Float": 4, "Int": 4, "Half": 2, "BFloat16": 2, "Short": 2}
"""By the storage's kind; all others have one byte."""

NUMBER_TYPE = re.compile(r"[<>=|]?[fiub][1248]")
"""The numpy types whose values are numbers, not Python objects."""


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name that the pickle asks for."""

    name: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a call of a name would answer, where only that it was called matters."""

    name: str


@dataclass(frozen=True, slots=True)
class StorageClaim:
    """A run of values in the file: its key, how many elements it has and how large each is."""

    key: str
    element_count: int
    element_bytes: int

    @property
    def size_bytes(self) -> int:
        """The whole run."""
        return self.element_count * self.element_bytes


@dataclass(slots=True)
class Claims:
    """What a pickle claims.

    Attributes:
        storages: by key.
        tensor_bytes: all tensors taken together, each as if it had a copy of its own.
        copied_items: how many items the pickle had copied from one container to another.
    """

    storages: dict[str, StorageClaim] = field(default_factory=dict)
    tensor_bytes: int = 0
    copied_items: int = 0


def claim_storage(claims: Claims, identity: object) -> StorageClaim:
    """A storage from ('storage', its type, key, device, number of elements), in old files with None behind.

    Raises:
        CheckpointError: for two unlike claims of one storage.
        TypeError: for anything else.
    """
    if not isinstance(identity, tuple) or identity[0] != "storage":
        raise TypeError(identity)
    kind, key, _device, element_count, *view = identity[1:]
    # Views of storages were written by torch before 0.4 only, and by tensors before they knew their offset.
    if not isinstance(kind, Symbol) or kind.name not in STORAGE_TYPES or any(part is not None for part in view):
        raise TypeError(identity)
    element_bytes = ELEMENT_BYTES.get(kind.name.rpartition(".")[2].removesuffix("Storage"), 1)
    claim = StorageClaim(check_name(key), check_size(element_count), element_bytes)
    if claims.storages.setdefault(claim.key, claim) != claim:
        raise CheckpointError(f"its storage {claim.key} is described twice, not alike; get the file again")
    return claim


def claim_tensor(claims: Claims, storage: object, offset: object, shape: object, strides: object, *_: object) -> Answer:
    """`torch._utils._rebuild_tensor` and its second version.

    Raises:
        CheckpointError: for a tensor that reaches beyond its storage.
        TypeError: for arguments of other types.
    """
    if not isinstance(storage, StorageClaim):
        raise TypeError(storage)
    sizes, steps, start = check_sizes(shape), check_sizes(strides), check_size(offset)
    extent = start + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True)) + 1
    if math.prod(sizes) and extent > storage.element_count:
        raise CheckpointError(
            f"a tensor of shape {sizes} wants {extent:,} elements of storage {storage.key}, "
            f"which has {storage.element_count:,}; the file is damaged; get it again"
        )
    claims.tensor_bytes += math.prod(sizes) * storage.element_bytes
    return Answer("torch.Tensor")


def order_items(claims: Claims, items: object = ()) -> dict[object, object]:
    """`collections.OrderedDict`, to which Python 2 gives its items in a list, and `collections.Counter`.

    Raises:
        CheckpointError: for a pickle that has too much copied: what lies in its memo can be had again and again.
        TypeError: for anything else.
    """
    if not isinstance(items, dict | list | tuple):
        raise TypeError(items)
    claims.copied_items += len(items)
    if claims.copied_items > MAX_OPCODES:
        raise CheckpointError(f"its pickle copies more than {MAX_OPCODES:,} items; weights copy none")
    pairs = [check_pair(pair) for pair in (items.items() if isinstance(items, dict) else items)]
    return {check_key(key): value for key, value in pairs}


def make_number_type(_: Claims, code: object, *rest: object) -> Answer:
    """`numpy.dtype` of a number: a type of Python objects would make numpy read a pickle of its own.

    The rest must say, as numpy does, that a copy is made: what is built on it would otherwise change numpy's own.
    """
    if not NUMBER_TYPE.fullmatch(check_name(code)) or tuple(rest) != (False, True):
        raise TypeError(code)
    return Answer("numpy.dtype")


def make_number(_: Claims, number_type: object, value: object) -> Answer:
    """A scalar of numpy: a type and its bytes."""
    if number_type != Answer("numpy.dtype") or value != Answer("_codecs.encode"):
        raise TypeError(number_type)
    return Answer("numpy.scalar")


def encode_text(_: Claims, text: object, encoding: object) -> Answer:
    """`_codecs.encode`, by which protocol 2 writes bytes: a number's few."""
    check_name(text)
    if encoding != "latin1":
        raise TypeError(encoding)
    return Answer("_codecs.encode")


def name_device(_: Claims, kind: object, index: object = 0) -> Answer:
    """`torch.device`."""
    check_name(kind)
    check_size(index)
    return Answer("torch.device")


CALLS: dict[str, Callable[..., object]] = {
    "torch._utils._rebuild_tensor": claim_tensor,
    "torch._utils._rebuild_tensor_v2": claim_tensor,
    "torch._utils._rebuild_parameter": lambda _claims, tensor, *_rest: tensor,
    "torch.Size": lambda _claims, sizes: check_sizes(sizes),
    "torch.device": name_device,
    "collections.OrderedDict": order_items,
    "collections.Counter": order_items,
    "numpy.dtype": make_number_type,
    "_codecs.encode": encode_text,
    **dict.fromkeys(NUMPY_SCALARS, make_number),
}
"""What each allowed name answers when it is called with claims and its arguments; all others are not called."""


def check_name(value: object) -> str:
    """A text that is no book: it can be copied as often as the pickle likes."""
    if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH:
        raise TypeError(value)
    return value


def check_key(value: object) -> object:
    """A dict's key; the hash of a deep tuple would overrun the C stack."""
    if not isinstance(value, str | int | float | None):
        raise TypeError(value)
    return value


def check_pair(value: object) -> tuple[object, object]:
    """A dict's item."""
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise TypeError(value)
    return value[0], value[1]


def check_size(value: object) -> int:
    """A number of elements."""
    if not isinstance(value, int) or not 0 <= value < 2**63:
        raise TypeError(value)
    return value


def check_sizes(value: object) -> tuple[int, ...]:
    """A shape or strides."""
    if not isinstance(value, tuple) or len(value) > MAX_DIMENSIONS:
        raise TypeError(value)
    return tuple(map(check_size, value))
