"""Training every network with every seed, and measuring them on held-out pictures; both go on after a stop."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from app.analysis.options import GeometryOptions
from app.errors import InvalidOption
from app.evaluation.results.intervals import estimate_over_seeds
from app.evaluation.results.options import EvaluationOptions
from app.evaluation.results.report import Evaluation
from app.evaluation.results.trial_records import is_of, list_top1_differences, locate_record, read_trial
from app.evaluation.results.wording import format_difference, format_mean
from app.evaluation.run import run_evaluation
from app.settings import Settings
from app.trial.split import hold_out, list_given
from models.lineups.card import read_card
from models.training.material import read_classes
from models.training.run import LINEUP_CARD, TrainingOptions, TrainingReport, run_training
from models.whole_files import draft_beside

HELD_OUT = "held_out.txt"
BATCH_SIZE = 32


@dataclass(frozen=True, slots=True)
class TrialOptions:
    """The options of a trial.

    Attributes:
        training: how the networks of the first seed are trained; its output is the trial's folder.
        seeds: the number of seeds; each further one is the recipe's seed plus 1, 2 and so on.
        held_out_share: the share of each class's pictures that is held out, unless validation pictures are given.
    """

    training: TrainingOptions
    seeds: int
    held_out_share: float

    def check(self) -> None:
        """Refuse what cannot be; raises `InvalidOption`."""
        data = self.training.data
        if not self.training.is_lineup:
            raise InvalidOption("--seeds compares networks; add --lineup none,se,cbam", option="seeds")
        if int(os.environ.get("WORLD_SIZE", "1")) > 1:
            raise InvalidOption(
                "--seeds does not run in several processes; give torchrun one seed at a time, with --seed",
                option="seeds",
            )
        if data.validation is None and (len(data.directories) != 1 or data.shards or data.exclusions):
            raise InvalidOption(
                "--seeds holds pictures out of one --data DIR; with several, with shards and with --exclude give the "
                "pictures to measure with --validation DIR",
                option="seeds",
            )

    def locate(self, seed: int) -> Path:
        """The folder of a seed's training, counted from 1: the first one's is the trial's own."""
        return self.training.output if seed == 1 else self.training.output / f"seed-{seed}"


def run_trial(options: TrialOptions, *, tell: Callable[[str], None]) -> TrainingReport:
    """Train and measure; a stopped trial goes on with `is_resumed`.

    Args:
        options: the options.
        tell: receives notes for the user.

    Raises:
        InvalidOption: the options do not fit together, or a class has too few pictures.
        LineupError: a file cannot be read.
        OSError: a folder cannot be read or written.
        TrainingError: anything else about the training that the user can correct.
    """
    options.check()
    options = _hold_out(options)
    _check_folders(options)
    end = None if options.training.minutes is None else time.monotonic() + 60 * options.training.minutes
    for seed in range(1, options.seeds + 1):
        tell(f"seed {seed} of {options.seeds}")
        report = run_training(_choose_seed(options, seed, end), tell=tell)
        if not report.is_finished:
            return replace(report, message=f"seed {seed} of {options.seeds}: {report.message}")
        _measure(options, seed, tell)
    return TrainingReport(is_finished=True, message=_summarise(options, read_trial(options.training.output)))


def _hold_out(options: TrialOptions) -> TrialOptions:
    """Choose the pictures to measure before the first training, so that none ends with data that cannot be measured."""
    data = options.training.data
    classes, listing = read_classes(data), options.training.output / HELD_OUT
    if data.validation is None:
        (directory,) = data.directories
        hold_out(directory, options.held_out_share, listing, folders=classes.folders.keys())
        data = replace(data, exclusions=(listing,), validation=directory, validation_list=listing)
    else:
        list_given(data.validation, data.validation_list, listing, classes=classes)
        data = replace(data, validation_list=listing)
    return replace(options, training=replace(options.training, data=data))


def _check_folders(options: TrialOptions) -> None:
    """Refuse to train over another trial before the first seed is trained, not after it."""
    if options.training.is_resumed:
        return
    for seed in range(1, options.seeds + 1):
        folder = options.locate(seed)
        if states := sorted(folder.glob("*.state.pt")):
            raise InvalidOption(
                f"{folder} already has a training, {states[0].name}; continue it with --resume, or choose another "
                "--output",
                option="output",
            )


def _choose_seed(options: TrialOptions, seed: int, end: float | None) -> TrainingOptions:
    training = options.training
    return replace(
        training,
        recipe=training.recipe.model_copy(update={"seed": training.recipe.seed + seed - 1}),
        output=options.locate(seed),
        minutes=None if end is None else max(0.0, (end - time.monotonic()) / 60),
    )


def _measure(options: TrialOptions, seed: int, tell: Callable[[str], None]) -> None:
    """Measure a seed's networks and write the record, unless it is there."""
    card = options.locate(seed) / LINEUP_CARD
    path = locate_record(options.training.output, seed)
    weights = {name: network.sha256 for name, network in read_card(card).networks.items()}
    if path.is_file() and is_of(Evaluation.model_validate_json(path.read_bytes()), weights):
        return
    data = options.training.data
    if data.validation is None:
        raise ValueError("the pictures to measure are chosen before the training")
    evaluation = run_evaluation(
        Settings(lineups=(str(card),), device=options.training.device),
        EvaluationOptions(
            data=data.validation,
            listing=data.validation_list,
            geometry=GeometryOptions(),
            batch_size=BATCH_SIZE,
        ),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with draft_beside(path) as draft:
        draft.write_text(evaluation.model_dump_json(indent=2) + "\n")
    tell(f"{path}: measured on {evaluation.pictures:,} held-out pictures")


def _summarise(options: TrialOptions, evaluations: Sequence[Evaluation]) -> str:
    """The result of each network in a line, and how to see it."""
    first, *_ = evaluations
    lines = [f"{first.pictures:,} held-out pictures of {first.data}, {len(evaluations)} seeds:"]
    for name in list(first.networks)[1:]:
        difference = estimate_over_seeds(list_top1_differences(evaluations, name))
        top1 = sum(one.networks[name].top1 for one in evaluations) / len(evaluations)
        lines.append(
            f"  {name}: top-1 {format_mean(None, top1)}, {format_difference(None, difference)} against the baseline"
        )
    card = options.training.output / LINEUP_CARD
    lines.append(f"  intervals: 95 % over seeds; cbam-lens serve --lineup {card} shows more at /evidence")
    return "\n".join(lines)
