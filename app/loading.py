"""The pair and the engine that the settings choose, on the device that they choose."""

import os

import torch

from app.engine import Engine
from app.settings import Settings
from models.card import PairError
from models.pair import NetworkPair, load_pair


def load_chosen_pair(settings: Settings) -> NetworkPair:
    """Load the pair of the settings in the form that answers requests; raises `PairError`.

    Also gives torch its number of threads, once and for the whole process.
    """
    torch.set_num_threads(settings.threads or os.cpu_count() or 1)
    return load_pair(settings.pair, device=choose_device(settings.device)).optimise(settings.precision)


def build_engine(settings: Settings, pair: NetworkPair) -> Engine:
    """An engine with the settings' queue and batches; not started."""
    return Engine(
        pair,
        queue_size=settings.queue_size,
        batch_size=settings.batch_size,
        batch_wait_seconds=settings.batch_wait_seconds,
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
