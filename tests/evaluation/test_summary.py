from dataclasses import replace
from pathlib import Path

import pytest

from app.evaluation.results.metrics import Metric
from app.evaluation.results.report import Interval
from app.evaluation.results.rows import FocusRow, MapRow, read_rows, write_rows
from app.evaluation.results.summary import choose_extremes, summarise_maps, summarise_subset
from app.evaluation.results.wording import Verdict, format_difference, judge
from tests.evaluation.makers import make_row


@pytest.fixture
def rows() -> list[FocusRow]:
    """Three pictures: CBAM gains 0.2, loses 0.1, and has no evidence on the third."""
    return [
        make_row(
            "ant/1.jpg",
            baseline={Metric.SHARE_INSIDE: 0.4, Metric.POINTING: 0.0, Metric.PROBABILITY: 0.5},
            cbam={Metric.SHARE_INSIDE: 0.6, Metric.POINTING: 1.0, Metric.PROBABILITY: 0.75},
        ),
        make_row(
            "bee/2.jpg",
            baseline={Metric.SHARE_INSIDE: 0.5, Metric.POINTING: 1.0, Metric.PROBABILITY: 0.25},
            cbam={Metric.SHARE_INSIDE: 0.4, Metric.POINTING: 1.0, Metric.PROBABILITY: 0.5},
            right=(True, False),
            class_name="bee",
        ),
        make_row(
            "bee/3.jpg",
            baseline={Metric.SHARE_INSIDE: 0.3, Metric.POINTING: 1.0, Metric.PROBABILITY: 0.125},
            cbam={Metric.SHARE_INSIDE: None, Metric.POINTING: 0.0, Metric.PROBABILITY: 0.0},
            class_name="bee",
        ),
    ]


def test_summarise_subset_gives_hand_made_numbers(rows: list[FocusRow]) -> None:
    subset = summarise_subset(rows)
    assert (subset.pictures, subset.object_share, subset.hidden_share, subset.centre_hits) == (3, 0.25, 0.125, 1)
    assert subset.silent == {"baseline": 0, "cbam": 1}
    share, pointing = subset.metrics[Metric.SHARE_INSIDE], subset.metrics[Metric.POINTING]
    # The silent map leaves its picture out of the share, for both networks, and is a miss in the pointing game.
    assert (share.pictures, share.baseline, share.other) == pytest.approx((2, 0.45, 0.5))
    assert share.difference.mean == pytest.approx(0.05)
    assert (share.difference.low, share.difference.high) == pytest.approx((-0.1, 0.2))
    assert (pointing.pictures, pointing.baseline, pointing.other) == pytest.approx((3, 2 / 3, 2 / 3))
    assert Metric.DELETION not in subset.metrics


def test_summarise_maps_tells_what_both_get_right_from_all(rows: list[FocusRow]) -> None:
    (result,) = summarise_maps(rows)
    contrast = result.contrasts["cbam"]
    assert (contrast.both_right.pictures, contrast.all.pictures) == (2, 3)
    assert contrast.both_right.metrics[Metric.SHARE_INSIDE].difference.mean == pytest.approx(0.2)
    assert (result.height, result.width) == (5, 5)
    assert [(entry.class_name, entry.pictures) for entry in contrast.classes] == [("ant", 1), ("bee", 1)]


def test_summarise_maps_names_the_pictures_that_differ_most(rows: list[FocusRow]) -> None:
    (result,) = summarise_maps(rows)
    (helped,), (hurt,) = result.contrasts["cbam"].helped, result.contrasts["cbam"].hurt
    assert (helped.file, hurt.file) == ("ant/1.jpg", "bee/2.jpg")
    assert (helped.difference, hurt.difference) == pytest.approx((0.2, -0.1))
    assert hurt.right == {"baseline": True, "cbam": False}
    assert hurt.probability == {"baseline": 0.25, "cbam": 0.5}


