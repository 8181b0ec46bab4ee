"""Lineups that are given by two sources of weights: their cards, and refused ones."""

from pathlib import Path
from urllib.error import URLError

import pytest
import torch
import torchvision
from safetensors.torch import load_file, save_file

from models.checkpoints.diagnosis import ExaminationOptions
from models.errors import LineupError
from models.insertion.building import build_any_network
from models.lineups.choice import InlineLineup
from models.lineups.lineup import Lineup, load_lineup
from models.lineups.sources import open_source
from models.names import Attention, Stage
from tests.lineups import RESNET18_110

pytestmark = pytest.mark.slow

WEIGHTS = RESNET18_110.parent
BASELINE = str(WEIGHTS / "resnet18_baseline_110.safetensors")
CBAM = str(WEIGHTS / "resnet18_cbam_110.safetensors")
LABELS = str(WEIGHTS / "labels_110.json")


def disturb(norm: torch.nn.BatchNorm2d) -> None:
    """Set statistics that differ from those of a new network."""
    assert norm.running_mean is not None
    assert norm.running_var is not None
    torch.nn.init.uniform_(norm.running_mean, -0.1, 0.1)
    torch.nn.init.uniform_(norm.running_var, 0.5, 1.5)
    torch.nn.init.uniform_(norm.weight, 0.5, 1.5)


def test_inline_lineup_answers_like_the_card_that_describes_it(lineup: Lineup, generator: torch.Generator) -> None:
    inline = load_lineup(InlineLineup.of("mine", BASELINE, CBAM, labels=LABELS))
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    for name in ("baseline", "cbam"):
        with torch.no_grad():
            assert torch.equal(inline.networks[name](batch), lineup.networks[name](batch))
    assert inline.labels == lineup.labels
    assert inline.card.title == "ResNet-18 and ResNet-18+CBAM, 110 classes"
    assert inline.card.trained
    assert {name: card.sha256 for name, card in inline.card.networks.items()} == {
        name: card.sha256 for name, card in lineup.card.networks.items()
    }


def test_members_of_unknown_recipes_come_with_a_warning(tmp_path: Path) -> None:
    bare = {name: str(tmp_path / Path(name).name) for name in (BASELINE, CBAM)}
    for source, copy in bare.items():
        # Without the metadata that names the recipe.
        save_file(load_file(source), copy)
    warnings = load_lineup(InlineLineup.of("mine", bare[BASELINE], bare[CBAM])).card.warnings
    assert len(warnings) == 1
    assert warnings[0].startswith("It is not known whether these networks were trained by one recipe")


def test_members_of_one_recipe_come_without_a_warning_of_it(lineup: Lineup) -> None:
    assert not [warning for warning in lineup.card.warnings if "recipe" in warning]


def test_classes_without_names_have_numbers() -> None:
    labels = load_lineup(InlineLineup.of("mine", BASELINE, CBAM)).labels
    assert [labels[0].name, labels[-1].name, len(labels)] == ["class 0", "class 109", 110]


@pytest.mark.parametrize(
    ("choice", "sentence"),
    [
        (InlineLineup.of("x", CBAM, BASELINE), "is to be its baseline and has attention"),
        (InlineLineup.of("x", BASELINE, BASELINE), "no network has attention"),
        (
            InlineLineup.of("x", BASELINE, "untrained:resnet34+se"),
            "the baseline is ResNet-18, another network ResNet-34",
        ),
        (InlineLineup.of("x", BASELINE, "untrained:resnet18+se"), "the baseline has 110 classes, another network 10"),
        (InlineLineup.of("x", BASELINE, CBAM, labels="imagenet"), "has 110 classes, but imagenet names 1,000"),
        (InlineLineup.of("x", "nothing.pth", CBAM), "nothing.pth"),
        (
            InlineLineup.of("x", "untrained:resnet19", CBAM),
            "architecture 'resnet19' is not known; choose one of resnet18",
        ),
        (InlineLineup.of("x", BASELINE, "untrained:resnet18+more"), "attention is 'more'; choose one of none, se"),
        (InlineLineup.of("x", "torchvision:nothing", CBAM), "torchvision has no weights for 'nothing'"),
        (
            InlineLineup.of("x", "torchvision:resnet18:V9", CBAM),
            "no weights V9 for resnet18; choose one of IMAGENET1K_V1",
        ),
    ],
)
def test_members_that_are_no_lineup_are_refused(choice: InlineLineup, sentence: str) -> None:
    with pytest.raises(LineupError, match=sentence):
        load_lineup(choice)


