"""`cbam-lens serve` and `compare`."""

from pathlib import Path
from typing import Annotated

import typer

from app.analysis.options import ConceptOptions, FigureOptions, GeometryOptions, SheetOptions, TargetOptions
from app.commands.options import (
    EXIT_BAD_INPUT,
    LINEUP_HELP,
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
    or_refuse,
    parse_resolution,
    prepare_settings,
)
from app.commands.ray import find_survey, serve_on_ray
from app.explain.methods import METHOD_HELP, Method
from app.render.colour_scale import Colormap, Scale
from app.render.sheet_layout import FigureWidth, SheetLayout
from models.names import Stage


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; by default only this machine can reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 8000,
    lineup: Annotated[
        list[str] | None, typer.Option("--lineup", help=f"{LINEUP_HELP} May be given several times.", metavar="LINEUP")
    ] = None,
    labels: Annotated[
        list[str] | None,
        typer.Option(
            "--labels",
            help="Class names for NAME=SOURCE,SOURCE: a file with one per line, or imagenet; once for all such "
            "lineups, or once for each.",
            metavar="FILE",
        ),
    ] = None,
    root_path: Annotated[
        str,
        typer.Option(help="Path of a proxy below which the server is reached, such as /lens.", metavar="PATH"),
    ] = "",
    offline: OfflineOption = False,
    device: DeviceOption = None,
    on: OnOption = ComputeLocation.HERE,
) -> None:
    """Serve the page and the REST API.

    Environment variables set the rest: CBAM_LENS_MAX_UPLOAD_BYTES, CBAM_LENS_MAX_PICTURE_PIXELS,
    CBAM_LENS_QUEUE_SIZE, CBAM_LENS_DEADLINE_SECONDS, CBAM_LENS_CACHE_BYTES, CBAM_LENS_CACHE_SECONDS,
    CBAM_LENS_THREADS, CBAM_LENS_LOG_LEVEL.
    """
    settings = prepare_settings(lineup or [], labels or [], device, offline=offline, root_path=root_path)
    if on is ComputeLocation.RAY:
        serve_on_ray(settings, host=host, port=port)
        return
    with errors.status("loading the networks"):
        from app.engine.memory import give_back_memory
        from app.server.pauses import shorten_pauses
        from app.serving import prepare_server

        server, listener = or_explain(prepare_server, settings, host=host, port=port)
        shorten_pauses()
        give_back_memory()
    server.run(sockets=[listener])


