"""The shipped files agree with each other."""

import hashlib
import re

import pytest

from models.lineups.card import read_card
from models.lineups.label_files import read_labels
from models.lineups.lineup import Lineup
from models.names import NetworkName
from tests.lineups import RESNET18_110

DIRECTORY = RESNET18_110.parent


@pytest.mark.parametrize("name", ["baseline", "cbam"])
def test_model_card_gives_the_same_numbers_as_the_lineups_card(lineup: Lineup, name: NetworkName) -> None:
    network = lineup.card.networks[name]
    assert network.card is not None
    assert network.sha256 is not None
    text = (DIRECTORY / network.card).read_text()
    assert f"| parameters | {lineup.parameter_counts[name]:,} |" in text
    assert network.sha256 in text
    assert network.accuracy
    for accuracy in network.accuracy:
        row = f"| {accuracy.dataset} | {accuracy.pictures:,} | `{accuracy.geometry}` | {accuracy.resolution.value} | "
        row += f"{accuracy.top1:.2%} | {accuracy.top5:.2%} |".replace("%", " %")
        assert row in text


@pytest.mark.parametrize("name", ["baseline", "cbam"])
def test_weights_have_the_checksum_of_the_card(name: NetworkName) -> None:
    network = read_card(RESNET18_110).networks[name]
    assert hashlib.sha256((DIRECTORY / network.file).read_bytes()).hexdigest() == network.sha256


def test_both_networks_were_measured_on_the_same_pictures(lineup: Lineup) -> None:
    baseline, cbam = (
        [(row.dataset, row.pictures, row.geometry, row.resolution) for row in lineup.card.networks[name].accuracy]
        for name in ("baseline", "cbam")
    )
    assert baseline == cbam


def test_labels_are_110_unlike_names(lineup: Lineup) -> None:
    assert lineup.card.labels is not None
    labels = read_labels(DIRECTORY / lineup.card.labels)
    assert len({label.name.casefold() for label in labels}) == len({label.id for label in labels}) == 110
    assert all(re.fullmatch(r"\S.*\S", label.name) for label in labels)
