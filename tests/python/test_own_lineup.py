from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fastapi.testclient import TestClient
from torch import nn
from torchvision.models import resnet18

import cbam_lens as cl
from app.main import create_app
from app.python.open_lineup import OpenLineup
from app.settings import Settings
from models.insertion import insert_cbam
from models.names import Stage
from tests.conftest import encode, make_picture
from tests.models.foreign.attention import Luuuyi
from tests.models.foreign.made import CIFAR
from tests.models.foreign.networks import ManyInputs, Segmenter, SmallNetwork, make_pair

CLASSES = ["ant", "bee", "cow", "dog", "elk"]
PICTURE = make_picture(60, 48)


@pytest.fixture(scope="module")
def opened() -> OpenLineup:
    baseline, mine = make_pair()
    return cl.lineup(baseline=baseline, mine=mine, classes=CLASSES, preprocessing=CIFAR)


def test_networks_go_by_their_names(opened: OpenLineup) -> None:
    assert opened.networks == ("baseline", "mine")
    assert opened.card.title == "Baseline and mine, 5 classes"
    assert [label.name for label in opened.classes] == CLASSES
    assert opened.card.gated == ("mine",)
    assert opened.card.stages == (Stage.TWO, Stage.THREE, Stage.FOUR)


def test_maps_are_those_of_grad_cam_on_the_users_module(opened: OpenLineup) -> None:
    _, mine = make_pair()
    compared = opened.compare(PICTURE, "cow")
    # The same by hand: resize as the lineup does, then the textbook's equations.
    side = min(PICTURE.size)
    left = (PICTURE.width - side) // 2
    seen = PICTURE.resize((32, 32), resample=2, box=(left, 0, left + side, side))
    batch = (torch.from_numpy(np.asarray(seen).copy()).permute(2, 0, 1)[None] / 255 - 0.5) / 0.25
    kept: list[torch.Tensor] = []
    handle = mine.get_submodule("layer3").register_forward_hook(lambda _, __, answer: kept.append(answer))
    logits = mine.eval()(batch)
    handle.remove()
    (gradient,) = torch.autograd.grad(logits[0, 2], kept[0])
    expected = (gradient.mean((2, 3), keepdim=True) * kept[0]).sum(1).relu()[0].detach().numpy()
    assert compared.heat_maps["mine"] == pytest.approx(expected, abs=1e-5)
    assert compared.probabilities["mine"] == pytest.approx(logits.softmax(1)[0].detach().numpy(), abs=1e-5)


def test_another_stage_is_asked_without_the_picture_being_given_again(opened: OpenLineup) -> None:
    compared = opened.compare(PICTURE)
    assert compared.explain("bee", stage=2).heat_maps["mine"].shape == (16, 16)
    again = opened.compare(PICTURE, "bee", stage=2)
    assert np.array_equal(compared.explain("bee", stage=2).heat_maps["mine"], again.heat_maps["mine"])


def test_gates_are_found(opened: OpenLineup) -> None:
    gates = opened.compare(PICTURE).gates
    assert gates["baseline"] == {}
    assert list(gates["mine"]) == [f"layer{number}.attention" for number in (1, 2, 3)]
    assert {kind: gate.shape for kind, gate in gates["mine"]["layer1.attention"].items()} == {
        "spatial": (16, 16),
        "channel": (8,),
    }


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"stage": 1}, "stage '1' is not one of 2, 3, 4"),
        ({"geometry": "whole"}, "geometry 'whole' is not one of center_crop"),
        ({"resolution": 224}, "resolution '224' is not one of 32"),
        ({"interventions": ["mine:all:spatial:neutral"]}, "no network of this lineup has gates that can be changed"),
    ],
)
def test_question_that_these_networks_cannot_answer_is_refused(
    opened: OpenLineup, options: dict[str, Any], told: str
) -> None:
    with pytest.raises(cl.LensError, match=told):
        opened.compare(PICTURE, **options)


def test_page_and_rest_show_own_networks(opened: OpenLineup) -> None:
    with TestClient(create_app(Settings(), lineups=[opened.lineup])) as client:
        answer = client.post("/api/v1/analyses", files={"image": ("a.png", encode(PICTURE))}).json()
        page = f"/analyses/{answer['id']}"
        for tab in ("guesses", "attention", "numbers", "sanity", "networks"):
            assert client.get(page, params={"tab": tab}).status_code == 200
        opened_block = client.get(f"{page}/blocks/mine/layer2.attention")
        assert opened_block.status_code == 200
        assert "layer2.attention" in opened_block.text
        text = client.get(page).text
        assert "4 (deepest)" in text
        assert "1 (finest)" not in text
        assert "whole picture" not in client.get("/").text.lower().partition("<form")[2].partition("</form")[0]


