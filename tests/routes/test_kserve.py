"""KServe's v1 protocol: the same numbers and images as the REST API, within the same limits."""

from base64 import b64decode, b64encode
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from models.lineups.lineup import Lineup
from tests.conftest import decode, encode, make_picture

MODEL = "/v1/models/resnet18-110"
TINY = b64encode(encode(make_picture(40, 30))).decode()


def wrap(data: bytes, **options: Any) -> dict[str, Any]:
    return {"image": {"b64": b64encode(data).decode()}, **options}


def ask(client: TestClient, verb: str, *instances: dict[str, Any]) -> list[dict[str, Any]]:
    answer = client.post(f"{MODEL}:{verb}", json={"instances": instances})
    assert answer.status_code == 200, answer.text
    (values,) = answer.json().values()
    assert len(values) == len(instances)
    found: list[dict[str, Any]] = values
    return found


def refuse(client: TestClient, body: Any, verb: str = "explain", model: str = MODEL) -> tuple[int, str]:
    answer = client.post(f"{model}:{verb}", json=body)
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == answer.status_code
    return answer.status_code, problem["detail"]


def test_models_are_the_lineups(client: TestClient) -> None:
    assert client.get("/v1/models").json() == {"models": ["resnet18-110"]}
    client.post(f"{MODEL}:predict", json={"instances": [{"image": {"b64": TINY}}]})
    assert client.get(MODEL).json() == {"name": "resnet18-110", "ready": True}
    assert client.head(MODEL).status_code == 200


def test_changes_to_gates_may_be_one_text(client: TestClient, motorcycle: bytes) -> None:
    texts = ["cbam:all:spatial:neutral", ["cbam:all:spatial:neutral"]]
    as_text, as_list = (ask(client, "explain", wrap(motorcycle, interventions=change))[0] for change in texts)
    assert as_text["networks"]["cbam"]["alteration"] == as_list["networks"]["cbam"]["alteration"] is not None


def test_model_is_not_ready_while_the_server_ends(lineup: Lineup) -> None:
    application = create_app(Settings(), lineups=[lineup])
    with TestClient(application) as client:
        client.post(f"{MODEL}:predict", json={"instances": [{"image": {"b64": TINY}}]})
        assert client.get(MODEL).json()["ready"] is True
        application.state.readiness_check.is_draining = True
        assert client.get(MODEL).json()["ready"] is False


def test_explain_gives_the_numbers_and_images_of_an_analysis(
    client: TestClient, analysis: dict[str, Any], motorcycle: bytes
) -> None:
    (explanation,) = ask(client, "explain", wrap(motorcycle, png=True, max_side=200))
    for key in ("lineup", "target", "comparisons", "shared_max", "geometry", "method", "stage", "against"):
        assert explanation[key] == analysis[key]
    root = analysis["links"]["self"].partition("?")[0]
    assert explanation["networks"].keys() == {"baseline", "cbam"}
    for name, network in explanation["networks"].items():
        expected = analysis["networks"][name]
        assert network["predictions"] == expected["predictions"]
        assert network["heat_map"] == expected["heat_map"]
        values = np.array(network["values"])
        assert values.shape == (expected["heat_map"]["height"], expected["heat_map"]["width"])
        assert values.max() == pytest.approx(expected["heat_map"]["max"])
        png = client.get(f"{root}/heatmaps/{name}.png", params={"max_side": 200}).content
        assert b64decode(network["png"]["b64"]) == png
    assert decode(b64decode(explanation["difference"]["b64"])).width == 200


def test_each_instance_has_its_own_question(client: TestClient, motorcycle: bytes) -> None:
    named, indexed, plain = ask(
        client,
        "explain",
        wrap(motorcycle, target="dalmatian", method="layercam", stage=3, values=False),
        wrap(motorcycle, target=30),
        {"image": {"b64": TINY}},
    )
    assert (named["target"]["class_index"], named["method"], named["stage"]) == (30, "layercam", 3)
    assert indexed["target"] == {"class_index": 30, "class_name": "dalmatian", "chosen_by": "index"}
    assert plain["target"]["chosen_by"] == "mean"
    assert named["networks"]["cbam"]["values"] is None
    assert named["difference"] is None
    assert plain["geometry"]["picture_width"] == 40


