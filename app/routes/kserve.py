"""`/v1/models`: KServe's v1 protocol, by which its gateways and clients ask for predictions and explanations."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from app.analysis.comparison import Comparison
from app.analysis.lens import Lens
from app.analysis.networks import choose_difference
from app.analysis.options import MapOptions
from app.analysis.timing import Timings
from app.api import links
from app.api.kserve import (
    ExplainAnswer,
    ExplainInstance,
    ExplainRequest,
    Explanation,
    MapDrawings,
    Model,
    Models,
    PredictAnswer,
    PredictInstance,
    Prediction,
    PredictRequest,
    build_explanation,
    build_prediction,
)
from app.api.schemas import Readiness
from app.errors import LensError, ModelUnknown
from app.output import heat_maps
from app.routes.answers import GUARD_PROBLEMS, UPLOAD_PROBLEMS, document_problems
from app.routes.dependencies import LensesDependency, TimingsDependency
from app.routes.intake.instances import InstancesRoute, decode_pictures, name_instance
from app.server.readiness import ReadinessCheck

InstanceType = TypeVar("InstanceType", PredictInstance, ExplainInstance)
AnswerType = TypeVar("AnswerType")


class _LineupName(Convertor[str]):
    """A lineup's name in a path, without the colon that begins what is asked of it."""

    regex = "[^/:]+"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("lineup_name", _LineupName())

router = APIRouter(prefix=links.KSERVE_PREFIX, tags=["KServe v1"], route_class=InstancesRoute, responses=GUARD_PROBLEMS)


async def find_model(model: str, lenses: LensesDependency) -> Lens:
    """The lens of the path's lineup."""
    if model not in lenses.names:
        raise ModelUnknown(f"model {model[:80]!r} is not served here; choose one of {', '.join(lenses.names)}")
    return lenses.choose(model)


ModelDependency = Annotated[Lens, Depends(find_model)]


@router.get(links.MODELS, summary="The names of all models")
def list_models(lenses: LensesDependency) -> Models:
    """The loaded lineups' names, each a model of this protocol."""
    return Models(models=list(lenses.names))


@router.get(links.MODEL, summary="Whether a model is ready", responses=document_problems(404))
def read_model(lens: ModelDependency, request: Request) -> Model:
    """The same as `/readyz`, as the protocol says it."""
    check: ReadinessCheck = request.app.state.readiness_check
    return Model(name=lens.lineup.card.name, ready=check.judge(lens.engine) is Readiness.OK)


@router.post(
    links.MODEL_PREDICT,
    summary="Every network's likeliest classes",
    response_model=PredictAnswer,
    responses=UPLOAD_PROBLEMS | document_problems(404),
)
async def predict(lens: ModelDependency, body: PredictRequest, timings: TimingsDependency) -> Response:
    """The likeliest classes of each picture, by every network of the lineup."""

    async def answer(data: bytes, instance: PredictInstance) -> Prediction:
        analysis = await lens.analyse(data, instance, timings)
        return build_prediction(lens.lineup, analysis, top=instance.top)

    return await _write(lens, PredictAnswer(predictions=await _answer_each(body.instances, answer)), timings)


@router.post(
    links.MODEL_EXPLAIN,
    summary="Every network's heat map",
    response_model=ExplainAnswer,
    responses=UPLOAD_PROBLEMS | document_problems(404),
)
async def explain(lens: ModelDependency, body: ExplainRequest, timings: TimingsDependency) -> Response:
    """Each picture's heat maps in numbers, as values and, if asked for, as PNG, by every network of the lineup."""

    async def answer(data: bytes, instance: ExplainInstance) -> Explanation:
        comparison = await lens.compare_picture(data, instance, instance, timings)
        with timings.measure("render"):
            return await lens.run(_explain, comparison, instance)

    return await _write(lens, ExplainAnswer(explanations=await _answer_each(body.instances, answer)), timings)


async def _answer_each(
    instances: Sequence[InstanceType], answer: Callable[[bytes, InstanceType], Awaitable[AnswerType]]
) -> list[AnswerType]:
    """Answer the instances one after the other; an error names the one that it is about."""
    # All are read before anything is computed.
    pictures = await decode_pictures([instance.image.b64 for instance in instances])
    answers = []
    for position, (data, instance) in enumerate(zip(pictures, instances, strict=True)):
        try:
            answers.append(await answer(data, instance))
        except LensError as error:
            raise name_instance(error, position) from error
    return answers


async def _write(lens: Lens, answer: PredictAnswer | ExplainAnswer, timings: Timings) -> Response:
    # Maps and images make long texts, which are written beside other requests.
    content = await lens.run(answer.model_dump_json)
    return Response(content, media_type="application/json", headers={"Server-Timing": timings.header()})


def _explain(comparison: Comparison, instance: ExplainInstance) -> Explanation:
    drawings = _draw(comparison, instance) if instance.png else MapDrawings()
    return build_explanation(comparison, drawings, has_values=instance.values)


def _draw(comparison: Comparison, instance: ExplainInstance) -> MapDrawings:
    options = MapOptions(**instance.model_dump(include=set(MapOptions.model_fields)))
    difference = choose_difference(comparison.analysis.card)
    limits, side = instance.difference_scale, instance.max_side
    return MapDrawings(
        {name: heat_maps.encode_heat_map(comparison, name, options, max_side=side) for name in comparison.names},
        heat_maps.encode_difference(comparison, difference, options, limits=limits, max_side=side),
    )
