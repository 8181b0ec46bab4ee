"""A pickle of weights played on descriptions, so that what it claims is known before anything is made.

The machine knows the opcodes that `torch.load(weights_only=True)` knows, as far as weights use them.
"""

import io
from collections.abc import Callable
from typing import TypeAlias

from models.checkpoints.claims import CALLS, Answer, Claims, Symbol, check_key, claim_storage
from models.checkpoints.diagnosis import CheckpointError
from models.checkpoints.pickles import read_opcodes

PROTOCOL = 2
"""That of `torch.save`, and the only one that `torch.load(weights_only=True)` reads in full."""

NUMBER_TYPE_STATES = tuple((3, order, None, None, None, -1, -1, 0) for order in "<>=|")
"""What numpy writes of the type of a plain number: its byte order and nothing else."""


class Rehearsal:
    """The machine: a stack, marks on it and a memo."""

    def __init__(self) -> None:
        self.claims = Claims()
        self._stack: list[object] = []
        self._marks: list[int] = []
        self._memo: dict[object, object] = {}

    def play(self, content: io.BytesIO) -> object:
        """The next pickle's value, in which descriptions stand for what is not made.

        Raises:
            CheckpointError: for an opcode that weights do not need, and for a claim that cannot be true.
        """
        self._stack, self._marks, self._memo = [], [], {}
        for name, argument in read_opcodes(content):
            if name not in HANDLERS:
                raise CheckpointError(f"its pickle uses {name}, which weights do not need; save model.state_dict()")
            try:
                HANDLERS[name](self, argument)
            except (IndexError, KeyError, TypeError, ValueError) as error:
                raise CheckpointError(f"its pickle is damaged at an opcode {name}; get it again") from error
        return self._stack[-1] if self._stack else None

    def check_protocol(self, argument: object) -> None:
        """PROTO."""
        if argument != PROTOCOL:
            raise CheckpointError(
                f"its pickle has protocol {argument}; only {PROTOCOL} is read without running code; "
                "save it again with torch.save and its default protocol"
            )

    def push(self, value: object) -> None:
        """All opcodes that push what they carry."""
        self._stack.append(value)

    def mark(self, _: object) -> None:
        """MARK."""
        self._marks.append(len(self._stack))

    def pop(self, count: int) -> list[object]:
        """The last values, in the order in which they were pushed."""
        return [self._stack.pop() for _ in range(count)][::-1]

    def pop_marked(self) -> list[object]:
        """What was pushed since the last mark."""
        return self.pop(len(self._stack) - self._marks.pop())

    def append(self, values: list[object]) -> None:
        """APPEND and APPENDS."""
        target = self._stack[-1]
        if not isinstance(target, list):
            raise TypeError(target)
        target.extend(values)

    def set_items(self, values: list[object]) -> None:
        """SETITEM and SETITEMS."""
        target = self._stack[-1]
        if not isinstance(target, dict):
            raise TypeError(target)
        target.update(zip(map(check_key, values[::2]), values[1::2], strict=True))

    def remember(self, index: object) -> None:
        """BINPUT and LONG_BINPUT; a dict, so that a large index costs nothing."""
        self._memo[index] = self._stack[-1]

    def recall(self, index: object) -> None:
        """BINGET and LONG_BINGET."""
        self._stack.append(self._memo[index])

    def ask(self, argument: object) -> None:
        """GLOBAL; that the name is allowed was checked before."""
        self._stack.append(Symbol(str(argument).replace(" ", ".")))

    def build(self, _: object) -> None:
        """BUILD: an OrderedDict's attributes (`_metadata` of a state dict) or a number type's byte order."""
        state, target = self._stack.pop(), self._stack[-1]
        is_number_type = target == Answer("numpy.dtype") and state in NUMBER_TYPE_STATES
        if not is_number_type and not (isinstance(target, dict) and isinstance(state, dict)):
            raise TypeError(target)

    def claim(self, _: object) -> None:
        """BINPERSID."""
        self._stack.append(claim_storage(self.claims, self._stack.pop()))

    def call(self, _: object) -> None:
        """REDUCE."""
        symbol, arguments = self.pop(2)
        if not isinstance(symbol, Symbol) or not isinstance(arguments, tuple):
            raise TypeError(symbol)
        self._stack.append(CALLS[symbol.name](self.claims, *arguments))


Handler: TypeAlias = Callable[[Rehearsal, object], None]

CARRIERS = ("BININT", "BININT1", "BININT2", "BINFLOAT", "LONG1", "BINUNICODE", "SHORT_BINSTRING")
"""The opcodes that carry the value that they push."""

HANDLERS: dict[str, Handler] = {
    "PROTO": Rehearsal.check_protocol,
    "STOP": lambda _machine, _: None,
    **dict.fromkeys(CARRIERS, Rehearsal.push),
    "NONE": lambda machine, _: machine.push(None),
    "NEWTRUE": lambda machine, _: machine.push(True),
    "NEWFALSE": lambda machine, _: machine.push(False),
    "EMPTY_TUPLE": lambda machine, _: machine.push(()),
    "EMPTY_LIST": lambda machine, _: machine.push([]),
    "EMPTY_DICT": lambda machine, _: machine.push({}),
    "MARK": Rehearsal.mark,
    "TUPLE": lambda machine, _: machine.push(tuple(machine.pop_marked())),
    "TUPLE1": lambda machine, _: machine.push(tuple(machine.pop(1))),
    "TUPLE2": lambda machine, _: machine.push(tuple(machine.pop(2))),
    "TUPLE3": lambda machine, _: machine.push(tuple(machine.pop(3))),
    "APPEND": lambda machine, _: machine.append(machine.pop(1)),
    "APPENDS": lambda machine, _: machine.append(machine.pop_marked()),
    "SETITEM": lambda machine, _: machine.set_items(machine.pop(2)),
    "SETITEMS": lambda machine, _: machine.set_items(machine.pop_marked()),
    "BINPUT": Rehearsal.remember,
    "LONG_BINPUT": Rehearsal.remember,
    "BINGET": Rehearsal.recall,
    "LONG_BINGET": Rehearsal.recall,
    "GLOBAL": Rehearsal.ask,
    "REDUCE": Rehearsal.call,
    "BUILD": Rehearsal.build,
    "BINPERSID": Rehearsal.claim,
}
