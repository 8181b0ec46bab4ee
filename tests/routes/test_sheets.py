"""`/sheets`, the contact sheet and the ZIP files."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.analysis.sheets import MOST_ROWS, clean_name, make_slug
from app.main import create_app
from app.settings import COMPUTED_BYTES, Settings
from models.lineups.lineup import Lineup
from tests.conftest import decode, encode, make_picture
from tests.photographs import read_photograph

pytestmark = pytest.mark.slow

Files = list[tuple[str, tuple[str, bytes]]]

SMALL = encode(make_picture(60, 40))
BROKEN = b"no picture at all"

MAPS = ("baseline", "cbam", "difference")


def send(client: TestClient, *pictures: tuple[str, bytes], **options: str) -> Any:
    files: Files = [("image", picture) for picture in pictures]
    return client.post("/sheets", files=files, data=options, follow_redirects=False)


def open_zip(content: bytes) -> zipfile.ZipFile:
    archive = zipfile.ZipFile(io.BytesIO(content))
    assert archive.testzip() is None
    return archive


@pytest.fixture(scope="module")
def sheet(client: TestClient) -> str:
    """The address of a sheet of three pictures, the second one broken."""
    answer = send(
        client, ("cat.jpg", read_photograph("cat")), ("notes.jpg", BROKEN), ("Rocket 1.jpg", read_photograph("rocket"))
    )
    assert answer.status_code == 303, answer.text
    address: str = answer.headers["location"]
    return address


@pytest.fixture
def small_client(lineup: Lineup) -> Iterator[TestClient]:
    """A server with low limits."""
    settings = Settings(sheet_pictures=2, max_upload_bytes=100_000, cache_bytes=2 * COMPUTED_BYTES + 150_000)
    with TestClient(create_app(settings, lineups=[lineup])) as client:
        yield client


def test_sheet_has_a_row_a_picture_with_its_numbers_and_images(client: TestClient, sheet: str) -> None:
    html = client.get(sheet).text
    assert html.count('class="sheet-row"') == 3
    assert html.count("<dt>Overlap</dt>") == html.count("<dt>Correlation</dt>") == 2
    images = [address.replace("&amp;", "&") for address in re.findall(r'<img src="([^"]+)"', html)]
    assert len(images) == 8
    for address in images:
        assert max(decode(client.get(address).content).size) <= 640
    for address in re.findall(r'<h2 class="sheet-name"><a href="([^"]+)"', html):
        assert client.get(address.replace("&amp;", "&")).status_code == 200


def test_sheet_says_of_a_broken_picture_what_is_wrong_in_its_row(client: TestClient, sheet: str) -> None:
    row = client.get(sheet).text.split('class="sheet-row"')[2]
    assert "notes.jpg" in row
    assert "Nothing to show" in row
    assert "send" in row
    assert "<img" not in row


def test_sheet_gives_the_numbers_of_the_single_analysis(client: TestClient, sheet: str) -> None:
    html = client.get(sheet, params={"method": "layercam", "stage": 3}).text
    address = re.findall(r'<h2 class="sheet-name"><a href="/analyses/([^"?]+)', html)[0]
    answer = client.get(f"/api/v1/analyses/{address}", params={"method": "layercam", "stage": 3}).json()
    assert f"<dt>Overlap</dt><dd>{answer['comparisons']['cbam']['overlap']:.2f}</dd>" in html
    assert f"<dt>Correlation</dt><dd>{answer['comparisons']['cbam']['correlation']:.2f}</dd>" in html
    assert answer["target"]["class_name"] in html


def test_sheet_asks_every_picture_about_the_chosen_class(client: TestClient, sheet: str) -> None:
    html = client.get(sheet, params={"target": "panda"}).text
    assert html.count('<span class="sheet-class">panda</span>') == 2
    assert client.get(sheet, params={"target": "no such class"}).status_code == 422


def test_unknown_class_is_answered_beside_its_field_and_nothing_is_lost(client: TestClient, sheet: str) -> None:
    answer = client.get(sheet, params={"target": "pandda", "method": "layercam"})
    assert answer.status_code == 422
    assert 'name="target" value="pandda"' in answer.text
    assert "did you mean panda" in answer.text
    assert '<option value="layercam" selected>' in answer.text
    assert answer.text.count("<dt>Overlap</dt>") == 2


def test_row_explains_a_class_of_its_own(client: TestClient, sheet: str) -> None:
    query: dict[str, str | int] = {"change_row": 3, "change_target": "panda", "method": "layercam"}
    answer = client.get(sheet, params=query, follow_redirects=False)
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address.endswith("#row-3")
    html = client.get(address).text
    assert html.count('<span class="sheet-class">panda</span>') == 1
    assert re.search(r'name="method" value="layercam"', html)
    # Its files explain the same class.
    asked = address.removeprefix(sheet).partition("#")[0]
    lines = client.get(f"{sheet}/numbers.csv{asked}").content.decode("utf-8-sig").splitlines()
    assert [("panda" in line) for line in lines if line.startswith("3,")] == [True, True]
    # An empty field gives the row the others' class again.
    back = client.get(sheet, params={"row_target": "3:panda", "change_row": 3, "change_target": ""}).text
    assert '<span class="sheet-class">panda</span>' not in back


def test_unknown_class_of_a_row_is_answered_in_the_row(client: TestClient, sheet: str) -> None:
    query: dict[str, str | int] = {"row_target": "1:panda", "change_row": 3, "change_target": "rocketship"}
    answer = client.get(sheet, params=query)
    assert answer.status_code == 422
    rows = answer.text.split('class="sheet-row"')
    assert "is not one of the" in rows[3]
    assert 'value="rocketship"' in rows[3]
    assert '<span class="sheet-class">panda</span>' in rows[1]
    assert 'value="panda"' in rows[1]


def test_row_can_be_removed_and_comes_back(client: TestClient, sheet: str) -> None:
    removal = re.findall(r'class="sheet-removal" href="([^"]+)"', client.get(sheet).text)[0].replace("&amp;", "&")
    html = client.get(removal).text
    assert html.count('class="sheet-row"') == 2
    assert 'id="row-1"' not in html
    whole = re.findall(r'<a href="([^"]+)">Show all rows</a>', html)[0]
    assert client.get(whole).text.count('class="sheet-row"') == 3
    names = open_zip(client.get(f"{sheet}/everything.zip", params={"without": 1}).content).namelist()
    assert not [name for name in names if name.startswith("01-")]


def test_rows_can_be_moved_by_hand(client: TestClient, sheet: str) -> None:
    def read_rows(html: str) -> list[str]:
        return re.findall(r'class="sheet-row" id="row-(\d)"', html)

    up = client.get(sheet, params={"move_up": 3, "colormap": "magma"})
    assert read_rows(up.text) == ["1", "3", "2"]
    assert '<option value="hand" selected>As moved by hand</option>' in up.text
    assert up.url.params["colormap"] == "magma"
    assert "move_up" not in up.url.params
    down = client.get(up.url.copy_merge_params({"move_down": 1}))
    assert read_rows(down.text) == ["3", "1", "2"]
    # From where a sorted row stands.
    first, *others = read_rows(client.get(sheet, params={"sort": "overlap"}).text)
    assert read_rows(client.get(sheet, params={"sort": "overlap", "move_down": first}).text) == [
        others[0],
        first,
        *others[1:],
    ]
    assert '"hand"' not in client.get(sheet).text
    names = client.get(f"{sheet}/numbers.csv", params=dict(down.url.params)).text.splitlines()
    plain = client.get(f"{sheet}/numbers.csv").text.splitlines()
    assert sorted(names) == sorted(plain)
    assert names != plain


def test_sheet_is_sorted_and_filtered_by_its_address(client: TestClient, sheet: str) -> None:
    html = client.get(sheet, params={"sort": "overlap"}).text
    overlaps = [float(value) for value in re.findall(r"<dt>Overlap</dt><dd>([\d.]+)</dd>", html)]
    assert overlaps == sorted(overlaps)
    assert re.findall(r'id="row-(\d)"', html)[-1] == "2"
    assert '<option value="overlap" selected>' in html
    filtered = client.get(sheet, params={"only": "disagree"}).text
    assert filtered.count('class="sheet-row"') == filtered.count("networks disagree</strong>")
    assert client.get(sheet, params={"sort": "colour"}).status_code == 422


def test_row_shows_its_scales_and_what_the_networks_guess(client: TestClient, sheet: str) -> None:
    row = client.get(sheet, params={"colormap": "magma"}).text.split('class="sheet-row"')[1]
    assert "Colours of magma, from 0 to" in row
    assert "one scale for this row" in row
    assert "Colours of RdBu_r, from −" in row
    assert row.count('class="sheet-network"') == 2
    own = client.get(sheet, params={"scale": "own"}).text.split('class="sheet-row"')[1]
    assert own.count('class="colour-bar"') == 3


def test_sheet_doubts_a_picture_that_no_class_fits(client: TestClient) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (96, 96, 3), dtype=np.uint8)
    picture = ("noise.png", encode(Image.fromarray(noise)))
    address = send(client, picture, picture).headers["location"]
    html = client.get(address).text
    analysis = re.findall(r'<h2 class="sheet-name"><a href="(/analyses/[^"?]+)', html)[0]
    doubts = re.findall(r'<p class="warning doubt">(.*?) <a', client.get(analysis).text)
    assert len(doubts) == 1
    assert html.count(f'<p class="warning sheet-doubt">{doubts[0]}</p>') == 2


def test_analysis_leads_back_to_the_sheet_with_its_options(client: TestClient, sheet: str) -> None:
    html = client.get(sheet, params={"sort": "overlap", "method": "layercam"}).text
    row = html.split('id="row-3"')[1]
    address = re.findall(r'<h2 class="sheet-name"><a href="([^"]+)"', row)[0].replace("&amp;", "&")
    page = client.get(address).text.replace("&amp;", "&")
    back = re.findall(r'<a href="([^"]+)" data-sheet>Back to the sheet</a>', page)
    assert back == [f"{sheet}?method=layercam&sort=overlap#row-3"]
    assert 'type="hidden" name="sheet"' in page
    assert "Back to the sheet" not in client.get(address.partition("?")[0]).text
    for foreign in ("//example.org/x", "https://example.org", "a/b", "a?x=//y"):
        assert client.get(address.partition("?")[0], params={"sheet": foreign}).status_code == 422


def test_figure_of_chosen_rows_has_these_alone(client: TestClient, sheet: str) -> None:
    both, one = (
        decode(client.get(f"{sheet}/sheet.png?layout=columns&{query}").content) for query in ("rows=1&rows=3", "rows=3")
    )
    assert one.height <= both.height
    assert one.width <= both.width
    assert client.get(f"{sheet}/sheet.png?rows=201").status_code == 422


def test_numbers_are_those_of_the_analyses(client: TestClient, sheet: str) -> None:
    answer = client.get(f"{sheet}/numbers.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [(line["row"], line["network"]) for line in lines] == [
        ("1", "baseline"),
        ("1", "cbam"),
        ("2", ""),
        ("3", "baseline"),
        ("3", "cbam"),
    ]
    assert "send" in lines[2]["problem"]
    first = re.findall(r'<h2 class="sheet-name"><a href="/analyses/([^"?]+)', client.get(sheet).text)[0]
    numbers = client.get(f"/api/v1/analyses/{first}").json()
    assert float(lines[1]["overlap_with_baseline"]) == numbers["comparisons"]["cbam"]["overlap"]
    assert float(lines[1]["probability"]) == numbers["networks"]["cbam"]["target_probability"]
    assert float(lines[0]["map_maximum"]) == numbers["networks"]["baseline"]["heat_map"]["max"]


def test_names_in_the_numbers_are_no_formulas(client: TestClient) -> None:
    address = send(client, ("=1+1.png", SMALL), ("b.png", SMALL)).headers["location"]
    text = client.get(f"{address}/numbers.csv").content.decode("utf-8-sig")
    assert ",'=1+1.png," in text


def test_one_picture_leads_to_its_analysis_as_before(client: TestClient) -> None:
    answer = send(client, ("cat.jpg", read_photograph("cat")))
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/analyses/")
    answer = client.post("/", files={"image": ("cat.jpg", read_photograph("cat"))}, follow_redirects=False)
    assert answer.headers["location"].startswith("/analyses/")


def test_no_picture_is_said_beside_the_form(client: TestClient) -> None:
    # As browsers send a form without a file; httpx leaves out an empty name.
    body = b'--x\r\nContent-Disposition: form-data; name="image"; filename=""\r\n\r\n\r\n--x--\r\n'
    answer = client.post("/sheets", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"})
    assert answer.status_code == 400
    assert "no picture was chosen" in answer.text


def test_too_many_pictures_are_refused_with_a_sentence(small_client: TestClient) -> None:
    answer = send(small_client, *[(f"{index}.png", SMALL) for index in range(3)])
    assert answer.status_code == 413
    assert "3 pictures; the limit is 2 at once; send fewer" in answer.text
    rows = [{"name": "a", "problem": "b"}] * 3
    answer = small_client.post("/sheets/rows", json={"rows": rows})
    assert answer.status_code == 413
    assert "3 pictures; the limit is 2" in answer.text


def test_too_many_bytes_together_are_refused_on_this_path_and_one_pictures_on_others(small_client: TestClient) -> None:
    answer = send(small_client, ("a.png", bytes(120_000)), ("b.png", bytes(120_000)))
    assert answer.status_code == 413
    assert "for all pictures together is 0.15 MB; send fewer at once" in answer.text
    answer = small_client.post("/", files={"image": ("a.png", bytes(180_000))})
    assert answer.status_code == 413
    assert "the limit is 0.1 MB" in answer.text


def test_default_cache_holds_the_largest_sheet() -> None:
    settings = Settings()
    assert settings.sheet_bytes == 128_000_000, "docs/deployment.md and compose.yaml (client_max_body_size) name it"
    assert settings.sheet_pictures * COMPUTED_BYTES + settings.sheet_bytes <= settings.cache_bytes


@pytest.mark.parametrize("size", [(4000, 3000), (4000, 2000)])
def test_cache_has_room_for_what_is_computed_of_a_phones_picture(lineup: Lineup, size: tuple[int, int]) -> None:
    picture = encode(make_picture(*size), "JPEG")
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        assert client.post("/api/v1/analyses", files={"image": ("a.jpg", picture)}).status_code == 201
        (kept,) = re.findall(r"^cbam_lens_cache_bytes (\S+)$", client.get("/metrics").text, re.MULTILINE)
    assert float(kept) - len(picture) <= COMPUTED_BYTES


def test_one_picture_with_too_many_bytes_is_a_row(small_client: TestClient) -> None:
    answer = send(small_client, ("a.png", bytes(100_001)), ("b.png", SMALL))
    html = small_client.get(answer.headers["location"]).text
    assert "0.1 MB; the limit is 0.1 MB; send a smaller picture" in html.split('class="sheet-row"')[1]


def test_gone_analysis_is_said_in_its_row(client: TestClient) -> None:
    address = send(client, ("a.png", SMALL), ("b.png", SMALL)).headers["location"]
    gone = re.findall(r'<h2 class="sheet-name"><a href="/analyses/([^"?]+)', client.get(address).text)[0]
    assert client.delete(f"/api/v1/analyses/{gone}").status_code == 204
    rows = client.get(address).text.split('class="sheet-row"')
    assert "is no longer on the server" in rows[1]
    assert "<dt>Overlap</dt>" in rows[2]
    names = open_zip(client.get(f"{address}/everything.zip").content).namelist()
    assert not [name for name in names if name.startswith("01-")]
    assert "02-b/maps.npz" in names


@pytest.mark.parametrize("path", ["", "/sheet.png", "/everything.zip"])
def test_unknown_sheet_is_a_plain_404(client: TestClient, path: str) -> None:
    answer = client.get(f"/sheets/unknown{path}")
    assert answer.status_code == 404
    assert "no sheet has this id" in answer.text


@pytest.mark.parametrize(("form", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<?xml")])
def test_contact_sheet_is_a_file_of_its_format_and_the_same_again(
    client: TestClient, sheet: str, form: str, start: bytes
) -> None:
    answer = client.get(f"{sheet}/sheet.{form}", params={"colormap": "magma"})
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    assert answer.content == client.get(f"{sheet}/sheet.{form}", params={"colormap": "magma"}).content
    assert client.get(f"{sheet}/sheet.gif").status_code == 422


def test_contact_sheet_grows_with_its_rows_and_follows_the_options(client: TestClient, sheet: str) -> None:
    two = send(client, ("a.png", SMALL), ("b.png", SMALL)).headers["location"]
    four = send(client, *[("a.png", SMALL)] * 4).headers["location"]
    heights = [decode(client.get(f"{address}/sheet.png").content).height for address in (two, four)]
    assert heights[1] > 1.7 * heights[0]
    pictures = {
        client.get(f"{sheet}/sheet.png", params=query).content for query in ({}, {"scale": "own"}, {"stage": 2})
    }
    assert len(pictures) == 3


def test_contact_sheet_lies_as_rows_or_as_columns(client: TestClient, sheet: str) -> None:
    def read(**query: str) -> bytes:
        answer = client.get(f"{sheet}/sheet.png", params=query)
        assert answer.status_code == 200, answer.text
        return answer.content

    rows, columns = decode(read()), decode(read(layout="columns"))
    assert read(layout="rows") == read()
    # Two pictures and a broken one: three rows of four panels, or three columns of three.
    assert columns.width < rows.width
    assert columns.height != rows.height
    assert read(of="baseline", minus="cbam") != read()
    assert client.get(f"{sheet}/sheet.png", params={"layout": "heap"}).status_code == 422
    assert client.get(f"{sheet}/sheet.png", params={"of": "other"}).status_code == 422


def test_sheet_offers_both_layouts_and_keeps_the_options_in_them(client: TestClient, sheet: str) -> None:
    html = client.get(sheet, params={"method": "layercam"}).text
    addresses = [address.replace("&amp;", "&") for address in re.findall(r'href="([^"]+/sheet\.p[^"]+)"', html)]
    assert [address.removeprefix(sheet) for address in addresses] == [
        "/sheet.png?method=layercam",
        "/sheet.pdf?method=layercam",
        "/sheet.png?method=layercam&layout=columns",
        "/sheet.pdf?method=layercam&layout=columns",
    ]
    assert len({client.get(address).content for address in addresses}) == 4


def test_zip_of_an_analysis_has_everything_and_opens(client: TestClient, analysis: dict[str, Any]) -> None:
    query: dict[str, str | int] = {"method": "layercam", "stage": 3, "colormap": "magma"}
    answer = client.get(f"/analyses/{analysis['id']}/everything.zip", params=query)
    assert answer.headers["content-type"] == "application/zip"
    archive = open_zip(answer.content)
    blocks = analysis["networks"]["cbam"]["blocks"]
    gates = {f"attention/cbam/{block['name']}-{kind}.png" for block in blocks for kind in ("spatial", "channel")}
    maps = {f"heatmaps/{name}.png" for name in ("baseline", "cbam", "difference")}
    others = {"README.txt", "figure.png", "figure.svg", "figure.pdf", "maps.npz", "numbers.json"}
    assert set(archive.namelist()) == gates | maps | others
    assert len(archive.namelist()) == len(set(archive.namelist()))
    for name in archive.namelist():
        if name.endswith(".png"):
            decode(archive.read(name))
    arrays = np.load(io.BytesIO(archive.read("maps.npz")), allow_pickle=False)
    assert arrays["cbam_heat_map"].ndim == 2
    numbers = json.loads(archive.read("numbers.json"))
    assert (numbers["method"], numbers["stage"]) == ("layercam", 3)
    assert float(arrays["cbam_heat_map"].max()) == pytest.approx(numbers["networks"]["cbam"]["heat_map"]["max"])
    text = archive.read("README.txt").decode()
    assert {"method: layercam", "stage: 3", "colormap: magma"} <= set(text.splitlines())
    assert "cbam-lens " in text
    assert "torch " in text


@pytest.mark.slow
def test_zip_is_the_same_again(client: TestClient, analysis: dict[str, Any]) -> None:
    address = f"/analyses/{analysis['id']}/everything.zip"
    assert client.get(address).content == client.get(address).content


def test_zip_has_the_difference_and_the_second_class_that_were_asked_for(
    client: TestClient, analysis: dict[str, Any]
) -> None:
    address = f"/analyses/{analysis['id']}/everything.zip"
    usual = open_zip(client.get(address).content)
    query = {"of": "baseline", "minus": "cbam", "versus": "panda", "difference_scale": "shared"}
    asked = open_zip(client.get(address, params=query).content)
    shown = client.get(f"/api/v1/analyses/{analysis['id']}/difference.png", params=query | {"max_side": "1024"})
    assert asked.read("heatmaps/difference.png") == shown.content != usual.read("heatmaps/difference.png")
    files = ("figure.png", "figure.svg", "figure.pdf", *(f"heatmaps/{name}.png" for name in MAPS))
    assert set(asked.namelist()) - set(usual.namelist()) == {f"second-class/{name}" for name in files}
    assert "baseline minus cbam, scale: shared" in asked.read("README.txt").decode()
    page = client.get(f"/analyses/{analysis['id']}", params=query).text.replace("&amp;", "&")
    assert re.search(r'everything\.zip\?[^"]*of=baseline&minus=cbam[^"]*versus=', page)


def test_sheet_zip_sends_its_pictures_before_the_contact_sheet(client: TestClient, sheet: str) -> None:
    names = open_zip(client.get(f"{sheet}/everything.zip").content).namelist()
    first, second = names.index("01-cat/numbers.json"), names.index("03-rocket-1/numbers.json")
    assert first < names.index("03-rocket-1/figure.png") < second < names.index("sheet.png") < names.index("sheet.pdf")
    # The page counts the pictures by these files, the last of each.
    assert not [name for name in names[first + 1 :] if name.startswith("01-")]
    assert 'data-pictures="2"' in client.get(sheet).text


def test_zip_says_which_gates_were_changed(client: TestClient, analysis: dict[str, Any]) -> None:
    query = {"interventions": "all:spatial:neutral"}
    archive = open_zip(client.get(f"/analyses/{analysis['id']}/everything.zip", params=query).content)
    assert "changed gates: all:spatial:neutral" in archive.read("README.txt").decode()
    assert json.loads(archive.read("numbers.json"))["networks"]["cbam"]["alteration"]["interventions"] == [
        "cbam:all:spatial:neutral"
    ]


def test_zip_of_a_sheet_has_a_folder_a_picture_and_says_what_is_missing(client: TestClient, sheet: str) -> None:
    archive = open_zip(client.get(f"{sheet}/everything.zip").content)
    names = archive.namelist()
    assert {"README.txt", "sheet.png", "sheet.pdf", "01-cat/figure.png", "03-rocket-1/maps.npz"} <= set(names)
    assert not [name for name in names if name.startswith("02-")]
    as_columns = open_zip(client.get(f"{sheet}/everything.zip", params={"layout": "columns"}).content)
    assert as_columns.read("sheet.png") != archive.read("sheet.png")
    assert "all pictures, as columns" in as_columns.read("README.txt").decode()
    text = archive.read("README.txt").decode()
    assert "02-notes: notes.jpg\n  no files." in text
    np.load(io.BytesIO(archive.read("03-rocket-1/maps.npz")), allow_pickle=False)["box"]


def test_names_are_shown_as_text_and_never_become_paths(client: TestClient) -> None:
    names = ["../../etc/<b>x</b>.png", "C:\\temp\\a\u202egnp.exe", "\u732b.png"]
    address = send(client, *[(name, SMALL) for name in names]).headers["location"]
    html = client.get(address).text
    assert "<b>" not in html
    assert "etc/" not in html
    assert "temp" not in html
    assert "\u202e" not in html
    assert ">a gnp.exe</a>" in html
    assert client.get(f"{address}/sheet.pdf").status_code == 200
    paths = open_zip(client.get(f"{address}/everything.zip").content).namelist()
    assert {path.split("/")[0] for path in paths if "/" in path} == {"01-b", "02-a-gnp", "03-picture"}
    assert not [path for path in paths if ".." in path or path.startswith("/") or "\\" in path]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cat.jpg", "cat.jpg"),
        ("/home/me/cat.jpg", "cat.jpg"),
        ("C:\\me\\cat.jpg", "cat.jpg"),
        ("a\r\nb\x00.jpg", "a b .jpg"),
        ("..", "Picture 7"),
        ("folder/", "Picture 7"),
        (None, "Picture 7"),
        ("x" * 500, "x" * 120),
    ],
)
def test_clean_name_keeps_what_people_see(name: str | None, expected: str) -> None:
    assert clean_name(name, position=7) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [("My Café.JPG", "07-my-cafe"), (".png", "07-picture"), ("\u732b.png", "07-picture"), ("y" * 90, "07-" + "y" * 40)],
)
def test_make_slug_is_safe(name: str, expected: str) -> None:
    assert make_slug(name, position=7) == expected


@pytest.mark.parametrize(
    ("name", "beginning"),
    [
        ('My "best" Café.JPG', "cbam-lens-my-best-cafe-"),
        ("\u732b.png", "cbam-lens-"),
        ("../../x\r\n.png", "cbam-lens-x-"),
    ],
)
def test_downloads_are_named_for_the_picture(client: TestClient, name: str, beginning: str) -> None:
    picture = encode(make_picture(40, 30))
    made = client.post("/api/v1/analyses", files={"image": (name, picture, "image/png")}).json()
    end = f"{made['target']['class_name'].lower().replace(' ', '-')}-gradcam"
    html = client.get(f"/analyses/{made['id']}").text
    assert f'download="{beginning}{end}.png"' in html
    assert f'download="{beginning}{end}-difference.png"' in html


def test_sheet_of_pictures_that_were_sent_one_by_one(client: TestClient, analysis: dict[str, Any]) -> None:
    rows = [
        {"name": "a/b.jpg", "analysis": analysis["id"]},
        {"name": "c\r\n\u0007d\u202e.jpg", "problem": "<i>broken</i>"},
    ]
    created = client.post("/sheets/rows", json={"rows": rows})
    assert created.status_code == 201
    html = client.get(created.json()["address"]).text
    assert ">b.jpg</a>" in html
    assert "&lt;i&gt;broken&lt;/i&gt;" in html
    assert ">c d .jpg</h2>" in html


@pytest.mark.parametrize("row", [{"name": "a"}, {"name": "a", "analysis": "x", "problem": "y"}])
def test_row_has_an_analysis_or_a_problem(client: TestClient, row: dict[str, str]) -> None:
    assert client.post("/sheets/rows", json={"rows": [row]}).status_code == 422
    assert client.post("/sheets/rows", json={"rows": []}).status_code == 422


def test_pictures_that_come_too_late_are_rows_that_say_so(lineup: Lineup, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.routes.sheets.DEADLINE_SHARE", 0.0)
    with TestClient(create_app(Settings(), lineups=[lineup])) as client:
        html = client.get(send(client, ("a.png", SMALL), ("b.png", SMALL)).headers["location"]).text
    assert html.count("not analysed: together the pictures took longer") == 2


def test_form_takes_several_files_and_leads_to_sheets_without_javascript(client: TestClient) -> None:
    html = client.get("/").text
    assert re.search(r'<input class="drop-input" type="file" id="image" name="image" multiple', html)
    assert 'formaction="/sheets"' in html
    assert client.get("/sheets", follow_redirects=False).headers["location"] == "/"


def test_settings_allow_as_many_pictures_as_a_sheet_may_have(lineup: Lineup) -> None:
    settings = Settings(sheet_pictures=MOST_ROWS)
    with pytest.raises(ValueError, match="sheet_pictures"):
        Settings(sheet_pictures=MOST_ROWS + 1)
    # The uploads of one request stay within the memory for uploads.
    assert settings.sheet_bytes <= settings.intake_bytes // 2
    with TestClient(create_app(settings, lineups=[lineup])) as client:
        rows = [{"name": "a", "problem": "b"}] * MOST_ROWS
        address = client.post("/sheets/rows", json={"rows": rows}).json()["address"]
        assert client.get(address).text.count('class="sheet-row"') == MOST_ROWS


def test_rows_that_are_compared_too_late_say_so(
    client: TestClient, sheet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.routes.sheets.DEADLINE_SHARE", 0.0)
    html = client.get(sheet, params={"method": "hirescam"}).text
    assert html.count("Reload the page to go on") == 2
    monkeypatch.undo()
    assert "Reload the page to go on" not in client.get(sheet, params={"method": "hirescam"}).text


def test_sheet_names_the_pictures_that_could_not_be_compared(client: TestClient, sheet: str) -> None:
    assert 'Could not be compared: <a href="#row-2">notes.jpg</a>.' in client.get(sheet).text
