"""`cbam-lens lineups` and `fetch`: lineups known by name, and their weights."""

from typing import Annotated

import typer
from rich.console import Console

from app.commands.fetching import fetch_known
from app.commands.options import OfflineOption, or_explain, read_settings, tell
from app.output.lineup_table import list_lineups, tabulate_lineups


def lineups(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON in place of a table.")] = False
) -> None:
    """List the lineups known by name, with the weights that are on this machine and those to fetch."""
    known = or_explain(list_lineups, read_settings().weight_store)
    if as_json:
        typer.echo(known.model_dump_json(indent=2))
    else:
        Console().print(tabulate_lineups(known))


def fetch(
    *,
    names: Annotated[
        list[str], typer.Argument(help="Names that cbam-lens lineups lists, or hf:OWNER/REPOSITORY.", metavar="NAME...")
    ],
    force: Annotated[bool, typer.Option("--force", help="Fetch files again that are on this machine.")] = False,
    offline: OfflineOption = False,
) -> None:
    """Fetch the published weights of lineups beforehand; serve and the other commands do it when they need them.

    A file's hash is checked before anything reads the file. A broken transfer continues where it ended.
    CBAM_LENS_CACHE_DIR says where files are kept, CBAM_LENS_MIRROR names another host.
    """
    settings = read_settings(offline=offline)
    for name in names:
        for source in or_explain(fetch_known, name, settings, tell, is_forced=force):
            typer.echo(f"{name}: {source}")
