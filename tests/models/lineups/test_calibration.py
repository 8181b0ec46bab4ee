"""A lineup's calibration: its files' and its card's."""

from pathlib import Path

import pytest

from models.calibration import NOT_CALIBRATED, NetworkCalibration
from models.errors import LineupError
from models.lineups.calibration import add_calibration
from models.lineups.card import LineupCard, read_card
from models.lineups.lineup import Lineup
from tests.calibration.thresholds import make_threshold
from tests.lineups import RESNET18_110

FIT = make_threshold(-0.3)


@pytest.fixture
def card() -> LineupCard:
    return read_card(RESNET18_110)


def state_temperature(card: LineupCard, value: float) -> LineupCard:
    """The same card with a temperature of the baseline."""
    baseline = card.networks["baseline"].model_copy(update={"temperature": value})
    return card.model_copy(update={"networks": {**card.networks, "baseline": baseline}})


def test_lineup_without_calibration_has_temperature_one_and_no_threshold(lineup: Lineup) -> None:
    assert [lineup.card.find_temperature(name) for name in lineup.names] == [1.0, 1.0]
    assert lineup.card.fit is None


def test_temperatures_and_threshold_come_from_the_files(card: LineupCard) -> None:
    found = {
        "baseline": NetworkCalibration(temperature=0.7, fit=FIT),
        "cbam": NetworkCalibration(temperature=1.2, fit=FIT),
    }
    complete = add_calibration(card, found)
    assert [complete.find_temperature(name) for name in complete.names] == [0.7, 1.2]
    assert complete.fit == FIT


def test_card_may_state_the_temperature_of_a_file_that_carries_none(card: LineupCard) -> None:
    complete = add_calibration(state_temperature(card, 0.7), dict.fromkeys(card.names, NOT_CALIBRATED))
    assert [complete.find_temperature(name) for name in complete.names] == [0.7, 1.0]


def test_card_and_file_that_state_different_temperatures_are_refused(card: LineupCard) -> None:
    found = {"baseline": NetworkCalibration(temperature=0.8), "cbam": NOT_CALIBRATED}
    with pytest.raises(
        LineupError,
        match=r"resnet18_baseline_110\.safetensors: its metadata says temperature 0\.8, the card of .* 0\.7",
    ):
        add_calibration(state_temperature(card, 0.7), found)


def test_card_and_files_that_state_different_thresholds_are_refused(card: LineupCard) -> None:
    other = FIT.model_copy(update={"threshold": -0.5})
    with pytest.raises(LineupError, match=r"its files' metadata says threshold -0\.5, its card -0\.3"):
        add_calibration(card.model_copy(update={"fit": FIT}), dict.fromkeys(card.names, NetworkCalibration(fit=other)))


@pytest.mark.parametrize(
    "found",
    [
        {"baseline": NetworkCalibration(fit=FIT), "cbam": NOT_CALIBRATED},
        {
            "baseline": NetworkCalibration(fit=FIT),
            "cbam": NetworkCalibration(fit=FIT.model_copy(update={"threshold": -0.5})),
        },
        dict.fromkeys(("baseline", "cbam"), NetworkCalibration(fit=FIT.model_copy(update={"networks": 3}))),
    ],
)
def test_threshold_of_another_lineup_is_not_used(card: LineupCard, found: dict[str, NetworkCalibration]) -> None:
    assert add_calibration(card, found).fit is None


@pytest.mark.parametrize("value", ["0", "-1.0", "nan", "inf"])
def test_card_with_a_temperature_that_is_no_positive_number_is_refused_by_its_path(tmp_path: Path, value: str) -> None:
    path = tmp_path / "mine.toml"
    text = RESNET18_110.read_text(encoding="utf-8")
    path.write_text(text.replace("[networks.baseline]\n", f"[networks.baseline]\ntemperature = {value}\n"))
    with pytest.raises(LineupError, match=r"mine\.toml is not a lineup's card(.|\n)*temperature"):
        read_card(path)
