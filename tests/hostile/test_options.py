"""Any combination of options: valid ones get an answer, invalid ones an error with the option's name."""

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.explain.methods import Method
from app.render.colour_scale import Colormap, Scale
from app.render.overlay import Render
from models.lineups.card import LARGE_RESOLUTIONS
from models.names import Geometry
from tests.conftest import encode, make_picture

pytestmark = pytest.mark.slow

PICTURE = encode(make_picture(40, 30))

RIGHT: dict[str, st.SearchStrategy[str]] = {
    "network": st.sampled_from(["baseline", "cbam"]),
    "target": st.one_of(st.just(""), st.integers(0, 109).map(str), st.sampled_from(["panda", "PANDA", " panda "])),
    "method": st.sampled_from([method.value for method in Method]),
    "stage": st.sampled_from(["1", "2", "3", "4"]),
    "render": st.sampled_from([render.value for render in Render]),
    "scale": st.sampled_from([scale.value for scale in Scale]),
    "colormap": st.sampled_from([colormap.value for colormap in Colormap]),
    "opacity": st.floats(0, 1).map(str),
    "interventions": st.sampled_from(
        ["", "all:spatial:neutral", "cbam:stage4:channel:drop-max,layer1.0:spatial:invert"]
    ),
    "geometry": st.sampled_from([geometry.value for geometry in Geometry]),
    # 32 is for networks with CIFAR's stem alone.
    "resolution": st.sampled_from([str(known.value) for known in LARGE_RESOLUTIONS]),
    "lineup": st.sampled_from(["", "resnet18-110"]),
}

ANYTHING = st.one_of(
    st.text(st.characters(codec="utf-8"), max_size=40),
    st.sampled_from(["-1", "5", "1e309", "nan", "inf", "null", "true", "[]", "{}", "%00", "../..", "'; drop", "٣"]),
    st.integers().map(str),
    st.floats().map(str),
)

UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
FEW = settings(UNHURRIED, max_examples=12)


@FEW
@given(options=st.fixed_dictionaries({}, optional=RIGHT))
def test_right_options_are_answered(local_client: TestClient, options: dict[str, str]) -> None:
    check_answer(local_client, options)


@pytest.mark.slow(rare=True)
@pytest.mark.slow
@UNHURRIED
@given(options=st.fixed_dictionaries({}, optional=RIGHT))
def test_many_right_options_are_answered(local_client: TestClient, options: dict[str, str]) -> None:
    check_answer(local_client, options)


def check_answer(local_client: TestClient, options: dict[str, str]) -> None:
    answer = local_client.post("/api/v1/heatmap", files={"image": PICTURE}, data=options)
    assert answer.status_code == 200, answer.text
    assert answer.content.startswith(b"\x89PNG")
    assert 0 <= float(answer.headers["x-target-probability"]) <= 1


@UNHURRIED
@given(name=st.sampled_from(sorted(RIGHT)), value=ANYTHING, in_query=st.booleans())
@example(name="target", value="110", in_query=False)
@example(name="opacity", value="nan", in_query=True)
def test_anything_else_is_answered_or_named(local_client: TestClient, name: str, value: str, in_query: bool) -> None:
    options = {name: value}
    answer = local_client.post(
        "/api/v1/heatmap",
        files={"image": PICTURE},
        params=options if in_query else None,
        data=None if in_query else options,
    )
    assert answer.status_code in {200, 422}, (answer.status_code, answer.text)
    if answer.status_code == 422:
        problem = answer.json()
        assert problem["option"].split(".")[0] == name
        assert len(problem["detail"]) < 5000
