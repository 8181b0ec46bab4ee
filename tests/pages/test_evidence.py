"""The records of the shipped lineup belong to its weights, agree with its rows, and are on the page."""

import re
import shlex
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from jinja2 import Environment

from app.api.lineups import build_lineup_description
from app.api.schemas import LineupDescription
from app.evaluation.results.metrics import MEANINGS, Metric
from app.evaluation.results.report import Contrast, Evaluation, Interval
from app.evaluation.results.rows import read_rows
from app.evaluation.results.summary import summarise_maps
from app.evaluation.results.wording import format_difference, format_mean
from app.pages.evidence import sentences
from app.pages.evidence.commands import pair_options, write_command
from app.pages.evidence.forest import build_forest_plot
from app.pages.evidence.page import NO_RECORD, OTHER_WEIGHTS, build_evidence_page
from app.pages.evidence.pictures import SHIPPED_PICTURES
from app.pages.evidence.seeds import build_seeds_view
from app.pages.evidence.store import DIRECTORY, find_records, read_seeds
from app.pages.templating import ENVIRONMENT
from models.lineups.card import Accuracy, read_card
from models.lineups.choice import InlineLineup, parse_lineup
from models.lineups.lineup import Lineup
from models.names import Attention, Geometry, NetworkName
from tests.conftest import ROOT
from tests.lineups import RESNET18_110


@pytest.fixture(scope="module")
def record() -> Evaluation:
    (found,) = find_records(read_card(RESNET18_110).name)
    return found


@pytest.fixture
def description(lineup: Lineup) -> LineupDescription:
    return build_lineup_description(lineup)


def read_page(client: TestClient) -> str:
    answer = client.get("/evidence")
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).replace("&#39;", "'").split())


def test_record_is_of_the_shipped_weights(record: Evaluation) -> None:
    """New weights need a new run: `cbam-lens evaluate ... --focus --json`, recorded beside them."""
    card = read_card(RESNET18_110)
    assert record.sha256 == {name: card.networks[name].sha256 for name in ("baseline", "cbam")}
    assert (record.geometry, record.resolution) == (card.preprocessing.geometry, card.preprocessing.resolution)


def test_record_is_of_all_pictures_with_an_outline(record: Evaluation) -> None:
    assert (record.data, record.pictures, record.unreadable) == ("caltech101_masked", 501, [])
    assert record.focus is not None
    measured = read_contrast(record)
    assert set(measured.all.metrics) == set(Metric)
    assert len(measured.classes) == 24
    assert (len(measured.helped), len(measured.hurt)) == (10, 10)
    assert record.focus.protocol.resamples == 10_000


def test_record_is_what_its_rows_give(record: Evaluation) -> None:
    assert record.focus is not None
    recorded = read_contrast(record)
    (result_of_rows,) = summarise_maps(read_rows(DIRECTORY / f"{record.lineup}.csv"))
    computed = result_of_rows.contrasts["cbam"]
    for kept, found in ((recorded.both_right, computed.both_right), (recorded.all, computed.all)):
        assert kept.pictures == found.pictures
        assert kept.silent == found.silent
        for metric, result in found.metrics.items():
            numbers = kept.metrics[metric]
            assert numbers.pictures == result.pictures
            # Rows are kept with five decimals.
            assert (numbers.baseline, numbers.other) == pytest.approx((result.baseline, result.other), abs=1e-5)
            assert list_ends(numbers.difference) == pytest.approx(list_ends(result.difference), abs=2e-5)
    assert [picture.file for picture in recorded.helped] == [picture.file for picture in computed.helped]
    assert [picture.file for picture in recorded.hurt] == [picture.file for picture in computed.hurt]


def read_contrast(record: Evaluation) -> Contrast:
    """CBAM's maps against the baseline's, by the one method that was recorded."""
    assert record.focus is not None
    (measured,) = record.focus.maps
    return measured.contrasts["cbam"]


def list_ends(interval: Interval) -> list[float | None]:
    return [interval.mean, interval.low, interval.high]


def test_record_comes_back_from_its_file_as_it_was_written(record: Evaluation) -> None:
    text = (DIRECTORY / f"{record.lineup}.json").read_text()
    assert record.model_dump_json(indent=2) == text.rstrip("\n")


def test_records_are_small_and_pictures_lie_apart() -> None:
    paths = [path for path in DIRECTORY.rglob("*") if path.is_file()]
    assert len(paths) > 5
    for path in paths:
        assert path.suffix in ({".jpg"} if path.is_relative_to(SHIPPED_PICTURES) else {".json", ".csv"})
        assert path.stat().st_size < 300_000


