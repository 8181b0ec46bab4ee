"""Writing a calibration into the weight files' metadata, the lineup's card and the model cards."""

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.calibration.report import CalibrationReport
from app.output.files import write_whole
from app.settings import Settings
from models.calibration import NetworkCalibration
from models.checkpoints.writing import check_own_file, write_calibration
from models.errors import LineupError
from models.lineups.card import LineupCard, read_card
from models.lineups.choice import InlineLineup, parse_lineups
from models.names import NetworkName
from models.training.records.toml_text import format_toml

SECTION = "## Calibration"

LIMITS = "## Limits"
"""The section of a model card before which the calibration is written."""


@dataclass(frozen=True, slots=True)
class Target:
    """The files that a calibration is written into.

    Attributes:
        files: the weight files, in the lineup's order.
        card: the lineup's TOML file; None for a lineup that is given by its files alone.
    """

    files: tuple[Path, ...]
    card: Path | None


def find_target(settings: Settings) -> Target:
    """Find the files of the chosen lineup, before anything is measured.

    Raises:
        LineupError: for a network that is in no file of ours.
    """
    choices = parse_lineups(settings.lineups, settings.labels, store=settings.weight_store)
    choice = choices[0]
    if isinstance(choice, Path):
        files = tuple(choice.parent / network.file for network in read_card(choice).networks.values())
        target = Target(files, choice)
    elif isinstance(choice, InlineLineup):
        target = Target(tuple(Path(part.source) for part in choice.sources), None)
    else:
        raise LineupError(
            f"{choice.name}: published weights are not changed; convert them with cbam-lens convert, and calibrate the "
            "new files"
        )
    for file in target.files:
        check_own_file(file)
    return target


def write_records(target: Target, report: CalibrationReport) -> tuple[str, ...]:
    """Write a calibration; each file is complete or not touched.

    Returns:
        The paths of the written files.

    Raises:
        LineupError: a weight file cannot be written.
        OSError: a card cannot be written.
    """
    fit = None if report.fit is None else report.fit.record
    digests: dict[NetworkName, str] = {}
    for file, (name, result) in zip(target.files, report.networks.items(), strict=True):
        calibration = NetworkCalibration(temperature=result.temperature, calibration=result.record, fit=fit)
        digests[name] = write_calibration(file, calibration)
    written = [str(file) for file in target.files]
    if target.card is not None:
        card = read_card(target.card)
        text = target.card.read_text(encoding="utf-8")
        write_whole(target.card, _format_card(text, digests, report).encode())
        written += [str(target.card), *_write_model_cards(target.card.parent, card, digests, report)]
    return tuple(written)


def _format_card(text: str, digests: dict[NetworkName, str], report: CalibrationReport) -> str:
    """The lineup's card with the calibration; of its comments only those at the beginning stay."""
    table: dict[str, Any] = tomllib.loads(text)
    table.pop("fit", None)
    if report.fit is not None:
        table["fit"] = report.fit.record.model_dump(mode="json")
    for name, result in report.networks.items():
        network = table["networks"][name]
        if "sha256" in network:
            network["sha256"] = digests[name]
        network["temperature"] = result.temperature
        network["calibration"] = result.record.model_dump(mode="json")
    head = re.match(r"(#[^\n]*\n|\n)*", text)
    return (head.group() if head else "") + format_toml(table)


def _write_model_cards(
    directory: Path, card: LineupCard, digests: dict[NetworkName, str], report: CalibrationReport
) -> list[str]:
    written = []
    for name, network in card.networks.items():
        if network.card is not None:
            path = directory / network.card
            text = path.read_text(encoding="utf-8")
            if network.sha256 is not None:
                text = text.replace(network.sha256, digests[name])
            write_whole(path, _put_section(text, _describe(name, report)).encode())
            written.append(str(path))
    return written


def _put_section(text: str, section: str) -> str:
    """A model card's text with this section, in place of an earlier one."""
    text = re.sub(rf"^{SECTION}\n.*?(?=^## |\Z)", "", text, flags=re.MULTILINE | re.DOTALL)
    before, limits, after = text.partition(f"{LIMITS}\n")
    return f"{before.rstrip()}\n\n{section}" + (f"\n{limits}{after}" if limits else "")


def _describe(name: NetworkName, report: CalibrationReport) -> str:
    result = report.networks[name]
    record = result.record
    lines = [
        SECTION,
        "",
        f"Measured with `cbam-lens calibrate`, `{report.geometry.value}` at {report.resolution.value}. Every P that "
        f"the program shows is softmax(logits / {result.temperature:g}). This temperature has the least negative "
        f"log-likelihood on {record.chosen_pictures:,} pictures of {record.data}. To test it, each of "
        f"{record.parts} parts of the pictures got a temperature that the others had chosen: without what chance adds, "
        f"the calibration error is {record.corrected_error:.3f} (Kumar et al., 2019). The expected calibration error "
        f"(15 bins) is {record.error_after:.3f}, where a perfectly calibrated network would have "
        f"{result.chance_error:.3f} on so many pictures; without a temperature it is {record.error_before:.3f}.",
    ]
    if report.fit is not None:
        fit = report.fit.record
        lines += [
            "",
            f"The program says that none of the classes fits well if the mean score (generalised entropy) of the "
            f"lineup's {fit.networks} networks is below {fit.threshold:g}. On pictures on which this was not chosen, "
            f"it says so of {fit.false_alarms:.1%} of {fit.known_pictures:,} pictures of known classes ({fit.known}; "
            f"false alarms) and not of {fit.misses:.1%} of {fit.outside_pictures:,} pictures of none of the classes "
            f"({fit.outside}; misses).",
        ]
    return "\n".join(lines) + "\n"
