"""`cbam-lens push` sends a lineup that can be fetched again, and says what is wrong before anything is sent."""

import shutil
from pathlib import Path

import pytest
import yaml
from huggingface_hub import ModelCard
from typer.testing import CliRunner, Result

from app.cli import app
from models.lineups.card import SHIPPED_LINEUP, read_card
from models.lineups.hub import HubLineup
from models.lineups.lineup import load_lineup
from tests.lineups import RESNET18_110
from tests.sharing.conftest import REPOSITORY
from tests.sharing.fake_hub import FakeHub, Repository

# huggingface_hub itself sends large files in a way that its HTTP library is about to drop.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

runner = CliRunner()

SENT = {
    "README.md",
    "lineup.toml",
    "labels_imagenet.json",
    "LICENSE-APACHE-2.0.txt",
    *(
        f"efficientnet_lite0_{name}_1000.{suffix}"
        for name in ("baseline", "se", "cbam")
        for suffix in ("md", "safetensors")
    ),
}


def push(lineup: str | Path, *options: str) -> Result:
    return runner.invoke(app, ["push", str(lineup), REPOSITORY, *options])


def copy_lineup(directory: Path, **changes: tuple[str, str]) -> Path:
    """The lineup of 110 classes elsewhere, with texts of its TOML file replaced: its files are links."""
    text = RESNET18_110.read_text()
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new)
    for path in RESNET18_110.parent.glob("*_110*"):
        if path.suffix == ".md":
            shutil.copy(path, directory)
        else:
            (directory / path.name).symlink_to(path)
    (directory / "mine.toml").write_text(text)
    return directory / "mine.toml"


def test_dry_run_lists_what_would_be_sent_and_asks_nobody(hub: FakeHub) -> None:
    result = push("shipped", "--dry-run")
    assert result.exit_code == 0, result.output
    sizes = dict(line.rsplit(": ", 1) for line in result.stdout.splitlines())
    assert set(sizes) == SENT
    weights = SHIPPED_LINEUP.parent / "efficientnet_lite0_cbam_1000.safetensors"
    assert sizes[weights.name] == f"{weights.stat().st_size:,} bytes"
    assert "licence of the weights: apache-2.0" in result.stderr
    assert "nothing was sent to somebody/lite: --dry-run" in result.stderr
    assert hub.asked == []


def test_pushed_lineup_is_fetched_as_it_was(hub: FakeHub) -> None:
    result = push("shipped")
    assert result.exit_code == 0, result.output
    repository = hub.repositories[REPOSITORY]
    (commit,) = repository.commits
    assert f"{hub.address}/{REPOSITORY}/commit/{commit}" in result.stdout
    assert set(repository.commits[commit]) == SENT
    assert len([line for line in hub.asked if line.startswith("PUT")]) == 3
    assert not repository.is_private
    fetched = runner.invoke(app, ["fetch", f"hf:{REPOSITORY}"])
    assert fetched.exit_code == 0, fetched.output
    assert len(fetched.stdout.splitlines()) == 3
    lineup = load_lineup(HubLineup(REPOSITORY))
    assert lineup.card.networks == load_lineup(SHIPPED_LINEUP).card.networks


def test_repositorys_page_is_a_model_card_of_all_networks(hub: FakeHub) -> None:
    assert push("shipped").exit_code == 0
    text = hub.repositories[REPOSITORY].find("main")[1]["README.md"].decode()  # type: ignore[index]
    # The Hub was asked about this very header before anything was sent.
    assert hub.validated == [text]
    header = yaml.safe_load(text.split("---\n")[1])
    assert (header["license"], header["license_link"]) == ("apache-2.0", "LICENSE-APACHE-2.0.txt")
    assert {"se", "cbam", "efficientnet_lite0"} <= set(header["tags"])
    card = read_card(SHIPPED_LINEUP)
    values = [result["metrics"][0]["value"] for model in header["model-index"] for result in model["results"]]
    assert values == [row.top1 for network in card.networks.values() for row in network.accuracy]
    assert ModelCard(text).data.get("library_name") == "cbam-lens"
    assert "--lineup hf:somebody/lite" in text
    assert (
        "| EfficientNet-Lite0+CBAM (last two stages) | ImageNet validation, first 500 | 500 | `whole` | 224 | 73.40 % |"
        in text
    )


def test_private_repository_is_made_private(hub: FakeHub) -> None:
    assert push("shipped", "--private").exit_code == 0
    assert hub.repositories[REPOSITORY].is_private


def test_private_push_into_a_public_repository_is_refused(hub: FakeHub) -> None:
    hub.repositories[REPOSITORY] = Repository(is_private=False)
    result = push("shipped", "--private")
    assert result.exit_code == 2
    assert "somebody/lite is there and public, and --private was given; nothing was sent" in result.stderr
    assert hub.repositories[REPOSITORY].commits == {}


def test_second_push_is_a_second_commit(hub: FakeHub) -> None:
    assert push("shipped").exit_code == push("shipped").exit_code == 0
    assert len(hub.repositories[REPOSITORY].commits) == 2


