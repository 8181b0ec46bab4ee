"""Behaviour without Ray: only `--on ray` imports it."""

import asyncio
import json
import os
import pickle
import re
import subprocess
import sys
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send
from typer.testing import CliRunner

from app.analysis.analyses import Analysis
from app.analysis.lens import Lens
from app.analysis.options import GeometryOptions
from app.analysis.questions import Explanation, LearnedMaps
from app.analysis.timing import Timings
from app.cli import app
from app.engine.device_engine import DeviceEngine
from app.engine.traces import GradientTarget, NetworkTrace
from app.engine.work import ChangedMapWork, ChangedTraceWork, GradientWork, OpenedBlockWork, PictureWork, Work
from app.errors import EngineFailed, InvalidOption, LensError, QueueFull
from app.explain.maps import FloatArray
from app.explain.methods import Method
from app.on_ray import environment
from app.on_ray.proxy import LostReplica
from app.on_ray.settings import RaySettings
from app.on_ray.wire import pack, unpack
from app.settings import Settings
from models.attention.interventions import parse_interventions
from models.lineups.choice import InlineLineup
from models.lineups.lineup import Lineup, load_lineup
from models.names import Stage
from tests.conftest import ROOT, encode, make_picture
from tests.lineups import COUNTS, NAMES, SOURCES

runner = CliRunner()


@pytest.mark.parametrize("command", [["serve"], ["compare", "x.png", "--rows", "rows"]])
def test_command_says_how_to_get_ray(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None)
    result = runner.invoke(app, [*command, "--on", "ray"])
    assert result.exit_code == 2
    assert "uv sync --extra ray" in result.stderr


@pytest.mark.slow
def test_plain_program_never_imports_ray() -> None:
    script = "import sys, app.main, app.commands.ray, app.survey.run, app.bench.run; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0  # noqa: S603


