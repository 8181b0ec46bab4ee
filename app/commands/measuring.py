"""`cbam-lens evaluate`, `precision` and `bench`: measurements on your own machine."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from app.analysis.options import GeometryOptions
from app.commands.options import (
    BatchSizeOption,
    ClassMapOption,
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
from app.explain.methods import METHOD_HELP, Method
from models.names import Stage

if TYPE_CHECKING:
    from app.bench.results.report import BenchReport


def evaluate(
    *,
    data: Annotated[
        Path,
        typer.Argument(
            help="Directory with one folder of pictures per class; with --answers also shards, NAME-{0000..0009}.tar."
        ),
    ],
    listing: Annotated[
        Path | None, typer.Option("--list", help="Text file that names the pictures to use, one CLASS/FILE per line.")
    ] = None,
    geometry: GeometryOption = None,
    resolution: ResolutionOption = None,
    batch_size: BatchSizeOption = 32,
    focus: Annotated[bool, typer.Option("--focus", help="Also measure where the networks look.")] = False,
    masks: Annotated[
        Path | None,
        typer.Option(help="Directory of the objects' masks, CLASS/NAME.png for CLASS/NAME.jpg.", file_okay=False),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(help="CSV file of the objects' boxes, with file, synset, xmin, ymin, xmax, ymax.", dir_okay=False),
    ] = None,
    class_map: ClassMapOption = None,
    methods: Annotated[
        list[Method] | None,
        typer.Option("--method", help=f"{METHOD_HELP} May be given several times; Grad-CAM by default."),
    ] = None,
    stage: Annotated[int, typer.Option(help="The stage whose output is explained.", min=1, max=4)] = 4,
    tolerance: Annotated[float, typer.Option(help="Pixels by which a peak may miss the object; often 15.", min=0)] = 0,
    fill: Annotated[str, typer.Option(help="Filling of removed positions.", metavar="[blurred|mean]")] = "blurred",
    curves: Annotated[bool, typer.Option(help="Measure deletion and insertion, the slowest part.")] = True,
    rows: Annotated[Path | None, typer.Option(help="CSV file for each picture's numbers.", dir_okay=False)] = None,
    plot: Annotated[Path | None, typer.Option(help="PNG file to draw the results into.", dir_okay=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    answers: Annotated[
        Path | None,
        typer.Option(
            help="Directory for one Parquet row per picture; pictures that already have a row are skipped. Needs "
            "uv sync --extra survey.",
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
    """Measure a lineup's networks on a folder of class folders: top-1, top-5, calibration, and where they look.

    A folder's name is a class's identifier or name (`GET /api/v1/lineups` lists both). A folder of an unknown class is
    an error; pictures that cannot be read are reported, counted and left out. With --focus the heat maps of the true
    class and CBAM's gates are compared with the objects, whose places --masks or --boxes gives; differences have paired
    bootstrap intervals. With --answers each picture becomes a row in a table, as by `compare --rows`; after a stop, the
    same command continues where it stopped.
    """
    if not focus and (masks or boxes or class_map or rows):
        raise typer.BadParameter("--masks, --boxes, --class-map and --rows measure where networks look; add --focus")
    if focus and answers is not None:
        raise typer.BadParameter("--answers and --focus exclude each other; measure them in two runs")
    if answers is None and (has_maps or on is ComputeLocation.RAY or data.suffix == ".tar"):
        raise typer.BadParameter("--maps, --on ray and shards work only for rows of many pictures; add --answers DIR")
    or_explain(_check_outputs, rows, plot)
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app.evaluation.from_rows import evaluate_by_rows
        from app.evaluation.results.options import EvaluationOptions, Fill, FocusOptions
        from app.evaluation.results.plot import draw_evaluation
        from app.evaluation.results.rows import write_rows
        from app.evaluation.results.table import tabulate_evaluation
        from app.evaluation.run import measure

    focus_options = None
    if focus:
        focus_options = or_explain(
            FocusOptions,
            masks=masks,
            boxes=boxes,
            class_map=class_map,
            methods=tuple(dict.fromkeys(methods or (Method.GRADCAM,))),
            stage=Stage(stage),
            tolerance_pixels=tolerance,
            fill=or_explain(Fill.parse, fill),
            has_curves=curves,
        )
    options = EvaluationOptions(
        data=data,
        listing=listing,
        geometry=GeometryOptions(geometry=geometry, resolution=parse_resolution(resolution)),
        batch_size=batch_size,
        focus=focus_options,
    )
    if answers is not None:
        survey = find_survey(on)
        measured = or_explain(evaluate_by_rows, settings, options, answers, has_maps=has_maps, survey=survey)
    else:
        measurement = or_explain(measure, settings, options)
        measured = measurement.evaluation
        if rows is not None:
            or_explain(write_rows, measurement.rows, rows)
    if plot is not None:
        or_explain(plot.write_bytes, draw_evaluation(measured))
    if as_json:
        typer.echo(measured.model_dump_json(indent=2))
    else:
        Console().print(tabulate_evaluation(measured))


def _check_outputs(*paths: Path | None) -> None:
    """Refuse a file that cannot be written before a long measurement, not after it."""
    for path in paths:
        if path is not None and not path.parent.is_dir():
            raise InvalidOption(f"{path.parent} is not a directory; create it, or choose another one", option="output")


def precision(
    *,
    directory: Annotated[Path, typer.Argument(help="Directory with pictures.", exists=True, file_okay=False)],
    limit: Annotated[int | None, typer.Option(help="Largest number of pictures; all by default.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
) -> None:
    """Compare bf16 and fp16 with fp32: probabilities, heat maps and time."""
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
    rounds: Annotated[int, typer.Option(help="Turns of each contestant in this process.", min=1)] = 20,
    seconds: Annotated[float, typer.Option(help="Seconds of load at each number of clients.", min=0.1)] = 15.0,
    requests: Annotated[int, typer.Option(help="Requests before memory is read for the last time.", min=2)] = 2000,
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
    bench`), f another class on a cached picture, g over HTTP, h the server's memory, i its start. A ratio needs both
    of its parts. All parts together take some minutes; leave the machine alone meanwhile.

    With --on ray only part j runs: the plain server, Ray with one process that has the networks, and Ray with two.
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

    options = BenchOptions(
        parts=parts, rounds=rounds, seconds=seconds, requests=requests, plot=plot, are_chosen=bool(only)
    )
    report = or_explain(run_bench, settings, options)
    _show(report, as_json=as_json)


def _show(report: "BenchReport", *, as_json: bool) -> None:
    from app.bench.results.table import tabulate

    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(tabulate(report))
