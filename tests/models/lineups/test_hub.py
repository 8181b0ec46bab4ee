"""Lineups are fetched from the Hugging Face Hub when they are named, whole, and as safetensors alone."""

import json
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from fastapi.testclient import TestClient
from typer.testing import CliRunner

import cbam_lens as cl
from app.cli import app
from models.errors import LineupError
from models.lineups.card import SHIPPED_LINEUP
from models.lineups.choice import parse_lineup
from models.lineups.hub import HubLineup
from models.lineups.lineup import load_lineup
from tests.sharing.conftest import REPOSITORY
from tests.sharing.fake_hub import FakeHub, Repository

runner = CliRunner()

CBAM = "efficientnet_lite0_cbam_1000.safetensors"

LINEUP = HubLineup(REPOSITORY)


def keep_quiet(_: str) -> None:
    pass


@pytest.mark.parametrize(
    ("text", "repository", "revision"),
    [("hf:a/b", "a/b", None), ("hf:a-1/b_c.d@v1.0", "a-1/b_c.d", "v1.0"), ("hf:a/b@0123abc", "a/b", "0123abc")],
)
def test_lineup_is_spelt_with_owner_and_repository(text: str, repository: str, revision: str | None) -> None:
    choice = parse_lineup(text)
    assert choice == HubLineup(repository, revision)
    assert choice.name == text


@pytest.mark.parametrize(
    "text", ["hf:", "hf:a", "hf:a/b/c", "hf:a/b@", "hf:../b", "hf:a/..", "hf:a/b@../c", "hf:a/b\n"]
)
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(LineupError, match="write hf:OWNER/REPOSITORY, or hf:OWNER/REPOSITORY@REVISION"):
        parse_lineup(text)


def test_fetched_lineup_is_the_one_that_lies_there(published: Repository) -> None:
    LINEUP.fetch(keep_quiet)
    found, shipped = load_lineup(LINEUP), load_lineup(SHIPPED_LINEUP)
    assert found.card.model_dump() == shipped.card.model_dump()
    assert found.labels == shipped.labels
    batch = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    assert all(torch.equal(found.networks[name](batch), shipped.networks[name](batch)) for name in shipped.names)


def test_what_is_there_is_not_fetched_again(hub: FakeHub, published: Repository) -> None:
    LINEUP.fetch(keep_quiet)
    hub.asked.clear()
    LINEUP.fetch(keep_quiet)
    assert not [line for line in hub.asked if line.startswith("GET")]
    hub.asked.clear()
    HubLineup(REPOSITORY, is_offline=True).fetch(keep_quiet)
    assert hub.asked == []


def test_all_files_are_of_one_commit(hub: FakeHub, published: Repository) -> None:
    first = next(iter(published.commits))
    published.commit({"lineup.toml": SHIPPED_LINEUP.read_bytes().replace(b'geometry = "whole"', b'geometry = "crop"')})
    HubLineup(REPOSITORY, first).fetch(keep_quiet)
    assert load_lineup(HubLineup(REPOSITORY, first)).card.name == "efficientnet-lite0"
    assert {line.split("/")[4] for line in hub.asked} == {first}
    with pytest.raises(LineupError, match=r"not on this machine: lineup\.toml of hf:somebody/lite; run `cbam-lens"):
        LINEUP.locate()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("hf:nobody/nothing", "hf:nobody/nothing could not be fetched: .*Repository Not Found"),
        (f"hf:{REPOSITORY}@v9", "hf:somebody/lite@v9 could not be fetched: .*Revision Not Found"),
    ],
)
def test_what_is_not_on_the_hub_is_said_in_one_line(published: Repository, text: str, sentence: str) -> None:
    result = runner.invoke(app, ["fetch", text])
    assert result.exit_code == 2
    assert "\n" not in result.stderr.split("cbam-lens: ")[1].rstrip("\n")
    with pytest.raises(LineupError, match=sentence):
        HubLineup.parse(text, is_offline=False).fetch(keep_quiet)


def test_file_that_the_card_names_and_that_is_missing_is_said(published: Repository) -> None:
    del next(iter(published.commits.values()))[CBAM]
    with pytest.raises(LineupError, match=r"could not be fetched: .*Entry Not Found"):
        LINEUP.fetch(keep_quiet)
    with pytest.raises(LineupError, match=f"not on this machine: .*{CBAM}"):
        LINEUP.locate()


def test_hub_that_cannot_be_reached_is_said(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/{revision}/{filename}"
    )
    with pytest.raises(LineupError, match=r"hf:somebody/lite could not be fetched: .*check your connection"):
        LINEUP.fetch(keep_quiet)