def test_page_gives_the_claim_and_every_recorded_number(client: TestClient, record: Evaluation) -> None:
    text = read_page(client)
    assert sentences.CLAIM in text
    assert sentences.SOURCE in text
    assert record.focus is not None
    measured = read_contrast(record)
    for subset in (measured.both_right, measured.all):
        for metric, result in subset.metrics.items():
            difference = format_difference(metric, result.difference).replace("-", "−")
            row = f"{format_mean(metric, result.baseline)} {format_mean(metric, result.other)} {difference}"
            assert f"{MEANINGS[metric].explanation} {row}" in text
    for picture in [*measured.helped, *measured.hurt]:
        assert picture.file in text
    for block in record.focus.gates["cbam"]:
        assert block.name in text
    assert "Chosen by one number" in text


def test_page_is_linked_from_the_first_page(client: TestClient) -> None:
    assert '<a href="/evidence">Evidence</a>' in client.get("/").text


def test_page_gives_the_command_for_a_lineup_without_a_record(description: LineupDescription, tmp_path: Path) -> None:
    page = build_evidence_page([description], options={description.name: "--lineup 'mine=a b.pth'"}, directory=tmp_path)
    (missing,) = page.missing
    assert (page.records, missing.reason) == ((), NO_RECORD)
    html = render(page.template, page)
    assert "cbam-lens evaluate DIR --focus --masks MASKS --lineup &#39;mine=a b.pth&#39;<" in html
    assert "lineup above" not in html
    # The seeds are told of without a record too.
    assert page.seeds is None or "than the shipped lineup" in html


def test_commands_have_the_options_as_they_were_given() -> None:
    inline, mine, known = (
        "five=untrained:resnet18,untrained:resnet18+se",
        "m=a b.pth,c.pth",
        "imagenet-resnet18=my files",
    )
    assert pair_options(["five", "card", "m", "imagenet-resnet18"], [inline, "my.toml", mine, known], ("1", "2")) == {
        "five": f"--lineup {inline} --labels 1",
        "card": "--lineup my.toml",
        "m": "--lineup 'm=a b.pth,c.pth' --labels 2",
        "imagenet-resnet18": "--lineup 'imagenet-resnet18=my files'",
    }
    assert pair_options(["five", "m"], [inline, mine], ("1",))["m"] == "--lineup 'm=a b.pth,c.pth' --labels 1"
    assert pair_options(["five"], [inline], ()) == {"five": f"--lineup {inline}"}
    assert pair_options(["a", "b"], ["shipped"], ()) == {"a": "--lineup a", "b": "--lineup b"}


def test_commands_do_not_tell_visitors_where_files_are() -> None:
    options = pair_options(
        ["m", "card", "w"],
        ["m=/home/ada/a b.pth,new:/srv/c.pth", "/srv/lineups/card.toml", "w=D:\\nets\\a.pth,b.pth"],
        ("/srv/labels.txt",),
    )
    assert options["m"] == "--lineup 'm=a b.pth,new:c.pth' --labels labels.txt"
    assert options["card"] == "--lineup card.toml"
    assert "nets" not in options["w"]


def test_command_of_the_page_runs(description: LineupDescription) -> None:
    """As typed into a shell, its `--lineup` is the one that the server got."""
    inline = "five=untrained:resnet18,x9-_:untrained:resnet18+cbam-k3"
    words = shlex.split(write_command("DIR", "MASKS", options=pair_options(["five"], [inline], ())["five"]))
    choice = parse_lineup(words[words.index("--lineup") + 1])
    assert choice == InlineLineup.of("five", "untrained:resnet18", "x9-_:untrained:resnet18+cbam-k3")


@pytest.mark.parametrize(
    ("attention", "question"),
    [
        (Attention.CBAM, "Does CBAM look at the object?"),
        (Attention.CBAM_K3, "Does CBAM look at the object?"),
        (Attention.SE, "Does attention look at the object?"),
    ],
)
def test_page_asks_about_what_is_served(description: LineupDescription, attention: Attention, question: str) -> None:
    baseline, other = description.networks.values()
    networks = {"baseline": baseline, "it": other.model_copy(update={"attention": attention})}
    changed = description.model_copy(update={"networks": networks})
    page = build_evidence_page([changed], options={description.name: ""})
    assert page.question == question
    assert render(page.template, page).count(question) == 2


