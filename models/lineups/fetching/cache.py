"""Where fetched files are kept, by each platform's convention. Nothing here imports torch."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

CACHE_VARIABLE = "CBAM_LENS_CACHE_DIR"

NAME = "cbam-lens"


def find_cache_directory(environment: Mapping[str, str] = os.environ, *, platform: str = sys.platform) -> Path:
    """The cache directory; it need not exist yet.

    Args:
        environment: `CBAM_LENS_CACHE_DIR` comes before everything else.
        platform: as `sys.platform` names it.
    """
    if chosen := environment.get(CACHE_VARIABLE):
        return Path(chosen).expanduser().absolute()
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / NAME
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / NAME
    base = Path(environment.get("XDG_CACHE_HOME", ""))
    # The XDG specification: a relative path there is to be ignored.
    return (base if base.is_absolute() else Path.home() / ".cache") / NAME


def find_torch_directory(environment: Mapping[str, str] = os.environ) -> Path:
    """Where torchvision keeps what it fetches, as `torch.hub` finds it: without a second's import of torch."""
    cache = environment.get("XDG_CACHE_HOME", "~/.cache")
    return Path(environment.get("TORCH_HOME", f"{cache}/torch")).expanduser() / "hub" / "checkpoints"
