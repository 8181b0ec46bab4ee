from pathlib import Path

import pytest
import torch

from models.lineups.fetching.cache import find_cache_directory, find_torch_directory

HOME = Path.home()


@pytest.mark.parametrize(
    ("environment", "platform", "expected"),
    [
        ({}, "linux", HOME / ".cache/cbam-lens"),
        ({"XDG_CACHE_HOME": "/var/cache/me"}, "linux", Path("/var/cache/me/cbam-lens")),
        ({"XDG_CACHE_HOME": "relative"}, "linux", HOME / ".cache/cbam-lens"),
        ({}, "darwin", HOME / "Library/Caches/cbam-lens"),
        ({"LOCALAPPDATA": "/users/me/local"}, "win32", Path("/users/me/local/cbam-lens")),
        ({}, "win32", HOME / "AppData/Local/cbam-lens"),
        ({"CBAM_LENS_CACHE_DIR": "/weights", "XDG_CACHE_HOME": "/var/cache/me"}, "linux", Path("/weights")),
        ({"CBAM_LENS_CACHE_DIR": "~/weights"}, "darwin", HOME / "weights"),
    ],
)
def test_cache_directory_is_the_platforms_or_the_chosen_one(
    environment: dict[str, str], platform: str, expected: Path
) -> None:
    assert find_cache_directory(environment, platform=platform) == expected


@pytest.mark.parametrize("variables", [{}, {"XDG_CACHE_HOME": "/var/cache/me"}, {"TORCH_HOME": "~/torch"}])
def test_torch_directory_is_the_one_that_torch_takes(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert find_torch_directory() == Path(torch.hub.get_dir()) / "checkpoints"
