"""The tools by the protocol, without another process: numbers and images are those of the other interfaces."""

import asyncio
from base64 import b64decode
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from mcp import Client, MCPError
from mcp.types import INVALID_PARAMS, CallToolResult, ImageContent, TextContent

from app.mcp.server import make_server
from app.mcp.tools import TOOLS
from app.mcp.workbench import Workbench
from tests.conftest import decode, encode, make_picture


def ask(workbench: Workbench, *calls: tuple[str, dict[str, Any]]) -> list[CallToolResult]:
    async def ask_all() -> list[CallToolResult]:
        async with Client(make_server(workbench)) as client:
            return [await client.call_tool(name, arguments) for name, arguments in calls]

    return asyncio.run(ask_all())


def ask_numbers(workbench: Workbench, name: str, **arguments: Any) -> dict[str, Any]:
    (result,) = ask(workbench, (name, arguments))
    assert not result.is_error, result
    numbers: dict[str, Any] = result.structured_content
    return numbers


def ask_image(workbench: Workbench, name: str, **arguments: Any) -> tuple[str, bytes]:
    (result,) = ask(workbench, (name, arguments))
    assert not result.is_error, result
    caption, image = result.content
    assert isinstance(caption, TextContent)
    assert isinstance(image, ImageContent)
    assert image.mime_type == "image/png"
    return caption.text, b64decode(image.data)


def ask_error(workbench: Workbench, name: str, **arguments: Any) -> str:
    (result,) = ask(workbench, (name, arguments))
    assert result.is_error
    (text,) = result.content
    assert isinstance(text, TextContent)
    return text.text


def test_every_tool_is_listed_with_its_arguments_and_changes_nothing(workbench: Workbench) -> None:
    async def list_tools() -> list[Any]:
        async with Client(make_server(workbench)) as client:
            return (await client.list_tools()).tools

    tools = asyncio.run(list_tools())
    assert [tool.name for tool in tools] == list(TOOLS)
    for tool in tools:
        assert tool.input_schema["additionalProperties"] is False
        assert tool.annotations.read_only_hint
        assert tool.name == "describe_lineup" or tool.input_schema["required"] == ["picture"]


def test_compare_networks_gives_the_numbers_of_the_rest_api(
    workbench: Workbench, picture: Path, local_client: TestClient, motorcycle: bytes
) -> None:
    options = {"target": "dalmatian", "method": "layercam", "stage": 3}
    numbers = ask_numbers(workbench, "compare_networks", picture=str(picture), **options)
    expected = local_client.post("/api/v1/analyses", files={"image": motorcycle}, data=options).json()
    assert (
        numbers["target"] == expected["target"] == {"class_index": 30, "class_name": "dalmatian", "chosen_by": "name"}
    )
    assert numbers["networks"].keys() == {"baseline", "cbam"}
    for name, network in numbers["networks"].items():
        for key in ("predictions", "target_probability", "heat_map"):
            assert network[key] == expected["networks"][name][key]
    assert numbers["comparisons"] == expected["comparisons"]
    assert not {"id", "links", "expires"} & numbers.keys()


def test_compare_networks_adds_gates_on_demand(workbench: Workbench, picture: Path) -> None:
    plain = ask_numbers(workbench, "compare_networks", picture=str(picture))
    full = ask_numbers(workbench, "compare_networks", picture=str(picture), gates=True)
    assert "blocks" not in plain["networks"]["cbam"]
    blocks = full["networks"]["cbam"]["blocks"]
    assert len(blocks) == 8
    assert "links" not in blocks[0]
    assert 0 < blocks[0]["spatial"]["mean"] < 1


def test_describe_lineup_has_the_networks_and_finds_classes(workbench: Workbench) -> None:
    numbers = ask_numbers(workbench, "describe_lineup", classes="DALM")
    assert list(numbers["networks"]) == ["baseline", "cbam"]
    assert (numbers["class_count"], numbers["found_classes"]) == (110, {"30": "dalmatian"})
    assert "found_classes" not in ask_numbers(workbench, "describe_lineup")


def test_concepts_are_drawn_and_named(workbench: Workbench, picture: Path) -> None:
    caption, png = ask_image(workbench, "draw_concepts", picture=str(picture), count=3, max_side=200)
    assert max(decode(png).size) == 200
    assert "stage 4, concepts by number and colour: 1 (#e69f00), " in caption
    assert caption.count("P = ") == 9
    assert "less than or equal to 8" in ask_error(workbench, "draw_concepts", picture=str(picture), count=9)


