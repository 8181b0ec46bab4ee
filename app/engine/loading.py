"""The pairs and the engine that the settings choose, on the device that they choose."""

import os
from collections import Counter
from collections.abc import Callable

import torch

from app.engine.device_engine import DeviceEngine
from app.settings import Settings
from models.errors import PairError
from models.lineups.choice import parse_pairs
from models.lineups.pair import NetworkPair, load_pair


def load_chosen_pairs(settings: Settings) -> tuple[NetworkPair, ...]:
    """Load the pairs of the settings in the form that answers requests; raises `PairError`.

    Also gives torch its number of threads, once and for the whole process.
    """
    torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    device = choose_device(settings.device)
    choices = parse_pairs(settings.pairs, settings.labels)
    pairs = tuple(load_pair(choice, device=device).optimise(settings.precision) for choice in choices)
    names = Counter(pair.card.name for pair in pairs)
    if twice := [name for name, count in names.items() if count > 1]:
        raise PairError(f"two pairs are named {twice[0]}; a pair is asked for by its name; give each its own")
    return pairs


def load_chosen_pair(settings: Settings) -> NetworkPair:
    """The one pair of a command that works with one; raises `PairError`."""
    pairs = load_chosen_pairs(settings)
    if len(pairs) > 1:
        raise PairError(f"{len(pairs)} pairs are chosen, and this command works with one; give one --pair")
    return pairs[0]


def build_engine(settings: Settings, observe_batch: Callable[[int], None] | None = None) -> DeviceEngine:
    """An engine with the settings' queue and batches; not started.

    Args:
        settings: the server's settings.
        observe_batch: told how many pictures went through the networks together.
    """
    return DeviceEngine(
        queue_size=settings.queue_size,
        batch_size=settings.batch_size,
        batch_wait_seconds=settings.batch_wait_seconds,
        observe_batch=observe_batch,
    )


def choose_device(name: str) -> torch.device:
    """The device of a setting; `auto` is CUDA where there is one, else the CPU.

    Raises:
        PairError: for a CUDA device that this machine has not.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise PairError(
            f"device is {name}, but torch sees {torch.cuda.device_count()} CUDA devices; choose cpu or auto"
        )
    return device