def test_labels_of_another_number_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "labels.txt"
    path.write_text("cat\ndog\n\n")
    with pytest.raises(LineupError, match=rf"baseline_110.safetensors has 110 classes, but {path} names 2; give"):
        load_lineup(InlineLineup.of("x", BASELINE, CBAM, labels=str(path)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "names no class"), ("\n \n", "names no class"), ("\ufffd\ndog", None), ("cat\ndog", None)],
)
def test_labels_are_a_line_each(tmp_path: Path, content: str, sentence: str | None) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(content)
    choice = InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18+cbam", labels=str(path))
    if sentence is None:
        assert [label.name for label in load_lineup(choice).labels] == content.split()
    else:
        with pytest.raises(LineupError, match=sentence):
            load_lineup(choice)


def test_labels_may_be_a_json_list_of_names(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('["cat", "dog", "cow"]')
    labels = load_lineup(InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18+cbam", labels=str(path))).labels
    assert [(label.index, label.name) for label in labels] == [(0, "cat"), (1, "dog"), (2, "cow")]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, torch.Tensor]:
    """A stand-in for torchvision's download: random weights with statistics that differ from a new network's."""
    torch.manual_seed(7)
    network = torchvision.models.resnet18(weights=None)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            disturb(module)
    tensors: dict[str, torch.Tensor] = network.state_dict()
    weights = type(torchvision.models.ResNet18_Weights.IMAGENET1K_V1)
    monkeypatch.setattr(weights, "get_state_dict", lambda self, *, progress, check_hash: tensors)
    return tensors


def test_torchvision_weights_are_a_baseline_by_name(
    published: dict[str, torch.Tensor], generator: torch.Generator
) -> None:
    member = open_source("torchvision:resnet18")
    theirs = torchvision.models.resnet18(weights=None).eval()
    theirs.load_state_dict(published)
    batch = torch.randn(1, 3, 96, 64, generator=generator)
    with torch.no_grad():
        assert torch.allclose(member.network(batch), theirs(batch), rtol=1e-4, atol=1e-4)
    assert (member.architecture, member.class_count, member.recipe) == (
        "resnet18",
        1000,
        "torchvision's resnet18, IMAGENET1K_V1",
    )


def test_fresh_gates_in_torchvision_weights_leave_the_function_and_say_so(
    published: dict[str, torch.Tensor], generator: torch.Generator
) -> None:
    lineup = load_lineup(InlineLineup.of("tv", "torchvision:resnet18", "torchvision:resnet18+cbam"))
    batch = torch.randn(1, 3, 96, 64, generator=generator)
    with torch.no_grad():
        trace = lineup.networks["cbam"].trace(batch)
        assert torch.allclose(trace.logits, lineup.networks["baseline"](batch), atol=1e-4)
    assert len(trace.attentions) == 8
    assert set(trace.features) == set(Stage)
    assert lineup.card.trained
    assert lineup.card.warnings == (
        "The spatial and channel gates of CBAM have learned nothing yet: they are the same for every picture.",
    )
    assert (len(lineup.labels), lineup.labels[0].name) == (1000, "tench")
    # ImageNet has two cranes, and a class is chosen by its name.
    assert len({label.name for label in lineup.labels}) == 1000


def test_weights_that_cannot_be_downloaded_say_where_to_put_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise URLError("no network")

    weights = type(torchvision.models.ResNet50_Weights.IMAGENET1K_V1)
    monkeypatch.setattr(weights, "get_state_dict", fail)
    with pytest.raises(LineupError, match=r"could not be downloaded .*no network.* fetch https://.*resnet50.*\.pth"):
        open_source("torchvision:resnet50")


def test_different_recipes_come_with_a_warning_that_names_them(published: dict[str, torch.Tensor]) -> None:
    lineup = load_lineup(InlineLineup.of("x", "torchvision:resnet18", "untrained:resnet18+cbam", labels="imagenet"))
    assert any(
        "different recipes (Baseline: torchvision's resnet18, IMAGENET1K_V1" in text for text in lineup.card.warnings
    )
    assert not lineup.card.trained


def test_another_architecture_of_torchvisions_can_be_tried(generator: torch.Generator) -> None:
    lineup = load_lineup(
        InlineLineup.of(
            "x", "untrained:torchvision:mobilenet_v3_small", "untrained:torchvision:mobilenet_v3_small+cbam"
        )
    )
    assert lineup.card.architecture == "torchvision:mobilenet_v3_small"
    with torch.no_grad():
        trace = lineup.networks["cbam"].trace(torch.randn(1, 3, 64, 64, generator=generator))
    assert trace.attentions
    assert trace.logits.shape == (1, 10)


def test_source_of_known_attention_is_held_to_it() -> None:
    with pytest.raises(LineupError):
        open_source(CBAM, options=ExaminationOptions(attention=Attention.NONE))


def test_network_of_torchvisions_with_gates_put_in_is_served_from_its_own_files(
    tmp_path: Path, generator: torch.Generator
) -> None:
    """A user adds CBAM to a network, trains it, saves both state dicts, and describes them in a TOML file."""
    name = "torchvision:mobilenet_v3_small"
    for member, attention in (("baseline", Attention.NONE), ("cbam", Attention.CBAM)):
        network = build_any_network(name, attention=attention, class_count=4)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                disturb(module)
        torch.save(network.state_dict(), tmp_path / f"{member}.pth")
    card = tmp_path / "mine.toml"
    card.write_text(
        f'name = "mine"\ntitle = "Mine"\narchitecture = "{name}"\ntrained = true\nprovenance = "A test."\n'
        '[networks.baseline]\nattention = "none"\nfile = "baseline.pth"\nrecipe = "one"\n'
        '[networks.cbam]\nattention = "cbam"\nfile = "cbam.pth"\nrecipe = "one"\n'
    )
    lineup = load_lineup(card)
    assert lineup.card.trained
    assert not lineup.card.warnings
    assert len(lineup.labels) == 4
    saved = torch.load(tmp_path / "cbam.pth", weights_only=True)
    assert all(torch.equal(values, saved[key]) for key, values in lineup.networks["cbam"].state_dict().items())
    with torch.no_grad():
        trace = lineup.optimise().networks["cbam"].trace(torch.randn(1, 3, 64, 64, generator=generator))
    assert trace.logits.shape == (1, 4)


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        ("torchvision:resnet9", "torchvision has no classifier 'resnet9'"),
        ("torchvision:vit_b_16", "torchvision:vit_b_16 was asked for"),
        ("torchvision:vgg11", "does not fit torchvision:vgg11"),
    ],
)
def test_torchvision_name_that_does_not_fit_the_file_is_refused(
    tmp_path: Path, architecture: str, sentence: str
) -> None:
    path = tmp_path / "resnet18.pth"
    torch.save(torchvision.models.resnet18(weights=None).state_dict(), path)
    with pytest.raises(LineupError, match=sentence):
        open_source(str(path), options=ExaminationOptions(architecture=architecture))


