"""Changes to the gates of a network that was trained with them: the paper's ablations as a thing to play with.

The network was not retrained for a change, unlike in the paper's tables; what it answers shows what its learned weights
make of other gates, not what a network without them would have learned. Nothing here imports torch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.names import GateChange, GateKind, NetworkName

ALL_BLOCKS = "all"

ALLOWED_CHANGES = {
    GateKind.CHANNEL: (GateChange.NEUTRAL, GateChange.DROP_MAX),
    GateKind.SPATIAL: (GateChange.NEUTRAL, GateChange.INVERT, GateChange.DROP_MAX),
}
"""The changes that make sense for each gate."""

SYNTAX = (
    "write [NETWORK:]SCOPE:GATE:CHANGE, for example all:spatial:neutral, stage4:spatial:invert or "
    "cbam:layer3.1:channel:drop-max"
)


@dataclass(frozen=True, slots=True)
class Intervention:
    """One change to one kind of gate of one network.

    Attributes:
        network: whose gates.
        scope: `all`, a stage (`stage4`) or a block (`layer3.1`).
        gate: which gate of the blocks.
        change: what is done to it.
    """

    network: NetworkName
    scope: str
    gate: GateKind
    change: GateChange

    def covers(self, block: str) -> bool:
        """Whether a block of this name is changed."""
        if self.scope == ALL_BLOCKS:
            return True
        return block == self.scope or block.startswith(f"layer{self.scope.removeprefix('stage')}.")

    def __str__(self) -> str:
        return f"{self.network}:{self.scope}:{self.gate.value}:{self.change.value}"


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


def parse_interventions(texts: Iterable[str], blocks: Mapping[NetworkName, Sequence[str]]) -> tuple[Intervention, ...]:
    """The interventions that texts name.

    Args:
        texts: see `SYNTAX`; the network may be left out where one has gates.
        blocks: the blocks of each network whose gates can be changed.

    Raises:
        ValueError: for a text that is none, for a network without gates, and for blocks that it has not; the message
            says what to write.
    """
    return tuple(_parse(text, blocks) for text in texts)


def list_scopes(blocks: Sequence[str]) -> list[str]:
    """`all`, every stage and every block."""
    stages = dict.fromkeys(block.partition(".")[0].replace("layer", "stage") for block in blocks)
    return [ALL_BLOCKS, *stages, *blocks]


def _parse(part: str, blocks: Mapping[NetworkName, Sequence[str]]) -> Intervention:
    network, rest = _split_network(part, blocks)
    scope, _, rest = rest.partition(":")
    gate, _, change = rest.partition(":")
    if scope not in (scopes := list_scopes(blocks[network])):
        raise ValueError(f"intervention {part!r} speaks of {scope!r}; choose one of {', '.join(scopes)}; {SYNTAX}")
    if gate not in ALLOWED_CHANGES:
        raise ValueError(f"intervention {part!r} names the gate {gate!r}; choose spatial or channel; {SYNTAX}")
    allowed = ALLOWED_CHANGES[GateKind(gate)]
    if change not in allowed:
        raise ValueError(
            f"intervention {part!r} wants {change!r} of a {gate} gate; choose {' or '.join(allowed)}; {SYNTAX}"
        )
    return Intervention(network, scope, GateKind(gate), GateChange(change))


def _split_network(part: str, blocks: Mapping[NetworkName, Sequence[str]]) -> tuple[NetworkName, str]:
    """The network that a text names, or the only one that it can mean, and the rest of the text."""
    network, _, rest = part.partition(":")
    if network in blocks:
        return network, rest
    if len(blocks) == 1:
        (only,) = blocks
        return only, part
    if not blocks:
        raise ValueError(f"intervention {part!r}: no network of this lineup has gates that can be changed")
    raise ValueError(
        f"intervention {part!r} names no network whose gates can be changed; choose one of {', '.join(blocks)}; "
        f"{SYNTAX}"
    )
