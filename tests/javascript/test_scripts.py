"""The scripts that do not draw, tested in JavaScript by node's own runner."""

import re
import subprocess
from pathlib import Path

TESTS = sorted(Path(__file__).parent.glob("*.test.mjs"))


def test_scripts_pass_their_own_tests(node: str) -> None:
    command = [node, "--test", "--test-reporter=tap", *map(str, TESTS)]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)  # noqa: S603
    assert run.returncode == 0, run.stdout + run.stderr
    # node counts a file without tests as passed.
    declared = sum(len(re.findall(r"^test\(", path.read_text(encoding="utf-8"), re.MULTILINE)) for path in TESTS)
    assert f"\n# pass {declared}\n" in run.stdout
