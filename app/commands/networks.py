"""`cbam-lens models`, `inspect` and `convert`: networks and weights files."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.commands.options import errors, or_explain, refuse_own
from models.checkpoints.diagnosis import MAX_BYTES, ExaminationOptions
from models.names import Attention, StridePlacement

CheckpointArgument = Annotated[Path, typer.Argument(help="A weights file, by safetensors or torch.save.")]
ArchitectureOption = Annotated[
    str | None, typer.Option(help="The architecture, by its name here or torchvision:NAME; recognised by default.")
]
AttentionOption = Annotated[
    Attention | None,
    typer.Option(
        help="The attention, if the tensors leave it open: se, channel-max and channel-both look alike, and so do none "
        "and simam.",
        callback=refuse_own,
    ),
]
ClassesOption = Annotated[int | None, typer.Option(help="The number of classes that the file must have.", min=1)]
StrideOption = Annotated[
    StridePlacement | None, typer.Option(help="The place of a bottleneck's stride, which the tensors leave open.")
]
EmaOption = Annotated[bool, typer.Option("--ema", help="Take the averaged weights if the file has both.")]
SizeOption = Annotated[int, typer.Option(help="The limit of the file's size, in bytes.", min=1)]


def models(
    *,
    ablations: Annotated[
        bool, typer.Option("--ablations", help="Print ResNet-50 with every design of the paper's ablations instead.")
    ] = False,
    write: Annotated[
        Path | None, typer.Option(help="Also write the counts into this JSON file, as the page reads them.")
    ] = None,
) -> None:
    """Print each network's parameters and multiply-adds beside the paper's, with the increase by attention."""
    with errors.status("counting"):
        from app.output.network_table import count_networks, tabulate_ablations, tabulate_counts
        from models.attention.design import DESIGNS
        from models.networks.counting import format_counts, list_networks

    if ablations:
        Console().print(tabulate_ablations(count_networks([("resnet50", attention) for attention in DESIGNS])))
        return
    counts = count_networks(list_networks())
    Console().print(tabulate_counts(counts))
    if write is not None:
        or_explain(write.write_text, format_counts(counts))


def inspect(
    *,
    file: CheckpointArgument,
    architecture: ArchitectureOption = None,
    attention: AttentionOption = None,
    classes: ClassesOption = None,
    stride_placement: StrideOption = None,
    ema: EmaOption = False,
    max_bytes: SizeOption = MAX_BYTES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a report.")] = False,
) -> None:
    """Report what a checkpoint is: layout, network, classes, needed changes, and whether its gates look trained.

    Nothing in the file is executed. The exit code is 2 for a file that has no weights of a known network.
    """
    options = ExaminationOptions(max_bytes, ema, classes, architecture, attention, stride_placement)
    with errors.status("reading the file"):
        from app.output.checkpoint_report import inspect_file, tabulate_diagnosis

        diagnosis = or_explain(inspect_file, file, options)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=2))
    else:
        Console().print(tabulate_diagnosis(diagnosis))


def convert(
    *,
    file: CheckpointArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The safetensors file to write.", dir_okay=False)],
    architecture: ArchitectureOption = None,
    attention: AttentionOption = None,
    classes: ClassesOption = None,
    stride_placement: StrideOption = None,
    ema: EmaOption = False,
    max_bytes: SizeOption = MAX_BYTES,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a report.")] = False,
) -> None:
    """Convert a checkpoint of any known layout to a safetensors file in our layout, with its origin as metadata.

    The network's function stays the same: planes in another project's order are swapped, and 1 x 1 convolutions of
    single positions become linear layers. The input file is not changed.
    """
    options = ExaminationOptions(max_bytes, ema, classes, architecture, attention, stride_placement)
    with errors.status("converting the file"):
        from app.output.checkpoint_report import convert_file, tabulate_diagnosis

        diagnosis = or_explain(convert_file, file, output, options)
    if as_json:
        typer.echo(diagnosis.model_dump_json(indent=2))
    else:
        Console().print(tabulate_diagnosis(diagnosis))
