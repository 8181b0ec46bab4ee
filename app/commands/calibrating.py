"""`cbam-lens calibrate`: temperatures, and the threshold of "none of the classes fits well"."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from app.commands.options import (
    BatchSizeOption,
    ClassMapOption,
    DeviceOption,
    LabelsOption,
    LineupOption,
    OfflineOption,
    as_list,
    errors,
    or_explain,
    prepare_settings,
)


def calibrate(
    *,
    data: Annotated[
        Path,
        typer.Argument(
            help="Directory with one folder of pictures per class, none of them used in training; with --boxes the "
            "directory of the files that it names."
        ),
    ],
    listing: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="Text file that names the pictures to use, one CLASS/FILE per line; with --boxes one FILE per line.",
        ),
    ] = None,
    boxes: Annotated[
        Path | None,
        typer.Option(
            help="CSV file that names each picture's class, with file, synset, xmin, ymin, xmax, ymax.", dir_okay=False
        ),
    ] = None,
    class_map: ClassMapOption = None,
    outside: Annotated[
        Path | None,
        typer.Option(
            help="Pictures of none of the classes: a directory, or a text file with one path per line, relative to "
            "that file. With them the threshold is chosen."
        ),
    ] = None,
    false_alarms: Annotated[
        float,
        typer.Option(help="Share of the pictures of known classes below the threshold, where it is chosen."),
    ] = 0.1,
    batch_size: BatchSizeOption = 32,
    write: Annotated[
        bool,
        typer.Option("--write", help="Put the result into the weight files and cards; otherwise it is only printed."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
) -> None:
    """Fit P to how often the networks are right, and choose when to say that none of the classes fits.

    Each network gets a temperature T, and every P becomes softmax(logits / T). T has the least negative log-likelihood
    on one half of the pictures; the calibration error before and after is measured on the other half. The halves are
    always the same.

    With --outside, the threshold of the score for "none of the classes fits this picture well" is chosen on one half,
    and false alarms and misses are counted on the other.

    --write puts both, with the figures and the pictures' names, into the metadata of the weight files and into the
    cards beside them, in place of earlier ones; without --outside an earlier threshold is removed. No tensor changes.
    The files' checksums change, so results that name them, such as the recorded evidence, have to be measured again.
    """
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app import calibration

    options = or_explain(
        calibration.CalibrationOptions,
        data=data,
        listing=listing,
        boxes=boxes,
        class_map=class_map,
        outside=outside,
        false_alarms=false_alarms,
        batch_size=batch_size,
        is_written=write,
    )
    report = or_explain(calibration.calibrate_lineup, settings, options)
    if as_json:
        typer.echo(report.model_dump_json(indent=2))
    else:
        Console().print(calibration.tabulate_calibration(report))
