"""The page on the cost of attention."""

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
        remarks: the reasons why the paper's figures differ.
    """

    template: ClassVar[str] = "models.html"
    rows: tuple[CountRow, ...]
    remarks: tuple[str, ...]


def build_models_page(counts: Sequence[NetworkCount]) -> ModelsPage:
    """Build the page from the networks' counts."""
    return ModelsPage(rows=build_count_rows(counts), remarks=list_remarks(counts))
