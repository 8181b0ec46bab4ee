"""The catalogue of published networks, and the lineup that a name means."""

import hashlib
import re
from pathlib import Path

import pytest
import torch
import torchvision

from models.errors import LineupError
from models.lineups import catalogue
from models.lineups.card import SHIPPED_LINEUP
from models.lineups.catalogue import KnownChoice, KnownNetwork, list_known_names, read_catalogue, resolve_name
from models.lineups.choice import InlineLineup, parse_lineup
from models.lineups.fetching.published import FetchError, PublishedFile
from models.lineups.fetching.store import WeightStore
from models.lineups.lineup import load_lineup
from models.names import Attention
from models.networks.zoo import build_network, count_parameters
from tests.lineups import RESNET18_110

LINEUPS = read_catalogue()

NETWORKS = [(name, network) for name, lineup in LINEUPS.items() for network in lineup.networks]

FETCHED = [network.weights for _, network in NETWORKS if network.weights is not None and network.weights.url]


def test_catalogue_has_the_published_lineups() -> None:
    assert {name: [network.name for network in lineup.networks] for name, lineup in LINEUPS.items()} == {
        "imagenet-resnet50": ["baseline", "se", "bam", "cbam"],
        "imagenet-resnet18": ["baseline", "se"],
        "imagenet-resnet50-authors": ["baseline", "cbam"],
    }


@pytest.mark.parametrize("file", FETCHED, ids=lambda file: file.file)
def test_addresses_are_spelled_as_the_publisher_does(file: PublishedFile) -> None:
    """Name, top-5 error in hundredths of a per cent and the hash's first eight digits."""
    assert file.sha1 is not None
    stem = re.fullmatch(rf"(bam_|cbam_|se)?resnet(18|50)b?-\d{{4}}-{file.sha1[:8]}\.pth", file.file)
    assert stem is not None
    base = r"https://github\.com/osmr/imgclsmob/releases/download/v0\.0\.\d{3}/"
    assert re.fullmatch(rf"{base}{re.escape(file.file)}\.zip", file.url or "")


@pytest.mark.parametrize(("lineup", "network"), NETWORKS, ids=lambda value: getattr(value, "name", value))
def test_network_is_described_alike_everywhere(lineup: str, network: KnownNetwork) -> None:
    is_baseline = network is LINEUPS[lineup].networks[0]
    assert (network.attention == "none") is is_baseline
    assert network.reported is not None
    assert f"{network.reported.top1_error:.2f}" in LINEUPS[lineup].provenance
    if network.weights is not None and network.weights.url is not None:
        assert f"-{round(network.reported.top5_error * 100):04}-" in network.weights.file


@pytest.mark.parametrize(
    ("architecture", "attention", "parameters"),
    [
        (lineup.architecture, Attention(network.attention), network.weights.parameters)
        for lineup in LINEUPS.values()
        for network in lineup.networks
        if network.weights is not None and network.attention in set(Attention)
    ],
)
def test_parameters_are_those_of_the_zoo(architecture: str, attention: Attention, parameters: int) -> None:
    assert count_parameters(build_network(architecture, attention=attention, class_count=1000)) == parameters


@pytest.mark.parametrize("network", [network for _, network in NETWORKS if network.source])
def test_torchvisions_file_has_the_name_that_torchvision_gives_it(network: KnownNetwork) -> None:
    _, name, version = network.source.split(":")
    url: str = torchvision.models.get_model_weights(name)[version].url
    assert url.rpartition("/")[2] == network.source_file


def test_known_names_begin_with_the_shipped_ones() -> None:
    assert list_known_names()[:3] == ("shipped", "efficientnet-lite0", "resnet18-110")
    assert set(LINEUPS) < set(list_known_names())


