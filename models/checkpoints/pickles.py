"""What a pickle asks for, read from its opcodes: nothing is imported, called or built.

A pickle is a program for a small machine. Weights need few of its words: the names in `ALLOWED_GLOBALS`. Any other name
is a wish to run code, or a whole Python object, which comes to the same.
"""

import io
import pickletools
from collections.abc import Iterator, Sequence

from models.checkpoints.diagnosis import CheckpointError

MAX_PICKLE_BYTES = 32 * 1024**2
"""ResNet-101 with CBAM and its optimiser's state is described in 0.3 MB."""

MAX_OPCODES = 2_000_000
"""Each leaves at most some 70 bytes behind, so that the machine's memory stays below 150 MB."""

NUMPY_SCALARS = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
"""Its name before and since numpy 2."""

STORAGE_TYPES = tuple(
    f"{module}.{kind}Storage"
    for module in ("torch", "torch.cuda")
    for kind in ("Double", "Float", "Half", "BFloat16", "Long", "Int", "Short", "Char", "Byte", "Bool")
)

ALLOWED_GLOBALS = frozenset(
    {
        *STORAGE_TYPES,
        *NUMPY_SCALARS,
        "_codecs.encode",
        "collections.Counter",
        "collections.OrderedDict",
        "numpy.dtype",
        "torch.Size",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch.device",
        *(f"torch.{kind}" for kind in ("float64", "float32", "float16", "bfloat16", "bool", "uint8")),
        *(f"torch.int{bits}" for bits in (8, 16, 32, 64)),
    }
)
"""What weights, an optimiser's state and a best accuracy are made of."""

CODE_ROOTS = frozenset(
    {"__builtin__", "builtins", "commands", "importlib", "nt", "os", "posix", "pty", "runpy", "shutil", "socket"}
    | {"subprocess", "sys", "webbrowser"}
)
"""Modules that no network needs; `builtins.set` alone comes with whole modules."""

STRING_OPCODES = frozenset(
    {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"}
)


def read_opcodes(content: io.BytesIO) -> Iterator[tuple[str, object]]:
    """The pickle's opcodes and their arguments; the stream then stands behind it.

    Raises:
        CheckpointError: for a damaged or truncated pickle, and for one with too many opcodes.
    """
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count >= MAX_OPCODES:
                raise CheckpointError(f"its pickle has more than {MAX_OPCODES:,} opcodes; weights have far fewer")
            yield opcode.name, argument
    except ValueError as error:
        raise CheckpointError(f"its pickle is damaged or truncated ({error}); get it again") from error


def list_globals(content: io.BytesIO) -> list[str]:
    """Every name that the next pickle asks for, in order, as `posix.system`.

    The newer way to ask takes module and name from the stack: they are followed through the memo, as far as a pickle
    that was not made to hide them goes. Where they cannot be followed the name is `?`, which is not allowed either.
    """
    found: list[str] = []
    strings: list[str] = []
    memo: dict[int, str] = {}
    previous = ""
    for name, argument in read_opcodes(content):
        if name in {"GLOBAL", "INST"}:
            found.append(str(argument).replace(" ", "."))
        elif name == "STACK_GLOBAL":
            found.append(".".join(strings[-2:]) or "?")
        elif name.startswith("EXT"):
            found.append(f"copyreg extension {argument}")
        elif name in STRING_OPCODES:
            strings = [*strings[-1:], str(argument)]
        elif name == "MEMOIZE" or name.endswith("PUT"):
            if previous in STRING_OPCODES:
                memo[len(memo) if argument is None else int(str(argument))] = strings[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = "?"
        elif name.endswith("GET") and int(str(argument)) in memo:
            strings = [*strings[-1:], memo[int(str(argument))]]
        previous = name
    return found


def refuse_globals(names: Sequence[str]) -> None:
    """Refuse names that are not allowed.

    Raises:
        CheckpointError: naming the code that the file wants, or the class of the object that it holds.
    """
    refused = [name for name in names if name not in ALLOWED_GLOBALS]
    code = [name for name in refused if name.split(".")[0] in CODE_ROOTS and not name.endswith(".set")]
    if refused and not code and any(name.startswith("torch.nn.") for name in refused):
        raise CheckpointError(
            f"it holds a whole Python object of class {refused[0]}, which only its own code can read; "
            "save model.state_dict() instead"
        )
    if refused:
        raise CheckpointError(
            f"it asks for {(code or refused)[0]}, which is code and no weights; nothing of it was run; "
            "ask for a file made from model.state_dict()"
        )
