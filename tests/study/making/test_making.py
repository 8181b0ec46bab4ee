"""Studies made of real pictures with the trained lineup of the tests."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from app.analysis.options import GeometryOptions
from app.analysis.sheets import Sheet, SheetRow
from app.analysis.upload_folder import UploadFolder
from app.errors import InvalidOption
from app.explain.methods import Method
from app.settings import Settings
from app.study.kinds import QuestionKind
from app.study.making.drafting import DraftOptions, choose_pair
from app.study.making.drawing import turn
from app.study.making.questions import MOST_TURNED_EVIDENCE
from app.study.making.run import StudyOptions, make_study
from models.lineups.lineup import Lineup
from models.names import Stage
from tests.conftest import decode, encode, make_picture
from tests.lineups import RESNET18_110
from tests.photographs import read_photograph

SETTINGS = Settings(lineups=(str(RESNET18_110),), device="cpu")


def make_options(pictures: Path | str, **changes: object) -> StudyOptions:
    fixed: dict[str, object] = {
        "title": "A class",
        "threshold": 0.6,
        "only_both_right": False,
        "pictures_each": 10,
        "catches": 1,
        "people": 100,
        "until": None,
        "method": Method.GRADCAM,
        "stage": Stage.FOUR,
    }
    draft = DraftOptions(**(fixed | changes))  # type: ignore[arg-type]
    return StudyOptions(str(pictures), "", GeometryOptions(), draft)


@pytest.fixture(scope="module")
def class_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three pictures in folders of two classes, and one file that is no picture."""
    folder = tmp_path_factory.mktemp("pictures")
    for name, content in (
        ("motorbikes/one.png", read_photograph("motorcycle")),
        ("motorbikes/noise.png", encode(make_picture(120, 80))),
        ("dalmatian/other.png", encode(make_picture(90, 120, seed=2))),
        ("dalmatian/broken.png", b"no picture"),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_folders_name_classes_and_each_usable_picture_becomes_a_pair(class_folders: Path) -> None:
    draft = make_study(SETTINGS, make_options(class_folders))
    pairs = [question for question in draft.questions if question.kind is QuestionKind.PAIR]
    usable = {"one.png": "motorbikes", "noise.png": "motorbikes", "other.png": "dalmatian"}
    assert {question.name: question.class_name for question in pairs}.items() <= usable.items()
    assert draft.plan.class_source == "folders"
    assert len(pairs) + sum(draft.plan.left_out.values()) == 4
    assert any("broken.png" in reason for reason in draft.plan.left_out)
    assert draft.plan.pictures_each == len(pairs)
    assert [network.name for network in draft.plan.networks] == ["baseline", "cbam"]
    for question in pairs:
        first, second = decode(question.first.content), decode(question.second.content)
        assert first.size == second.size == (question.width, question.height)
        assert max(first.size) <= 720
        assert question.first.content != question.second.content


def test_catch_questions_are_the_same_map_twice_and_turned_where_nothing_is(class_folders: Path) -> None:
    draft = make_study(SETTINGS, make_options(class_folders, catches=5))
    same = [question for question in draft.questions if question.kind is QuestionKind.SAME]
    assert same
    assert all(question.first is question.second for question in same)
    for question in draft.questions:
        if question.kind is QuestionKind.TURNED:
            assert question.first.content != question.second.content
    without = make_study(SETTINGS, make_options(class_folders, catches=0))
    assert {question.kind for question in without.questions} == {QuestionKind.PAIR}


def test_whole_maps_cover_the_picture_and_regions_leave_it(class_folders: Path) -> None:
    region, whole = (
        decode(make_study(SETTINGS, make_options(class_folders, threshold=threshold)).questions[0].first.content)
        for threshold in (0.6, 0.0)
    )
    assert region.size == whole.size
    assert np.abs(np.asarray(region, dtype=int) - np.asarray(whole, dtype=int)).mean() > 20


def test_only_both_right_leaves_out_what_a_network_names_wrongly(class_folders: Path) -> None:
    draft = make_study(SETTINGS, make_options(class_folders, only_both_right=True))
    names = {question.name for question in draft.questions}
    assert names == {"one.png"}
    assert draft.plan.left_out["not named rightly by both networks"] >= 1


def test_flat_folder_is_guessed_and_cannot_be_only_right(tmp_path: Path) -> None:
    (tmp_path / "bike.png").write_bytes(read_photograph("motorcycle"))
    draft = make_study(SETTINGS, make_options(tmp_path))
    assert draft.plan.class_source == "guess"
    assert draft.questions[0].class_name == "motorbikes"
    with pytest.raises(InvalidOption, match="give one folder per class"):
        make_study(SETTINGS, make_options(tmp_path, only_both_right=True))


def test_sheet_gives_its_pictures(tmp_path: Path) -> None:
    settings = SETTINGS.model_copy(update={"store": tmp_path})
    folder = UploadFolder(tmp_path, max_bytes=10**8, seconds=1000)
    head = b'{"lineup":"x","geometry":"whole","resolution":224,"name":"bike.png","made_at":0}\n'
    (tmp_path / "aaaaaaaaaaaaaaaaaaaa.upload").write_bytes(head + read_photograph("motorcycle"))
    sheet = Sheet((SheetRow("bike.png", "aaaaaaaaaaaaaaaaaaaa"), SheetRow("broken.png", problem="no picture")))
    folder.add_sheet(sheet)
    for text in (sheet.id, f"http://127.0.0.1:8000/sheets/{sheet.id}?sort=overlap"):
        draft = make_study(settings, make_options(text))
        assert [question.name for question in draft.questions if question.kind is QuestionKind.PAIR] == ["bike.png"]
    with pytest.raises(InvalidOption, match="CBAM_LENS_STORE"):
        make_study(SETTINGS, make_options(sheet.id))


def test_pictures_of_which_none_can_be_used_are_refused_with_the_reasons(tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"no picture")
    with pytest.raises(InvalidOption, match=r"none of the pictures can be used: 1 not readable \(broken\.png"):
        make_study(SETTINGS, make_options(tmp_path))
    shutil.rmtree(tmp_path)
    tmp_path.mkdir()
    with pytest.raises(InvalidOption, match="no pictures"):
        make_study(SETTINGS, make_options(tmp_path))


def test_study_compares_exactly_two_networks(lineup: Lineup) -> None:
    assert choose_pair(lineup.card, "") == ("baseline", "cbam")
    assert choose_pair(lineup.card, "cbam,baseline") == ("cbam", "baseline")
    for wrong in ("cbam", "cbam,cbam", "cbam,other"):
        with pytest.raises(InvalidOption, match="networks"):
            choose_pair(lineup.card, wrong)


def test_turned_map_is_the_map_seen_upside_down() -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert turn(values).tolist() == [[5, 4, 3], [2, 1, 0]]
    assert 0 < MOST_TURNED_EVIDENCE < 0.5
