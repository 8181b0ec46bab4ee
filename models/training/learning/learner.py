"""Training one network: a step, and the state between two steps."""

from typing import Any, cast

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.optim.swa_utils import update_bn

from models.networks.staged import StagedNetwork
from models.training.data.batches import HostBatch, Loader
from models.training.data.sampling import Stream, make_generator
from models.training.learning.gate_start import start_gates
from models.training.learning.lesson import Lesson
from models.training.learning.optimisation import MovingAverage, clip_gradients, make_optimiser, make_schedule
from models.training.learning.targets import Targets, measure_loss, mix
from models.training.learning.trainee import Trainee, TraineeOutput, TraineeShape, build_trainee
from models.training.recipes.recipe import ComputePrecision
from models.training.running.processes import Processes


class Learner:
    """A network, its optimiser and its moving average.

    Args:
        lesson: the lesson.
        shape: the network to build.
        processes: the processes that compute.

    Attributes:
        step: the number of steps done.
        learning_rate: the learning rate of the last step.

    Raises:
        TrainingError: the network is not known, or the processes cannot share a batch evenly.
    """

    def __init__(self, lesson: Lesson, shape: TraineeShape, processes: Processes) -> None:
        self.lesson = lesson
        self.processes = processes
        self.step = 0
        self.learning_rate = 0.0
        recipe, device = lesson.recipe, processes.device
        part = processes.part_of(recipe.batch_size)
        self.loader = Loader(lesson.sampler, device, part, lesson.preprocessing)
        trainee = (
            build_trainee(shape, recipe, lesson.beginnings.get(shape.attention))
            .to(device)
            .to(memory_format=torch.channels_last)
        )
        if processes.count > 1 and device.type == "cuda":
            # SyncBatchNorm needs GPUs; on CPUs each process normalises its own part of a batch.
            trainee = nn.SyncBatchNorm.convert_sync_batchnorm(trainee)  # type: ignore[no-untyped-call]
        if recipe.channel_gate.initial_deviation or recipe.spatial_gate.initial_deviation:
            self._start_gates(trainee)
        self._trainee: Trainee = trainee.train()
        self._average = MovingAverage(trainee.network, recipe.averaging) if recipe.averaging else None
        self._optimiser = make_optimiser(trainee, recipe, is_fused=device.type == "cuda")
        self._schedule = make_schedule(self._optimiser, recipe.schedule, total_steps=lesson.sampler.total_steps)
        self._parallel = self._share()
        # Summed on the device: reading it at every step would make a GPU wait.
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=device)
        self._loss_steps = 0

    @property
    def result(self) -> StagedNetwork:
        """The network to keep: the moving average, if there is one."""
        network = self._trainee.network if self._average is None else self._average.module
        return cast("StagedNetwork", network)

    @property
    def state(self) -> dict[str, Any]:
        """Everything on which the next step depends, as tensors and plain values."""
        return {
            "step": self.step,
            "trainee": self._trainee.state_dict(),
            "average": None if self._average is None else self._average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "loss_sum": self._loss_sum,
            "loss_steps": self._loss_steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Restore a state."""
        self.step = state["step"]
        self._trainee.load_state_dict(state["trainee"])
        if self._average is not None:
            self._average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._loss_sum.copy_(state["loss_sum"])
        self._loss_steps = state["loss_steps"]

    def learn(self, epoch: int, batch: HostBatch) -> None:
        """One step."""
        recipe = self.lesson.recipe
        chance = make_generator(recipe, Stream.MIXING, epoch, batch.step)
        self._seed(epoch, batch.step)
        pictures, targets = mix(self.loader.augment(batch), self._find_targets(batch), recipe.mixing, chance=chance)
        with self._autocast():
            answer = TraineeOutput(*self._parallel(pictures))
            taught = self._ask_teacher(pictures)
        done = self.step / self.lesson.sampler.total_steps
        loss = measure_loss(answer, targets, taught, recipe, done=done)
        loss.backward()  # type: ignore[no-untyped-call]
        clip_gradients(self._trainee.parameters(), recipe.optimiser)
        self._optimiser.step()
        self._optimiser.zero_grad(set_to_none=True)
        self.learning_rate = float(self._schedule.get_last_lr()[0])
        self._schedule.step()
        if self._average is not None:
            self._average.follow(self._trainee.network, step=self.step)
        self._loss_sum += loss.detach()
        self._loss_steps += 1
        self.step += 1

    def take_loss(self) -> float:
        """The mean loss of all processes since the last call."""
        loss = float(self.processes.mean(self._loss_sum)) / max(1, self._loss_steps)
        self._loss_sum.zero_()
        self._loss_steps = 0
        return loss

    def estimate_statistics(self) -> None:
        """Estimate the BatchNorm statistics of the kept weights again, on unmixed batches."""
        wanted, epoch = self.lesson.recipe.statistics_batches, self.lesson.recipe.epochs  # an unused epoch
        if wanted:
            with fork_random(self.processes.device):
                self._seed(epoch, 0)
                batches = zip(range(wanted), self.loader.load(epoch), strict=False)
                update_bn((self.loader.augment(batch) for _, batch in batches), self.result)
        self.result.eval()

    @torch.no_grad()
    def _ask_teacher(self, pictures: torch.Tensor) -> torch.Tensor | None:
        """The teacher's logits for this step's batch, (N, K), from the file of its answers if it has them."""
        teacher, book, part = self.lesson.teacher, self.lesson.answers, self.loader.part
        if teacher is None:
            return None
        if book is None:
            return teacher.judge(pictures)
        if (known := book.read(self.step, part)) is not None:
            return known.to(pictures.device)
        return book.write(self.step, part, torch.log_softmax(teacher.judge(pictures).float(), dim=1))

    def _find_targets(self, batch: HostBatch) -> Targets:
        lesson, device = self.lesson, self.processes.device
        classes = torch.from_numpy(lesson.sampler.store.classes)[batch.rows]
        one_hot = nn.functional.one_hot(classes.clamp(min=0), lesson.sampler.class_count).float()  # (N, K)
        one_hot = one_hot * (classes >= 0)[:, None]
        one_hot = one_hot.to(device, non_blocking=True)
        if lesson.soft_labels is None:
            return Targets(one_hot)
        soft = lesson.soft_labels.soften(batch.rows, temperature=lesson.recipe.auxiliary.temperature)
        return Targets(one_hot, soft.to(device, non_blocking=True))

    def _seed(self, epoch: int, step: int) -> None:
        """Seed torch's own random numbers (mixing, dropout) from the step."""
        torch.manual_seed(int(make_generator(self.lesson.recipe, Stream.TORCH, epoch, step).integers(2**63)))

    def _start_gates(self, trainee: Trainee) -> None:
        """Give the gates their initial deviations, measured on the first batch of an epoch that is not used."""
        epoch = self.lesson.recipe.epochs
        with fork_random(self.processes.device):
            self._seed(epoch, 0)
            batch = self.loader.augment(next(iter(self.loader.load(epoch))))
            start_gates(trainee.network.eval(), batch, self.lesson.recipe)

    def _autocast(self) -> torch.autocast:
        is_bf16 = self.lesson.recipe.precision is ComputePrecision.BF16
        return torch.autocast(self.processes.device.type, dtype=torch.bfloat16, enabled=is_bf16)

    def _share(self) -> nn.Module:
        """The trainee whose gradients are the mean over processes."""
        if self.processes.count == 1:
            return self._trainee
        device = self.processes.device
        return DistributedDataParallel(self._trainee, device_ids=None if device.type == "cpu" else [device])


def fork_random(device: torch.device) -> Any:  # noqa: ANN401  # torch does not name what it returns
    """A context that restores torch's random state at its end."""
    return torch.random.fork_rng(devices=[] if device.type == "cpu" else [device])
