"""The command line's entry: `cbam-lens` and its commands."""

import io
import sys
from typing import Annotated

import typer

from app.commands.calibrating import calibrate
from app.commands.lineups import fetch, lineups
from app.commands.looking import compare, serve
from app.commands.mcp import mcp
from app.commands.measuring import bench, evaluate, precision
from app.commands.networks import convert, inspect, models
from app.commands.options import check_temporary_directory, or_explain
from app.commands.sharing import push
from app.commands.studies import studies_app
from app.commands.training import TrainCommand, train
from app.version import VERSION

app = typer.Typer(
    name="cbam-lens",
    help="See what CBAM attention does to a convolutional network.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """The console script's entry."""
    for stream in (sys.stdout, sys.stderr):
        # A redirected console may have a code page without our signs, and no result is worth a traceback.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    app()


@app.callback(invoke_without_command=True)
def show_version(
    *, version: Annotated[bool, typer.Option("--version", help="Print the version and exit.", is_eager=True)] = False
) -> None:
    """See what CBAM attention does to a convolutional network."""
    if version:
        typer.echo(f"cbam-lens {VERSION}")
        raise typer.Exit
    or_explain(check_temporary_directory)


for command in (
    serve, compare, mcp, lineups, fetch, push, evaluate, calibrate, precision, bench, models, inspect, convert,
):  # fmt: skip
    app.command()(command)
app.command(cls=TrainCommand)(train)
app.add_typer(studies_app)
