import re
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.analysis.options import PageOptions
from app.api.lineups import build_lineup_description
from app.api.schemas import AnalysisAnswer, FitAnswer, LineupDescription
from app.pages.analysis.verdict import build_verdict, explain_map_agreement
from app.pages.analysis.wording import explain_geometry, label_difference, warn_of_geometry
from app.pages.doubts import explain_doubt, explain_misfit
from app.render.colour_scale import DifferenceScale, Scale
from models.lineups.lineup import Lineup
from models.names import Geometry, Resolution


@pytest.fixture(scope="module")
def content(client: TestClient, motorcycle: bytes) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/api/v1/analyses", files={"image": motorcycle}).json()
    return answer


@pytest.fixture(scope="module")
def description(lineup: Lineup) -> LineupDescription:
    return build_lineup_description(lineup)


def answer_with(content: dict[str, Any], *, first: tuple[float, float], target: tuple[float, float]) -> AnalysisAnswer:
    """An answer in which baseline and CBAM give these P to their top guess and to the target."""
    networks = {}
    for name, first_probability, probability in zip(("baseline", "cbam"), first, target, strict=True):
        network = content["networks"][name]
        predictions = [network["predictions"][0] | {"probability": first_probability}]
        networks[name] = network | {"predictions": predictions, "target_probability": probability}
    return AnalysisAnswer.model_validate(content | {"networks": networks})


@pytest.mark.parametrize(
    ("first", "target", "beginning"),
    [
        ((0.3, 0.4), (0.3, 0.4), "No network is sure what this is"),
        ((0.9, 0.9), (0.1, 0.0), "No network takes this for ‘motorbikes’"),
        ((0.3, 0.9), (0.3, 0.9), "The baseline is not sure"),
        ((0.9, 0.3), (0.9, 0.3), "CBAM is not sure"),
    ],
)
def test_doubt_is_told_when_probabilities_are_low(
    content: dict[str, Any], first: tuple[float, float], target: tuple[float, float], beginning: str
) -> None:
    doubt = explain_doubt(answer_with(content, first=first, target=target), class_count=110)
    assert doubt is not None
    assert doubt.startswith(beginning)
    assert "must answer with one of its 110 classes, even if none fits" in doubt


def test_doubt_is_not_told_when_both_networks_are_sure_of_the_class(content: dict[str, Any]) -> None:
    answer = answer_with(content, first=(0.9, 0.6), target=(0.9, 0.6))
    assert explain_doubt(answer, class_count=110) is None


@pytest.mark.parametrize(
    ("probabilities", "rest"),
    [((0.9, 0.6), ""), ((0.3, 0.9), " The baseline is not sure what this is."), ((0.1, 0.2), " No network is sure")],
)
def test_doubt_begins_with_the_misfit_of_a_picture_that_no_class_fits(
    content: dict[str, Any], probabilities: tuple[float, float], rest: str
) -> None:
    answer = answer_with(content, first=probabilities, target=probabilities)
    fit = FitAnswer(score=-0.5, threshold=-0.3, fits=False)
    doubt = explain_doubt(answer.model_copy(update={"fit": fit}), class_count=1000)
    assert doubt is not None
    misfit = explain_misfit(1000)
    assert misfit.startswith("None of the 1,000 classes fits this picture well. ")
    assert doubt.startswith(misfit + rest)
    assert len(doubt) > len(misfit) or not rest
    assert "even if none fits" not in doubt


def test_doubt_of_a_picture_that_fits_is_the_same_as_without_a_threshold(content: dict[str, Any]) -> None:
    answer = answer_with(content, first=(0.3, 0.9), target=(0.3, 0.9))
    fit = FitAnswer(score=-0.2, threshold=-0.3, fits=True)
    assert explain_doubt(answer.model_copy(update={"fit": fit}), class_count=110) == explain_doubt(
        answer, class_count=110
    )


def test_geometry_sentence_names_the_part_that_was_seen(content: dict[str, Any]) -> None:
    whole = AnalysisAnswer.model_validate(content).geometry
    assert explain_geometry(whole).startswith("The networks saw the whole picture")
    cropped = whole.model_copy(update={"is_cropped": True, "geometry": Geometry.CENTER_CROP})
    assert "the square at its centre" in explain_geometry(cropped)