def test_free_sizes_allow_the_whole_picture_and_other_resolutions() -> None:
    free = nn.Sequential(nn.Conv2d(3, 8, 3, stride=8), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    opened = cl.lineup(a=free, b=free, preprocessing={"geometry": "whole"}, recipe="the same", trained=False)
    assert opened.compare(PICTURE, resolution=160).heat_maps["a"].shape == (20, 24)
    assert "untrained" in repr(opened)
    assert "are the same network" in " ".join(opened.card.warnings)


def test_own_networks_with_inserted_attention_keep_their_stages() -> None:
    torch.manual_seed(0)
    plain = resnet18(num_classes=5).eval()
    opened = cl.lineup(baseline=plain, cbam=insert_cbam(plain), classes=CLASSES, preprocessing={"resolution": 96})
    assert opened.card.stages == tuple(Stage)
    compared = opened.compare(PICTURE)
    # New gates do not change the function, and both find the same stage.
    assert compared.heat_maps["cbam"] == pytest.approx(compared.heat_maps["baseline"], abs=1e-4)
    assert len(compared.gates["cbam"]) == 8


def test_grey_pictures_of_28_pixels() -> None:
    networks = [nn.Sequential(nn.Conv2d(1, 4, 3, stride=2), nn.Flatten(), nn.Linear(4 * 13 * 13, 10)) for _ in range(2)]
    opened = cl.lineup(
        one=networks[0], two=networks[1],
        preprocessing={"mean": 0.1307, "standard_deviation": 0.3081, "resolution": 28},
    )  # fmt: skip
    digits = np.zeros((28, 28), np.uint8)
    digits[8:20, 12:15] = 255
    compared = opened.compare(digits)
    assert compared.heat_maps["one"].shape == (13, 13)
    batch = torch.from_numpy((digits / 255 - 0.1307) / 0.3081).float()[None, None]
    expected = networks[0](batch).softmax(1)[0].detach().numpy()
    assert compared.probabilities["one"] == pytest.approx(expected, abs=1e-5)


def test_segmentation_is_asked_by_its_score() -> None:
    torch.manual_seed(1)
    opened = cl.lineup(
        one=Segmenter(), two=Segmenter(), preprocessing=CIFAR, classes=["sky", "road", "car"],
        score=lambda output: output.mean(dim=(2, 3)),
    )  # fmt: skip
    compared = opened.compare(PICTURE, "road")
    assert compared.heat_maps["one"].shape == (8, 8)
    assert compared.comparison.target.label.name == "road"


def test_several_inputs_are_given_by_the_head() -> None:
    def head(network: nn.Module, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = network(pictures, torch.ones(len(pictures), 2))["logits"]
        return logits

    opened = cl.lineup(one=ManyInputs(), two=cl.network(ManyInputs(), head=head), head=head)
    assert opened.compare(PICTURE).probabilities["two"].shape == (4,)


def test_several_labels_have_each_their_own_probability() -> None:
    baseline, mine = make_pair()
    opened = cl.lineup(baseline=baseline, mine=mine, preprocessing=CIFAR, activation="sigmoid")
    compared = opened.compare(PICTURE)
    logits = compared.comparison.analysis.traces["mine"].logits
    assert compared.probabilities["mine"] == pytest.approx(1 / (1 + np.exp(-logits)), abs=1e-5)


def test_named_stages_and_gates_are_shared_where_they_exist() -> None:
    baseline, mine = make_pair()
    opened = cl.lineup(
        baseline=baseline, mine=mine, preprocessing=CIFAR, stages=["layer1", "layer2"],
        gates={"second": ["layer2.attention.ca", "layer2.attention.sa"]},
    )  # fmt: skip
    compared = opened.compare(PICTURE)
    assert opened.card.stages == (Stage.THREE, Stage.FOUR)
    assert compared.heat_maps["baseline"].shape == (8, 8)
    assert compared.gates["baseline"] == {}
    assert set(compared.gates["mine"]["second"]) == {"channel", "spatial"}


def test_named_gate_that_multiplies_nothing_is_shown_but_not_opened() -> None:
    class Added(Luuuyi):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = x + self.sa(x)
            return result

    opened = cl.lineup(
        baseline=SmallNetwork(), mine=SmallNetwork(Added), preprocessing=CIFAR, gates={"added": "layer1.attention.sa"}
    )
    assert opened.compare(PICTURE).gates["mine"]["added"]["spatial"].shape == (16, 16)

    with TestClient(create_app(Settings(), lineups=[opened.lineup])) as client:
        identifier = client.post("/api/v1/analyses", files={"image": ("a.png", encode(PICTURE))}).json()["id"]
        refused = client.get(f"/api/v1/analyses/{identifier}/blocks/mine/added")
        assert refused.status_code == 422
        assert "cannot be opened" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("networks", "options", "told"),
    [
        ({}, {}, "two to five networks"),
        ({"one": SmallNetwork()}, {}, "networks: .*at least 2"),
        ({"One": SmallNetwork(), "two": SmallNetwork()}, {}, "networks.One"),
        ({"figure": SmallNetwork(), "two": SmallNetwork()}, {}, "no network may be called figure"),
        ({"one": SmallNetwork(), "two": "resnet18"}, {}, "two is str; a network is a torch module"),
        ({"one": SmallNetwork(), "two": SmallNetwork(classes=4)}, {}, "baseline has 5 classes, another network 4"),
        ({"one": SmallNetwork(), "two": SmallNetwork()}, {"classes": ["a"]}, "it has 5 classes, and classes= has 1"),
        ({"one": SmallNetwork(), "two": SmallNetwork()}, {"classes": ["a"] * 5}, "twice"),
        ({"one": SmallNetwork(), "two": SmallNetwork()}, {"preprocessing": {"resolution": 33}}, "preprocessing: resol"),
        ({"one": SmallNetwork(), "two": SmallNetwork()}, {"preprocessing": {"size": 32}}, "preprocessing: size: Extra"),
        ({"one": SmallNetwork(), "two": SmallNetwork()}, {"preprocessing": None}, "one: .*does not run on"),
        (
            {"one": SmallNetwork(), "two": SmallNetwork()}, {"preprocessing": CIFAR | {"geometry": "whole"}},
            "accepts only square pictures",
        ),
        ({"one": SmallNetwork(), "two": SmallNetwork()}, {"gates": {"a": "layer9"}}, "no such module"),
    ],
)  # fmt: skip
def test_lineup_that_cannot_be_is_refused_with_the_remedy(
    networks: dict[str, Any], options: dict[str, Any], told: str
) -> None:
    with pytest.raises(cl.LineupError, match=told):
        cl.lineup(networks, **({"preprocessing": CIFAR} | options))


def test_different_preprocessing_is_refused() -> None:
    one = cl.network(SmallNetwork(), preprocessing=CIFAR)
    two = cl.network(SmallNetwork(), preprocessing=CIFAR | {"mean": (0, 0, 0)})
    with pytest.raises(cl.LineupError, match="see the same input"):
        cl.lineup(one=one, two=two)


MADE = "python:tests.models.foreign.made"


def test_functions_make_the_networks_of_a_lineup(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join(CLASSES))
    opened = cl.load(f"mine={MADE}:make_baseline,cbam:{MADE}:make_cbam", labels=labels, device="cpu")
    assert opened.networks == ("baseline", "cbam")
    assert opened.compare(PICTURE).heat_maps["cbam"].shape == (4, 4)
    assert "made by tests.models.foreign.made:make_cbam" in opened.card.provenance


@pytest.mark.parametrize(
    ("place", "told"),
    [
        ("fail", "failed: RuntimeError: no weights here"),
        ("make_nothing", "returned NoneType; return a torch module"),
        ("no_such", "has no attribute 'no_such'"),
    ],
)
def test_function_that_makes_no_network_is_refused(place: str, told: str) -> None:
    with pytest.raises(cl.LineupError, match=told):
        cl.load(f"mine={MADE}:make_plain,{MADE}:{place}")


@pytest.mark.parametrize("source", ["python:no_such_module_here:make", "python:os", "python::make"])
def test_place_that_is_none_is_refused(source: str) -> None:
    with pytest.raises(cl.LineupError, match=r"No module named|names no function"):
        cl.load(f"mine={source},{source}")
