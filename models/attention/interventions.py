"""Changes to the gates of a network that was trained with them: the paper's ablations as a thing to play with.

The network was not retrained for a change, unlike in the paper's tables; what it answers shows what its learned weights
make of other gates, not what a network without them would have learned. Nothing here imports torch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from models.names import GateChange, GateKind

ALL_BLOCKS = "all"

ALLOWED_CHANGES = {
    GateKind.CHANNEL: (GateChange.NEUTRAL, GateChange.DROP_MAX),
    GateKind.SPATIAL: (GateChange.NEUTRAL, GateChange.INVERT, GateChange.DROP_MAX),
}
"""The changes that make sense for each gate."""

SYNTAX = "write SCOPE:GATE:CHANGE, for example all:spatial:neutral, stage4:spatial:invert or layer3.1:channel:drop-max"


@dataclass(frozen=True, slots=True)
class Intervention:
    """One change to one kind of gate.

    Attributes:
        scope: `all`, a stage (`stage4`) or a block (`layer3.1`).
        gate: which gate of the blocks.
        change: what is done to it.
    """

    scope: str
    gate: GateKind
    change: GateChange

    def covers(self, block: str) -> bool:
        """Whether a block of this name is changed."""
        if self.scope == ALL_BLOCKS:
            return True
        return block == self.scope or block.startswith(f"layer{self.scope.removeprefix('stage')}.")

    def __str__(self) -> str:
        return f"{self.scope}:{self.gate.value}:{self.change.value}"


@dataclass(frozen=True, slots=True)
class BlockChange:
    """The changes of the gates of one block.

    Attributes:
        channel, spatial: None for a gate that stays as it was learned.
        is_opened: whether to keep what the attention saw and did.
    """

    channel: GateChange | None = None
    spatial: GateChange | None = None
    is_opened: bool = False


def find_change(interventions: Iterable[Intervention], block: str) -> BlockChange:
    """The effect of several interventions on a block; of two about one gate the later counts."""
    changes = {intervention.gate: intervention.change for intervention in interventions if intervention.covers(block)}
    return BlockChange(channel=changes.get(GateKind.CHANNEL), spatial=changes.get(GateKind.SPATIAL))


def parse_interventions(texts: Iterable[str], blocks: Sequence[str]) -> tuple[Intervention, ...]:
    """The interventions that texts name.

    Args:
        texts: see `SYNTAX`.
        blocks: the network's blocks.

    Raises:
        ValueError: for a text that is none, and for blocks that the network has not; the message says what to write.
    """
    return tuple(_parse(text, blocks) for text in texts)


def list_scopes(blocks: Sequence[str]) -> list[str]:
    """`all`, every stage and every block."""
    stages = dict.fromkeys(block.partition(".")[0].replace("layer", "stage") for block in blocks)
    return [ALL_BLOCKS, *stages, *blocks]


def _parse(part: str, blocks: Sequence[str]) -> Intervention:
    scope, _, rest = part.partition(":")
    gate, _, change = rest.partition(":")
    if scope not in (scopes := list_scopes(blocks)):
        raise ValueError(f"intervention {part!r} speaks of {scope!r}; choose one of {', '.join(scopes)}; {SYNTAX}")
    if gate not in list(GateKind):
        raise ValueError(f"intervention {part!r} names the gate {gate!r}; choose spatial or channel; {SYNTAX}")
    allowed = ALLOWED_CHANGES[GateKind(gate)]
    if change not in allowed:
        raise ValueError(
            f"intervention {part!r} wants {change!r} of a {gate} gate; choose {' or '.join(allowed)}; {SYNTAX}"
        )
    return Intervention(scope, GateKind(gate), GateChange(change))
