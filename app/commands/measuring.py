"""`cbam-lens evaluate`, `precision` and `bench`: what can be measured on one's own machine."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.commands.options import (
    DeviceOption,
    GeometryOption,
    LabelsOption,
    PairOption,
    ResolutionOption,
    as_list,
    errors,
    or_explain,
    parse_resolution,
    read_settings,
)
from app.options import GeometryOptions


def evaluate(
    *,
    data: Annotated[Path, typer.Argument(help="Directory with one folder of pictures a class.", file_okay=False)],
    listing: Annotated[
        Path | None, typer.Option("--list", help="Text file that names the pictures to use, one CLASS/FILE a line.")
    ] = None,
    geometry: GeometryOption = None,
    resolution: ResolutionOption = None,
    batch_size: Annotated[int, typer.Option(help="Pictures a forward pass.", min=1)] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    pair: PairOption = None,
    labels: LabelsOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure top-1 and top-5 accuracy of both networks on a folder of class folders.

    A folder's name is a class's identifier or name (`GET /api/v1/pairs` lists both). Folders of other classes are an
    error; pictures that cannot be read are named, counted and left out.
    """
    settings = read_settings(as_list(pair), as_list(labels), device)
    with errors.status("loading the networks"):
        from app.evaluation import EvaluationOptions, run_evaluation, tabulate_evaluation

    options = EvaluationOptions(
        data=data,
        listing=listing,
        geometry=GeometryOptions(geometry=geometry, resolution=parse_resolution(resolution)),
        batch_size=batch_size,
    )
    evaluation = or_explain(run_evaluation, settings, options)
    if as_json:
        typer.echo(evaluation.model_dump_json(indent=2))
    else:
        Console().print(tabulate_evaluation(evaluation))


def precision(
    *,
    directory: Annotated[Path, typer.Argument(help="Directory with pictures.", exists=True, file_okay=False)],
    limit: Annotated[int | None, typer.Option(help="How many pictures at most; all by default.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    pair: PairOption = None,
    labels: LabelsOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure what bf16 and fp16 change in probabilities, heat maps and time."""
    settings = read_settings(as_list(pair), as_list(labels), device)
    with errors.status("loading the networks"):
        from app.precision import measure_precision, tabulate_precision

    report = or_explain(measure_precision, settings, directory, limit=limit)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(tabulate_precision(report))


def bench(
    *,
    only: Annotated[str, typer.Option(help="Parts to measure, for example a,b,d; all by default.")] = "",
    rounds: Annotated[int, typer.Option(help="Turns of each thing that is timed in process.", min=1)] = 20,
    seconds: Annotated[float, typer.Option(help="Load at each number of clients.", min=0.1)] = 15.0,
    requests: Annotated[int, typer.Option(help="Requests before memory is read a last time.", min=2)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    plot: Annotated[Path | None, typer.Option(help="PNG file to draw the figures into.", dir_okay=False)] = None,
    pair: PairOption = None,
    labels: LabelsOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure the speed: our analysis beside the two bare forward passes, grad-cam and torchcam.

    Parts: a the bare forward passes, b our analysis, c its steps, d grad-cam, e torchcam (wants `uv sync --group
    bench`), f another class on a cached picture, g over HTTP, h the server's memory, i its start. A ratio is printed
    where both of its parts were measured. Everything takes some minutes; leave the machine alone meanwhile.
    """
    from app.bench.parts import BenchOptions, parse_parts

    parts = or_explain(parse_parts, only)
    settings = read_settings(as_list(pair), as_list(labels), device)
    with errors.status("loading the networks"):
        from app.bench.run import run_bench
        from app.bench.table import tabulate

    options = BenchOptions(parts=parts, rounds=rounds, seconds=seconds, requests=requests, plot=plot)
    report = or_explain(run_bench, settings, options)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(tabulate(report))
