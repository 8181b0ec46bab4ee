"""The names that a pickle of weights may use: one table; nothing outside of it is looked up or called.

`torch.load(weights_only=True)` allows more names, and calls them with any arguments from the file.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from models.checkpoints.diagnosis import CheckpointError

MAX_ITEMS = 2_000_000

TENSOR_COST = 20
"""In items: a tensor takes about 600 bytes, and three opcodes make one from the memo."""

MAX_DIMENSIONS = 8

MAX_NAME_LENGTH = 64

NUMPY_SCALARS = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
"""The scalar function's name before and since numpy 2."""

NUMBER_TYPE = re.compile(r"[<>=|]?[fiub][1248]")
"""The numpy types of plain numbers; no Python objects, and no texts of arbitrary length."""

DTYPES = {
    "Double": torch.float64,
    "Float": torch.float32,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
STORAGE_TYPES = {
    f"{module}.{kind}Storage": dtype for module in ("torch", "torch.cuda") for kind, dtype in DTYPES.items()
}

CODE_ROOTS = frozenset(
    {"__builtin__", "builtins", "commands", "importlib", "nt", "os", "posix", "pty", "runpy", "shutil", "socket"}
    | {"subprocess", "sys", "webbrowser"}
)
"""Modules that no network needs, but for `HARMLESS`."""

HARMLESS = frozenset(
    {"bool", "bytearray", "complex", "dict", "float", "frozenset", "int", "list", "object", "range", "set", "slice"}
    | {"str", "tuple"}
)
"""Python's own types, which training programs store beside their weights."""

LOADERS = frozenset({"_load_from_bytes", "attrgetter", "eval", "exec", "getattr", "load", "loads", "methodcaller"})
"""Functions that read or run something else, in whatever module."""

PYTHON = ("__builtin__", "builtins")


@dataclass(slots=True, eq=False)
class Symbol:
    """A name that a pickle asks for. For an unknown name it also stands for the result of a call."""

    name: str


@dataclass(slots=True, eq=False)
class Passed(Symbol):
    """An object of an unknown class, which was not made; what a pickle gives it is kept, but never used by it.

    Attributes:
        state: its attributes.
    """

    state: object = None


@dataclass(frozen=True, slots=True)
class Storage:
    """A one-dimensional run of values in the file, with its key."""

    key: str
    values: torch.Tensor


@dataclass(slots=True)
class NumberType:
    """A numpy type; a pickle sets its byte order later."""

    code: str
    order: str = "="


@dataclass(slots=True)
class Account:
    """The size of the objects made so far.

    Attributes:
        tensor_bytes: bytes of all tensors, as if each had its own copy.
        item_count: copied dict items, plus the cost of tensors in items.
    """

    tensor_bytes: int = 0
    item_count: int = 0

    def add(self, item_count: int) -> None:
        """Count items, and stop a pickle that copies one container again and again.

        `torch.load` has no such limit: a file of 0.8 MB took more than 5 GB.

        Raises:
            CheckpointError: too many items.
        """
        self.item_count += item_count
        if self.item_count > MAX_ITEMS:
            raise CheckpointError(f"its pickle copies more than {MAX_ITEMS:,} items; weights need no copies")


def make_tensor(
    account: Account, storage: object, offset: object, shape: object, strides: object, *rest: object
) -> torch.Tensor:
    """Make the result of `torch._utils._rebuild_tensor` or `_rebuild_tensor_v2`.

    Raises:
        CheckpointError: the tensor reaches beyond its storage. In the format before torch 1.6, `torch.load` enlarges
            such a storage.
        TypeError: an argument has the wrong type.
    """
    # After `requires_grad` and the hooks, a flag may say that the values must be negated.
    if not isinstance(storage, Storage) or any(rest[2:]):
        raise TypeError(storage)
    sizes, steps, start = check_sizes(shape), check_sizes(strides), check_size(offset)
    extent = start + sum((size - 1) * step for size, step in zip(sizes, steps, strict=True)) + 1
    if 0 not in sizes and extent > len(storage.values):
        raise CheckpointError(
            f"a tensor of shape {sizes} needs {extent:,} elements of storage {storage.key}, "
            f"which has {len(storage.values):,}; the file is damaged; get it again"
        )
    tensor = storage.values.as_strided(sizes, steps, start)
    account.add(TENSOR_COST)
    # Not `tensor.nbytes`, which wraps around at 2^64: 2^62 floats count as 0 bytes.
    account.tensor_bytes += math.prod(sizes) * tensor.itemsize
    return tensor


def make_parameter(_: Account, tensor: object, *_rest: object) -> object:
    """Make the result of `torch._utils._rebuild_parameter`: the tensor; `requires_grad` is dropped."""
    return tensor


def make_dict(
    account: Account, items: Mapping[object, object] | Sequence[tuple[object, object]] = ()
) -> dict[object, object]:
    """Make a `collections.OrderedDict`; Python 2 passes its items in a list."""
    account.add(len(items))
    return {check_key(key): value for key, value in (items.items() if isinstance(items, Mapping) else items)}


def make_number_type(_: Account, code: object, *rest: object) -> NumberType | Symbol:
    """Make the `numpy.dtype` of a number; other types are passed over. Further arguments only say that it is a copy."""
    # By identity: a comparison with a tensor would make one as large as it says.
    is_copy = len(rest) == 2 and rest[0] is False and rest[1] is True  # numpy's two further arguments
    if not NUMBER_TYPE.fullmatch(check_name(code)) or not is_copy:
        return Passed("numpy.dtype")
    return NumberType(str(code))


def make_number(_: Account, number_type: object, value: object) -> object:
    """Make a numpy scalar from its type and its bytes; one of another type is passed over."""
    if not isinstance(number_type, NumberType) or not isinstance(value, bytes):
        return Passed(NUMPY_SCALARS[0])
    (number,) = np.frombuffer(value, number_type.order + number_type.code.lstrip("<>=|"))
    return number


def encode(_: Account, text: object, encoding: object) -> bytes | Symbol:
    """Make the result of `_codecs.encode`; protocol 2 writes the few bytes of a number this way.

    Longer ones, such as those of an array, are passed over. `torch.load` runs any codec on any text, any number of
    times: a text of 1 MB in the memo became 5 GB.
    """
    is_short = isinstance(text, str) and len(text) <= MAX_NAME_LENGTH
    if not (is_short and isinstance(encoding, str) and encoding == "latin1"):
        return Passed("_codecs.encode")
    return str(text).encode("latin1")


MAKERS: dict[str, Callable[..., object]] = {
    "torch._utils._rebuild_tensor": make_tensor,
    "torch._utils._rebuild_tensor_v2": make_tensor,
    "torch._utils._rebuild_parameter": make_parameter,
    "torch.Size": lambda _account, sizes: torch.Size(check_sizes(sizes)),
    "torch.device": lambda _account, *arguments: torch.device(*arguments),
    "collections.OrderedDict": make_dict,
    "collections.Counter": lambda account, counts: Counter(make_dict(account, counts)),
    "numpy.dtype": make_number_type,
    "_codecs.encode": encode,
    **dict.fromkeys(NUMPY_SCALARS, make_number),
}
"""A function that makes the value of a call, given the account and the call's arguments."""

CONSTANTS = {str(dtype): dtype for dtype in DTYPES.values()}
"""Names that stand for values, not functions."""

ALLOWED_NAMES = frozenset({*STORAGE_TYPES, *MAKERS, *CONSTANTS})
"""The functions that weights, an optimiser's state and a best accuracy need."""


def is_harmful(name: str) -> bool:
    """Whether a name belongs to a module that no training needs: the file is an attack, or no weights."""
    root, _, rest = name.partition(".")
    is_loader = name.rpartition(".")[2] in LOADERS
    return is_loader or (root in CODE_ROOTS and not (root in PYTHON and rest in HARMLESS))


def refuse_harmful(names: Sequence[str]) -> None:
    """Refuse names of code that no training needs; all others are passed over.

    Raises:
        CheckpointError: it names the code that the file asks for.
    """
    if any(map(is_harmful, names)):
        refuse_names(names)


def refuse_names(names: Sequence[str]) -> None:
    """Refuse names that are not allowed.

    Raises:
        CheckpointError: for such a name; it names the code that the file asks for, or the class of its object.
    """
    refused = [name for name in names if name not in ALLOWED_NAMES]
    code = [name for name in refused if is_harmful(name)]
    if refused and not code and any(name.startswith("torch.nn.") for name in refused):
        raise CheckpointError(
            f"it holds a whole Python object of class {refused[0]}, which only its own code can read; "
            "save model.state_dict() instead"
        )
    if refused:
        raise CheckpointError(
            f"it asks for {(code or refused)[0]}, which is code, not weights; none of it was run; "
            "ask for a file made from model.state_dict()"
        )


def check_name(value: object) -> str:
    """A short text; a pickle can copy it any number of times."""
    if not isinstance(value, str) or len(value) > MAX_NAME_LENGTH:
        raise TypeError(value)
    return value


def check_key(value: object) -> object:
    """A dict's key; no tuples and no large integers.

    The hash of a deeply nested tuple crashes `torch.load`. A tuple that repeats itself at every level takes 2^40 steps.
    Large integers can be chosen to share one hash, and then each key is compared with all earlier ones.
    """
    if not isinstance(value, str | int | float | None) or (isinstance(value, int) and abs(value) >= 2**64):
        raise TypeError(value)
    return value


def check_size(value: object) -> int:
    """A number of elements."""
    if not isinstance(value, int) or value < 0:
        raise TypeError(value)
    return value


def check_sizes(value: object) -> tuple[int, ...]:
    """A shape or strides."""
    if not isinstance(value, tuple) or len(value) > MAX_DIMENSIONS:
        raise TypeError(value)
    return tuple(map(check_size, value))
