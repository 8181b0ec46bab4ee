"""`cbam-lens mcp`."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from app.commands.options import (
    DeviceOption,
    LabelsOption,
    LineupOption,
    OfflineOption,
    as_list,
    errors,
    or_explain,
    prepare_settings,
)
from app.errors import InvalidOption


def mcp(
    *,
    folders: Annotated[
        list[Path] | None,
        typer.Option(
            "--folder",
            help="Folder whose pictures may be read; by default all that you may read. May be given several times.",
            file_okay=False,
            exists=True,
            metavar="DIR",
        ),
    ] = None,
    lineup: LineupOption = None,
    labels: LabelsOption = None,
    offline: OfflineOption = False,
    device: DeviceOption = None,
) -> None:
    """Answer a language model's questions about pictures of this machine, by MCP.

    A program that speaks the Model Context Protocol starts this command and talks to it over stdin and stdout. The
    tools give the networks' likeliest classes, the maps in numbers, and images. Needs uv sync --extra mcp.
    """
    or_explain(check_installed)
    settings = prepare_settings(as_list(lineup), as_list(labels), device, offline=offline)
    with errors.status("loading the networks"):
        from app.mcp.server import serve_tools
    or_explain(serve_tools, settings, folders or [])


def check_installed() -> None:
    """Check that the protocol's package is there; raises `InvalidOption`, which says how to install it."""
    if find_spec("mcp") is None:
        raise InvalidOption(
            "cbam-lens mcp needs the package mcp, which is not installed: uv sync --extra mcp", option="mcp"
        )
