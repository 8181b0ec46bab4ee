"""The protocol: lists the tools, checks arguments, and answers over stdin and stdout."""

import asyncio
import json
import logging
import sys
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mcp import MCPError, stdio_server
from mcp.server import Server
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ImageContent,
    ListToolsResult,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from app.analysis.lens import Lens
from app.analysis.passes import Waiting
from app.engine.loading import build_engine, load_chosen_lineup
from app.errors import LensError
from app.mcp.arguments import Arguments
from app.mcp.files import PictureFiles
from app.mcp.tools import TOOLS, Drawing, LensTool, Numbers
from app.mcp.workbench import Workbench
from app.settings import Settings
from app.version import VERSION

INSTRUCTIONS = (
    "Shows where a convolutional network looks, and what attention such as CBAM changes. Every tool reads one picture "
    "file of this machine and asks all networks of the lineup {title} about one class. A heat map is evidence about "
    "the network, not about the picture's content."
)

VALUE_CHARACTERS = 80


def serve_tools(settings: Settings, folders: Sequence[Path] = ()) -> None:
    """Load the networks once, and answer until the client closes stdin.

    Args:
        settings: the lineup, the device and the limits on pictures.
        folders: the folders whose pictures may be read; none for all that this process may read.

    Raises:
        LineupError: when the networks cannot be loaded.
    """
    logging.basicConfig(level=settings.log_level.upper(), stream=sys.stderr)
    lineup = load_chosen_lineup(settings)
    engine = build_engine(settings)
    engine.start()
    try:
        # A client that waits for minutes gives up, and learns nothing.
        waiting = Waiting(settings.deadline_seconds)
        lens = Lens(engine, lineup, max_pixels=settings.max_picture_pixels, waiting=waiting)
        files = PictureFiles(folders, most_bytes=settings.max_upload_bytes)
        asyncio.run(_serve(make_server(Workbench(lens, files))))
    finally:
        engine.close()


async def _serve(server: Server[Any]) -> None:
    # While it serves, whatever else writes to stdout reaches stderr.
    async with stdio_server() as (received, sent):
        await server.run(received, sent, server.create_initialization_options())


def make_server(workbench: Workbench) -> Server[Any]:
    """Make a server of the tools, which a transport runs."""

    async def list_tools(*_: object) -> ListToolsResult:
        return ListToolsResult(tools=[_describe_tool(tool) for tool in TOOLS.values()])

    async def call_tool(_: object, call: CallToolRequestParams) -> CallToolResult:
        if call.name not in TOOLS:
            raise MCPError(INVALID_PARAMS, f"tool {call.name[:VALUE_CHARACTERS]!r} is not one of {', '.join(TOOLS)}")
        return await answer_call(workbench, TOOLS[call.name], call.arguments or {})

    card = workbench.lens.lineup.card
    return Server(
        "cbam-lens",
        version=VERSION,
        title="CBAM Lens",
        instructions=" ".join((INSTRUCTIONS.format(title=card.title), *card.warnings)),
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


async def answer_call(workbench: Workbench, tool: LensTool[Any], given: dict[str, Any]) -> CallToolResult:
    """Answer one call; an error that the caller can correct is an answer that says how."""
    try:
        answer = await tool.answer(workbench, tool.arguments.model_validate(given))
    except ValidationError as error:
        return _refuse(explain_arguments(error, tool.arguments))
    except LensError as error:
        return _refuse(str(error))
    return _build_result(answer)


def explain_arguments(error: ValidationError, arguments: type[Arguments]) -> str:
    """Name each argument that is not valid, with its value and the rule."""
    sentences = []
    for fault in error.errors(include_url=False):
        name = ".".join(map(str, fault["loc"]))
        if fault["type"] == "missing":
            sentences.append(f"{name} is missing; give it")
        elif fault["type"] == "extra_forbidden":
            sentences.append(
                f"{name} is no argument of this tool; its arguments are {', '.join(arguments.model_fields)}"
            )
        else:
            sentences.append(f"{name} is {str(fault['input'])[:VALUE_CHARACTERS]!r}: {fault['msg'].lower()}")
    return "; ".join(sentences)


def _describe_tool(tool: LensTool[Any]) -> Tool:
    return Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False),
    )


def _build_result(answer: Numbers | Drawing) -> CallToolResult:
    if isinstance(answer, Numbers):
        # The text is for clients that know no structured content.
        text = TextContent(text=json.dumps(answer.values, ensure_ascii=False))
        return CallToolResult(content=[text], structured_content=answer.values)
    image = ImageContent(data=b64encode(answer.png).decode(), mime_type="image/png")
    return CallToolResult(content=[TextContent(text=answer.caption), image])


def _refuse(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
