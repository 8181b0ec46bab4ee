"""Tables of a calibration for the terminal."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from app.calibration.report import CalibrationReport, FitResult


def tabulate_calibration(report: CalibrationReport) -> Group:
    """Tabulate the temperatures and, if it was chosen, the threshold."""
    parts: list[Table | Text] = [_tabulate_temperatures(report)]
    if report.fit is not None:
        parts.append(_tabulate_fit(report.fit))
    parts += [Text(f"written: {path}") for path in report.written]
    if not report.written:
        parts.append(Text("nothing was written; add --write to put this into the weight files and cards"))
    return Group(*parts)


def _tabulate_temperatures(report: CalibrationReport) -> Table:
    first = next(iter(report.networks.values())).record
    table = Table(
        "network",
        "top-1",
        "temperature",
        "error before",
        "error after",
        "by chance",
        "corrected",
        "loss before",
        "loss after",
        title=f"{report.lineup}: chosen on {first.chosen_pictures:,} pictures of {report.data}; each of {first.parts} "
        "parts tested at a temperature that the others chose",
        caption="error: expected calibration error, 15 bins; by chance: that of a perfectly calibrated network on as "
        "many pictures; corrected: without what chance adds; loss: negative log-likelihood in nats",
    )
    for name, result in report.networks.items():
        record = result.record
        table.add_row(
            name,
            f"{result.top1:.1%}",
            f"{result.temperature:.4f}",
            f"{record.error_before:.3f}",
            f"{record.error_after:.3f}",
            f"{result.chance_error:.3f}",
            f"{record.corrected_error:.3f}",
            f"{result.loss_before:.3f}",
            f"{result.loss_after:.3f}",
        )
    return table


def _tabulate_fit(fit: FitResult) -> Table:
    record = fit.record
    table = Table(title="None of the classes fits well", show_header=False)
    table.add_row("score", f"generalised entropy, mean over {record.networks} networks")
    table.add_row("threshold", f"{record.threshold:.4f}")
    table.add_row("false alarms", f"{record.false_alarms:.1%} of {record.known_pictures:,} pictures of {record.known}")
    if fit.false_alarms_named is not None:
        table.add_row("", f"{fit.false_alarms_named:.1%} of those that all networks name rightly")
    table.add_row("misses", f"{record.misses:.1%} of {record.outside_pictures:,} pictures of {record.outside}")
    table.add_row("AUROC", f"{fit.separation:.3f}")
    table.add_row("false alarms if 80 % were caught", f"{fit.false_alarms_at_80:.1%}")
    return table