def test_summarise_maps_compares_every_network_with_the_baseline_alone(rows: list[FocusRow]) -> None:
    third = MapRow(is_right=False, is_silent=False, values={Metric.SHARE_INSIDE: 0.1, Metric.PROBABILITY: 0.2})
    (result,) = summarise_maps([replace(row, networks={**row.networks, "se": third}) for row in rows])
    (pair,) = summarise_maps(rows)
    assert list(result.contrasts) == ["cbam", "se"]
    # A third network changes nothing between the first two.
    assert result.contrasts["cbam"] == pair.contrasts["cbam"]
    se = result.contrasts["se"]
    assert (se.both_right.pictures, se.all.pictures) == (0, 3)
    assert se.all.metrics[Metric.SHARE_INSIDE].difference.mean == pytest.approx(0.1 - 0.4)
    assert se.all.silent == {"baseline": 0, "se": 0}


def test_rows_of_three_networks_come_back_in_their_order(rows: list[FocusRow], tmp_path: Path) -> None:
    third = MapRow(is_right=True, is_silent=False, values=dict.fromkeys(Metric, 0.5))
    write_rows([replace(row, networks={**row.networks, "a_2": third}) for row in rows], tmp_path / "rows.csv")
    for row in read_rows(tmp_path / "rows.csv"):
        assert list(row.networks) == ["baseline", "cbam", "a_2"]
        assert row.networks["a_2"] == third


def test_choose_extremes_takes_the_farthest_of_each_side() -> None:
    rows = [
        make_row(f"ant/{number}.jpg", baseline={Metric.SHARE_INSIDE: 0.5}, cbam={Metric.SHARE_INSIDE: 0.5 + gain})
        for number, gain in enumerate((0.1, -0.3, 0.3, 0.0, -0.1, 0.2))
    ]
    helped, hurt = choose_extremes(rows, count=2)
    assert [row.file for row in helped] == ["ant/2.jpg", "ant/5.jpg"]
    assert [row.file for row in hurt] == ["ant/1.jpg", "ant/4.jpg"]
    helped, hurt = choose_extremes(rows, count=10)
    assert (len(helped), len(hurt)) == (3, 2)


def test_summarise_subset_of_no_pictures_has_no_numbers() -> None:
    subset = summarise_subset([])
    assert (subset.pictures, subset.object_share, subset.metrics) == (0, None, {})


def test_rows_come_back_from_the_table_that_they_were_written_to(rows: list[FocusRow], tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_rows(rows, path)
    found = read_rows(path)
    assert summarise_maps(found) == summarise_maps(rows)
    assert [row.file for row in found] == [row.file for row in rows]


@pytest.mark.parametrize(
    ("metric", "low", "high", "verdict"),
    [
        (Metric.POINTING, 0.01, 0.2, Verdict.BETTER),
        (Metric.POINTING, -0.2, -0.01, Verdict.WORSE),
        (Metric.POINTING, -0.2, 0.01, Verdict.OPEN),
        (Metric.DELETION, 0.01, 0.2, Verdict.WORSE),
        (Metric.DELETION, -0.2, -0.01, Verdict.BETTER),
        (Metric.POINTING, None, None, Verdict.UNKNOWN),
    ],
)
def test_judge_knows_which_way_is_better(
    metric: Metric, low: float | None, high: float | None, verdict: Verdict
) -> None:
    mean = 0.0 if low is None or high is None else (low + high) / 2
    assert judge(metric, Interval(mean=mean, low=low, high=high)) is verdict


def test_describe_difference_prints_points_or_the_metrics_own_unit() -> None:
    interval = Interval(mean=-0.00001, low=-0.0123, high=0.25)
    assert format_difference(Metric.POINTING, interval) == "+0.0 points (-1.2 to +25.0)"
    assert format_difference(Metric.DELETION, interval) == "+0.000 (-0.012 to +0.250)"


def test_difference_shows_on_which_side_of_0_its_interval_lies() -> None:
    interval = Interval(mean=0.013292, low=0.000161, high=0.026463)
    assert format_difference(Metric.INSERTION, interval) == "+0.0133 (+0.0002 to +0.0265)"
    assert format_difference(Metric.POINTING, interval) == "+1.33 points (+0.02 to +2.65)"
    touching = Interval(mean=0.01, low=0.0, high=0.02)
    assert format_difference(Metric.INSERTION, touching) == "+0.010 (+0.000 to +0.020)"