CARD = """
name = "mine"
title = "Mine"
architecture = "{architecture}"
trained = false
provenance = "A test."
[networks.baseline]
attention = "none"
file = "{baseline}"
[networks.se]
attention = "{attention}"
file = "{file}"
"""


def write_card(folder: Path, **fields: str) -> Path:
    """A card of untrained networks, with other fields than the right ones where these are given."""
    right = {
        "architecture": "resnet18",
        "baseline": "untrained:resnet18",
        "attention": "se",
        "file": "untrained:resnet18+se",
    }
    path = folder / "card.toml"
    path.write_text(CARD.format(**right | fields))
    return path


def test_card_that_says_what_its_sources_are_is_loaded(tmp_path: Path) -> None:
    assert load_lineup(write_card(tmp_path)).card.networks["se"].attention is Attention.SE


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"file": "untrained:resnet18+cbam"}, "network se has the attention cbam in .*, and the card says se"),
        ({"file": "untrained:resnet18"}, "network se has the attention none in .*, and the card says se"),
        ({"architecture": "resnet50"}, "network baseline has the architecture resnet18 .*, and the card says resnet50"),
        ({"file": "untrained:resnet34+se"}, "network se has the architecture resnet34 .*, and the card says resnet18"),
        (
            {"file": "torchvision:resnet18+cbam"},
            r"network se has the attention cbam in torchvision:resnet18\+cbam, and the card says se",
        ),
        ({"attention": "cbam", "file": BASELINE}, "cbam"),
        ({"file": f"{BASELINE}+cbam"}, "network se has the attention cbam"),
        ({"architecture": "resnet50", "baseline": BASELINE, "file": f"{BASELINE}+se"}, "resnet50"),
    ],
)
def test_card_that_is_not_what_its_sources_are_is_refused(
    published: dict[str, torch.Tensor], tmp_path: Path, fields: dict[str, str], sentence: str
) -> None:
    with pytest.raises(LineupError, match=sentence):
        load_lineup(write_card(tmp_path, **fields))


