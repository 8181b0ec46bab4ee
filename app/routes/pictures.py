"""`/api/v1/heatmap`, `/figure` and `/attention`: one image of an uploaded picture, and nothing is kept."""

from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import Field

from app.analysis.networks import check_networks, choose_gated, choose_network
from app.analysis.options import AttentionOptions, FigureOptions, MapOptions, PictureOptions
from app.api import links
from app.output import figures, gates, heat_maps, picture_format
from app.output.picture_format import PictureFormat, check_format
from app.render.figure import MEDIA_TYPES, FigureFormat
from app.routes.answers import PNG, UPLOAD_PROBLEMS, build_comparison_headers, build_lineup_headers, document_file
from app.routes.dependencies import LensesDependency, PictureBytes, TimingsDependency, merge_options
from app.routes.intake.uploads import ApiRoute
from models.names import GateKind

router = APIRouter(tags=["one picture"], route_class=ApiRoute)


class HeatMapForm(MapOptions, PictureOptions):
    """Fields of `POST /heatmap` beside the picture."""

    network: str | None = Field(
        default=None, max_length=32, description="The network; by default the last one of the lineup."
    )
    format: PictureFormat = Field(
        default=PictureFormat.PNG,
        description="`png`, exact; `webp`, a tenth of the bytes; `jpeg`, the fastest, not for `gray` and `values`.",
    )


class FigureForm(FigureOptions, PictureOptions):
    """Fields of `POST /figure` beside the picture."""

    format: FigureFormat = Field(default=FigureFormat.PNG, description="The file's format.")


class AttentionForm(AttentionOptions, PictureOptions):
    """Fields of `POST /attention` beside the picture."""

    network: str | None = Field(
        default=None, max_length=32, description="The network; by default the last one with gates."
    )
    block: str | None = Field(
        default=None,
        max_length=40,
        description="The block's name; `GET /lineups` and every analysis list them. By default the network's last one.",
        examples=["layer3.1"],
    )
    kind: GateKind | None = Field(
        default=None,
        description="The spatial, channel, row, column or joint gate; by default the spatial one, else the channel "
        "gate, else the joint gate. Gates of rows and columns, and the joint gate, are means over channels.",
    )


@router.post(
    links.HEAT_MAP,
    summary="One network's heat map of a picture",
    response_class=Response,
    responses=document_file("The heat map, of the picture's own size.", *picture_format.MEDIA_TYPES.values())
    | UPLOAD_PROBLEMS,
)
async def create_heat_map(
    data: PictureBytes,
    options: Annotated[HeatMapForm, Depends(merge_options(HeatMapForm))],
    lenses: LensesDependency,
    timings: TimingsDependency,
) -> Response:
    """One network's heat map for one class, drawn on the pixels that produced it.

    Options may be form fields beside the picture or query parameters. The answer's headers give the class, its
    probability and the map's extremes, so that a script needs no second call. Nothing is kept.

    `curl -F image=@dog.jpg -F network=cbam -F target=dalmatian -o heatmap.png http://127.0.0.1:8000/api/v1/heatmap`
    """
    lens = lenses.choose(options.lineup)
    # A wrong name or format is refused before anything is computed.
    network = choose_network(lens.lineup.card, options.network)
    check_format(options.format, options.render)
    comparison = await lens.compare_picture(data, options, options, timings)
    with timings.measure("render"):
        content = await lens.run(heat_maps.encode_heat_map, comparison, network, options, form=options.format)
    headers = build_comparison_headers(comparison, network, timings)
    return Response(content, media_type=picture_format.MEDIA_TYPES[options.format], headers=headers)


@router.post(
    links.FIGURE,
    summary="The paper's figure of a picture",
    response_class=Response,
    responses=document_file("The picture and every network side by side.", *MEDIA_TYPES.values()) | UPLOAD_PROBLEMS,
)
async def create_figure(
    data: PictureBytes,
    options: Annotated[FigureForm, Depends(merge_options(FigureForm))],
    lenses: LensesDependency,
    timings: TimingsDependency,
) -> Response:
    """The picture and the networks side by side, each network with P, its softmax probability of the explained class.

    `curl -F image=@dog.jpg -F format=pdf -o figure.pdf http://127.0.0.1:8000/api/v1/figure`
    """
    lens = lenses.choose(options.lineup)
    check_networks(lens.lineup.card, options)
    lens.find_class(options.versus, option="versus")
    comparison = await lens.compare_picture(data, options, options, timings)
    comparisons = await lens.add_class(comparison, options, options.versus, timings)
    with timings.measure("render"):
        content = await lens.run(figures.draw_comparison_figure, comparisons, options, options.format)
    headers = build_lineup_headers(comparison.analysis) | {
        "X-Target-Class": str(comparison.target.label.index),
        "Server-Timing": timings.header(),
    }
    return Response(content, media_type=MEDIA_TYPES[options.format], headers=headers)


@router.post(
    links.ATTENTION,
    summary="One gate of a block for a picture",
    response_class=Response,
    responses=document_file("The gate at the picture's own size; a channel gate as a strip.", PNG) | UPLOAD_PROBLEMS,
)
async def create_attention_map(
    data: PictureBytes,
    options: Annotated[AttentionForm, Depends(merge_options(AttentionForm))],
    lenses: LensesDependency,
    timings: TimingsDependency,
) -> Response:
    """One block's gate, on the absolute scale 0 (blocked) to 1 (unchanged).

    A channel gate is a strip with one column per channel; any other gate is drawn over the picture.

    `curl -F image=@dog.jpg -F block=layer3.1 -o gate.png http://127.0.0.1:8000/api/v1/attention`
    """
    lens = lenses.choose(options.lineup)
    network = choose_gated(lens.lineup.card, options.network)
    analysis = await lens.alter(await lens.analyse(data, options, timings), options.interventions, timings)
    gate = gates.find_gate(analysis, network, options.block, options.kind)
    with timings.measure("render"):
        png = await lens.run(gates.encode_attention, analysis, gate, options)
    headers = build_lineup_headers(analysis) | {"Server-Timing": timings.header()}
    return Response(png, media_type=PNG, headers=headers)
