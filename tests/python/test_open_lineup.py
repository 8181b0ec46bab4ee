import asyncio
import inspect
import json
import threading
from pathlib import Path

import numpy as np
import pytest

import cbam_lens as cl
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions, TargetOptions
from app.analysis.timing import Timings
from app.engine.device_engine import DeviceEngine
from app.explain.methods import Method
from app.python.background import find_background
from app.python.open_lineup import OpenLineup
from app.python.picture_comparison import PictureComparison
from models.lineups.lineup import Lineup
from models.names import Stage
from tests.conftest import decode
from tests.lineups import RESNET18_110
from tests.photographs import read_photograph


@pytest.fixture(scope="module")
def opened(lineup: Lineup) -> OpenLineup:
    return OpenLineup(lineup)


@pytest.fixture(scope="module")
def compared(opened: OpenLineup) -> PictureComparison:
    return opened.compare(read_photograph("motorcycle"))


def test_answers_are_those_of_the_program(lineup: Lineup, compared: PictureComparison) -> None:
    engine = DeviceEngine(queue_size=4)
    engine.start()
    lens = Lens(engine, lineup, max_pixels=10**7)
    expected = asyncio.run(
        lens.compare_picture(read_photograph("motorcycle"), GeometryOptions(), TargetOptions(), Timings())
    )
    engine.close()
    assert compared.target == expected.target.label
    for name in ("baseline", "cbam"):
        assert np.array_equal(compared.heat_maps[name], expected.heat_maps[name].values)
        assert compared.predictions[name] == expected.predictions(name)


def test_arrays_have_their_documented_shapes_and_ranges(opened: OpenLineup, compared: PictureComparison) -> None:
    for values in compared.heat_maps.values():
        assert values.dtype == np.float32
        assert values.ndim == 2
        assert values.min() >= 0
        assert not values.flags.writeable
    assert compared.gates["baseline"] == {}
    block = compared.gates["cbam"]["layer4.1"]
    assert {kind: gate.ndim for kind, gate in block.items()} == {"spatial": 2, "channel": 1}
    assert all(0 <= gate.min() <= gate.max() <= 1 for gate in block.values())
    assert compared.probabilities["cbam"].shape == (len(opened.classes),)
    assert compared.probabilities["cbam"].sum() == pytest.approx(1, abs=1e-4)
    assert compared.box == (0, 0, 741, 500)


def test_options_are_followed(opened: OpenLineup) -> None:
    asked = opened.compare(
        read_photograph("cat"), "motorbikes", method="hirescam", stage=3, geometry="center_crop", resolution=160,
        interventions=["all:spatial:neutral"],
    )  # fmt: skip
    comparison = asked.comparison
    assert asked.target.name == "motorbikes"
    assert (comparison.method, comparison.stage) == (Method.HIRESCAM, Stage.THREE)
    assert asked.heat_maps["cbam"].shape == (10, 10)
    assert np.ptp(asked.gates["cbam"]["layer1.0"]["spatial"]) == pytest.approx(0, abs=1e-6)