def test_caption_of_finer_cam_names_the_contrast(workbench: Workbench, picture: Path) -> None:
    asked = {"picture": str(picture), "method": "finercam", "against": "dalmatian"}
    caption, _ = ask_image(workbench, "draw_heat_map", **asked)
    assert "finercam against dalmatian, stage 4" in caption


IMAGES = (
    ("draw_heat_map", "heatmaps/baseline.png", {"network": "baseline", "stage": 3}, "shared scale, 0 to"),
    ("draw_difference", "difference.png", {"of": "baseline", "minus": "cbam"}, "minus"),
    ("draw_gate", "attention/cbam/layer3.1/channel.png", {"block": "layer3.1", "kind": "channel"}, "channel gate"),
)
"""Tools, the REST API's same image below an analysis, arguments, and words of the caption."""


@pytest.mark.parametrize("image", IMAGES, ids=lambda image: image[0])
def test_images_are_those_of_the_rest_api(
    workbench: Workbench,
    picture: Path,
    local_client: TestClient,
    image: tuple[str, str, dict[str, Any], str],
) -> None:
    tool, path, arguments, words = image
    caption, png = ask_image(workbench, tool, picture=str(picture), max_side=200, **arguments)
    analysis = local_client.post("/api/v1/analyses", files={"image": picture.read_bytes()}).json()
    root = analysis["links"]["self"].partition("?")[0]
    known = {name: value for name, value in arguments.items() if name in ("stage", "of", "minus")}
    assert png == local_client.get(f"{root}/{path}", params={"max_side": 200, **known}).content
    assert words in caption


def test_draw_figure_has_a_panel_a_network_and_a_second_class(workbench: Workbench, picture: Path) -> None:
    caption, plain_png = ask_image(workbench, "draw_figure", picture=str(picture))
    _, more_png = ask_image(workbench, "draw_figure", picture=str(picture), difference=True, versus="dalmatian")
    assert "motorbikes (baseline P = " in caption
    (plain, more) = (decode(plain_png), decode(more_png))
    assert (max(plain.size), max(more.size)) == (1536, 1536)
    # A row more in less than twice the height, since both are as wide and the second has a column more.
    assert 1.2 < more.height / plain.height < 1.9


def test_a_picture_is_traced_once_until_its_bytes_change(
    workbench: Workbench, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    analyse: Callable[..., Awaitable[Any]] = workbench.lens.analyse

    async def count(data: bytes, *others: Any) -> Any:
        sizes.append(len(data))
        return await analyse(data, *others)

    monkeypatch.setattr(workbench.lens, "analyse", count)
    call = ("compare_networks", {"picture": str(picture)})
    ask(workbench, call, ("draw_heat_map", {"picture": str(picture), "method": "layercam"}))
    assert len(sizes) == 1
    ask(workbench, (call[0], {**call[1], "resolution": 160}))
    assert len(sizes) == 2
    picture.write_bytes(encode(make_picture(90, 60)))
    ask(workbench, call)
    assert sizes[2] == picture.stat().st_size


def test_errors_say_what_to_change(workbench: Workbench, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    for arguments, words in (
        ({}, "picture is missing; give it"),
        ({"picture": "https://example.org/a.png"}, "only files of this machine"),
        ({"picture": str(tmp_path / "gone.png")}, "is not there"),
        ({"picture": str(tmp_path / "text.png")}, "send"),
        ({"picture": str(picture), "target": "dalmatien"}, "did you mean dalmatian"),
        ({"picture": str(picture), "method": "cam"}, "method is 'cam': input should be 'gradcam'"),
        ({"picture": str(picture), "clas": "cat"}, "clas is no argument of this tool; its arguments are"),
    ):
        message = ask_error(workbench, "compare_networks", **arguments)
        assert words in message, message
    assert "choose" in ask_error(workbench, "draw_heat_map", picture=str(picture), network="se")
    assert "layer4.1" in ask_error(workbench, "draw_gate", picture=str(picture), block="layer9.9")


def test_an_unknown_tool_is_an_error_of_the_protocol(workbench: Workbench) -> None:
    async def ask_for_nothing() -> None:
        async with Client(make_server(workbench)) as client:
            with pytest.raises(MCPError, match="is not one of describe_lineup") as caught:
                await client.call_tool("draw_cat", {})
            assert caught.value.code == INVALID_PARAMS

    asyncio.run(ask_for_nothing())