def test_page_does_not_show_a_record_of_other_weights(
    description: LineupDescription, record: Evaluation, tmp_path: Path
) -> None:
    other = record.model_copy(update={"sha256": dict.fromkeys(("baseline", "cbam"), "0" * 64)})
    (tmp_path / f"{record.lineup}.json").write_text(other.model_dump_json())
    page = build_evidence_page([description], options={description.name: "--lineup 'mine=a b.pth'"}, directory=tmp_path)
    (missing,) = page.missing
    assert (page.records, missing.reason) == ((), OTHER_WEIGHTS)


def test_page_shows_every_record_of_a_lineup(
    description: LineupDescription, record: Evaluation, tmp_path: Path
) -> None:
    assert record.focus is not None
    boxes = record.focus.protocol.model_copy(update={"objects": "boxes"})
    other = record.model_copy(
        update={"data": "ilsvrc_val500", "focus": record.focus.model_copy(update={"protocol": boxes})}
    )
    (tmp_path / f"{record.lineup}.json").write_text(record.model_dump_json())
    (tmp_path / f"{record.lineup}+ilsvrc_val500.json").write_text(other.model_dump_json())
    # Another lineup, whose name begins alike.
    (tmp_path / f"{record.lineup}-2.json").write_text(other.model_dump_json())
    page = build_evidence_page([description], options={description.name: ""}, directory=tmp_path)
    assert [shown.title.rpartition(": ")[2] for shown in page.records] == ["Caltech-101, outlines", "ImageNet, boxes"]
    assert [shown.command for shown in page.records] == [
        f"cbam-lens evaluate caltech101_masked --focus --masks caltech101_masked --lineup {record.lineup}",
        f"cbam-lens evaluate ilsvrc_val500 --focus --boxes ilsvrc_val500/boxes.csv --lineup {record.lineup}",
    ]
    assert page.missing == ()


def render(template: str, page: object) -> str:
    environment: Environment = ENVIRONMENT
    values = {name: getattr(page, name) for name in page.__dataclass_fields__}  # type: ignore[attr-defined]
    return environment.get_template(template).render(values, url_for=lambda name, **_: name)


def make_result(record: Evaluation, difference: float) -> Evaluation:
    """The record, with one difference and a narrow interval in place of every metric's."""
    assert record.focus is not None
    (result,) = record.focus.maps
    measured = result.contrasts["cbam"]
    interval = Interval(mean=difference, low=difference - 0.01, high=difference + 0.01)
    subsets = {
        name: subset.model_copy(
            update={
                "metrics": {
                    metric: numbers.model_copy(update={"difference": interval})
                    for metric, numbers in subset.metrics.items()
                }
            }
        )
        for name, subset in (("both_right", measured.both_right), ("all", measured.all))
    }
    maps = [result.model_copy(update={"contrasts": {"cbam": measured.model_copy(update=subsets)}})]
    return record.model_copy(update={"focus": record.focus.model_copy(update={"maps": maps})})


@pytest.mark.parametrize(
    ("difference", "verdict"),
    [
        (0.1, "Partly: CBAM’s maps are better by 7 of 8 numbers"),
        (-0.1, "Not in this lineup: CBAM’s maps are better by 1 of 8 numbers (deletion area) and worse by 7"),
        (0.0, "None of 8 numbers shows a difference: every 95 % interval includes 0."),
    ],
)
def test_verdict_says_whichever_way_it_comes_out(record: Evaluation, difference: float, verdict: str) -> None:
    changed = make_result(record, difference)
    assert changed.focus is not None
    assert sentences.state_verdict(changed.focus.maps[0].contrasts["cbam"], "CBAM").startswith(verdict)


def test_failures_name_what_is_worse(record: Evaluation) -> None:
    changed = make_result(record, -0.1)
    assert changed.focus is not None
    failures = " ".join(sentences.state_failures(changed.focus.maps[0].contrasts["cbam"], "CBAM"))
    assert "On the pictures that both get right CBAM is worse by" in failures
    assert "pointing game, −10.0 points (−11.0 to −9.0)" in failures
    assert "deletion area" not in failures


def test_protocol_says_what_was_cropped_and_filled(record: Evaluation) -> None:
    assert record.focus is not None
    text = " ".join(sentences.state_protocol(record, record.focus, record.focus.maps[0]))
    assert f"{read_contrast(record).all.pictures} held-out pictures of Caltech-101" in text
    assert "lay outside the crop" in text
    assert "the picture blurred with a deviation of" in text
    whole = record.model_copy(update={"geometry": Geometry.WHOLE})
    assert f"whole pictures at {record.resolution.value} pixels" in " ".join(
        sentences.state_protocol(whole, record.focus, record.focus.maps[0])
    )