def test_source_that_names_no_attention_has_none_at_every_place() -> None:
    assert open_source("untrained:resnet18").attention is Attention.NONE
    with pytest.raises(LineupError, match=r"no network has attention.*untrained:resnet18\+cbam"):
        load_lineup(InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18"))
    with pytest.raises(LineupError, match="is to be its baseline and has attention"):
        load_lineup(InlineLineup.of("x", "untrained:resnet18+cbam", "untrained:resnet18"))


def test_equal_networks_come_with_a_warning() -> None:
    twice = load_lineup(
        InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18+cbam", "second:untrained:resnet18+cbam")
    )
    sentence = (
        "CBAM (cbam) and CBAM (second) are the same network with the same weights: their difference is 0 everywhere."
    )
    assert [text for text in twice.card.warnings if "same weights" in text] == [sentence]
    once = load_lineup(
        InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18+cbam", "untrained:resnet18+cbam-parallel")
    )
    assert not [text for text in once.card.warnings if "same weights" in text]


@pytest.mark.parametrize(
    ("attention", "flat", "random"),
    [
        ("se", None, "channel"),
        ("channel-max", None, "channel"),
        ("bam", None, "spatial and channel"),
        ("cbam", "spatial", "channel"),
        ("cbam-conv1x1-k3", "spatial", "channel"),
    ],
)
def test_untrained_gates_are_said_to_be_what_they_are(
    attention: str, flat: str | None, random: str, generator: torch.Generator
) -> None:
    lineup = load_lineup(InlineLineup.of("x", "untrained:resnet18", f"net:untrained:resnet18+{attention}"))
    title = lineup.card.title_network("net")
    sentences = [f"The {flat} gates of {title} have learned nothing yet: they are the same for every picture."]
    sentences.append(
        f"The {random} gates of {title} have random weights: they depend on the picture, but they have learned nothing."
    )
    assert list(lineup.card.warnings) == (sentences if flat else sentences[1:])
    batch = torch.randn(2, 3, 64, 64, generator=generator)
    with torch.no_grad():
        attentions = lineup.networks["net"].trace(batch).attentions
    for kind in ("spatial", "channel"):
        gates = [getattr(gate, kind) for gate in attentions.values() if getattr(gate, kind) is not None]
        assert all(torch.equal(gate[0], gate[1]) is (kind == flat) for gate in gates)


@pytest.mark.parametrize(
    ("architecture", "preprocessing", "sentence"),
    [
        ("resnet18", "resolution = 32", "preprocessing.resolution is 32; with the .* resnet18 it can be 160 or 224"),
        ("cifar_resnet18", "resolution = 224", "preprocessing.resolution is 224; with the .* cifar_resnet18 .* be 32$"),
        ("cifar_resnet18", 'geometry = "whole"', "preprocessing.resolution is 224"),
        ("resnet18", "standard_deviation = [0.2, 0, 0.2]", "preprocessing.standard_deviation.1: .*greater than"),
        ("resnet18", "standard_deviation = [0.2, -0.1, 0.2]", "preprocessing.standard_deviation.1: .*greater than"),
        ("resnet18", "standard_deviation = [1e-60, 0.2, 0.2]", "preprocessing.standard_deviation.0: .*greater than"),
        ("resnet18", "standard_deviation = [0.2, 0.2, nan]", "preprocessing.standard_deviation.2: .*finite"),
        ("resnet18", "standard_deviation = [0.2, 0.2, inf]", "preprocessing.standard_deviation.2: .*finite"),
        ("resnet18", "mean = [inf, 0.2, 0.2]", "preprocessing.mean.0: .*finite"),
        ("resnet18", "mean = [0.2, nan, 0.2]", "preprocessing.mean.1: .*finite"),
        ("resnet18", "mean = [0.2, 1e300, 0.2]", "preprocessing.mean.1: .*less than"),
    ],
)
def test_preprocessing_that_no_network_can_have_is_refused_with_file_and_field(
    tmp_path: Path, architecture: str, preprocessing: str, sentence: str
) -> None:
    baseline = f"untrained:{architecture}"
    path = write_card(tmp_path, architecture=architecture, baseline=baseline, file=f"{baseline}+se")
    path.write_text(f"{path.read_text()}[preprocessing]\n{preprocessing}\n")
    with pytest.raises(LineupError, match=sentence) as caught:
        load_lineup(path)
    assert str(caught.value).startswith(str(path))
    assert len(str(caught.value).splitlines()) == 1


def test_preprocessing_of_the_networks_own_size_is_taken(tmp_path: Path) -> None:
    baseline = "untrained:cifar_resnet18"
    path = write_card(tmp_path, architecture="cifar_resnet18", baseline=baseline, file=f"{baseline}+se")
    path.write_text(f"{path.read_text()}[preprocessing]\nresolution = 32\nmean = [0.0, 0.5, 1.0]\n")
    assert load_lineup(path).card.preprocessing.mean == (0.0, 0.5, 1.0)


@pytest.mark.parametrize("attention", ["eca", "coordinate", "triplet", "eca-last-stage"])
def test_new_gates_in_a_trained_file_keep_its_answers_and_are_said_to_be_untrained(
    attention: str, generator: torch.Generator
) -> None:
    lineup = load_lineup(InlineLineup.of("x", str(BASELINE), f"{BASELINE}+{attention}"))
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        expected, found = (network(batch) for network in lineup.networks.values())
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
    base = attention.removesuffix("-last-stage")
    kinds = {"eca": "channel", "coordinate": "row and column", "triplet": "spatial and row and column"}[base]
    title = lineup.card.title_network(attention)
    sentence = f"The {kinds} gates of {title} have learned nothing yet: they are the same for every picture."
    assert sentence in lineup.card.warnings


def test_new_simam_in_a_trained_file_changes_its_answers_and_the_lineup_says_so(generator: torch.Generator) -> None:
    lineup = load_lineup(InlineLineup.of("x", str(BASELINE), f"{BASELINE}+simam"))
    batch = torch.randn(1, 3, 64, 64, generator=generator)
    with torch.no_grad():
        expected, found = (network(batch) for network in lineup.networks.values())
    assert (found - expected).abs().max() > 0.1
    sentence = (
        "SimAM was trained without its gates, and they change its output: train it with them before you compare it."
    )
    assert lineup.card.warnings[-1] == sentence
    assert "change the network's output" in open_source(f"{BASELINE}+simam").provenance


def test_file_with_simam_is_opened_as_such_where_its_card_says_so(tmp_path: Path) -> None:
    torch.save(load_file(BASELINE), tmp_path / "weights.pth")
    card = tmp_path / "mine.toml"
    card.write_text(
        'name = "mine"\ntitle = "Mine"\narchitecture = "resnet18"\ntrained = true\nprovenance = "A test."\n'
        f'[networks.baseline]\nattention = "none"\nfile = "{BASELINE}"\nrecipe = "one"\n'
        '[networks.simam]\nattention = "simam"\nfile = "weights.pth"\nrecipe = "one"\n'
    )
    lineup = load_lineup(card)
    assert lineup.card.networks["simam"].attention is Attention.SIMAM
    assert not [text for text in lineup.card.warnings if "trained without its gates" in text]
