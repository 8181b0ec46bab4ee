"""The evaluations of a lineup that was trained with several seeds: one file per seed, in a folder beside its card."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from app.evaluation.results.report import Evaluation
from models.names import NetworkName

FOLDER = "evidence"


def locate_record(directory: Path, seed: int) -> Path:
    """The file of a seed's evaluation; seeds are counted from 1."""
    return directory / FOLDER / f"seed-{seed}.json"


def read_trial(directory: Path) -> list[Evaluation]:
    """Read every seed's evaluation in a lineup's folder, in the seeds' order; empty if there are none.

    Raises:
        OSError: a file cannot be read.
        ValidationError: a file is no evaluation.
    """
    evaluations: list[Evaluation] = []
    while (path := locate_record(directory, len(evaluations) + 1)).is_file():
        evaluations.append(Evaluation.model_validate_json(path.read_bytes()))
    return evaluations


def is_of(record: Evaluation, sha256: Mapping[NetworkName, str | None]) -> bool:
    """Whether a record was measured with these weights, by the checksums of their files."""
    return all(sha256[name] is not None and record.sha256.get(name) == sha256[name] for name in sha256)


def list_top1_differences(evaluations: Sequence[Evaluation], name: NetworkName) -> list[float]:
    """How much more often a network is right than the baseline, with each seed."""
    baseline = next(iter(evaluations[0].networks))
    return [one.networks[name].top1 - one.networks[baseline].top1 for one in evaluations]