def test_geometry_warning_is_given_where_the_lineup_was_not_measured(
    content: dict[str, Any], description: LineupDescription
) -> None:
    own = AnalysisAnswer.model_validate(content).geometry
    assert warn_of_geometry(own, description) == ()
    measured = own.model_copy(update={"geometry": Geometry.CENTER_CROP})
    assert warn_of_geometry(measured, description) == ()
    (warning,) = warn_of_geometry(own.model_copy(update={"resolution": Resolution.PIXELS_448}), description)
    assert "Whole pictures at 448 pixels were not measured" in warning


def test_geometry_warning_says_what_a_measured_geometry_costs(
    content: dict[str, Any], description: LineupDescription
) -> None:
    own = AnalysisAnswer.model_validate(content).geometry
    cbam = description.networks["cbam"]
    worse = tuple(
        accuracy.model_copy(update={"top1": accuracy.top1 - 0.12})
        if accuracy.geometry is Geometry.CENTER_CROP
        else accuracy
        for accuracy in cbam.accuracy
    )
    networks = {**description.networks, "cbam": cbam.model_copy(update={"accuracy": worse})}
    cropped = own.model_copy(update={"geometry": Geometry.CENTER_CROP})
    (warning,) = warn_of_geometry(cropped, description.model_copy(update={"networks": networks}))
    assert re.search(r"Centre crops at 224 pixels cost up to 1[12]\.\d points of accuracy", warning)


def test_verdict_names_what_each_network_ranks_first_and_how_far_the_maps_agree(
    content: dict[str, Any], description: LineupDescription
) -> None:
    answer = answer_of_three(content, ("cat", "dog", "motorbikes"), probability=0.9)
    verdict = build_verdict(answer, description, class_count=110)
    assert verdict.guesses == (("Baseline", "cat", "90 %"), ("SE", "dog", "90 %"), ("CBAM", "motorbikes", "90 %"))
    assert verdict.doubt is None


def test_verdict_on_two_networks_has_one_number_for_their_maps(content: dict[str, Any]) -> None:
    answer = AnalysisAnswer.model_validate(content)
    assert explain_map_agreement(answer) == f"maps agree {answer.comparisons['cbam'].correlation:.2f}"
    silent = content["comparisons"]["cbam"] | {"correlation": None}
    silent_answer = AnalysisAnswer.model_validate(content | {"comparisons": {"cbam": silent}})
    assert explain_map_agreement(silent_answer) == "maps cannot be compared"


def test_verdict_on_more_networks_compares_each_map_with_the_baselines(content: dict[str, Any]) -> None:
    row = content["comparisons"]["cbam"]
    comparisons = {"se": row | {"correlation": 0.5}, "cbam": row | {"correlation": -0.125}}
    answer = answer_of_three(content | {"comparisons": comparisons}, ("cat", "cat", "cat"), probability=0.9)
    assert explain_map_agreement(answer) == "maps agree with the baseline’s: SE 0.50, CBAM −0.12"


def test_doubt_does_not_repeat_the_guesses_of_the_line_above(
    content: dict[str, Any], description: LineupDescription
) -> None:
    answer = answer_of_three(content, ("cat", "dog", "motorbikes"), probability=0.4)
    verdict = build_verdict(answer, description, class_count=110)
    assert verdict.doubt is not None
    for _, guess, probability in verdict.guesses:
        assert guess not in verdict.doubt
        assert probability not in verdict.doubt


@pytest.mark.parametrize(
    ("scale", "limits", "label"),
    [
        ("shared", "own", "in logits, 12 % of the maps’ scale"),
        ("shared", "shared", "in logits, the maps’ scale"),
        ("own", "own", "in shares of each map’s own maximum, 12 % of the maps’ scale"),
    ],
)
def test_difference_says_which_scale_it_has(scale: Scale, limits: DifferenceScale, label: str) -> None:
    options = PageOptions(scale=scale, difference_scale=limits)
    assert label_difference(options, "logits", 0.12) == label


def answer_of_three(content: dict[str, Any], guesses: tuple[str, ...], *, probability: float) -> AnalysisAnswer:
    """An answer of baseline, SE and CBAM with these top guesses."""
    titles = {"baseline": "Baseline", "se": "SE", "cbam": "CBAM"}
    networks = {}
    for (name, title), guess in zip(titles.items(), guesses, strict=True):
        network = content["networks"][name if name in content["networks"] else "cbam"]
        first = network["predictions"][0] | {"class_name": guess, "probability": probability}
        networks[name] = network | {"title": title, "predictions": [first]}
    return AnalysisAnswer.model_validate(content | {"networks": networks})
