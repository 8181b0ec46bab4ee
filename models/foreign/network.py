"""A user's own network as one of a lineup: the same `trace` and `resume` as our own, for any code.

Our own networks can begin at a stage. A user's cannot, because nothing says what else of the earlier layers the later
ones use; so its gradients come from another pass over the picture, in which the stage's output is replaced by a leaf.
"""

import copy
from collections.abc import Collection, Mapping, Sequence
from typing import Any, cast

import torch
from torch import nn

from models.attention.gates import BlockAttention
from models.attention.interventions import Intervention
from models.foreign.description import InputForm, Reading
from models.foreign.gates import GateFinder, group_gates, read_output
from models.foreign.recording import Recording, Replacement, record, watch
from models.names import GateKind, Stage
from models.networks.staged import ALL_STAGES, StagedNetwork
from models.networks.trace import Trace

LUMA = (0.299, 0.587, 0.114)
"""Grey of red, green and blue, as Pillow's mode L (ITU-R 601-2); they add up to 1."""


class TraceRecording(Recording):
    """Notes the outputs of the stages, and the gates that the user named.

    Args:
        stages: the stage of each module's path.
        named: the block of each path whose output is a gate.
    """

    def __init__(self, stages: Mapping[str, Stage], named: Mapping[str, str]) -> None:
        super().__init__()
        self.features: dict[Stage, torch.Tensor] = {}
        self.gates: dict[str, dict[GateKind, torch.Tensor]] = {}
        self._stages = stages
        self._named = named

    def note(self, path: str, answer: object) -> None:
        """See `Recording.note`."""
        if path in self._stages and isinstance(answer, torch.Tensor):
            # A copy: a later operation in place, such as ReLU, would change it.
            self.features[self._stages[path]] = answer.detach().clone()
        if path in self._named and (read := read_output(answer)) is not None:
            self.gates.setdefault(self._named[path], {})[read[0]] = read[1]


class ForeignNetwork(StagedNetwork):
    """A private copy of a user's network, in evaluation mode; the user's own module is not touched.

    Args:
        module: the network; it is copied.
        reading: how it is run, and where its maps are.
        form: its input.

    Attributes:
        stages: the stage of each module's path; `models.foreign.examination` finds them.
        reading, form: see above.

    Raises:
        ValueError: for a module that cannot be copied, or that has no parameters.
    """

    is_known = False

    def __init__(self, module: nn.Module, reading: Reading, form: InputForm) -> None:
        super().__init__()
        self.reading = reading
        self.form = form
        self.probe_side = form.preprocessing.resolution.value
        self.stages: Mapping[str, Stage] = {}
        self.module = _copy(module)
        watch(self.module)
        self.eval().requires_grad_(False)

    @property
    def named_gates(self) -> Mapping[str, str]:
        """The block of each path that the user named."""
        given = self.reading.gates or {}
        return {
            path: block for block, paths in given.items() for path in ([paths] if isinstance(paths, str) else paths)
        }

    def run_stem(self, batch: torch.Tensor) -> torch.Tensor:
        """No operation: everything belongs to the first stage."""
        return batch

    def trace(
        self,
        batch: torch.Tensor,
        *,
        stages: Collection[Stage] = ALL_STAGES,
        interventions: Sequence[Intervention] = (),
        opened: str | None = None,
    ) -> Trace:
        """See `StagedNetwork.trace`; stages that the network lacks are left out, and gates cannot be changed."""
        del interventions  # none is allowed, see `list_allowed_changes`
        wanted = {path: stage for path, stage in self.stages.items() if stage in stages}
        recording = TraceRecording(wanted, self.named_gates)
        finder = GateFinder(recording, keeps_features=opened is not None)
        with record(recording), finder:
            logits = self.answer(batch)
        return Trace(logits, recording.features, self._join_gates(recording, finder))

    def resume(
        self,
        features: torch.Tensor,
        *,
        after: Stage | None,
        interventions: Sequence[Intervention] = (),
        batch: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Run the whole network over `batch`, with `features` in the place of the stage's output.

        Raises:
            ValueError: without a batch.
        """
        del interventions
        path = next((path for path, stage in self.stages.items() if stage is after), None)
        if path is None:
            return self.answer(features)  # nothing is before the first stage, so they are the pictures
        if batch is None:
            raise ValueError("a foreign network cannot begin at a stage; give the batch that the features are of")
        with record(Replacement(path, features)):
            return self.answer(batch)

    def answer(self, batch: torch.Tensor) -> torch.Tensor:
        """One score per class, (N, K), for normalised pictures, (N, 3, H, W)."""
        output = self.run(batch)
        return cast("torch.Tensor", output if self.reading.score is None else self.reading.score(output))

    def run(self, batch: torch.Tensor) -> Any:  # noqa: ANN401  # whatever the network answers
        """The network's own output, by the user's `head` where there is one."""
        pictures = batch
        if self.form.channels == 1:
            # Mean and deviation are the same for all channels, so it does not matter that grey is made after them.
            luma = torch.tensor(LUMA, device=batch.device, dtype=batch.dtype)
            pictures = torch.einsum("nchw,c->nhw", batch, luma)[:, None]  # (N, 1, H, W)
        # The engine's pictures have their channels innermost, which the user's `view` might not bear.
        pictures = pictures.contiguous()
        return self.module(pictures) if self.reading.head is None else self.reading.head(self.module, pictures)

    def _join_gates(self, recording: TraceRecording, finder: GateFinder) -> Mapping[str, BlockAttention]:
        if self.reading.gates is None:
            return group_gates(finder.found)
        return {
            block: BlockAttention(gates.get(GateKind.CHANNEL), gates.get(GateKind.SPATIAL))
            for block, gates in recording.gates.items()
        }


def _copy(module: nn.Module) -> nn.Module:
    if next(module.parameters(), None) is None:
        raise ValueError(f"{type(module).__name__} has no parameters; give a network")
    # torch.compile's wrapper runs compiled code, in which no module can be watched.
    module = getattr(module, "_orig_mod", module)
    try:
        return copy.deepcopy(module)
    except Exception as error:  # the user's attributes may be anything
        raise ValueError(
            f"{type(module).__name__} cannot be copied ({error}); a frequent cause is a tensor of the last pass that "
            "it keeps as an attribute; detach() or delete that first"
        ) from error
