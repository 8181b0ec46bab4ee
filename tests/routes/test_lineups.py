"""The REST contract over lineups of two, three and five networks, on Ray too; nothing depends on number or names."""

import html
import io
import re
import urllib.parse
import zipfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.render.contact_sheet import PANEL_INCHES
from app.render.figure import DOTS_PER_INCH
from app.settings import Settings
from models.lineups.choice import InlineLineup
from models.lineups.lineup import load_lineup
from tests.conftest import decode, encode, make_picture
from tests.contract import IN_PROCESS, require_ray
from tests.on_ray.site import NAME, ON_RAY, SiteClient, make_environment, run_server

LINEUPS = {
    "two": ("plain:untrained:resnet18", "gated:untrained:resnet18+se"),
    "three": ("untrained:resnet18", "untrained:resnet18+se", "untrained:resnet18+cbam"),
    "five": (
        "untrained:resnet18", "untrained:resnet18+cbam", "untrained:resnet18+cbam", "untrained:resnet18+se",
        "untrained:resnet18+cbam-k3",
    ),
}  # fmt: skip
NAMES = {
    "two": ("plain", "gated"),
    "three": ("baseline", "se", "cbam"),
    "five": ("baseline", "cbam", "cbam-2", "se", "cbam-k3"),
}
PICTURE = encode(make_picture(96, 64))

pytestmark = pytest.mark.parametrize(
    ("lineups", "name"),
    [
        pytest.param(IN_PROCESS, "two", marks=pytest.mark.slow),
        (IN_PROCESS, "three"),
        pytest.param(IN_PROCESS, "five", marks=pytest.mark.slow),
        # Five networks have whatever two or three have.
        pytest.param(ON_RAY, "five", marks=pytest.mark.slow(rare=True)),
    ],
    indirect=["lineups"],
    scope="module",
)


@pytest.fixture(scope="module")
def lineups(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TestClient | SiteClient]:
    """A server with all three."""
    if request.param != ON_RAY:
        loaded = [load_lineup(InlineLineup.of(name, *sources)) for name, sources in LINEUPS.items()]
        with TestClient(create_app(Settings(), lineups=loaded)) as client:
            yield client
        return
    require_ray()
    environment = make_environment(
        CBAM_LENS_LINEUPS=";".join(f"{name}={','.join(sources)}" for name, sources in LINEUPS.items()),
        CBAM_LENS_RAY_REPLICA_CPUS="0.5",
        CBAM_LENS_TRUSTED_HOSTS=f"{NAME};127.0.0.1",
    )
    with (
        run_server(environment, tmp_path_factory.mktemp("ray") / "log.txt") as site,
        SiteClient(site.address) as on_ray,
    ):
        yield on_ray


def analyse(client: TestClient, name: str, **options: str) -> dict[str, Any]:
    answer = client.post("/api/v1/analyses", files={"image": ("p.png", PICTURE)}, data={"lineup": name, **options})
    assert answer.status_code == 201, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_lineups_lists_the_networks_in_their_order(lineups: TestClient, name: str) -> None:
    described = {lineup["name"]: lineup for lineup in lineups.get("/api/v1/lineups").json()}[name]
    assert tuple(described["networks"]) == NAMES[name]
    titles = [network["title"] for network in described["networks"].values()]
    assert titles[0] == "Baseline"
    assert len(set(titles)) == len(titles)


def test_analysis_answers_for_every_network_and_every_link_leads_somewhere(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name)
    assert tuple(analysis["networks"]) == NAMES[name]
    assert tuple(analysis["comparisons"]) == NAMES[name][1:]
    assert {row["minus"] for row in analysis["comparisons"].values()} == {NAMES[name][0]}
    networks = analysis["networks"].values()
    assert analysis["shared_max"] == pytest.approx(max(network["heat_map"]["max"] for network in networks))
    links = list(analysis["links"].values())
    for network in networks:
        kinds = {kind for block in network["blocks"] for kind in block["links"]}
        expected = {"none": set(), "se": {"channel"}}.get(network["attention"], {"channel", "spatial"})
        assert kinds == expected
        links += network["links"].values()
        links += [link for block in network["blocks"][:1] for link in block["links"].values()]
    assert len(links) == len(set(links))
    for link in links:
        assert lineups.get(link).status_code == 200, link


def test_class_is_the_one_of_the_highest_mean_probability(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name)
    with np.load(io.BytesIO(lineups.get(analysis["links"]["maps"]).content), allow_pickle=False) as maps:
        assert tuple(maps["networks"]) == NAMES[name]
        logits = [maps[f"{network}_logits"].astype(float) for network in NAMES[name]]
    mean = np.mean([np.exp(values) / np.exp(values).sum() for values in logits], axis=0)
    assert analysis["target"]["class_index"] == mean.argmax()


