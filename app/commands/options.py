"""Shared by the commands: their options, and their errors that a user can mend.

Nothing here imports torch; commands import what needs it when they run, so that `--help` and a mistyped option answer
at once.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from rich.console import Console

from app.commands.fetching import fetch_chosen
from app.errors import LensError
from app.settings import Settings
from models.errors import LineupError
from models.names import Geometry, Resolution

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

EXIT_BAD_INPUT = 2

errors = Console(stderr=True)

LINEUP_HELP = (
    "A lineup: shipped (the default), another name that cbam-lens lineups lists, a TOML file, or NAME=SOURCE,SOURCE "
    "with two to five checkpoints, torchvision:resnet50 or untrained:vgg16_bn."
)
LineupOption = Annotated[str | None, typer.Option("--lineup", help=LINEUP_HELP, metavar="LINEUP")]
LabelsOption = Annotated[
    str | None,
    typer.Option(
        "--labels", help="Class names for NAME=SOURCE,SOURCE: a file with one per line, or imagenet.", metavar="FILE"
    ),
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Fetch no published weights; say which are missing, and where to put them.")
]
DeviceOption = Annotated[str | None, typer.Option("--device", help="auto, cpu, cuda or cuda:0; auto by default.")]
GeometryOption = Annotated[
    Geometry | None, typer.Option(help="How a picture becomes the networks' input; the lineup's own way by default.")
]
ResolutionOption = Annotated[
    str | None,
    typer.Option(
        help="Shorter side of the input in pixels; the lineup's own by default.",
        metavar=f"[{'|'.join(str(value.value) for value in Resolution)}]",
    ),
]


class ComputeLocation(StrEnum):
    """Where a command computes."""

    HERE = "here"
    """In this process."""
    RAY = "ray"
    """In the processes of a Ray cluster: of this machine, or the one that RAY_ADDRESS names."""


OnOption = Annotated[
    ComputeLocation,
    typer.Option("--on", help="here: this process; ray: a cluster, see the README; needs uv sync --extra ray."),
]


def read_settings(
    lineups: Sequence[str] = (), labels: Sequence[str] = (), device: str | None = None, *, offline: bool = False
) -> Settings:
    """The settings of the environment, with what the command line gives in their place."""
    given: dict[str, Any] = {"lineups": tuple(lineups), "labels": tuple(labels), "device": device, "offline": offline}
    try:
        return Settings(**{name: value for name, value in given.items() if value})
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def prepare_settings(lineups: Sequence[str], labels: Sequence[str], device: str | None, *, offline: bool) -> Settings:
    """The same, with the published weights of every chosen lineup on this machine: fetched now, if need be."""
    settings = read_settings(lineups, labels, device, offline=offline)
    or_explain(fetch_chosen, settings, tell)
    return settings


def tell(text: str) -> None:
    """A note for the person, on standard error."""
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def as_list(value: str | None) -> list[str]:
    """An option that is given once, or not at all."""
    return [] if value is None else [value]


def parse_resolution(text: str | None) -> Resolution | None:
    """The resolution that a text means; typer offers an enum's names, which are not what people type."""
    if text is None:
        return None
    allowed = [str(value.value) for value in Resolution]
    if text not in allowed:
        raise typer.BadParameter(f"resolution is {text}; choose one of {', '.join(allowed)}")
    return Resolution(int(text))


def or_explain(work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a command; what a user can mend is one line on standard error and exit code 2."""
    try:
        return work(*args, **kwargs)
    except (LineupError, LensError, OSError) as error:
        errors.print(f"cbam-lens: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
