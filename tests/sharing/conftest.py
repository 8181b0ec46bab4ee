"""The fake hub in place of the Hub, with a cache of its own, and a lineup on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from models.lineups.card import SHIPPED_LINEUP
from tests.sharing.fake_hub import TOKEN, FakeHub, Repository, run_hub

REPOSITORY = "somebody/lite"


@pytest.fixture(scope="session")
def server() -> Iterator[FakeHub]:
    with run_hub() as running:
        yield running


@pytest.fixture
def hub(server: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """An empty hub, which huggingface_hub asks in place of the Hub."""
    for variable in ("no_proxy", "NO_PROXY"):
        monkeypatch.setenv(variable, "127.0.0.1")
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    monkeypatch.setattr(constants, "ENDPOINT", server.address)
    template = f"{server.address}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    # Xet's own servers are not here: weights go as Git LFS, which the library falls back to without hf_xet.
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    server.repositories.clear()
    server.asked.clear()
    server.validated.clear()
    server.large_files.clear()
    server.refuses_large_files = False
    return server


@pytest.fixture
def published(hub: FakeHub) -> Repository:
    """A repository with the shipped lineup in it."""
    names = [path.name for path in SHIPPED_LINEUP.parent.glob("efficientnet_lite0_*.safetensors")]
    files = {name: (SHIPPED_LINEUP.parent / name).read_bytes() for name in [*names, "labels_imagenet.json"]}
    repository = hub.repositories[REPOSITORY] = Repository(is_private=False)
    repository.commit({**files, "lineup.toml": SHIPPED_LINEUP.read_bytes()})
    return repository
