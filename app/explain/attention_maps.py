"""CBAM's own maps of one picture, taken from a trace."""

from app.explain.maps import BlockMaps, GateMap
from models.trace import BlockAttention, Trace


def read_attention_maps(trace: Trace, *, position: int = 0) -> tuple[BlockMaps, ...]:
    """Every block's gates for one picture of a traced batch, in the order in which the blocks run.

    Args:
        trace: a forward pass, (N, ...).
        position: which picture of the batch, 0..N-1.

    Returns:
        One entry a block; none for a network without attention.
    """
    return tuple(_read_block(name, gates, position) for name, gates in trace.attentions.items())


def _read_block(name: str, gates: BlockAttention, position: int) -> BlockMaps:
    one = gates.map(lambda gate: gate[position].float().cpu())  # (N, C) -> (C,), (N, H, W) -> (H, W)
    return BlockMaps(
        name=name,
        channel=None if one.channel is None else GateMap(one.channel.numpy()),
        spatial=None if one.spatial is None else GateMap(one.spatial.numpy()),
    )
