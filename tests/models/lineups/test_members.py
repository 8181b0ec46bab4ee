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
        (InlineLineup.of("x", BASELINE, "untrained:resnet34"), "the baseline is ResNet-18, another network ResNet-34"),
        (InlineLineup.of("x", BASELINE, "untrained:resnet18"), "the baseline has 110 classes, another network 10"),
        (InlineLineup.of("x", BASELINE, CBAM, labels="imagenet"), "110 in the file, 1000 expected"),
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
    with pytest.raises(LineupError, match="110 in the file, 2 expected"):
        load_lineup(InlineLineup.of("x", BASELINE, CBAM, labels=str(path)))


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("", "names no class"), ("cat\ncat\n", "has cat more than once"), ("\ufffd", None), ("cat\ndog", None)],
)
def test_labels_are_a_line_each(tmp_path: Path, content: str, sentence: str | None) -> None:
    path = tmp_path / "labels.txt"
    path.write_text(content)
    choice = InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18", labels=str(path))
    if sentence is None:
        assert [label.name for label in load_lineup(choice).labels] == content.split()
    else:
        with pytest.raises(LineupError, match=sentence):
            load_lineup(choice)


def test_labels_may_be_a_json_list_of_names(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text('["cat", "dog", "cow"]')
    labels = load_lineup(InlineLineup.of("x", "untrained:resnet18", "untrained:resnet18", labels=str(path))).labels
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
    member = open_source("torchvision:resnet18", Attention.NONE)
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
    assert any("are at their initial values, a flat 0.5" in warning for warning in lineup.card.warnings)
    assert (len(lineup.labels), lineup.labels[0].name) == (1000, "tench")
    # ImageNet has two cranes, and a class is chosen by its name.
    assert len({label.name for label in lineup.labels}) == 1000


def test_weights_that_cannot_be_downloaded_say_where_to_put_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise URLError("no network")

    weights = type(torchvision.models.ResNet50_Weights.IMAGENET1K_V1)
    monkeypatch.setattr(weights, "get_state_dict", fail)
    with pytest.raises(LineupError, match=r"could not be downloaded .*no network.* fetch https://.*resnet50.*\.pth"):
        open_source("torchvision:resnet50", Attention.NONE)


def test_different_recipes_come_with_a_warning_that_names_them(published: dict[str, torch.Tensor]) -> None:
    lineup = load_lineup(InlineLineup.of("x", "torchvision:resnet18", "untrained:resnet18", labels="imagenet"))
    assert any(
        "different recipes (Baseline: torchvision's resnet18, IMAGENET1K_V1" in text for text in lineup.card.warnings
    )
    assert not lineup.card.trained


def test_another_architecture_of_torchvisions_can_be_tried(generator: torch.Generator) -> None:
    lineup = load_lineup(
        InlineLineup.of("x", "untrained:torchvision:mobilenet_v3_small", "untrained:torchvision:mobilenet_v3_small")
    )
    assert lineup.card.architecture == "torchvision:mobilenet_v3_small"
    with torch.no_grad():
        trace = lineup.networks["cbam"].trace(torch.randn(1, 3, 64, 64, generator=generator))
    assert trace.attentions
    assert trace.logits.shape == (1, 10)


def test_source_of_known_attention_is_held_to_it() -> None:
    with pytest.raises(LineupError):
        open_source(CBAM, Attention.CBAM, options=ExaminationOptions(attention=Attention.NONE))


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
        open_source(str(path), Attention.NONE, options=ExaminationOptions(architecture=architecture))
