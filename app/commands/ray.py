"""Commands on Ray: an error if Ray is missing, otherwise a call of `app.on_ray`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from app.commands.options import ComputeLocation, errors, or_explain
from app.on_ray.environment import prepare_ray
from app.on_ray.settings import read_ray_settings
from app.settings import Settings

if TYPE_CHECKING:
    from app.bench.results.report import BenchReport
    from app.survey.run import Survey, SurveyOptions, SurveyReport
    from app.survey.sources import PictureSource


def serve_on_ray(settings: Settings, *, host: str, port: int) -> None:
    """Run `cbam-lens serve --on ray`."""
    or_explain(prepare_ray)
    sizes = or_explain(read_ray_settings)
    with errors.status("loading Ray"):
        from app.on_ray import serving
    or_explain(serving.serve_on_ray, settings, sizes, host=host, port=port)


def find_survey(place: ComputeLocation) -> "Survey":
    """The function that makes rows of many pictures, in this process or on a cluster."""
    if place is ComputeLocation.HERE:
        from app.survey.run import survey_sources

        return survey_sources
    or_explain(prepare_ray)
    sizes = or_explain(read_ray_settings)
    with errors.status("loading Ray"):
        from app.on_ray.survey import survey_on_ray

    def survey(settings: Settings, sources: "Sequence[PictureSource]", options: "SurveyOptions") -> "SurveyReport":
        return survey_on_ray(settings, sizes, sources, options)

    return survey


def bench_on_ray(settings: Settings, *, seconds: float) -> "BenchReport":
    """Run `cbam-lens bench --on ray`."""
    or_explain(prepare_ray)
    from app.bench.results.parts import BenchOptions, Part

    with errors.status("loading the networks"):
        from app.bench.cluster import bench_cluster
    options = BenchOptions(parts=frozenset({Part.CLUSTER}), rounds=0, seconds=seconds, requests=0, plot=None)
    return or_explain(bench_cluster, settings, options)
