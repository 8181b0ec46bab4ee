"""`/api/v1/analyses/{id}/concepts`: the parts of a picture that each network treats alike, without a class."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.analysis.networks import choose_network
from app.analysis.options import ConceptOptions
from app.api import links
from app.api.concepts import ConceptsAnswer, build_concepts_answer
from app.output.concepts import encode_concepts
from app.routes.answers import ANALYSIS_PROBLEMS, PNG, build_lineup_headers, document_file
from app.routes.dependencies import AnalysisDependency, LensDependency, LinksDependency, TimingsDependency
from app.routes.intake.uploads import ApiRoute

router = APIRouter(tags=["analyses"], route_class=ApiRoute)


class ConceptsQuery(ConceptOptions):
    """Options of an image of concepts."""

    max_side: int = Query(default=1024, ge=1, le=2048, description="Longer side in pixels, at most.")


@router.get(
    links.ANALYSIS + links.CONCEPTS, summary="Concepts: what each network treats alike", responses=ANALYSIS_PROBLEMS
)
async def read_concepts(
    analysis: AnalysisDependency,
    own_links: LinksDependency,
    options: Annotated[ConceptOptions, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
    response: Response,
) -> ConceptsAnswer:
    """Each network's features, divided into concepts that need no class (Deep Feature Factorization, ECCV 2018).

    At stage 4 each concept has its likeliest classes. Gates are as learned. The first question of a server takes a
    second or two more, in which scikit-learn is imported.
    """
    concepts = await lens.find_concepts(analysis, options, timings)
    response.headers["Server-Timing"] = timings.header()
    query = f"?count={options.count}&stage={options.stage.value}"
    return build_concepts_answer(concepts, links=own_links, query=query)


@router.get(
    links.ANALYSIS + links.CONCEPTS_OF,
    summary="One network's concepts over the picture",
    response_class=Response,
    responses=document_file("Each position in the colour of its strongest concept.", PNG) | ANALYSIS_PROBLEMS,
)
async def draw_concepts(
    analysis: AnalysisDependency,
    network: str,
    options: Annotated[ConceptsQuery, Query()],
    lens: LensDependency,
    timings: TimingsDependency,
) -> Response:
    """The concepts of `GET .../concepts`, by their colours and numbers."""
    name = choose_network(analysis.card, network)
    concepts = await lens.find_concepts(analysis, options, timings)
    with timings.measure("render"):
        png = await lens.run(encode_concepts, concepts, name, opacity=options.opacity, max_side=options.max_side)
    headers = build_lineup_headers(analysis) | {"Server-Timing": timings.header()}
    return Response(png, media_type=PNG, headers=headers)
