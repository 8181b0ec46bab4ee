"""The reader of pickles of weights: a small stack machine that calls only the functions in `calls.MAKERS`.

Unlisted names become symbols, and what is made of them is passed over: arguments, paths, sets and random states that
training programs store beside their weights. A name of code that no training needs is refused at the end.
"""

import io
import pickletools
from collections.abc import Callable, Iterator
from typing import TypeAlias

import torch

from models.checkpoints.calls import (
    ALLOWED_NAMES,
    CONSTANTS,
    MAKERS,
    STORAGE_TYPES,
    Account,
    NumberType,
    Passed,
    Storage,
    Symbol,
    check_key,
    check_name,
    check_size,
    refuse_harmful,
    refuse_names,
)
from models.checkpoints.diagnosis import CheckpointError

MAX_PICKLE_BYTES = 32 * 1024**2
"""The pickle of ResNet-101 with CBAM and its optimiser's state has 0.3 MB."""

MAX_OPCODES = 2_000_000
"""Each opcode leaves at most about 70 bytes in memory. `torch.load` has no such limit."""

MAX_NAMES = 10_000
"""Different ones; a whole module's pickle asks for a hundred."""

MAX_PART_LENGTH = 256
"""Of a name's module, and of the name in it: a pickle can join two long texts any number of times."""

PROTOCOL = 2
"""That of `torch.save`."""

NUMBER_TYPE_STATES = tuple((3, order, None, None, None, -1, -1, 0) for order in "<>=|")
"""NumPy's state of a plain number's type, after the byte order: nothing set."""

FindStorage: TypeAlias = Callable[[str, torch.dtype, int], torch.Tensor]
"""Finds a storage's values, given its key, dtype and number of elements."""


def find_nothing(_key: str, dtype: torch.dtype, count: int) -> torch.Tensor:
    """A storage without values, for a reading that only collects the pickle's names."""
    return torch.empty(count, dtype=dtype, device="meta")


def is_plain(state: object) -> bool:
    """Whether a value is a tuple of texts and numbers alone, which can be compared without making anything."""
    return isinstance(state, tuple) and all(part is None or isinstance(part, str | int) for part in state)


class Machine:
    """A machine that plays a pickle, with a stack, marks and a memo.

    Attributes:
        account: the size of the objects made so far.
        storages: the storages that the pickle asked for, by key.
        names: the names that the pickle asked for, each once.
        protocol: the pickle's protocol.
        strange_opcodes: opcodes that weights do not need.
    """

    def __init__(self, find_storage: FindStorage) -> None:
        self.account = Account()
        self.storages: dict[str, Storage] = {}
        self.names: list[str] = []
        self._known_names: set[str] = set()
        self.protocol: object = PROTOCOL
        self.strange_opcodes: list[str] = []
        self._find_storage = find_storage

    def play(self, content: io.BytesIO) -> object:
        """Play the next pickle and return its value; the stream is then at the pickle's end.

        Raises:
            CheckpointError: the pickle is damaged, or asks for more than weights need.
        """
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[object, object] = {}
        name = "PROTO"
        try:
            for opcode, argument in read_opcodes(content):
                name = opcode.name
                self.step(opcode, argument)
            return self._stack.pop()
        except (CheckpointError, IndexError, KeyError, TypeError, ValueError, RuntimeError) as error:
            refuse_names(self.names)
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(f"its pickle is damaged at an opcode {name}; get it again") from error

    def refuse_strange(self, value: object) -> None:
        """Refuse a pickle that asks for code, or whose value is not a container of weights.

        Args:
            value: what was played.

        Raises:
            CheckpointError: a name, the protocol or an opcode is not allowed.
        """
        refuse_harmful(self.names)
        if isinstance(value, Symbol):
            refuse_names(self.names)
        if self.protocol != PROTOCOL:
            raise CheckpointError(
                f"its pickle has protocol {self.protocol}; only {PROTOCOL} is read without running code; "
                "save it again with torch.save and its default protocol"
            )
        if self.strange_opcodes:
            raise CheckpointError(
                f"its pickle uses {self.strange_opcodes[0]}, which weights do not need; save model.state_dict()"
            )

    def step(self, opcode: pickletools.OpcodeInfo, argument: object) -> None:
        """Play one opcode; an opcode that weights do not need only changes the stack."""
        if opcode.name in HANDLERS:
            HANDLERS[opcode.name](self, argument)
            return
        self.strange_opcodes.append(opcode.name)
        taken = opcode.stack_before
        if pickletools.markobject in taken:
            self.pop_marked()
            taken = taken[: taken.index(pickletools.markobject)]
        if opcode.name in STRANGE_HANDLERS:
            STRANGE_HANDLERS[opcode.name](self, argument)
            return
        del self._stack[max(0, len(self._stack) - len(taken)) :]
        self._stack += [Symbol(opcode.name) if argument is None else argument] * len(opcode.stack_after)

    def push(self, value: object) -> None:
        """Push the argument of an opcode."""
        self._stack.append(value)

    def mark(self, _: object) -> None:
        """MARK."""
        self._marks.append(len(self._stack))

    def pop(self, count: int) -> list[object]:
        """Pop the last values, in the order in which they were pushed."""
        return [self._stack.pop() for _ in range(count)][::-1]

    def pop_marked(self) -> list[object]:
        """Pop the values pushed since the last mark."""
        return self.pop(len(self._stack) - self._marks.pop())

    def append(self, values: list[object]) -> None:
        """APPEND and APPENDS."""
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(values)
        elif not isinstance(target, Symbol):
            raise TypeError(target)

    def set_items(self, values: list[object]) -> None:
        """SETITEM and SETITEMS."""
        target = self._stack[-1]
        if isinstance(target, dict):
            # What has a key that was passed over is passed over too.
            known = [
                (key, value)
                for key, value in zip(values[::2], values[1::2], strict=True)
                if not isinstance(key, Symbol)
            ]
            target.update((check_key(key), value) for key, value in known)
        elif not isinstance(target, Symbol):
            raise TypeError(target)

    def remember(self, index: object) -> None:
        """BINPUT and the like; the memo is a dict, so that a large index costs nothing."""
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def recall(self, index: object) -> None:
        """BINGET and the like."""
        self._stack.append(self._memo[index])

    def ask(self, name: str) -> None:
        """GLOBAL and the like."""
        if name not in self._known_names:
            if len(self._known_names) >= MAX_NAMES:
                raise CheckpointError(f"its pickle asks for more than {MAX_NAMES:,} names; weights ask for a few")
            self._known_names.add(name)
            self.names.append(name)
        self._stack.append(CONSTANTS.get(name, Symbol(name)))

    def build(self, _: object) -> None:
        """BUILD: an OrderedDict's attributes (`_metadata` of a state dict) or a number type's byte order."""
        target, state = self.pop(2)
        self._stack.append(target)
        if isinstance(target, NumberType) and is_plain(state) and state in NUMBER_TYPE_STATES:
            target.order = str(state[1])
        elif isinstance(target, Passed):
            target.state = state
        elif not isinstance(target, Symbol) and not (isinstance(target, dict) and isinstance(state, dict)):
            raise TypeError(target)

    def find(self, _: object) -> None:
        """BINPERSID: ('storage', type, key, device, number of elements); old files append None."""
        identity = self._stack.pop()
        kind_of = identity[0] if isinstance(identity, tuple) and isinstance(identity[0], str) else None
        if isinstance(identity, tuple) and kind_of == "module":  # a class with its source, in old whole modules
            self._stack.append(identity[1])
            return
        if not isinstance(identity, tuple) or kind_of != "storage":
            raise TypeError(identity)
        kind, key, _device, count, *view = identity[1:]
        # Only torch before 0.4 wrote views of storages; its tensors had no offset yet.
        if not isinstance(kind, Symbol) or any(part is not None for part in view):
            raise TypeError(identity)
        dtype = STORAGE_TYPES[kind.name]
        storage = self.storages.get(check_name(key))
        size = check_size(count)
        if storage is None:
            storage = Storage(key, self._find_storage(key, dtype, size))
            self.storages[key] = storage
        elif (storage.values.dtype, len(storage.values)) != (dtype, size):
            raise CheckpointError(f"its pickle describes storage {key} twice, differently; get the file again")
        self._stack.append(storage)

    def call(self, _: object) -> None:
        """REDUCE."""
        symbol, arguments = self.pop(2)
        if not isinstance(symbol, Symbol) or not isinstance(arguments, tuple):
            raise TypeError(symbol)
        is_known = symbol.name in ALLOWED_NAMES
        self._stack.append(MAKERS[symbol.name](self.account, *arguments) if is_known else Passed(symbol.name))

    def make(self, _: object) -> None:
        """NEWOBJ: an object of a class, which is passed over."""
        symbol, _arguments = self.pop(2)
        if not isinstance(symbol, Symbol):
            raise TypeError(symbol)
        self._stack.append(Passed(symbol.name))


