"""The processes that train together: one, or those that torchrun starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import torch
from torch import distributed

from models.training.running.errors import TrainingError

PATIENCE = timedelta(minutes=30)
"""How long one process waits for the others, which may have to decode all pictures first."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train together.

    Attributes:
        device: where this one computes.
        rank: its number, from 0.
        count: how many there are, on all machines.
        local_count: how many there are on this machine.
    """

    device: torch.device
    rank: int = 0
    count: int = 1
    local_count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this is the one that writes and talks."""
        return self.rank == 0

    def part_of(self, batch_size: int) -> slice:
        """This one's pictures of a batch; raises `TrainingError` where they cannot be shared evenly."""
        if batch_size % self.count or batch_size == self.count:
            raise TrainingError(
                f"a batch of {batch_size} cannot be shared evenly by {self.count} processes with two pictures or more "
                "each; change --batch-size"
            )
        size = batch_size // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def add(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of all processes' values; what is given is changed."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean of all processes' values; what is given stays."""
        return self.add(values.clone()) / self.count

    def has_any(self, *, flag: bool) -> bool:
        """Whether the flag is up in any process."""
        return flag if self.count == 1 else bool(self.add(torch.tensor(int(flag), device=self.device)).item())

    def wait(self) -> None:
        """Until every process is here."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def join_processes(device: str) -> Iterator[Processes]:
    """Meet the other processes that torchrun started, and leave them at the end.

    Args:
        device: auto, cpu, cuda or one with its number; `auto` is CUDA where there is a device. With torchrun each
            process takes the device of its own number.

    Raises:
        TrainingError: for a device that is not there.
    """
    chosen = _find_device(device)
    if not distributed.is_torchelastic_launched():
        yield Processes(chosen)
        return
    if chosen.type == "cuda":
        chosen = torch.device("cuda", int(os.environ["LOCAL_RANK"]))
        torch.cuda.set_device(chosen)
    distributed.init_process_group("nccl" if chosen.type == "cuda" else "gloo", timeout=PATIENCE)
    try:
        local_count = int(os.environ["LOCAL_WORLD_SIZE"])
        yield Processes(chosen, distributed.get_rank(), distributed.get_world_size(), local_count)
    finally:
        distributed.destroy_process_group()


def _find_device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise TrainingError(f"device is {name!r}; choose auto, cpu, cuda or cuda:0") from error
    if device.type not in ("cpu", "cuda"):
        raise TrainingError(f"device is {name!r}; choose auto, cpu, cuda or cuda:0")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise TrainingError(f"device {name!r} is not there; {torch.cuda.device_count()} CUDA devices are; choose cpu")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device
