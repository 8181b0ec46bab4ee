"""Watching a network's modules while it runs.

Our own networks return what others hook. A user's network does not, so here hooks are allowed, under three conditions:
they are on a private copy, so that the user's own module is never touched; they are set once, so that no error can
leave some behind; and they keep nothing themselves but call the recording of the running pass, which is in a context
variable, so that passes in several threads do not see each other. Without a recording they do nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

import torch
from torch import nn


class Recording:
    """One pass: knows which module runs; subclasses note or replace what modules answer."""

    def __init__(self) -> None:
        self._running: list[str] = []

    @property
    def running(self) -> str:
        """The path of the innermost running module; empty for the network itself and outside."""
        return self._running[-1] if self._running else ""

    def enter(self, path: str, received: object) -> None:
        """A module begins; `received` is its first argument."""
        del received
        self._running.append(path)

    def leave(self, path: str, answer: object) -> object | None:
        """A module has answered; anything but None replaces the answer."""
        self._running.pop()
        return self.note(path, answer)

    def note(self, path: str, answer: object) -> object | None:
        """Note what a module answered; see `leave`."""
        del path, answer
        return None


_RECORDING: ContextVar[Recording | None] = ContextVar("_RECORDING", default=None)


@contextmanager
def record(recording: Recording) -> Iterator[None]:
    """Let a recording see the modules that run in this thread inside of the context."""
    token = _RECORDING.set(recording)
    try:
        yield
    finally:
        _RECORDING.reset(token)


def watch(network: nn.Module) -> None:
    """Set the hooks of a private copy of a network."""
    for path, module in network.named_modules():
        module.register_forward_pre_hook(partial(_enter, path))
        module.register_forward_hook(partial(_leave, path))


def _enter(path: str, _: nn.Module, arguments: tuple[object, ...]) -> None:
    recording = _RECORDING.get()
    if recording is not None:
        recording.enter(path, arguments[0] if arguments else None)


def _leave(path: str, _: nn.Module, __: object, answer: object) -> object | None:
    recording = _RECORDING.get()
    return None if recording is None else recording.leave(path, answer)


class Replacement(Recording):
    """Replaces the answer of one module.

    Args:
        path: of the module.
        features: the replacement; later operations in place change a copy of it.
    """

    def __init__(self, path: str, features: torch.Tensor) -> None:
        super().__init__()
        self._path = path
        self._features = features

    def note(self, path: str, answer: object) -> torch.Tensor | None:
        """See `Recording.note`."""
        del answer
        return self._features.clone() if path == self._path else None