def test_heat_map_is_the_last_networks_by_default(lineups: TestClient, name: str) -> None:
    files, options = {"image": ("p.png", PICTURE)}, {"lineup": name, "target": "1"}
    default, last, first = (
        lineups.post("/api/v1/heatmap", files=files, data=options | chosen)
        for chosen in ({}, {"network": NAMES[name][-1]}, {"network": NAMES[name][0]})
    )
    assert default.headers["x-lineup"] == name
    assert default.headers["x-lineup-trained"] == "false"
    assert default.content == last.content
    assert default.headers["x-target-probability"] != first.headers["x-target-probability"]
    unknown = lineups.post("/api/v1/heatmap", files=files, data=options | {"network": "other"})
    assert unknown.status_code == 422
    assert unknown.json()["allowed"] == list(NAMES[name])


def test_difference_is_of_the_two_networks_that_are_named(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name, target="1")
    first, last = NAMES[name][0], NAMES[name][-1]
    path = analysis["links"]["difference"]

    def read(**query: str) -> Any:
        answer = lineups.get(path, params={"render": "values", **query})
        assert answer.status_code == 200, answer.text
        return np.asarray(decode(answer.content)).astype(int)

    assert np.array_equal(read(), read(of=last, minus=first))
    # A difference is drawn about the middle of 256 steps.
    assert np.abs(read() + read(of=first, minus=last) - 255).max() <= 1
    assert lineups.get(path, params={"of": first, "minus": first}).json()["option"] == "of"
    assert lineups.get(path, params={"minus": "other"}).json()["allowed"] == list(NAMES[name])


def test_figure_shows_the_networks_that_are_named(lineups: TestClient, name: str) -> None:
    files = {"image": ("p.png", PICTURE)}
    widths = []
    for networks in ("", NAMES[name][-1]):
        answer = lineups.post("/api/v1/figure", files=files, data={"lineup": name, "networks": networks, "target": "1"})
        assert answer.status_code == 200, answer.text
        widths.append(decode(answer.content).width)
    # The picture and each network, and the colour bar beside them.
    assert widths[0] / widths[1] == pytest.approx((len(NAMES[name]) + 1.5) / 2.5, rel=0.15)
    unknown = lineups.post("/api/v1/figure", files=files, data={"lineup": name, "networks": "baseline,other"})
    assert unknown.status_code == 422
    svg = lineups.post("/api/v1/figure", files=files, data={"lineup": name, "format": "svg"})
    pdf = lineups.post("/api/v1/figure", files=files, data={"lineup": name, "format": "pdf"})
    assert (svg.content[:5], pdf.content[:5]) == (b"<?xml", b"%PDF-")


def test_gate_is_of_a_network_that_has_gates(lineups: TestClient, name: str) -> None:
    files, options = {"image": ("p.png", PICTURE)}, {"lineup": name, "kind": "channel", "block": "layer2.0"}
    assert lineups.post("/api/v1/attention", files=files, data=options).status_code == 200
    answer = lineups.post("/api/v1/attention", files=files, data=options | {"network": NAMES[name][0]})
    assert answer.status_code == 422
    assert answer.json()["allowed"] == list(NAMES[name][1:])


def test_gate_has_defaults_that_every_network_with_gates_has(lineups: TestClient, name: str) -> None:
    files = {"image": ("p.png", PICTURE)}
    for network in ("", *NAMES[name][1:]):
        given = {"lineup": name, "render": "values"} | ({"network": network} if network else {})
        answer = lineups.post("/api/v1/attention", files=files, data=given)
        assert answer.status_code == 200, answer.text
        own = analyse(lineups, name)["networks"][network or NAMES[name][-1]]
        block = own["blocks"][-1]
        kind = "spatial" if "spatial" in block["links"] else "channel"
        expected = lineups.get(block["links"][kind], params={"render": "values"})
        assert answer.content == expected.content


def test_page_offers_the_changes_that_are_taken_alone(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name)
    text = html.unescape(lineups.get(f"/analyses/{analysis['id']}", params={"tab": "attention"}).text)
    offered = set(re.findall(r"([a-z0-9-]+):all:([a-z]+:[a-z-]+)", urllib.parse.unquote(text)))
    attentions = {network: content["attention"] for network, content in analysis["networks"].items()}
    both = {"channel:neutral", "channel:drop-max", "spatial:neutral", "spatial:invert", "spatial:drop-max"}
    expected = {"se": {"channel:neutral"}, "cbam": both, "cbam-k3": both}
    for network in NAMES[name][1:]:
        assert {change for of, change in offered if of == network} == expected[attentions[network]]


def test_change_without_an_effect_is_refused(lineups: TestClient, name: str) -> None:
    path = analyse(lineups, name)["links"]["self"]
    se = NAMES[name][1] if name != "five" else "se"
    for change in ("spatial:neutral", "spatial:invert", "channel:drop-max"):
        answer = lineups.get(path, params={"interventions": f"{se}:all:{change}"})
        assert answer.status_code == 422
        assert "whose gates can have channel:neutral; choose" in answer.json()["detail"]


