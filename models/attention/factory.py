"""A block's attention by its name."""

from dataclasses import replace
from functools import partial

from models.attention.cbam import Cbam
from models.attention.coordinate import CoordinateAttention
from models.attention.design import AttentionDesign, find_design
from models.attention.eca import Eca
from models.attention.module import AttentionFactory, StagedFactory
from models.attention.places import find_base, find_stages
from models.attention.simam import SimAm
from models.attention.triplet import TripletAttention
from models.names import Attention

FACTORIES: dict[Attention, AttentionFactory] = {
    Attention.ECA: Eca,
    Attention.COORDINATE: CoordinateAttention,
    # No weight of these two depends on the number of channels.
    Attention.SIMAM: lambda _: SimAm(),
    Attention.TRIPLET: lambda _: TripletAttention(),
}
"""The attentions that are not one of CBAM's designs."""


def find_factory(attention: Attention | AttentionDesign, *, reduction: int | None = None) -> AttentionFactory | None:
    """The factory of each block's attention; None for a network without attention.

    Args:
        attention: what each block ends with, by name or as a design of its own.
        reduction: the reduction of a named design's channel gate, in place of its own.

    Raises:
        ValueError: for attention that does not stand in blocks.
    """
    if isinstance(attention, AttentionDesign):
        return partial(Cbam, design=attention)
    base = find_base(attention)
    if base is not attention and (make := find_factory(base, reduction=reduction)) is not None:
        return StagedFactory(make, find_stages(attention))
    if attention in FACTORIES:
        return FACTORIES[attention]
    design = find_design(attention)
    if design is None:
        return None
    return partial(Cbam, design=design if reduction is None else replace(design, reduction=reduction))
