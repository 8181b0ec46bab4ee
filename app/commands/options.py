"""The options that commands share, and the reports of errors that a user can correct.

Nothing here imports torch; commands import modules that need it when they run, so that `--help` and wrong options
answer at once.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, ParamSpec, TypeVar

import typer
from pydantic import ValidationError
from rich.console import Console

from app.commands.fetching import fetch_chosen
from app.errors import LensError
from app.settings import Settings
from models.errors import LineupError
from models.names import Attention, Geometry, Resolution

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

EXIT_BAD_INPUT = 2

errors = Console(stderr=True)

LINEUP_HELP = (
    "A lineup: shipped (the default), another name that cbam-lens lineups lists, a TOML file, hf:OWNER/REPOSITORY on "
    "the Hugging Face Hub, or NAME=SOURCE,SOURCE with two to five checkpoints, torchvision:resnet50, "
    "untrained:vgg16_bn or python:package.module:function. The last one runs that function's code to make a network; "
    "nothing else here runs code."
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
DeviceOption = Annotated[
    str | None, typer.Option("--device", help="Device: auto, cpu, cuda or cuda:0; auto by default.")
]
GeometryOption = Annotated[
    Geometry | None, typer.Option(help="How a picture becomes the networks' input; by default as the lineup prefers.")
]
ResolutionOption = Annotated[
    str | None,
    typer.Option(
        help="Shorter side of the input in pixels; the lineup's own by default.",
        metavar=f"[{'|'.join(str(value.value) for value in Resolution)}]",
    ),
]


class ComputeLocation(StrEnum):
    """The place where a command computes."""

    HERE = "here"
    """In this process."""
    RAY = "ray"
    """In the processes of a Ray cluster: of this machine, or the one that RAY_ADDRESS names."""


BatchSizeOption = Annotated[int, typer.Option(help="Pictures per forward pass.", min=1)]
ClassMapOption = Annotated[
    Path | None,
    typer.Option(help="Text file, one class per line: its name in the data, its index or name in the lineup."),
]
OnOption = Annotated[
    ComputeLocation,
    typer.Option(
        "--on", help="Where to compute. here: in this process; ray: on a cluster, which needs uv sync --extra ray."
    ),
]


def read_settings(
    lineups: Sequence[str] = (),
    labels: Sequence[str] = (),
    device: str | None = None,
    *,
    offline: bool = False,
    root_path: str = "",
) -> Settings:
    """Read the environment's settings; options of the command line override them."""
    given: dict[str, Any] = {
        "lineups": tuple(lineups),
        "labels": tuple(labels),
        "device": device,
        "offline": offline,
        "root_path": root_path,
    }
    try:
        return Settings(**{name: value for name, value in given.items() if value})
    except ValidationError as error:
        faults = (f"{_name_origin(fault['loc'][0], given)}: {fault['msg']}" for fault in error.errors())
        raise typer.BadParameter("; ".join(faults).replace("Value error, ", "")) from error


def _name_origin(setting: object, given: Mapping[str, object]) -> str:
    """Where a setting's value comes from: the command's option, or the environment's variable."""
    return (
        f"--{setting}".replace("lineups", "lineup").replace("_", "-")
        if given.get(str(setting))
        else f"CBAM_LENS_{setting}".upper()
    )


def prepare_settings(
    lineups: Sequence[str], labels: Sequence[str], device: str | None, *, offline: bool, root_path: str = ""
) -> Settings:
    """Read the settings, and fetch the published weights of the chosen lineups if they are missing."""
    settings = read_settings(lineups, labels, device, offline=offline, root_path=root_path)
    or_explain(fetch_chosen, settings, tell)
    return settings


def tell(text: str) -> None:
    """Print a note on standard error."""
    errors.print(text, markup=False, highlight=False, soft_wrap=True)


def refuse_own(value: Attention | list[Attention] | None) -> Attention | list[Attention] | None:
    """Refuse the attention of users' own networks, which no architecture here has."""
    if Attention.OWN in (value if isinstance(value, list) else [value]):
        known = ", ".join(attention.value for attention in Attention if attention is not Attention.OWN)
        raise typer.BadParameter(f"own is not an attention to choose; choose one of {known}")
    return value


def as_list(value: str | None) -> list[str]:
    """The values, none or one, of an option that may be given once."""
    return [] if value is None else [value]


def parse_resolution(text: str | None) -> Resolution | None:
    """Read a resolution from a text; typer would offer the enum's names instead of its numbers."""
    if text is None:
        return None
    allowed = [str(value.value) for value in Resolution]
    if text not in allowed:
        raise typer.BadParameter(f"resolution is {text}; choose one of {', '.join(allowed)}")
    return Resolution(int(text))


def or_refuse(options: Callable[..., Result], **given: Any) -> Result:  # noqa: ANN401  # each option has its own type
    """The options that were given; one out of its range is a wrong use of the command."""
    try:
        return options(**given)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def check_temporary_directory() -> None:
    """Check that a temporary directory can be written, which torch needs when it is imported; raises `OSError`."""
    try:
        tempfile.gettempdir()
    except OSError as error:
        raise OSError("no temporary directory can be written; set TMPDIR to a directory that can") from error


def or_explain(work: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a command; an error that a user can correct becomes one line on standard error and exit code 2."""
    try:
        return work(*args, **kwargs)
    except (LineupError, LensError, OSError) as error:
        errors.print(f"cbam-lens: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(EXIT_BAD_INPUT) from error
