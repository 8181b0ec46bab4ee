"""`cbam-lens mcp` from the side of a program that starts it."""

import asyncio
import shutil
import subprocess
import sys
from base64 import b64decode
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters
from mcp.types import ImageContent
from typer.testing import CliRunner

from app.cli import app
from app.commands import mcp as command
from tests.conftest import decode
from tests.lineups import RESNET18_110

PROGRAM = shutil.which("cbam-lens", path=str(Path(sys.executable).parent)) or "cbam-lens"


@pytest.mark.slow(every=True)
@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_client_gets_numbers_images_and_errors_over_stdio(tmp_path: Path, motorcycle: bytes, mode: str) -> None:
    (tmp_path / "bike.png").write_bytes(motorcycle)
    options = ["--lineup", str(RESNET18_110), "--folder", str(tmp_path), "--device", "cpu"]
    parameters = StdioServerParameters(command=PROGRAM, args=["mcp", *options], cwd=tmp_path)

    async def ask() -> tuple[Any, ...]:
        async with Client(parameters, mode=mode, read_timeout_seconds=200) as client:
            tools = await client.list_tools()
            numbers = await client.call_tool("compare_networks", {"picture": "bike.png"})
            figure = await client.call_tool("draw_figure", {"picture": "bike.png", "difference": True})
            outside = await client.call_tool("compare_networks", {"picture": str(RESNET18_110)})
            return tools, numbers, figure, outside

    tools, numbers, figure, outside = asyncio.run(ask())
    assert len(tools.tools) == 7
    assert numbers.structured_content["target"]["class_name"] == "motorbikes"
    image = figure.content[1]
    assert isinstance(image, ImageContent)
    assert decode(b64decode(image.data)).width > 1000
    assert outside.is_error
    assert "is outside of" in outside.content[0].text


@pytest.mark.slow
def test_stdout_is_empty_when_nobody_asks() -> None:
    result = subprocess.run(  # noqa: S603  # our own program
        [PROGRAM, "mcp", "--lineup", "many=untrained:resnet18,untrained:resnet18+cbam"],
        input=b"",
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert (result.returncode, result.stdout) == (0, b""), result.stderr


def test_mcp_says_how_to_install_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "find_spec", lambda name: None if name == "mcp" else find_spec(name))
    result = CliRunner().invoke(app, ["mcp"])
    assert result.exit_code == 2
    assert "uv sync --extra mcp" in result.stderr


def test_mcp_refuses_a_lineup_that_is_not_known() -> None:
    result = CliRunner().invoke(app, ["mcp", "--lineup", "nothing-of-this-name"])
    assert result.exit_code == 2
    assert "nothing-of-this-name" in result.stderr
    assert not result.stdout
