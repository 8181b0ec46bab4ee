"""Changes to the gates of a network that was trained with them: the paper's ablations as a thing to play with.

The network was not retrained for a change, unlike in the paper's tables; what it answers shows what its learned weights
make of other gates, not what a network without them would have learned. Nothing here imports torch.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from models.attention.design import DESIGNS
from models.attention.places import find_base
from models.names import Attention, ChannelPooling, GateChange, GateKind, NetworkName, SpatialPooling

ALL_BLOCKS = "all"

ALLOWED_CHANGES = {
    GateKind.CHANNEL: (GateChange.NEUTRAL, GateChange.DROP_MAX),
    GateKind.SPATIAL: (GateChange.NEUTRAL, GateChange.INVERT, GateChange.DROP_MAX),
    GateKind.ROW: (GateChange.NEUTRAL, GateChange.INVERT, GateChange.DROP_MAX),
    GateKind.COLUMN: (GateChange.NEUTRAL, GateChange.INVERT, GateChange.DROP_MAX),
    GateKind.JOINT: (GateChange.NEUTRAL, GateChange.INVERT),
}
"""The changes that make sense for each gate; `list_allowed_changes` says which of them a network's gates can have."""

_POSITIONS = (GateChange.NEUTRAL, GateChange.INVERT)

OWN_CHANGES: dict[Attention, dict[GateKind, tuple[GateChange, ...]]] = {
    Attention.ECA: {GateKind.CHANNEL: (GateChange.NEUTRAL,)},
    Attention.COORDINATE: {GateKind.ROW: _POSITIONS, GateKind.COLUMN: _POSITIONS},
    Attention.SIMAM: {GateKind.JOINT: _POSITIONS},
    Attention.TRIPLET: {kind: ALLOWED_CHANGES[kind] for kind in (GateKind.SPATIAL, GateKind.ROW, GateKind.COLUMN)},
}
"""The changes of the attentions that are not one of CBAM's designs. The joint gate of Coordinate and of triplet
attention follows from the others."""

SYNTAX = (
    "write [NETWORK:]SCOPE:GATE:CHANGE, for example cbam:all:spatial:neutral, stage4:spatial:invert or "
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
        channel, spatial, row, column, joint: None for a gate that stays as it was learned.
        is_opened: whether to keep what the attention saw and did.
    """

    channel: GateChange | None = None
    spatial: GateChange | None = None
    row: GateChange | None = None
    column: GateChange | None = None
    joint: GateChange | None = None
    is_opened: bool = False


def find_change(interventions: Iterable[Intervention], block: str) -> BlockChange:
    """The effect of several interventions on a block; of two about one gate the later counts."""
    changes = {intervention.gate: intervention.change for intervention in interventions if intervention.covers(block)}
    return BlockChange(
        channel=changes.get(GateKind.CHANNEL),
        spatial=changes.get(GateKind.SPATIAL),
        row=changes.get(GateKind.ROW),
        column=changes.get(GateKind.COLUMN),
        joint=changes.get(GateKind.JOINT),
    )


def list_allowed_changes(attention: Attention) -> dict[GateKind, tuple[GateChange, ...]]:
    """The changes of each gate of an attention that have an effect; none for BAM, whose gates are one.

    Maxima can be dropped only where there are others beside them.
    """
    base = find_base(attention)
    if base in OWN_CHANGES:
        return OWN_CHANGES[base]
    design = DESIGNS.get(base)
    if design is None:
        return {}
    has_maximum = {
        GateKind.CHANNEL: design.channel is ChannelPooling.BOTH,
        GateKind.SPATIAL: design.spatial is SpatialPooling.MAX_MEAN,
    }
    kinds = {GateKind.SPATIAL: design.spatial, GateKind.CHANNEL: design.channel}
    return {
        kind: tuple(
            change for change in ALLOWED_CHANGES[kind] if change is not GateChange.DROP_MAX or has_maximum[kind]
        )
        for kind, pooling in kinds.items()
        if pooling is not None
    }


def parse_interventions(
    texts: Iterable[str],
    blocks: Mapping[NetworkName, Sequence[str]],
    attentions: Mapping[NetworkName, Attention],
) -> tuple[Intervention, ...]:
    """The interventions that texts name.

    Args:
        texts: see `SYNTAX`; the network may be left out where one has gates.
        blocks: the blocks of each network whose gates can be changed.
        attentions: the attention of each of them.

    Raises:
        ValueError: for a text that is none, for a network without gates, for blocks and gates that it has not, and for
            a change without an effect on them; the message says what to write.
    """
    interventions = tuple(_parse(text, blocks, attentions) for text in texts)
    for intervention in interventions:
        _check_effect(intervention, attentions[intervention.network])
    return interventions


def list_scopes(blocks: Sequence[str]) -> list[str]:
    """`all`, every stage and every block."""
    stages = dict.fromkeys(block.partition(".")[0].replace("layer", "stage") for block in blocks)
    return [ALL_BLOCKS, *stages, *blocks]


def _parse(
    part: str, blocks: Mapping[NetworkName, Sequence[str]], attentions: Mapping[NetworkName, Attention]
) -> Intervention:
    network, rest = _split_network(part, blocks)
    scope, _, rest = rest.partition(":")
    gate, _, change = rest.partition(":")
    if scope not in (scopes := list_scopes(blocks[network])):
        raise ValueError(f"intervention {part!r} speaks of {scope!r}; choose one of {', '.join(scopes)}; {SYNTAX}")
    if gate not in ALLOWED_CHANGES:
        known = " or ".join(list_allowed_changes(attentions[network]))
        raise ValueError(f"intervention {part!r} names the gate {gate!r}; choose {known}; {SYNTAX}")
    allowed = ALLOWED_CHANGES[GateKind(gate)]
    if change not in allowed:
        raise ValueError(
            f"intervention {part!r} wants {change!r} of a {gate} gate; choose {' or '.join(allowed)}; {SYNTAX}"
        )
    return Intervention(network, scope, GateKind(gate), GateChange(change))


def _check_effect(intervention: Intervention, attention: Attention) -> None:
    allowed = list_allowed_changes(attention)
    if intervention.change not in allowed.get(intervention.gate, ()):
        choices = (f"{gate.value}:{change.value}" for gate, changes in allowed.items() for change in changes)
        raise ValueError(
            f"intervention '{intervention}' would change nothing: {intervention.network} has {attention.value}, whose "
            f"gates can have {', '.join(choices)}; choose one of these"
        )


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