def test_another_question_needs_no_other_pass(
    opened: OpenLineup, compared: PictureComparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = opened.compare(read_photograph("motorcycle"), 30, stage=3)
    traced = {name: network.trace for name, network in opened.lineup.networks.items()}
    for network in opened.lineup.networks.values():
        monkeypatch.setattr(network, "trace", lambda *_, **__: pytest.fail("traced again"))
    asked = compared.explain(30, stage=3)
    assert traced
    assert np.array_equal(asked.heat_maps["cbam"], fresh.heat_maps["cbam"])


def test_finer_cam_contrasts_and_says_with_which(compared: PictureComparison) -> None:
    near = compared.explain(method="finercam")
    assert len(near.against) == 3
    assert near.target not in near.against
    named = compared.explain(method="finercam", against="dalmatian")
    assert [label.name for label in named.against] == ["dalmatian"]
    assert {row["against"] for row in named.rows()} == {"dalmatian"}
    assert not np.array_equal(named.heat_maps["cbam"], near.heat_maps["cbam"])
    assert compared.against == ()


def test_score_cam_is_a_mean_of_activations(opened: OpenLineup) -> None:
    scored = opened.compare(
        read_photograph("motorcycle"), method="scorecam", stage=1, geometry="center_crop", resolution=160
    )
    for name, heat_map in scored.heat_maps.items():
        features = scored.comparison.analysis.traces[name].features[Stage.ONE]
        assert heat_map.shape == features.shape[1:]
        assert 0 < heat_map.max() <= features.max()


def test_question_after_changed_gates_keeps_the_changes(opened: OpenLineup) -> None:
    changes = ("all:spatial:neutral",)
    changed = opened.compare(read_photograph("cat"), interventions=changes)
    asked = changed.explain("dalmatian", stage=3)
    fresh = opened.compare(read_photograph("cat"), "dalmatian", stage=3, interventions=changes)
    assert np.array_equal(asked.heat_maps["cbam"], fresh.heat_maps["cbam"])
    assert asked.concepts(2).stage is Stage.FOUR


def test_concepts_have_places_shares_classes_and_an_image(compared: PictureComparison) -> None:
    concepts = compared.concepts(3)
    assert isinstance(concepts, cl.PictureConcepts)
    assert concepts.places.keys() == {"baseline", "cbam"}
    for name, places in concepts.places.items():
        assert len(places) == len(concepts.predictions[name]) == 3
        assert all(place.shape == places[0].shape and place.min() >= 0 for place in places)
        assert sum(concepts.shares[name]) == pytest.approx(1, abs=1e-4)
    image = concepts.image("baseline")
    assert (image.mode, image.size) == ("RGB", (741, 500))
    assert np.any(np.asarray(image) != np.asarray(concepts.image()))
    assert [row["concept"] for row in concepts.rows()] == [1, 2, 3, 1, 2, 3]
    assert compared.concepts(2, stage=2).rows()[0]["first"] is None


@pytest.mark.parametrize(
    ("options", "told"), [({"count": 1}, "choose 2 to 8"), ({"count": 9}, "choose 2 to 8"), ({"stage": 7}, "stage '7'")]
)
def test_wrong_number_of_concepts_is_refused(compared: PictureComparison, options: dict[str, int], told: str) -> None:
    with pytest.raises(cl.LensError, match=told):
        compared.concepts(**options)


def test_class_is_chosen_by_index_and_by_name(opened: OpenLineup, compared: PictureComparison) -> None:
    assert compared.explain(0).target.name == opened.classes[0].name
    assert compared.explain(opened.classes[7].name).target.index == 7


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"target": "no such class"}, "no such class"),
        ({"against": "dalmatian"}, "choose method finercam, or leave against out"),
        ({"method": "rise"}, "method 'rise' is not one of gradcam, "),
        ({"stage": 5}, "stage '5' is not one of 1, 2, 3, 4"),
        ({"geometry": "round"}, "geometry 'round' is not one of whole, center_crop"),
        ({"resolution": 223}, "resolution '223' is not one of"),
        ({"interventions": ["everything"]}, "everything"),
    ],
)
def test_wrong_option_is_refused_with_the_allowed_values(
    opened: OpenLineup, options: dict[str, object], told: str
) -> None:
    with pytest.raises(cl.LensError, match=told):
        opened.compare(read_photograph("cat"), **options)  # type: ignore[arg-type]


def test_notebook_with_its_own_event_loop_can_ask(opened: OpenLineup) -> None:
    async def cell() -> str:
        return opened.compare(read_photograph("rocket")).target.name

    assert asyncio.run(cell()) == opened.compare(read_photograph("rocket")).target.name


