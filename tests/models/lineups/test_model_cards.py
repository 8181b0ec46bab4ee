"""The shipped model cards, read as the Hugging Face Hub's own library reads them, say what the lineups' cards say."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from models.lineups.card import LineupCard, NetworkCard, read_card
from models.lineups.catalogue import list_shipped
from models.networks.titles import title_network

LICENCES = {"efficientnet-lite0": "apache-2.0", "resnet18-110": "other"}


def list_networks() -> Iterator[tuple[Path, LineupCard, NetworkCard]]:
    for path in list_shipped().values():
        card = read_card(path)
        for network in card.networks.values():
            yield path.parent, card, network


NETWORKS = [pytest.param(*row, id=str(row[2].card)) for row in list_networks()]


@pytest.mark.parametrize(("directory", "card", "network"), NETWORKS)
def test_header_gives_the_measured_accuracy(directory: Path, card: LineupCard, network: NetworkCard) -> None:
    assert network.card is not None
    header = ModelCard.load(directory / network.card).data
    assert header.model_name == title_network(card.architecture, network.attention)
    assert header.eval_results is not None
    found = [(row.dataset_name, row.dataset_args, row.metric_value) for row in header.eval_results]
    assert found == [
        (
            row.dataset,
            {"geometry": row.geometry.value, "resolution": row.resolution.value, "pictures": row.pictures},
            value,
        )
        for row in network.accuracy
        for value in (row.top1, row.top5)
    ]


@pytest.mark.parametrize(("directory", "card", "network"), NETWORKS)
def test_header_names_terms_that_are_there(directory: Path, card: LineupCard, network: NetworkCard) -> None:
    header = ModelCard.load(directory / str(network.card)).data
    assert header.license == LICENCES[card.name]
    assert (directory / str(header.license_link)).is_file()
    assert header.library_name == "cbam-lens"
    assert card.architecture in (header.tags or [])
    assert header.datasets


def test_every_shipped_network_has_a_card() -> None:
    assert len(NETWORKS) == 5
