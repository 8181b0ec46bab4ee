"""Where in a network attention stands: at the end of every block, or of the last stage's blocks alone.

CBAM's paper has it in every block. The last stage's maps are the coarsest, and Grad-CAM explains them; attention there
alone costs the fewest multiply-adds. Nothing here imports torch.
"""

from models.names import Attention, AttentionPlace, Stage

LAST_STAGE = {
    Attention.SE: Attention.SE_LAST_STAGE,
    Attention.CBAM: Attention.CBAM_LAST_STAGE,
    Attention.ECA: Attention.ECA_LAST_STAGE,
    Attention.COORDINATE: Attention.COORDINATE_LAST_STAGE,
    Attention.SIMAM: Attention.SIMAM_LAST_STAGE,
    Attention.TRIPLET: Attention.TRIPLET_LAST_STAGE,
}
"""The name of each attention in the last stage alone."""

_BASES = {name: attention for attention, name in LAST_STAGE.items()}


def find_base(attention: Attention) -> Attention:
    """What stands in a block, whichever blocks have it: `cbam` for `cbam-last-stage`."""
    return _BASES.get(attention, attention)


def find_place(attention: Attention) -> AttentionPlace:
    """The blocks that have it."""
    return AttentionPlace.LAST_STAGE if attention in _BASES else AttentionPlace.EVERY_BLOCK


def find_stages(attention: Attention) -> frozenset[Stage]:
    """The stages whose blocks have it."""
    return frozenset({Stage.FOUR}) if attention in _BASES else frozenset(Stage)


def put(attention: Attention, place: AttentionPlace) -> Attention:
    """The name of an attention at a place.

    Raises:
        ValueError: it is only known in every block.
    """
    if place is AttentionPlace.EVERY_BLOCK:
        return attention
    if attention not in LAST_STAGE:
        raise ValueError(f"attention {attention} has no form in the last stage alone; choose {', '.join(LAST_STAGE)}")
    return LAST_STAGE[attention]