@pytest.mark.parametrize("token", ["hf_another_token", None])
def test_wrong_token_is_said_in_one_line_and_not_repeated(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    if token is None:
        monkeypatch.delenv("HF_TOKEN")
    else:
        monkeypatch.setenv("HF_TOKEN", token)
    result = push("shipped")
    assert result.exit_code == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("cbam-lens: ")]
    assert line.startswith("cbam-lens: efficientnet-lite0 could not be sent to somebody/lite:")
    assert "HF_TOKEN or `hf auth login`" in line
    assert "hf_another_token" not in result.output
    assert hub.repositories == {}


def test_hub_that_cannot_be_reached_is_said(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    result = push("shipped")
    assert result.exit_code == 2
    assert "could not be sent to somebody/lite:" in result.stderr


def test_weights_that_are_refused_are_said_and_leave_no_commit(hub: FakeHub) -> None:
    hub.refuses_large_files = True
    result = push("shipped")
    assert result.exit_code == 2
    assert "could not be sent to somebody/lite: Error while uploading 'efficientnet_lite0_" in result.stderr
    assert "403" in result.stderr
    assert hub.repositories[REPOSITORY].commits == {}


def test_offline_sends_nothing(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBAM_LENS_OFFLINE", "true")
    result = push("shipped")
    assert result.exit_code == 2
    assert "nothing is sent offline" in result.stderr
    assert hub.asked == []


def test_missing_checksum_is_added(hub: FakeHub, tmp_path: Path) -> None:
    path = copy_lineup(tmp_path, checksum=('sha256 = "', '# "'))
    result = push(path)
    assert result.exit_code == 0, result.output
    assert "licence of the weights: other" in result.stderr
    HubLineup(REPOSITORY).fetch(lambda _: None)
    card = load_lineup(HubLineup(REPOSITORY)).card
    assert {name: network.sha256 for name, network in card.networks.items()} == {
        name: network.sha256 for name, network in read_card(RESNET18_110).networks.items()
    }


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("resnet18_cbam_110.safetensors", "cbam.pth"), "network cbam is in 'cbam.pth'; on the Hub it must be"),
        (("labels_110.json", "../labels.json"), "its class names are in '../labels.json'"),
        (("resnet18_cbam_110.md", "README.md"), "names the model card 'README.md'; it must be a file beside it"),
        (("resnet18_cbam_110.md", "../card.md"), "names the model card '../card.md'; it must be a file beside it"),
        (('sha256 = "5b91cb', 'sha256 = "000000'), "the card says 000000"),
    ],
)
def test_lineup_that_could_not_be_fetched_is_not_sent(
    hub: FakeHub, tmp_path: Path, change: tuple[str, str], sentence: str
) -> None:
    result = push(copy_lineup(tmp_path, change=change), "--dry-run")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert hub.asked == []


def test_model_cards_must_agree_on_the_terms(tmp_path: Path) -> None:
    path = copy_lineup(tmp_path)
    card = tmp_path / "resnet18_cbam_110.md"
    card.write_text(card.read_text().replace('license: "other"', 'license: "mit"'))
    result = push(path, "--dry-run")
    assert result.exit_code == 2
    assert "different terms (resnet18_baseline_110.md other, resnet18_cbam_110.md mit)" in result.stderr


def test_licence_file_must_lie_beside_the_cards(tmp_path: Path) -> None:
    path = copy_lineup(tmp_path)
    for card in tmp_path.glob("*.md"):
        card.write_text(card.read_text().replace('license_link: "README.md"', 'license_link: "../TERMS.txt"'))
    result = push(path, "--dry-run")
    assert result.exit_code == 2
    assert (
        "the model cards' license_link is '../TERMS.txt'; it must be a file beside them, or an address" in result.stderr
    )


def test_damaged_header_is_said(tmp_path: Path) -> None:
    path = copy_lineup(tmp_path)
    (tmp_path / "resnet18_cbam_110.md").write_text("---\nlicense: [\n---\n")
    result = push(path, "--dry-run")
    assert result.exit_code == 2
    assert "its header cannot be read" in result.stderr
    assert "correct the YAML between the --- lines" in result.stderr


@pytest.mark.parametrize("lineup", ["mine=a.safetensors,b.safetensors", "hf:a/b", "imagenet-resnet18"])
def test_only_lineups_with_a_file_of_their_own_are_sent(lineup: str) -> None:
    result = push(lineup, "--dry-run")
    assert result.exit_code == 2
    assert "has no TOML file of its own; push takes a lineup's TOML file" in result.stderr


def test_library_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    result = push("shipped", "--dry-run")
    assert result.exit_code == 2
    assert "needs huggingface_hub, which is not installed: uv sync --extra hub" in result.stderr


@pytest.mark.parametrize("repository", ["lite", "a/b/c", "a/b@v1", "../b"])
def test_repository_is_spelt_with_its_owner(repository: str) -> None:
    result = runner.invoke(app, ["push", "shipped", repository])
    assert result.exit_code == 2
    assert "write OWNER/REPOSITORY" in " ".join(result.stderr.split())
