"""`cbam-lens lineups`, `fetch` and the known names of `serve` and the others."""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from app.cli import app
from app.settings import Settings
from models.lineups import catalogue
from tests.models.lineups.fetching.publisher import PATH, WEIGHTS, Publisher, make_file, publish

runner = CliRunner()


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CBAM_LENS_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return tmp_path / "cache"


@pytest.fixture
def publisher(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """One that publishes the file of a catalogue with one lineup, `small`."""
    file = make_file()
    text = '[small]\ntitle = "Small"\narchitecture = "resnet18"\nstride_placement = "v1.5"\nlicence = "MIT"\n'
    text += 'labels = "imagenet"\nprovenance = "Noise."\n'
    for name, attention in (("baseline", "none"), ("cbam", "cbam")):
        text += f'[[small.networks]]\nname = "{name}"\nattention = "{attention}"\n[small.networks.weights]\n'
        text += f'file = "{file.file}"\nurl = "{file.url}"\nsha1 = "{file.sha1}"\nparameters = {file.parameters}\n'
    (tmp_path / "catalogue.toml").write_text(text)
    monkeypatch.setattr(catalogue, "CATALOGUE", tmp_path / "catalogue.toml")
    with publish() as running:
        monkeypatch.setenv("CBAM_LENS_MIRROR", running.address)
        yield running


def test_lineups_are_listed_with_what_is_on_this_machine(cache: Path) -> None:
    cache.mkdir()
    (cache / "resnet18-0896-77a56f15.pth").write_bytes(bytes(1_000_000))
    result = runner.invoke(app, ["lineups", "--json"])
    assert result.exit_code == 0, result.output
    known = json.loads(result.stdout)
    assert known["cache"] == str(cache)
    lineups = {lineup["name"]: lineup for lineup in known["lineups"]}
    shipped = ["efficientnet-lite0", "resnet18-110"]
    assert list(lineups) == [*shipped, "imagenet-resnet50", "imagenet-resnet18", "imagenet-resnet50-authors"]
    baseline, se = lineups["imagenet-resnet18"]["networks"]
    assert (baseline["is_here"], baseline["size_bytes"]) == (True, 1_000_000)
    assert (se["is_here"], se["size_bytes"]) == (False, 4 * 11_778_592)
    assert all(network["is_here"] for name in shipped for network in lineups[name]["networks"])
    assert not any(network["is_here"] for network in lineups["imagenet-resnet50-authors"]["networks"])


def test_lineups_are_a_table_for_people() -> None:
    result = runner.invoke(app, ["lineups"], env={"COLUMNS": "120"})
    assert result.exit_code == 0, result.output
    assert "imagenet-resnet50-authors" in result.stdout
    assert "to fetch, about 102 MB" in result.stdout
    assert "Errors are the publishers’ own, not measured here" in " ".join(result.stdout.split())


def test_fetch_gets_what_is_missing_once(publisher: Publisher, cache: Path) -> None:
    for _ in range(2):
        result = runner.invoke(app, ["fetch", "small"])
        assert result.exit_code == 0, result.output
        assert result.stdout.splitlines() == [f"small: {cache / make_file().file}"] * 2
    assert (cache / make_file().file).read_bytes() == WEIGHTS
    assert len(publisher.asked) == 1
    assert runner.invoke(app, ["fetch", "small", "--force"]).exit_code == 0
    assert len(publisher.asked) > 1


def test_fetch_of_shipped_weights_asks_nobody(publisher: Publisher) -> None:
    result = runner.invoke(app, ["fetch", "shipped"])
    assert result.exit_code == 0, result.output
    assert "efficientnet_lite0_baseline_1000.safetensors" in result.stdout
    assert publisher.asked == []


def test_fetch_names_the_known_lineups() -> None:
    result = runner.invoke(app, ["fetch", "nothing"])
    assert result.exit_code == 2
    assert (
        "'nothing' is no known lineup; choose one of shipped, efficientnet-lite0, resnet18-110, imagenet-resnet50"
        in result.stderr
    )


@pytest.mark.parametrize(
    "command", [["serve"], ["compare", "dog.jpg"], ["evaluate", "."], ["precision", "."], ["bench"], ["fetch"]]
)
def test_offline_names_the_missing_file_in_one_line(publisher: Publisher, cache: Path, command: list[str]) -> None:
    name = ["small"] if command == ["fetch"] else ["--lineup", "small"]
    result = runner.invoke(app, [*command, *name, "--offline"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert f"nothing is fetched offline; get {publisher.address}{PATH} and put it at {cache}" in line
    assert line.endswith("or run `cbam-lens fetch small` without --offline")
    assert publisher.asked == []


def test_offline_can_be_set_by_the_environment(publisher: Publisher) -> None:
    result = runner.invoke(app, ["serve", "--lineup", "small"], env={"CBAM_LENS_OFFLINE": "true"})
    assert result.exit_code == 2
    assert "nothing is fetched offline" in result.stderr
    assert publisher.asked == []


def test_offline_asks_for_torchvisions_file_too(tmp_path: Path) -> None:
    result = runner.invoke(app, ["serve", "--lineup", "x=torchvision:resnet50,torchvision:resnet50+cbam", "--offline"])
    assert result.exit_code == 2
    place = Path(torch.hub.get_dir()) / "checkpoints" / "resnet50-0676ba61.pth"
    assert place.is_relative_to(tmp_path)
    sentence = f"get https://download.pytorch.org/models/resnet50-0676ba61.pth and put it at {place}"
    assert sentence in result.stderr


def test_serve_fetches_the_lineup_that_it_is_given(publisher: Publisher, cache: Path, tmp_path: Path) -> None:
    """The file is there afterwards, and only then opened; it is noise, and no network."""
    result = runner.invoke(app, ["serve", "--lineup", "small", "--port", "0"])
    assert result.exit_code == 2
    assert "fetching net-0505-01234567.pth, about 0 MB" in result.stderr
    assert "its format is unknown" in result.stderr
    assert (cache / make_file().file).read_bytes() == WEIGHTS


def test_authors_file_is_asked_for_by_hand_and_taken_from_a_folder(tmp_path: Path) -> None:
    result = runner.invoke(app, ["fetch", "imagenet-resnet50-authors"])
    assert result.exit_code == 2
    assert "get RESNET50_CBAM_new_name_wrap.pth from https://github.com/Jongchan/attention-module" in result.stderr
    folder = tmp_path / "folder"
    folder.mkdir()
    with zipfile.ZipFile(folder / "RESNET50_CBAM_new_name_wrap.pth", "w"):
        pass
    result = runner.invoke(app, ["fetch", f"imagenet-resnet50-authors={folder}", "--offline"])
    assert "weights of torchvision:resnet50" in result.stderr


@pytest.mark.parametrize(
    "mirror",
    [
        "mirror.example",
        "ftp://mirror.example",
        "https://mirror.example?x=1",
        "http://[::1",
        "http://127.0.0.1:8124/\u00fcn\u00ef",
        "http://user:pw-secret@mirror.example/",
    ],
)
def test_mirror_that_is_no_address_is_refused(mirror: str) -> None:
    result = runner.invoke(app, ["fetch", "shipped"], env={"CBAM_LENS_MIRROR": mirror})
    assert result.exit_code == 2
    assert "secret" not in result.output
    assert "CBAM_LENS_MIRROR: this is not a mirror's address" in result.stderr
    assert "pydantic" not in result.stderr
    with pytest.raises(ValueError, match="is not a mirror's address; write scheme, host and path") as caught:
        Settings(mirror=mirror)
    assert "secret" not in str(caught.value)
