"""`cbam-lens evaluate`, `precision` and `bench`: what can be measured on one's own machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.analysis.options import GeometryOptions
from app.commands.options import (
    ComputeLocation,
    DeviceOption,
    GeometryOption,
    LabelsOption,
    LineupOption,
    OfflineOption,
    OnOption,
    ResolutionOption,
    as_list,
    errors,
    or_explain,
    parse_resolution,
    prepare_settings,
)
from app.commands.ray import bench_on_ray, find_survey
from app.errors import InvalidOption
from app.explain.methods import Method
from models.names import Stage

if TYPE_CHECKING:
    from app.bench.results.report import BenchReport


def evaluate(
    *,
    data: Annotated[
        Path,
        typer.Argument(
            help="Directory with one folder of pictures a class; with --answers also shards, NAME-{0000..0009}.tar."
        ),
    ],
    listing: Annotated[
        Path | None, typer.Option("--list", help="Text file that names the pictures to use, one CLASS/FILE a line.")
    ] = None,
    geometry: GeometryOption = None,
    resolution: ResolutionOption = None,
    batch_size: Annotated[int, typer.Option(help="Pictures a forward pass.", min=1)] = 32,
    focus: Annotated[bool, typer.Option("--focus", help="Also measure where the networks look.")] = False,
    masks: Annotated[
        Path | None, typer.Option(help="Where the objects are: CLASS/NAME.png for CLASS/NAME.jpg.", file_okay=False)
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="Where the objects are: a CSV with file, synset, xmin, ymin, xmax, ymax.", dir_okay=False),
    ] = None,
    class_map: Annotated[
        Path | None,
        typer.Option(help="What the data calls a class and the lineup's index or name for it, one class a line."),
    ] = None,
    methods: Annotated[
        list[Method] | None,
        typer.Option("--method", help="How maps are made; may be given again; Grad-CAM by default."),
    ] = None,
    stage: Annotated[int, typer.Option(help="The stage whose output is explained.", min=1, max=4)] = 4,
    tolerance: Annotated[
        float, typer.Option(help="Pixels by which a peak may miss the object; 15 is usual.", min=0)
    ] = 0,
    fill: Annotated[
        str, typer.Option(help="What stands where a position was removed.", metavar="[blurred|mean]")
    ] = "blurred",
    curves: Annotated[bool, typer.Option(help="Measure deletion and insertion, which take most of the time.")] = True,
    rows: Annotated[Path | None, typer.Option(help="CSV file for each picture's numbers.", dir_okay=False)] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG file to draw the results into.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="Directory for one Parquet row a picture; pictures that have one there are not done again. Wants uv "
            "sync --extra survey.",
            file_okay=False,
        ),
    ] = None,
    has_maps: Annotated[
        bool, typer.Option("--maps", help="With --answers: keep each picture's maps as NPZ too.")
    ] = False,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
    on: OnOption = ComputeLocation.HERE,
) -> None:
    """Measure both networks on a folder of class folders: top-1, top-5, calibration, and where they look.

    A folder's name is a class's identifier or name (`GET /api/v1/lineups` lists both). Folders of other classes are an
    error; pictures that cannot be read are named, counted and left out. With --focus the heat maps of the true class
    and CBAM's gates are compared with the objects, whose place --masks or --boxes tells; differences come with paired
    bootstrap intervals. With --answers each picture becomes a row that is kept, as by `compare --rows`, and the same
    command goes on where an earlier one was stopped.
    """
    if not focus and (masks or boxes or class_map or rows):
        raise typer.BadParameter("--masks, --boxes, --class-map and --rows are about where networks look; add --focus")
    if focus and answers is not None:
        raise typer.BadParameter("--answers has no --focus; measure that in a run of its own")
    if answers is None and (has_maps or on is ComputeLocation.RAY or data.suffix == ".tar"):
        raise typer.BadParameter("--maps, --on ray and shards are for rows of many pictures; add --answers DIR")
    or_explain(_check_outputs, rows, plot)
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app import evaluation

    focus_options = None
    if focus:
        focus_options = or_explain(
            evaluation.FocusOptions,
            masks=masks,
            boxes=boxes,
            class_map=class_map,
            methods=tuple(dict.fromkeys(methods or (Method.GRADCAM,))),
            stage=Stage(stage),
            tolerance_pixels=tolerance,
            fill=or_explain(evaluation.Fill.parse, fill),
            has_curves=curves,
        )
    options = evaluation.EvaluationOptions(
        data=data,
        listing=listing,
        geometry=GeometryOptions(geometry=geometry, resolution=parse_resolution(resolution)),
        batch_size=batch_size,
        focus=focus_options,
    )
    if answers is not None:
        survey = find_survey(on)
        measured = or_explain(evaluation.evaluate_by_rows, settings, options, answers, has_maps=has_maps, survey=survey)
    else:
        measurement = or_explain(evaluation.measure, settings, options)
        measured = measurement.evaluation
        if rows is not None:
            or_explain(evaluation.write_rows, measurement.rows, rows)
    if plot is not None:
        or_explain(plot.write_bytes, evaluation.draw_evaluation(measured))
    if as_json:
        typer.echo(measured.model_dump_json(indent=2))
    else:
        Console().print(evaluation.tabulate_evaluation(measured))


def _check_outputs(*paths: Path | None) -> None:
    """Say before a long measurement, and not after it, that its results could not be written."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise InvalidOption(f"{path.parent} is no directory; make it, or write elsewhere", option="output")


def precision(
    *,
    directory: Annotated[Path, typer.Argument(help="Directory with pictures.", exists=True, file_okay=False)],
    limit: Annotated[int | None, typer.Option(help="How many pictures at most; all by default.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
) -> None:
    """Measure what bf16 and fp16 change in probabilities, heat maps and time."""
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app.evaluation.precision import measure_precision, tabulate_precision

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
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
    on: OnOption = ComputeLocation.HERE,
) -> None:
    """Measure the speed: our analysis beside the two bare forward passes, grad-cam and torchcam.

    Parts: a the bare forward passes, b our analysis, c its steps, d grad-cam, e torchcam (needs `uv sync --group
    bench`), f another class on a cached picture, g over HTTP, h the server's memory, i its start. A ratio is printed
    where both of its parts were measured. Everything takes some minutes; leave the machine alone meanwhile.

    With --on ray it is j alone: the server plain, on Ray with one process that has the networks, and with two.
    """
    if on is ComputeLocation.RAY:
        settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
        _show(bench_on_ray(settings, seconds=seconds), as_json=as_json)
        return
    from app.bench.results.parts import BenchOptions, parse_parts

    parts = or_explain(parse_parts, only)
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app.bench.run import run_bench

    options = BenchOptions(parts=parts, rounds=rounds, seconds=seconds, requests=requests, plot=plot)
    report = or_explain(run_bench, settings, options)
    _show(report, as_json=as_json)


def _show(report: "BenchReport", *, as_json: bool) -> None:
    from app.bench.results.table import tabulate

    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(tabulate(report))