@pytest.mark.parametrize(
    ("difference", "answer"), [(0.1, "Yes: "), (-0.1, "No, less: "), (0.0, "No difference is shown: ")]
)
def test_answer_follows_the_share_of_heat_on_the_object(record: Evaluation, difference: float, answer: str) -> None:
    changed = make_result(record, difference)
    assert sentences.state_answer(read_contrast(changed), "CBAM").startswith(answer)


def test_page_begins_with_the_answer_of_every_record(client: TestClient, record: Evaluation) -> None:
    text = read_page(client)
    answer = sentences.state_answer(read_contrast(record), "CBAM")
    assert "−1.9 points (−2.4 to −1.4)" in answer
    assert text.index(answer) < text.index(sentences.CLAIM)


def test_plot_has_what_is_better_on_the_right(record: Evaluation) -> None:
    metrics = read_contrast(make_result(record, 0.1)).both_right.metrics
    plot = build_forest_plot(metrics)
    assert plot is not None
    assert len(plot.rows) == len(metrics) - 1
    middle = plot.width / 2
    for row in plot.rows:
        assert 0 <= row.low < row.mean < row.high <= plot.width
        assert not row.is_open
        # A deletion area that is larger is worse.
        assert (row.low > middle) == (not row.title.startswith("Deletion area"))
    level = build_forest_plot(read_contrast(make_result(record, 0.0)).both_right.metrics)
    assert level is not None
    assert {(row.mean, row.is_open) for row in level.rows} == {(middle, True)}


def test_plot_needs_an_interval(record: Evaluation) -> None:
    measured = read_contrast(record).both_right.metrics[Metric.POINTING]
    single = measured.model_copy(update={"difference": Interval(mean=0.1, low=None, high=None)})
    assert build_forest_plot({Metric.POINTING: single}) is None


def test_lineups_with_one_title_are_told_apart(description: LineupDescription, tmp_path: Path) -> None:
    twin = description.model_copy(update={"name": "twin"})
    options = {description.name: "", "twin": ""}
    page = build_evidence_page([description, twin], options=options, directory=tmp_path)
    assert [lineup.title for lineup in page.missing] == [
        f"{description.title} (‘{name}’)" for name in (description.name, "twin")
    ]


def make_seeds(record: Evaluation, differences: list[float]) -> list[Evaluation]:
    """One record per seed, each with another difference between the networks' metrics."""
    assert record.focus is not None
    (result,) = record.focus.maps
    measured = result.contrasts["cbam"]
    seeds = []
    for index, difference in enumerate(differences):
        metrics = {
            metric: numbers.model_copy(
                update={"baseline": 0.5 + 0.01 * index, "other": 0.5 + 0.01 * index + difference}
            )
            for metric, numbers in measured.all.metrics.items()
        }
        contrast = measured.model_copy(update={"all": measured.all.model_copy(update={"metrics": metrics})})
        whole = result.model_copy(update={"contrasts": {"cbam": contrast}})
        seeds.append(record.model_copy(update={"focus": record.focus.model_copy(update={"maps": [whole]})}))
    return seeds


def test_seeds_show_every_difference_beside_what_luck_does(record: Evaluation) -> None:
    view = build_seeds_view(make_seeds(record, [0.03, 0.01, 0.02]))
    assert view is not None
    assert view.names == ("Seed 1", "Seed 2", "Seed 3")
    (table,) = view.tables
    assert table.title == "CBAM"
    (row,) = [row for row in table.rows if row.title == MEANINGS[Metric.SHARE_INSIDE].title]
    assert row.differences == ("+3.0 points", "+1.0 points", "+2.0 points")
    assert (row.mean, row.verdict) == ("+2.0 points", "the same sign with every seed")
    # CBAM's three are 0.53, 0.52 and 0.54, the baseline's 0.50, 0.51 and 0.52.
    assert row.luck == "1.0 points"


def test_seeds_of_three_networks_have_a_table_for_each_other_one(record: Evaluation) -> None:
    seeds = []
    for seed in make_seeds(record, [0.03, 0.01, 0.02]):
        assert seed.focus is not None
        (result,) = seed.focus.maps
        cbam = result.contrasts["cbam"]
        metrics = {
            metric: found.model_copy(update={"other": found.baseline - 0.04})
            for metric, found in cbam.all.metrics.items()
        }
        se = cbam.model_copy(update={"all": cbam.all.model_copy(update={"metrics": metrics})})
        whole = result.model_copy(update={"contrasts": {"se": se, "cbam": cbam}})
        accuracy = seed.networks
        networks = {"baseline": accuracy["baseline"], "se": accuracy["baseline"], "cbam": accuracy["cbam"]}
        focus = seed.focus.model_copy(update={"maps": [whole]})
        seeds.append(seed.model_copy(update={"focus": focus, "networks": networks}))
    view = build_seeds_view(seeds)
    pair = build_seeds_view(make_seeds(record, [0.03, 0.01, 0.02]))
    assert view is not None
    assert pair is not None
    assert [table.title for table in view.tables] == ["SE", "CBAM"]
    # A third network changes nothing about the second.
    assert view.tables[1] == pair.tables[0]
    (row,) = [row for row in view.tables[0].rows if row.title == MEANINGS[Metric.SHARE_INSIDE].title]
    assert row.differences == ("−4.0 points",) * 3