def compare(
    *,
    images: Annotated[
        list[Path],
        typer.Argument(
            help="Pictures; with --rows also folders, lists (.txt, one path per line), shards NAME-{0000..0009}.tar.",
            metavar="IMAGE...",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Directory for figures and maps; by default the current one, or none with --json or --sheet.",
            file_okay=False,
        ),
    ] = None,
    target: Annotated[
        str,
        typer.Option(
            help="Class by index or name; by default the one that the networks' mean probability ranks first."
        ),
    ] = "",
    networks: Annotated[
        str,
        typer.Option(
            help="Networks of the figure and of the sheet, in this order, by name; all by default.",
            metavar="NAME,NAME",
        ),
    ] = "",
    of: Annotated[
        str, typer.Option(help="Network to subtract from in the difference; the last one by default.", metavar="NAME")
    ] = "",
    minus: Annotated[
        str, typer.Option(help="Network to subtract in the difference; the baseline by default.", metavar="NAME")
    ] = "",
    has_difference: Annotated[
        bool, typer.Option("--difference", help="Add the difference to each picture's figure.")
    ] = False,
    versus: Annotated[
        str, typer.Option(help="Second class, by index or name, as a second row of each picture's figure.")
    ] = "",
    threshold: Annotated[
        float,
        typer.Option(
            help="Draw a line around where a map reaches this share of its scale, 0..1; 0 draws none.", min=0, max=1
        ),
    ] = 0.0,
    method: Annotated[Method, typer.Option(help=METHOD_HELP)] = Method.GRADCAM,
    against: Annotated[
        str,
        typer.Option(
            help="With --method finercam: the class to contrast with, by index or name; by default the three whose "
            "scores are nearest."
        ),
    ] = "",
    stage: Annotated[int, typer.Option(help="Stage to explain, 1 (fine) to 4 (deep).", min=1, max=4)] = 4,
    interventions: Annotated[
        list[str] | None,
        typer.Option(
            "--intervention",
            help="Change learned gates: [NETWORK:]SCOPE:GATE:CHANGE, for example all:spatial:neutral, "
            "cbam:stage4:spatial:invert or layer3.1:channel:drop-max. May be given several times.",
        ),
    ] = None,
    scale: Annotated[Scale, typer.Option(help="One maximum for all maps of a picture, or one per map.")] = Scale.SHARED,
    colormap: Annotated[Colormap, typer.Option(help="Colours of the maps.")] = Colormap.VIRIDIS,
    geometry: GeometryOption = None,
    resolution: ResolutionOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON, one line per picture.")] = False,
    sheet: Annotated[
        Path | None,
        typer.Option(
            help="All pictures in one figure: a file that ends in .png, .svg or .pdf. The files of each picture are "
            "written too if --output is given.",
            dir_okay=False,
        ),
    ] = None,
    layout: Annotated[
        SheetLayout,
        typer.Option(
            help="With --sheet: a row per picture, with a difference; or a column per picture and a row per network, "
            "as in the paper.",
        ),
    ] = SheetLayout.ROWS,
    width: Annotated[
        FigureWidth,
        typer.Option(help="With --layout columns: as wide as the pictures need, or a paper's column or page."),
    ] = FigureWidth.NATURAL,
    rows: Annotated[
        Path | None,
        typer.Option(
            help="Directory for one Parquet row per picture in place of figures; pictures that already have a row "
            "are skipped. Needs uv sync --extra survey.",
            file_okay=False,
        ),
    ] = None,
    concepts: Annotated[
        int | None,
        typer.Option(
            help="Also divide what each network computes into so many parts that it treats alike, without a class, and "
            "write an image per network and a JSON file. Imports scikit-learn, which takes a few seconds.",
            min=2,
            max=8,
            metavar="[2..8]",
        ),
    ] = None,
    has_maps: Annotated[bool, typer.Option("--maps", help="With --rows: keep each picture's maps as NPZ too.")] = False,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
    on: OnOption = ComputeLocation.HERE,
) -> None:
    """Write the paper's figure and all maps for each picture.

    For dog.jpg: dog.figure.png, dog.difference.png, dog.maps.npz and one map per network: dog.baseline.png,
    dog.cbam.png. A picture that cannot be read is reported and skipped; the exit code is then 2.

    With --concepts also dog.concepts.json, and dog.concepts.cbam.png for each network.

    With --sheet all pictures become one figure, as rows or as columns.

    With --rows many pictures become a table of predictions, map statistics and comparisons of the maps. A picture that
    cannot be read becomes a row with its error. After a stop, the same command continues where it stopped.
    """
    if on is ComputeLocation.RAY and rows is None:
        raise typer.BadParameter("--on ray works only for tables of many pictures; add --rows DIR")
    if sheet is not None and rows is not None:
        raise typer.BadParameter("--rows writes a table and --sheet a figure; choose one of them")
    if concepts is not None and (rows is not None or (output is None and (as_json or sheet is not None))):
        raise typer.BadParameter("--concepts writes files for each picture; add --output DIR, and leave out --rows")
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app.survey.figures import CompareOptions, compare_files
        from app.survey.run import SurveyOptions
        from app.survey.sources import list_sources

    asked = or_refuse(
        TargetOptions,
        target=target,
        method=method,
        against=against,
        stage=Stage(stage),
        interventions=tuple(interventions or ()),
    )
    seen_as = GeometryOptions(geometry=geometry, resolution=parse_resolution(resolution))
    if rows is not None:
        survey = SurveyOptions(target=asked, geometry=seen_as, directory=rows, has_maps=has_maps)
        sources = or_explain(list_sources, [str(image) for image in images])
        report = or_explain(find_survey(on), settings, sources, survey)
        before = f", {report.skipped:,} existed already" if report.skipped else ""
        failed = f", {report.failed:,} of them with an error" if report.failed else ""
        typer.echo(f"{rows}: {report.done:,} rows written{failed}{before}")
        return
    drawing = or_refuse(
        SheetOptions,
        **asked.model_dump(),
        scale=scale,
        colormap=colormap,
        networks=networks,
        of=of,
        minus=minus,
        layout=layout,
        width=width,
        threshold=threshold,
    )
    options = CompareOptions(
        drawing=drawing,
        figure=or_refuse(FigureOptions, **drawing.model_dump(), difference=has_difference, versus=versus),
        geometry=seen_as,
        output=output or (None if as_json or sheet else Path()),
        sheet=sheet,
        as_json=as_json,
        concepts=None if concepts is None else ConceptOptions(count=concepts, stage=Stage(stage)),
    )
    failures = or_explain(compare_files, settings, images, options)
    if failures:
        raise typer.Exit(EXIT_BAD_INPUT)
