"""What holds wherever Ray is not: it is asked for by name, and nothing else brings it in."""

import pickle
import subprocess
import sys

import numpy as np
import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from app.analyses import Analysis
from app.cli import app
from app.errors import EngineFailed, InvalidOption, LensError, QueueFull
from app.on_ray import extra
from app.on_ray.settings import RaySettings
from app.on_ray.wire import pack, unpack
from app.settings import Settings
from app.work import NetworkTrace, PictureWork, Question, TraceWork
from models.names import NetworkName, Stage
from models.pair import NetworkPair
from tests.conftest import ROOT

runner = CliRunner()


@pytest.mark.parametrize("command", [["serve"], ["compare", "x.png", "--rows", "rows"]])
def test_command_says_how_to_get_ray(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    result = runner.invoke(app, [*command, "--on", "ray"])
    assert result.exit_code == 2
    assert "uv sync --extra ray" in result.stderr


def test_plain_program_never_imports_ray() -> None:
    script = "import sys, app.main, app.commands.ray, app.survey.run, app.bench.run; sys.exit('ray' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=False).returncode == 0  # noqa: S603


def test_compare_on_ray_wants_rows() -> None:
    result = runner.invoke(app, ["compare", "x.png", "--on", "ray"])
    assert result.exit_code == 2
    assert "add --rows DIR" in result.stderr


def test_sizes_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBAM_LENS_RAY_MIN_REPLICAS", "8")
    with pytest.raises(ValidationError, match="MIN_REPLICAS is 8, more than the 4"):
        RaySettings()


def test_process_with_networks_has_threads_for_its_cores() -> None:
    assert RaySettings(replica_cpus=3.5).fit(Settings()).threads == 3
    assert RaySettings(replica_cpus=0.5).fit(Settings()).threads == 1
    assert RaySettings(replica_cpus=2).fit(Settings(threads=5)).threads == 5
    assert RaySettings().fit(Settings()).device == "cpu"
    assert RaySettings(replica_gpus=0.5).fit(Settings()).device == "auto"


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


def test_parcel_has_no_networks_and_what_is_asked_alone(pair: NetworkPair) -> None:
    features = {stage: np.full((2, 3, 3), stage.value, dtype=np.float32) for stage in Stage}
    trace = NetworkTrace(np.zeros(110, dtype=np.float32), features, ())
    work = TraceWork(pair, dict.fromkeys(NetworkName, trace), Question(Stage.THREE, 5))
    data = pickle.dumps(pack(work))
    assert len(data) < 10_000
    again = unpack(pickle.loads(data), {pair.card.name: pair})  # noqa: S301  # our own
    assert isinstance(again, TraceWork)
    assert again.pair is pair
    assert again.question == work.question
    for found in again.traces.values():
        assert list(found.features) == [Stage.THREE]
        assert (found.features[Stage.THREE] == 3).all()


def test_parcel_keeps_a_picture_as_it_is(pair: NetworkPair) -> None:
    values = np.random.default_rng(1).standard_normal((3, 32, 64)).astype(np.float32)
    again = unpack(pack(PictureWork(pair, values, None)), {pair.card.name: pair})
    assert isinstance(again, PictureWork)
    assert np.array_equal(again.values, values)
    assert again.question is None


def test_analysis_survives_its_way() -> None:
    """The copy for the screen is left behind; everything else arrives."""
    assert Analysis.__dataclass_fields__.keys() >= {"traces", "source", "id"}
