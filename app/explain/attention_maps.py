"""The attention's own maps of one picture, taken from a trace."""

import torch

from app.explain.maps import BlockMaps, ChannelMaps, GateMap, OpenBlock
from models.attention.gates import BlockAttention
from models.networks.trace import Trace

SHOWN_CHANNELS = 6
"""The number of strongest channels, and of weakest channels, that are shown."""


def read_attention_maps(trace: Trace, *, position: int = 0) -> tuple[BlockMaps, ...]:
    """Read every block's gates for one picture of a traced batch, in the network's order.

    Args:
        trace: the trace of a batch of N pictures.
        position: the picture's place in the batch, 0..N-1.

    Returns:
        One entry per block; none for a network without attention.
    """
    return tuple(_read_block(name, gates, position) for name, gates in trace.attentions.items())


def _read_block(name: str, gates: BlockAttention, position: int) -> BlockMaps:
    one = gates.map(lambda gate: gate[position].float().cpu())  # (N, C) -> (C,), (N, H, W) -> (H, W)
    return BlockMaps(
        name=name,
        channel=_read_gate(one.channel),
        spatial=_read_gate(one.spatial),
        joint=_read_gate(one.joint),
        row=_read_gate(one.row),
        column=_read_gate(one.column),
    )


def _read_gate(gate: torch.Tensor | None) -> GateMap | None:
    """One picture's gate, (C,) or (H, W); of a gate of channels and rows or columns the mean over channels."""
    if gate is None:
        return None
    if gate.ndim == 3:
        gate = gate.mean(dim=0).clamp(0, 1)  # (C, H, 1) -> (H, 1), (C, 1, W) -> (1, W); rounding may exceed 1
    return GateMap(gate.numpy())


def read_open_block(name: str, attention: BlockAttention) -> OpenBlock:
    """Read the inside of an opened block's attention, for the first picture of a batch.

    Args:
        name: the block's name.
        attention: the block's attention in a trace that opened it.

    Raises:
        ValueError: for a block that was not opened.
    """
    inside = attention.inside
    if inside is None:
        raise ValueError(f"block {name} was not opened in this trace")
    before, after = (tensor[0].float().cpu() for tensor in (inside.before, inside.after))  # (C, H, W)
    gate = None if attention.channel is None else attention.channel[0].float().cpu()  # (C,)
    order = torch.argsort(before.abs().mean(dim=(1, 2)) if gate is None else gate, descending=True).tolist()

    def show(channels: list[int]) -> tuple[ChannelMaps, ...]:
        return tuple(
            ChannelMaps(
                index=channel,
                gate=None if gate is None else float(gate[channel]),
                before=before[channel].numpy().copy(),
                after=after[channel].numpy().copy(),
            )
            for channel in channels
        )

    shown = min(SHOWN_CHANNELS, len(order) // 2)
    return OpenBlock(
        name=name,
        strongest=show(order[:shown]),
        weakest=show(order[::-1][:shown]),
        channel_maximum_share=_share_maximum(*inside.channel_evidence),
        spatial_maximum_share=_share_maximum(*inside.spatial_evidence),
    )


def _share_maximum(average: torch.Tensor | None, maximum: torch.Tensor | None) -> float | None:
    """The maximum branch's share of the evidence, by absolute value; None for one branch or no evidence."""
    if average is None or maximum is None:
        return None
    of_average, of_maximum = (float(branch[0].float().abs().sum()) for branch in (average, maximum))
    return None if of_average + of_maximum == 0 else of_maximum / (of_average + of_maximum)