def test_changed_gates_are_of_the_network_that_is_named(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name, target="1")
    changed = NAMES[name][1]
    answer = lineups.get(analysis["links"]["self"], params={"interventions": f"{changed}:all:channel:neutral"})
    assert answer.status_code == 200, answer.text
    for network, content in answer.json()["networks"].items():
        assert (content["alteration"] is not None) is (network == changed)
        for block in content["blocks"]:
            is_flat = block["channel"]["standard_deviation"] == pytest.approx(0, abs=1e-6)
            assert is_flat is (network == changed)
    unnamed = lineups.get(analysis["links"]["self"], params={"interventions": "all:channel:neutral"})
    assert unnamed.status_code == (200 if name == "two" else 422)


def test_sheet_and_its_archive_have_every_network(lineups: TestClient, name: str) -> None:
    files = [("image", (f"{index}.png", PICTURE)) for index in range(2)]
    sheet = lineups.post("/sheets", files=files, data={"lineup": name}, follow_redirects=False).headers["location"]
    for form, start in (("png", b"\x89PNG"), ("pdf", b"%PDF")):
        assert lineups.get(f"{sheet}/sheet.{form}").content.startswith(start)
    # Picture, every network and the difference, side by side.
    width = decode(lineups.get(f"{sheet}/sheet.png").content).width
    assert width >= (len(NAMES[name]) + 2) * PANEL_INCHES * DOTS_PER_INCH
    archive = lineups.get(f"{sheet}/everything.zip")
    assert archive.status_code == 200
    for network in NAMES[name]:
        assert f"01-0/heatmaps/{network}.png".encode() in archive.content


def send_sheet(client: TestClient, *analyses: dict[str, Any]) -> str:
    """The address of a sheet of these analyses."""
    rows = [{"name": f"{index}.png", "analysis": content["id"]} for index, content in enumerate(analyses)]
    address: str = client.post("/sheets/rows", json={"rows": rows}).json()["address"]
    return address


def test_networks_that_a_lineup_lacks_are_refused_before_the_first_byte(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name)
    page, sheet = f"/analyses/{analysis['id']}", send_sheet(lineups, analysis)
    last = NAMES[name][-1]
    wrong = {"networks": "nope"}, {"of": "nope"}, {"minus": "nope"}, {"of": last, "minus": last}
    drawn = (f"{sheet}/{file}" for file in ("everything.zip", "sheet.png", "sheet.pdf"))
    asked = [(path, query) for path in (page, f"{page}/maps.json", *drawn) for query in wrong]
    # These have no difference that can be chosen.
    asked += [(path, wrong[0]) for path in (f"{page}/everything.zip", f"/api/v1{page}/figure.png", sheet)]
    for path, query in asked:
        answer = lineups.get(path, params=query)
        assert answer.status_code == 422, (path, query)
        assert "is not one of" in html.unescape(answer.text)


def test_networks_that_one_row_of_a_sheet_lacks_are_refused(lineups: TestClient, name: str) -> None:
    own, others = analyse(lineups, name), [analyse(lineups, other) for other in LINEUPS if other != name]
    only = next(iter(set(NAMES[name]) - set(NAMES["two" if name != "two" else "three"])))
    for file in ("", "/sheet.png", "/everything.zip"):
        query = {"networks": only}
        assert lineups.get(f"{send_sheet(lineups, own)}{file}", params=query).status_code == 200
        assert lineups.get(f"{send_sheet(lineups, own, *others)}{file}", params=query).status_code == 422


def test_archives_with_chosen_networks_are_whole(lineups: TestClient, name: str) -> None:
    analysis = analyse(lineups, name)
    sheet, first, last = send_sheet(lineups, analysis), NAMES[name][0], NAMES[name][-1]
    for address in (f"{sheet}/everything.zip", f"/analyses/{analysis['id']}/everything.zip"):
        answer = lineups.get(address, params={"networks": f"{last},{first}", "of": first, "minus": last})
        assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


@pytest.mark.parametrize(
    ("query", "option"),
    [
        ("resolution=32", "resolution"),
        ("interventions=nope:all:channel:neutral", "interventions"),
        ("interventions=SE:all:spatial:neutral", "interventions"),
        ("interventions=SE:layer9.9:channel:neutral", "interventions"),
        ("target=nope", "target"),
    ],
)
def test_camera_refuses_at_once_what_it_would_refuse_of_every_frame(
    lineups: TestClient, name: str, query: str, option: str
) -> None:
    query = query.replace("SE", NAMES[name][1] if name != "five" else "se")
    with lineups.websocket_connect(f"/api/v1/camera?lineup={name}&{query}") as connection:
        first = connection.receive_json()
    assert first["kind"] == "problem"
    assert (first["problem"]["status"], first["problem"]["option"]) == (422, option)


def test_camera_answers_for_every_network(lineups: TestClient, name: str) -> None:
    with lineups.websocket_connect(f"/api/v1/camera?lineup={name}&target=1") as connection:
        ready = connection.receive_json()
        assert ready["kind"] == "ready"
        assert tuple(ready["networks"]) == NAMES[name]
        connection.send_bytes(PICTURE)
        frame = connection.receive_json()
    rest = analyse(lineups, name, target="1")["networks"]
    assert tuple(frame["networks"]) == NAMES[name]
    for network, seen in frame["networks"].items():
        assert seen["probability"] == pytest.approx(rest[network]["target_probability"], rel=1e-4)