def test_predict_gives_the_likeliest_classes(client: TestClient, analysis: dict[str, Any], motorcycle: bytes) -> None:
    five, one = ask(client, "predict", wrap(motorcycle), wrap(motorcycle, top=1))
    for name, network in analysis["networks"].items():
        assert five["networks"][name]["predictions"] == network["predictions"]
        assert one["networks"][name]["predictions"] == network["predictions"][:1]
    assert five["fit"] is None


@pytest.mark.parametrize(
    ("body", "status", "words"),
    [
        ({}, 422, "instances is missing"),
        ([], 422, "the request's body is"),
        ({"instances": []}, 422, "at least 1 item"),
        ({"instances": [{"image": {"b64": TINY}}] * 9}, 422, "at most 8 items"),
        ({"instances": [{}]}, 422, "instances.0.image is missing"),
        ({"instances": [{"image": TINY}]}, 422, "instances.0.image is"),
        ({"instances": [{"image": {"b64": TINY}}, {"image": {"b64": "%%"}}]}, 422, "instances.1: image is not base64"),
        ({"instances": [{"image": {"b64": ""}}]}, 400, "instances.0: the picture has 0 bytes"),
        ({"instances": [{"image": {"b64": "AAAA"}}]}, 400, "instances.0: 3 bytes that are not"),
        ({"instances": [{"image": {"b64": TINY}, "target": "panta"}]}, 422, "did you mean panda"),
        ({"instances": [{"image": {"b64": TINY}, "stage": 5}]}, 422, "instances.0.stage is '5'"),
        ({"instances": [{"image": {"b64": TINY}, "clas": 5}]}, 422, "instances.0.clas is '5'"),
        ({"instances": [{"image": {"b64": TINY}}], "more": [0] * 1000}, 422, "more than 1000 values"),
    ],
)
def test_bad_body_is_refused_with_the_instance_and_the_rule(
    client: TestClient, body: Any, status: int, words: str
) -> None:
    answered, detail = refuse(client, body)
    assert (answered, words in detail) == (status, True), detail


def test_unknown_model_is_404(client: TestClient) -> None:
    assert client.get("/v1/models/none").status_code == 404
    status, detail = refuse(client, {"instances": [{"image": {"b64": TINY}}]}, model="/v1/models/none")
    assert status == 404
    assert "choose one of resnet18-110" in detail


def test_other_methods_types_and_options_are_refused(client: TestClient) -> None:
    answer = client.get(f"{MODEL}:explain")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    answer = client.post(f"{MODEL}:explain", content=b"{}", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 422
    assert "this call takes application/json" in answer.json()["detail"]
    assert client.post(f"{MODEL}:explain?x=1", json={"instances": [{"image": {"b64": TINY}}]}).status_code == 422


def test_body_has_the_limit_of_a_picture(client: TestClient) -> None:
    large = make_picture(900, 700).effect_spread(50)
    data = encode(large)
    # More than a body without pictures may have.
    assert len(data) > 300_000
    assert len(ask(client, "predict", wrap(data))) == 1
    status, detail = refuse(client, {"instances": [{"image": {"b64": "A" * 20_100_000}}]})
    assert (status, "the limit is 20 MB" in detail) == (413, True)
    answer = client.post(MODEL, content=bytes(300_000))
    assert answer.status_code in {405, 413}


def test_tokens_and_rates_apply(lineup: Lineup) -> None:
    settings = Settings(api_tokens=("a-token-of-this-test",), rate_limit="2/hour")
    body = {"instances": [{"image": {"b64": TINY}}]}
    with TestClient(create_app(settings, lineups=[lineup])) as client:
        assert client.get("/v1/models").status_code == 401
        assert client.post(f"{MODEL}:explain", json=body).status_code in {401, 429}
        headers = {"Authorization": "Bearer a-token-of-this-test"}
        statuses = [client.post(f"{MODEL}:explain", json=body, headers=headers).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
