"""`cbam-lens models` and its page: the networks' sizes and the cost of attention, beside the paper's figures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.table import Table

from models.names import Attention
from models.networks.counting import NetworkCount, count_network
from models.networks.paper import ABLATION_TOP1_ERRORS, PaperRow
from models.networks.titles import ARCHITECTURE_TITLES, ATTENTION_TITLES
from models.progress import track

PAPER_NOTE = "Columns under “paper” are Woo et al.’s (ECCV 2018), not measured here."


@dataclass(frozen=True, slots=True)
class CountRow:
    """One network of the table, as text.

    Attributes:
        network, attention: the network's name.
        parameters, parameters_overhead: its parameters, and the increase over the same network without attention.
        multiply_adds, multiply_adds_overhead: the same for its multiply-adds, per picture of 224 x 224 pixels.
        multiply_adds_v1: its multiply-adds with the paper's stride placement; empty if they are the same.
        paper_parameters, paper_multiply_adds, paper_errors: the paper's figures; empty if it has none.
        remark: the reason why the paper's figure differs; empty if they agree.
    """

    network: str
    attention: str
    parameters: str
    parameters_overhead: str
    multiply_adds: str
    multiply_adds_overhead: str
    multiply_adds_v1: str
    paper_parameters: str
    paper_multiply_adds: str
    paper_errors: str
    remark: str


def count_networks(networks: Sequence[tuple[str, Attention]]) -> tuple[NetworkCount, ...]:
    """Count each network, with a progress bar on standard error."""
    shown = track(networks, "counting")
    return tuple(count_network(architecture, attention) for architecture, attention in shown)


def build_count_rows(counts: Iterable[NetworkCount]) -> tuple[CountRow, ...]:
    """Build the table's rows; a network without attention must come before the others of its architecture."""
    rows: list[CountRow] = []
    plain: NetworkCount | None = None
    for count in counts:
        if count.attention is Attention.NONE or plain is None:
            plain = count
        rows.append(_build_count_row(count, plain))
    return tuple(rows)


def tabulate_counts(counts: Sequence[NetworkCount]) -> Table:
    """Tabulate the counts for the terminal."""
    table = Table(
        "network",
        "attention",
        "parameters",
        "multiply-adds",
        "with stride v1",
        "paper: M / GFLOPs",
        "paper: top-1 / top-5 error",
        title="1,000 classes, 224 x 224 pixels",
        caption=_write_caption(counts),
    )
    for row in build_count_rows(counts):
        table.add_row(
            row.network,
            row.attention,
            _join(row.parameters, row.parameters_overhead),
            _join(row.multiply_adds, row.multiply_adds_overhead),
            row.multiply_adds_v1,
            f"{row.paper_parameters} / {row.paper_multiply_adds}" if row.paper_parameters else "",
            row.paper_errors,
        )
    return table


def tabulate_ablations(counts: Sequence[NetworkCount]) -> Table:
    """Tabulate ResNet-50 with each design of the paper's tables 1 to 3."""
    table = Table(
        "attention", "parameters", "multiply-adds", "paper: top-1 error", title="ResNet-50", caption=PAPER_NOTE
    )
    for count, row in zip(counts, build_count_rows(counts), strict=True):
        table.add_row(
            f"{row.attention} ({count.attention.value})",
            _join(row.parameters, row.parameters_overhead),
            _join(row.multiply_adds, row.multiply_adds_overhead),
            f"{ABLATION_TOP1_ERRORS[count.attention]:.2f} %",
        )
    return table


def list_remarks(counts: Iterable[NetworkCount]) -> tuple[str, ...]:
    """List the reasons why the paper's figures differ, each once."""
    return tuple(dict.fromkeys(count.remark for count in counts if count.remark))


def _write_caption(counts: Sequence[NetworkCount]) -> str:
    return "\n".join((PAPER_NOTE, *list_remarks(counts)))


def _build_count_row(count: NetworkCount, plain: NetworkCount) -> CountRow:
    paper = count.paper
    has_attention = count.attention is not Attention.NONE
    has_moved = count.multiply_adds != count.multiply_adds_v1
    return CountRow(
        network=ARCHITECTURE_TITLES[count.architecture],
        attention=ATTENTION_TITLES[count.attention],
        parameters=f"{count.parameters:,}",
        parameters_overhead=f"{count.parameters / plain.parameters - 1:+.2%}" if has_attention else "",
        multiply_adds=f"{count.multiply_adds / 1e9:.3f} G",
        multiply_adds_overhead=f"{count.multiply_adds / plain.multiply_adds - 1:+.2%}" if has_attention else "",
        multiply_adds_v1=f"{count.multiply_adds_v1 / 1e9:.3f} G" if has_moved else "",
        paper_parameters="" if paper is None else f"{paper.parameters_millions:.2f}",
        paper_multiply_adds="" if paper is None else f"{paper.multiply_adds_billions:.3f}",
        paper_errors="" if paper is None else _format_errors(paper),
        remark=count.remark,
    )


def _format_errors(paper: PaperRow) -> str:
    return f"{paper.top1_error_percent:.2f} % / {paper.top5_error_percent:.2f} %"


def _join(value: str, overhead: str) -> str:
    return f"{value} ({overhead})" if overhead else value
