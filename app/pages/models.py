"""The page of networks: what attention costs each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from app.output.network_table import CountRow, build_count_rows, list_remarks
from models.networks.counting import NetworkCount


@dataclass(frozen=True, slots=True)
class ModelsPage:
    """The cost of attention, network by network.

    Attributes:
        rows: the table.
        remarks: why figures of the paper's are others.
    """

    template: ClassVar[str] = "models.html"
    rows: tuple[CountRow, ...]
    remarks: tuple[str, ...]


def build_models_page(counts: Sequence[NetworkCount]) -> ModelsPage:
    """The page of the networks that were counted."""
    return ModelsPage(rows=build_count_rows(counts), remarks=list_remarks(counts))
