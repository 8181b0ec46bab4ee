"""A trial in words and numbers: its verdicts, its intervals, and whose it is."""

from pathlib import Path

import pytest

from app.api.lineups import build_lineup_description
from app.evaluation.results.report import Calibration, Evaluation, Interval, NetworkAccuracy
from app.evaluation.results.trial_records import locate_record
from app.pages.evidence.trials import build_trial_view, find_folders
from app.pages.evidence.views import TrialView
from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution


def write(directory: Path, lineup: Lineup, *pairs: tuple[float, float], interval: float | None = 0.02) -> None:
    """One record per seed, of the lineup's weights, with the top-1 of its two networks."""
    for seed, pair in enumerate(pairs, start=1):
        difference = pair[1] - pair[0]
        ends = (None, None) if interval is None else (difference - interval, difference + interval)
        accuracy = {
            name: NetworkAccuracy(
                top1=top1, top5=1, top1_count=0, top5_count=0, calibration=Calibration(error=0, bins=[])
            )
            for name, top1 in zip(lineup.names, pair, strict=True)
        }
        evaluation = Evaluation(
            lineup="mine",
            sha256={name: network.sha256 for name, network in lineup.card.networks.items()},
            data="pets",
            listing="held_out.txt",
            geometry=Geometry.WHOLE,
            resolution=Resolution.PIXELS_224,
            pictures=1234,
            unreadable=[],
            networks=accuracy,
            top1_differences={lineup.names[1]: Interval(mean=difference, low=ends[0], high=ends[1])},
        )
        path = locate_record(directory, seed)
        path.parent.mkdir(exist_ok=True)
        path.write_text(evaluation.model_dump_json())


def show(directory: Path, lineup: Lineup) -> TrialView:
    view = build_trial_view(build_lineup_description(lineup), directory)
    assert view is not None
    return view


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        # The deviation is 0.01: 4.303 * 0.01 / sqrt(3) is 0.0248.
        (
            [(0.5, 0.54), (0.5, 0.55), (0.5, 0.56)],
            ("better", "+5.0 points (+2.5 to +7.5)", "Better: the interval over seeds excludes 0."),
        ),
        (
            [(0.54, 0.5), (0.55, 0.5), (0.56, 0.5)],
            ("worse", "−5.0 points (−7.5 to −2.5)", "Worse: the interval over seeds excludes 0."),
        ),
        (
            [(0.5, 0.51), (0.5, 0.52), (0.5, 0.50)],
            ("open", "+1.0 points (−1.5 to +3.5)", "No difference shown: the interval over seeds includes 0."),
        ),
    ],
)
def test_verdict_is_that_of_the_interval_over_seeds(
    tmp_path: Path, lineup: Lineup, pairs: list[tuple[float, float]], expected: tuple[str, str, str]
) -> None:
    write(tmp_path, lineup, *pairs)
    view = show(tmp_path, lineup)
    (row,) = view.rows
    tone, mean, answer = expected
    assert (row.tone, row.mean) == (tone, mean)
    assert view.answers == (f"CBAM: {mean}. {answer}",)
    assert view.seeds == ("Seed 1", "Seed 2", "Seed 3")
    assert len(row.differences) == 3
    assert "(" in row.differences[0]


def test_one_seed_has_the_interval_over_pictures_alone_and_says_what_that_leaves_out(
    tmp_path: Path, lineup: Lineup
) -> None:
    write(tmp_path, lineup, (0.5, 0.55))
    view = show(tmp_path, lineup)
    assert view.answers == ("CBAM: +5.0 points (+3.0 to +7.0). Better: the interval over pictures excludes 0.",)
    assert "Train with --seeds 3 or more" in " ".join(view.protocol)
    assert view.accuracy == (("Baseline", ("50.0 %",)), ("CBAM", ("55.0 %",)))
    assert "1,234 held-out pictures of ‘pets’" in view.protocol[0]


def test_too_few_pictures_give_no_verdict(tmp_path: Path, lineup: Lineup) -> None:
    write(tmp_path, lineup, (0.5, 0.55), interval=None)
    assert show(tmp_path, lineup).answers == ("CBAM: +5.0 points. Too few pictures for an interval.",)


def test_folder_without_records_or_with_those_of_other_weights_is_no_trial(tmp_path: Path, lineup: Lineup) -> None:
    described = build_lineup_description(lineup)
    assert build_trial_view(described, tmp_path) is None
    write(tmp_path, lineup, (0.5, 0.55))
    path = locate_record(tmp_path, 1)
    path.write_text(path.read_text().replace(str(lineup.card.networks["cbam"].sha256), "0" * 64))
    assert build_trial_view(described, tmp_path) is None


def test_folders_are_those_of_the_toml_files(tmp_path: Path) -> None:
    card = tmp_path / "lineup.toml"
    card.touch()
    assert find_folders(["mine", "shipped"], [str(card), "shipped"]) == {"mine": tmp_path}
    assert find_folders(["mine"], []) == {}
