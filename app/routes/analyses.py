"""`/api/v1/analyses`: analyses of pictures, kept for later questions."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from app.analysis.networks import choose_difference, choose_gated, choose_network
from app.analysis.options import (
    AttentionOptions,
    DifferenceOptions,
    FigureOptions,
    MapOptions,
    Options,
    PictureOptions,
    TargetOptions,
)
from app.api import links
from app.api.analyses import build_analysis_answer
from app.api.schemas import AnalysisAnswer
from app.output import figures, gates, heat_maps, picture_format
from app.output.picture_format import PictureFormat, check_format
from app.render.figure import MEDIA_TYPES, FigureFormat
from app.routes.answers import (
    ANALYSIS_PROBLEMS,
    PNG,
    UPLOAD_PROBLEMS,
    build_comparison_headers,
    build_lineup_headers,
    build_picture_headers,
    document_file,
    document_problems,
)
from app.routes.dependencies import (
    AnalysisDependency,
    KeptDependency,
    LensDependency,
    LensesDependency,
    LinksDependency,
    PictureBytes,
    PictureName,
    SettingsDependency,
    TimingsDependency,
    link_analysis,
    merge_options,
)
from app.routes.intake.uploads import ApiRoute
from models.names import GateKind

router = APIRouter(tags=["analyses"], route_class=ApiRoute)


class AnalysisForm(TargetOptions, PictureOptions):
    """Fields of `POST /analyses` beside the picture."""


class SizeOptions(Options):
    """The size of a PNG."""

    max_side: int | None = Query(
        default=None, ge=1, le=20_000, description="Longer side in pixels; the picture's own size by default."
    )


class MapQuery(SizeOptions, MapOptions):
    """Options of an analysis's heat map."""

    as_learned: bool = Query(
        default=False,
        description="With changed gates: the map of the network before the change, on the shared scale of both.",
    )


class DifferenceQuery(SizeOptions, DifferenceOptions):
    """Options of an analysis's difference of heat maps."""


class GateQuery(SizeOptions, AttentionOptions):
    """Options of an analysis's gate."""


