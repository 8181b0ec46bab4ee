"""The report on the terminal."""

from itertools import groupby

from rich.table import Table

from app.bench.results.parts import DESCRIPTIONS
from app.bench.results.report import BenchReport, Figure, Setup

STYLES = {"met": "green", "missed": "red"}


def tabulate(report: BenchReport) -> Table:
    """Make a table of the figures with their values, ratios, targets and verdicts."""
    table = Table("", "figure", title=format_setup(report.setup), caption="\n".join(report.notes) or None)
    for column in ("value", "unit", "ratio", "target", ""):
        table.add_column(column, justify="right" if column in ("value", "ratio") else "left", no_wrap=True)
    for part, figures in groupby(report.figures, key=lambda figure: figure.part):
        table.add_section()
        table.add_row(part.value, DESCRIPTIONS[part], style="bold")
        for figure in figures:
            table.add_row("", figure.name, *_cells(figure), style=STYLES.get(figure.verdict))
    return table


def format_setup(setup: Setup) -> str:
    """The setup in one sentence."""
    width, height = setup.input_size
    sentence = f"{setup.lineup}, {width} x {height}, on {setup.device_name} ({setup.device}), "
    sentence += f"CPU cores: {setup.cpu_count}, threads: {setup.threads}, torch {setup.torch}"
    if setup.forward_setting:
        sentence += f"; fastest bare passes: {setup.forward_setting}, loop: {setup.loop_setting}"
    return sentence


def format_value(figure: Figure) -> str:
    """Format a value with at least three digits; counts, which have no unit, as whole numbers."""
    digits = max(0, 3 - len(str(int(abs(figure.value))))) if figure.unit else 0
    return f"{figure.value:,.{digits}f}"


def _cells(figure: Figure) -> tuple[str, str, str, str, str]:
    relative = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return format_value(figure), figure.unit, relative, figure.target or "", figure.verdict