@pytest.mark.slow
def test_ray_reads_its_variables_when_it_is_imported() -> None:
    pytest.importorskip("ray", reason="Ray is not installed: uv sync --extra ray")
    script = (
        "import sys, app.commands.ray as commands; commands.prepare_ray(); assert 'ray' not in sys.modules\n"
        "import app.on_ray.serving, app.on_ray.survey\n"
        "from ray._private import ray_constants\n"
        "from ray.serve._private import constants\n"
        "print(ray_constants.RAY_ENABLE_UV_RUN_RUNTIME_ENV, constants.RAY_SERVE_HTTP_PROXY_CALLBACK_IMPORT_PATH)"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    ran = subprocess.run(  # noqa: S603
        [sys.executable, "-c", script], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["False", "app.on_ray.proxy.list_middleware"]


def test_compare_on_ray_wants_rows() -> None:
    result = runner.invoke(app, ["compare", "x.png", "--on", "ray"])
    assert result.exit_code == 2
    assert "add --rows DIR" in " ".join(result.stderr.replace("│", " ").split())


def test_sizes_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBAM_LENS_RAY_MIN_REPLICAS", "8")
    with pytest.raises(ValidationError, match="MIN_REPLICAS is 8; it must not exceed the maximum of 4"):
        RaySettings()


def test_process_with_networks_has_threads_for_its_cores() -> None:
    assert RaySettings(replica_cpus=3.5).fit(Settings(threads=None)).threads == 3
    assert RaySettings(replica_cpus=0.5).fit(Settings(threads=None)).threads == 1
    assert RaySettings(replica_cpus=2).fit(Settings(threads=5)).threads == 5
    assert RaySettings().fit(Settings(device="auto")).device == "cpu"
    assert RaySettings(replica_gpus=0.5).fit(Settings(device="auto")).device == "auto"


@pytest.mark.parametrize("name", RaySettings.model_fields)
def test_documentation_names_every_size(name: str) -> None:
    assert f"`CBAM_LENS_RAY_{name.upper()}`" in (ROOT / "docs" / "ray.md").read_text()


@pytest.mark.parametrize(
    "error",
    [
        QueueFull("4 wait", retry_after_seconds=7),
        InvalidOption("no such", option="stage", allowed=("1", "2")),
        EngineFailed("broken off"),
    ],
)
def test_error_arrives_as_it_was_raised(error: LensError) -> None:
    again = pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    assert type(again) is type(error)
    assert str(again) == str(error)
    assert vars(again) == vars(error)


def analyse(lineup: Lineup, data: bytes) -> Analysis:
    engine = DeviceEngine(queue_size=1)
    engine.start()
    analysis = asyncio.run(Lens(engine, lineup, max_pixels=1_000_000).analyse(data, GeometryOptions(), Timings()))
    engine.close()
    return analysis


async def refuse_to_decode(_: Analysis) -> FloatArray:
    raise AssertionError("what was traced is not decoded again")


def test_packed_work_has_no_networks_and_what_is_asked_alone(lineup: Lineup) -> None:
    features = {stage: np.full((2, 3, 3), stage.value, dtype=np.float32) for stage in Stage}
    trace = NetworkTrace(np.zeros(110, dtype=np.float32), features, ())
    analysis = replace(analyse(lineup, encode(make_picture(64, 48))), traces=dict.fromkeys(("baseline", "cbam"), trace))
    question = LearnedMaps(Explanation(5, Method.GRADCAM, Stage.THREE))
    work = asyncio.run(question.make_work(lineup, analysis, refuse_to_decode))
    data = pickle.dumps(pack(work))
    assert len(data) < 10_000
    again = unpack(pickle.loads(data), {lineup.card.name: lineup})  # noqa: S301  # our own
    assert isinstance(again, GradientWork)
    assert again.lineup is lineup
    assert again.target == GradientTarget(Stage.THREE, 5)
    assert list(again.features) == ["baseline", "cbam"]
    assert all((found == 3).all() for found in again.features.values())


@pytest.mark.parametrize("count", COUNTS)
def test_every_kind_of_work_is_sent_with_its_networks_names(count: int) -> None:
    loaded = load_lineup(InlineLineup.of("many", *SOURCES[count]))
    values = np.random.default_rng(1).standard_normal((3, 64, 64)).astype(np.float32)
    target = GradientTarget(Stage.FOUR, 3)
    gated = loaded.card.gated[-1]
    blocks = {gated: [name for name, _ in loaded.networks[gated].named_modules() if re.fullmatch(r"layer\d\.\d", name)]}
    changes = parse_interventions(
        [f"{gated}:all:channel:neutral"], blocks, {gated: loaded.card.networks[gated].attention}
    )
    picture = PictureWork(loaded, values, Stage.FOUR, 3)
    works: list[Work[Any]] = [
        picture,
        ChangedTraceWork(loaded, gated, values, changes),
        ChangedMapWork(loaded, gated, values, changes, target),
        OpenedBlockWork(loaded, gated, values, "layer2.0", changes),
    ]
    for work in works:
        again = unpack(pickle.loads(pickle.dumps(pack(work))), {"many": loaded})  # noqa: S301  # our own
        assert type(again) is type(work)
        assert {field.name for field in fields(again)} == {field.name for field in fields(work)}
        (ours,), (theirs,) = type(work).compute_together([work]), type(work).compute_together([again])
        assert pickle.dumps(ours) == pickle.dumps(theirs)
    (traced,) = PictureWork.compute_together([picture])
    assert tuple(traced.traces) == tuple(traced.gradient.gradients) == NAMES[count]


def test_packed_work_keeps_a_picture_as_it_is(lineup: Lineup) -> None:
    values = np.random.default_rng(1).standard_normal((3, 32, 64)).astype(np.float32)
    again = unpack(pack(PictureWork(lineup, values)), {lineup.card.name: lineup})
    assert isinstance(again, PictureWork)
    assert np.array_equal(again.values, values)
    assert again.stage is None


def test_analysis_arrives_without_its_copy_for_the_screen(lineup: Lineup) -> None:
    data = encode(make_picture(640, 480))
    analysis = analyse(lineup, data)
    sent = pickle.dumps(analysis)
    assert len(sent) < len(data) + sum(trace.size_bytes for trace in analysis.traces.values()) + 50_000
    again: Analysis = pickle.loads(sent)  # noqa: S301  # our own
    assert again.id == analysis.id
    assert again.source.data == data
    assert np.array_equal(np.asarray(again.picture(max_side=100)), np.asarray(analysis.picture(max_side=100)))
    for name in ("baseline", "cbam"):
        assert np.array_equal(again.traces[name].logits, analysis.traces[name].logits)


class Proxied:
    """A stand-in for Ray Serve's proxy that answers with these messages."""

    def __init__(self, *messages: Message) -> None:
        self._messages = messages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for message in self._messages:
            await send(message)


def ask_through(*messages: Message, path: str = "/") -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        raise AssertionError("nothing is read")

    asyncio.run(LostReplica(Proxied(*messages))({"type": "http", "path": path}, receive, send))
    return sent


BODY: Message = {"type": "http.response.body", "body": b"text"}


@pytest.mark.parametrize(
    "messages",
    [
        pytest.param((), id="nothing"),
        pytest.param(
            ({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/plain")]}, BODY),
            id="its own words",
        ),
    ],
)
def test_proxy_says_503_as_the_application_does(messages: tuple[Message, ...]) -> None:
    start, body = ask_through(*messages)
    headers = dict(start["headers"])
    assert start["status"] == 503
    assert headers[b"content-type"] == b"application/problem+json"
    assert int(headers[b"retry-after"]) > 0
    assert json.loads(body["body"])["type"] == "urn:cbam-lens:problem:queue-full"


def test_proxy_leaves_the_applications_answers_alone() -> None:
    own = [(b"content-type", b"application/problem+json"), (b"x-request-id", b"a"), (b"X-Request-Id", b"b")]
    start, body = ask_through({"type": "http.response.start", "status": 503, "headers": own}, BODY)
    assert start == {"type": "http.response.start", "status": 503, "headers": own[:2]}
    assert body == BODY
    assert ask_through(path="/-/healthz") == []
