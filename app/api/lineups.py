"""A loaded lineup as JSON."""

from app.api.schemas import LineupDescription, NetworkDescription
from models.lineups.card import LineupCard
from models.lineups.lineup import Lineup
from models.names import NetworkName


def build_lineup_description(lineup: Lineup) -> LineupDescription:
    """A lineup for `GET /lineups`."""
    card = lineup.card
    return LineupDescription(
        name=card.name,
        title=card.title,
        architecture=card.architecture,
        stride_placement=card.stride_placement,
        trained=card.trained,
        provenance=card.provenance,
        warnings=card.warnings,
        geometry=card.preprocessing.geometry,
        resolution=card.preprocessing.resolution,
        device=str(lineup.device),
        activation=card.activation,
        fit=card.fit,
        networks={name: _build_network_description(lineup, card, name) for name in card.names},
        labels=lineup.labels,
    )


def _build_network_description(lineup: Lineup, card: LineupCard, name: NetworkName) -> NetworkDescription:
    network = card.networks[name]
    return NetworkDescription(
        title=card.title_network(name),
        attention=network.attention,
        parameters=lineup.parameter_counts[name],
        multiply_adds=lineup.multiply_adds[name],
        sha256=network.sha256,
        recipe=network.recipe,
        accuracy=network.accuracy,
        temperature=card.find_temperature(name),
    )
