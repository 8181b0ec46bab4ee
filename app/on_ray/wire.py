"""Work on its way from the application to the networks: with the pair's name in place of its networks."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from app.engine.work import Work
from models.lineups.pair import NetworkPair


@dataclass(frozen=True, slots=True, eq=False)
class PackedWork:
    """Work without its networks.

    Attributes:
        kind: the work's class.
        pair: the pair's name.
        content: the work's other fields.
    """

    kind: type[Work[Any]]
    pair: str
    content: Mapping[str, Any]


def pack(work: Work[Any]) -> PackedWork:
    """The work as it travels."""
    content = {field.name: getattr(work, field.name) for field in fields(work) if field.name != "pair"}
    return PackedWork(type(work), work.pair.card.name, content)


def unpack(packed: PackedWork, pairs: Mapping[str, NetworkPair]) -> Work[Any]:
    """The work with the networks of this process.

    Args:
        packed: from `pack`.
        pairs: by name.
    """
    return packed.kind(pair=pairs[packed.pair], **packed.content)
