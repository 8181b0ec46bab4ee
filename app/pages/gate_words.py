"""What the pages say about the gates of each attention."""

from collections.abc import Collection
from dataclasses import dataclass

from models.attention.places import find_base
from models.names import Attention, GateKind


@dataclass(frozen=True, slots=True)
class GateWords:
    """What the pages say about the gates of one attention.

    Attributes:
        lead: what a block does with its gates; `{count}` stands for the number of blocks.
        closed, open: what 0 and 1 mean on the colour bar; empty where a gate's 0 does not block.
        opened: the first sentences of an opened block's page; `{network}` stands for the network's title.
        part: what each of the module's maps is called, `gate` or `branch`.
        strongest, weakest: the headings of an opened block's channels.
    """

    lead: str
    closed: str = "blocks"
    open: str = "passes unchanged"
    opened: str = "The channels before and after {network}’s gates. A gate value of 0 blocks, 1 passes unchanged."
    part: str = "gate"
    strongest: str = "Channels with the largest features"
    weakest: str = "Channels with the smallest features"


_SAME_FOR_ALL = "It does not depend on the class."

CHANNEL = GateWords(
    "Each of the {count} blocks with gates multiplies its features by a channel gate: one value from 0 to 1 per "
    f"channel, drawn as one column each. {_SAME_FOR_ALL}",
    strongest="Channels let through most",
    weakest="Channels let through least",
)

SPATIAL = GateWords(
    "Each of the {count} blocks with gates multiplies its features by a spatial gate: one value from 0 to 1 per "
    f"position. {_SAME_FOR_ALL}"
)

BOTH = GateWords(
    "Each of the {count} blocks with gates multiplies its features by two gates with values from 0 to 1: a channel "
    "gate, with one value per channel, and a spatial gate, with one value per position. They do not depend on the "
    "class. The strip below each picture is the channel gate, one column per channel, the strongest first. Open a "
    "block to see how it changes its features.",
    strongest=CHANNEL.strongest,
    weakest=CHANNEL.weakest,
)

_BANDS = "The two small pictures are the row gate and the column gate, as their means over the channels."

_NEITHER = "None of them depends on the class."

OWN_WORDS = {
    Attention.BAM: GateWords(
        "A module behind each of stages 1 to 3 multiplies the features by 1 plus a joint gate: the sigmoid of its "
        "channel branch times its spatial branch. From top to bottom: the spatial branch, the channel branch, and the "
        "joint gate as its mean over the channels. Each branch is drawn through a sigmoid of its own, so 0.5 is a "
        "branch of 0. In the mean, channels whose branches have opposite signs cancel out. All values lie between 0 "
        "and 1; none depends on the class.",
        closed="",
        open="",
        opened="The channels before and after {network}, which multiplies them by 1 plus its joint gate. Each branch "
        "is drawn through a sigmoid of its own: 0.5 is a branch of 0.",
        part="branch",
        strongest="Channels with the largest branch",
        weakest="Channels with the smallest branch",
    ),
    Attention.COORDINATE: GateWords(
        "Each of the {count} blocks with gates multiplies its features by two gates with values from 0 to 1: a row "
        "gate, with one value per channel and row, and a column gate, with one value per channel and column. "
        f"{_BANDS} The joint gate is their product, also as its mean over the channels. {_NEITHER}"
    ),
    Attention.SIMAM: GateWords(
        "Each of the {count} blocks with gates multiplies its features by a joint gate, with one value per channel and "
        "position. It has no weights: the further a value is from its channel’s mean, the more of it passes, and no "
        f"gate value is below 0.62. The pictures are the gate’s mean over the channels. {_SAME_FOR_ALL}"
    ),
    Attention.TRIPLET: GateWords(
        "Each of the {count} blocks with gates multiplies its features by the average of three, with values from 0 to "
        "1: a spatial gate, with one value per position, a row gate, with one value per channel and row, and a column "
        f"gate, with one value per channel and column. {_BANDS} The joint gate is the average of all three, also as "
        f"its mean over the channels. {_NEITHER}",
        closed="",
        open="",
        opened="The channels before and after {network}, which multiplies them by the average of its three gates: a "
        "gate that is 0 blocks a third.",
    ),
}
"""Of the attentions whose kinds of gates do not say how they are applied."""


def find_words(attention: Attention, kinds: Collection[GateKind]) -> GateWords:
    """Find the words for an attention whose blocks have these kinds of gates."""
    base = find_base(attention)
    if base in OWN_WORDS:
        return OWN_WORDS[base]
    if GateKind.SPATIAL not in kinds:
        return CHANNEL
    return BOTH if GateKind.CHANNEL in kinds else SPATIAL
