"""Where studies are kept by default, by each platform's convention."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

NAME = "cbam-lens"

FILE = "studies.sqlite"


def find_study_file(environment: Mapping[str, str] = os.environ, *, platform: str = sys.platform) -> Path:
    """The path of the default database; it need not exist yet.

    Args:
        environment: the environment variables.
        platform: as `sys.platform` names it.
    """
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / NAME / FILE
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / NAME / FILE
    base = Path(environment.get("XDG_DATA_HOME", ""))
    # The XDG specification: a relative path there is to be ignored.
    return (base if base.is_absolute() else Path.home() / ".local" / "share") / NAME / FILE
