"""The command line: `cbam-lens serve`, `compare`, `evaluate`, `models` and `bench`.

What needs torch is imported inside the commands: `--help` and a mistyped option answer at once.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from app.errors import LensError
from app.explain.methods import Method
from app.options import ColourOptions, GeometryOptions, TargetOptions
from app.render.colour_scale import Colormap, Scale
from app.settings import Settings
from app.version import VERSION
from models.card import PairError
from models.names import Geometry, Resolution, Stage

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

EXIT_BAD_INPUT = 2

app = typer.Typer(
    name="cbam-lens",
    help="See what CBAM attention does to a convolutional network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

errors = Console(stderr=True)

PairOption = Annotated[
    Path | None,
    typer.Option("--pair", help="The pair's TOML file; the shipped pair by default.", exists=True, dir_okay=False),
]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda or cuda:0; auto by default.")]
GeometryOption = Annotated[
    Geometry | None, typer.Option(help="How a picture becomes the networks' input; the pair's own way by default.")
]
ResolutionOption = Annotated[
    str | None,
    typer.Option(
        help="Shorter side of the input in pixels; the pair's own by default.",
        metavar=f"[{'|'.join(str(value.value) for value in Resolution)}]",
    ),
]


def main() -> None:
    """The console script's entry."""
    app()


@app.callback(invoke_without_command=True)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and leave.", is_eager=True)] = False
) -> None:
    """See what CBAM attention does to a convolutional network."""
    if version:
        typer.echo(f"cbam-lens {VERSION}")
        raise typer.Exit


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on; this machine alone by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    pair: PairOption = None,
    device: DeviceOption = None,
) -> None:
    """Serve the page and the REST API.

    More can be set by environment variables: CBAM_LENS_MAX_UPLOAD_BYTES, CBAM_LENS_MAX_PICTURE_PIXELS,
    CBAM_LENS_QUEUE_SIZE, CBAM_LENS_DEADLINE_SECONDS, CBAM_LENS_CACHE_BYTES, CBAM_LENS_CACHE_SECONDS,
    CBAM_LENS_THREADS, CBAM_LENS_LOG_LEVEL.
    """
    settings = _read_settings(pair, device)
    with errors.status("loading the networks"):
        from app.serving import prepare_server

        server, listener = _or_explain(prepare_server, settings, host=host, port=port)
    server.run(sockets=[listener])


@app.command()
def compare(
    *,
    images: Annotated[list[Path], typer.Argument(help="Pictures to compare on.", metavar="IMAGE...")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Directory for figures and maps; the current one by default, none with --json alone.",
            file_okay=False,
        ),
    ] = None,
    target: Annotated[str, typer.Option(help="Class by index or name; the baseline's first by default.")] = "",
    method: Annotated[Method, typer.Option(help="How the maps are made.")] = Method.GRADCAM,
    stage: Annotated[int, typer.Option(help="Stage to explain, 1 (fine) to 4 (deep).", min=1, max=4)] = 4,
    scale: Annotated[Scale, typer.Option(help="One maximum for both maps, or each its own.")] = Scale.SHARED,
    colormap: Annotated[Colormap, typer.Option(help="Colours of the maps.")] = Colormap.VIRIDIS,
    geometry: GeometryOption = None,
    resolution: ResolutionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON lines, one a picture.")] = False,
    pair: PairOption = None,
    device: DeviceOption = None,
) -> None:
    """Write the paper's figure and all maps for each picture.

    For dog.jpg: dog.figure.png, dog.baseline.png, dog.cbam.png, dog.difference.png and dog.maps.npz. A picture that
    cannot be read is named and skipped; the exit code is then 2.
    """
    settings = _read_settings(pair, device)
    with errors.status("loading the networks"):
        from app.batch import CompareOptions, compare_files

    options = CompareOptions(
        target=TargetOptions(target=target, method=method, stage=Stage(stage)),
        colours=ColourOptions(scale=scale, colormap=colormap),
        geometry=GeometryOptions(geometry=geometry, resolution=_parse_resolution(resolution)),
        output=output or (None if as_json else Path()),
        as_json=as_json,
    )
    failures = _or_explain(compare_files, settings, images, options)
    if failures:
        raise typer.Exit(EXIT_BAD_INPUT)


