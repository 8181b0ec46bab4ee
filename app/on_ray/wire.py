"""A work on its way from the application to the networks: the pair by its name, of a trace no more than is asked."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from app.engine.work import EngineWork, NetworkTrace, PairTrace, TraceWork
from models.lineups.pair import NetworkPair
from models.names import Stage


@dataclass(frozen=True, slots=True, eq=False)
class PackedWork:
    """A work without its networks.

    Attributes:
        kind: the work's type.
        pair: the pair's name.
        content: the work's other fields.
    """

    kind: type[EngineWork]
    pair: str
    content: Mapping[str, Any]


def pack(work: EngineWork) -> PackedWork:
    """The work as it travels."""
    content = {field.name: getattr(work, field.name) for field in fields(work) if field.name != "pair"}
    if isinstance(work, TraceWork):
        # The other stages' features and the gates are most of it, and nothing is asked of them.
        content["traces"] = _cut(work.traces, work.question.stage)
    return PackedWork(type(work), work.pair.card.name, content)


def unpack(parcel: PackedWork, pairs: Mapping[str, NetworkPair]) -> EngineWork:
    """The work with the networks of this process.

    Args:
        parcel: from `pack`.
        pairs: by name.
    """
    return parcel.kind(pair=pairs[parcel.pair], **parcel.content)


def _cut(traces: PairTrace, stage: Stage) -> PairTrace:
    return {
        name: NetworkTrace(logits=trace.logits, features={stage: trace.features[stage]}, blocks=())
        for name, trace in traces.items()
    }
