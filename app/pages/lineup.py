"""A loaded lineup, as the pages show it: its networks, its training and its measured accuracies."""

from dataclasses import dataclass

from app.api.schemas import LineupDescription
from app.pages.choices import GEOMETRY_TITLES
from models.lineups.card import Accuracy
from models.names import Geometry, NetworkName, Resolution


@dataclass(frozen=True, slots=True)
class AccuracyRow:
    """The networks' accuracy under one condition; None for a network that was not measured there."""

    condition: str
    accuracies: tuple[Accuracy | None, ...]


@dataclass(frozen=True, slots=True)
class LineupView:
    """A loaded lineup.

    Attributes:
        description: the lineup, as in the REST API.
        titles: the networks' names above their columns.
        training: a sentence on the geometry and resolution of its training.
        accuracy: one row per condition; empty if nothing was measured.
    """

    description: LineupDescription
    titles: tuple[str, ...]
    training: str
    accuracy: tuple[AccuracyRow, ...]


def build_lineup_view(lineup: LineupDescription) -> LineupView:
    """Build the view of a lineup, with its measured accuracies side by side."""
    rows: dict[str, dict[NetworkName, Accuracy]] = {}
    for name, network in lineup.networks.items():
        for accuracy in network.accuracy:
            condition = (
                f"{accuracy.dataset}, {accuracy.pictures:,} pictures, "
                f"{name_condition(accuracy.geometry, accuracy.resolution)}"
            )
            rows.setdefault(condition, {})[name] = accuracy
    return LineupView(
        description=lineup,
        titles=tuple(network.title for network in lineup.networks.values()),
        training=explain_training(lineup),
        accuracy=tuple(
            AccuracyRow(condition, tuple(measured.get(name) for name in lineup.networks))
            for condition, measured in rows.items()
        ),
    )


def explain_training(lineup: LineupDescription) -> str:
    """Say how the lineup was trained, or that it was not."""
    condition = name_condition(lineup.geometry, lineup.resolution)
    if lineup.trained:
        return f"Trained for {condition}."
    return f"Untrained: its weights are random and have learned nothing. It is meant for {condition}."


def name_condition(geometry: Geometry, resolution: Resolution) -> str:
    """A geometry and a resolution in words: `centre crops at 160 pixels`."""
    return f"{GEOMETRY_TITLES[geometry]}s at {resolution.value} pixels"