@pytest.mark.parametrize(
    ("name", "path"),
    [("shipped", SHIPPED_LINEUP), ("efficientnet-lite0", SHIPPED_LINEUP), ("resnet18-110", RESNET18_110)],
)
def test_shipped_lineup_has_two_names_and_the_other_one_its_own(name: str, path: Path) -> None:
    assert parse_lineup(name) == path


def test_name_with_a_folder_looks_there_first(tmp_path: Path) -> None:
    store = WeightStore(tmp_path / "cache")
    choice = resolve_name(f"imagenet-resnet50={tmp_path}", store)
    assert isinstance(choice, KnownChoice)
    assert (choice.store.directory, choice.store.folder) == (store.directory, tmp_path)


def test_known_name_before_two_files_is_only_a_name() -> None:
    assert isinstance(parse_lineup("imagenet-resnet50=a.pth,b.pth"), InlineLineup)


def test_unknown_name_is_answered_with_the_known_ones() -> None:
    known = "shipped, efficientnet-lite0, resnet18-110, imagenet-resnet50"
    with pytest.raises(LineupError, match=f"a known name, one of {known}, "):
        parse_lineup("imagenet-resnet5")


def test_missing_files_of_a_lineup_are_said_in_one_line(tmp_path: Path) -> None:
    choice = parse_lineup("imagenet-resnet18", store=WeightStore(tmp_path))
    assert isinstance(choice, KnownChoice)
    with pytest.raises(FetchError) as caught:
        load_lineup(choice)
    assert "resnet18-0896-77a56f15.pth" in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.fixture
def small_catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A catalogue of two small networks with random weights, whose files lie in a cache directory."""
    (tmp_path / "labels.txt").write_text("\n".join("abc"))
    (tmp_path / "cache").mkdir()
    entries = []
    for name, attention in (("baseline", Attention.NONE), ("cbam", Attention.CBAM)):
        torch.manual_seed(0)
        network = build_network("resnet18", attention=attention, class_count=3)
        path = tmp_path / "cache" / f"{name}.pth"
        torch.save(network.state_dict(), path)
        digest = hashlib.sha1(path.read_bytes(), usedforsecurity=False).hexdigest()
        entries.append(
            f'[[small.networks]]\nname = "{name}"\nattention = "{attention}"\n[small.networks.weights]\n'
            f'file = "{path.name}"\nurl = "https://publisher.example/{path.name}.zip"\nsha1 = "{digest}"\n'
            f"parameters = {count_parameters(network)}\n"
        )
    head = (
        f'[small]\ntitle = "Small"\narchitecture = "resnet18"\nstride_placement = "v1.5"\nlicence = "MIT"\n'
        f'labels = "{tmp_path / "labels.txt"}"\nrecipe = "none"\nprovenance = "Random."\n'
    )
    path = tmp_path / "catalogue.toml"
    path.write_text(head + "".join(entries))
    monkeypatch.setattr(catalogue, "CATALOGUE", path)
    return tmp_path / "cache"


def test_known_lineup_is_loaded_with_what_the_catalogue_says(small_catalogue: Path) -> None:
    lineup = load_lineup(parse_lineup("small", store=WeightStore(small_catalogue)))
    assert (lineup.card.name, lineup.card.title, lineup.card.provenance) == ("small", "Small", "Random.")
    assert [network.attention for network in lineup.card.networks.values()] == [Attention.NONE, Attention.CBAM]
    assert [label.name for label in lineup.labels] == ["a", "b", "c"]
    assert not [warning for warning in lineup.card.warnings if "recipe" in warning]


def test_changed_file_is_not_loaded(small_catalogue: Path) -> None:
    path = small_catalogue / "cbam.pth"
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(FetchError, match=f"{path}: the sha1 of cbam.pth is"):
        load_lineup(parse_lineup("small", store=WeightStore(small_catalogue)))


def test_catalogue_with_a_mistake_is_named(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text('[small]\ntitle = "Small"\n')
    with pytest.raises(LineupError, match="is not a catalogue of lineups"):
        read_catalogue(path)
