"""The page: choose a picture, see the comparison."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, File, Form, Query, Request, Response, UploadFile
from fastapi.responses import RedirectResponse

from app.analyses import shrink
from app.comparison import Comparison, Lens
from app.errors import InvalidPicture, LensError
from app.explain.image_input import decode_picture
from app.explain.methods import Method
from app.options import ColourOptions, GeometryOptions, TargetOptions
from app.page_contexts import AnalysisPage, Choice, ImageLinks, UploadPage
from app.panels import difference_scale
from app.problems import describe_error
from app.render.colour_scale import Colormap, Scale
from app.render.png import encode_jpeg
from app.routes.dependencies import (
    AnalysisDependency,
    LensDependency,
    SettingsDependency,
    StoreDependency,
    TimingsDependency,
    read_upload,
)
from app.samples import SAMPLES, read_sample
from app.schemas import describe_comparison, describe_pair
from app.settings import Settings
from app.templating import render_page
from models.names import Stage

PANEL_SIDE_PIXELS = 640
THUMBNAIL_SIDE_PIXELS = 240

TITLES = {
    Method.GRADCAM: "Grad-CAM",
    Method.GRADCAM_PLUS_PLUS: "Grad-CAM++",
    Method.XGRADCAM: "XGrad-CAM",
    Method.HIRESCAM: "HiResCAM",
    Method.LAYERCAM: "LayerCAM",
    Method.EIGENCAM: "Eigen-CAM",
    Method.EIGENGRADCAM: "Eigen-Grad-CAM",
    Method.GRADCAM_ELEMENTWISE: "Grad-CAM element-wise",
}

router = APIRouter(include_in_schema=False)


class PageForm(TargetOptions, ColourOptions):
    """What the comparison page lets people choose."""


@router.get("/")
def show_upload(request: Request, lens: LensDependency, settings: SettingsDependency) -> Response:
    """The first page."""
    return _render_upload(request, lens, settings)


@router.post("/")
async def take_upload(
    request: Request,
    lens: LensDependency,
    store: StoreDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
    options: Annotated[GeometryOptions, Form()],
    image: Annotated[UploadFile | None, File()] = None,
    sample: Annotated[str | None, Form()] = None,
) -> Response:
    """Analyse a picture or a sample and lead to its page; say beside the form what was wrong with a picture."""
    try:
        data = await _read_choice(image, sample, settings)
        analysis = await lens.analyse(data, options, timings)
    except LensError as error:
        status = describe_error(error).status
        return _render_upload(request, lens, settings, error=str(error), status_code=status)
    store.add(analysis)
    return RedirectResponse(request.url_for("show_analysis", analysis_id=analysis.id).path, status_code=303)


@router.get("/analyses/{analysis_id}")
async def show_analysis(
    request: Request,
    analysis: AnalysisDependency,
    options: Annotated[PageForm, Query()],
    lens: LensDependency,
    settings: SettingsDependency,
    timings: TimingsDependency,
) -> Response:
    """The comparison."""
    comparison = await lens.compare(analysis, options, timings)
    page = _build_page(request, comparison, options, lens, settings)
    return render_page(request, page, headers={"Server-Timing": timings.header(), "Cache-Control": "no-store"})


@router.get("/analyses/{analysis_id}/picture.jpg")
async def show_picture(analysis: AnalysisDependency, lens: LensDependency) -> Response:
    """The upright picture at the panels' size."""
    picture = await lens.run(analysis.picture, max_side=PANEL_SIDE_PIXELS)
    return Response(await lens.run(encode_jpeg, picture), media_type="image/jpeg")


@router.get("/samples/{name}.jpg")
async def show_sample(name: str, lens: LensDependency, settings: SettingsDependency) -> Response:
    """A gallery picture's thumbnail."""
    picture = await lens.run(decode_picture, read_sample(name), max_pixels=settings.max_picture_pixels)
    thumbnail = await lens.run(encode_jpeg, shrink(picture, THUMBNAIL_SIDE_PIXELS))
    return Response(thumbnail, media_type="image/jpeg", headers={"Cache-Control": "public, max-age=86400"})


async def _read_choice(image: UploadFile | None, sample: str | None, settings: Settings) -> bytes:
    if image is not None and (image.filename or image.size):
        return await read_upload(image, settings)
    if sample:
        return read_sample(sample)
    raise InvalidPicture("no picture was chosen; choose a file or one of the gallery")


def _render_upload(
    request: Request, lens: Lens, settings: Settings, *, error: str | None = None, status_code: int = 200
) -> Response:
    page = UploadPage(
        pair=describe_pair(lens.pair),
        samples=SAMPLES,
        max_upload_megabytes=settings.max_upload_bytes / 1e6,
        error=error,
    )
    return render_page(request, page, status_code=status_code)


def _build_page(
    request: Request, comparison: Comparison, options: PageForm, lens: Lens, settings: Settings
) -> AnalysisPage:
    root = request.url_for("read_analysis", analysis_id=comparison.analysis.id).path
    return AnalysisPage(
        pair=describe_pair(lens.pair),
        answer=describe_comparison(comparison, pair=lens.pair.card.name, root=root),
        images=_link_images(request, root, comparison, options),
        colormap=options.colormap.value,
        scale=options.scale.value,
        difference_limit=difference_scale(comparison, options).maximum,
        classes=tuple(
            Choice(str(label.index), label.name, is_selected=label == comparison.target.label)
            for label in comparison.labels
        ),
        methods=tuple(Choice(method.value, TITLES[method], method is comparison.method) for method in Method),
        stages=tuple(Choice(str(stage.value), f"Stage {stage.value}", stage is comparison.stage) for stage in Stage),
        scales=tuple(
            Choice(scale.value, title, scale is options.scale)
            for scale, title in ((Scale.SHARED, "One scale for both"), (Scale.OWN, "Each its own scale"))
        ),
        colormaps=tuple(Choice(colormap.value, colormap.value, colormap is options.colormap) for colormap in Colormap),
        samples=SAMPLES,
        max_upload_megabytes=settings.max_upload_bytes / 1e6,
        geometry_warnings=_warn_of_geometry(comparison, lens),
    )


def _link_images(request: Request, root: str, comparison: Comparison, options: PageForm) -> ImageLinks:
    query = urlencode(
        {
            "target": comparison.target.label.index,
            "method": options.method.value,
            "stage": options.stage.value,
            "scale": options.scale.value,
            "colormap": options.colormap.value,
            "opacity": options.opacity,
            "max_side": PANEL_SIDE_PIXELS,
        }
    )
    return ImageLinks(
        picture=request.url_for("show_picture", analysis_id=comparison.analysis.id).path,
        baseline=f"{root}/heatmaps/baseline.png?{query}",
        cbam=f"{root}/heatmaps/cbam.png?{query}",
        difference=f"{root}/heatmaps/difference.png?{query}",
    )


def _warn_of_geometry(comparison: Comparison, lens: Lens) -> tuple[str, ...]:
    analysis = comparison.analysis
    own = lens.pair.card.preprocessing
    warnings = []
    if (analysis.geometry, analysis.resolution) != (own.geometry, own.resolution):
        warnings.append(
            f"This pair was trained for {own.geometry.value} at {own.resolution.value} pixels; "
            f"{analysis.geometry.value} at {analysis.resolution.value} pixels is outside of what it knows, and its "
            "maps and probabilities may mislead."
        )
    if analysis.placement.is_cropped:
        warnings.append(
            "The networks saw the centre of the picture; the part covered with gray was cut off before they looked."
        )
    return tuple(warnings)
