"""The pictures of the evidence page: shown and opened where they are at hand, and no other file is."""

import shutil
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.api.lineups import build_lineup_description
from app.main import create_app
from app.pages.evidence.page import build_record_view
from app.pages.evidence.pictures import SHIPPED_PICTURES, find_picture
from app.pages.evidence.store import find_records
from app.settings import Settings
from models.lineups.card import SHIPPED_LINEUP, read_card
from models.lineups.lineup import Lineup
from tests.conftest import decode

DATA = "caltech101_masked"


def list_shipped() -> list[str]:
    return [path.relative_to(SHIPPED_PICTURES).as_posix() for path in sorted(SHIPPED_PICTURES.rglob("*.jpg"))]


def test_shipped_pictures_are_those_that_differ_most_with_cbam() -> None:
    records = {record.data: record for record in find_records(read_card(SHIPPED_LINEUP).name)}
    focus = records[DATA].focus
    assert focus is not None
    contrast = focus.maps[0].contrasts["cbam"]
    wanted = {f"{DATA}/{picture.file}" for picture in (*contrast.helped, *contrast.hurt)}
    assert set(list_shipped()) == wanted
    assert len(wanted) == 20


def test_thumbnail_is_a_small_jpeg(client: TestClient) -> None:
    answer = client.get(f"/evidence/pictures/{list_shipped()[0]}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg")
    assert max(decode(answer.content).size) <= 320


@pytest.mark.parametrize(
    "address",
    [f"{DATA}/ant/image_0000.jpg", f"{DATA}/../../../labels_110.json", "README.md", f"{DATA}/", "%2Fetc%2Fpasswd"],
)
def test_other_files_are_no_pictures(client: TestClient, address: str) -> None:
    answer = client.get(f"/evidence/pictures/{address}")
    assert answer.status_code in {404, 422}
    assert client.post("/", data={"evidence": address}).status_code == 422


def test_picture_opens_its_comparison_for_the_true_class(client: TestClient) -> None:
    address = next(name for name in list_shipped() if "/dragonfly/" in name or "/ant/" in name)
    class_name = address.split("/")[1]
    answer = client.post("/", data={"evidence": address, "target": class_name}, follow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["location"].endswith(f"?target={class_name}")
    assert Path(address).name in client.get(answer.headers["location"]).text


def test_folder_of_ones_own_shows_what_is_not_shipped(tmp_path: Path, lineup: Lineup) -> None:
    (focus,) = [record.focus for record in find_records(lineup.card.name)]
    assert focus is not None
    (contrast,) = focus.maps[0].contrasts.values()
    file = next(picture.file for picture in contrast.hurt if f"{DATA}/{picture.file}" not in list_shipped())
    assert find_picture(DATA, file, ()) is None
    kept = tmp_path / DATA / file
    kept.parent.mkdir(parents=True)
    shutil.copy(SHIPPED_PICTURES / list_shipped()[0], kept)
    with TestClient(create_app(Settings(evidence_pictures=(tmp_path,)), lineups=[lineup])) as client:
        assert client.get(f"/evidence/pictures/{DATA}/{file}").status_code == 200
        assert f"/evidence/pictures/{DATA}/{file}" in client.get("/evidence").text


def test_page_says_how_to_see_pictures_that_are_not_at_hand(lineup: Lineup) -> None:
    described = build_lineup_description(lineup)
    (record,) = find_records(lineup.card.name)
    assert record.focus is not None
    elsewhere = record.model_copy(update={"data": "somebodys_data"})
    view = build_record_view(described, elsewhere, record.focus)
    assert "CBAM_LENS_EVIDENCE_PICTURES=DIR" in view.contrasts[0].pictures_note
    assert not view.contrasts[0].has_pictures
