"""Tables of an evaluation for the terminal."""

from rich.console import Group
from rich.table import Table

from app.evaluation.results.metrics import Metric
from app.evaluation.results.report import BlockResult, Contrast, Evaluation, GateResult, Interval, MapResult, Subset
from app.evaluation.results.wording import (
    Verdict,
    format_difference,
    format_explained_share,
    format_mean,
    judge,
    title_metric,
)
from app.numbers import format_thousandths
from models.names import NetworkName

GATES_CAPTION = (
    "deviation: within a gate, 0 is flat; same for all: the share of the variance that the mean over pictures "
    "explains, 1 is a gate that ignores the picture"
)


def tabulate_evaluation(evaluation: Evaluation) -> Group:
    """Tabulate accuracy and calibration and, if it was measured, the focus."""
    tables = [_tabulate_accuracy(evaluation)]
    if evaluation.focus is not None:
        tables += [table for result in evaluation.focus.maps for table in _tabulate_maps(result)]
        for name, gates in evaluation.focus.gates.items():
            # Squeeze-and-excitation has no spatial gates.
            both = (_tabulate_spatial(name, gates), _tabulate_channels(name, gates))
            tables += [table for table in both if table.row_count]
    return Group(*tables)


def _tabulate_accuracy(evaluation: Evaluation) -> Table:
    title = f"{evaluation.lineup}: {evaluation.pictures:,} pictures, {evaluation.geometry.value} at "
    title += f"{evaluation.resolution.value}"
    differences = evaluation.top1_differences
    baseline = next(iter(evaluation.networks))
    compared = [f"top-1 - {baseline} (95 %)"] if differences else []
    table = Table("network", "top-1", "top-5", "calibration error", *compared, title=title)
    for name, accuracy in evaluation.networks.items():
        table.add_row(
            name,
            f"{accuracy.top1:.2%} ({accuracy.top1_count:,})",
            f"{accuracy.top5:.2%} ({accuracy.top5_count:,})",
            format_thousandths(accuracy.calibration.error),
            *([format_difference(None, differences[name])] if name in differences else []),
        )
    remarks = []
    if evaluation.unreadable:
        remarks.append(f"{len(evaluation.unreadable)} pictures could not be read and were left out")
    if evaluation.unknown:
        remarks.append(f"{evaluation.unknown:,} are of classes that the lineup does not know and were left out")
    if evaluation.focus is not None and evaluation.focus.unseen:
        remarks.append(f"the object was not seen on {len(evaluation.focus.unseen)} pictures")
    if remarks:
        table.caption = "; ".join(remarks)
    return table


def _tabulate_maps(result: MapResult) -> list[Table]:
    how = f"{result.method.value} at stage {result.stage.value}"
    return [
        table for name, contrast in result.contrasts.items() for table in _tabulate_contrast(f"{how}, {name}", contrast)
    ]


def _tabulate_contrast(how: str, contrast: Contrast) -> list[Table]:
    subsets = (
        (f"{how}: the {contrast.both_right.pictures:,} pictures that both get right", contrast.both_right),
        (f"{how}: all {contrast.all.pictures:,} pictures", contrast.all),
    )
    return [_tabulate_subset(title, subset) for title, subset in subsets if subset.pictures]


def _tabulate_subset(title: str, subset: Subset) -> Table:
    baseline, other = subset.silent
    table = Table("metric", baseline, other, f"{other} - {baseline} (95 %)", "", title=title)
    if subset.object_share is not None and subset.centre_hits is not None:
        table.add_row("Object’s share of the seen picture", *[format_mean(None, subset.object_share)] * 2)
        table.add_row("Pointing game of the centre", *[format_mean(None, subset.centre_hits)] * 2)
    for metric, measured in subset.metrics.items():
        table.add_row(
            title_metric(metric),
            format_mean(metric, measured.baseline),
            format_mean(metric, measured.other),
            format_difference(metric, measured.difference),
            _judge(metric, measured.difference, other),
        )
    counts = ", ".join(f"{count} of {name}" for name, count in subset.silent.items())
    table.caption = f"maps without positive evidence: {counts}"
    return table


def _judge(metric: Metric, difference: Interval, other: NetworkName) -> str:
    verdict = judge(metric, difference)
    return f"{other} {verdict.value}" if verdict in (Verdict.BETTER, Verdict.WORSE) else verdict.value


def _tabulate_spatial(name: NetworkName, gates: list[BlockResult]) -> Table:
    table = Table("block", "mean", "deviation", "same for all", "pointing", "inside", "inside - object’s share (95 %)")
    table.title = f"spatial gates of {name}"
    for block in gates:
        if block.spatial is not None:
            table.add_row(
                block.name,
                *_format_gate(block.spatial),
                format_mean(None, block.spatial.pointing),
                format_mean(None, block.spatial.share_inside),
                format_difference(None, block.spatial.excess),
            )
    return table


def _tabulate_channels(name: NetworkName, gates: list[BlockResult]) -> Table:
    table = Table("block", "mean", "deviation", "same for all", title=f"channel gates of {name}", caption=GATES_CAPTION)
    for block in gates:
        if block.channel is not None:
            table.add_row(block.name, *_format_gate(block.channel))
    return table


def _format_gate(gate: GateResult) -> list[str]:
    return [format_thousandths(gate.mean), format_thousandths(gate.deviation), format_explained_share(gate.explained)]