def test_seeds_that_disagree_are_said_to(record: Evaluation) -> None:
    view = build_seeds_view(make_seeds(record, [0.03, -0.01]))
    assert view is not None
    assert {row.verdict for table in view.tables for row in table.rows[1:]} == {"the sign depends on the seed"}
    assert build_seeds_view(make_seeds(record, [0.03])) is None


def test_page_has_every_difference_of_the_recorded_seeds(client: TestClient) -> None:
    text = read_page(client)
    view = build_seeds_view(read_seeds())
    assert view is not None
    assert len(view.names) == 3
    (table,) = view.tables
    assert table.rows
    for row in table.rows:
        assert f"{row.title} {' '.join(row.differences)} {row.mean} {row.luck} {row.verdict}" in text


def read_accuracy(name: NetworkName, row: Accuracy) -> tuple[int, float, float]:
    """Pictures, top-1 and top-5 from `cbam-lens evaluate --json`; without faces, a list of pictures is left out."""
    whole = f"{row.geometry.value}-{row.resolution.value}"
    (all_pictures, *faces) = [
        Evaluation.model_validate_json((DIRECTORY / "accuracy" / f"{file}.json").read_bytes())
        for file in ([whole, f"{whole}-faces"] if "without faces" in row.dataset else [whole])
    ]
    card = read_card(RESNET18_110)
    assert all(found.sha256[name] == card.networks[name].sha256 for found in (all_pictures, *faces))
    pictures = all_pictures.pictures - sum(found.pictures for found in faces)
    first, five = (
        getattr(all_pictures.networks[name], count) - sum(getattr(found.networks[name], count) for found in faces)
        for count in ("top1_count", "top5_count")
    )
    return pictures, first / pictures, five / pictures


@pytest.mark.parametrize("name", ["baseline", "cbam"])
def test_cards_give_the_accuracy_that_evaluate_gave(name: NetworkName) -> None:
    network = read_card(RESNET18_110).networks[name]
    assert network.card is not None
    assert network.sha256 is not None
    text = (RESNET18_110.parent / network.card).read_text()
    assert len(network.accuracy) >= 4
    for row in network.accuracy:
        pictures, first, five = read_accuracy(name, row)
        assert row.pictures == pictures
        assert (row.top1, row.top5) == pytest.approx((first, five), abs=5e-5)
        shares = " | ".join(f"{share * 100:.2f} %" for share in (row.top1, row.top5))
        cells = f"| {row.dataset} | {pictures:,} | `{row.geometry.value}` | {row.resolution.value} | {shares} |"
        assert cells in text
    assert network.sha256 in text


SUMMARY_METRICS = (
    Metric.SHARE_INSIDE,
    Metric.IOU_15,
    Metric.IOU_50,
    Metric.IOU_60,
    Metric.POINTING,
    Metric.DELETION,
    Metric.INSERTION,
)


def test_documentation_gives_the_recorded_differences(record: Evaluation) -> None:
    text = (ROOT / "docs" / "evidence.md").read_text()
    assert record.focus is not None
    measured = read_contrast(record)
    assert f"on the {measured.both_right.pictures} pictures that both networks get right" in " ".join(text.split())
    for metric in SUMMARY_METRICS:
        result = measured.both_right.metrics[metric]
        difference = format_difference(metric, result.difference).replace("-", "−")
        row = f"| {format_mean(metric, result.baseline)} | {format_mean(metric, result.other)} | {difference} |"
        assert row in text, metric


def test_documentation_gives_the_differences_of_every_seed() -> None:
    text = (ROOT / "docs" / "evidence.md").read_text()
    seeds = build_seeds_view(read_seeds())
    assert seeds is not None
    titles = {"Right first class", *(MEANINGS[metric].title for metric in SUMMARY_METRICS[:5])}
    (table,) = seeds.tables
    rows = [row for row in table.rows if row.title in titles]
    assert len(rows) == len(titles)
    for row in rows:
        assert f"| {row.title} | {' | '.join(row.differences)} | {row.luck} |" in text