def test_several_threads_can_ask(opened: OpenLineup) -> None:
    names = ["motorcycle", "cat", "rocket"]
    answers: dict[str, str] = {}

    def ask(name: str) -> None:
        answers[name] = opened.compare(read_photograph(name)).target.name

    threads = [threading.Thread(target=ask, args=[name]) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {name: opened.compare(read_photograph(name)).target.name for name in names}


def test_interrupt_drops_the_question() -> None:
    is_cancelled = threading.Event()

    async def answer() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            is_cancelled.set()
            raise

    background = find_background()
    question = answer()

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("concurrent.futures.Future.result", interrupt)
        with pytest.raises(KeyboardInterrupt):
            background.run(question)
    # The task may not have begun when it was cancelled; then its coroutine is closed without running.
    assert is_cancelled.wait(1) or inspect.getcoroutinestate(question) == inspect.CORO_CLOSED


def test_rows_have_numbers_of_each_network(compared: PictureComparison) -> None:
    rows = compared.rows()
    assert [row["network"] for row in rows] == ["baseline", "cbam"]
    assert rows[0].keys() == rows[1].keys()
    assert rows[1]["probability"] == pytest.approx(compared.probabilities["cbam"][compared.target.index])
    assert rows[1]["map_max"] == pytest.approx(compared.heat_maps["cbam"].max())
    assert rows[0]["correlation"] is None
    assert -1 <= rows[1]["correlation"] <= 1


def test_figure_has_a_panel_more_with_the_difference(compared: PictureComparison) -> None:
    without = compared.figure(difference=False, scale="own", colormap="jet", opacity=0.3)
    assert without.mode == "RGB"
    assert compared.figure().width > without.width
    with pytest.raises(ValueError, match="opacity"):
        compared.figure(opacity=2)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf", "npz", "json", "html", "PNG"])
def test_file_is_of_the_format_of_its_name(compared: PictureComparison, tmp_path: Path, suffix: str) -> None:
    path = compared.save(tmp_path / f"a.{suffix}")
    content = path.read_bytes()
    starts = {"svg": b"<?xml", "pdf": b"%PDF", "npz": b"PK", "json": b"{", "html": b"<!doctype html>"}
    if suffix in starts:
        assert content.startswith(starts[suffix])
    else:
        assert decode(content).format == "PNG"


def test_numbers_and_arrays_are_read_back(compared: PictureComparison, tmp_path: Path) -> None:
    numbers = json.loads(compared.save(tmp_path / "a.json").read_text())
    assert numbers["target"]["class_name"] == compared.target.name
    with np.load(compared.save(tmp_path / "a.npz")) as arrays:
        assert np.array_equal(arrays["cbam_heat_map"], compared.heat_maps["cbam"])


def test_unknown_suffix_is_refused(compared: PictureComparison, tmp_path: Path) -> None:
    with pytest.raises(cl.LensError, match=r"suffix '\.gif' is not one of \.png"):
        compared.save(tmp_path / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_folder_that_does_not_exist_is_an_error_of_the_system(compared: PictureComparison, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot be written"):
        compared.save(tmp_path / "no" / "a.png")


def test_known_lineup_is_loaded_by_its_name(compared: PictureComparison) -> None:
    opened = cl.load(RESNET18_110, device="cpu")
    assert opened.networks == ("baseline", "cbam")
    assert "resnet18-110" in repr(opened)
    again = opened.compare(read_photograph("motorcycle"))
    assert again.target == compared.target
    # BatchNorm is folded here.
    assert again.heat_maps["cbam"] == pytest.approx(compared.heat_maps["cbam"], abs=1e-3)
    assert "P = " in repr(again)


def test_sources_are_loaded_as_on_the_command_line(tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("cat\ndog\n")
    opened = cl.load("mine=untrained:resnet18,untrained:resnet18+se", labels=labels, device="cpu")
    assert [label.name for label in opened.classes] == ["cat", "dog"]
    assert "untrained" in repr(opened)


@pytest.mark.parametrize(
    ("name", "told"), [("no-such", "there is no such file"), ("imagenet-resnet18", "without --offline")]
)
def test_lineup_that_cannot_be_had_is_refused(
    name: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CBAM_LENS_CACHE_DIR", str(tmp_path))
    with pytest.raises(cl.LineupError, match=told):
        cl.load(name, offline=True)


def test_public_names_exist() -> None:
    assert all(getattr(cl, name) is not None for name in cl.__all__)
    with pytest.raises(AttributeError, match="no attribute 'compare'"):
        cl.compare  # noqa: B018