@router.post(
    links.ANALYSES,
    status_code=201,
    summary="Analyse a picture and keep the result for a while",
    response_model=AnalysisAnswer,
    responses=UPLOAD_PROBLEMS,
)
async def create_analysis(
    data: PictureBytes,
    name: PictureName,
    options: Annotated[AnalysisForm, Depends(merge_options(AnalysisForm))],
    request: Request,
    response: Response,
    lenses: LensesDependency,
    kept: KeptDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> AnalysisAnswer:
    """Every network's likeliest classes, its heat map in numbers, every gate, and links to all images.

    Another class, method or stage needs no new upload: change the query of the links.

    `curl -F image=@dog.jpg http://127.0.0.1:8000/api/v1/analyses`
    """
    comparison = await lenses.choose(options.lineup).compare_picture(data, options, options, timings)
    await kept.add(replace(comparison.analysis, name=name))
    own_links = link_analysis(request, comparison.analysis.id)
    response.headers["Location"] = own_links.root
    response.headers["Server-Timing"] = timings.header()
    response.headers.update(build_picture_headers(comparison.analysis))
    return build_analysis_answer(comparison, links=own_links, kept_seconds=settings.kept_seconds)


@router.get(
    links.ANALYSIS,
    summary="An analysis, also for another class, method or stage",
    responses=ANALYSIS_PROBLEMS,
)
async def read_analysis(
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    options: Annotated[TargetOptions, Query()],
    lens: LensDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> AnalysisAnswer:
    """The same answer as `POST /analyses`, without a new upload."""
    comparison = await lens.compare(analysis, options, timings)
    return build_analysis_answer(comparison, links=own_links, kept_seconds=settings.kept_seconds)


@router.delete(links.ANALYSIS, status_code=204, responses=document_problems(404))
async def delete_analysis(analysis_id: str, kept: KeptDependency) -> None:
    """Delete a picture and everything computed from it."""
    await kept.remove(analysis_id)


@router.get(
    links.ANALYSIS + links.ANALYSIS_HEAT_MAP,
    summary="A heat map of an analysis",
    response_class=Response,
    responses=document_file("The heat map.", *picture_format.MEDIA_TYPES.values()) | ANALYSIS_PROBLEMS,
)
async def read_heat_map(
    analysis: AnalysisDependency,
    network: Annotated[str, Path(examples=["cbam"])],
    format: PictureFormat,  # noqa: A002  # the path's own word
    options: Annotated[MapQuery, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """One network's heat map, as PNG, WebP or JPEG."""
    name = choose_network(analysis.card, network)
    check_format(format, options.render)
    comparison = await lens.compare(analysis, options, timings)
    with timings.measure("render"):
        content = await lens.run(
            heat_maps.encode_heat_map,
            comparison,
            name,
            options,
            as_learned=options.as_learned,
            max_side=options.max_side,
            form=format,
        )
    headers = build_comparison_headers(comparison, name, timings)
    return Response(content, media_type=picture_format.MEDIA_TYPES[format], headers=headers)


@router.get(
    links.ANALYSIS + links.ANALYSIS_DIFFERENCE,
    summary="One heat map of an analysis minus another",
    response_class=Response,
    responses=document_file("The difference, on a scale symmetric about 0.", *picture_format.MEDIA_TYPES.values())
    | ANALYSIS_PROBLEMS,
)
async def read_difference(
    analysis: AnalysisDependency,
    format: PictureFormat,  # noqa: A002  # the path's own word
    options: Annotated[DifferenceQuery, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """One network's heat map minus another's; by default the last network's minus the baseline's."""
    check_format(format, options.render)
    difference = choose_difference(analysis.card, options.of, options.minus)
    comparison = await lens.compare(analysis, options, timings)
    with timings.measure("render"):
        content = await lens.run(
            heat_maps.encode_difference,
            comparison,
            difference,
            options,
            limits=options.difference_scale,
            max_side=options.max_side,
            form=format,
        )
    headers = build_lineup_headers(analysis) | {
        "X-Target-Class": str(comparison.target.label.index),
        "Server-Timing": timings.header(),
    }
    return Response(content, media_type=picture_format.MEDIA_TYPES[format], headers=headers)


@router.get(
    links.ANALYSIS + links.ANALYSIS_GATE,
    summary="A gate of an analysis",
    response_class=Response,
    responses=document_file("The gate at the picture's size; a channel gate as a strip.", PNG) | ANALYSIS_PROBLEMS,
)
async def read_attention_map(
    analysis: AnalysisDependency,
    network: Annotated[str, Path(examples=["cbam"], description="A network with gates.")],
    block: Annotated[str, Path(examples=["layer3.1"])],
    kind: GateKind,
    options: Annotated[GateQuery, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """One gate of one block."""
    name = choose_gated(analysis.card, network)
    analysis = await lens.alter(analysis, options.interventions, timings)
    gate = gates.find_gate(analysis, name, block, kind)
    png = await lens.run(gates.encode_attention, analysis, gate, options, max_side=options.max_side)
    return Response(png, media_type=PNG)


@router.get(
    links.ANALYSIS + links.ANALYSIS_FIGURE,
    summary="The paper's figure of an analysis",
    response_class=Response,
    responses=document_file("The figure.", *MEDIA_TYPES.values()) | ANALYSIS_PROBLEMS,
)
async def read_figure(
    analysis: AnalysisDependency,
    format: FigureFormat,  # noqa: A002  # the path's own word
    options: Annotated[FigureOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """The picture and every network with P, as PNG, SVG or PDF; the difference and a second class if asked for."""
    comparisons = await lens.compare_classes(analysis, options, options.versus, timings)
    content = await lens.run(figures.draw_comparison_figure, comparisons, options, format)
    return Response(content, media_type=MEDIA_TYPES[format])


@router.get(
    links.ANALYSIS + links.ANALYSIS_ARRAYS,
    summary="Every array of an analysis",
    response_class=Response,
    responses=document_file("NumPy's NPZ.", "application/octet-stream") | ANALYSIS_PROBLEMS,
)
async def read_maps(
    analysis: AnalysisDependency,
    options: Annotated[TargetOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """Heat maps, logits and gates as floating-point values, with the box in the picture that the maps cover."""
    comparison = await lens.compare(analysis, options, timings)
    content = await lens.run(figures.pack_maps, comparison)
    headers = {"Content-Disposition": 'attachment; filename="maps.npz"'}
    return Response(content, media_type="application/octet-stream", headers=headers)