@app.command()
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
    device: DeviceOption = None,
) -> None:
    """Measure top-1 and top-5 accuracy of both networks on a folder of class folders.

    A folder's name is a class's identifier or name (`GET /api/v1/pairs` lists both). Folders of other classes are an
    error; pictures that cannot be read are named, counted and left out.
    """
    settings = _read_settings(pair, device)
    with errors.status("loading the networks"):
        from app.evaluation import EvaluationOptions, run_evaluation, tabulate_evaluation

    options = EvaluationOptions(
        data=data,
        listing=listing,
        geometry=GeometryOptions(geometry=geometry, resolution=_parse_resolution(resolution)),
        batch_size=batch_size,
    )
    evaluation = _or_explain(run_evaluation, settings, options)
    if as_json:
        typer.echo(evaluation.model_dump_json(indent=2))
    else:
        Console().print(tabulate_evaluation(evaluation))


@app.command()
def precision(
    *,
    directory: Annotated[Path, typer.Argument(help="Directory with pictures.", exists=True, file_okay=False)],
    limit: Annotated[int | None, typer.Option(help="How many pictures at most; all by default.", min=1)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    pair: PairOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure what bf16 and fp16 change in probabilities, heat maps and time."""
    settings = _read_settings(pair, device)
    with errors.status("loading the networks"):
        from app.precision import measure_precision, tabulate_precision

    report = _or_explain(measure_precision, settings, directory, limit=limit)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(tabulate_precision(report))


@app.command()
def models() -> None:
    """Print each network's parameters and multiply-adds, without and with CBAM."""
    with errors.status("counting"):
        from app.model_table import build_model_table
    Console().print(build_model_table())


@app.command()
def bench(
    *,
    only: Annotated[str, typer.Option(help="Parts to measure, for example a,b,d; all by default.")] = "",
    rounds: Annotated[int, typer.Option(help="Turns of each thing that is timed in process.", min=1)] = 20,
    seconds: Annotated[float, typer.Option(help="Load at each number of clients.", min=0.1)] = 15.0,
    requests: Annotated[int, typer.Option(help="Requests before memory is read a last time.", min=2)] = 2000,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    plot: Annotated[Path | None, typer.Option(help="PNG file to draw the figures into.", dir_okay=False)] = None,
    pair: PairOption = None,
    device: DeviceOption = None,
) -> None:
    """Measure the speed: our analysis beside the two bare forward passes, grad-cam and torchcam.

    Parts: a the bare forward passes, b our analysis, c its steps, d grad-cam, e torchcam (wants `uv sync --group
    bench`), f another class on a cached picture, g over HTTP, h the server's memory, i its start. A ratio is printed
    where both of its parts were measured. Everything takes some minutes; leave the machine alone meanwhile.
    """
    from app.bench.parts import BenchOptions, parse_parts

    parts = _or_explain(parse_parts, only)
    settings = _read_settings(pair, device)
    with errors.status("loading the networks"):
        from app.bench.run import run_bench
        from app.bench.table import tabulate

    options = BenchOptions(parts=parts, rounds=rounds, seconds=seconds, requests=requests, plot=plot)
    report = _or_explain(run_bench, settings, options)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(tabulate(report))


def _read_settings(pair: Path | None, device: str | None) -> Settings:
    given: dict[str, Any] = {"pair": pair, "device": device}
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def _parse_resolution(text: str | None) -> Resolution | None:
    if text is None:
        return None
    allowed = [str(value.value) for value in Resolution]
    if text not in allowed:
        raise typer.BadParameter(f"resolution is {text}; choose one of {', '.join(allowed)}")
    return Resolution(int(text))


def _or_explain(work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a command; what a user can mend is one line on standard error and exit code 2."""
    try:
        return work(*args, **kwargs)
    except (PairError, LensError, OSError) as error:
        errors.print(f"cbam-lens: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
