"""The calibration of a lineup: what its networks' files carry and what its card says, compared and put together."""

from collections.abc import Mapping

from models.calibration import FitThreshold, NetworkCalibration
from models.errors import LineupError
from models.lineups.card import LineupCard
from models.names import NetworkName


def add_calibration(card: LineupCard, found: Mapping[NetworkName, NetworkCalibration]) -> LineupCard:
    """Complete a card with the calibrations that the networks' files carry.

    Args:
        card: the lineup's card.
        found: the files' calibrations.

    Raises:
        LineupError: for a temperature or a threshold that a file and the card state differently.
    """
    networks = {}
    for name, network in card.networks.items():
        own = found[name]
        stated = network.temperature
        if None not in {stated, own.temperature} and stated != own.temperature:
            raise LineupError(
                f"{network.file}: its metadata says temperature {own.temperature:g}, the card of {card.name} says "
                f"{stated:g}; calibrate the lineup again, or correct the card"
            )
        networks[name] = network.model_copy(
            update={
                "temperature": own.temperature if stated is None else stated,
                "calibration": network.calibration or own.calibration,
            }
        )
    return card.model_copy(update={"networks": networks, "fit": _find_fit(card, found)})


def _find_fit(card: LineupCard, found: Mapping[NetworkName, NetworkCalibration]) -> FitThreshold | None:
    """The lineup's threshold: the card's, or the one that all files carry; none that is of another lineup."""
    shared = {calibration.fit for calibration in found.values()}
    carried = shared.pop() if len(shared) == 1 else None
    fit = card.fit or carried
    if card.fit is not None and carried is not None and card.fit != carried:
        raise LineupError(
            f"{card.name}: its files' metadata says threshold {carried.threshold:g}, its card {card.fit.threshold:g}; "
            "calibrate the lineup again, or correct the card"
        )
    return fit if fit is not None and fit.networks == len(card.networks) else None
