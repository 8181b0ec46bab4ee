"""Work as it is sent to the networks, with the lineup's name in place of its networks."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from app.engine.work import Work
from models.lineups.lineup import Lineup


@dataclass(frozen=True, slots=True, eq=False)
class PackedWork:
    """Work without its networks.

    Attributes:
        kind: the work's class.
        lineup: the lineup's name.
        content: the work's other fields.
    """

    kind: type[Work[Any]]
    lineup: str
    content: Mapping[str, Any]


def pack(work: Work[Any]) -> PackedWork:
    """Pack work for sending."""
    content = {field.name: getattr(work, field.name) for field in fields(work) if field.name != "lineup"}
    return PackedWork(type(work), work.lineup.card.name, content)


def unpack(packed: PackedWork, lineups: Mapping[str, Lineup]) -> Work[Any]:
    """Unpack work, with the networks of this process.

    Args:
        packed: the work from `pack`.
        lineups: this process's lineups, by name.
    """
    return packed.kind(lineup=lineups[packed.lineup], **packed.content)
