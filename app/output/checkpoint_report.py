"""`cbam-lens inspect` and `cbam-lens convert`: a weights file examined, described and converted."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.table import Table
from rich.text import Text

from models.checkpoints.diagnosis import DEFAULT_OPTIONS, Diagnosis, ExaminationOptions, GateState
from models.checkpoints.examination import examine
from models.checkpoints.writing import check_output, write_checkpoint
from models.errors import make_printable
from models.names import Attention

NUMBERED = re.compile(r"\b(layer|stage|unit)\d+")
BLOCK_NUMBER = re.compile(r"\b(layer\*)\.\d+")
BLOCK = "layer*.*."

SHOWN_SHA256_DIGITS = 16


def inspect_file(path: Path, options: ExaminationOptions = DEFAULT_OPTIONS) -> Diagnosis:
    """Examine a weights file.

    Raises:
        CheckpointError: for a file that cannot be read or has no weights of a known network.
    """
    return examine(path, options).diagnosis


def convert_file(path: Path, output: Path, options: ExaminationOptions = DEFAULT_OPTIONS) -> Diagnosis:
    """Convert a weights file to our layout.

    Returns:
        The input's diagnosis, with the output's path and checksum.

    Raises:
        CheckpointError: as `inspect_file`, and for an output that cannot be written.
    """
    check_output(path, output)
    checkpoint = examine(path, options)
    digest = write_checkpoint(checkpoint, output)
    return checkpoint.diagnosis.model_copy(update={"output": output, "output_sha256": digest})


def tabulate_diagnosis(diagnosis: Diagnosis) -> Table:
    """Tabulate a diagnosis: one line per fact, tensors by pattern and number."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for title, line in list_facts(diagnosis):
        table.add_row(title, Text(make_printable(line)))
    for warning in diagnosis.warnings:
        table.add_row("warning", Text(make_printable(warning), style="yellow"))
    return table


def list_facts(diagnosis: Diagnosis) -> Iterator[tuple[str, str]]:
    """Yield titles and lines; the title is empty for its second and later lines."""
    yield "file", f"{diagnosis.path} ({diagnosis.container}), sha256 {diagnosis.sha256[:SHOWN_SHA256_DIGITS]}"
    yield "layout", diagnosis.layout
    yield "network", format_network(diagnosis)
    yield "state", format_gate_state(diagnosis)
    for title, lines in (
        ("recipe", [diagnosis.recipe] if diagnosis.recipe else []),
        ("temperature", [f"{diagnosis.calibration.temperature:g}"] if diagnosis.calibration.temperature else []),
        ("unwrapped", [", ".join(diagnosis.unwrapped)] if diagnosis.unwrapped else []),
        ("renamed", summarise_renames(diagnosis.renamed)),
        ("swapped", summarise_names(diagnosis.swapped)),
        ("reshaped", summarise_names(diagnosis.reshaped)),
        ("added", summarise_names(diagnosis.added)),
        ("left out", [", ".join(diagnosis.dropped)] if diagnosis.dropped else []),
    ):
        yield from zip((title, *[""] * len(lines)), lines, strict=False)
    if diagnosis.output is not None:
        yield "written", f"{diagnosis.output}, sha256 {diagnosis.output_sha256}"


def format_network(diagnosis: Diagnosis) -> str:
    """The network, by the names that the options accept."""
    attention = "no attention" if diagnosis.attention is Attention.NONE else f"attention {diagnosis.attention}"
    return (
        f"{diagnosis.architecture}, {attention}, {diagnosis.class_count:,} classes, stride {diagnosis.stride_placement}"
    )


def format_gate_state(diagnosis: Diagnosis) -> str:
    """Whether network and gates look trained."""
    network = f"network {'trained' if diagnosis.is_trained else 'untrained'}"
    if diagnosis.gates is GateState.NONE:
        return network
    scale = diagnosis.spatial_scale
    return f"{network}, gates {diagnosis.gates}" + (
        f", spatial scale {scale[0]:.3f} to {scale[1]:.3f}" if scale else ""
    )


def summarise_renames(renamed: Iterable[tuple[str, str]]) -> list[str]:
    """Summarise renames by pattern: `16 tensors: cbam.ch_gate.mlp.fc1 -> cbam.ChannelGate.mlp.1`."""
    patterns = Counter(shorten(mask(old), mask(new)) for old, new in renamed)
    return [f"{count_tensors(count)}: {old} -> {new}" for (old, new), count in patterns.items()]


def summarise_names(names: Iterable[str]) -> list[str]:
    """Summarise names by pattern."""
    return [f"{count_tensors(count)}: {pattern}" for pattern, count in Counter(map(mask, names)).items()]


def count_tensors(count: int) -> str:
    """A number of tensors: `1 tensor`, `16 tensors`."""
    return f"{count:,} tensor{'s' if count != 1 else ''}"


def mask(name: str) -> str:
    """A tensor's name without the number of its block."""
    return BLOCK_NUMBER.sub(r"\1.*", NUMBERED.sub(r"\1*", name))


def shorten(old: str, new: str) -> tuple[str, str]:
    """Two names without their common start and end: the block, and `weight` or the like."""
    if old.startswith(BLOCK) and new.startswith(BLOCK):
        old, new = old.removeprefix(BLOCK), new.removeprefix(BLOCK)
    old_start, _, old_end = old.rpartition(".")
    new_start, _, new_end = new.rpartition(".")
    return (old_start, new_start) if old_end == new_end and old_start and new_start else (old, new)
