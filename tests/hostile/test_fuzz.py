"""schemathesis against our OpenAPI document, with a running server."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings
from tests.browser.site import serve

SECONDS = os.environ.get("CBAM_LENS_FUZZ_SECONDS", "25")
"""The seconds of a run; short by default, 1200 for twenty minutes."""

CONFIG = Path(__file__).parent / "schemathesis.toml"


@pytest.mark.slow
def test_no_answer_is_outside_of_the_document(tmp_path: Path) -> None:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    assert program is not None
    with serve(Settings(device="cpu")) as address:
        command = [program, "--config-file", str(CONFIG), "run", f"{address}/openapi.json", "--checks", "all"]
        command += ["--max-time", SECONDS, "--generation-database", "none", "--no-color"]
        result = subprocess.run(  # noqa: S603  # a test's own tool
            command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=float(SECONDS) + 300
        )
    assert result.returncode == 0, result.stdout[-8000:]