Handler: TypeAlias = Callable[[Machine, object], None]

CARRIERS = ("BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1", "BINUNICODE", "SHORT_BINSTRING", "NONE")
"""The opcodes whose argument is the value that they push."""

HANDLERS: dict[str, Handler] = {
    "PROTO": lambda machine, argument: setattr(machine, "protocol", argument),
    "STOP": lambda _machine, _: None,
    **dict.fromkeys(CARRIERS, Machine.push),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "MARK": Machine.mark,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_marked())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.pop(3))),
    "APPEND": lambda machine, _: machine.append(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.append(machine.pop_marked()),
    "SETITEM": lambda machine, _: machine.set_items(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_marked()),
    **dict.fromkeys(("BINPUT", "LONG_BINPUT"), Machine.remember),
    **dict.fromkeys(("BINGET", "LONG_BINGET"), Machine.recall),
    "GLOBAL": lambda machine, name: machine.ask(str(name).replace(" ", ".")),
    "REDUCE": Machine.call,
    "NEWOBJ": Machine.make,
    "BUILD": Machine.build,
    "BINPERSID": Machine.find,
}
"""The opcodes that weights need."""

STRANGE_HANDLERS: dict[str, Handler] = {
    "INST": HANDLERS["GLOBAL"],
    "STACK_GLOBAL": lambda machine, _: machine.ask(
        ".".join(part[:MAX_PART_LENGTH] if isinstance(part, str) else "?" for part in machine.pop(2))
    ),
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), lambda machine, code: machine.ask(f"copyreg extension {code}")),
    **dict.fromkeys(("MEMOIZE", "PUT"), Machine.remember),
    "GET": Machine.recall,
}
"""Opcodes of other pickles that ask for names; known here so that the error can name the code."""


def read_opcodes(content: io.BytesIO) -> Iterator[tuple[pickletools.OpcodeInfo, object]]:
    """Read the pickle's opcodes and their arguments.

    Raises:
        CheckpointError: the pickle is damaged or truncated, or has too many opcodes.
    """
    try:
        for count, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if count >= MAX_OPCODES:
                raise CheckpointError(f"its pickle has more than {MAX_OPCODES:,} opcodes; weights have far fewer")
            yield opcode, argument
    except ValueError as error:
        raise CheckpointError(f"its pickle is damaged or truncated ({error}); get it again") from error
