"""Where a training was run: versions, device and commit, without names or paths."""

import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

ROOT = Path(__file__).parents[3]

LIBRARIES = ("torch", "torchvision", "numpy", "pillow", "cbam-lens")

GIT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a training was run.

    Attributes:
        device: the device that computed.
        versions: the versions of Python and the libraries, in one line.
        commit: the commit of the program's source; None if it is not in git.
    """

    device: str
    versions: str
    commit: str | None


def find_origin(device: torch.device, *, process_count: int) -> Origin:
    """Find where this training runs."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} CPU threads"
    known = [("Python", platform.python_version()), *((library, _find_version(library)) for library in LIBRARIES)]
    return Origin(
        device=name if process_count == 1 else f"{process_count} x {name}",
        versions=", ".join(f"{library} {number}" for library, number in known if number),
        commit=_find_commit(),
    )


def _find_version(library: str) -> str | None:
    try:
        return version(library)
    except PackageNotFoundError:
        return None


def _find_commit() -> str | None:
    """Find the commit, and whether files differ from it."""
    git = shutil.which("git")
    # An installed copy may be inside another repository.
    if git is None or not (ROOT / ".git").exists():
        return None
    answers = []
    for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain")):
        # Nothing here is anybody else's to choose.
        command = [git, "-C", str(ROOT), *arguments]
        result = subprocess.run(command, capture_output=True, text=True, timeout=GIT_SECONDS, check=False)  # noqa: S603
        if result.returncode:
            return None
        answers.append(result.stdout.strip())
    commit, changes = answers
    return f"{commit} with changes" if changes else commit
