"""`/api/v1/analyses/{id}/sanity`: the sanity check of an analysis's maps."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.analysis.lens import check_sanity_method
from app.analysis.networks import choose_network
from app.analysis.options import MapOptions, TargetOptions
from app.analysis.sanity import check_sanity
from app.api import links
from app.api.analyses import name_contrast
from app.api.sanity import SanityAnswer, build_sanity_answer
from app.output import heat_maps
from app.render.colour_scale import Scale
from app.routes.answers import ANALYSIS_PROBLEMS, PNG, build_comparison_headers, document_file
from app.routes.dependencies import AnalysisDependency, LensDependency, LinksDependency, TimingsDependency
from app.routes.intake.uploads import ApiRoute
from models.networks.randomisation import Randomisation

router = APIRouter(tags=["analyses"], route_class=ApiRoute)


@router.get(
    links.ANALYSIS + links.SANITY,
    summary="Heat maps of networks whose weights are partly random",
    responses=ANALYSIS_PROBLEMS,
)
async def read_sanity(
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    options: Annotated[TargetOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
    response: Response,
) -> SanityAnswer:
    """Every network's map with a random classifier, then also with random stages, from the last to the first.

    A map that does not change shows the picture's edges, not what was learned (Adebayo et al., 2018). Gates stay as
    learned until their stage is random; `interventions` is ignored. Score-CAM would take minutes and is refused.
    """
    check_sanity_method(options.method)
    learned = await lens.compare(analysis, options.model_copy(update={"interventions": ()}), timings)
    check = await check_sanity(lens, learned, timings)
    response.headers["Server-Timing"] = timings.header()
    query = f"target={learned.target.label.index}&method={options.method.value.replace('+', '%2B')}"
    query += "".join(f"&{name}={value}" for name, value in name_contrast(learned).items())
    return build_sanity_answer(check, links=own_links, query=f"{query}&stage={options.stage.value}")


@router.get(
    links.ANALYSIS + links.RANDOMISED_HEAT_MAP,
    summary="One heat map of a partly random network",
    response_class=Response,
    responses=document_file("The heat map, on its own scale.", PNG) | ANALYSIS_PROBLEMS,
)
async def read_forgotten_map(
    analysis: AnalysisDependency,
    extent: Annotated[
        Randomisation, Path(description="1: the classifier is random; 2 to 5: also stages 4 to 1; 6: everything.")
    ],
    network: str,
    options: Annotated[MapOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
    max_side: Annotated[int | None, Query(ge=1, le=20_000, description="Longer side in pixels.")] = None,
) -> Response:
    """One network's map with that part of its weights random."""
    name = choose_network(analysis.card, network)
    check_sanity_method(options.method)
    learned = await lens.compare(analysis, options.model_copy(update={"interventions": ()}), timings)
    randomised = await lens.randomise(learned, extent, timings)
    own = options.model_copy(update={"scale": Scale.OWN})
    png = await lens.run(heat_maps.encode_heat_map, randomised, name, own, max_side=max_side)
    return Response(png, media_type=PNG, headers=build_comparison_headers(randomised, name, timings))
