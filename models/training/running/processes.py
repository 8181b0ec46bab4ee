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
"""The longest wait of one process for the others, which may have to decode all pictures first."""


@dataclass(frozen=True, slots=True)
class Processes:
    """This process among those that train together.

    Attributes:
        device: the device of this process.
        rank: its number, from 0.
        count: the number of processes on all machines.
        local_count: the number of processes on this machine.
    """

    device: torch.device
    rank: int = 0
    count: int = 1
    local_count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files and the notes."""
        return self.rank == 0

    def part_of(self, batch_size: int) -> slice:
        """This process's pictures of a batch; raises `TrainingError` if they cannot be shared evenly."""
        if batch_size % self.count or batch_size == self.count:
            raise TrainingError(
                f"a batch of {batch_size} cannot be shared evenly by {self.count} processes with two pictures or more "
                "each; change --batch-size"
            )
        size = batch_size // self.count
        return slice(self.rank * size, (self.rank + 1) * size)

    def add(self, values: torch.Tensor) -> torch.Tensor:
        """The sum of all processes' values, in place."""
        if self.count > 1:
            distributed.all_reduce(values)
        return values

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        """The mean of all processes' values, as a new tensor."""
        return self.add(values.clone()) / self.count

    def has_any(self, *, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return flag if self.count == 1 else bool(self.add(torch.tensor(int(flag), device=self.device)).item())

    def wait(self) -> None:
        """Wait until every process has called this."""
        if self.count > 1:
            distributed.barrier()


@contextmanager
def join_processes(device: str) -> Iterator[Processes]:
    """Join the processes that torchrun started, and leave them at the end.

    Args:
        device: `auto`, `cpu`, `cuda` or `cuda:NUMBER`; `auto` uses CUDA if there is a device. With torchrun, each
            process takes the device with its own number.

    Raises:
        TrainingError: there is no such device.
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
        raise TrainingError(f"there is no device {name!r}, but {torch.cuda.device_count()} CUDA devices; choose cpu")
    return torch.device("cuda", device.index or 0) if device.type == "cuda" else device
