"""Who waits for a piece of work: the queue is fair between clients, and serves people before long series."""

import contextvars
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum


class Urgency(IntEnum):
    """The order in which work is served."""

    NOW = 0
    """Somebody waits for this one picture."""

    LATER = 1
    """One of a series: a sheet's row, a camera's frame."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The one who waits for an answer.

    Attributes:
        client: the client's identity, for fairness between clients; empty for the program itself.
        ticket: the name by which the client can ask for its place in the queue; empty if it gave none.
        urgency: whether the work is served before that of others.
    """

    client: str = ""
    ticket: str = ""
    urgency: Urgency = Urgency.NOW


ITSELF = Caller()
"""The program."""

present_caller: contextvars.ContextVar[Caller] = contextvars.ContextVar("present_caller", default=ITSELF)
"""The caller of the present task, to whom the work that it submits belongs."""


@contextmanager
def in_series() -> Iterator[None]:
    """Let the work of this block be served after that of people who wait for one picture."""
    token = present_caller.set(replace(present_caller.get(), urgency=Urgency.LATER))
    try:
        yield
    finally:
        present_caller.reset(token)
