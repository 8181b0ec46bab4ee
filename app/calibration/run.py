"""A whole calibration, from the options to the report and the files."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from app.calibration.choosing import (
    DIGITS,
    SEED,
    Indices,
    Scores,
    choose_temperature,
    choose_threshold,
    cross_fit,
    measure_loss,
    measure_separation,
    split_halves,
    split_parts,
)
from app.calibration.options import CalibrationOptions
from app.calibration.pictures import Logits, compute_logits, list_known, list_outside
from app.calibration.records import find_target, write_records
from app.calibration.report import CalibrationReport, FitResult, NetworkResult
from app.engine.loading import load_chosen_lineup, use_all_cores
from app.errors import InvalidOption
from app.evaluation.measures.calibration import measure_calibration, measure_corrected_error
from app.explain.maps import FloatArray
from app.settings import Settings
from models.calibration import FitThreshold, TemperatureRecord
from models.names import NetworkName
from models.probabilities import Activation, find_probabilities, score_fit

CHANCE_DRAWS = 200
"""The number of draws over which the calibration error by chance is averaged."""

CAUGHT = 0.8
"""The share of outside pictures below the second threshold that is reported."""

console = Console(stderr=True)


def calibrate_lineup(settings: Settings, options: CalibrationOptions) -> CalibrationReport:
    """Choose each network's temperature and the lineup's threshold, test them, and write them if that is wanted.

    Args:
        settings: the lineup and the device.
        options: the pictures, and whether anything is written.

    Raises:
        InvalidOption: for an unknown class, for too few pictures, and for pictures that determine no temperature.
        LineupError: when the networks cannot be loaded, or their files cannot carry a calibration.
        OSError: when pictures or lists cannot be read, or a card cannot be written.
    """
    target = find_target(settings) if options.is_written else None
    lineup = load_chosen_lineup(settings)
    use_all_cores(settings)
    if lineup.card.activation is Activation.SIGMOID:
        raise InvalidOption(
            f"{lineup.card.name} has P by a sigmoid; only softmax is calibrated here; choose another lineup",
            option="lineup",
        )
    pictures = list_known(lineup, options)
    others = None if options.outside is None else list_outside(options.outside)
    limits = {"max_pixels": settings.max_picture_pixels, "batch_size": options.batch_size}
    known = compute_logits(lineup, pictures, **limits)
    parts = split_parts(len(known.classes), what=str(options.data))
    networks = {
        name: _calibrate_network(known.values[name], known.classes, parts, data=_name_data(options))
        for name in lineup.names
    }
    outside = None if others is None else compute_logits(lineup, others, **limits)
    unreadable = known.unreadable + (() if outside is None else outside.unreadable)
    for line in unreadable:
        console.print(line, style="red", markup=False, highlight=False, soft_wrap=True)
    report = CalibrationReport(
        lineup=lineup.card.name,
        data=_name_data(options),
        geometry=lineup.card.preprocessing.geometry,
        resolution=lineup.card.preprocessing.resolution,
        unreadable=unreadable,
        networks=networks,
        fit=None if outside is None else _find_fit(networks, known, outside, options),
    )
    if target is None:
        return report
    return report.model_copy(update={"written": write_records(target, report)})


def _calibrate_network(logits: FloatArray, classes: Indices, parts: Sequence[Indices], *, data: str) -> NetworkResult:
    temperature = choose_temperature(logits, classes)
    is_right = (logits.argmax(axis=1) == classes).tolist()  # (N,)
    before, after = find_probabilities(logits, 1.0).max(axis=1), cross_fit(logits, classes, parts)  # (N,)
    errors = [measure_calibration(sure.tolist(), is_right).error for sure in (before, after)]
    return NetworkResult(
        temperature=temperature,
        top1=round(float(np.mean(is_right)), DIGITS),
        loss_before=round(measure_loss(logits, classes, 1.0), DIGITS),
        loss_after=round(measure_loss(logits, classes, temperature), DIGITS),
        chance_error=round(_draw_chance_error(after), DIGITS),
        record=TemperatureRecord(
            data=data,
            chosen_pictures=len(classes),
            tested_pictures=len(classes),
            parts=len(parts),
            error_before=round(errors[0], DIGITS),
            error_after=round(errors[1], DIGITS),
            corrected_error=round(measure_corrected_error(after.tolist(), is_right), DIGITS),
        ),
    )


def _draw_chance_error(confidences: NDArray[np.float64]) -> float:
    """The mean calibration error where each answer is right with exactly its P, (N,)."""
    generator = np.random.default_rng(SEED)
    draws = (generator.random(len(confidences)) < confidences for _ in range(CHANCE_DRAWS))
    return float(np.mean([measure_calibration(confidences.tolist(), drawn.tolist()).error for drawn in draws]))


def _find_fit(
    networks: dict[NetworkName, NetworkResult], known: Logits, outside: Logits, options: CalibrationOptions
) -> FitResult:
    scores, others = (_score(logits, networks) for logits in (known, outside))
    is_named = np.all([values.argmax(axis=1) == known.classes for values in known.values.values()], axis=0)  # (N,)
    halves = split_halves(len(scores), what=str(options.data))
    other_halves = split_halves(len(others), what=str(options.outside))
    threshold = choose_threshold(scores[halves.choosing], options.false_alarms)
    at_80 = np.quantile(others[other_halves.choosing], CAUGHT)
    tested, tested_others = scores[halves.testing], others[other_halves.testing]
    tested_named = tested[is_named[halves.testing]]
    return FitResult(
        separation=round(measure_separation(tested, tested_others), DIGITS),
        false_alarms_named=round(float((tested_named < threshold).mean()), DIGITS) if len(tested_named) else None,
        false_alarms_at_80=round(float((tested < at_80).mean()), DIGITS),
        record=FitThreshold(
            score="generalised_entropy",
            threshold=threshold,
            networks=len(networks),
            known=_name_data(options),
            known_pictures=len(tested),
            false_alarms=round(float((tested < threshold).mean()), DIGITS),
            outside="" if options.outside is None else options.outside.resolve().name,
            outside_pictures=len(tested_others),
            misses=round(float((tested_others >= threshold).mean()), DIGITS),
        ),
    )


def _score(logits: Logits, networks: dict[NetworkName, NetworkResult]) -> Scores:
    """The mean of the networks' scores for each picture, (N,)."""
    scores: Scores = np.mean(
        [score_fit(find_probabilities(logits.values[name], found.temperature)) for name, found in networks.items()],
        axis=0,
    )
    return scores


def _name_data(options: CalibrationOptions) -> str:
    name = options.data.resolve().name
    return name if options.listing is None else f"{name}, {options.listing.name}"
