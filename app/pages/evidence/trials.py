"""The trials on the evidence page: does attention help on one's own pictures?"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.api.schemas import LineupDescription
from app.evaluation.results.intervals import estimate_over_seeds
from app.evaluation.results.report import Evaluation, Interval
from app.evaluation.results.trial_records import is_of, list_top1_differences, read_trial
from app.evaluation.results.wording import format_difference, format_mean
from app.numbers import format_count, typeset_minus
from app.pages.evidence.views import Tone, TrialRow, TrialView
from app.pages.lineup import name_condition
from models.names import NetworkName

TOO_FEW = "too few pictures for an interval"


def find_folders(names: Sequence[str], lineups: Sequence[str]) -> dict[str, Path]:
    """The folder of each lineup that is given by its TOML file.

    Args:
        names: of the served lineups, in their order.
        lineups: each one's `--lineup`, in the same order; of another number if they were loaded otherwise.
    """
    if len(names) != len(lineups):
        return {}
    return {name: Path(text).parent for name, text in zip(names, lineups, strict=True) if Path(text).is_file()}


def build_trial_view(lineup: LineupDescription, directory: Path) -> TrialView | None:
    """Show the evaluations in a lineup's folder.

    Args:
        lineup: the lineup, as in the REST API.
        directory: the folder of its TOML file.

    Returns:
        None without evaluations, and where none was made with the lineup's own weights.
    """
    evaluations = read_trial(directory)
    weights = {name: network.sha256 for name, network in lineup.networks.items()}
    if not any(is_of(evaluation, weights) for evaluation in evaluations):
        return None
    titles = {name: network.title for name, network in lineup.networks.items()}
    rows = tuple(_build_row(evaluations, name, titles[name]) for name in list(titles)[1:])
    return TrialView(
        title=lineup.title,
        answers=tuple(
            f"{row.title}: {row.mean}. {row.verdict.capitalize()}{_say_why(row, evaluations)}." for row in rows
        ),
        protocol=_state_protocol(evaluations),
        seeds=tuple(f"Seed {number}" for number in range(1, len(evaluations) + 1)),
        accuracy=_list_accuracy(evaluations, titles),
        rows=rows,
    )


def _build_row(evaluations: Sequence[Evaluation], name: NetworkName, title: str) -> TrialRow:
    over_pictures = [evaluation.top1_differences[name] for evaluation in evaluations]
    result = over_pictures[0]
    if len(evaluations) > 1:
        result = estimate_over_seeds(list_top1_differences(evaluations, name))
    tone, verdict = _judge(result)
    return TrialRow(
        title=title,
        differences=tuple(typeset_minus(format_difference(None, one)) for one in over_pictures),
        mean=typeset_minus(format_difference(None, result)),
        tone=tone,
        verdict=verdict,
    )


def _judge(result: Interval) -> tuple[Tone, str]:
    if result.low is None or result.high is None:
        return "open", TOO_FEW
    if result.low <= 0 <= result.high:
        return "open", "no difference shown"
    return ("better", "better") if result.mean > 0 else ("worse", "worse")


def _say_why(row: TrialRow, evaluations: Sequence[Evaluation]) -> str:
    """The reason for a verdict, for the end of a sentence."""
    if row.verdict == TOO_FEW:
        return ""
    over = "seeds" if len(evaluations) > 1 else "pictures"
    return f": the interval over {over} {'includes' if row.tone == 'open' else 'excludes'} 0"


def _list_accuracy(
    evaluations: Sequence[Evaluation], titles: Mapping[NetworkName, str]
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return tuple(
        (title, tuple(format_mean(None, evaluation.networks[name].top1) for evaluation in evaluations))
        for name, title in titles.items()
    )


def _state_protocol(evaluations: Sequence[Evaluation]) -> tuple[str, ...]:
    first, count = evaluations[0], len(evaluations)
    sentences = [
        f"{format_count(first.pictures)} held-out pictures of ‘{first.data}’, which no network was trained on. The "
        f"networks saw {name_condition(first.geometry, first.resolution)}.",
        "The interval of one seed is over pictures (paired bootstrap, 95 %): how much the difference would vary with "
        "other pictures of the same kind, for these very weights.",
    ]
    if count == 1:
        sentences.append(
            "One training each: another seed would give other networks, and this interval does not include that. "
            "Train with --seeds 3 or more to see it."
        )
    else:
        sentences.append(
            f"The interval of the mean is over {count} seeds (Student’s, 95 %): how much it would vary with other "
            "first weights and another order of the pictures. It is wide for few seeds."
        )
    return tuple(sentences)
