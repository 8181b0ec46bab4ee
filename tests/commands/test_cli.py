"""The command line from a user's side: files, output and exit codes."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx2
import numpy as np
import pytest
from typer.testing import CliRunner

from app.cli import app
from models.networks.counting import RECORDED_COUNTS
from tests.conftest import decode, encode, make_picture
from tests.lineups import RESNET18_110

runner = CliRunner()


@pytest.fixture
def picture(tmp_path: Path, motorcycle: bytes) -> Path:
    path = tmp_path / "bike.png"
    path.write_bytes(motorcycle)
    return path


def test_compare_writes_figure_and_maps(picture: Path, tmp_path: Path, motorcycle: bytes) -> None:
    output = tmp_path / "out" / "deep"
    result = runner.invoke(app, ["compare", str(picture), "-o", str(output), "--target", "motorbikes"])
    assert result.exit_code == 0, result.output
    assert {path.name for path in output.iterdir()} == {
        "bike.figure.png",
        "bike.baseline.png",
        "bike.cbam.png",
        "bike.difference.png",
        "bike.maps.npz",
    }
    assert decode((output / "bike.cbam.png").read_bytes()).size == decode(motorcycle).size
    with np.load(output / "bike.maps.npz", allow_pickle=False) as maps:
        assert maps["class_index"] == 2
    assert "motorbikes; baseline P = " in result.stdout


def test_compare_adds_the_difference_a_second_class_and_lines(picture: Path, tmp_path: Path) -> None:
    asked = ["--difference", "--versus", "dalmatian", "--threshold", "0.5"]
    for name, options in (("plain", []), ("more", asked)):
        result = runner.invoke(app, ["compare", str(picture), "-o", str(tmp_path / name), *options])
        assert result.exit_code == 0, result.output
    plain, more = (decode((tmp_path / name / "bike.figure.png").read_bytes()) for name in ("plain", "more"))
    assert more.width > plain.width
    assert more.height > 1.8 * plain.height
    maps = [(tmp_path / name / "bike.cbam.png").read_bytes() for name in ("plain", "more")]
    assert maps[0] != maps[1]


def test_compare_divides_what_each_network_computed_into_concepts(picture: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    result = runner.invoke(app, ["compare", str(picture), "-o", str(output), "--concepts", "3"])
    assert result.exit_code == 0, result.output
    found = json.loads((output / "bike.concepts.json").read_bytes())
    assert found["count"] == 3
    for name in ("baseline", "cbam"):
        concepts = found["networks"][name]["concepts"]
        assert [concept["number"] for concept in concepts] == [1, 2, 3]
        assert all(len(concept["predictions"]) == 3 for concept in concepts)
        image = decode((output / f"bike.concepts.{name}.png").read_bytes())
        assert image.size == decode(picture.read_bytes()).size


def test_compare_contrasts_two_classes(picture: Path) -> None:
    asked = ["--method", "finercam", "--against", "dalmatian", "--json"]
    result = runner.invoke(app, ["compare", str(picture), *asked])
    assert result.exit_code == 0, result.output
    assert [known["class_name"] for known in json.loads(result.stdout)["against"]] == ["dalmatian"]


def test_compare_says_the_cost_of_score_cam_in_its_help() -> None:
    text = " ".join(runner.invoke(app, ["compare", "--help"], env={"COLUMNS": "240"}).stdout.split())
    assert "`scorecam` is slow" in text
    assert "3,840 at stage 4" in text


def test_compare_draws_changed_gates_and_says_what_to_know(picture: Path, tmp_path: Path) -> None:
    asked = ["--intervention", "all:spatial:neutral", "--versus", "1", "--stage", "2"]
    weights = RESNET18_110.parent
    lineup = f"x={weights}/resnet18_baseline_110.safetensors,{weights}/resnet18_baseline_110.safetensors"
    lineup += f",{weights}/resnet18_cbam_110.safetensors"
    result = runner.invoke(app, ["compare", str(picture), "-o", str(tmp_path), "--lineup", lineup, *asked])
    assert result.exit_code == 0, result.output
    assert (tmp_path / "bike.figure.png").exists()
    assert "are the same network with the same weights" in result.stderr


def test_compare_prints_json_lines_and_writes_nothing_without_an_output(picture: Path, tmp_path: Path) -> None:
    second = tmp_path / "other.jpg"
    second.write_bytes(encode(make_picture(90, 60), "JPEG"))
    result = runner.invoke(app, ["compare", str(picture), str(second), "--json"])
    assert result.exit_code == 0, result.output
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["file"] for row in rows] == [str(picture), str(second)]
    assert rows[0]["networks"].keys() == {"baseline", "cbam"}
    assert [len(network["blocks"]) for network in rows[0]["networks"].values()] == [0, 8]
    assert {path.name for path in tmp_path.iterdir()} == {"bike.png", "other.jpg"}


def test_compare_names_bad_pictures_and_goes_on(picture: Path, tmp_path: Path) -> None:
    bad, missing = tmp_path / "bad.jpg", tmp_path / "missing.jpg"
    bad.write_bytes(b"nothing")
    result = runner.invoke(app, ["compare", str(bad), str(missing), str(picture), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "bad.jpg: 7 bytes that are not a picture" in result.stderr
    assert "missing.jpg: No such file or directory" in result.stderr
    assert (tmp_path / "out" / "bike.figure.png").exists()


def test_compare_refuses_pictures_that_would_write_the_same_files(picture: Path, tmp_path: Path) -> None:
    twin = tmp_path / "bike.jpg"
    twin.write_bytes(encode(make_picture(9, 9), "JPEG"))
    result = runner.invoke(app, ["compare", str(picture), str(twin), "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "would both write bike.figure.png" in result.stderr
    assert not (tmp_path / "out").exists()


def test_compare_stops_at_an_unknown_class_for_each_picture(picture: Path) -> None:
    result = runner.invoke(app, ["compare", str(picture), "--json", "--target", "unicorn"])
    assert result.exit_code == 2
    assert "'unicorn' is not one of the 110 classes" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["compare"], "IMAGE"),
        (
            ["compare", "x.png", "--resolution", "161"],
            "choose one of 28, 32, 64, 96, 128, 160, 224, 256, 320, 384, 448",
        ),
        (["compare", "x.png", "--device", "tpu"], "device"),
        (["compare", "x.png", "--json", "--concepts", "3"], "add --output DIR"),
        (["compare", "x.png", "--concepts", "9"], "--concepts"),
        (["serve", "--port", "99999"], "65535"),
        (["serve", "--lineup", "nothing.toml"], "nothing.toml"),
        (["evaluate", "nothing"], "nothing"),
    ],
)
def test_wrong_arguments_are_explained_with_exit_code_2(arguments: list[str], sentence: str) -> None:
    result = runner.invoke(app, arguments, env={"COLUMNS": "240"})
    assert result.exit_code == 2
    assert sentence in result.stderr


def make_data(directory: Path, motorcycle: bytes) -> Path:
    for folder, name, content in (
        ("Motorbikes", "one.png", motorcycle),
        ("Faces_easy", "two.jpg", encode(make_picture(80, 60), "JPEG")),
        ("pagoda", "three.png", encode(make_picture(60, 90))),
        ("pagoda", "broken.png", b"broken"),
        ("pagoda", "notes.txt", b"not counted"),
    ):
        path = directory / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return directory


def test_evaluate_counts_every_picture_once_and_names_unreadable_ones(tmp_path: Path, motorcycle: bytes) -> None:
    data = make_data(tmp_path / "data", motorcycle)
    result = runner.invoke(app, ["evaluate", str(data), "--json", "--geometry", "whole", "--batch-size", "2"])
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert answer["pictures"] == 3
    assert len(answer["unreadable"]) == 1
    assert "broken.png" in answer["unreadable"][0]
    for accuracy in answer["networks"].values():
        assert 1 <= accuracy["top1_count"] <= accuracy["top5_count"] <= 3
        assert accuracy["top1"] == pytest.approx(accuracy["top1_count"] / 3)


def test_evaluate_takes_a_list(tmp_path: Path, motorcycle: bytes) -> None:
    data = make_data(tmp_path / "data", motorcycle)
    listing = tmp_path / "list.txt"
    listing.write_text("Motorbikes/one.png\n\n")
    result = runner.invoke(app, ["evaluate", str(data), "--list", str(listing), "--json"])
    answer = json.loads(result.stdout)
    assert (answer["pictures"], answer["geometry"], answer["resolution"]) == (1, "whole", 224)
    assert answer["networks"]["baseline"]["top1"] == answer["networks"]["cbam"]["top1"] == 1


def test_evaluate_prints_a_table(tmp_path: Path, motorcycle: bytes) -> None:
    result = runner.invoke(app, ["evaluate", str(make_data(tmp_path / "data", motorcycle))])
    assert "resnet18-110: 3 pictures, whole at 224" in " ".join(result.stdout.split())
    assert "1 pictures could not be read" in " ".join(result.stdout.split())


def test_evaluate_refuses_folders_of_other_classes(tmp_path: Path, motorcycle: bytes) -> None:
    data = make_data(tmp_path / "data", motorcycle)
    (data / "unicorn").mkdir()
    (data / "unicorn" / "a.png").write_bytes(motorcycle)
    result = runner.invoke(app, ["evaluate", str(data)])
    assert result.exit_code == 2
    assert "1 folders are not classes of resnet18-110: unicorn" in result.stderr


def test_evaluate_refuses_an_empty_folder(tmp_path: Path) -> None:
    result = runner.invoke(app, ["evaluate", str(tmp_path)])
    assert result.exit_code == 2
    assert "names no pictures; give a folder of class folders" in result.stderr


@pytest.mark.slow
def test_precision_reports_small_changes_for_both_networks(picture: Path) -> None:
    result = runner.invoke(app, ["precision", str(picture.parent), "--json"])
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["pictures"] == 1
    assert report["effects"].keys() == {"bf16", "fp16"}
    for networks in report["effects"].values():
        for effect in networks.values():
            assert effect["same_first_class"] == 1
            assert 0 < effect["largest_probability_change"] < 0.05
            assert 0 < effect["largest_map_change"] < 0.2
    # fp16 has eleven bits of precision, bf16 has eight.
    assert (
        report["effects"]["fp16"]["cbam"]["largest_map_change"]
        < report["effects"]["bf16"]["cbam"]["largest_map_change"]
    )


def test_precision_refuses_a_directory_without_pictures(tmp_path: Path) -> None:
    result = runner.invoke(app, ["precision", str(tmp_path)])
    assert result.exit_code == 2
    assert "contains no pictures; give a directory with pictures" in result.stderr


@pytest.mark.slow(rare=True)
@pytest.mark.slow
def test_models_counts_what_is_recorded_and_prints_it(tmp_path: Path) -> None:
    counts = tmp_path / "counts.json"
    result = runner.invoke(app, ["models", "--write", str(counts)], env={"COLUMNS": "160"})
    assert result.exit_code == 0
    assert counts.read_text() == RECORDED_COUNTS.read_text()
    assert "28,089,624" in result.stdout
    assert "+9.91%" in result.stdout


def test_version_is_printed() -> None:
    result = runner.invoke(app, ["--version"])
    assert result.stdout.startswith("cbam-lens 0.")


def test_serve_explains_a_damaged_weights_file(tmp_path: Path) -> None:
    shutil.copytree(RESNET18_110.parent, tmp_path, dirs_exist_ok=True)
    with (tmp_path / "resnet18_cbam_110.safetensors").open("ab") as file:
        file.write(b"x")
    result = runner.invoke(app, ["serve", "--port", "0", "--lineup", str(tmp_path / RESNET18_110.name)])
    assert result.exit_code == 2
    assert "resnet18_cbam_110.safetensors: a damaged safetensors file" in result.stderr


def test_serve_explains_a_taken_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = runner.invoke(app, ["serve", "--port", str(port)])
    assert result.exit_code == 2
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "choose another --port" in result.stderr


@pytest.mark.slow
def test_serve_answers_what_is_under_way_on_sigterm_and_ends_cleanly(motorcycle: bytes) -> None:
    command = [sys.executable, "-c", "from app.cli import main; main()", "serve", "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603  # our own command
        assert process.stderr is not None
        lines = []
        for line in process.stderr:
            lines.append(line)
            if "is ready: http://" in line:
                break
        address = next(word for line in lines for word in line.split() if word.startswith("http://"))
        request = httpx2.Request("POST", f"{address}/api/v1/heatmap", files={"image": ("m.png", motorcycle)})
        body, headers = request.read(), dict(request.headers)
        connections = [http.client.HTTPConnection(address.removeprefix("http://"), timeout=60) for _ in range(8)]
        for connection in connections:
            connection.request("POST", "/api/v1/heatmap", body, headers)
        # All requests are sent before the first answer; the others are running when the signal comes.
        answers = [connections[0].getresponse()]
        process.terminate()
        answers += [connection.getresponse() for connection in connections[1:]]
        contents = [answer.read() for answer in answers]
        for connection in connections:
            connection.close()
        code = process.wait(timeout=30)
    assert [answer.status for answer in answers] == [200] * 8
    pictures = [np.asarray(decode(content), dtype=int) for content in contents]
    assert pictures[0].shape[1::-1] == decode(motorcycle).size
    # Pictures that shared a forward pass may differ in the last bit of a map, and so by one step of its colours.
    assert all(np.abs(picture - pictures[0]).max() <= 8 for picture in pictures)
    # uvicorn answers the running requests and then ends by the signal.
    assert code in (0, -15, 143)


def test_serve_shortens_pauses_when_all_is_loaded_and_before_the_first_request(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []

    class Server:
        def run(self, sockets: object) -> None:
            steps.append("run")

    def prepare(*_: object, **__: object) -> tuple[Server, None]:
        steps.append("load")
        return Server(), None

    monkeypatch.setattr("app.serving.prepare_server", prepare)
    monkeypatch.setattr("app.server.pauses.shorten_pauses", lambda: steps.append("shorten"))
    result = runner.invoke(app, ["serve"])
    assert (result.exit_code, steps) == (0, ["load", "shorten", "run"])


def test_missing_temporary_directory_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.setattr(tempfile, "gettempdir", fail)
    result = runner.invoke(app, ["serve"])
    assert result.exit_code == 2
    assert result.output.splitlines() == [
        "cbam-lens: no temporary directory can be written; set TMPDIR to a directory that can"
    ]


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_redirected_output_of_any_encoding_has_no_traceback(encoding: str) -> None:
    variables = {**os.environ, "PYTHONIOENCODING": encoding, "CBAM_LENS_OFFLINE": "1"}
    command = [sys.executable, "-c", "from app.cli import main; main()", "lineups"]
    result = subprocess.run(command, capture_output=True, env=variables, timeout=120, check=False)  # noqa: S603
    assert result.returncode == 0, result.stderr.decode(encoding)
    assert b"Traceback" not in result.stderr
    assert "efficientnet-lite0" in result.stdout.decode(encoding)