@pytest.mark.parametrize(
    "command", [["fetch", "hf:a/b"], ["serve", "--lineup", "hf:a/b"], ["evaluate", ".", "--lineup", "hf:a/b"]]
)
def test_offline_asks_nobody(hub: FakeHub, command: list[str]) -> None:
    result = runner.invoke(app, [*command, "--offline"])
    assert result.exit_code == 2
    assert "not on this machine: lineup.toml of hf:a/b; run `cbam-lens fetch hf:a/b` without --offline" in result.stderr
    assert hub.asked == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            CBAM,
            "cbam.pth",
            "network cbam is in 'cbam.pth'; on the Hub it must be a safetensors file beside lineup.toml",
        ),
        (CBAM, f"../{CBAM}", r"network cbam is in '\.\./"),
        (CBAM, "torchvision:resnet18+cbam", "network cbam is in 'torchvision:resnet18"),
        ("labels_imagenet.json", "/etc/passwd", "its class names are in '/etc/passwd'"),
        (
            'cbam_1000.safetensors"\nsha256',
            'cbam_1000.safetensors"\n#',
            "network cbam has no sha256 in lineup.toml; what is fetched is checked: add it",
        ),
    ],
)
def test_card_that_leads_elsewhere_is_refused(
    hub: FakeHub, published: Repository, old: str, new: str, sentence: str
) -> None:
    published.commit({"lineup.toml": SHIPPED_LINEUP.read_text().replace(old, new).encode()})
    with pytest.raises(LineupError, match=sentence):
        LINEUP.fetch(keep_quiet)
    assert all(line.endswith("/lineup.toml") for line in hub.asked)


def write_zip(path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, path)


def write_legacy(path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, path, _use_new_zipfile_serialization=False)


def write_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps({"weight": [0.0] * 100}))


def write_nothing(path: Path) -> None:
    path.touch()


@pytest.mark.parametrize("write", [write_zip, write_legacy, write_pickle, write_nothing])
def test_pickle_by_the_name_of_safetensors_is_refused(
    published: Repository, tmp_path: Path, write: Callable[[Path], None]
) -> None:
    write(tmp_path / "file")
    published.commit({CBAM: (tmp_path / "file").read_bytes()})
    with pytest.raises(LineupError, match=f"{CBAM} is no safetensors file, whatever its name says, and is not read"):
        LINEUP.fetch(keep_quiet)
    with pytest.raises(LineupError, match="is not read"):
        load_lineup(LINEUP)


def test_other_weights_than_the_cards_are_refused(published: Repository) -> None:
    weights = (SHIPPED_LINEUP.parent / CBAM).read_bytes()
    published.commit({CBAM: weights[:-1] + bytes([weights[-1] ^ 1])})
    LINEUP.fetch(keep_quiet)
    with pytest.raises(LineupError, match=r"its sha256 is .*, the card says"):
        load_lineup(LINEUP)


def test_command_fetches_the_lineup_that_it_is_given(
    hub: FakeHub, published: Repository, tmp_path: Path, motorcycle: bytes
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(motorcycle)
    result = runner.invoke(app, ["compare", str(picture), "--lineup", f"hf:{REPOSITORY}", "--json"])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["lineup"] == "efficientnet-lite0"
    assert f"asking the Hugging Face Hub for {REPOSITORY}" in result.stderr
    assert any(line.startswith("GET") for line in hub.asked)


def test_request_to_the_server_fetches_nothing(
    hub: FakeHub, published: Repository, client: TestClient, motorcycle: bytes
) -> None:
    answer = client.post("/api/v1/heatmap", files={"image": motorcycle}, data={"lineup": f"hf:{REPOSITORY}"})
    assert answer.status_code == 422
    assert f"hf:{REPOSITORY}" in answer.json()["detail"]
    assert hub.asked == []


def test_library_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(LineupError, match="needs huggingface_hub, which is not installed: uv sync --extra hub"):
        LINEUP.fetch(keep_quiet)


def test_python_fetches_what_it_is_asked_to_load(
    hub: FakeHub, published: Repository, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = cl.load(f"hf:{REPOSITORY}", device="cpu")
    assert opened.networks == ("baseline", "se", "cbam")
    assert opened.card.name == "efficientnet-lite0"
    assert f"asking the Hugging Face Hub for {REPOSITORY}" in capsys.readouterr().err
    assert any(line.startswith("GET") and line.endswith(CBAM) for line in hub.asked)
    hub.asked.clear()
    assert cl.load(f"hf:{REPOSITORY}", device="cpu", offline=True).networks == opened.networks
    assert hub.asked == []


def test_python_offline_says_what_is_missing(hub: FakeHub) -> None:
    with pytest.raises(cl.LineupError, match=r"not on this machine: lineup\.toml of hf:a/b"):
        cl.load("hf:a/b", offline=True)
    assert hub.asked == []
