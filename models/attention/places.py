"""Where in a network attention stands: at the end of every block, or of the blocks of the last one or two stages alone.

CBAM's paper has it in every block. The last stages' maps are the coarsest, and Grad-CAM explains them; attention there
alone costs the fewest multiply-adds, and leaves the first layers of a trained network as they are. Nothing here imports
torch.
"""

from models.names import Attention, AttentionPlace, Stage

STAGES = {
    AttentionPlace.EVERY_BLOCK: frozenset(Stage),
    AttentionPlace.LAST_STAGE: frozenset({Stage.FOUR}),
    AttentionPlace.LAST_TWO_STAGES: frozenset({Stage.THREE, Stage.FOUR}),
}
"""The stages whose blocks have attention."""

PLACED = {
    AttentionPlace.LAST_STAGE: {
        Attention.SE: Attention.SE_LAST_STAGE,
        Attention.CBAM: Attention.CBAM_LAST_STAGE,
        Attention.ECA: Attention.ECA_LAST_STAGE,
        Attention.COORDINATE: Attention.COORDINATE_LAST_STAGE,
        Attention.SIMAM: Attention.SIMAM_LAST_STAGE,
        Attention.TRIPLET: Attention.TRIPLET_LAST_STAGE,
    },
    AttentionPlace.LAST_TWO_STAGES: {
        Attention.SE: Attention.SE_LAST_TWO_STAGES,
        Attention.CBAM: Attention.CBAM_LAST_TWO_STAGES,
        Attention.ECA: Attention.ECA_LAST_TWO_STAGES,
        Attention.COORDINATE: Attention.COORDINATE_LAST_TWO_STAGES,
        Attention.SIMAM: Attention.SIMAM_LAST_TWO_STAGES,
        Attention.TRIPLET: Attention.TRIPLET_LAST_TWO_STAGES,
    },
}
"""The name of each attention that stands elsewhere than in every block, by its place and by what stands there."""

_ORIGINS = {name: (attention, place) for place, names in PLACED.items() for attention, name in names.items()}


def find_base(attention: Attention) -> Attention:
    """What stands in a block, whichever blocks have it: `cbam` for `cbam-last-stage`."""
    return _ORIGINS[attention][0] if attention in _ORIGINS else attention


def find_place(attention: Attention) -> AttentionPlace:
    """The blocks that have it."""
    return _ORIGINS[attention][1] if attention in _ORIGINS else AttentionPlace.EVERY_BLOCK


def find_stages(attention: Attention) -> frozenset[Stage]:
    """The stages whose blocks have it."""
    return STAGES[find_place(attention)]


def describe_place(place: AttentionPlace) -> str:
    """The place in words: `last two stages`."""
    return place.value.replace("-", " ")


def put(attention: Attention, place: AttentionPlace) -> Attention:
    """The name of an attention at a place.

    Raises:
        ValueError: it is only known in every block.
    """
    if place is AttentionPlace.EVERY_BLOCK:
        return attention
    known = PLACED[place]
    if attention not in known:
        raise ValueError(
            f"attention {attention} has no form in the {describe_place(place)} alone; choose {', '.join(known)}"
        )
    return known[attention]
